// Limits: measures, quantities, periods, keys and tiers; and the `limit` block.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

using ast::Expr;
using ast::ExprKind;

constexpr int64_t kMinWindowUs = kMicrosPerSecond;
constexpr int64_t kMaxWindowUs = 366 * kMicrosPerDay;

const char* PeriodText(ast::PeriodKind kind) {
  switch (kind) {
    case ast::PeriodKind::kEach:
      return "each";
    case ast::PeriodKind::kHour:
      return "hour";
    case ast::PeriodKind::kDay:
      return "day";
    case ast::PeriodKind::kWeek:
      return "week";
    case ast::PeriodKind::kMonth:
      return "month";
    case ast::PeriodKind::kQuarter:
      return "quarter";
    case ast::PeriodKind::kYear:
      return "year";
    case ast::PeriodKind::kSliding:
      return "in";
    case ast::PeriodKind::kTotal:
      return "total";
  }
  return "";
}

class LimitBuilder {
 public:
  LimitBuilder(Checker& c, const Symbol& s, std::vector<ast::LimitClause>& limits,
               const LimitPlace& place)
      : c_(c), s_(s), limits_(limits), place_(place), statement_(c.StatementOf(s)) {}

  void Run() {
    std::map<std::string, Span> identities;
    for (ast::LimitClause& clause : limits_) {
      LimitModel model;
      if (!One(clause, &model)) continue;
      auto [at, fresh] = identities.emplace(model.identity, clause.span);
      if (!fresh) {
        c_.Report(DPL0103, clause.span, {"this limit on " + Quoted(clause.measure.text)})
            .Label(at->second, "the first is here")
            .Help("both would use one counter; keep the tighter one");
        continue;
      }
      statement_.limits.push_back(std::move(model));
    }
    CheckRequestKeys();
    WarnNeverBinds();
    CheckNoLimit();
  }

 private:
  bool One(ast::LimitClause& clause, LimitModel* out) {
    if (clause.measure.empty()) return false;
    out->clause = &clause;
    if (!Measure(clause, out)) return false;
    out->name = s_.qualified + "." + clause.measure.text;
    std::string who =
        clause.was.empty() ? s_.qualified : c_.packages[s_.package].name + "." + clause.was.text;
    out->identity = who + "|" + clause.measure.text + "|" +
                    (clause.no_limit ? "none" : PeriodText(clause.period));
    if (clause.no_limit) {
      if (IsEmptyTalk(clause.no_limit_because.value)) {
        c_.Report(DPL0507,
                  clause.no_limit_because.present ? clause.no_limit_because.span : clause.span)
            .Help("say who decided that there is no limit, and why");
      }
      return true;
    }
    bool ok = clause.quantity.has_value();
    if (ok) {
      out->cap = QuantityExpr(*clause.quantity, clause, *out);
      ok = out->cap != nullptr && Positive(*out->cap);
    }
    ok = Window(clause, out) && ok;
    ok = Tiers(clause, out) && ok;
    return Keys(clause, out) && ok;
  }

  // The type of the measure on every covered action that declares it.
  bool Measure(const ast::LimitClause& clause, LimitModel* out) {
    if (clause.measure.text == "requests") return true;
    for (const ClauseModel& covered : statement_.clauses) {
      if (c_.Broken(covered.type, clause.measure.text)) return false;
    }
    std::set<std::string> known{"requests"};
    for (const ClauseModel& covered : statement_.clauses) {
      for (const ActionDef* action : ActionsOf(c_, covered)) {
        for (const ParamDef& param : action->params) {
          TypeId type = WithoutOptional(c_, param.type);
          if (IsMeasurable(c_, type)) known.emplace(c_.Text(param.name));
          if (c_.Text(param.name) != clause.measure.text) continue;
          if (!IsMeasurable(c_, type)) {
            c_.ReportText(DPL0504, clause.measure.span,
                          Quoted(clause.measure.text) + " is " + DescribeType(c_, type) +
                              ", which cannot be limited")
                .Help("money, numbers and durations can be; `requests` counts decisions");
            return false;
          }
          if (out->measure_type != kNone && out->measure_type != type) {
            c_.ReportText(DPL0504, clause.measure.span,
                          Quoted(clause.measure.text) + " is " +
                              DescribeType(c_, out->measure_type) + " for one action and " +
                              DescribeType(c_, type) + " for another")
                .Help("give each a limit in a statement of its own");
            return false;
          }
          out->measure_type = type;
        }
      }
    }
    if (out->measure_type != kNone) return true;
    if (statement_.clauses.empty()) return false;  // nothing could be read of what it covers
    c_.Report(DPL0201, clause.measure.span, {"measure", Quoted(clause.measure.text)})
        .Help(DidYouMean(NearNames(clause.measure.text, {known.begin(), known.end()})))
        .Help("a measure is a parameter of an action that is covered here, or `requests`");
    return false;
  }

