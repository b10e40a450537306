// Statements, clauses and limits: every reference of the right kind, every clause where it belongs,
// nothing hidden.
//
// Subject keys. The index finds a clause through its keys only, so a hostile bundle could try to
// hide a forbid from every request by giving it a key that no request has. The proof of each
// subject code (verify_code.cc) therefore also computes its cover: a set of keys of which a request
// must have one for the code to give anything but F. Here is said what that cover is compared with:
//   - what adds (grants): the keys hold the cover, or kAny. A clause that is missed adds nothing;
//   but a grant's limits bind
//     even where the grant itself errs, which is why readers try every item while memberships
//     cannot be told (index.cc).
//   - what restricts (forbid, limit, obligation, separate): kAny. It bites on ⊥ too, and ⊥ comes
//   from memberships that
//     nobody can look up. Only a clause for agents alone may have their keys: the chain of a
//     request is always known.
//   - ceilings, delegations and tasks are looked up by the agent or the task they belong to:
//   exactly those keys.
#include <algorithm>

#include "runtime/base/instant.h"
#include "runtime/bytecode/verify_parts.h"

namespace dpl::verify {
namespace {

constexpr const char* kIndex = "bundle.index";
constexpr const char* kBad = "bundle.statement";
constexpr uint32_t kMaxPartnerHops = 8;
constexpr size_t kMaxPerLimit = 16;  // keys or tiers
constexpr size_t kMaxDuties = 16;    // of one statement

bool IsRestricting(ClauseRole role) {
  return role == ClauseRole::kLimitCovers || role == ClauseRole::kForbidCovers ||
         role == ClauseRole::kObligationCovers || role == ClauseRole::kSeparateA ||
         role == ClauseRole::kSeparateB;
}

bool RoleFits(StatementKind kind, ClauseRole role) {
  switch (kind) {
    case StatementKind::kGrant:
      return role == ClauseRole::kGrantMay;
    case StatementKind::kLimit:
      return role == ClauseRole::kLimitCovers;
    case StatementKind::kForbid:
      return role == ClauseRole::kForbidCovers;
    case StatementKind::kAgent:
      return role == ClauseRole::kAgentMay;
    case StatementKind::kDelegation:
      return role == ClauseRole::kDelegationMay;
    case StatementKind::kTask:
      return role == ClauseRole::kTaskMay;
    case StatementKind::kObligation:
      return role == ClauseRole::kObligationCovers;
    case StatementKind::kSeparate:
      return role == ClauseRole::kSeparateA || role == ClauseRole::kSeparateB;
    case StatementKind::kBreakGlass:
      return role == ClauseRole::kBreakGlassMay;
    case StatementKind::kPartner:
      return role == ClauseRole::kPartnerMay;
    default:
      return false;
  }
}

class StatementCheck {
 public:
  StatementCheck(const Program& program, std::vector<CodeUse>* uses)
      : p_(program), s_(program.schema), uses_(*uses), work_(program) {}

  Status Run() {
    DPL_RETURN_IF_ERROR(Sizes());
    for (uint32_t r = 0; r < s_.roles.size(); ++r) RoleUse(r);
    for (uint32_t s = 0; s < p_.statements.size(); ++s) {
      DPL_RETURN_IF_ERROR(Common(s));
      DPL_RETURN_IF_ERROR(Belonging(s));
    }
    DPL_NEED(clauses_seen_ == p_.clauses.size(), kBad, "a clause belongs to no statement");
    DPL_NEED(limits_seen_ == p_.limits.size(), kBad, "a limit belongs to no statement");
    DPL_RETURN_IF_ERROR(Details());
    for (uint32_t c = 0; c < p_.clauses.size(); ++c) DPL_RETURN_IF_ERROR(OneClause(c));
    for (uint32_t l = 0; l < p_.limits.size(); ++l) DPL_RETURN_IF_ERROR(OneLimit(l));
    DPL_NEED(IsAcyclic(p_.statements.size(),
                       [&](uint32_t s) -> const std::vector<uint32_t>& { return Supersedes(s); }),
             "bundle.cycle", "grants supersede each other in a circle");
    return IndexSize();
  }

