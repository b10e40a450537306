// The facts as the oracle reads them: straight from the FactsInput, looked up by name each time,
// nothing closed or indexed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/check/model.h"
#include "runtime/base/instant.h"
#include "runtime/facts/snapshot.h"
#include "tests/oracle/value.h"

namespace dpl::oracle {

// What the caller says about the person and the resource of its own request: `from request`
// attributes only.
struct Said {
  std::vector<std::optional<Val>> person, resource;  // schema order
  std::optional<Val> parent;
  bool makes = false;           // the action makes its resource
  std::optional<Val> makes_in;  // the parent of what the action makes
};

class World {
 public:
  // `built_at` stands in for the facts' missing as_of. Every field must be of its declared type.
  World(const check::Model& model, const FactsInput& facts, Instant built_at,
        bool members_forever = false);

  struct Person {
    std::string status;
    std::optional<Instant> left;
    std::vector<std::optional<Val>> fields;
  };
  const Person* FindPerson(const std::string& id) const;
  bool PersonsFresh(Instant now) const;
  bool MembershipsFresh(Instant now) const;

  // A value, absent, or ⊥missing / ⊥stale.
  Val PersonAttribute(const Val& person, uint32_t attribute, const Said& said, Instant now) const;
  Val ResourceAttribute(const Val& resource, uint32_t attribute, const Said& said) const;
  bool Known(const Val& resource) const;                      // has a record
  Val ParentOf(const Val& resource, const Said& said) const;  // absent: a root

  Truth ResourceIn(const Val& inner, const Val& outer, const Said& said) const;
  Truth PersonIn(const Val& inner, const Val& outer, const Said& said, Instant now,
                 int levels = 16) const;
  Truth InTeam(const std::string& person, uint32_t team, Instant now) const;
  Truth TeamInTeam(uint32_t inner, uint32_t outer, Instant now) const;
  // Only what facts say; computed roles are the evaluator's.
  Truth HoldsByFacts(const std::string& person, uint32_t role, const Val* at, const Said& said,
                     Instant now) const;
  bool Includes(uint32_t role, uint32_t included) const;  // itself too

  struct Account {
    std::string key, person;
    Instant checked;
  };
  std::vector<Account> Accounts(uint32_t system) const;
  // Whether the person may approve grants over everything this statement reaches.
  bool ApproverOk(const check::StatementModel& grant, Instant now) const;

 private:
  struct Resource {
    bool loaded = true;
    std::vector<std::optional<Val>> fields;
    std::optional<Val> parent;
  };
  Val Default(const AttributeDef& def, bool loaded, bool made) const;
  bool TeamHasTeam(uint32_t outer, uint32_t inner, Instant now, bool facts, int levels) const;
  bool Owns(const std::string& person, const OwnerDef& owner, Instant now, int levels) const;

  const check::Model& model_;
  const Schema& schema_;
  const FactsInput& facts_;
  Instant as_of_;
  bool members_forever_;  // a planted mistake: `until` is not looked at
  bool Live(const FactsInput::Member& member, Instant now) const {
    return members_forever_ || !member.until || now < *member.until;
  }
  std::map<std::string, Person> persons_;
  std::map<std::pair<uint32_t, std::string>, Resource> resources_;
  struct Group {
    bool role;
    uint32_t index;
    std::optional<Val> scope;
    const FactsInput::Members* members;
  };
  std::vector<Group> groups_;
};

}  // namespace dpl::oracle