  // ---- quantities
  const Expr* QuantityExpr(ast::Quantity& quantity, const ast::LimitClause& clause,
                           const LimitModel& limit) {
    TypeId want = limit.measure_type == kNone ? c_.t_int : limit.measure_type;
    if (quantity.kind == ast::Quantity::Kind::kExpr) {
      if (quantity.expr == nullptr) return nullptr;
      return PathQuantity(*quantity.expr, clause, want);
    }
    auto literal = std::make_unique<Expr>();
    bool money = quantity.kind == ast::Quantity::Kind::kMoney;
    literal->kind = money ? ExprKind::kMoney : ExprKind::kNumber;
    literal->text = quantity.number;
    literal->text2 = quantity.currency;
    literal->span = quantity.span;
    std::string text = quantity.number + (money ? " " + quantity.currency : "");
    bool whole = quantity.number.find('.') == std::string::npos;
    bool fits = money ? want == c_.t_money : want == c_.t_decimal || (want == c_.t_int && whole);
    if (!fits) {
      DiagnosticRef report =
          c_.Report(DPL0504, quantity.span,
                    {Quoted(clause.measure.text), DescribeType(c_, want), Quoted(text)});
      if (want == c_.t_money) report.Help("add the currency: `" + text + " USD`");
      if (money && want != c_.t_money)
        report.Help("write " + Quoted(quantity.number) + " without a currency");
      if (want == c_.t_duration) report.Help("name a constant: `const longest = 2h`");
      return nullptr;
    }
    Expr* owned = Own(c_.model, std::move(literal));
    return CheckTyped(c_, *owned, want, *place_.scope) == kNone ? nullptr : owned;
  }

  const Expr* PathQuantity(Expr& path, const ast::LimitClause& clause, TypeId want) {
    TypeId type = kNone;
    const Expr* typed = PerType(path, clause, &type);
    if (typed == nullptr) return nullptr;
    if (type != want) {
      c_.Report(DPL0504, path.span,
                {Quoted(clause.measure.text), DescribeType(c_, want),
                 Quoted(PathText(path)) + ", which is " + DescribeType(c_, type)});
      return nullptr;
    }
    if (!Trusting()) {
      Walk(*typed, [&](const Expr& e) {
        if (e.ref != ast::RefKind::kPersonAttr ||
            !c_.model.schema.person.attributes[e.ref_a].from_request)
          return;
        DiagnosticRef report = c_.Report(DPL0418, e.span, {Quoted(PathText(path)), Called(s_)});
        report.Label(c_.model.schema.person.attributes[e.ref_a].span,
                     "declared `from request` here");
        report.Help("whoever asks would choose their own limit; hold it as a fact");
      });
    }
    return typed;
  }

  bool Trusting() const {
    switch (s_.decl->kind) {
      case ast::DeclKind::kGrant:
        return static_cast<const ast::GrantDecl&>(*s_.decl).trusting_request;
      case ast::DeclKind::kAgent:
        return static_cast<const ast::AgentDecl&>(*s_.decl).trusting_request;
      case ast::DeclKind::kDelegation:
        return static_cast<const ast::DelegationDecl&>(*s_.decl).trusting_request;
      default:
        return false;
    }
  }