 private:
  bool Text(Str x) const { return x < s_.strings.size(); }
  bool Code(uint32_t x) const { return x == kNone || x < p_.codes.size(); }
  bool IsPerson(uint32_t x) const {
    return x < p_.constants.size() && p_.constants[x].kind == Constant::Kind::kPerson;
  }
  static bool AllBelow(const std::vector<uint32_t>& list, size_t limit) {
    return std::all_of(list.begin(), list.end(), [&](uint32_t x) { return x < limit; });
  }
  std::string Name(uint32_t s) const { return std::string(s_.Text(p_.statements[s].name)); }

  void Use(uint32_t code, std::string what, uint32_t statement, CodeUse use = {}) {
    if (code == kNone) return;
    use.code = code;
    use.what = std::move(what);
    use.statement = statement;
    if (statement != kNone) {
      const Statement& of = p_.statements[statement];
      if (of.kind == StatementKind::kTask) use.task = of.detail;
      if (of.kind == StatementKind::kDelegation)
        use.tasks = &p_.delegations[of.detail].only_in_tasks;
    }
    uses_.push_back(std::move(use));
  }

  // The type all clauses of a statement agree on; of the clauses with this role when one is given.
  uint32_t OnlyType(uint32_t statement, int role = -1) const {
    uint32_t type = kNone;
    for (uint32_t c : p_.statements[statement].clauses) {
      if (role >= 0 && static_cast<int>(p_.clauses[c].role) != role) continue;
      if (type != kNone && p_.clauses[c].type != type) return kNone;
      type = p_.clauses[c].type;
    }
    return type;
  }

  void RoleUse(uint32_t r) {
    const RoleDef& role = s_.roles[r];
    CodeUse use;
    if (!role.scopes.empty()) use.type = *std::min_element(role.scopes.begin(), role.scopes.end());
    Use(role.where_code, fmt::format("role {} where", s_.Text(role.name)), kNone, use);
  }

  Status Sizes() {
    DPL_NEED(p_.grants.size() + p_.limit_blocks.size() + p_.forbids.size() + p_.agents.size() +
                     p_.delegations.size() + p_.tasks.size() + p_.approvals.size() +
                     p_.obligations.size() + p_.separates.size() + p_.break_glasses.size() +
                     p_.partners.size() ==
                 p_.statements.size(),
             kBad, "statements and what they say are not the same number");
    uint64_t entries = 0;
    for (const ResourceDef& resource : s_.resources) entries += resource.actions.size();
    DPL_NEED(entries <= kMaxIndexEntries, "bundle.size", "there are more than {} actions",
             kMaxIndexEntries);
    return Status::Ok();
  }

  Status Common(uint32_t i) {
    const Statement& s = p_.statements[i];
    DPL_NEED(s.name != 0 && Text(s.name) && Text(s.because) && Text(s.ticket) && Text(s.doc) &&
                 Text(s.imported_from),
             kIndex, "statement {}: a text is not there", i);
    if (i > 0) {
      const Statement& before = p_.statements[i - 1];
      bool rising =
          before.kind < s.kind || (before.kind == s.kind && s_.Text(before.name) < s_.Text(s.name));
      DPL_NEED(rising, "bundle.order", "statement {} is not in the order of kinds and names",
               Name(i));
    }
    DPL_NEED(s.package < s_.packages.size() && s.zone < s_.zones.size(), kIndex,
             "statement {}: its package or zone is not there", Name(i));
    bool owner =
        s.owner.team < s_.teams.size() || (s.owner.team == kNone && IsPerson(s.owner.person));
    DPL_NEED(owner, kBad, "statement {} has no owner", Name(i));
    bool needs_because = (s.kind == StatementKind::kGrant && !s.imported) ||
                         s.kind == StatementKind::kLimit || s.kind == StatementKind::kForbid ||
                         s.kind == StatementKind::kDelegation ||
                         s.kind == StatementKind::kObligation ||
                         s.kind == StatementKind::kBreakGlass || s.kind == StatementKind::kPartner;
    DPL_NEED(!needs_because || s.because != 0, kBad, "statement {} has no because", Name(i));
    auto instant = [](int64_t us, int64_t unset) {
      return us == unset || (us >= kMinInstant.us && us <= kMaxInstant.us);
    };
    DPL_NEED(instant(s.granted_us, INT64_MIN) && instant(s.expires_us, INT64_MAX) &&
                 instant(s.reviewed_us, INT64_MIN) && IsSpanOfTime(s.review_every_us),
             "bundle.value", "statement {}: a date is out of range", Name(i));
    return Status::Ok();
  }

