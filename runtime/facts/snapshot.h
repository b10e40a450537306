// A policy set joined with the facts of one moment: immutable, swapped whole, shared by every
// thread without a lock.
//
//   Result<FactsInput> facts = ReadFactsJson(text, name);  // json_facts.h
//   Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, facts.value(), now);
//
// Build() types every fact against the schema and refuses the whole input with a located error
// otherwise. What it points to lives as long as the Snapshot. Nothing here changes after Build.
//
// A decision lays what the caller says over a fact by copying the Entity and its attributes into
// its arena: fill only slots that are kUnset, mark them kFromRequest, keep `loaded`, `person` and
// the parent unless the fact has none; such a copy has no slot. So two Entity objects may be the
// same thing: compare them with SameEntity(), never by address. Look-ups take no lock and no heap.
//
// Facts change by little (patch.h): a snapshot then shares everything with the one before but the
// records that are new. A reference (an attribute's value, a parent, a constant, an account's
// person) may lead to a record of before: whoever reads more of it than its id and type asks for
// Latest() first.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/arena.h"
#include "runtime/base/instant.h"
#include "runtime/base/result.h"
#include "runtime/base/wire.h"
#include "runtime/bytecode/program.h"
#include "runtime/facts/text_index.h"
#include "runtime/facts/value.h"

namespace dpl {

// ---------------------------------------------------------------- input
// Facts before typing. Values are WireValues (money "5.00 USD", enum "emea", reference "id" or
// {"type","id"}, dates as text …) living in `arena`. Every record may carry line/column for errors
// (0: unknown). Documented in docs/facts.md.
struct FactsInput {
  struct Where {
    uint32_t line = 0, column = 0;
  };
  struct Field {
    std::string name;
    WireValue value;
  };
  struct Person {
    std::string id;
    std::vector<Field> fields;
    std::string status = "active";
    std::optional<Instant> left;
    Where where;
  };
  struct Member {
    bool is_team = false;
    std::string id;
    std::optional<Instant> until;
    Where where;
  };
  struct Members {
    bool is_role = false;
    std::string name;
    std::string scope_type, scope_id;
    std::vector<Member> members;
    Where where;
  };
  struct Account {
    std::string system, key, person;
    Instant checked;
    std::string evidence;
    Where where;
  };
  struct Resource {
    std::string type, id;
    std::string parent_type, parent_id;
    std::vector<Field> fields;
    bool loaded = true;
    Where where;
  };
  // State seeds: put into the StateStore by SeedState (runtime/state/seed.h), not part of the
  // snapshot.
  struct Consent {
    std::string delegation, person;
    Instant at;
    bool whole_day = false;
    Where where;
  };
  struct Task {
    std::string id, shape, agent, person;
    std::string deputy;  // the person who does it for `person`, in place of an agent
    std::vector<Field> args;
    std::optional<Instant> opened, expires;
    Where where;
  };
  struct Handoff {
    std::string parent_agent, parent_instance, child_agent, child_instance, task;
    std::string parent_person;  // who started the child, in place of a parent agent
    Where where;
  };
  struct Used {
    std::string limit;
    WireValue quantity;
    std::string person;
    Where where;
  };