  // A path typed for every covered resource type. What reads `resource` of several types becomes a
  // chain of `if it is known for this type then … else …`: an attribute of another type is never
  // known.
  const Expr* PerType(Expr& path, const ast::LimitClause& clause, TypeId* type) {
    std::map<uint32_t, std::vector<const ActionDef*>> by_type;
    std::vector<const ActionDef*> all;
    for (const ClauseModel& covered : statement_.clauses) {
      for (const ActionDef* action : ActionsOf(c_, covered)) {
        bool concerned =
            clause.measure.text == "requests" ||
            std::any_of(action->params.begin(), action->params.end(),
                        [&](const ParamDef& p) { return c_.Text(p.name) == clause.measure.text; });
        if (!concerned) continue;
        by_type[covered.type].push_back(action);
        all.push_back(action);
      }
    }
    if (by_type.empty()) return nullptr;
    bool reads_resource = PathText(path).starts_with("resource.");
    ExprScope scope = *place_.scope;
    scope.restricting = true;  // an absent value makes the limit unknown, which denies
    if (!reads_resource) {
      scope.type = by_type.begin()->first;
      scope.actions = all;
      *type = CheckTyped(c_, path, kNone, scope);
      return *type == kNone ? nullptr : &path;
    }
    std::vector<Expr*> typed;
    for (const auto& [resource, actions] : by_type) {
      Expr* one = typed.empty() ? &path : CloneInto(c_.model, path);
      scope.type = resource;
      scope.actions = actions;
      TypeId here = CheckTyped(c_, *one, kNone, scope);
      if (here == kNone) return nullptr;
      if (!typed.empty() && here != *type) {
        c_.ReportText(DPL0301, path.span,
                      Quoted(PathText(path)) + " is " + DescribeType(c_, *type) +
                          " for one type and " + DescribeType(c_, here) + " for another");
        return nullptr;
      }
      *type = here;
      typed.push_back(one);
    }
    const Expr* chain = typed.back();
    for (size_t i = typed.size() - 1; i-- > 0;) chain = IfKnown(*typed[i], *chain, *type);
    return chain;
  }

  const Expr* IfKnown(const Expr& value, const Expr& otherwise, TypeId type) {
    auto copy = [](const Expr& e) { return Clone(e, true); };
    auto known = std::make_unique<Expr>();
    known->kind = ExprKind::kIsKnown;
    known->span = value.span;
    known->type = c_.t_bool;
    known->ref = ast::RefKind::kValue;
    known->args.push_back(copy(value));
    auto choice = std::make_unique<Expr>();
    choice->kind = ExprKind::kIf;
    choice->span = value.span;
    choice->type = type;
    choice->ref = ast::RefKind::kValue;
    choice->args.push_back(std::move(known));
    choice->args.push_back(copy(value));
    choice->args.push_back(copy(otherwise));
    return Own(c_.model, std::move(choice));
  }

  bool Positive(const Expr& cap) {
    uint32_t constant = FoldConstant(c_, cap);
    if (constant == kNone || c_.model.constants[constant].number > 0) return true;
    c_.Report(DPL0509, cap.span, {Quoted(ConstantText(c_, constant))})
        .Help("to forbid the act, write a `forbid`");
    return false;
  }

  bool Window(const ast::LimitClause& clause, LimitModel* out) {
    if (clause.period != ast::PeriodKind::kSliding) {
      if (clause.period == ast::PeriodKind::kEach && clause.measure.text == "requests") {
        c_.Report(DPL0503, clause.span, {"each request counts one"})
            .Help("say per when: `limit requests to 100 per day`");
      }
      return true;
    }
    std::optional<int64_t> us = DurationUs(c_, clause.window);
    if (!us) return false;
    out->identity += ":" + std::to_string(*us);
    if (*us >= kMinWindowUs && *us <= kMaxWindowUs) return true;
    bool fine = *us < kMinWindowUs;
    c_.Report(DPL0510, clause.window.span, {Quoted(clause.window.text), fine ? "fine" : "long"})
        .Help("windows run from 1s to 366d");
    return false;
  }