  // Clauses and limits are listed by exactly the statement they name, in ascending order.
  Status Belonging(uint32_t i) {
    const Statement& s = p_.statements[i];
    for (size_t k = 0; k < s.clauses.size(); ++k) {
      uint32_t c = s.clauses[k];
      DPL_NEED(c < p_.clauses.size() && p_.clauses[c].statement == i, kBad,
               "statement {} lists a clause that is not its own", Name(i));
      DPL_NEED(k == 0 || s.clauses[k - 1] < c, "bundle.order",
               "statement {}: clauses are not in order", Name(i));
      DPL_NEED(RoleFits(s.kind, p_.clauses[c].role), kBad,
               "statement {}: a clause of another kind of statement", Name(i));
      DPL_NEED(p_.clauses[c].type < s_.resources.size(), kIndex, "clause {}: no such resource type",
               c);
    }
    bool may_limit = s.kind == StatementKind::kGrant || s.kind == StatementKind::kLimit ||
                     s.kind == StatementKind::kAgent || s.kind == StatementKind::kDelegation ||
                     s.kind == StatementKind::kTask || s.kind == StatementKind::kPartner;
    DPL_NEED(may_limit || s.limits.empty(), kBad, "statement {} cannot have a limit", Name(i));
    for (size_t k = 0; k < s.limits.size(); ++k) {
      uint32_t l = s.limits[k];
      DPL_NEED(l < p_.limits.size() && p_.limits[l].statement == i, kBad,
               "statement {} lists a limit that is not its own", Name(i));
      DPL_NEED(k == 0 || s.limits[k - 1] < l, "bundle.order",
               "statement {}: limits are not in order", Name(i));
    }
    only_type_.push_back(OnlyType(i));
    clauses_seen_ += s.clauses.size();
    limits_seen_ += s.limits.size();
    return Status::Ok();
  }

  // ---- what each kind adds. The n-th statement of a kind has the n-th detail.
  Status Details() {
    std::vector<uint32_t> next(kStatementKinds, 0);
    for (uint32_t i = 0; i < p_.statements.size(); ++i) {
      const Statement& s = p_.statements[i];
      DPL_NEED(s.detail == next[static_cast<size_t>(s.kind)]++, kBad,
               "statement {}: its detail is another statement's", Name(i));
      switch (s.kind) {
        case StatementKind::kGrant:
          DPL_NEED(s.detail < p_.grants.size(), kIndex, "grant {}: no such detail", Name(i));
          DPL_RETURN_IF_ERROR(OneGrant(p_.grants[s.detail], i));
          break;
        case StatementKind::kLimit:
          DPL_NEED(s.detail < p_.limit_blocks.size() && p_.limit_blocks[s.detail].reserved == 0,
                   kIndex, "limit {}: no such detail", Name(i));
          break;
        case StatementKind::kForbid:
          DPL_NEED(s.detail < p_.forbids.size(), kIndex, "forbid {}: no such detail", Name(i));
          DPL_RETURN_IF_ERROR(OneForbid(p_.forbids[s.detail], i));
          break;
        case StatementKind::kAgent:
          DPL_NEED(s.detail < p_.agents.size(), kIndex, "agent {}: no such detail", Name(i));
          DPL_RETURN_IF_ERROR(OneAgent(p_.agents[s.detail], i));
          break;
        case StatementKind::kDelegation:
          DPL_NEED(s.detail < p_.delegations.size(), kIndex, "delegation {}: no such detail",
                   Name(i));
          DPL_RETURN_IF_ERROR(OneDelegation(p_.delegations[s.detail], i));
          break;
        case StatementKind::kTask:
          DPL_NEED(s.detail < p_.tasks.size(), kIndex, "task {}: no such detail", Name(i));
          DPL_RETURN_IF_ERROR(OneTask(p_.tasks[s.detail], i));
          break;
        case StatementKind::kApproval:
          DPL_NEED(s.detail < p_.approvals.size(), kIndex, "approval {}: no such detail", Name(i));
          DPL_RETURN_IF_ERROR(OneApproval(p_.approvals[s.detail], i));
          break;
        case StatementKind::kSeparate:
          DPL_NEED(s.detail < p_.separates.size(), kIndex, "separate {}: no such detail", Name(i));
          DPL_RETURN_IF_ERROR(OneSeparate(p_.separates[s.detail], i));
          break;
        case StatementKind::kPartner:
          DPL_NEED(s.detail < p_.partners.size(), kIndex, "partner {}: no such detail", Name(i));
          DPL_RETURN_IF_ERROR(OnePartner(p_.partners[s.detail], i));
          break;
        case StatementKind::kObligation:
          DPL_NEED(s.detail < p_.obligations.size(), kIndex, "obligation {}: no such detail",
                   Name(i));
          DPL_RETURN_IF_ERROR(OneObligation(p_.obligations[s.detail], i));
          break;
        case StatementKind::kBreakGlass:
          DPL_NEED(s.detail < p_.break_glasses.size(), kIndex, "break_glass {}: no such detail",
                   Name(i));
          DPL_RETURN_IF_ERROR(OneBreakGlass(p_.break_glasses[s.detail], i));
          break;
      }
    }
    return Status::Ok();
  }

