// How a Snapshot is put together: the steps, in order, each in the file of its subject. Only this
// room includes it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/facts/tables.h"
#include "runtime/facts/typing.h"

namespace dpl {

// ---------------------------------------------------------------- steps that a patch takes, too

Error At(FactsInput::Where where, std::string code, std::string message);
std::string Described(const Schema& schema, const Entity& entity);  // `app.Project "P1"`
bool ReadPersonStatus(std::string_view text, PersonStatus* out);
Result<uint32_t> NamedResourceType(const Schema& schema, const FactTables& tables,
                                   std::string_view name, FactsInput::Where where);
// Types the fields of one record into its slots, all unset before.
Status FillAttributes(const Typing& typing, const std::vector<FactsInput::Field>& fields,
                      const std::vector<AttributeDef>& defs, std::string_view what,
                      FactsInput::Where where, Value* slots);
// Sets the parent of a resource whose attributes are filled.
Status FillParent(const Typing& typing, const FactsInput::Resource& input, Entity* resource);
// A role with all that it includes, itself first.
std::vector<std::vector<uint32_t>> RolesHeld(const Schema& schema);
// Until when the person named by each grant's `approved by` is entitled to. `facts_of` gives what
// is known of that person.
using FactsOfPerson = std::function<const PersonFacts&(const Entity&)>;
std::vector<FactTables::Approver> FindApprovers(const Program& program,
                                                const std::vector<Value>& constants,
                                                const FactsOfPerson& facts_of);

constexpr uint32_t kMostLevels = 16;
constexpr size_t kMostClosed = 50'000'000;  // memberships or holdings after closing: about 1 GB

// ---------------------------------------------------------------- all of them, in order

class SnapshotBuilder final : public EntitySource {
 public:
  using Where = FactsInput::Where;

  SnapshotBuilder(const Program& program, const FactsInput& input, FactTables* tables,
                  std::vector<Value>* constants)
      : program_(program),
        schema_(program.schema),
        input_(input),
        t_(*tables),
        constants_(*constants) {}

  Status Run();

  // Finds or makes; an entity made here has no record until one turns up.
  const Entity* Person(std::string_view id) override { return PersonEntity(id); }
  const Entity* Resource(uint32_t type, std::string_view id) override {
    return ResourceEntity(type, id);
  }

 private:
  // snapshot_names.cc: the program's own names, patterns and constants
  Status BuildNames();
  void AddNames(uint32_t space, const std::vector<std::string_view>& names);
  void ReserveNames();
  void AddRunsAs();
  Status LinkConstants();
  Result<Value> LinkConstant(const Constant& constant);
  void SortEntities();

  // snapshot_build.cc: persons, accounts, resources and their parents
  Status MakeRecords();
  Status FillPersons();
  Status FillPerson(const FactsInput::Person& input, Entity* person);
  Status CheckPersonTree();
  Status FillResources();
  Status FillResource(const FactsInput::Resource& input, Entity* resource);
  Status CheckParents();
  Status FillAccounts();

  // snapshot_members.cc: teams, roles, approvers
  Status BuildTeams();
  Status BuildMemberships();
  Status BuildHoldings();

  Entity* PersonEntity(std::string_view id);
  Entity* ResourceEntity(uint32_t type, std::string_view id);
  PersonFacts* FactsOf(const Entity& person);
  Result<Entity*> NamedPerson(std::string_view id, Where where);
  Result<uint32_t> NamedType(std::string_view name, Where where) const {
    return NamedResourceType(schema_, t_, name, where);
  }
  Error NoMemory() const { return Error{"facts.memory", "the facts do not fit into memory"}; }

  const Program& program_;
  const Schema& schema_;
  const FactsInput& input_;
  FactTables& t_;
  std::vector<Value>& constants_;
  std::vector<PersonFacts*> person_facts_;  // parallel to t_.persons
  std::vector<Where> resource_where_;       // parallel to t_.resources
  std::vector<Where> person_where_;         // parallel to t_.persons

  struct TeamMember {  // one closed membership, before it is handed to its person
    uint32_t person, team;
    Instant until;
  };
  std::vector<TeamMember> members_;  // by person, then team
  std::vector<TeamMember> members_by_team_;
};

}  // namespace dpl