  bool Tiers(ast::LimitClause& clause, LimitModel* out) {
    bool ok = true;
    const Expr* before = out->cap;
    for (size_t i = 0; i < clause.tiers.size(); ++i) {
      ast::AskTier& tier = clause.tiers[i];
      LimitModel::Tier built;
      const Symbol* approval = Lookup(c_, SymbolKind::kApproval, tier.approval, *s_.file);
      if (approval == nullptr)
        ok = false;
      else
        built.approval = approval->index;
      if (tier.up_to.has_value()) {
        built.up_to = QuantityExpr(*tier.up_to, clause, *out);
        ok = built.up_to != nullptr && ok;
        if (built.up_to != nullptr && before != nullptr) ok = Rising(*before, *built.up_to) && ok;
        if (built.up_to != nullptr) before = built.up_to;
      } else if (i + 1 < clause.tiers.size()) {
        c_.ReportText(DPL0508, clause.tiers[i + 1].span,
                      "the tier before this one has no `up to`, so this one is never reached")
            .Label(tier.span, "this one has no end");
        ok = false;
      }
      out->tiers.push_back(built);
    }
    return ok;
  }

  bool Rising(const Expr& below, const Expr& above) {
    uint32_t a = FoldConstant(c_, below), b = FoldConstant(c_, above);
    if (a == kNone || b == kNone) return true;
    const Constant &low = c_.model.constants[a], &high = c_.model.constants[b];
    if (low.kind == Constant::Kind::kMoney && low.extra != high.extra) {
      c_.Report(DPL0304, above.span, {Quoted(ConstantText(c_, a)), Quoted(ConstantText(c_, b))})
          .Help("state both in one currency");
      return false;
    }
    if (high.number > low.number) return true;
    c_.Report(DPL0508, above.span, {Quoted(ConstantText(c_, b)), Quoted(ConstantText(c_, a))});
    return false;
  }

  // ---- keys
  bool Keys(ast::LimitClause& clause, LimitModel* out) {
    bool ok = true;
    std::vector<std::string> names;
    for (ast::LimitClause::Key& key : clause.keys) {
      if (std::find(names.begin(), names.end(), key.path.text) != names.end()) {
        c_.Report(DPL0103, key.span, {"the key " + Quoted(key.path.text)});
        ok = false;
        continue;
      }
      names.push_back(key.path.text);
      ok = Key(clause, key, out) && ok;
    }
    if (!clause.keys.empty() && clause.period == ast::PeriodKind::kEach) {
      c_.ReportText(DPL0505, clause.keys[0].span,
                    "a limit on each act counts nothing, so it has no key")
          .Help("leave `for each` out, or say over what time: `per day for each …`");
      ok = false;
    }
    out->identity += "|";
    for (size_t i = 0; i < names.size(); ++i) out->identity += (i == 0 ? "" : ",") + names[i];
    return ok;
  }

  bool Unavailable(const ast::LimitClause& clause, const ast::LimitClause::Key& key,
                   const std::string& why) {
    c_.Report(DPL0505, key.span, {Quoted(clause.measure.text), Quoted(key.path.text)}).Help(why);
    return false;
  }

  bool Key(const ast::LimitClause& clause, ast::LimitClause::Key& key, LimitModel* out) {
    const std::string& name = key.path.text;
    LimitKeyPart part;
    part.name = c_.model.AddString(name);
    if (name == "person") {
      if (!place_.person) return Unavailable(clause, key, place_.no_person);
      part.kind = KeyPartKind::kPerson;
    } else if (name == "agent" || name == "instance") {
      bool here = name == "agent" ? place_.agent : place_.instance;
      if (!here) return Unavailable(clause, key, place_.no_agent);
      part.kind = name == "agent" ? KeyPartKind::kAgent : KeyPartKind::kInstance;
    } else if (name == "task") {
      if (!place_.task) {
        c_.Report(DPL0506, key.span, {Called(s_)})
            .Help("count it in the task, or say `only in task …` in the delegation");
        return false;
      }
      part.kind = KeyPartKind::kTask;
    } else if (name == "partner") {
      if (!place_.partner)
        return Unavailable(clause, key,
                           "only a partner's own requests have one; count it in the `partner`");
      part.kind = KeyPartKind::kPartner;
    } else if (name == "resource") {
      part.kind = KeyPartKind::kResource;
    } else {
      return PathKey(clause, key, std::move(part), out);
    }
    out->keys.push_back(part);
    return true;
  }

