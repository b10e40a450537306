// Finds what mutation may change: every clause that can be dropped or loosened, one at a time, and
// the test that would notice. Governance (because, ticket, owner, review, approved by) is the
// checker's to hold, not a test's, and left out.
#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "compiler/lower/parts.h"
#include "compiler/testing/decl_clauses.h"
#include "compiler/testing/mutate.h"
#include "runtime/base/decimal.h"
#include "runtime/base/money.h"
#include "runtime/base/text.h"

namespace dpl::testing {
namespace {

using ast::DeclKind;

constexpr const char* kLong = "36500d";  // a hundred years: as good as no bound

struct Change {
  std::function<void()> apply, undo;
};

// The field gets another value; undone by swapping back.
template <class T>
Change Swap(T* field, T value) {
  auto held = std::make_shared<T>(std::move(value));
  auto swap = [field, held] { std::swap(*field, *held); };
  return {swap, swap};
}

// One element leaves its list and returns to its place.
template <class T>
Change Without(std::vector<T>* list, size_t index) {
  auto held = std::make_shared<std::optional<T>>();
  auto at = static_cast<ptrdiff_t>(index);
  return {[list, held, at] {
            held->emplace(std::move((*list)[static_cast<size_t>(at)]));
            list->erase(list->begin() + at);
          },
          [list, held, at] { list->insert(list->begin() + at, std::move(**held)); }};
}

Change Both(Change a, Change b) {
  return {[a, b] { a.apply(), b.apply(); }, [a, b] { b.undo(), a.undo(); }};
}

Change SetText(ast::Literal* literal, std::string text) {
  ast::Literal changed = *literal;
  changed.text = std::move(text);
  changed.present = true;
  return Swap(literal, changed);
}

// The digits with one more of their last place: 5_000 → 5001, 0.25 → 0.26.
std::string OneMore(std::string digits) {
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  for (size_t i = digits.size(); i > 0; --i) {
    char& c = digits[i - 1];
    if (c == '.') continue;
    if (c != '9') {
      ++c;
      return digits;
    }
    c = '0';
  }
  return "1" + digits;
}

// The least amount above this one: 5_000 USD → 5000.01.
std::string OneMinorMore(const std::string& number, const std::string& currency) {
  std::string digits = number;
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  Result<Money> money = ParseMoneyText(digits + " " + currency);
  if (!money.ok()) return OneMore(digits);
  Money more = *money;
  more.minor += 1;
  std::string text;
  AppendMoney(&text, more);
  return text.substr(0, text.find(' '));
}

class Finder {
 public:
  explicit Finder(Compilation* c) : c_(*c), diagnostics_(c->sink.Sorted()) {
    for (const Clause& clause : c->program->clauses) {
      if (clause.role != ClauseRole::kGrantMay) continue;
      for (uint32_t action : clause.actions) granted_.insert({clause.type, action});
    }
  }

  std::vector<Mutation> Run() {
    for (auto& file : c_.files) {
      for (size_t d = 0; d < file->decls.size(); ++d) One(file.get(), d);
    }
    std::stable_sort(found_.begin(), found_.end(), [&](const Mutation& a, const Mutation& b) {
      return std::make_tuple(PathOf(a.span), a.span.begin) <
             std::make_tuple(PathOf(b.span), b.span.begin);
    });
    return std::move(found_);
  }

 private:
  std::string_view PathOf(const Span& span) const {
    const SourceFile* file = c_.sources.Find(span.file);
    return file == nullptr ? std::string_view() : std::string_view(file->path());
  }
  std::string Quote(const Span& span) const { return "`" + OneLine(c_.sources, span, 70) + "`"; }

  void Add(std::string kind, const Span& span, const std::string& what, std::string hint,
           Change change, std::string equivalent = {}) {
    Mutation m;
    m.kind = std::move(kind);
    m.statement = name_;
    m.what = word_ + " " + name_ + " " + what;
    m.hint = std::move(hint);
    m.equivalent = std::move(equivalent);
    m.span = span.known() ? span : head_;
    m.apply = std::move(change.apply);
    m.undo = std::move(change.undo);
    found_.push_back(std::move(m));
  }

