// Services of the schema phases that the statement phases use too. Internal to compiler/check.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/checker.h"

namespace dpl::check {

// Symbols of a kind that count (of two with one name, the first), by qualified name.
std::vector<Symbol*> SortedSymbols(Checker& c, SymbolKind kind);

// {kNone, kNone} when nothing is written or the team is unknown (reported).
OwnerDef ResolveOwner(Checker& c, const ast::OwnerRef& owner, FileScope& file);
// What is written, else the package's team.
OwnerDef OwnerOrPackage(Checker& c, const ast::OwnerRef& owner, FileScope& file);

// An attribute of a person, a resource or the context; false when its type is wrong.
bool BuildAttribute(Checker& c, const ast::HasClause& has, FileScope& file, AttributeDef* out);
// Names and wire names may be used once each.
void CheckAttributeNames(Checker& c, const std::vector<AttributeDef>& attributes,
                         std::string_view key, const Span& key_span);

// DPL0102 for meta clauses that a declaration does not take.
struct MetaAllowed {
  bool owner = true, because = false, ticket = false, review = false, expires = false;
};
void CheckMetaAllowed(Checker& c, const ast::Meta& meta, const MetaAllowed& allowed,
                      const std::string& what);

}  // namespace dpl::check
