// Limits that contradict each other: `limits must agree`, and what `supersedes` can and cannot
// settle.
#include <algorithm>

#include "compiler/check/clauses.h"
#include "compiler/check/expr.h"
#include "compiler/check/facts_check.h"
#include "compiler/check/overlap.h"
#include "compiler/check/phases.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

bool InActivity(const Checker& c, const ClauseModel& clause, uint32_t activity) {
  for (const ActionDef* action : ActionsOf(c, clause)) {
    if (std::binary_search(action->activities.begin(), action->activities.end(), activity))
      return true;
  }
  return false;
}

// How two grants meet over clauses that `both` admits; `who` gets the subject to name.
// Somebody the facts put into both, if they are at hand.
std::string InBoth(const Checker& c, const ast::Subject& one, const ast::Subject& other) {
  if (c.options.facts == nullptr || !c.options.facts->has_memberships) return std::string();
  FactsView facts(c);
  std::set<std::string> others = facts.People(other);
  for (const std::string& person : facts.People(one)) {
    if (others.contains(person)) return person;
  }
  return std::string();
}

template <class Both>
Meeting GrantsMeet(Checker& c, const StatementModel& a, const StatementModel& b,
                   std::string_view within, Both both, std::string* who, std::string* person) {
  Meeting best = Meeting::kApart;
  for (const ClauseModel& x : a.clauses) {
    for (const ClauseModel& y : b.clauses) {
      if (!both(x, y) || x.subjects == nullptr || y.subjects == nullptr ||
          ProvenApart(c, x, y, within))
        continue;
      for (const ast::Subject& one : *x.subjects) {
        for (const ast::Subject& other : *y.subjects) {
          Meeting meeting = SubjectsMeet(c, one, other);
          bool named = meeting == Meeting::kByData && best == meeting && person->empty();
          if (named) *person = InBoth(c, one, other);
          if (named && !person->empty())
            *who = "people of both " + SubjectText(c, one) + " and " + SubjectText(c, other);
          if (meeting <= best) continue;
          best = meeting;
          if (meeting == Meeting::kByData) {
            *who = "people of both " + SubjectText(c, one) + " and " + SubjectText(c, other);
            *person = InBoth(c, one, other);
          } else {
            *who = SubjectText(c, SubjectIncludes(c, one, other) ? other : one);
          }
        }
      }
    }
  }
  return best;
}

class ConflictFinder {
 public:
  explicit ConflictFinder(Checker& c)
      : c_(c), grants_(c.by_kind[static_cast<size_t>(StatementKind::kGrant)]) {}

  void Run() {
    CheckSupersedes();
    std::vector<uint32_t> concerned;
    for (uint32_t g : grants_) {
      if (Concerned(c_.model.statements[g])) concerned.push_back(g);
    }
    for (size_t i = 0; i < concerned.size(); ++i) {
      for (size_t j = i + 1; j < concerned.size(); ++j) Pair(concerned[i], concerned[j]);
    }
    // One message per limit: a certain contradiction before one that only the facts could make.
    std::stable_sort(found_.begin(), found_.end(), [](const Conflict& a, const Conflict& b) {
      return a.meeting != b.meeting ? a.meeting > b.meeting : !a.person.empty() && b.person.empty();
    });
    for (const Conflict& conflict : found_) Tell(conflict);
  }

 private:
  struct Conflict {
    uint32_t first = kNone, second = kNone,
             activity = kNone;  // the later grant is told about the earlier
    const LimitModel* earlier = nullptr;
    const LimitModel* later = nullptr;
    Meeting meeting = Meeting::kApart;
    std::string who;
    std::string person;  // who is known to be in both
  };

  bool Supersedes(uint32_t a, uint32_t b) const {
    const auto& list = c_.model.statements[a].grant.supersedes;
    return std::binary_search(list.begin(), list.end(), b);
  }

