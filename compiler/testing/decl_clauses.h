// The clauses of a declaration, whatever its kind: what coverage counts and mutation changes.
#pragma once

#include <string>
#include <vector>

#include "compiler/ast/nodes.h"
#include "compiler/source/source_file.h"

namespace dpl::testing {

// `may …` and `covers …`, in source order; the two sides of a `separate` too.
std::vector<const ast::MayClause*> ClausesOf(const ast::Decl& decl);
// `limit …` and `cap …`.
std::vector<const ast::LimitClause*> LimitClausesOf(const ast::Decl& decl);

// "where resource.region == person.region": the text at a span on one line, cut when long.
std::string OneLine(const SourceSet& sources, const Span& span, size_t most = 90);
// "policy.dpl:12:3"
std::string PlaceOf(const SourceSet& sources, const Span& span);

}  // namespace dpl::testing
