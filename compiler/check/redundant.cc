// Statements that do nothing because others already say it all: grants that a forbid covers whole
// (DPL0413), grants that another grant contains (DPL0414), limits of a grant that a `limit` block
// hides (DPL0503).
//
// Everything is looked up by what it is about (type, action, subject, scope, condition), so the
// work grows with the statements and not with their pairs.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/check/clauses.h"
#include "compiler/check/expr.h"
#include "compiler/check/overlap.h"
#include "compiler/check/phases.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

using ast::Subject;

constexpr size_t kMostCandidates = 8;  // of statements that say the same, the first few are enough

std::string SubjectKeyOf(const Subject& subject) {
  return std::to_string(static_cast<int>(subject.kind)) + ":" +
         (subject.ref == kNone ? "" : std::to_string(subject.ref));
}

std::string KeyOfKind(Subject::Kind kind) { return std::to_string(static_cast<int>(kind)) + ":"; }

std::string ScopeKey(const ClauseModel& clause) {
  if (clause.has_id) return "id " + clause.id;
  std::string key;
  std::vector<uint32_t> constants;
  for (const ClauseModel::Container& container : clause.containers) {
    if (container.kind == ClauseModel::Container::Kind::kTaskParam) return "task";
    constants.push_back(container.constant);
  }
  std::sort(constants.begin(), constants.end());
  for (uint32_t constant : constants) key += " " + std::to_string(constant);
  return key;
}

// Keys of subjects that mean at least everybody this one means.
std::vector<std::string> WiderSubjects(const Checker& c, const Subject& subject) {
  using Kind = Subject::Kind;
  std::vector<std::string> keys{SubjectKeyOf(subject)};
  if (subject.kind == Kind::kAgent) keys.push_back(KeyOfKind(Kind::kAnyAgent));
  bool person = subject.kind == Kind::kTeam || subject.kind == Kind::kRole ||
                subject.kind == Kind::kPerson || subject.kind == Kind::kEveryone;
  if (person) {
    keys.push_back(KeyOfKind(Kind::kEveryone));
    keys.push_back(KeyOfKind(Kind::kPublic));
  }
  if (subject.ref == kNone || (subject.kind != Kind::kTeam && subject.kind != Kind::kRole))
    return keys;
  bool team = subject.kind == Kind::kTeam;
  std::set<uint32_t> seen{subject.ref};
  std::vector<uint32_t> todo{subject.ref};
  while (!todo.empty()) {
    uint32_t at = todo.back();
    todo.pop_back();
    const std::vector<uint32_t>& next =
        team ? c.model.schema.teams[at].within : c.model.schema.roles[at].includes;
    for (uint32_t wider : next) {
      if (!seen.insert(wider).second) continue;
      todo.push_back(wider);
      keys.push_back(std::to_string(static_cast<int>(subject.kind)) + ":" + std::to_string(wider));
    }
  }
  return keys;
}

// Statements by what they reach.
class Reach {
 public:
  void Add(const ClauseModel& clause, uint32_t action, const std::string& subject,
           uint32_t statement) {
    std::vector<uint32_t>& list =
        by_key_[Key(clause.type, action, subject, ScopeKey(clause), clause.where_text)];
    if (list.size() < kMostCandidates && (list.empty() || list.back() != statement))
      list.push_back(statement);
  }
  // Statements that reach all that this clause does, for one action and one of these subjects.
  std::vector<uint32_t> Containing(const ClauseModel& clause, uint32_t action,
                                   const std::vector<std::string>& subjects) const {
    std::vector<uint32_t> found;
    std::string scope = ScopeKey(clause);
    for (const std::string& subject : subjects) {
      for (const std::string& of_scope : {std::string(), scope}) {
        for (const std::string& where : {std::string(), clause.where_text}) {
          auto list = by_key_.find(Key(clause.type, action, subject, of_scope, where));
          if (list != by_key_.end())
            found.insert(found.end(), list->second.begin(), list->second.end());
          if (clause.where_text.empty()) break;
        }
        if (scope.empty()) break;
      }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }
  bool empty() const { return by_key_.empty(); }

 private:
  static std::string Key(uint32_t type, uint32_t action, const std::string& subject,
                         const std::string& scope, const std::string& where) {
    return std::to_string(type) + "|" + std::to_string(action) + "|" + subject + "|" + scope + "|" +
           where;
  }
  std::unordered_map<std::string, std::vector<uint32_t>> by_key_;
};

// What every request of the statement's clauses is also reached by: what stands in all lists.
class Common {
 public:
  void Meet(std::vector<uint32_t> others) {
    if (first_) {
      all_ = std::move(others);
    } else {
      std::vector<uint32_t> both;
      std::set_intersection(all_.begin(), all_.end(), others.begin(), others.end(),
                            std::back_inserter(both));
      all_ = std::move(both);
    }
    first_ = false;
  }
  const std::vector<uint32_t>& all() const { return all_; }