  // Whether the checker warned, within this place, that it has no effect.
  bool Warned(DiagCode code, const Span& span) const {
    return std::any_of(diagnostics_.begin(), diagnostics_.end(), [&](const Diagnostic& d) {
      return d.code == code && d.span.file == span.file && d.span.begin >= span.begin &&
             d.span.end <= span.end;
    });
  }

  void One(ast::File* file, size_t index) {
    ast::Decl& decl = *file->decls[index];
    static constexpr std::pair<DeclKind, const char*> kWords[] = {
        {DeclKind::kGrant, "grant"},           {DeclKind::kLimit, "limit"},
        {DeclKind::kForbid, "forbid"},         {DeclKind::kAgent, "agent"},
        {DeclKind::kDelegation, "delegation"}, {DeclKind::kTask, "task"},
        {DeclKind::kApproval, "approval"},     {DeclKind::kObligation, "obligation"},
        {DeclKind::kSeparate, "separate"},     {DeclKind::kBreakGlass, "break_glass"},
        {DeclKind::kPartner, "partner"},       {DeclKind::kRole, "role"}};
    auto word = std::find_if(std::begin(kWords), std::end(kWords),
                             [&](const auto& entry) { return entry.first == decl.kind; });
    if (word == std::end(kWords)) return;
    word_ = word->second;
    head_ = decl.head_span;
    name_ = file->package.text + "." + decl.name.text;
    restricts_ = decl.kind == DeclKind::kLimit || decl.kind == DeclKind::kForbid ||
                 decl.kind == DeclKind::kObligation || decl.kind == DeclKind::kSeparate;
    added_.clear();
    Whole(file, index);
    Clauses(decl);
    for (const ast::LimitClause* clause : LimitClausesOf(decl))
      Limit(const_cast<ast::LimitClause&>(*clause));
    switch (decl.kind) {
      case DeclKind::kGrant:
        OfGrant(static_cast<ast::GrantDecl&>(decl));
        break;
      case DeclKind::kForbid:
        OfForbid(static_cast<ast::ForbidDecl&>(decl));
        break;
      case DeclKind::kAgent:
        OfAgent(static_cast<ast::AgentDecl&>(decl));
        break;
      case DeclKind::kDelegation:
        OfDelegation(static_cast<ast::DelegationDecl&>(decl));
        break;
      case DeclKind::kTask:
        OfTask(static_cast<ast::TaskDecl&>(decl));
        break;
      case DeclKind::kApproval:
        OfApproval(static_cast<ast::ApprovalDecl&>(decl));
        break;
      case DeclKind::kObligation:
        OfObligation(static_cast<ast::ObligationDecl&>(decl));
        break;
      case DeclKind::kBreakGlass:
        OfBreakGlass(static_cast<ast::BreakGlassDecl&>(decl));
        break;
      case DeclKind::kPartner:
        OfPartner(static_cast<ast::PartnerDecl&>(decl));
        break;
      case DeclKind::kRole:
        if (static_cast<ast::RoleDecl&>(decl).where != nullptr)
          Parts(&static_cast<ast::RoleDecl&>(decl).where, "condition",
                "one who lacks only this and is expected to be denied");
        break;
      default:
        break;
    }
  }

  // ---- whole statements
  void Whole(ast::File* file, size_t index) {
    ast::Decl& decl = *file->decls[index];
    const char* hint = nullptr;
    switch (decl.kind) {
      case DeclKind::kGrant:
        hint = "a test that expects a permit by it would notice";
        break;
      case DeclKind::kForbid:
        hint =
            "a test of what it forbids, otherwise granted, that expects `deny forbidden` would "
            "notice";
        break;
      case DeclKind::kLimit:
        hint = "a test that goes over its cap and expects `deny limit.exceeded` would notice";
        break;
      case DeclKind::kSeparate:
        hint =
            "a test in which one person does both acts and expects `deny separation` would "
            "notice";
        break;
      case DeclKind::kObligation:
        hint = "a test that expects `permit must …` would notice";
        break;
      case DeclKind::kBreakGlass:
        hint = "a test that opens it and expects a permit would notice";
        break;
      default:
        return;  // dropping an agent or a task only leaves names without a meaning
    }
    bool dead = decl.kind == DeclKind::kGrant && Warned(DPL0413, decl.span);
    Add("drop-" + word_, decl.head_span, "dropped", hint, Without(&file->decls, index),
        dead ? "a forbid covers all of it (DPL0413)" : "");
    Change never = Never(decl);
    found_.back().apply_named = std::move(never.apply);
    found_.back().undo_named = std::move(never.undo);
  }

