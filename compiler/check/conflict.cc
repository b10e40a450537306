// Limits that contradict each other: `limits must agree`, and what `supersedes` can and cannot
// settle.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>

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

struct Place {
  uint32_t grant = 0;  // position in `concerned_`
  const LimitModel* limit = nullptr;
  uint32_t value = 0;  // equal limits have equal ones
};
// Limits that would have to say the same: on one measure, over the same time and keys. By value,
// each list in the order of grants.
using ByValue = std::map<uint32_t, std::vector<Place>>;
struct Group {
  std::unordered_map<uint64_t, ByValue> pinned;  // by a constant their grant is about
  ByValue free, all;
};

class ConflictFinder {
 public:
  explicit ConflictFinder(Checker& c)
      : c_(c), grants_(c.by_kind[static_cast<size_t>(StatementKind::kGrant)]) {}

  void Run() {
    CheckSupersedes();
    for (uint32_t g : grants_) {
      if (Concerned(c_.model.statements[g])) concerned_.push_back(g);
    }
    for (uint32_t activity = 0; activity < c_.model.schema.activities.size(); ++activity) {
      if (c_.model.schema.activities[activity].limits_must_agree) Agree(activity);
    }
    std::vector<const Conflict*> told;
    for (const auto& [limit, conflict] : found_) told.push_back(&conflict);
    std::sort(told.begin(), told.end(),
              [](const Conflict* a, const Conflict* b) { return a->Before(*b); });
    for (const Conflict* conflict : told) Tell(*conflict);
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

    // A certain contradiction before one that only the facts could make; then as they stand.
    bool Before(const Conflict& other) const {
      auto key = [](const Conflict& c) {
        return std::tuple(-static_cast<int>(c.meeting), c.person.empty(),
                          std::min(c.first, c.second), std::max(c.first, c.second), c.activity,
                          c.earlier->clause->span.begin);
      };
      return key(*this) < key(other);
    }
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

  // ---- one activity
  // Only limits that differ are compared, and of those only the ones whose conditions leave them a
  // request in common: so the work follows what could conflict, not the number of pairs.
  void Agree(uint32_t activity) {
    const ActivityDef& def = c_.model.schema.activities[activity];
    std::vector<uint32_t> members;  // positions in concerned_
    for (uint32_t i = 0; i < concerned_.size(); ++i) {
      const StatementModel& grant = c_.model.statements[concerned_[i]];
      bool in = std::any_of(grant.clauses.begin(), grant.clauses.end(),
                            [&](const ClauseModel& x) { return InActivity(c_, x, activity); });
      if (in) members.push_back(i);
    }
    std::string attribute = Discriminator(members, activity);
    std::vector<std::optional<std::vector<uint64_t>>> values;  // by member; nothing: free
    values.reserve(members.size());
    for (uint32_t i : members) values.push_back(ValuesOf(concerned_[i], activity, attribute));
    for (const MeasureDef& measure : def.measures) {
      std::map<std::string, Group> limited;
      std::map<std::string, uint32_t> value_ids;
      Group unlimited;
      struct Member {
        Place place;
        const std::optional<std::vector<uint64_t>>* values;
        Group* group;
      };
      std::vector<Member> all;
      for (size_t m = 0; m < members.size(); ++m) {
        for (const LimitModel& limit : c_.model.statements[concerned_[members[m]]].limits) {
          if (limit.clause->measure.text != c_.Text(measure.name)) continue;
          bool none = limit.clause->no_limit;
          Group& group = none ? unlimited : limited[FormOf(*limit.clause)];
          auto value = value_ids.emplace(none ? std::string() : ValueOf(limit), value_ids.size());
          Place place{members[m], &limit, value.first->second};
          group.all[place.value].push_back(place);
          if (!values[m]) group.free[place.value].push_back(place);
          if (values[m]) {
            for (uint64_t pinned : *values[m]) group.pinned[pinned][place.value].push_back(place);
          }
          all.push_back({place, &values[m], &group});
        }
      }
      for (const Member& member : all) {
        bool done = true;
        certain_ = kNone;
        if (member.place.limit->clause->no_limit) {
          for (auto& [form, group] : limited)
            done = done && Against(member.place, *member.values, group, activity);
        } else {
          done = Against(member.place, *member.values, *member.group, activity) &&
                 Against(member.place, *member.values, unlimited, activity);
        }
        if (!done) return;
      }
    }
  }

  // What tells most of these grants apart: what the activity agrees within (""), an attribute that
  // conditions pin, or the id of one type ("#7").
  std::string Discriminator(const std::vector<uint32_t>& members, uint32_t activity) {
    std::map<std::string, size_t> uses;
    for (uint32_t i : members) {
      for (const ClauseModel& clause : c_.model.statements[concerned_[i]].clauses) {
        if (!InActivity(c_, clause, activity)) continue;
        if (clause.has_id) ++uses["#" + std::to_string(clause.type)];
        for (const auto& [path, pinned] : PinsAt(clause)) ++uses[path];
        if (PinnedTo(clause, "", activity) != nullptr) ++uses[""];
      }
    }
    std::string best;
    for (const auto& [path, count] : uses) {
      if (count > uses[best]) best = path;
    }
    return best;
  }

  // The constants a clause pins the attribute to; null: it does not.
  const std::set<uint32_t>* PinnedTo(const ClauseModel& clause, const std::string& attribute,
                                     uint32_t activity) {
    const Pins& pins = PinsAt(clause);
    if (!attribute.empty()) {
      auto at = pins.find(attribute);
      return at == pins.end() ? nullptr : &at->second;
    }
    std::string within(c_.Text(c_.model.schema.activities[activity].agree_within));
    if (within.empty()) return nullptr;
    for (const char* whose : {"person.", "resource."}) {
      if (auto at = pins.find(whose + within); at != pins.end()) return &at->second;
    }
    return nullptr;
  }

  // The values of the attribute that the grant is about; nothing: any could be.
  std::optional<std::vector<uint64_t>> ValuesOf(uint32_t grant, uint32_t activity,
                                                const std::string& attribute) {
    std::vector<uint64_t> values;
    for (const ClauseModel& clause : c_.model.statements[grant].clauses) {
      if (!InActivity(c_, clause, activity)) continue;
      if (attribute.starts_with("#")) {
        if (!clause.has_id || "#" + std::to_string(clause.type) != attribute) return std::nullopt;
        values.push_back(std::hash<std::string>()(clause.id));  // a clash costs a comparison
        continue;
      }
      const std::set<uint32_t>* pinned = PinnedTo(clause, attribute, activity);
      if (pinned == nullptr) return std::nullopt;
      values.insert(values.end(), pinned->begin(), pinned->end());
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }

  const Pins& PinsAt(const ClauseModel& clause) {
    auto [at, fresh] = pins_.try_emplace(&clause);
    if (fresh) at->second = PinsOf(c_, clause.where);
    return at->second;
  }

  // Compares a limit with those of a group that say something else. False: too much work, and said
  // so.
  bool Against(const Place& place, const std::optional<std::vector<uint64_t>>& values,
               const Group& group, uint32_t activity) {
    if (!values) return AgainstAll(place, group.all, activity);
    bool done = AgainstAll(place, group.free, activity);
    for (uint64_t pinned : *values) {
      auto at = group.pinned.find(pinned);
      if (at != group.pinned.end()) done = done && AgainstAll(place, at->second, activity);
    }
    return done;
  }

  bool AgainstAll(const Place& place, const ByValue& others, uint32_t activity) {
    for (const auto& [value, list] : others) {
      if (value == place.value || list.front().grant > certain_) continue;
      if (!AgainstList(place, list, activity)) return false;
    }
    return true;
  }

  bool AgainstList(const Place& place, const std::vector<Place>& others, uint32_t activity) {
    const uint32_t here = concerned_[place.grant];
    for (const Place& other : others) {
      const uint32_t there = concerned_[other.grant];
      if (++c_.pair_comparisons > c_.options.most_comparisons) {
        const Symbol& symbol = *c_.activity_symbols[activity];
        c_.Report(DPL0904, symbol.decl->head_span,
                  {"whether the limits of activity " + Quoted(symbol.name) + " agree",
                   "more than " + std::to_string(c_.options.most_comparisons) +
                       " pairs of grants have different ones and could meet"})
            .Help(
                "say `limits must agree within ATTRIBUTE`, and compare it with a constant in each "
                "grant's `where`");
        return false;
      }
      // The later one in reading order is told about the earlier.
      if (there == here || !StandsBefore(there, here)) continue;
      if (Supersedes(here, there) || Supersedes(there, here)) continue;
      Conflict conflict;
      conflict.meeting = GrantsMeet(
          c_.model.statements[there], c_.model.statements[here],
          c_.Text(c_.model.schema.activities[activity].agree_within),
          [&](const ClauseModel& l, const ClauseModel& r) {
            return InActivity(c_, l, activity) && InActivity(c_, r, activity);
          },
          &conflict.who, &conflict.person);
      if (conflict.meeting == Meeting::kApart) continue;
      conflict.first = there;
      conflict.second = here;
      conflict.activity = activity;
      conflict.earlier = other.limit;
      conflict.later = place.limit;
      // One message per limit.
      auto [at, fresh] = found_.try_emplace(place.limit, conflict);
      if (!fresh && conflict.Before(at->second)) at->second = conflict;
      // No later grant makes a message that comes before a certain one.
      if (conflict.meeting == Meeting::kAlways && c_.options.facts == nullptr) {
        certain_ = std::min(certain_, other.grant);
        break;
      }
    }
    return true;
  }

  bool StandsBefore(uint32_t a, uint32_t b) const {
    const Span &x = c_.model.statements[a].decl->span, &y = c_.model.statements[b].decl->span;
    return std::pair(x.file, x.begin) < std::pair(y.file, y.begin);
  }

  // How two grants meet over clauses that `both` admits; `who` gets the subject to name.
  template <class Both>
  Meeting GrantsMeet(const StatementModel& a, const StatementModel& b, std::string_view within,
                     Both both, std::string* who, std::string* person) {
    Meeting best = Meeting::kApart;
    for (const ClauseModel& x : a.clauses) {
      for (const ClauseModel& y : b.clauses) {
        if (!both(x, y) || x.subjects == nullptr || y.subjects == nullptr ||
            ProvenApart(x, PinsAt(x), y, PinsAt(y), within))
          continue;
        for (const ast::Subject& one : *x.subjects) {
          for (const ast::Subject& other : *y.subjects) {
            Meeting meeting = SubjectsMeet(c_, one, other);
            bool named = meeting == Meeting::kByData && best == meeting && person->empty();
            if (named) *person = InBoth(c_, one, other);
            if (named && !person->empty())
              *who = "people of both " + SubjectText(c_, one) + " and " + SubjectText(c_, other);
            if (meeting <= best) continue;
            best = meeting;
            if (meeting == Meeting::kByData) {
              *who = "people of both " + SubjectText(c_, one) + " and " + SubjectText(c_, other);
              *person = InBoth(c_, one, other);
            } else {
              *who = SubjectText(c_, SubjectIncludes(c_, one, other) ? other : one);
            }
          }
        }
      }
    }
    return best;
  }

  // What two limits on one measure must have in common to be compared …
  std::string FormOf(const ast::LimitClause& clause) const {
    std::string form = std::to_string(static_cast<int>(clause.period));
    if (clause.period == ast::PeriodKind::kSliding) form += " " + clause.window.text;
    std::vector<std::string_view> keys;
    for (const auto& key : clause.keys) keys.push_back(key.path.text);
    std::sort(keys.begin(), keys.end());
    for (std::string_view key : keys) form.append("\n").append(key);
    return form;
  }

  // … and what must not differ.
  std::string ValueOf(const LimitModel& limit) {
    std::string value = Quantity(limit.cap);
    for (const LimitModel::Tier& tier : limit.tiers)
      value += "\n" + std::to_string(tier.approval) + " " + Quantity(tier.up_to);
    return value;
  }

  std::string Quantity(const ast::Expr* quantity) {
    if (quantity == nullptr) return "-";
    uint32_t constant = FoldConstant(c_, *quantity);
    if (constant != kNone) return "#" + std::to_string(constant);
    return "=" + std::string(c_.SourceText(quantity->span));
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
    const bool cyclic = SomeSupersedeEachOther();
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
        if (cyclic && Leads(other, g)) {
          c_.ReportText(DPL0511, span,
                        Called(symbol) + " and " + Called(target) + " supersede each other")
              .Label(target.decl->head_span, "declared here");
          continue;
        }
        std::string who, person;
        const StatementModel& older = c_.model.statements[other];
        if (statement.clauses.empty() || older.clauses.empty()) continue;
        Meeting meeting = GrantsMeet(
            statement, older, "",
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

  // Whether any grants do; one walk over all, so that long chains cost no more than short ones.
  bool SomeSupersedeEachOther() const {
    std::map<uint32_t, size_t> open;  // how many grants still supersede it
    for (uint32_t g : grants_) {
      for (uint32_t other : c_.model.statements[g].grant.supersedes) ++open[other];
    }
    std::vector<uint32_t> todo;
    for (uint32_t g : grants_) {
      if (!open.contains(g)) todo.push_back(g);
    }
    size_t reached = 0;
    while (!todo.empty()) {
      uint32_t at = todo.back();
      todo.pop_back();
      ++reached;
      for (uint32_t next : c_.model.statements[at].grant.supersedes) {
        if (--open[next] == 0) todo.push_back(next);
      }
    }
    return reached != grants_.size();
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
  uint32_t certain_ = kNone;         // the first grant that surely contradicts the present limit
  std::vector<uint32_t> concerned_;  // grants, in their order
  std::map<const LimitModel*, Conflict> found_;        // by the later limit
  std::unordered_map<const ClauseModel*, Pins> pins_;  // of grants' clauses
};

}  // namespace

void CheckConflicts(Checker& c) { ConflictFinder(c).Run(); }

}  // namespace dpl::check
