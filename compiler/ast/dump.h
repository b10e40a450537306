// A syntax tree as text, without spans: equal texts mean equal trees. For tests and for looking at.
//
//   (package acme.demo (owned-by team finance))
//   (grant band_one
//     (row (to (role purchaser)) (may (approve) on coupa.Order)) …
//
// Says everything the author wrote but comments, brackets round expressions and the order of
// clauses of different kinds.
#pragma once

#include <string>

#include "compiler/ast/nodes.h"

namespace dpl::ast {

std::string Dump(const File& file);
std::string Dump(const Expr& expr);  // one line: (and (== resource.region person.region) …)

}  // namespace dpl::ast