 private:
  bool first_ = true;
  std::vector<uint32_t> all_;
};

const std::vector<uint32_t>& Of(const Checker& c, StatementKind kind) {
  return c.by_kind[static_cast<size_t>(kind)];
}

bool StandsBefore(const StatementModel& a, const StatementModel& b) {
  return std::pair(a.decl->span.file, a.decl->span.begin) <
         std::pair(b.decl->span.file, b.decl->span.begin);
}

// Forbids that an emergency door may lift do not cover for ever.
std::set<std::string> LiftedNames(const Checker& c) {
  std::set<std::string> names;
  for (const FileScope& file : c.files) {
    for (const auto& decl : file.file->decls) {
      if (decl->kind != ast::DeclKind::kBreakGlass) continue;
      for (const ast::QName& name : static_cast<const ast::BreakGlassDecl&>(*decl).lifts) {
        size_t dot = name.text.rfind('.');
        names.insert(dot == std::string::npos ? name.text : name.text.substr(dot + 1));
      }
    }
  }
  return names;
}

Reach ForbiddenReach(const Checker& c) {
  Reach reach;
  std::set<std::string> lifted = LiftedNames(c);
  for (uint32_t f : Of(c, StatementKind::kForbid)) {
    const StatementModel& forbid = c.model.statements[f];
    const auto& decl = static_cast<const ast::ForbidDecl&>(*forbid.decl);
    if (decl.unless != nullptr || lifted.contains(decl.name.text)) continue;
    for (const ClauseModel& clause : forbid.clauses) {
      for (uint32_t action : clause.actions) {
        if (clause.subjects == nullptr)
          reach.Add(clause, action, KeyOfKind(Subject::Kind::kPublic), f);
        else
          for (const Subject& subject : *clause.subjects)
            reach.Add(clause, action,
                      subject.kind == Subject::Kind::kEveryone ? KeyOfKind(Subject::Kind::kPublic)
                                                               : SubjectKeyOf(subject),
                      f);
      }
    }
  }
  return reach;
}

// DPL0413. Whoever is meant by a forbid on everyone is anybody, standing agents too.
void CheckForbidden(Checker& c) {
  Reach forbidden = ForbiddenReach(c);
  if (forbidden.empty()) return;
  for (uint32_t g : Of(c, StatementKind::kGrant)) {
    const StatementModel& grant = c.model.statements[g];
    if (grant.decl->incomplete || grant.clauses.empty()) continue;
    Common common;
    for (const ClauseModel& clause : grant.clauses) {
      for (const Subject& subject : *clause.subjects) {
        std::vector<std::string> wider = WiderSubjects(c, subject);
        wider.push_back(KeyOfKind(Subject::Kind::kPublic));
        for (uint32_t action : clause.actions)
          common.Meet(forbidden.Containing(clause, action, wider));
      }
    }
    if (common.all().empty()) continue;
    const Symbol& forbid = *c.statement_symbols[common.all().front()];
    const Symbol& symbol = *c.statement_symbols[g];
    c.Report(DPL0413, grant.decl->head_span, {Called(symbol), Called(forbid)})
        .Label(forbid.decl->head_span, "declared here")
        .Help("remove the grant, or narrow the forbid: `unless …`, or `where …` in its `covers`");
  }
}

// Adds without conditions of its own: what it gives, it gives as long as it lives.
bool Plain(const StatementModel& grant) {
  if (!grant.limits.empty() || grant.imported || grant.decl->incomplete) return false;
  return std::none_of(grant.clauses.begin(), grant.clauses.end(),
                      [](const ClauseModel& x) { return x.ask_approval != kNone; });
}

// DPL0414.
void CheckContained(Checker& c) {
  Reach granted;
  for (uint32_t g : Of(c, StatementKind::kGrant)) {
    const StatementModel& grant = c.model.statements[g];
    if (!Plain(grant)) continue;
    for (const ClauseModel& clause : grant.clauses) {
      for (const Subject& subject : *clause.subjects) {
        for (uint32_t action : clause.actions)
          granted.Add(clause, action, SubjectKeyOf(subject), g);
      }
    }
  }
  for (uint32_t g : Of(c, StatementKind::kGrant)) {
    const StatementModel& grant = c.model.statements[g];
    if (!grant.limits.empty() || grant.imported || grant.decl->incomplete ||
        grant.clauses.empty() || !grant.grant.supersedes.empty())
      continue;
    Common common;
    for (const ClauseModel& clause : grant.clauses) {
      for (const Subject& subject : *clause.subjects) {
        std::vector<std::string> wider = WiderSubjects(c, subject);
        for (uint32_t action : clause.actions)
          common.Meet(granted.Containing(clause, action, wider));
      }
    }
    for (uint32_t other : common.all()) {
      const StatementModel& wider = c.model.statements[other];
      bool lives = wider.granted_us <= grant.granted_us && wider.expires_us >= grant.expires_us &&
                   wider.trusting_request == grant.trusting_request;
      if (other == g || !lives) continue;
      // Two that say the same: the later one is told.
      Common back;
      for (const ClauseModel& clause : wider.clauses) {
        for (const Subject& subject : *clause.subjects) {
          std::vector<std::string> subjects = WiderSubjects(c, subject);
          for (uint32_t action : clause.actions)
            back.Meet(granted.Containing(clause, action, subjects));
        }
      }
      bool same = std::binary_search(back.all().begin(), back.all().end(), g) &&
                  wider.granted_us == grant.granted_us && wider.expires_us == grant.expires_us;
      if (same && StandsBefore(grant, wider)) continue;
      const Symbol& by = *c.statement_symbols[other];
      c.Report(DPL0414, grant.decl->head_span, {Called(*c.statement_symbols[g]), Called(by)})
          .Label(by.decl->head_span, "which gives all of it already")
          .Help("remove it, or say in it what it adds");
      break;
    }
  }
}

// ---- limits that a block hides

struct Cap {
  uint32_t block = kNone;
  int64_t number = 0;
  uint32_t currency = 0;
};

// By type, action and measure: the caps of `limit` blocks that concern everybody, everything and
// every single act.
using Caps = std::unordered_map<std::string, std::vector<Cap>>;

std::string CapKey(uint32_t type, uint32_t action, const std::string& measure) {
  return std::to_string(type) + "|" + std::to_string(action) + "|" + measure;
}

Caps CapsForAll(Checker& c) {
  Caps caps;
  for (uint32_t b : Of(c, StatementKind::kLimit)) {
    const StatementModel& block = c.model.statements[b];
    for (const LimitModel& limit : block.limits) {
      if (limit.clause->period != ast::PeriodKind::kEach || !limit.tiers.empty() ||
          limit.cap == nullptr || limit.measure_type == kNone)
        continue;
      uint32_t constant = FoldConstant(c, *limit.cap);
      if (constant == kNone) continue;
      Cap cap{b, c.model.constants[constant].number, c.model.constants[constant].extra};
      for (const ClauseModel& clause : block.clauses) {
        bool all = clause.subjects == nullptr ||
                   std::any_of(clause.subjects->begin(), clause.subjects->end(),
                               [](const Subject& s) { return s.kind == Subject::Kind::kEveryone; });
        if (!all || clause.where != nullptr || clause.has_id || !clause.containers.empty())
          continue;
        for (uint32_t action : clause.actions)
          caps[CapKey(clause.type, action, limit.clause->measure.text)].push_back(cap);
      }
    }
  }
  return caps;
}

// DPL0503 across statements.
void CheckHidden(Checker& c) {
  Caps caps = CapsForAll(c);
  if (caps.empty()) return;
  for (uint32_t g : Of(c, StatementKind::kGrant)) {
    const StatementModel& grant = c.model.statements[g];
    for (const LimitModel& limit : grant.limits) {
      if (limit.clause->no_limit || limit.cap == nullptr || limit.measure_type == kNone ||
          limit.clause->period != ast::PeriodKind::kEach)
        continue;
      uint32_t constant = FoldConstant(c, *limit.cap);
      if (constant == kNone) continue;
      int64_t number = c.model.constants[constant].number;
      uint32_t currency = c.model.constants[constant].extra;
      uint32_t by = kNone;
      bool hidden = !grant.clauses.empty();
      for (const ClauseModel& clause : grant.clauses) {
        for (uint32_t action : clause.actions) {
          auto list = caps.find(CapKey(clause.type, action, limit.clause->measure.text));
          auto tighter = [&](const Cap& cap) {
            return cap.currency == currency && cap.number < number;
          };
          if (list == caps.end()) {
            hidden = false;
            continue;
          }
          auto cap = std::find_if(list->second.begin(), list->second.end(), tighter);
          if (cap == list->second.end())
            hidden = false;
          else
            by = cap->block;
        }
      }
      if (!hidden || by == kNone) continue;
      const Symbol& block = *c.statement_symbols[by];
      c.Report(DPL0503, limit.clause->span, {Called(block) + " stops everybody before it"})
          .Label(block.decl->head_span, "declared here")
          .Help("state what is really allowed, or raise the limit of the block");
    }
  }
}

}  // namespace

void CheckRedundant(Checker& c) {
  CheckForbidden(c);
  CheckContained(c);
  CheckHidden(c);
}

}  // namespace dpl::check
