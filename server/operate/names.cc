// See names.h.
#include "server/operate/names.h"

#include <utility>

#include <sys/random.h>

#include "runtime/base/near_name.h"

namespace dpl {
namespace {

constexpr size_t kMostCompared = 200'000;  // names that a suggestion is looked for among

constexpr std::pair<RevokedKind, std::string_view> kKinds[] = {
    {RevokedKind::kPerson, "person"},
    {RevokedKind::kAccount, "account"},
    {RevokedKind::kAgent, "agent"},
    {RevokedKind::kInstance, "instance"},
    {RevokedKind::kTask, "task"},
    {RevokedKind::kGrant, "grant"},
    {RevokedKind::kDelegation, "delegation"},
    {RevokedKind::kApproval, "approval"},
    {RevokedKind::kPartner, "partner"},
    {RevokedKind::kBreakGlass, "break_glass"},
    {RevokedKind::kEverything, "everything"},
};
static_assert(std::size(kKinds) == kRevokedKinds);

std::string_view KindWord(StatementKind kind) {
  switch (kind) {
    case StatementKind::kGrant:
      return "grant";
    case StatementKind::kDelegation:
      return "delegation";
    case StatementKind::kTask:
      return "task";
    case StatementKind::kApproval:
      return "approval";
    case StatementKind::kBreakGlass:
      return "break_glass";
    case StatementKind::kPartner:
      return "partner";
    case StatementKind::kAgent:
      return "agent";
    default:
      return "statement";
  }
}

Name Known(std::string full, uint32_t index = kNone) {
  Name name;
  name.known = true;
  name.full = std::move(full);
  name.index = index;
  return name;
}

Name Unknown(std::string_view given, std::string problem, const std::vector<std::string>& among) {
  Name name;
  name.full = given;
  name.near = NearNames(given, among);
  name.problem = std::move(problem);
  if (std::string meant = DidYouMean(name.near); !meant.empty()) name.problem += "; " + meant;
  return name;
}

std::string NoSuch(std::string_view what, std::string_view name) {
  return "no " + std::string(what) + " is called `" + std::string(name) + "`";
}

std::vector<std::string> StatementNames(const Snapshot& snapshot, StatementKind kind) {
  const Program& program = snapshot.program();
  std::vector<std::string> names;
  for (const Statement& s : program.statements) {
    if (s.kind == kind && names.size() < kMostCompared) names.emplace_back(program.Text(s.name));
  }
  return names;
}

// The part before the first `separator`; `*rest` gets what follows. False: there is none.
bool Split(std::string_view text, char separator, std::string_view* first, std::string_view* rest) {
  size_t at = text.find(separator);
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
  *first = text.substr(0, at);
  *rest = text.substr(at + 1);
  return true;
}

Name FindAccountName(const Snapshot& snapshot, std::string_view name) {
  std::string_view system, key;
  if (!Split(name, ':', &system, &key))
    return Unknown(name, "an account is named `system:key`", {});
  const Schema& schema = snapshot.program().schema;
  uint32_t found = FindSystem(schema, system);
  if (found == kNone) {
    std::vector<std::string> systems;
    for (const SystemDef& def : schema.systems) systems.emplace_back(schema.Text(def.name));
    return Unknown(name, NoSuch("system", system), systems);
  }
  std::string full = RevokedName(schema.Text(schema.systems[found].name), key, ':');
  if (snapshot.FindAccounts(found, key).empty())
    return Unknown(full, "no account `" + std::string(key) + "` is known in that system", {});
  return Known(std::move(full));
}

// A run that has not acted yet may have handed work on already.
bool HandsOn(const StateStore& store, std::string_view agent, std::string_view instance) {
  return !store
              .ListHandoffs({.limit = 1},
                            [&](const HandoffRecord& h) {
                              return h.parent_agent == agent && h.parent_instance == instance;
                            })
              .items.empty();
}

Name FindInstanceName(const Snapshot& snapshot, const StateStore& store, std::string_view name) {
  // A runs-as id has slashes of its own: the longest first part that is an agent's name counts.
  for (size_t at = name.rfind('/'); at != std::string_view::npos && at != 0;
       at = name.rfind('/', at - 1)) {
    std::string_view instance = name.substr(at + 1);
    Name agent = FindAgentName(snapshot, name.substr(0, at));
    if (!agent.known || instance.empty()) continue;
    std::string full = RevokedName(agent.full, instance, '/');
    Instant born;
    bool bound = false;
    if (store.FindInstance(agent.full, instance, &born, &bound) ||
        store.HasParent(agent.full, instance) || HandsOn(store, agent.full, instance))
      return Known(std::move(full));
    return Unknown(full, "no instance `" + std::string(instance) + "` of that agent was seen", {});
  }
  return Unknown(name, "an instance is named `agent/instance`, and no agent is called that",
                 StatementNames(snapshot, StatementKind::kAgent));
}

Name FindPartnerName(const Snapshot& snapshot, std::string_view name) {
  Name whole = FindStatementName(snapshot, StatementKind::kPartner, name);
  std::string_view first, subject;
  if (whole.known || !Split(name, '/', &first, &subject)) return whole;
  Name partner = FindStatementName(snapshot, StatementKind::kPartner, first);
  // Who a partner's subjects are is known to the partner alone.
  if (partner.known) partner.full = RevokedName(partner.full, subject, '/');
  return partner;
}

}  // namespace

const char* const kRevokedKindWords =
    "person account agent instance task grant delegation approval partner break_glass everything";

bool FindRevokedKind(std::string_view word, RevokedKind* kind) {
  for (const auto& [known, text] : kKinds) {
    if (text != word) continue;
    *kind = known;
    return true;
  }
  return false;
}

std::string_view RevokedKindName(RevokedKind kind) {
  for (const auto& [known, text] : kKinds) {
    if (known == kind) return text;
  }
  return {};
}

Name FindPersonName(const Snapshot& snapshot, std::string_view id) {
  Result<std::string_view> plain = snapshot.CheckPersonId(id);
  const Entity* person = plain.ok() ? snapshot.FindPerson(*plain) : nullptr;
  if (person != nullptr && person->person != nullptr) return Known(std::string(person->id));
  std::vector<std::string> ids;
  for (const Entity* other : snapshot.Persons()) {
    if (other->person != nullptr && ids.size() < kMostCompared) ids.emplace_back(other->id);
  }
  return Unknown(id, "no person `" + std::string(id) + "` is known", ids);
}

Name FindAgentName(const Snapshot& snapshot, std::string_view name) {
  const Program& program = snapshot.program();
  uint32_t agent = snapshot.FindAgent(name);
  if (agent != kNone) {
    return Known(
        std::string(program.Text(program.statements[program.agent_statements[agent]].name)), agent);
  }
  return Unknown(name, NoSuch("agent", name), StatementNames(snapshot, StatementKind::kAgent));
}

Name FindStatementName(const Snapshot& snapshot, StatementKind kind, std::string_view name) {
  const Program& program = snapshot.program();
  uint32_t exact = snapshot.FindStatement(name);
  if (exact != kNone && program.statements[exact].kind == kind)
    return Known(std::string(name), exact);
  uint32_t found = kNone;
  bool several = false;
  for (uint32_t i = 0; i < program.statements.size(); ++i) {
    if (program.statements[i].kind != kind) continue;
    std::string_view full = program.Text(program.statements[i].name);
    if (full.size() <= name.size() || !full.ends_with(name) ||
        full[full.size() - name.size() - 1] != '.')
      continue;
    several = found != kNone;
    if (several) break;
    found = i;
  }
  if (several) {
    return Unknown(
        name, "several statements are called `" + std::string(name) + "`: give the qualified name",
        StatementNames(snapshot, kind));
  }
  if (found != kNone)
    return Known(std::string(program.Text(program.statements[found].name)), found);
  return Unknown(name, NoSuch(KindWord(kind), name), StatementNames(snapshot, kind));
}

Name FindRevocable(const Snapshot& snapshot, const StateStore& store, RevokedKind kind,
                   std::string_view name) {
  switch (kind) {
    case RevokedKind::kPerson:
      return FindPersonName(snapshot, name);
    case RevokedKind::kAccount:
      return FindAccountName(snapshot, name);
    case RevokedKind::kAgent:
      return FindAgentName(snapshot, name);
    case RevokedKind::kInstance:
      return FindInstanceName(snapshot, store, name);
    case RevokedKind::kTask:
      if (store.FindTask(name) != nullptr) return Known(std::string(name));
      return Unknown(name, NoSuch("task", name), {});
    case RevokedKind::kGrant:
      return FindStatementName(snapshot, StatementKind::kGrant, name);
    case RevokedKind::kDelegation:
      return FindStatementName(snapshot, StatementKind::kDelegation, name);
    case RevokedKind::kApproval:
      if (store.FindApproval(name) != nullptr) return Known(std::string(name));
      return FindStatementName(snapshot, StatementKind::kApproval, name);
    case RevokedKind::kPartner:
      return FindPartnerName(snapshot, name);
    case RevokedKind::kBreakGlass:
      return FindStatementName(snapshot, StatementKind::kBreakGlass, name);
    case RevokedKind::kEverything:
      break;
  }
  return Known({});
}

std::string WhyNotActing(const Snapshot& snapshot, const StateStore& store, std::string_view id,
                         std::optional<Instant> auth_time) {
  const Entity* person = snapshot.FindPerson(id);
  if (person == nullptr || person->person == nullptr)
    return "the person `" + std::string(id) + "` is not known";
  if (person->person->status != PersonStatus::kActive)
    return "the person `" + std::string(id) + "` is not active";
  if (store.AnyRevoked(RevokedKind::kPerson) &&
      store.IsRevoked(RevokedKind::kPerson, id, auth_time)) {
    return "the person `" + std::string(id) + "` is revoked, or signed in before a cut-off";
  }
  return {};
}

std::string NewId(std::string_view prefix) {
  static constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";
  uint8_t bytes[16];
  DPL_CHECK(getrandom(bytes, sizeof bytes, 0) == static_cast<ssize_t>(sizeof bytes));
  std::string id(prefix);
  for (uint8_t byte : bytes) id.push_back(kDigits[byte & 31]);
  return id;
}

}  // namespace dpl