  bool PathKey(const ast::LimitClause& clause, ast::LimitClause::Key& key, LimitKeyPart part,
               LimitModel* out) {
    const std::string& name = key.path.text;
    std::string root = name.substr(0, name.find('.'));
    if (root != "person" && root != "resource" && root != "task" && root != "request") {
      static const std::vector<std::string> kKeys = {"person", "agent",   "instance",
                                                     "task",   "partner", "resource"};
      c_.ReportText(DPL0505, key.span, Quoted(name) + " is no key to count by")
          .Help(DidYouMean(NearNames(name, kKeys)))
          .Help(
              "count for each `person`, `agent`, `instance`, `task`, `resource`, or a path such as "
              "`resource.vendor`");
      return false;
    }
    if (root == "person" && !place_.person) return Unavailable(clause, key, place_.no_person);
    if (root == "task" && !place_.task) {
      c_.Report(DPL0506, key.span, {Called(s_)});
      return false;
    }
    key.expr = PathExpr(key.path);
    TypeId type = kNone;
    const Expr* typed = PerType(*key.expr, clause, &type);
    if (typed == nullptr) return false;
    TypeKind kind = c_.Type(type).kind;
    if (kind == TypeKind::kSet || kind == TypeKind::kRecord || kind == TypeKind::kLabels) {
      return Unavailable(
          clause, key,
          Quoted(name) + " is " + DescribeType(c_, type) + "; a key is one plain value");
    }
    part.kind = KeyPartKind::kCode;
    part.code = static_cast<uint32_t>(out->key_exprs.size());
    out->key_exprs.push_back(typed);
    out->keys.push_back(part);
    return true;
  }

  // ---- across the limits of the statement
  bool KeyedByRequest(const LimitModel& limit) const {
    bool found = false;
    for (const LimitKeyPart& key : limit.keys) found |= key.kind == KeyPartKind::kInstance;
    for (const Expr* key : limit.key_exprs) {
      Walk(*key, [&](const Expr& e) {
        found |= e.ref == ast::RefKind::kRequestParam;
        if (e.ref == ast::RefKind::kPersonAttr)
          found |= c_.model.schema.person.attributes[e.ref_a].from_request;
        if (e.ref == ast::RefKind::kResourceAttr || e.ref == ast::RefKind::kResourceParent) {
          found |= c_.model.schema.resources[e.ref_b].attributes[e.ref_a].from_request;
        }
      });
    }
    return found;
  }

  // Closing rule 24.
  void CheckRequestKeys() {
    for (const LimitModel& limit : statement_.limits) {
      if (!KeyedByRequest(limit)) continue;
      bool bounded = std::any_of(
          statement_.limits.begin(), statement_.limits.end(), [&](const LimitModel& other) {
            return &other != &limit && !other.clause->no_limit &&
                   other.clause->measure.text == limit.clause->measure.text &&
                   other.clause->period != ast::PeriodKind::kEach && !KeyedByRequest(other);
          });
      if (bounded) continue;
      const Span& span =
          limit.clause->keys.empty() ? limit.clause->span : limit.clause->keys[0].span;
      c_.ReportText(DPL0505, span,
                    "a key that the caller makes up, like this one, gives everybody as many "
                    "budgets as they like")
          .Help("add a second limit on " + Quoted(limit.clause->measure.text) +
                " without that key");
    }
  }