  // Has a limit, and reaches an activity whose limits must agree.
  bool Concerned(const StatementModel& grant) const {
    if (grant.limits.empty()) return false;
    for (const ClauseModel& clause : grant.clauses) {
      for (const ActionDef* action : ActionsOf(c_, clause)) {
        for (uint32_t activity : action->activities) {
          if (c_.model.schema.activities[activity].limits_must_agree) return true;
        }
      }
    }
    return false;
  }

  void Pair(uint32_t first, uint32_t second) {
    if (Supersedes(first, second) || Supersedes(second, first)) return;
    // The later one in reading order is told about the earlier.
    auto place = [&](uint32_t s) {
      const Span& span = c_.model.statements[s].decl->span;
      return std::pair(span.file, span.begin);
    };
    if (place(second) < place(first)) std::swap(first, second);
    const StatementModel& a = c_.model.statements[first];
    const StatementModel& b = c_.model.statements[second];
    for (uint32_t activity = 0; activity < c_.model.schema.activities.size(); ++activity) {
      const ActivityDef& def = c_.model.schema.activities[activity];
      if (!def.limits_must_agree) continue;
      std::string who, person;
      Meeting meeting = Meeting::kApart;
      bool asked = false;
      for (const LimitModel& x : a.limits) {
        for (const LimitModel& y : b.limits) {
          if (!Disagree(def, x, y)) continue;
          if (!asked) {
            asked = true;
            meeting = GrantsMeet(
                c_, a, b, c_.Text(def.agree_within),
                [&](const ClauseModel& l, const ClauseModel& r) {
                  return InActivity(c_, l, activity) && InActivity(c_, r, activity);
                },
                &who, &person);
          }
          if (meeting != Meeting::kApart)
            found_.push_back({first, second, activity, &x, &y, meeting, who, person});
        }
      }
    }
  }

  // Two limits on one measure of the activity, over the same time and keys, that do not say the
  // same.
  bool Disagree(const ActivityDef& activity, const LimitModel& x, const LimitModel& y) {
    const ast::LimitClause &a = *x.clause, &b = *y.clause;
    if (a.measure.text != b.measure.text) return false;
    bool measured =
        std::any_of(activity.measures.begin(), activity.measures.end(),
                    [&](const MeasureDef& m) { return c_.Text(m.name) == a.measure.text; });
    if (!measured) return false;
    if (a.no_limit || b.no_limit) return a.no_limit != b.no_limit;
    if (a.period != b.period || a.keys.size() != b.keys.size()) return false;
    if (a.period == ast::PeriodKind::kSliding && a.window.text != b.window.text) return false;
    for (const auto& key : a.keys) {
      if (std::none_of(b.keys.begin(), b.keys.end(),
                       [&](const auto& other) { return other.path.text == key.path.text; }))
        return false;
    }
    if (!SameQuantity(x.cap, y.cap) || x.tiers.size() != y.tiers.size()) return true;
    for (size_t i = 0; i < x.tiers.size(); ++i) {
      if (x.tiers[i].approval != y.tiers[i].approval ||
          !SameQuantity(x.tiers[i].up_to, y.tiers[i].up_to))
        return true;
    }
    return false;
  }

  bool SameQuantity(const ast::Expr* x, const ast::Expr* y) {
    if (x == nullptr || y == nullptr) return x == y;
    uint32_t a = FoldConstant(c_, *x), b = FoldConstant(c_, *y);
    if (a != kNone || b != kNone) return a == b;
    return c_.SourceText(x->span) == c_.SourceText(y->span);
  }

  std::string LimitText(const LimitModel& limit, const LimitModel& other) const {
    std::string cap(c_.SourceText(limit.clause->quantity->span));
    if (other.clause->no_limit || cap != c_.SourceText(other.clause->quantity->span)) return cap;
    std::string all(c_.SourceText(limit.clause->span));
    size_t to = all.find(cap);
    return to == std::string::npos ? all : all.substr(to);
  }

