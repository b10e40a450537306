// The facts as the checker asks about them: who belongs to a team or holds a role, and who has
// left. By name, before anything is typed; ends of memberships are not looked at, because a check
// has no time.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "compiler/check/checker.h"
#include "runtime/facts/snapshot.h"

namespace dpl::check {

class FactsView {
 public:
  explicit FactsView(const Checker& c);  // c.options.facts is there

  bool Left(const std::string& person) const { return left_.contains(person); }
  std::set<std::string> TeamPeople(uint32_t team) const;
  std::set<std::string> RolePeople(uint32_t role) const;  // holders by facts, anywhere
  // Who holds a role, through one that includes it too, and at which object; both empty:
  // everywhere.
  struct Holder {
    std::string person, type, id;
  };
  std::vector<Holder> Holders(uint32_t role) const;
  std::set<std::string> People(const ast::Subject& subject) const;

 private:
  std::set<uint32_t> RolesGiving(uint32_t role) const;
  bool Names(std::string_view written, Str qualified) const;
  void AddTeam(uint32_t team, std::set<uint32_t>* seen, std::set<std::string>* people) const;
  void AddMembers(const FactsInput::Members& members, std::set<uint32_t>* seen,
                  std::set<std::string>* people) const;

  const Checker& c_;
  const FactsInput& facts_;
  std::set<std::string> left_;
};

}  // namespace dpl::check