  const std::vector<uint32_t>& Supersedes(uint32_t s) const {
    static const std::vector<uint32_t> kEmpty;
    const Statement& statement = p_.statements[s];
    return statement.kind == StatementKind::kGrant ? p_.grants[statement.detail].supersedes
                                                   : kEmpty;
  }

  Status OneGrant(const Grant& grant, uint32_t i) {
    DPL_NEED(grant.approved_by == kNone || IsPerson(grant.approved_by), kIndex,
             "grant {}: its approver is no person", Name(i));
    for (uint32_t other : grant.supersedes) {
      DPL_NEED(other < p_.statements.size() && p_.statements[other].kind == StatementKind::kGrant,
               kIndex, "grant {} supersedes something that is no grant", Name(i));
    }
    return Status::Ok();
  }

  Status OneForbid(const Forbid& forbid, uint32_t i) {
    DPL_NEED(Code(forbid.unless_code) && Text(forbid.unless_text), kIndex,
             "forbid {}: its unless is not there", Name(i));
    Use(forbid.unless_code, "forbid " + Name(i) + " unless", i, {.type = OnlyType(i)});
    return Status::Ok();
  }

  Status OneAgent(const Agent& agent, uint32_t i) {
    DPL_NEED(IsPerson(agent.accountable), kBad, "agent {} has no accountable person", Name(i));
    DPL_NEED(agent.accountable_else == kNone || agent.accountable_else < s_.teams.size(), kIndex,
             "agent {}: no such team", Name(i));
    DPL_NEED(Text(agent.purpose) && AllBelow(agent.runs_as, s_.strings.size()), kIndex,
             "agent {}: a text is not there", Name(i));
    DPL_NEED(agent.modes != 0 && agent.modes <= 7, kBad, "agent {} has no mode", Name(i));
    DPL_NEED(agent.modes == kModeStanding || (agent.modes & kModeStanding) == 0, kBad,
             "agent {}: standing is not alone", Name(i));
    DPL_NEED(IsSpanOfTime(agent.attested_within_us) && IsSpanOfTime(agent.lives_us) &&
                 IsSpanOfTime(agent.instances_window_us),
             "bundle.value", "agent {}: a span of time is out of range", Name(i));
    return Status::Ok();
  }