  // Every clause of it `where false`.
  static Change Never(ast::Decl& decl) {
    Change all{[] {}, [] {}};
    for (const ast::MayClause* clause : ClausesOf(decl)) {
      auto no = std::make_unique<ast::Expr>();
      no->kind = ast::ExprKind::kBool;
      no->span = clause->span;
      all =
          Both(std::move(all), Swap(&const_cast<ast::MayClause*>(clause)->on.where, std::move(no)));
    }
    return all;
  }

  // ---- may and covers
  void Clauses(ast::Decl& decl) {
    for (const ast::MayClause* clause : ClausesOf(decl)) {
      auto& may = const_cast<ast::MayClause&>(*clause);
      if (may.on.where != nullptr) {
        bool always = Warned(DPL0313, may.on.where->span);
        const char* hint = restricts_
                               ? "a test that asks where this is false and expects a permit would "
                                 "notice"
                               : "a test that asks where this is false and expects a denial would "
                                 "notice";
        Add("drop-where", may.on.where->span,
            "without `where " + OneLine(c_.sources, may.on.where->span, 70) + "`", hint,
            Swap(&may.on.where, ast::ExprPtr()),
            always ? "this condition is always true (DPL0313)" : "");
        Parts(&may.on.where, "condition",
              restricts_ ? "where only this is false and expects a permit"
                         : "where only this is false and expects a denial");
      }
      if (may.on.id.present) {
        Add("drop-scope", may.on.id.span, "for every id, not only " + Quote(may.on.id.span),
            std::string("a test of another id that expects ") +
                (restricts_ ? "a permit" : "a denial") + " would notice",
            Swap(&may.on.id, ast::StringLit()));
      }
      if (!may.on.containers.empty()) {
        Add("drop-scope", may.on.containers.front().span,
            "not only in " + Quote(may.on.containers.front().span),
            std::string("a test of something outside of it that expects ") +
                (restricts_ ? "a permit" : "a denial") + " would notice",
            Swap(&may.on.containers, std::vector<ast::Container>()));
      }
      if (!may.ask.empty()) {
        Add("drop-ask", may.ask.span, "without asking for " + Quote(may.ask.span),
            "a test that expects `ask " + may.ask.text + "` would notice",
            Swap(&may.ask, ast::QName()));
      }
      if (may.actions.size() > 1) {
        for (size_t a = 0; a < may.actions.size(); ++a) {
          Add("drop-action", may.actions[a].span, "without `" + may.actions[a].text + "`",
              restricts_ ? "a test of `" + may.actions[a].text + "` that it stops would notice"
                         : "a test of `" + may.actions[a].text +
                               "` that expects a permit would "
                               "notice",
              Without(&may.actions, a));
        }
      }
      if (!restricts_) AddAction(decl, &may);
    }
    DropClause(decl);
  }

  // One more action that some grant gives on this type and the statement does not name.
  void AddAction(const ast::Decl& decl, ast::MayClause* may) {
    if (may->any_action || may->actions.empty() || may->on.everything_in) return;
    const Schema& schema = c_.program->schema;
    for (const ast::QName& type_name : may->on.types) {
      if (added_.contains(type_name.text)) continue;
      uint32_t type = kNone;
      for (uint32_t t = 0; t < schema.resources.size(); ++t) {
        std::string_view name = schema.Text(schema.resources[t].name);
        if (name == type_name.text) type = t;
      }
      if (type == kNone) continue;
      const ResourceDef& resource = schema.resources[type];
      for (uint32_t a = 0; a < resource.actions.size(); ++a) {
        std::string action(schema.Text(resource.actions[a].name));
        bool named = false;
        for (const ast::MayClause* other : ClausesOf(decl)) {
          named |= other->any_action || other->on.everything_in || !other->activities.empty();
          for (const ast::Name& n : other->actions) named |= n.text == action;
        }
        // A ceiling over what nobody is granted changes nothing that could be seen.
        bool gives = decl.kind == DeclKind::kGrant || decl.kind == DeclKind::kBreakGlass;
        if (named || (!gives && !granted_.contains({type, a}))) continue;
        ast::Name extra = may->actions.back();
        extra.text = action;
        std::vector<ast::Name> more = may->actions;
        more.push_back(extra);
        added_.insert(type_name.text);
        Add("add-action", may->actions.back().span, "with `" + action + "` added to its `may`",
            "a test of `" + action + "` on " + type_name.text +
                " that expects a denial would "
                "notice",
            Swap(&may->actions, std::move(more)));
        return;
      }
    }
  }

