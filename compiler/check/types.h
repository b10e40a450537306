// Types: from what is written to a TypeId, and back to words.
#pragma once

#include <optional>
#include <string>

#include "compiler/check/checker.h"

namespace dpl::check {

void InternBasicTypes(Checker& c);

// kNone when a name in it is unknown or it is no type (reported).
TypeId ResolveType(Checker& c, const ast::TypeExpr& type, FileScope& file);

// As written: "set<docs.Folder>", "Region", "money?".
std::string TypeText(const Checker& c, TypeId type);
// In a sentence: "a string", "money", "an amount of `Region`", "a set of docs.Folder".
std::string DescribeType(const Checker& c, TypeId type);

// "a `docs.Folder`", "an `app.Order`"
std::string WithArticle(std::string_view name);

TypeId WithoutOptional(Checker& c, TypeId type);
bool IsOptional(const Checker& c, TypeId type);
bool Is(const Checker& c, TypeId type, TypeKind kind);
// What can be measured and limited: money, int, decimal, duration.
bool IsMeasurable(const Checker& c, TypeId type);
// Has `<`: numbers, money, times, ordered enums.
bool IsOrdered(const Checker& c, TypeId type);

// Whether a resource of type `inner` can be, or lie beneath, one of type `outer` (over declared
// parents).
bool CanLieWithin(const Checker& c, uint32_t inner, uint32_t outer);

// Index of a member in an enum, or kNone.
uint32_t MemberOf(const Checker& c, uint32_t enum_index, std::string_view name);

}  // namespace dpl::check
