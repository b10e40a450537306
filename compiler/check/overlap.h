// Whether two grants can meet in one request: the question behind DPL0501, 0502 and 0511. Sound in
// one direction: what is called apart is apart whatever the facts say (closing rule 39).
#pragma once

#include <map>
#include <set>
#include <string>

#include "compiler/check/checker.h"

namespace dpl::check {

enum class Meeting : uint8_t {
  kApart,   // no request is for both
  kByData,  // only the facts could join them: two teams, two roles
  kAlways,  // the same subject, or one that includes the other
};

Meeting SubjectsMeet(const Checker& c, const ast::Subject& a, const ast::Subject& b);
// Whether everyone that `inner` means is meant by `outer` too, whatever the facts say.
bool SubjectIncludes(const Checker& c, const ast::Subject& outer, const ast::Subject& inner);

// What a condition allows for a path, from its top-level `path == constant` and `path in { … }`.
using Pins = std::map<std::string, std::set<uint32_t>>;
Pins PinsOf(Checker& c, const ast::Expr* where);

// Two clauses whose scopes or conditions exclude each other: other ids, disjoint constants for one
// attribute. `within` (an activity's `limits must agree within …`) lets a person's and a resource's
// attribute of that name stand for each other.
bool ProvenApart(const ClauseModel& a, const Pins& a_pins, const ClauseModel& b, const Pins& b_pins,
                 std::string_view within);

}  // namespace dpl::check
