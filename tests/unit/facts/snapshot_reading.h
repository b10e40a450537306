// All that can be read of a snapshot, as a text: two that read alike answer every question alike.
//
//   SnapshotReading read(*snapshot, now);
//   read.text()    // of everything, whichever way references lead to it
//   read.wrong()   // what contradicts itself; empty: nothing
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/instant.h"
#include "runtime/facts/snapshot.h"

namespace dpl {

inline std::string UntilText(Instant at) {
  return at == Instant{INT64_MAX} ? "ever" : FormatInstant(at);
}

class SnapshotReading {
 public:
  SnapshotReading(const Snapshot& snapshot, Instant now)
      : s_(snapshot), schema_(snapshot.program().schema), now_(now) {
    All();
  }
  const std::string& text() const { return out_; }
  const std::string& wrong() const { return wrong_; }

 private:
  void All() {
    Put("version ", s_.facts_version());
    Put("as of ", FormatInstant(s_.as_of()));
    std::span<const Entity* const> persons = s_.Persons();
    for (size_t i = 0; i < persons.size(); ++i) {
      Must(i == 0 || persons[i - 1]->id < persons[i]->id);
      Must(s_.FindPerson(persons[i]->id) == persons[i]);
      Whole(*persons[i]);
    }
    for (uint32_t type = 0; type < schema_.resources.size(); ++type) {
      std::span<const Entity* const> resources = s_.Resources(type);
      for (size_t i = 0; i < resources.size(); ++i) {
        Must(i == 0 || resources[i - 1]->id < resources[i]->id);
        Must(s_.FindResource(type, resources[i]->id) == resources[i]);
        Whole(*resources[i]);
      }
    }
    for (uint32_t system = 0; system < schema_.systems.size(); ++system) {
      for (const AccountFact& account : s_.Accounts(system)) {
        Put("\naccount ", account.key);
        Put(" of ", account.person->id);
        Put(" checked ", FormatInstant(account.checked));
        for (const AccountFact& claim : s_.FindAccounts(system, account.key))
          Put(" claim ", claim.person->id);
      }
    }
    for (uint32_t i = 0; i < s_.program().constants.size(); ++i) {
      Put("\nconstant ", std::to_string(i));
      Follow(s_.constant(i));
    }
    for (uint32_t grant = 0; grant < s_.program().grants.size(); ++grant)
      Put(s_.ApproverOk(grant, now_) ? "\nentitled" : "\nnot entitled", "");
  }

  void Must(bool good) {
    if (!good) wrong_.append("after `").append(out_.substr(out_.rfind('\n') + 1)).append("`\n");
  }
  void Put(std::string_view what, std::string_view text) { out_.append(what).append(text); }

  // What a reference tells beyond its id.
  void Follow(const Value& value) {
    Put(" ", "");
    AppendValue(&out_, value, schema_);
    EachEntity(value, [this](const Entity* named) {
      const Entity& e = *s_.Latest(named);
      Must(!e.gone);
      Must(SameEntity(e, *named));
      Put(e.loaded ? "(loaded " : "(not loaded ", std::to_string(static_cast<int>(e.parent_state)));
      if (e.is_person) {
        Must(s_.FindPerson(e.id) == &e);
        Person(*named);
      } else {
        Must(s_.FindResource(e.type, e.id) == &e);
      }
      Put(")", "");
    });
  }
  template <class Each>
  void EachEntity(const Value& value, const Each& each) {
    if (value.kind == ValueKind::kPerson || value.kind == ValueKind::kResource) each(value.entity);
    if (value.kind != ValueKind::kSet && value.kind != ValueKind::kRecord) return;
    for (uint32_t i = 0; i < value.n; ++i) EachEntity(value.items[i], each);
  }

  // By reference, as conditions ask.
  void Person(const Entity& person) {
    for (uint32_t team = 0; team < schema_.teams.size(); ++team)
      Put(" ", std::to_string(static_cast<int>(s_.InTeam(person, team, now_))));
    for (const Entity* other : s_.Persons())
      Put("", std::to_string(static_cast<int>(s_.PersonIn(person, *other))));
    for (uint32_t role = 0; role < schema_.roles.size(); ++role) {
      Put(" ", std::to_string(static_cast<int>(s_.HoldsRole(person, role, nullptr, now_))));
      for (uint32_t type = 0; type < schema_.resources.size(); ++type) {
        for (const Entity* at : s_.Resources(type))
          Put("", std::to_string(static_cast<int>(s_.HoldsRole(person, role, at, now_))));
      }
    }
  }

  void Whole(const Entity& e) {
    Must(!e.gone);
    Must(s_.Latest(&e) == &e);
    Put(e.is_person ? "\nperson " : "\nresource ", e.id);
    Put(e.loaded ? " loaded" : " not loaded", "");
    Must(e.loaded == (e.attributes != nullptr));
    const size_t count = e.is_person ? schema_.person.attributes.size()
                                     : schema_.resources[e.type].attributes.size();
    for (size_t i = 0; e.attributes != nullptr && i < count; ++i) {
      if (e.attributes[i].kind == ValueKind::kUnset) {
        Put(" unset", "");
      } else {
        Follow(e.attributes[i]);
      }
    }
    Put(" parent ", std::to_string(static_cast<int>(e.parent_state)));
    if (e.parent_state == Entity::Parent::kKnown) Follow(Value::Of(ValueKind::kResource, e.parent));
    for (uint32_t type = 0; !e.is_person && type < schema_.resources.size(); ++type) {
      for (const Entity* other : s_.Resources(type))
        Put("", std::to_string(static_cast<int>(s_.ResourceIn(e, *other))));
    }
    if (!e.is_person) return;
    const PersonFacts& facts = *e.person;
    Put(" status ", std::to_string(static_cast<int>(facts.status)));
    Put(" left ", facts.left ? FormatInstant(*facts.left) : "never");
    Put(" literal ", std::to_string(facts.literal));
    for (const Membership& m : facts.teams)
      Put(" team ", std::to_string(m.team) + UntilText(m.until));
    for (const Holding& h : facts.roles) {
      Put(" role ", std::to_string(h.role) + UntilText(h.until));
      if (h.scope != nullptr) Put(" in ", h.scope->id);
    }
    for (const AccountFact& a : facts.accounts)
      Put(" account ", std::to_string(a.system) + std::string(a.key) + FormatInstant(a.checked));
    Person(e);
  }

  const Snapshot& s_;
  const Schema& schema_;
  const Instant now_;
  std::string out_, wrong_;
};

}  // namespace dpl
