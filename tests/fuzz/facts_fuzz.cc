// Fuzzes the facts loader: any text gives a snapshot that answers every question, or a refusal with
// its place. What was taken is asked about all the persons and resources it names.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/facts/json_facts.h"
#include "tests/unit/facts/policy_for_test.h"

namespace dpl {
namespace {

std::shared_ptr<const Program> ThePolicy() {
  static const std::shared_ptr<const Program> program = [] {
    PolicyForTest policy;
    policy.Person("E1");
    policy.Resource(policy.folder, "A");
    policy.Grant("acme.g", policy.Person("E0500"), {policy.doc, policy.project});
    policy.AddAgent("acme.buyer", {"spiffe://acme.example/agent/buyer"});
    return policy.Finish();
  }();
  return program;
}

void Ask(const Snapshot& snapshot, const Entity& person, Instant now) {
  const Schema& schema = snapshot.program().schema;
  for (uint32_t team = 0; team < schema.teams.size(); ++team)
    (void)snapshot.InTeam(person, team, now);
  for (const Entity* project : snapshot.Resources(3)) {
    for (uint32_t role = 0; role < schema.roles.size(); ++role)
      (void)snapshot.HoldsRole(person, role, project, now);
  }
  for (const Entity* other : snapshot.Persons()) (void)snapshot.PersonIn(person, *other);
  DPL_CHECK(snapshot.FindPerson(person.id) == &person);
  DPL_CHECK(snapshot.CheckPersonId(person.id).ok());
}

void Run(std::string_view data) {
  Result<FactsInput> facts = ReadFactsJson(data, "facts.json");
  if (!facts.ok()) {
    DPL_CHECK(!facts.error().code.empty() && !facts.error().message.empty() &&
              facts.error().line != 0);
    return;
  }
  Instant now = At("2026-11-20T15:00Z");
  Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(ThePolicy(), *facts, now);
  if (!built.ok()) {
    DPL_CHECK(built.error().code.starts_with("facts.") && built.error().line != 0 &&
              built.error().column != 0);
    return;
  }
  const Snapshot& snapshot = **built;
  const Schema& schema = snapshot.program().schema;
  size_t asked = 0;
  for (const Entity* person : snapshot.Persons()) {
    if (++asked <= 8) Ask(snapshot, *person, now);
    for (const AccountFact& account : person->person->accounts) {
      DPL_CHECK(!snapshot.FindAccounts(account.system, account.key).empty());
    }
    for (size_t i = 0; person->attributes != nullptr && i < schema.person.attributes.size(); ++i) {
      std::string text;
      AppendValue(&text, person->attributes[i], schema);
    }
  }
  for (uint32_t type = 0; type < schema.resources.size(); ++type) {
    for (const Entity* resource : snapshot.Resources(type)) {
      DPL_CHECK(snapshot.FindResource(type, resource->id) == resource);
      DPL_CHECK(snapshot.CheckResourceId(type, resource->id).ok());
      DPL_CHECK(snapshot.ResourceIn(*resource, *resource) == Truth::kTrue);
      for (size_t i = 0;
           resource->attributes != nullptr && i < schema.resources[type].attributes.size(); ++i) {
        std::string text;
        AppendValue(&text, resource->attributes[i], schema);
      }
    }
  }
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
