// The tree of declarations and clauses as text; expressions are in dump_expr.cc, facts and tests in
// dump_test.cc.
#include "compiler/ast/dump.h"

#include "compiler/ast/dump_writer.h"

namespace dpl::ast {

void DumpType(const TypeExpr& type, DumpWriter* w) {
  std::string text;
  auto spell = [&text](const auto& self, const TypeExpr& t) -> void {
    switch (t.kind) {
      case TypeExpr::Kind::kNamed:
        text += t.name.text;
        break;
      case TypeExpr::Kind::kSet:
        text += "set<";
        self(self, t.element[0]);
        text += '>';
        break;
      case TypeExpr::Kind::kRecord:
        text += "record{";
        for (const Param& field : t.fields) {
          text += field.name.text + ':';
          self(self, field.type);
          text += ',';
        }
        text += '}';
        break;
    }
    if (t.optional) text += '?';
  };
  spell(spell, type);
  w->Word(text);
}

void DumpOwner(std::string_view head, const OwnerRef& owner, DumpWriter* w) {
  if (!owner.present) return;
  w->Open(head);
  if (owner.is_team) {
    w->Word("team " + owner.team.text);
  } else {
    w->Word("person").Text(owner.person.value);
  }
  w->Close();
}

void DumpQuantity(const Quantity& quantity, DumpWriter* w) {
  if (quantity.kind == Quantity::Kind::kExpr) {
    w->Word(Dump(*quantity.expr));
  } else {
    w->Word(quantity.number + (quantity.currency.empty() ? "" : " " + quantity.currency));
  }
}

std::string_view DutyName(Duty::Kind kind) {
  constexpr std::string_view kNames[] = {"step_up", "sign", "log", "mask", "notify", "ask"};
  return kNames[static_cast<size_t>(kind)];
}

void DumpDuty(const Duty& duty, DumpWriter* w) {
  w->Open("must").Word(DutyName(duty.kind));
  if (duty.text.present) w->Text(duty.text.value);
  for (const Name& name : duty.names) w->Word(name.text);
  DumpOwner("who", duty.who, w);
  if (!duty.ask.empty()) w->Word(duty.ask.text);
  w->Close();
}

namespace {

constexpr std::string_view kParties[] = {"the-person", "the-agent", "the-accountable",
                                         "the-manager"};
constexpr std::string_view kModes[] = {"on_behalf_of", "impersonate", "standing"};

void Names(std::string_view head, const std::vector<QName>& names, DumpWriter* w) {
  if (names.empty()) return;
  w->Open(head);
  for (const QName& name : names) w->Word(name.text);
  w->Close();
}

void Strings(std::string_view head, const std::vector<StringLit>& strings, DumpWriter* w) {
  if (strings.empty()) return;
  w->Open(head);
  for (const StringLit& s : strings) w->Text(s.value);
  w->Close();
}

void OneString(std::string_view head, const StringLit& s, DumpWriter* w) {
  if (s.present) w->Open(head).Text(s.value).Close();
}

void OneLiteral(std::string_view head, const Literal& literal, DumpWriter* w) {
  if (literal.present) w->Open(head).Word(literal.text).Close();
}

void OneExpr(std::string_view head, const ExprPtr& e, DumpWriter* w) {
  if (e != nullptr) w->Open(head).Word(Dump(*e)).Close();
}

void Flag(std::string_view head, bool set, DumpWriter* w) {
  if (set) w->Open(head).Close();
}

void DumpMeta(const Meta& meta, DumpWriter* w) {
  DumpOwner("owner", meta.owner, w);
  OneString("because", meta.because, w);
  OneString("ticket", meta.ticket, w);
  OneLiteral("review-every", meta.review_every, w);
  OneLiteral("expires", meta.expires, w);
}

void DumpSubject(const Subject& subject, DumpWriter* w) {
  constexpr std::string_view kNames[] = {"team",      "role",     "person", "agent",
                                         "any-agent", "everyone", "public", "partner"};
  w->Open(kNames[static_cast<size_t>(subject.kind)]);
  if (!subject.name.empty()) w->Word(subject.name.text);
  if (subject.id.present) w->Text(subject.id.value);
  w->Close();
}

void Subjects(std::string_view head, const std::vector<Subject>& subjects, DumpWriter* w) {
  if (subjects.empty()) return;
  w->Open(head);
  for (const Subject& subject : subjects) DumpSubject(subject, w);
  w->Close();
}

void DumpReach(std::string_view head, const MayClause& may, DumpWriter* w) {
  w->Open(head);
  if (!may.activities.empty()) {
    Names("activity", may.activities, w);
  } else {
    w->Open(may.any_action ? "any-action" : "actions");
    for (const Name& action : may.actions) w->Word(action.text);
    w->Close();
    if (may.on.everything_in) w->Open("everything-in").Word(may.on.system.text).Close();
    Names("on", may.on.types, w);
    OneString("id", may.on.id, w);
    for (const Container& container : may.on.containers) {
      w->Open("in");
      if (container.kind == Container::Kind::kEntity) w->Word(container.type.text);
      if (container.kind == Container::Kind::kName) w->Word(container.name.text);
      if (container.id.present) w->Text(container.id.value);
      w->Close();
    }
    OneExpr("where", may.on.where, w);
  }
  if (!may.ask.empty()) w->Open("ask").Word(may.ask.text).Close();
  w->Close();
}

void Mays(const std::vector<MayClause>& mays, DumpWriter* w) {
  for (const MayClause& may : mays) DumpReach("may", may, w);
}

void DumpLimit(std::string_view head, const LimitClause& limit, DumpWriter* w) {
  constexpr std::string_view kPeriods[] = {"each",    "hour", "day", "week", "month",
                                           "quarter", "year", "any", "total"};
  w->Open(head).Word(limit.measure.text);
  if (limit.no_limit) {
    w->Word("unlimited").Text(limit.no_limit_because.value).Close();
    return;
  }
  if (limit.quantity) DumpQuantity(*limit.quantity, w);
  w->Word(kPeriods[static_cast<size_t>(limit.period)]);
  if (limit.window.present) w->Word(limit.window.text);
  for (const LimitClause::Key& key : limit.keys) w->Open("for-each").Word(key.path.text).Close();
  for (const AskTier& tier : limit.tiers) {
    w->Open("beyond").Word(tier.approval.text);
    if (tier.up_to) DumpQuantity(*tier.up_to, w);
    w->Close();
  }
  if (!limit.was.empty()) w->Open("was").Word(limit.was.text).Close();
  w->Close();
}

void Limits(std::string_view head, const std::vector<LimitClause>& limits, DumpWriter* w) {
  for (const LimitClause& limit : limits) DumpLimit(head, limit, w);
}

void AppliesAndCovers(bool has_applies, const std::vector<Subject>& applies,
                      const std::vector<CoversClause>& covers, DumpWriter* w) {
  if (has_applies) Subjects("applies-to", applies, w);
  for (const CoversClause& clause : covers) DumpReach("covers", clause.what, w);
}

void DumpKey(const KeyClause& key, DumpWriter* w) {
  if (!key.present) return;
  w->Open("key").Word(key.name.text);
  DumpType(key.type, w);
  Flag("fold-ascii", key.fold_ascii, w);
  OneString("matches", key.matches, w);
  w->Close();
}

void DumpHas(const std::vector<HasClause>& all, DumpWriter* w) {
  for (const HasClause& has : all) {
    w->Open("has").Word(has.name.text);
    DumpType(has.type, w);
    OneExpr("=", has.default_value, w);
    Flag("from-request", has.from_request, w);
    OneString("as", has.wire, w);
    w->Close();
  }
}

void DumpParents(const std::vector<ParentClause>& all, DumpWriter* w) {
  for (const ParentClause& parent : all) {
    w->Open("within");
    if (!parent.name.empty()) w->Word(parent.name.text);
    DumpType(parent.type, w);
    Flag("from-request", parent.from_request, w);
    OneString("as", parent.wire, w);
    w->Close();
  }
}

void DumpParams(const std::vector<Param>& params, DumpWriter* w) {
  for (const Param& param : params) {
    w->Open("param").Word(param.name.text);
    DumpType(param.type, w);
    w->Close();
  }
}

void DumpCan(const CanClause& can, DumpWriter* w) {
  w->Open("can");
  for (const CanClause::Action& action : can.actions) {
    w->Open("action").Word(action.name.text);
    OneString("as", action.wire, w);
    w->Close();
  }
  for (const CanParam& param : can.params) {
    w->Open("param").Word(param.name.text);
    DumpType(param.type, w);
    OneExpr("=", param.default_value, w);
    OneString("as", param.wire, w);
    Flag("must-be-limited", param.must_be_limited, w);
    w->Close();
  }
  Flag("makes", can.makes, w);
  Names("is", can.activities, w);
  w->Close();
}

void DumpVocabulary(const Decl& decl, DumpWriter* w) {
  if (decl.kind == DeclKind::kConst) {
    const auto& d = static_cast<const ConstDecl&>(decl);
    if (d.type) DumpType(*d.type, w);
    OneExpr("=", d.value, w);
  } else if (decl.kind == DeclKind::kEnum) {
    const auto& d = static_cast<const EnumDecl&>(decl);
    Flag("ordered", d.ordered, w);
    for (const Name& member : d.members) w->Word(member.text);
  } else if (decl.kind == DeclKind::kFunction) {
    const auto& d = static_cast<const FunctionDecl&>(decl);
    DumpParams(d.params, w);
    DumpType(d.result, w);
    OneExpr("=", d.body, w);
  } else {
    const auto& d = static_cast<const CalendarDecl&>(decl);
    OneString("zone", d.zone, w);
    for (const CalendarDecl::Open& open : d.open) {
      w->Open("open").Word(std::to_string(open.from_day)).Word(std::to_string(open.to_day));
      w->Word(open.from.text).Word(open.to.text).Close();
    }
    for (const Literal& date : d.closed) OneLiteral("closed", date, w);
  }
}

void DumpOrganisation(const Decl& decl, DumpWriter* w) {
  switch (decl.kind) {
    case DeclKind::kPerson: {
      const auto& d = static_cast<const PersonDecl&>(decl);
      DumpKey(d.key, w);
      DumpHas(d.has, w);
      Strings("known-as", d.known_as, w);
      DumpParents(d.within, w);
      OneString("source", d.source, w);
      OneLiteral("source-within", d.source_within, w);
      break;
    }
    case DeclKind::kTeam: {
      const auto& d = static_cast<const TeamDecl&>(decl);
      Names("within", d.within, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kRole: {
      const auto& d = static_cast<const RoleDecl&>(decl);
      Names("in", d.scopes, w);
      Names("includes", d.includes, w);
      OneExpr("where", d.where, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kContext:
      DumpHas(static_cast<const ContextDecl&>(decl).has, w);
      break;
    case DeclKind::kSystem: {
      const auto& d = static_cast<const SystemDecl&>(decl);
      if (!d.boundary.empty()) w->Open("boundary").Word(d.boundary.text).Close();
      if (d.has_account) {
        w->Open("account").Word(d.account_key.text);
        DumpType(d.account_type, w);
        w->Close();
      }
      if (!d.link_by.empty())
        w->Open("link").Word(d.link_by.text).Word(d.checked_within.text).Close();
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kResource: {
      const auto& d = static_cast<const ResourceDecl&>(decl);
      w->Open("in").Word(d.system.text).Close();
      DumpKey(d.key, w);
      DumpHas(d.has, w);
      Strings("known-as", d.known_as, w);
      DumpParents(d.within, w);
      for (const CanClause& can : d.can) DumpCan(can, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kActivity: {
      const auto& d = static_cast<const ActivityDecl&>(decl);
      for (const ActivityDecl::Measure& measure : d.measures) {
        w->Open("measure").Word(measure.name.text);
        DumpType(measure.type, w);
        Flag("must-be-limited", measure.must_be_limited, w);
        w->Close();
      }
      if (d.limits_must_agree) w->Open("limits-must-agree").Word(d.agree_within.text).Close();
      DumpMeta(d.meta, w);
      break;
    }
    default: {
      const auto& d = static_cast<const OwnerDecl&>(decl);
      w->Word(d.type.text);
      if (!d.subtree_type.empty())
        w->Open("in").Word(d.subtree_type.text).Text(d.subtree_id.value).Close();
      for (const OwnerRef& owner : d.owners) DumpOwner("is", owner, w);
      DumpMeta(d.meta, w);
      break;
    }
  }
}

void DumpAgents(const Decl& decl, DumpWriter* w) {
  if (decl.kind == DeclKind::kAgent) {
    const auto& d = static_cast<const AgentDecl&>(decl);
    OneString("accountable", d.accountable, w);
    if (!d.accountable_else.empty()) w->Open("else").Word(d.accountable_else.text).Close();
    OneString("purpose", d.purpose, w);
    if (!d.runs_as_kind.empty()) Strings("runs-as " + d.runs_as_kind.text, d.runs_as, w);
    OneLiteral("attested-within", d.attested_within, w);
    for (const ModeRef& mode : d.modes)
      w->Open("mode").Word(kModes[static_cast<size_t>(mode.mode)]).Close();
    Mays(d.may, w);
    Limits("limit", d.limits, w);
    OneLiteral("lives", d.lives, w);
    OneLiteral("instances", d.instances, w);
    OneLiteral("instances-in-any", d.instances_window, w);
    Flag("trusting-request", d.trusting_request, w);
    DumpMeta(d.meta, w);
  } else if (decl.kind == DeclKind::kDelegation) {
    constexpr std::string_view kConsents[] = {"", "each-task", "every", "by-policy"};
    const auto& d = static_cast<const DelegationDecl&>(decl);
    Subjects("from", d.from, w);
    Subjects("to", d.to, w);
    if (d.mode) w->Open("mode").Word(kModes[static_cast<size_t>(d.mode->mode)]).Close();
    Mays(d.may, w);
    Limits("limit", d.limits, w);
    Names("only-in-task", d.only_in_tasks, w);
    Names("onward", d.onward_to, w);
    OneLiteral("hops", d.onward_hops, w);
    if (d.consent != DelegationDecl::Consent::kMissing) {
      w->Open("consent")
          .Word(kConsents[static_cast<size_t>(d.consent)])
          .Word(d.consent_every.text)
          .Close();
    }
    OneLiteral("lasts", d.lasts, w);
    Flag("trusting-request", d.trusting_request, w);
    DumpMeta(d.meta, w);
  } else if (decl.kind == DeclKind::kTask) {
    const auto& d = static_cast<const TaskDecl&>(decl);
    DumpParams(d.params, w);
    Names("for-agent", d.for_agents, w);
    Mays(d.may, w);
    Limits("limit", d.limits, w);
    OneLiteral("lasts", d.lasts, w);
    Flag("nothing-else", d.nothing_else, w);
    DumpMeta(d.meta, w);
  } else {
    const auto& d = static_cast<const PartnerDecl&>(decl);
    OneString("issuer", d.issuer, w);
    Flag("accepts-agents", d.accepts_agents, w);
    Flag("accepts-persons", d.accepts_persons, w);
    Mays(d.may, w);
    Limits("limit", d.limits, w);
    OneLiteral("hops", d.hops, w);
    DumpMeta(d.meta, w);
  }
}

void DumpStatement(const Decl& decl, DumpWriter* w) {
  switch (decl.kind) {
    case DeclKind::kGrant: {
      const auto& d = static_cast<const GrantDecl&>(decl);
      for (const GrantRow& row : d.rows) {
        w->Open("row");
        Subjects("to", row.to, w);
        Mays(row.may, w);
        w->Close();
      }
      Limits("limit", d.limits, w);
      Names("supersedes", d.supersedes, w);
      OneString("approved-by", d.approved_by, w);
      OneLiteral("granted", d.granted, w);
      OneLiteral("reviewed", d.reviewed, w);
      OneString("reviewed-by", d.reviewed_by, w);
      OneString("imported-from", d.imported_from, w);
      Flag("trusting-request", d.trusting_request, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kLimit: {
      const auto& d = static_cast<const LimitDecl&>(decl);
      AppliesAndCovers(d.has_applies_to, d.applies_to, d.covers, w);
      Limits("cap", d.caps, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kForbid: {
      const auto& d = static_cast<const ForbidDecl&>(decl);
      AppliesAndCovers(d.has_applies_to, d.applies_to, d.covers, w);
      OneExpr("unless", d.unless, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kApproval: {
      const auto& d = static_cast<const ApprovalDecl&>(decl);
      for (const ApprovalDecl::By& by : d.by) {
        w->Open("by").Word(by.count.text);
        for (Party party : by.parties) w->Word(kParties[static_cast<size_t>(party)]);
        for (const Subject& subject : by.subjects) DumpSubject(subject, w);
        w->Close();
      }
      for (Party party : d.never_by)
        w->Open("never-by").Word(kParties[static_cast<size_t>(party)]).Close();
      OneLiteral("within", d.within, w);
      OneLiteral("good-for", d.good_for, w);
      OneLiteral("good-within", d.good_within, w);
      OneString("signs", d.signs, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kObligation: {
      const auto& d = static_cast<const ObligationDecl&>(decl);
      AppliesAndCovers(d.has_applies_to, d.applies_to, d.covers, w);
      for (const Duty& duty : d.duties) DumpDuty(duty, w);
      DumpMeta(d.meta, w);
      break;
    }
    case DeclKind::kSeparate: {
      const auto& d = static_cast<const SeparateDecl&>(decl);
      for (const SeparateDecl::Side& side : d.sides) {
        DumpReach("act", side.what, w);
        OneExpr("by", side.by, w);
      }
      OneLiteral("within", d.within, w);
      Names("roles", d.roles, w);
      DumpMeta(d.meta, w);
      break;
    }
    default: {
      const auto& d = static_cast<const BreakGlassDecl&>(decl);
      Subjects("who", d.who, w);
      Mays(d.may, w);
      Names("lifts", d.lifts, w);
      for (const Name& name : d.needs) w->Open("needs").Word(name.text).Close();
      OneLiteral("lasts", d.lasts, w);
      for (const OwnerRef& owner : d.notify) DumpOwner("notify", owner, w);
      OneLiteral("review-within", d.review_within, w);
      DumpOwner("review-by", d.review_by, w);
      DumpMeta(d.meta, w);
      break;
    }
  }
}

void DumpDecl(const Decl& decl, DumpWriter* w) {
  constexpr std::string_view kNames[] = {
      "const",       "enum",    "function",   "calendar", "person",   "team",       "role",
      "context",     "system",  "resource",   "activity", "owner-of", "grant",      "limit",
      "forbid",      "agent",   "delegation", "task",     "approval", "obligation", "separate",
      "break_glass", "partner", "data",       "test"};
  w->Line().Open(kNames[static_cast<size_t>(decl.kind)]);
  if (!decl.name.empty()) w->Word(decl.name.text);
  if (!decl.doc.empty()) w->Open("doc").Text(decl.doc).Close();
  if (decl.incomplete) w->Word("INCOMPLETE");
  w->Indent();
  switch (decl.kind) {
    case DeclKind::kConst:
    case DeclKind::kEnum:
    case DeclKind::kFunction:
    case DeclKind::kCalendar:
      DumpVocabulary(decl, w);
      break;
    case DeclKind::kPerson:
    case DeclKind::kTeam:
    case DeclKind::kRole:
    case DeclKind::kContext:
    case DeclKind::kSystem:
    case DeclKind::kResource:
    case DeclKind::kActivity:
    case DeclKind::kOwner:
      DumpOrganisation(decl, w);
      break;
    case DeclKind::kAgent:
    case DeclKind::kDelegation:
    case DeclKind::kTask:
    case DeclKind::kPartner:
      DumpAgents(decl, w);
      break;
    case DeclKind::kData:
      for (const Datum& datum : static_cast<const DataDecl&>(decl).data) DumpDatum(datum, w);
      break;
    case DeclKind::kTest:
      DumpTest(static_cast<const TestDecl&>(decl), w);
      break;
    default:
      DumpStatement(decl, w);
      break;
  }
  w->Outdent();
  w->Close();
}

}  // namespace

std::string Dump(const File& file) {
  DumpWriter w;
  w.Open("package").Word(file.package.text);
  DumpOwner("owned-by", file.owner, &w);
  w.Close();
  for (const Import& import : file.imports) {
    w.Line().Open("import").Word(import.package.text);
    if (!import.alias.empty()) w.Word("as " + import.alias.text);
    w.Close();
  }
  w.Line();
  OneString("timezone", file.timezone, &w);
  OneLiteral("granted", file.granted, &w);
  OneLiteral("review-every", file.review_every, &w);
  for (const Name& name : file.requires_clauses) w.Open("requires").Word(name.text).Close();
  for (const auto& decl : file.decls) DumpDecl(*decl, &w);
  return w.Take();
}

}  // namespace dpl::ast
