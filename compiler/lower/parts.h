// Code for the single conditions of an `and`: for tools that look closer than a decision does (test
// coverage).
#pragma once

#include <vector>

#include "compiler/check/model.h"
#include "compiler/source/source_file.h"
#include "runtime/bytecode/program.h"

namespace dpl::lower {

struct ConditionParts {
  uint32_t code = kNone;  // of the whole condition
  struct Part {
    uint32_t code = kNone;
    const ast::Expr* expr = nullptr;
  };
  std::vector<Part> parts;  // two or more, in source order
};

// The operands of a top-level `and`, flattened; the expression itself when it is none.
std::vector<const ast::Expr*> Conjuncts(const ast::Expr& condition);

// For every `where` and `unless` that is an `and`. `program` is what Lower() made of `model`; it
// gains codes at its end that no statement uses, so it still runs but is no longer one to ship.
std::vector<ConditionParts> AddConditionParts(check::Model* model, const SourceSet& sources,
                                              Program* program);

}  // namespace dpl::lower