  std::string name;              // file name, for messages and versions
  std::string version;           // given by the producer, else the digest of the text
  std::optional<Instant> as_of;  // when the feeds were read; absent: fresh at Build
  bool has_persons = true, has_memberships = true, has_accounts = true,
       has_resources = true;  // false: that feed is not loaded
  std::vector<Person> persons;
  std::vector<Members> members;
  std::vector<Account> accounts;
  std::vector<Resource> resources;
  std::vector<Consent> consents;
  std::vector<Task> tasks;
  std::vector<Handoff> handoffs;
  std::vector<Used> used;
  std::shared_ptr<Arena> arena;  // owns the WireValues
};
// The name and the seeds alone, in an arena of their own: what is worth keeping once a snapshot is
// built.
FactsInput SeedsOnly(const FactsInput& facts);

// ---------------------------------------------------------------- facts
enum class PersonStatus : uint8_t { kActive, kSuspended, kLeft };

struct Membership {
  uint32_t team = kNone;
  Instant until;
};  // closed over nested teams
struct Holding {
  uint32_t role = kNone;
  const Entity* scope = nullptr;
  Instant until;
};  // closed over `includes` and member teams
struct AccountFact {
  uint32_t system = kNone;
  std::string_view key;
  const Entity* person = nullptr;
  Instant checked;
};

struct PersonFacts {
  PersonStatus status = PersonStatus::kActive;
  std::optional<Instant> left;
  std::span<const Membership> teams;      // sorted by team; latest `until` of each
  std::span<const Holding> roles;         // sorted by role
  std::span<const AccountFact> accounts;  // sorted by system, then key
  uint32_t literal = kNone;  // the constant of `person "…"` in the program that names this person
};

// A person or a resource. An id that policy or another fact names without a record of its own has
// `loaded` false. The value of an attribute is: its slot; else ⊥stale while its feed is not loaded;
// else its default, when `loaded`, `from request` or about to be made; else `absent` when optional;
// else the empty set when it is a set and `loaded`;
// else ⊥missing. A persons feed that is stale or not loaded makes every attribute of a person
// ⊥stale.
struct Entity {
  bool is_person = false;
  bool loaded = false;
  uint32_t type = kNone;  // resource type
  std::string_view id;
  const Value* attributes = nullptr;  // schema order, kUnset where no fact; null when not loaded
  enum class Parent : uint8_t { kNoFact, kRoot, kKnown } parent_state = Parent::kNoFact;
  bool gone = false;                    // neither facts nor policy name it any more
  uint32_t slot = kNone;                // of its record in the tables; kNone: made for a request
  const Entity* parent = nullptr;       // kKnown
  const PersonFacts* person = nullptr;  // persons only; null: nothing at all is known of them
};
inline bool SameEntity(const Entity& a, const Entity& b) {
  return &a == &b || (a.is_person == b.is_person && a.type == b.type && a.id == b.id);
}

struct FactOverlay;

class Snapshot {
 public:
  // Joins `program` (verified) with facts. `built_at` stands in for a missing as_of. Errors (code
  // "facts.…") carry line and column in input.name where those are known.
  static Result<std::unique_ptr<Snapshot>> Build(std::shared_ptr<const Program> program,
                                                 const FactsInput& input, Instant built_at);
  // The same facts, known to be so at another instant and under another version: what a feed says
  // when nothing has changed. Shares everything with `from`.
  static std::unique_ptr<Snapshot> Renewed(const Snapshot& from, std::string version,
                                           Instant as_of);
  ~Snapshot();

  const Program& program() const { return *program_; }
  const std::shared_ptr<const Program>& shared_program() const { return program_; }
  std::string_view facts_version() const { return facts_version_; }
  std::string_view facts_name() const { return facts_name_; }
  Instant as_of() const { return as_of_; }

  // Constants of the program as values: entities linked, sets built. Same index as
  // Program::constants.
  const Value& constant(uint32_t i) const { return (*constants_)[i]; }

  // What this snapshot knows of the thing a reference leads to.
  const Entity* Latest(const Entity* entity) const {
    return overlay_ == nullptr || entity->slot == kNone ? entity : LatestOf(entity);
  }

  const Entity* FindPerson(std::string_view id) const;  // null: no such person known at all
  const Entity* FindResource(uint32_t type,
                             std::string_view id) const;  // null: neither facts nor policy name it
  // Accounts of this key in a system: more than one distinct person means the fragment is
  // ambiguous.
  std::span<const AccountFact> FindAccounts(uint32_t system, std::string_view key) const;

  // Wire names.
  uint32_t ResourceTypeOfWire(std::string_view wire) const;  // kNone: unknown
  bool IsPersonWire(std::string_view wire) const;
  uint32_t ActionOfWire(uint32_t type, std::string_view wire) const;
  // An agent by qualified name, by short name when unique, or by a runs-as id (a spiffe id covers
  // the ids beneath it).
  uint32_t FindAgent(std::string_view name) const;           // Program::agents, kNone
  uint32_t FindStatement(std::string_view qualified) const;  // kNone