  template <class T>
  void DropEach(std::vector<T>* list, const char* kind, const char* hint) {
    if (list->size() < 2) return;
    for (size_t i = 0; i < list->size(); ++i)
      Add(kind, (*list)[i].span, "without " + Quote((*list)[i].span), hint, Without(list, i));
  }

  void DropClause(ast::Decl& decl) {
    const char* may = "a test of what only this clause allows, expecting a permit, would notice";
    const char* covers = "a test of what only this clause covers would notice";
    switch (decl.kind) {
      case DeclKind::kGrant:
        for (ast::GrantRow& row : static_cast<ast::GrantDecl&>(decl).rows)
          DropEach(&row.may, "drop-may", may);
        break;
      case DeclKind::kAgent:
        DropEach(&static_cast<ast::AgentDecl&>(decl).may, "drop-may", may);
        break;
      case DeclKind::kDelegation:
        DropEach(&static_cast<ast::DelegationDecl&>(decl).may, "drop-may", may);
        break;
      case DeclKind::kTask:
        DropEach(&static_cast<ast::TaskDecl&>(decl).may, "drop-may", may);
        break;
      case DeclKind::kPartner:
        DropEach(&static_cast<ast::PartnerDecl&>(decl).may, "drop-may", may);
        break;
      case DeclKind::kForbid:
        DropEach(&static_cast<ast::ForbidDecl&>(decl).covers, "drop-covers", covers);
        break;
      case DeclKind::kLimit:
        DropEach(&static_cast<ast::LimitDecl&>(decl).covers, "drop-covers", covers);
        break;
      case DeclKind::kObligation:
        DropEach(&static_cast<ast::ObligationDecl&>(decl).covers, "drop-covers", covers);
        break;
      default:
        break;
    }
  }

  // ---- conditions: each operand of a top-level `and` left out
  void Parts(ast::ExprPtr* slot, const char* what, const std::string& hint) {
    if ((*slot)->kind != ast::ExprKind::kAnd) return;
    for (size_t side = 0; side < 2; ++side) {
      ast::ExprPtr* arg = &(*slot)->args[side];
      if ((*arg)->kind == ast::ExprKind::kAnd) {
        Parts(arg, what, hint);
        continue;
      }
      auto held = std::make_shared<ast::ExprPtr>();
      Change change{[slot, held, side] {
                      *held = std::move(*slot);
                      *slot = std::move((*held)->args[1 - side]);
                    },
                    [slot, held, side] {
                      (*held)->args[1 - side] = std::move(*slot);
                      *slot = std::move(*held);
                    }};
      Add("drop-conjunct", (*arg)->span,
          std::string("without the ") + what + " " + Quote((*arg)->span),
          "a test that asks " + hint + " would notice", std::move(change),
          Warned(DPL0313, (*arg)->span) ? "this condition is always true (DPL0313)" : "");
    }
  }