  void Tell(const Conflict& conflict) {
    const auto& [first, second, activity, earlier, later, meeting, people, person] = conflict;
    const LimitModel &x = *earlier, &y = *later;
    const Symbol &a = *c_.statement_symbols[first], &b = *c_.statement_symbols[second];
    const Symbol& act = *c_.activity_symbols[activity];
    std::string who = people + (person.empty() ? "" : ", such as person \"" + person + "\",") +
                      " (activity " + Quoted(act.name) + ")";
    const std::string& measure = y.clause->measure.text;
    std::string message;
    if (y.clause->no_limit) {
      message = measure + " has no limit here and is limited to " + Quoted(LimitText(x, y)) +
                " at " + c_.Place(x.clause->span) + " for " + who;
    } else if (x.clause->no_limit) {
      message = measure + " is limited to " + Quoted(LimitText(y, x)) +
                " here and has no limit at " + c_.Place(x.clause->span) + " for " + who;
    } else {
      message = FillTemplate(InfoOf(DPL0501).message,
                             {measure, Quoted(LimitText(y, x)), Quoted(LimitText(x, y)),
                              c_.Place(x.clause->span), who});
    }
    Severity severity =
        meeting == Meeting::kAlways || !person.empty() ? Severity::Error : Severity::Warning;
    auto owned = [&](uint32_t s) { return c_.OwnerText(c_.model.statements[s].owner); };
    c_.ReportAs(severity, DPL0501, y.clause->span, message)
        .Label(y.clause->span, Called(b) + ", owned by " + owned(second))
        .Label(x.clause->span, Called(a) + ", owned by " + owned(first))
        .Label(act.decl->head_span, "its limits must agree")
        .Help("set one number, or add `supersedes grant " +
              (a.package == b.package ? a.name : a.qualified) + "` to " + Called(b))
        .Help(meeting == Meeting::kByData
                  ? "until then the tighter one binds for whoever is in both"
                  : "");
  }

  // ---- supersedes
  void CheckSupersedes() {
    for (uint32_t g : grants_) {
      const StatementModel& statement = c_.model.statements[g];
      const Symbol& symbol = *c_.statement_symbols[g];
      const auto& decl = static_cast<const ast::GrantDecl&>(*symbol.decl);
      for (uint32_t other : statement.grant.supersedes) {
        const Symbol& target = *c_.statement_symbols[other];
        Span span = decl.head_span;
        for (const ast::QName& name : decl.supersedes) {
          if (name.text == target.name || name.text == target.qualified) span = name.span;
        }
        if (Leads(other, g)) {
          c_.ReportText(DPL0511, span,
                        Called(symbol) + " and " + Called(target) + " supersede each other")
              .Label(target.decl->head_span, "declared here");
          continue;
        }
        std::string who, person;
        const StatementModel& older = c_.model.statements[other];
        if (statement.clauses.empty() || older.clauses.empty()) continue;
        Meeting meeting = GrantsMeet(
            c_, statement, older, "",
            [&](const ClauseModel& l, const ClauseModel& r) {
              return SharesAction(l, r) || SharesActivity(l, r);
            },
            &who, &person);
        if (meeting != Meeting::kApart) continue;
        c_.Report(DPL0511, span, {Called(symbol), Called(target)})
            .Label(target.decl->head_span, "declared here")
            .Help("remove `supersedes`: no request is for both");
      }
    }
  }

  bool SharesActivity(const ClauseModel& l, const ClauseModel& r) const {
    for (const ActionDef* action : ActionsOf(c_, l)) {
      for (uint32_t activity : action->activities) {
        if (InActivity(c_, r, activity)) return true;
      }
    }
    return false;
  }

  // Whether `from` supersedes `to`, directly or over others.
  bool Leads(uint32_t from, uint32_t to) const {
    std::set<uint32_t> seen;
    std::vector<uint32_t> todo{from};
    while (!todo.empty()) {
      uint32_t at = todo.back();
      todo.pop_back();
      if (at == to) return true;
      if (!seen.insert(at).second) continue;
      for (uint32_t next : c_.model.statements[at].grant.supersedes) todo.push_back(next);
    }
    return false;
  }

  Checker& c_;
  const std::vector<uint32_t>& grants_;
  std::vector<Conflict> found_;
};

}  // namespace

void CheckConflicts(Checker& c) { ConflictFinder(c).Run(); }

}  // namespace dpl::check