  // What the look-ups of one request's person, resource and first agent will read, brought into the
  // cache before they are made (runtime/decide/ahead.h says when). A step each; between two of them
  // memory has time to answer. Of what a patch has changed nothing is fetched.
  struct Fetch {
    TextIndex::Begun person, resource, agent, runs_as;
    uint32_t person_slot = kNone, agent_index = kNone;
    const Entity* entity = nullptr;
    uint64_t agent_hash = 0;  // KeyedHash of the agent's name, once it is known
  };
  void FetchNames(Fetch* fetch, std::string_view person, std::string_view agent) const;
  void FetchEntries(Fetch* fetch) const;
  void FetchTexts(Fetch* fetch) const;
  void FetchRecords(Fetch* fetch) const;
  // Whether there is so much of anything that it does not stay in the cache by itself.
  bool Large() const;

  // Freshness of a feed at `now`: false when it is not loaded or older than the schema's `source …
  // within`.
  bool PersonsFresh(Instant now) const;
  bool PersonsLoaded() const { return has_persons_; }
  bool MembershipsFresh(Instant now) const;
  bool AccountsLoaded() const { return has_accounts_; }
  bool ResourcesLoaded() const { return has_resources_; }

  // kError: the membership feed is unloaded or stale. A membership ends at its `until`.
  Truth InTeam(const Entity& person, uint32_t team, Instant now) const;
  // `at`: the request's resource (null: none): a scoped holding counts when the resource is its
  // object or lies within it. Computed roles are not decided here: the compiler inlines their
  // condition.
  Truth HoldsRole(const Entity& person, uint32_t role, const Entity* at, Instant now,
                  ErrorKind* error = nullptr) const;
  // Reflexive, over `within team` of the policy and teams that facts make members of teams.
  Truth TeamInTeam(uint32_t inner, uint32_t outer, Instant now) const;
  // Containment over recorded parents, reflexive, transitive, at most 16 levels; kError: a level
  // has no parent fact, or too deep.
  Truth ResourceIn(const Entity& inner, const Entity& outer) const;
  // `inner` and all it lies within, innermost first; how many. *known: no level is missing, so that
  // ResourceIn is T for these and F for every other.
  static constexpr size_t kMostAbove = 17;
  size_t Above(const Entity& inner, std::array<const Entity*, kMostAbove>* out, bool* known) const;
  Truth PersonIn(const Entity& inner,
                 const Entity& outer) const;  // over `within` attributes of Person

  // Whether a grant's `approved by` person is entitled to approve it: owns or belongs to the owning
  // team of every type it reaches. True for a grant without one.
  bool ApproverOk(uint32_t grant, Instant now) const;

  // An id in canonical form (a view of `id`; a path key loses one trailing "/"): UTF-8 in NFC, not
  // empty, no control or invisible characters; for resources also the key's path form, `fold ascii`
  // and pattern. Anything else is refused, never repaired. Codes: id.empty, id.size, id.text,
  // id.form.
  Result<std::string_view> CheckPersonId(std::string_view id) const;
  Result<std::string_view> CheckResourceId(uint32_t type, std::string_view id) const;

  // Types a value as the schema says (used for facts, request parameters, attributes and task
  // arguments). Memory from `arena`. Error code "type" with a message naming what was expected.
  Result<Value> TypeValue(const WireValue& wire, TypeId type, Arena* arena) const;

  // Every person and every resource of a type, in id order (search, governance questions, tests).
  std::span<const Entity* const> Persons() const;
  std::span<const Entity* const> Resources(uint32_t type) const;
  // Every account of a system, by key, then person.
  std::span<const AccountFact> Accounts(uint32_t system) const;

 private:
  friend class SnapshotBuilder;
  friend class FactsPatcher;
  friend class FactsPatch;
  Snapshot();
  const Entity* LatestOf(const Entity* entity) const;
  std::shared_ptr<const Program> program_;
  std::string facts_version_, facts_name_;
  Instant as_of_{};
  bool has_persons_ = true, has_memberships_ = true, has_accounts_ = true, has_resources_ = true;
  std::shared_ptr<const std::vector<Value>> constants_;
  struct Tables;
  std::shared_ptr<Tables> tables_;
  std::shared_ptr<const FactOverlay> overlay_;  // null: nothing was pushed since the tables
};

}  // namespace dpl