  // ---- limits
  void Limit(ast::LimitClause& clause) {
    if (clause.no_limit || !clause.quantity) return;
    std::string equivalent;
    if (Warned(DPL0503, clause.span)) equivalent = "this limit can never bind (DPL0503)";
    std::string over =
        "a test that asks for the least amount over it and expects " +
        std::string(clause.tiers.empty() ? "`deny limit.exceeded`"
                                         : "`ask " + clause.tiers[0].approval.text + "`") +
        " would notice (`dplc test --boundaries` proposes it)";
    Quantity(&*clause.quantity, clause.span, "raise-limit",
             "with " + Quote(clause.span) + " raised", over, equivalent);
    for (size_t t = 0; t < clause.tiers.size(); ++t) {
      ast::AskTier& tier = clause.tiers[t];
      if (!tier.up_to) continue;
      Quantity(&*tier.up_to, tier.span, "raise-tier", "with " + Quote(tier.span) + " raised",
               "a test that asks for the least amount over it would notice", equivalent);
    }
    if (!clause.tiers.empty() && clause.tiers[0].up_to) {
      // Everything the first tier would ask for, without asking.
      ast::Quantity up_to;
      up_to.kind = clause.tiers[0].up_to->kind;
      up_to.number = clause.tiers[0].up_to->number;
      up_to.currency = clause.tiers[0].up_to->currency;
      up_to.span = clause.tiers[0].up_to->span;
      if (up_to.kind != ast::Quantity::Kind::kExpr) {
        Add("drop-ask", clause.tiers[0].span,
            "without asking " + Quote(clause.tiers[0].approval.span),
            "a test of an amount above the cap that expects `ask " + clause.tiers[0].approval.text +
                "` would notice",
            Both(Swap(&clause.quantity, std::optional<ast::Quantity>(std::move(up_to))),
                 Without(&clause.tiers, 0)),
            equivalent);
      }
    }
    DropLimit(&clause, equivalent);
  }

  void Quantity(ast::Quantity* quantity, const Span& span, const char* kind,
                const std::string& what, const std::string& hint, const std::string& equivalent) {
    std::string more;
    switch (quantity->kind) {
      case ast::Quantity::Kind::kNumber:
        more = OneMore(quantity->number);
        break;
      case ast::Quantity::Kind::kMoney:
        more = OneMinorMore(quantity->number, quantity->currency);
        break;
      case ast::Quantity::Kind::kExpr:
        return;  // a path from facts: its value is not in the policy
    }
    std::string to = more + (quantity->currency.empty() ? "" : " " + quantity->currency);
    Add(kind, span, what + " to " + to, hint, Swap(&quantity->number, std::move(more)), equivalent);
  }

  void DropLimit(ast::LimitClause* clause, const std::string& equivalent) {
    auto* list = ListOf(clause);
    if (list == nullptr) return;
    Add("drop-limit", clause->span, "without " + Quote(clause->span),
        "a test that goes over it and expects `deny limit.exceeded` would notice",
        Without(list, static_cast<size_t>(clause - list->data())), equivalent);
  }

  std::vector<ast::LimitClause>* ListOf(const ast::LimitClause* clause) {
    for (auto& file : c_.files) {
      for (auto& decl : file->decls) {
        std::vector<ast::LimitClause>* list = nullptr;
        if (decl->kind == DeclKind::kGrant) list = &static_cast<ast::GrantDecl&>(*decl).limits;
        if (decl->kind == DeclKind::kLimit) list = &static_cast<ast::LimitDecl&>(*decl).caps;
        if (decl->kind == DeclKind::kAgent) list = &static_cast<ast::AgentDecl&>(*decl).limits;
        if (decl->kind == DeclKind::kDelegation)
          list = &static_cast<ast::DelegationDecl&>(*decl).limits;
        if (decl->kind == DeclKind::kTask) list = &static_cast<ast::TaskDecl&>(*decl).limits;
        if (decl->kind == DeclKind::kPartner) list = &static_cast<ast::PartnerDecl&>(*decl).limits;
        if (list == nullptr || list->empty()) continue;
        if (clause >= list->data() && clause < list->data() + list->size()) return list;
      }
    }
    return nullptr;
  }

