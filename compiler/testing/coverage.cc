// What tests exercised; see coverage.h. Building the list, then counting while decisions pass by.
#include "compiler/testing/coverage.h"

#include <algorithm>
#include <utility>

#include "compiler/lower/parts.h"
#include "compiler/testing/decl_clauses.h"

namespace dpl::testing {
namespace {

// Positions within CoverageItem::points.
enum : size_t { kTrueAt = 0, kFalseAt = 1 };
enum : size_t { kUnderAt = 0, kAtAt = 1, kOverAt = 2 };

// The step of the fold at which a statement of this kind says no.
int RefusingStep(StatementKind kind) {
  switch (kind) {
    case StatementKind::kForbid:
      return 6;
    case StatementKind::kAgent:
      return 8;
    case StatementKind::kPartner:
    case StatementKind::kDelegation:
      return 9;
    case StatementKind::kTask:
      return 10;
    case StatementKind::kSeparate:
      return 11;
    default:
      return -1;
  }
}

std::vector<CoveragePoint> PointsOf(StatementKind kind) {
  switch (kind) {
    case StatementKind::kGrant:
      return {{"permitted", "never permitted anything"}};
    case StatementKind::kForbid:
      return {{"refused", "never forbade anything"}};
    case StatementKind::kLimit:
      return {{"applied", "never applied to any request"}};
    case StatementKind::kAgent:
      return {{"permitted", "never acted"}, {"refused", "its ceiling never refused anything"}};
    case StatementKind::kDelegation:
      return {{"permitted", "never lent anything"}};
    case StatementKind::kTask:
      return {{"permitted", "never worked in"},
              {"refused", "never refused what is out of its scope"}};
    case StatementKind::kApproval:
      return {{"asked", "never asked for"}, {"used", "never used for a permit"}};
    case StatementKind::kSeparate:
      return {{"refused", "never kept two acts apart"}};
    case StatementKind::kObligation:
      return {{"owed", "never came with a permit"}};
    case StatementKind::kBreakGlass:
      return {{"permitted", "never opened"}};
    case StatementKind::kPartner:
      return {{"permitted", "never let anything through"}, {"refused", "never refused anything"}};
  }
  return {};
}

bool Contains(const Span& outer, const Span& inner) {
  return outer.file == inner.file && outer.begin <= inner.begin && inner.end <= outer.end;
}

// `limit requests to 1 …`: a first request already stands at the cap.
bool NeverUnder(const ast::LimitClause& clause) {
  return clause.measure.text == "requests" && clause.quantity &&
         clause.quantity->kind == ast::Quantity::Kind::kNumber && clause.quantity->number == "1";
}

bool Rests(const Decision& d, uint32_t statement) {
  return std::any_of(d.by.begin(), d.by.end(),
                     [&](const By& by) { return by.statement == statement; });
}

}  // namespace

bool CoverageItem::Covered() const {
  return std::all_of(points.begin(), points.end(),
                     [](const CoveragePoint& p) { return p.hits != 0 || p.name.empty(); });
}

std::string_view CoverageKindName(CoverageKind kind) {
  static constexpr std::string_view kNames[] = {"statement", "row",      "may",   "covers", "scope",
                                                "condition", "conjunct", "limit", "tier"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view StatementWord(StatementKind kind) {
  static constexpr std::string_view kWords[] = {
      "grant",    "limit",      "forbid",   "agent",       "delegation", "task",
      "approval", "obligation", "separate", "break_glass", "partner"};
  static_assert(std::size(kWords) == kStatementKinds);
  return kWords[static_cast<size_t>(kind)];
}

Coverage::Coverage(Compilation* c) {
  Program program = *c->program;
  std::vector<lower::ConditionParts> parts =
      lower::AddConditionParts(&c->model, c->sources, &program);
  program_ = std::make_shared<const Program>(std::move(program));
  const Program& p = *program_;
  for (lower::ConditionParts& whole : parts) {
    Whole& to = conditions_[whole.code];
    for (const lower::ConditionParts::Part& part : whole.parts) to.codes.push_back(part.code);
  }
  statement_items_.assign(p.statements.size(), kNone);
  clause_items_.resize(p.clauses.size());
  scope_items_.assign(p.clauses.size(), kNone);
  row_items_.assign(p.clauses.size(), kNone);
  limit_items_.assign(p.limits.size(), kNone);
  tier_items_.resize(p.limits.size());
  touched_.assign(p.statements.size(), false);
  for (uint32_t s = 0; s < p.statements.size(); ++s) AddStatement(*c, s);
  // In the order of the sources, which is how they are read.
  std::vector<uint32_t> order(items_.size()), place(items_.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  auto key = [&](uint32_t i) {
    const Span& span = items_[i].span;
    const SourceFile* file = c->sources.Find(span.file);
    return std::make_tuple(file == nullptr ? std::string_view() : std::string_view(file->path()),
                           span.begin, i);
  };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  std::vector<CoverageItem> sorted;
  for (uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    sorted.push_back(std::move(items_[order[i]]));
  }
  items_ = std::move(sorted);
  auto move = [&](uint32_t* item) {
    if (*item != kNone) *item = place[*item];
  };
  auto move_all = [&](std::vector<uint32_t>* list) {
    for (uint32_t& item : *list) move(&item);
  };
  move_all(&statement_items_);
  move_all(&scope_items_);
  move_all(&row_items_);
  move_all(&limit_items_);
  for (auto& tiers : tier_items_) move_all(&tiers);
  for (auto& by_action : clause_items_) {
    for (auto& [action, list] : by_action) move_all(&list);
  }
  for (auto& [code, whole] : conditions_) {
    move(&whole.item);
    move_all(&whole.part_items);
  }
}

uint32_t Coverage::Add(CoverageKind kind, uint32_t statement, std::string label, const Span& span,
                       std::vector<CoveragePoint> points) {
  CoverageItem item;
  item.kind = kind;
  item.of = program_->statements[statement].kind;
  item.statement = statement;
  item.name = program_->Text(program_->statements[statement].name);
  item.label = std::move(label);
  item.span = span;
  item.points = std::move(points);
  items_.push_back(std::move(item));
  return static_cast<uint32_t>(items_.size() - 1);
}

void Coverage::AddStatement(const Compilation& c, uint32_t s) {
  const check::StatementModel& model = c.model.statements[s];
  if (model.decl == nullptr) return;
  std::vector<CoveragePoint> points = PointsOf(model.kind);
  statement_items_[s] =
      Add(CoverageKind::kStatement, s, std::string(StatementWord(model.kind)) + " " + model.name,
          model.decl->head_span, points);
  AddClauses(c, s);
  AddLimits(c, s);
  if (model.unless == nullptr) return;
  uint32_t code = program_->forbids[program_->statements[s].detail].unless_code;
  Whole& whole = conditions_[code];
  whole.item = AddCondition(c, s, "unless", *model.unless, true);
  if (!whole.codes.empty()) {
    for (const ast::Expr* part : lower::Conjuncts(*model.unless))
      whole.part_items.push_back(AddCondition(c, s, "", *part, true));
  }
}

// One item per place: a condition over several resource types is several codes.
uint32_t Coverage::AddCondition(const Compilation& c, uint32_t s, const char* word,
                                const ast::Expr& expr, bool lifts) {
  bool part = *word == '\0';
  auto [at, fresh] = by_span_.try_emplace({s, expr.span.begin * 2 + (part ? 1 : 0)}, kNone);
  if (!fresh) return at->second;
  std::string label = (part ? "" : std::string(word) + " ") + OneLine(c.sources, expr.span);
  std::vector<CoveragePoint> points;
  if (part) {
    points = {{"true", "never true"}, {"false_alone", "never the only part that was false"}};
  } else if (lifts) {
    points = {{"true", "never true: the forbid was never lifted"},
              {"false", "never false: the forbid was never left standing"}};
  } else {
    points = {{"true", "never true"}, {"false", "never false"}};
  }
  at->second = Add(part ? CoverageKind::kPart : CoverageKind::kCondition, s, std::move(label),
                   expr.span, std::move(points));
  return at->second;
}

void Coverage::AddClauses(const Compilation& c, uint32_t s) {
  const check::StatementModel& model = c.model.statements[s];
  const Statement& statement = program_->statements[s];
  std::vector<const ast::MayClause*> written = ClausesOf(*model.decl);
  bool restricts = model.kind == StatementKind::kLimit || model.kind == StatementKind::kForbid ||
                   model.kind == StatementKind::kObligation ||
                   model.kind == StatementKind::kSeparate;
  uint16_t rows = 0;
  for (const check::ClauseModel& clause : model.clauses)
    rows = std::max<uint16_t>(rows, static_cast<uint16_t>(clause.row + 1));
  std::map<uint16_t, uint32_t> row_items;
  std::map<std::pair<const ast::MayClause*, std::string>, uint32_t> may_items;
  std::map<const ast::MayClause*, uint32_t> scopes;
  for (size_t k = 0; k < model.clauses.size(); ++k) {
    const check::ClauseModel& clause = model.clauses[k];
    uint32_t index = statement.clauses[k];
    auto found = std::find_if(written.begin(), written.end(), [&](const ast::MayClause* may) {
      return Contains(clause.span, may->span) || Contains(may->span, clause.span);
    });
    if (found == written.end()) continue;
    const ast::MayClause& may = **found;
    const ResourceDef& type = c.program->schema.resources[clause.type];
    for (uint32_t action : clause.actions) {
      // An action named in the clause is a promise of its own; `any action` is one promise.
      std::string word;
      if (may.actions.size() > 1) word = program_->Text(type.actions[action].name);
      uint32_t& item = may_items.try_emplace({&may, word}, kNone).first->second;
      if (item == kNone && (!restricts || written.size() > 1 || !word.empty())) {
        Span span = clause.span;
        for (const ast::Name& name : may.actions) {
          if (name.text == word && !word.empty()) span = name.span;
        }
        std::string said = restricts ? "covers " : "may ";
        std::string label = word.empty() ? OneLine(c.sources, clause.span) : said + word;
        CoveragePoint point = restricts ? CoveragePoint{"applied", "never applied"}
                                        : CoveragePoint{"used", "never used in a permit"};
        item = Add(restricts ? CoverageKind::kCovers : CoverageKind::kMay, s, std::move(label),
                   span, {point});
      }
      if (item != kNone) clause_items_[index][action].push_back(item);
    }
    if (rows > 1) {
      uint32_t& item = row_items.try_emplace(clause.row, kNone).first->second;
      if (item == kNone) {
        item = Add(CoverageKind::kRow, s, OneLine(c.sources, clause.subject_span),
                   clause.subject_span, {{"used", "this row never permitted anything"}});
      }
      row_items_[index] = item;
    }
    if (program_->clauses[index].scope_code != kNone) {
      uint32_t& item = scopes.try_emplace(&may, kNone).first->second;
      if (item == kNone) {
        Span span = may.on.id.present            ? may.on.id.span
                    : !may.on.containers.empty() ? may.on.containers.front().span
                                                 : may.on.span;
        item =
            Add(CoverageKind::kScope, s, "within " + OneLine(c.sources, span), span,
                {{"inside", "never asked inside of it"}, {"outside", "never asked outside of it"}});
      }
      scope_items_[index] = item;
    }
    uint32_t code = program_->clauses[index].where_code;
    if (clause.where == nullptr || code == kNone) continue;
    Whole& whole = conditions_[code];
    whole.item = AddCondition(c, s, "where", *clause.where, false);
    if (whole.codes.empty() || !whole.part_items.empty()) continue;
    for (const ast::Expr* part : lower::Conjuncts(*clause.where))
      whole.part_items.push_back(AddCondition(c, s, "", *part, false));
  }
}

void Coverage::AddLimits(const Compilation& c, uint32_t s) {
  const check::StatementModel& model = c.model.statements[s];
  const Statement& statement = program_->statements[s];
  for (size_t k = 0; k < model.limits.size(); ++k) {
    const ast::LimitClause& clause = *model.limits[k].clause;
    if (clause.no_limit) continue;
    uint32_t index = statement.limits[k];
    std::vector<CoveragePoint> points{{"under", "never asked below its cap"},
                                      {"at", "never asked exactly at its cap"},
                                      {"over", "never asked above its cap"}};
    if (NeverUnder(clause)) points[kUnderAt].name.clear();
    std::string label = OneLine(c.sources, clause.span);
    uint32_t item = Add(CoverageKind::kLimit, s, label, clause.span, {});
    limit_items_[index] = item;
    for (CoveragePoint& point : points) items_[item].points.push_back(std::move(point));
    bool open = false;
    for (const ast::AskTier& tier : clause.tiers) {
      open = !tier.up_to;
      tier_items_[index].push_back(Add(CoverageKind::kTier, s, OneLine(c.sources, tier.span),
                                       tier.span, {{"asked", "never asked for"}}));
    }
    if (clause.tiers.empty() || open) continue;
    const ast::AskTier& last = clause.tiers.back();
    tier_items_[index].push_back(Add(CoverageKind::kTier, s, "beyond the last tier", last.span,
                                     {{"refused", "nothing above its last tier was refused"}}));
  }
}

// ---------------------------------------------------------------- counting

void Coverage::Hit(uint32_t item, size_t point) {
  if (item != kNone && point < items_[item].points.size()) ++items_[item].points[point].hits;
}

void Coverage::EndCondition() {
  if (asked_ == nullptr || parts_.size() != asked_->part_items.size()) {
    asked_ = nullptr;
    return;
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i] == Truth::kError) ++items_[asked_->part_items[i]].unknown;
    if (parts_[i] == Truth::kTrue) Hit(asked_->part_items[i], kTrueAt);
    if (parts_[i] != Truth::kFalse) continue;
    bool alone = true;
    for (size_t j = 0; j < parts_.size(); ++j) alone &= j == i || parts_[j] == Truth::kTrue;
    if (alone) Hit(asked_->part_items[i], kFalseAt);
  }
  asked_ = nullptr;
}

void Coverage::OnClause(uint32_t clause, Truth subject, Truth scope, Truth where) {
  touched_[program_->clauses[clause].statement] = true;
  if (settled_) return;
  EndCondition();
  if (subject != Truth::kFalse && scope_items_[clause] != kNone) {
    if (scope == Truth::kError)
      ++items_[scope_items_[clause]].unknown;
    else
      Hit(scope_items_[clause], scope == Truth::kTrue ? 0 : 1);
  }
  bool no = subject == Truth::kFalse || scope == Truth::kFalse || where == Truth::kFalse;
  bool yes = subject == Truth::kTrue && scope == Truth::kTrue && where == Truth::kTrue;
  if (!no) matched_.push_back({clause, yes});
}

std::span<const uint32_t> Coverage::OnCondition(uint32_t code, Truth truth) {
  if (settled_) return {};
  EndCondition();
  auto found = conditions_.find(code);
  if (found == conditions_.end() || found->second.item == kNone) return {};
  if (truth == Truth::kError) {
    ++items_[found->second.item].unknown;
  } else {
    Hit(found->second.item, truth == Truth::kTrue ? kTrueAt : kFalseAt);
  }
  if (found->second.part_items.empty()) return {};
  asked_ = &found->second;
  parts_.clear();
  return asked_->codes;
}

void Coverage::OnPart(uint32_t, Truth truth) { parts_.push_back(truth); }

void Coverage::OnSettled(Reason) {
  EndCondition();
  settled_ = true;
}

void Coverage::OnLimit(const LimitLine& line) {
  touched_[program_->limits[line.limit].statement] = true;
  lines_.push_back(line);
}

void Coverage::OnDecision(const Decision& d) {
  EndCondition();
  int step = ReasonStep(d.reason);
  bool granted = d.outcome != OutcomeKind::kDeny || d.reason == Reason::kWouldPermit;
  for (const By& by : d.by) {
    touched_[by.statement] = true;
    const Statement& s = program_->statements[by.statement];
    uint32_t item = statement_items_[by.statement];
    if (item == kNone) continue;
    bool refuses = !granted && step == RefusingStep(s.kind) &&
                   (s.kind != StatementKind::kAgent || by.clause == kNone);
    for (size_t i = 0; i < items_[item].points.size(); ++i) {
      const std::string& point = items_[item].points[i].name;
      if (point == "permitted" || point == "used" || point == "owed") {
        bool counts = point == "permitted" ? granted : d.outcome == OutcomeKind::kPermit;
        if (counts) Hit(item, i);
      } else if (point == "refused" && refuses) {
        Hit(item, i);
      }
    }
  }
  for (uint32_t approval : d.approvals)
    Hit(statement_items_[program_->approval_statements[approval]], 0);
  for (const Matched& m : matched_) {
    const Clause& clause = program_->clauses[m.clause];
    const Statement& s = program_->statements[clause.statement];
    bool restricts = s.kind == StatementKind::kLimit || s.kind == StatementKind::kForbid ||
                     s.kind == StatementKind::kObligation || s.kind == StatementKind::kSeparate;
    bool counts = restricts ? true : granted && m.full && Rests(d, clause.statement);
    if (!counts) continue;
    auto items = clause_items_[m.clause].find(d.action);
    if (items != clause_items_[m.clause].end()) {
      for (uint32_t item : items->second) Hit(item, 0);
    }
    if (s.kind == StatementKind::kLimit) Hit(statement_items_[clause.statement], 0);
    if (row_items_[m.clause] != kNone) Hit(row_items_[m.clause], 0);
  }
  for (const LimitLine& line : lines_) {
    if (step < 12) break;  // only looked at for the report
    uint32_t item = limit_items_[line.limit];
    if (item == kNone || line.state == LimitState::kCounted) continue;
    if (line.state == LimitState::kUnknown || line.cap.kind == ValueKind::kUnset) {
      ++items_[item].unknown;
      continue;
    }
    __int128 sum = static_cast<__int128>(line.used.i) + line.requested.i;
    Hit(item, sum < line.cap.i ? kUnderAt : sum == line.cap.i ? kAtAt : kOverAt);
    const std::vector<LimitTier>& tiers = program_->limits[line.limit].tiers;
    const std::vector<uint32_t>& tier_items = tier_items_[line.limit];
    if (line.state == LimitState::kExceeded && tier_items.size() > tiers.size())
      Hit(tier_items.back(), 0);
    if (line.state != LimitState::kNeedsApproval) continue;
    for (size_t t = 0; t < tiers.size(); ++t) {
      if (tiers[t].approval == line.approval) Hit(tier_items[t], 0);
    }
  }
  matched_.clear();
  lines_.clear();
  settled_ = false;
}

std::vector<bool> Coverage::TakeTouched() {
  std::vector<bool> out(touched_.size(), false);
  out.swap(touched_);
  return out;
}

// A point without a name cannot happen and is nobody's to test.
size_t Coverage::points() const {
  size_t n = 0;
  for (const CoverageItem& item : items_) {
    for (const CoveragePoint& point : item.points) n += point.name.empty() ? 0 : 1;
  }
  return n;
}

size_t Coverage::covered() const {
  size_t n = 0;
  for (const CoverageItem& item : items_) {
    for (const CoveragePoint& point : item.points) n += !point.name.empty() && point.hits != 0;
  }
  return n;
}

uint32_t Coverage::Permille() const {
  size_t all = points();
  return all == 0 ? 1000 : static_cast<uint32_t>(covered() * 1000 / all);
}

std::string Coverage::Percent() const {
  uint32_t n = Permille();
  return std::to_string(n / 10) + "." + std::to_string(n % 10) + " %";
}

}  // namespace dpl::testing
