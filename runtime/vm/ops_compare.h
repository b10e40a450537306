// Operations that compare: equality, order, containment, membership, patterns, calendars.
#pragma once

#include "runtime/vm/context.h"

namespace dpl::vm {

enum class Relation : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
Value Compare(Context& c, const Value& a, const Value& b, Relation relation);

Value In(Context& c, const Value& x, const Value& y);
Value InTeam(Context& c, const Value& x, uint32_t team);
Value InTeamValue(Context& c, const Value& x, const Value& team);
Value InRole(Context& c, const Value& person, uint32_t role);
Value During(Context& c, const Value& instant, uint32_t calendar);

}  // namespace dpl::vm
