// Finding what a name means: parameters are the expression's business, then the own package, then
// explicit imports. Systems, and with them resource types (`docs.Folder`), are one name space of
// the whole set, visible through imports.
//
//   if (const Symbol* team = Lookup(c, SymbolKind::kTeam, name, file)) … team->index …
//
// What cannot be found has been reported, with the near names, when these give null or kNone.
#pragma once

#include <string_view>

#include "compiler/check/checker.h"

namespace dpl::check {

const Symbol* Lookup(Checker& c, SymbolKind kind, const ast::QName& name, FileScope& file);
// The same without a report; ambiguity counts as not found.
const Symbol* LookupQuietly(Checker& c, SymbolKind kind, std::string_view name, FileScope& file);

// A resource type: `docs.Folder`, or with its package in front. Index into Schema::resources, or
// kNone.
uint32_t LookupType(Checker& c, const ast::QName& name, FileScope& file);
uint32_t LookupTypeQuietly(Checker& c, std::string_view name, FileScope& file);

// Any statement by name, for `by` and `bound by` of tests: `band_one`, `band_one.amount`. Null when
// there is none.
const Symbol* LookupStatement(Checker& c, std::string_view name, FileScope& file);

// Notes that the file needs what this package declares.
void MarkUsed(FileScope& file, uint32_t package);
bool Imports(const FileScope& file, uint32_t package);

}  // namespace dpl::check
