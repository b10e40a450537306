// Values known at compile time: what a literal says, and what a constant expression comes to.
#pragma once

#include <optional>
#include <string>

#include "compiler/check/checker.h"
#include "runtime/base/instant.h"
#include "runtime/base/zone.h"

namespace dpl::check {

// "5_000" without its underscores.
std::string Digits(std::string_view text);

// Each reports what is wrong at the literal's span and then gives nullopt. An absent literal gives
// nullopt silently.
std::optional<int64_t> DurationUs(Checker& c, const ast::Literal& literal);
std::optional<Date> DateOfLiteral(Checker& c, const ast::Literal& literal);
std::optional<int64_t> WholeNumber(Checker& c, const ast::Literal& literal);
// A date counts from the start of its day (or, `end_of_day`, until the end of it) in the zone; a
// date-time is what it says.
std::optional<int64_t> InstantUs(Checker& c, const ast::Literal& literal, const ZoneTable& zone,
                                 bool end_of_day);

// The constant a literal expression stands for when a `type` is needed, or kNone (reported). `type`
// must fit the literal.
uint32_t LiteralConstant(Checker& c, const ast::Expr& literal, TypeId type, bool cidr_allowed);

// Folds an annotated expression without variables; kNone when it has some, or (reported) when it
// leaves the range.
uint32_t FoldConstant(Checker& c, const ast::Expr& e);

// The id of a resource as facts hold it: a path normalised, folded and patterned keys checked.
// nullopt: reported.
std::optional<std::string> CanonicalId(Checker& c, uint32_t resource, const std::string& id,
                                       const Span& span);

// Order of two constants of one kind, as sets keep them; money of two currencies by currency first.
int CompareConstants(const Model& model, uint32_t a, uint32_t b);

// As it stands in messages: "5_000.00 USD", "emea", "\"V1\"".
std::string ConstantText(const Checker& c, uint32_t constant);

}  // namespace dpl::check