  // ---- by kind
  void Longer(ast::Literal* literal, const char* kind, const std::string& what, const char* hint) {
    if (!literal->present) return;
    Add(kind, literal->span, "without " + what + " `" + literal->text + "`", hint,
        SetText(literal, kLong));
  }
  void Expires(ast::Meta* meta) {
    if (!meta->expires.present) return;
    Add("drop-expires", meta->expires_span.known() ? meta->expires_span : meta->expires.span,
        "that never expires", "a test after this day that expects a denial would notice",
        SetText(&meta->expires, "9999-01-01"));
  }
  void Everyone(std::vector<ast::Subject>* subjects, const char* kind, const std::string& hint) {
    using Kind = ast::Subject::Kind;
    for (const ast::Subject& s : *subjects) {
      if (s.kind != Kind::kTeam && s.kind != Kind::kRole && s.kind != Kind::kPerson) return;
    }
    if (subjects->empty()) return;
    ast::Subject everyone;
    everyone.span = subjects->front().span;
    Add(kind, subjects->front().span, "for `everyone` instead of " + Quote(everyone.span), hint,
        Swap(subjects, std::vector<ast::Subject>{everyone}));
  }

  void OfGrant(ast::GrantDecl& decl) {
    for (ast::GrantRow& row : decl.rows) {
      Everyone(&row.to, "widen-to",
               "a test in which somebody else asks and expects a denial would notice");
      DropEach(&row.to, "drop-to",
               "a test in which one of them asks and is permitted would notice");
    }
    DropEach(&decl.rows, "drop-row", "a test of what this row permits would notice");
    Expires(&decl.meta);
    for (size_t i = 0; i < decl.supersedes.size(); ++i) {
      Add("drop-supersedes", decl.supersedes[i].span,
          "that no longer supersedes " + Quote(decl.supersedes[i].span),
          "a test above the other grant's limit that expects a permit would notice",
          Without(&decl.supersedes, i));
    }
  }

  void OfForbid(ast::ForbidDecl& decl) {
    if (decl.unless == nullptr) return;
    Add("drop-unless", decl.unless->span,
        "without `unless " + OneLine(c_.sources, decl.unless->span, 70) + "`",
        "a test where this is true and a permit is expected would notice",
        Swap(&decl.unless, ast::ExprPtr()));
    Parts(&decl.unless, "part of its `unless`",
          "where only this is false and expects `deny forbidden`");
  }

  void OfAgent(ast::AgentDecl& decl) {
    Longer(&decl.lives, "drop-lives", "`lives at most`",
           "a test of an older run that expects `deny agent.expired` would notice");
    if (decl.instances.present) {
      Add("drop-instances", decl.instances.span, "with any number of instances",
          "a test of one run more that expects `deny agent.too_many_instances` would notice",
          Both(Swap(&decl.instances, ast::Literal()),
               Swap(&decl.instances_window, ast::Literal())));
    }
  }

  void OfDelegation(ast::DelegationDecl& decl) {
    Everyone(&decl.from, "widen-from",
             "a test in which somebody else's agent asks and is denied would notice");
    if (!decl.only_in_tasks.empty()) {
      Add("drop-only-in-task", decl.only_in_tasks.front().span, "outside of its tasks too",
          "a test without a task that expects `deny task.required` would notice",
          Swap(&decl.only_in_tasks, std::vector<ast::QName>()));
    }
    if (decl.consent == ast::DelegationDecl::Consent::kEvery ||
        decl.consent == ast::DelegationDecl::Consent::kEachTask) {
      Add("drop-consent", decl.consent_span, "without asking for consent",
          "a test without a consent that expects `deny delegation.consent_missing` would notice",
          Swap(&decl.consent, ast::DelegationDecl::Consent::kByPolicy));
    }
    if (decl.consent == ast::DelegationDecl::Consent::kEvery)
      Longer(&decl.consent_every, "drop-consent-age", "an end of its consent after",
             "a test after that time that expects `deny delegation.consent_missing` would notice");
    if (decl.onward_hops.present) {
      Add("raise-hops", decl.onward_hops.span,
          "with one hop more than `" + decl.onward_hops.text + "`",
          "a test of a longer chain that expects `deny delegation.depth` would notice",
          SetText(&decl.onward_hops, OneMore(decl.onward_hops.text)));
    }
    DropEach(&decl.onward_to, "drop-onward", "a test of a chain through it would notice");
    Longer(&decl.lasts, "drop-lasts", "`lasts at most`",
           "a test after that time that expects `deny delegation.expired` would notice");
    Expires(&decl.meta);
  }