  int64_t LastBound(const LimitModel& limit, uint32_t* currency) const {
    const Expr* last = limit.cap;
    for (const LimitModel::Tier& tier : limit.tiers) {
      if (tier.up_to == nullptr) return INT64_MAX;
      last = tier.up_to;
    }
    uint32_t constant = last == nullptr ? kNone : FoldConstant(c_, *last);
    if (constant == kNone) return INT64_MAX;
    *currency = c_.model.constants[constant].extra;
    return c_.model.constants[constant].number;
  }

  void WarnNeverBinds() {
    for (const LimitModel& each : statement_.limits) {
      if (each.clause->no_limit || each.clause->period != ast::PeriodKind::kEach ||
          each.cap == nullptr)
        continue;
      uint32_t constant = FoldConstant(c_, *each.cap);
      if (constant == kNone) continue;
      const Constant cap = c_.model.constants[constant];
      for (const LimitModel& other : statement_.limits) {
        if (other.clause->no_limit || other.clause->period == ast::PeriodKind::kEach) continue;
        if (other.clause->measure.text != each.clause->measure.text) continue;
        uint32_t currency = cap.extra;
        int64_t bound = LastBound(other, &currency);
        if (currency != cap.extra || bound > cap.number) continue;
        c_.Report(DPL0503, each.clause->span,
                  {"another one stops at " +
                   Quoted(std::string(c_.SourceText(other.clause->quantity->span))) + " in all"})
            .Label(other.clause->span, "this one");
        break;
      }
    }
  }

  void CheckNoLimit() {
    for (const LimitModel& none : statement_.limits) {
      if (!none.clause->no_limit) continue;
      for (const LimitModel& other : statement_.limits) {
        if (other.clause->no_limit || other.clause->measure.text != none.clause->measure.text)
          continue;
        c_.ReportText(DPL0103, none.clause->span,
                      Quoted(none.clause->measure.text) + " is both limited and not limited here")
            .Label(other.clause->span, "limited here");
        break;
      }
    }
  }

  Checker& c_;
  const Symbol& s_;
  std::vector<ast::LimitClause>& limits_;
  const LimitPlace& place_;
  StatementModel& statement_;
};

}  // namespace

void BuildLimits(Checker& c, const Symbol& s, std::vector<ast::LimitClause>& limits,
                 const LimitPlace& place) {
  LimitBuilder(c, s, limits, place).Run();
}

void BuildLimitBlock(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::LimitDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true}, "a limit");
  ReadTerms(c, s, decl.meta, Need::kYes);
  ResolveSubjects(c, decl.applies_to, *s.file);
  ExprScope scope = RestrictingScope(*s.file, "a limit's condition");
  Span subjects = decl.applies_to.empty() ? Span{} : decl.applies_to.front().span;
  AddCovers(c, statement, decl.covers, ClauseRole::kLimitCovers,
            decl.has_applies_to ? &decl.applies_to : nullptr, subjects, scope);
  if (decl.covers.empty())
    Lacks(c, s, "`covers`, which says what is limited", "add `covers … on …`");
  if (decl.caps.empty()) Lacks(c, s, "a `cap`", "add `cap … to … per day`");

  bool agents = !decl.applies_to.empty(), people = true, partners = agents;
  for (const ast::Subject& subject : decl.applies_to) {
    agents &=
        subject.kind == ast::Subject::Kind::kAgent || subject.kind == ast::Subject::Kind::kAnyAgent;
    people &=
        subject.kind != ast::Subject::Kind::kPublic && subject.kind != ast::Subject::Kind::kPartner;
    partners &= subject.kind == ast::Subject::Kind::kPartner;
  }
  LimitPlace place;
  place.scope = &scope;
  place.person = people;
  place.agent = place.instance = agents;
  place.partner = partners;
  place.no_person = "not everyone it applies to is a person who is known";
  place.no_agent =
      "people who act without an agent have none, and would be denied; add `applies to any agent`";
  BuildLimits(c, s, decl.caps, place);
}

}  // namespace dpl::check