  Status OneDelegation(const Delegation& d, uint32_t i) {
    DPL_NEED(d.from_code < p_.codes.size() && Text(d.from_text), kBad,
             "delegation {} does not say who lends", Name(i));
    DPL_RETURN_IF_ERROR(Keys(d.from_keys, "delegation " + Name(i)));
    DPL_NEED(d.to_agents.empty() != (d.to_code == kNone) && Code(d.to_code) && Text(d.to_text),
             kBad, "delegation {} is to agents or to people, one of them", Name(i));
    DPL_NEED(AllBelow(d.to_agents, p_.agents.size()), kIndex, "delegation {}: no such agent",
             Name(i));
    DPL_NEED(d.to_code == kNone || d.modes == kModeOnBehalfOf, kBad,
             "delegation {}: people act for each other on behalf of one another only", Name(i));
    DPL_NEED(
        AllBelow(d.only_in_tasks, p_.tasks.size()) && AllBelow(d.onward_agents, p_.agents.size()),
        kIndex, "delegation {} refers to something that is not there", Name(i));
    DPL_NEED(d.modes != 0 && d.modes <= 7, kBad, "delegation {} has no mode", Name(i));
    DPL_NEED(IsSpanOfTime(d.consent_every_us) && IsSpanOfTime(d.lasts_us), "bundle.value",
             "delegation {}: a span of time is out of range", Name(i));
    DPL_NEED((d.consent == ConsentKind::kEvery) == (d.consent_every_us > 0), kBad,
             "delegation {}: its consent is not well-formed", Name(i));
    DPL_NEED(std::is_sorted(d.reach.begin(), d.reach.end()), "bundle.order",
             "delegation {}: its reach is not in order", Name(i));
    Use(d.from_code, "delegation " + Name(i) + " from", i, {.type = kNone, .keys = &d.from_keys});
    Use(d.to_code, "delegation " + Name(i) + " to", i, {.type = kNone});
    return Status::Ok();
  }

  Status OneTask(const Task& task, uint32_t i) {
    DPL_NEED(task.params.size() <= kMaxParams, "bundle.size", "task {} has more than {} parameters",
             Name(i), kMaxParams);
    for (const TaskParam& param : task.params) {
      DPL_NEED(param.name != 0 && Text(param.name) && param.type < s_.types.size(), kIndex,
               "task {}: a parameter is not well-formed", Name(i));
    }
    DPL_NEED(AllBelow(task.agents, p_.agents.size()), kIndex, "task {}: no such agent", Name(i));
    DPL_NEED(IsSpanOfTime(task.lasts_us), "bundle.value", "task {}: a span of time is out of range",
             Name(i));
    return Status::Ok();
  }

  Status OneApproval(const Approval& approval, uint32_t i) {
    DPL_NEED(!approval.by.empty(), kBad, "approval {} says nobody may give it", Name(i));
    for (const Approval::By& by : approval.by) {
      DPL_NEED(Code(by.subject_code) && Text(by.text), kIndex,
               "approval {}: an approver is not there", Name(i));
      DPL_NEED(by.count >= 1 && by.parties <= 15 && (by.subject_code != kNone || by.parties != 0),
               kBad, "approval {} says nobody may give it", Name(i));
      Use(by.subject_code, "approval " + Name(i) + " by", kNone);
    }
    DPL_NEED(approval.never_by <= 15 && approval.good_for >= 1 && Text(approval.signs) &&
                 IsSpanOfTime(approval.within_us) && IsSpanOfTime(approval.good_within_us),
             "bundle.value", "approval {}: a value is out of range", Name(i));
    return Status::Ok();
  }

  Status OnePartner(const Partner& partner, uint32_t i) {
    DPL_NEED(partner.issuer != 0 && Text(partner.issuer), kBad, "partner {} has no issuer",
             Name(i));
    for (uint32_t other = 0; other < p_.partners.size() && &p_.partners[other] != &partner;
         ++other) {
      DPL_NEED(s_.Text(p_.partners[other].issuer) != s_.Text(partner.issuer), kBad,
               "partner {}: its issuer is another partner's too", Name(i));
    }
    DPL_NEED(
        partner.accepts_agents == (partner.max_hops != 0) && partner.max_hops <= kMaxPartnerHops,
        kBad, "partner {}: the hops of its agents are out of range", Name(i));
    DPL_NEED(p_.statements[i].expires_us != INT64_MAX, kBad, "partner {} never expires", Name(i));
    return Status::Ok();
  }

