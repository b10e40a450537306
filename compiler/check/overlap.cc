// Whether two grants can meet in one request.
#include "compiler/check/overlap.h"

#include <algorithm>

#include "compiler/check/expr.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

using ast::Subject;
using Values = std::set<uint32_t>;

bool TeamWithin(const Checker& c, uint32_t inner, uint32_t outer, std::set<uint32_t>* seen) {
  if (inner == outer) return true;
  if (!seen->insert(inner).second) return false;
  for (uint32_t next : c.model.schema.teams[inner].within) {
    if (TeamWithin(c, next, outer, seen)) return true;
  }
  return false;
}

bool RoleGives(const Checker& c, uint32_t role, uint32_t wanted, std::set<uint32_t>* seen) {
  if (role == wanted) return true;
  if (!seen->insert(role).second) return false;
  for (uint32_t next : c.model.schema.roles[role].includes) {
    if (RoleGives(c, next, wanted, seen)) return true;
  }
  return false;
}

bool Known(const Subject& s) {
  return s.ref != kNone || s.kind == Subject::Kind::kEveryone || s.kind == Subject::Kind::kPublic ||
         s.kind == Subject::Kind::kAnyAgent;
}

bool Disjoint(const Values& a, const Values& b) {
  return std::none_of(a.begin(), a.end(), [&](uint32_t v) { return b.contains(v); });
}

}  // namespace

bool SubjectIncludes(const Checker& c, const Subject& outer, const Subject& inner) {
  if (!Known(outer) || !Known(inner)) return false;
  std::set<uint32_t> seen;
  using Kind = Subject::Kind;
  if (outer.kind == Kind::kPublic)
    return inner.kind != Kind::kAgent && inner.kind != Kind::kAnyAgent;
  if (outer.kind == Kind::kEveryone) {
    return inner.kind == Kind::kEveryone || inner.kind == Kind::kTeam ||
           inner.kind == Kind::kRole || inner.kind == Kind::kPerson;
  }
  if (outer.kind != inner.kind) return outer.kind == Kind::kAnyAgent && inner.kind == Kind::kAgent;
  switch (outer.kind) {
    case Kind::kTeam:
      return TeamWithin(c, inner.ref, outer.ref, &seen);
    case Kind::kRole:
      return RoleGives(c, inner.ref, outer.ref, &seen);
    default:
      return outer.ref == inner.ref;
  }
}

Meeting SubjectsMeet(const Checker& c, const Subject& a, const Subject& b) {
  using Kind = Subject::Kind;
  if (SubjectIncludes(c, a, b) || SubjectIncludes(c, b, a)) return Meeting::kAlways;
  bool a_partner = a.kind == Kind::kPartner, b_partner = b.kind == Kind::kPartner;
  if (a_partner || b_partner) return Meeting::kApart;  // nobody is of two realms
  bool a_agent = a.kind == Kind::kAgent, b_agent = b.kind == Kind::kAgent;
  if (a_agent && b_agent) return Meeting::kApart;
  if (a_agent != b_agent)
    return a.kind == Kind::kPublic || b.kind == Kind::kPublic ? Meeting::kByData : Meeting::kApart;
  if (a.kind == Kind::kPerson && b.kind == Kind::kPerson) return Meeting::kApart;
  return Meeting::kByData;
}

Pins PinsOf(Checker& c, const ast::Expr* where) {
  Pins pinned;
  for (const ast::Expr* part : Conjuncts(where)) {
    std::string path;
    Values values;
    if (part->kind == ast::ExprKind::kEq) {
      for (int side = 0; side < 2; ++side) {
        const ast::Expr& one = *part->args[static_cast<size_t>(side)];
        const ast::Expr& other = *part->args[static_cast<size_t>(1 - side)];
        uint32_t constant = FoldConstant(c, other);
        if (constant == kNone || PathText(one).empty() || FoldConstant(c, one) != kNone) continue;
        path = PathText(one);
        values.insert(constant);
        break;
      }
    } else if (part->kind == ast::ExprKind::kIn) {
      uint32_t set = FoldConstant(c, *part->args[1]);
      if (set == kNone || c.model.constants[set].kind != Constant::Kind::kSet) continue;
      path = PathText(*part->args[0]);
      values.insert(c.model.constants[set].elements.begin(), c.model.constants[set].elements.end());
    }
    if (path.empty()) continue;
    // One instant has several local times and days, and lists of paths or address blocks hold what
    // lies beneath: other constants do not exclude each other there.
    bool nested = part->kind == ast::ExprKind::kIn &&
                  std::any_of(values.begin(), values.end(), [&](uint32_t v) {
                    Constant::Kind kind = c.model.constants[v].kind;
                    return kind == Constant::Kind::kPath || kind == Constant::Kind::kIp ||
                           kind == Constant::Kind::kResource;
                  });
    if (path.starts_with("now.") || nested) continue;
    auto [at, fresh] = pinned.emplace(path, values);
    if (fresh) continue;
    Values both;
    std::set_intersection(at->second.begin(), at->second.end(), values.begin(), values.end(),
                          std::inserter(both, both.end()));
    at->second = both;
  }
  return pinned;
}

bool ProvenApart(const ClauseModel& a, const Pins& a_pins, const ClauseModel& b, const Pins& b_pins,
                 std::string_view within) {
  if (a.type == b.type && a.has_id && b.has_id && a.id != b.id) return true;
  for (const auto& [path, values] : a_pins) {
    auto same = b_pins.find(path);
    if (same != b_pins.end() && Disjoint(values, same->second)) return true;
  }
  if (within.empty()) return false;
  auto about = [&](std::string_view path) {
    size_t dot = path.find('.');
    return dot != std::string_view::npos && path.substr(dot + 1) == within &&
           (path.substr(0, dot) == "person" || path.substr(0, dot) == "resource");
  };
  for (const auto& [path, values] : a_pins) {
    if (!about(path)) continue;
    for (const auto& [other, others] : b_pins) {
      if (about(other) && Disjoint(values, others)) return true;
    }
  }
  return false;
}

}  // namespace dpl::check