  void OfTask(ast::TaskDecl& decl) {
    Longer(&decl.lasts, "drop-lasts", "`lasts at most`",
           "a test after that time that expects `deny task.expired` would notice");
    if (!decl.for_agents.empty()) {
      Add("drop-for", decl.for_agents.front().span, "for any agent",
          "a test of another agent in it that expects `deny task.wrong_actor` would notice",
          Swap(&decl.for_agents, std::vector<ast::QName>()));
    }
  }

  void OfApproval(ast::ApprovalDecl& decl) {
    for (ast::ApprovalDecl::By& by : decl.by) {
      if (!by.count.present || by.count.text == "1") continue;
      Add("fewer-approvers", by.count.span, "with 1 approver instead of " + by.count.text,
          "a test with too few approvers that expects `ask` again would notice",
          SetText(&by.count, "1"));
    }
    for (size_t i = 0; i < decl.never_by.size(); ++i) {
      bool manager = decl.never_by[i] == ast::Party::kManager;
      static constexpr const char* kParties[] = {"the person", "the agent", "the accountable",
                                                 "the manager"};
      Add("drop-never-by", head_,
          std::string("without `never by ") + kParties[static_cast<size_t>(decl.never_by[i])] + "`",
          "a test in which the manager approves and is asked again would notice",
          Without(&decl.never_by, i),
          manager ? "" : "they never count, said or not (closing rule 33)");
    }
    Longer(&decl.good_within, "drop-good-within", "an end of the approval after",
           "a test that uses it later and expects `ask` again would notice");
    if (decl.good_for.present) {
      Add("raise-good-for", decl.good_for.span, "good for one request more",
          "a test that uses it once too often and expects `ask` again would notice",
          SetText(&decl.good_for, OneMore(decl.good_for.text)));
    }
    Longer(&decl.within, "drop-within", "an end of the wait after",
           "a test that approves later and is asked again would notice");
  }

  void OfObligation(ast::ObligationDecl& decl) {
    DropEach(&decl.duties, "drop-duty", "a test that expects `permit must …` of it would notice");
  }

  void OfBreakGlass(ast::BreakGlassDecl& decl) {
    Everyone(&decl.who, "widen-who", "a test in which somebody else opens it would notice");
    for (size_t i = 0; i < decl.lifts.size(); ++i) {
      Add("drop-lifts", decl.lifts[i].span, "that no longer lifts " + Quote(decl.lifts[i].span),
          "a test that opens it over this forbid would notice", Without(&decl.lifts, i));
    }
    for (size_t i = 0; i < decl.needs.size(); ++i) {
      Add("drop-needs", decl.needs[i].span, "without asking for `" + decl.needs[i].text + "`",
          "a test that opens it without and expects `deny break_glass.not_allowed` would notice",
          Without(&decl.needs, i));
    }
    Longer(&decl.lasts, "drop-lasts", "`lasts at most`",
           "a test after that time that expects a denial would notice");
  }

  void OfPartner(ast::PartnerDecl& decl) {
    auto flag = [&](bool* accepts, const char* whom) {
      if (!*accepts) return;
      Add("drop-accepts", head_, std::string("that no longer accepts ") + whom,
          std::string("a test in which one of its ") + whom + " is permitted would notice",
          Swap(accepts, false));
    };
    flag(&decl.accepts_agents, "agents");
    flag(&decl.accepts_persons, "persons");
    if (decl.hops.present) {
      Add("raise-hops", decl.hops.span, "with one hop more than `" + decl.hops.text + "`",
          "a test of a longer chain that expects a denial would notice",
          SetText(&decl.hops, OneMore(decl.hops.text)));
    }
    Expires(&decl.meta);
  }

  Compilation& c_;
  std::vector<Diagnostic> diagnostics_;
  std::set<std::pair<uint32_t, uint32_t>> granted_;
  std::vector<Mutation> found_;
  std::set<std::string> added_;  // types of this statement that got one more action
  std::string word_, name_;
  Span head_;
  bool restricts_ = false;
};

}  // namespace

std::vector<Mutation> FindMutations(Compilation* c) { return Finder(c).Run(); }

}  // namespace dpl::testing