  Status OneSeparate(const Separate& separate, uint32_t i) {
    bool by_role = separate.role_a != kNone;
    DPL_NEED(
        by_role == (separate.role_b != kNone) && (!by_role || separate.role_a != separate.role_b),
        kBad, "separate {} does not name two roles", Name(i));
    DPL_NEED(!by_role || (separate.role_a < s_.roles.size() && separate.role_b < s_.roles.size()),
             kIndex, "separate {}: no such role", Name(i));
    DPL_NEED(!by_role || (separate.by_code_a == kNone && separate.by_code_b == kNone &&
                          separate.within_us == 0),
             kBad, "separate {} is by role and by act at once", Name(i));
    DPL_NEED(
        IsSpanOfTime(separate.within_us) && Code(separate.by_code_a) && Code(separate.by_code_b),
        kIndex, "separate {} is not well-formed", Name(i));
    Use(separate.by_code_a, "separate " + Name(i) + " by", i,
        {.result = CodeUse::Result::kKey,
         .type = OnlyType(i, static_cast<int>(ClauseRole::kSeparateA))});
    Use(separate.by_code_b, "separate " + Name(i) + " by", i,
        {.result = CodeUse::Result::kKey,
         .type = OnlyType(i, static_cast<int>(ClauseRole::kSeparateB))});
    return Status::Ok();
  }

  bool IsOwner(const OwnerDef& owner) const {
    return owner.team < s_.teams.size() || (owner.team == kNone && IsPerson(owner.person));
  }

  Status OneDuty(const Duty& duty, const std::string& what) {
    bool text = duty.kind == DutyKind::kStepUp || duty.kind == DutyKind::kSign;
    DPL_NEED(Text(duty.text) && (duty.text != 0) == text, kBad, "{}: a duty without its text",
             what);
    DPL_NEED(AllBelow(duty.fields, s_.strings.size()) &&
                 std::find(duty.fields.begin(), duty.fields.end(), Str{0}) == duty.fields.end() &&
                 duty.fields.empty() == (duty.kind != DutyKind::kMask),
             kBad, "{}: what is masked is not well-formed", what);
    DPL_NEED(duty.kind == DutyKind::kNotify ? IsOwner(duty.who) : duty.who == OwnerDef{}, kBad,
             "{}: nobody is there to notify", what);
    return Status::Ok();
  }

  Status OneObligation(const Obligation& obligation, uint32_t i) {
    std::string what = "obligation " + Name(i);
    DPL_NEED(!obligation.duties.empty() || !obligation.asks.empty(), kBad, "{} obliges to nothing",
             what);
    DPL_NEED(obligation.duties.size() <= kMaxDuties, "bundle.size", "{} has more than {} duties",
             what, kMaxDuties);
    for (const Duty& duty : obligation.duties) DPL_RETURN_IF_ERROR(OneDuty(duty, what));
    DPL_NEED(AllBelow(obligation.asks, p_.approvals.size()), kIndex, "{}: no such approval", what);
    return Status::Ok();
  }

  Status OneBreakGlass(const BreakGlass& glass, uint32_t i) {
    std::string what = "break_glass " + Name(i);
    DPL_NEED(std::is_sorted(glass.lifts.begin(), glass.lifts.end()), "bundle.order",
             "{}: what it lifts is not in order", what);
    for (uint32_t s : glass.lifts) {
      DPL_NEED(s < p_.statements.size() && p_.statements[s].kind == StatementKind::kForbid, kIndex,
               "{} lifts something that is no forbid", what);
    }
    DPL_NEED(glass.needs != 0 && glass.needs <= (kNeedReason | kNeedTicket), kBad,
             "{} opens without a word", what);
    DPL_NEED(glass.lasts_us > 0 && IsSpanOfTime(glass.lasts_us) && glass.review_within_us > 0 &&
                 IsSpanOfTime(glass.review_within_us),
             "bundle.value", "{}: a span of time is out of range", what);
    DPL_NEED(!glass.notify.empty() && glass.notify.size() <= kMaxDuties, kBad,
             "{} tells nobody, or too many", what);
    for (const Duty& duty : glass.notify) {
      DPL_NEED(duty.kind == DutyKind::kNotify, kBad, "{}: this duty is an obligation's", what);
      DPL_RETURN_IF_ERROR(OneDuty(duty, what));
    }
    DPL_NEED(IsOwner(glass.review_by), kBad, "{}: nobody reviews it", what);
    return Status::Ok();
  }

  // ---- clauses
  Status Keys(const std::vector<SubjectKey>& keys, const std::string& what) {
    DPL_NEED(!keys.empty(), "bundle.keys", "{} has no key, so nothing would find it", what);
    for (size_t k = 0; k < keys.size(); ++k) {
      DPL_NEED(k == 0 || keys[k - 1] < keys[k], "bundle.order", "{}: keys are not in order", what);
      uint32_t id = keys[k].id;
      bool ok = false;
      switch (keys[k].kind) {
        case KeyKind::kAny:
        case KeyKind::kEveryone:
        case KeyKind::kPublic:
          ok = id == 0;
          break;
        case KeyKind::kPerson:
          ok = IsPerson(id);
          break;
        case KeyKind::kTeam:
          ok = id < s_.teams.size();
          break;
        case KeyKind::kRole:
          ok = id < s_.roles.size();
          break;
        case KeyKind::kAgent:
          ok = id < p_.agents.size();
          break;
        case KeyKind::kTask:
          ok = id < p_.tasks.size();
          break;
        case KeyKind::kPartner:
          ok = id < p_.partners.size();
          break;
      }
      DPL_NEED(ok, "bundle.keys", "{}: a key names something that is not there", what);
    }
    return Status::Ok();
  }

  Status OneClause(uint32_t i) {
    const Clause& c = p_.clauses[i];
    std::string what = fmt::format("clause {}", i);
    const ResourceDef& type = s_.resources[c.type];
    DPL_NEED(!c.actions.empty(), kBad, "{} has no action", what);
    for (size_t k = 0; k < c.actions.size(); ++k) {
      DPL_NEED(c.actions[k] < type.actions.size(), kIndex, "{}: no such action", what);
      DPL_NEED(k == 0 || c.actions[k - 1] < c.actions[k], "bundle.order",
               "{}: actions are not in order", what);
    }
    DPL_NEED(Code(c.subject_code) && Code(c.scope_code) && Code(c.where_code), kIndex,
             "{}: no such code", what);
    DPL_NEED(c.ask_approval == kNone || c.ask_approval < p_.approvals.size(), kIndex,
             "{}: no such approval", what);
    DPL_NEED(Text(c.subject_text) && Text(c.where_text), kIndex, "{}: a text is not there", what);
    DPL_RETURN_IF_ERROR(Keys(c.keys, what));
    DPL_RETURN_IF_ERROR(SubjectOf(i, what));
    CodeUse use{.type = c.type, .clause = i};
    Use(c.scope_code, what + " scope", c.statement, use);
    Use(c.where_code, what + " where", c.statement, use);
    return Status::Ok();
  }

  Status SubjectOf(uint32_t i, const std::string& what) {
    const Clause& c = p_.clauses[i];
    uint32_t detail = p_.statements[c.statement].detail;
    std::vector<SubjectKey> exact;
    switch (c.role) {
      case ClauseRole::kAgentMay:
        exact = {{KeyKind::kAgent, detail}};
        break;
      case ClauseRole::kTaskMay:
        exact = {{KeyKind::kTask, detail}};
        break;
      case ClauseRole::kPartnerMay:
        exact = {{KeyKind::kPartner, detail}};
        break;
      case ClauseRole::kDelegationMay:
        if (p_.delegations[detail].to_agents.empty()) exact = {SubjectKey{}};
        for (uint32_t agent : p_.delegations[detail].to_agents)
          exact.push_back({KeyKind::kAgent, agent});
        std::sort(exact.begin(), exact.end());
        exact.erase(std::unique(exact.begin(), exact.end()), exact.end());
        break;
      default: {
        bool any = c.keys[0].kind == KeyKind::kAny;
        if (c.subject_code == kNone) {
          DPL_NEED(IsRestricting(c.role), kBad, "{} does not say who may", what);
          DPL_NEED(any, "bundle.keys", "{} is for everybody, but its keys would hide it from some",
                   what);
        }
        if (IsRestricting(c.role) && !any) {
          bool agents = std::all_of(c.keys.begin(), c.keys.end(),
                                    [](const SubjectKey& k) { return k.kind == KeyKind::kAgent; });
          DPL_NEED(agents, "bundle.keys",
                   "{} restricts, so its keys must not depend on a membership", what);
        }
        Use(c.subject_code, what + " subject", c.statement,
            {.type = c.type, .clause = i, .keys = &c.keys});
        return Status::Ok();
      }
    }
    DPL_NEED(c.subject_code == kNone, kBad, "{} cannot have a subject of its own", what);
    DPL_NEED(c.keys == exact, "bundle.keys", "{} is not found under what it belongs to", what);
    return Status::Ok();
  }

  // ---- limits
  Status OneLimit(uint32_t i) {
    const Limit& l = p_.limits[i];
    std::string what = fmt::format("limit {}", i);
    DPL_NEED(l.name != 0 && l.identity != 0 && l.measure != 0 && Text(l.name) && Text(l.identity) &&
                 Text(l.measure) && Text(l.no_limit_because) && l.zone < s_.zones.size(),
             kIndex, "{}: a text or its zone is not there", what);
    DPL_NEED(Code(l.cap_code) && (l.cap_code == kNone) == l.no_limit, kBad,
             "{}: a limit has a cap, `no limit` has none", what);
    DPL_NEED((l.period == LimitPeriod::kSliding) == (l.window_us > 0) && IsSpanOfTime(l.window_us),
             kBad, "{}: its window is not well-formed", what);
    DPL_NEED(l.keys.size() <= kMaxPerLimit && l.tiers.size() <= kMaxPerLimit, "bundle.size",
             "{}: more than {} keys or tiers", what, kMaxPerLimit);
    Result<TypeId> measure = MeasureOf(l);
    if (!measure.ok()) return measure.error();
    uint32_t type = only_type_[l.statement];
    CodeUse cap{.result = CodeUse::Result::kMeasure, .type = type, .measure = *measure};
    Use(l.cap_code, what + " cap", l.statement, cap);
    for (const LimitKeyPart& part : l.keys) {
      DPL_NEED(Text(part.name) && Code(part.code) &&
                   (part.kind == KeyPartKind::kCode) == (part.code != kNone),
               kBad, "{}: a key is not well-formed", what);
      Use(part.code, what + " key", l.statement, {.result = CodeUse::Result::kKey, .type = type});
    }
    for (const LimitTier& tier : l.tiers) {
      DPL_NEED(tier.approval < p_.approvals.size() && Code(tier.up_to_code), kIndex,
               "{}: a tier is not well-formed", what);
      Use(tier.up_to_code, what + " up to", l.statement, cap);
    }
    return Status::Ok();
  }

  // The type of what a limit counts: of the parameter of its name, or a whole number of requests.
  Result<TypeId> MeasureOf(const Limit& l) {
    if (!l.requests) return ParamType(p_, {.statement = l.statement}, l.measure, &work_);
    for (TypeId t = 0; t < s_.types.size(); ++t) {
      if (s_.types[t].kind == TypeKind::kInt && !s_.types[t].optional) return t;
    }
    return Error{kBad, "requests are counted, but there is no type int"};
  }

  Status IndexSize() {
    uint64_t items = 0;
    for (const Clause& c : p_.clauses) items += uint64_t{c.actions.size()} * c.keys.size();
    DPL_NEED(items <= kMaxIndexItems, "bundle.size", "the index would have more than {} items",
             kMaxIndexItems);
    return Status::Ok();
  }

  const Program& p_;
  const Schema& s_;
  std::vector<CodeUse>& uses_;
  std::vector<uint32_t> only_type_;  // per statement, see OnlyType
  size_t clauses_seen_ = 0, limits_seen_ = 0;
  Work work_;
};

}  // namespace

Status Statements(const Program& program, std::vector<CodeUse>* uses) {
  return StatementCheck(program, uses).Run();
}

}  // namespace dpl::verify
