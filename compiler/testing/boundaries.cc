// Boundary tests; see boundaries.h. Each limit gets a draft made of slots (one `when` each), the
// drafts are run once to learn the answers, printed with them, and run again as printed.
#include "compiler/testing/boundaries.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "compiler/testing/decl_clauses.h"
#include "compiler/testing/run.h"
#include "runtime/base/decimal.h"
#include "runtime/base/money.h"
#include "runtime/bytecode/opcode.h"

namespace dpl::testing {
namespace {

constexpr int64_t kManyRequests = 200;     // more than these are given as used, where that can be
constexpr int64_t kMostRequests = 20'000;  // that filling a budget may take

// A `when` of a test at which the limit was checked.
struct Base {
  const ast::TestDecl* test = nullptr;
  uint32_t package = kNone;
  size_t row = 0;
  const ast::Step* when = nullptr;
  int rank = 0;  // the higher, the better
  LimitLine line;
  Instant now{};
  // What else bounds one request, and what is left of it.
  int64_t each_room = INT64_MAX;   // the least cap of other `each` limits
  int64_t other_room = INT64_MAX;  // the least rest of other budgets
};

enum class Want : uint8_t { kPermit, kAsk, kExceeded };

// One `when` of a draft, or a step between two of them.
struct Slot {
  std::string before;  // steps in front, each on its own line
  std::string when;    // without `expect`; empty: a row of the table
  int64_t repeat = 1;
  std::string amount;  // table: the cell
  Want want = Want::kPermit;
  uint32_t approval = kNone;
  bool window = false;  // past the first window: the world may not reach that far
  // learned
  bool seen = false, steady = true;
  std::string answer;   // "permit bound by band_one.amount", "deny limit.exceeded"
  std::string differs;  // why it is not what the limit alone says; empty: it is
  bool beside = false;  // the answer has nothing to do with limits
};

struct Draft {
  size_t limit = 0;
  Base base;
  std::string title, head;  // at and given
  std::string row_when;     // table: the `when` of every row
  std::vector<Slot> slots;
  std::string problem;  // not empty: why there is none
};

std::string AmountText(const Value& unit, int64_t amount) {
  switch (unit.kind) {
    case ValueKind::kMoney:
      return FormatMoney({amount, static_cast<uint16_t>(unit.n)});
    case ValueKind::kDecimal:
      return FormatDecimal(Decimal{amount});
    default:
      return std::to_string(amount);
  }
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

class Proposer {
 public:
  Proposer(const Compilation& c, Clock* clock) : c_(c), p_(*c.program), clock_(clock) {
    bases_.resize(p_.limits.size());
  }

  std::vector<Proposal> Run() {
    FindBases();
    std::vector<Draft> drafts;
    for (size_t s = 0; s < c_.model.statements.size(); ++s) {
      const check::StatementModel& model = c_.model.statements[s];
      for (size_t k = 0; k < model.limits.size(); ++k) {
        if (model.limits[k].clause->no_limit) continue;
        uint32_t limit = p_.statements[s].limits[k];
        clauses_[limit] = model.limits[k].clause;
        drafts.push_back(MakeDraft(limit, *model.limits[k].clause));
      }
    }
    std::stable_sort(drafts.begin(), drafts.end(), [&](const Draft& a, const Draft& b) {
      const Span& x = SpanOf(a);
      const Span& y = SpanOf(b);
      return std::make_pair(PathOf(x), x.begin) < std::make_pair(PathOf(y), y.begin);
    });
    Learn(&drafts);
    std::vector<Proposal> out;
    for (Draft& draft : drafts) out.push_back(Print(&draft));
    Verify(&drafts, &out);
    return out;
  }

 private:
  const Span& SpanOf(const Draft& d) const { return clauses_.at(d.limit)->span; }
  std::string PathOf(const Span& span) const {
    const SourceFile* file = c_.sources.Find(span.file);
    return file == nullptr ? "" : file->path();
  }
  std::string_view Slice(const Span& span) const {
    const SourceFile* file = c_.sources.Find(span.file);
    return file == nullptr ? std::string_view() : file->Slice(span);
  }

  // ---- worlds to borrow
  void FindBases() {
    TestOptions options;
    std::map<std::pair<size_t, size_t>, int> whens;  // how many came before, by test and row
    options.on_decision = [&](const Decided& d) {
      int before = whens[{d.test, d.row}]++;
      if (d.when->when.with_approval_last || ReasonStep(d.decision->reason) < 12) return;
      for (const LimitLine& line : d.decision->limits) {
        if (line.cap.kind == ValueKind::kUnset || line.requested.kind != line.cap.kind ||
            line.requested.n != line.cap.n || line.used.kind == ValueKind::kUnset ||
            line.state == LimitState::kCounted)
          continue;
        Base base;
        base.test = c_.tests[d.test];
        base.package = c_.test_packages[d.test];
        base.row = d.row;
        base.when = d.when;
        base.line = line;
        base.now = d.decision->now;
        base.rank = (line.binding ? 4 : 0) + (d.decision->outcome == OutcomeKind::kPermit ? 2 : 0) +
                    (before == 0 ? 1 : 0);
        Base& have = bases_[line.limit];
        if (have.test == nullptr || base.rank > have.rank) have = base;
      }
    };
    RunTests(c_.program, c_.tests, c_.test_packages, c_.sources, options, clock_);
  }

  // ---- text of the borrowed world
  // The source of a step, with the columns of its table's row put in and `edits` made.
  std::string Text(const Base& base, const Span& span,
                   std::vector<std::pair<Span, std::string>> edits) const {
    std::sort(edits.begin(), edits.end(),
              [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
    std::string_view source = Slice(span);
    std::string out;
    size_t at = 0;
    for (const auto& [place, text] : edits) {
      if (place.file != span.file || place.begin < span.begin + at || place.end > span.end)
        continue;
      out.append(source.substr(at, place.begin - span.begin - at)).append(text);
      at = place.end - span.begin;
    }
    out.append(source.substr(at));
    (void)base;
    return out;
  }
  void ColumnEdits(const Base& base, const ast::Expr& expr,
                   std::vector<std::pair<Span, std::string>>* edits) const {
    if (expr.kind == ast::ExprKind::kName) {
      for (size_t i = 0; i < base.test->columns.size(); ++i) {
        if (base.test->columns[i].text != expr.text || base.row >= base.test->rows.size()) continue;
        const std::vector<ast::Cell>& cells = base.test->rows[base.row].cells;
        if (i < cells.size()) edits->push_back({expr.span, std::string(Slice(cells[i].span))});
      }
    }
    for (const ast::ExprPtr& arg : expr.args) ColumnEdits(base, *arg, edits);
  }
  void ColumnEdits(const Base& base, const std::vector<ast::FieldInit>& fields,
                   std::vector<std::pair<Span, std::string>>* edits) const {
    for (const ast::FieldInit& field : fields) ColumnEdits(base, *field.value, edits);
  }

  // Everything before the `when` that is no decision: time and facts.
  std::string Head(const Base& base) const {
    std::string out;
    for (const ast::Step& step : base.test->steps) {
      if (&step == base.when || Inside(step, base.when)) break;
      using Kind = ast::Step::Kind;
      if (step.kind != Kind::kAt && step.kind != Kind::kAdvance && step.kind != Kind::kGiven &&
          step.kind != Kind::kHand)
        continue;
      std::vector<std::pair<Span, std::string>> edits;
      for (const ast::Datum& d : step.given) {
        ColumnEdits(base, d.fields, &edits);
        ColumnEdits(base, d.args, &edits);
      }
      out += "  " + Text(base, step.span, std::move(edits)) + "\n";
    }
    return out;
  }
  static bool Inside(const ast::Step& step, const ast::Step* when) {
    return std::any_of(step.body.begin(), step.body.end(), [&](const ast::Step& inner) {
      return &inner == when || Inside(inner, when);
    });
  }

  // The `when` with another amount (empty: its own).
  std::string When(const Base& base, const std::string& measure, const std::string& amount,
                   bool same_run) const {
    const ast::Attempt& a = base.when->when;
    std::vector<std::pair<Span, std::string>> edits;
    for (const ast::FieldInit& field : a.args) {
      if (field.name.text == measure && !amount.empty()) {
        edits.push_back({field.value->span, amount});
      } else {
        ColumnEdits(base, *field.value, &edits);
      }
    }
    ColumnEdits(base, a.context, &edits);
    ColumnEdits(base, a.properties, &edits);
    if (same_run && !a.hops.empty() && !a.hops[0].instance.present) {
      // A budget of one run needs the same run each time.
      Span after = a.hops[0].name.span;
      after.begin = after.end;
      edits.push_back({after, " \"boundary\""});
    }
    return Text(base, base.when->span, std::move(edits));
  }

  static const ast::FieldInit* Argument(const Base& base, const std::string& measure) {
    for (const ast::FieldInit& field : base.when->when.args) {
      if (field.name.text == measure) return &field;
    }
    return nullptr;
  }

  // Names as the borrowed test's package sees them.
  std::string Short(const Base& base, std::string_view qualified) const {
    std::string own = std::string(p_.Text(p_.schema.packages[base.package].name)) + ".";
    return std::string(qualified.starts_with(own) ? qualified.substr(own.size()) : qualified);
  }
  std::string ApprovalName(const Base& base, uint32_t approval) const {
    return Short(base, p_.Text(p_.statements[p_.approval_statements[approval]].name));
  }

  // ---- drafts
  Draft MakeDraft(uint32_t index, const ast::LimitClause& clause) {
    Draft d;
    d.limit = index;
    d.base = bases_[index];
    const Limit& limit = p_.limits[index];
    if (d.base.test == nullptr) {
      d.problem =
          "no test reaches this limit: write one `when` that does, and its boundary tests can be "
          "proposed";
      return d;
    }
    std::string measure(p_.Text(limit.measure));
    if (!limit.requests && Argument(d.base, measure) == nullptr) {
      d.problem = "the tests that reach this limit leave `" + measure + "` to its default";
      return d;
    }
    d.title = "boundary of " + Short(d.base, p_.Text(limit.name)) + ": " +
              OneLine(c_.sources, clause.span, 120);
    for (const ast::TestDecl* test : c_.tests) {
      if (test->title.value == d.title) {
        d.problem = "its boundary tests are there already";
        return d;
      }
    }
    d.head = Head(d.base);
    if (limit.period == LimitPeriod::kEach) {
      Each(&d, limit, measure);
    } else {
      Budget(&d, limit, measure);
    }
    return d;
  }

  // The bounds above the cap: what is asked for up to where; then it is refused.
  struct Edge {
    int64_t upto;
    Want above;
    uint32_t approval;
  };
  std::vector<Edge> Edges(const Base& base, const Limit& limit) const {
    std::vector<Edge> out;
    int64_t bound = base.line.cap.i;
    for (const LimitTier& tier : limit.tiers) {
      out.push_back({bound, Want::kAsk, tier.approval});
      if (tier.up_to_code == kNone) return out;
      const Code& code = p_.codes[tier.up_to_code];
      // `up to` a constant; a path would need the facts.
      std::optional<uint32_t> constant = ConstantOf(code);
      if (!constant) return out;
      bound = p_.constants[*constant].number;
    }
    out.push_back({bound, Want::kExceeded, kNone});
    return out;
  }
  std::optional<uint32_t> ConstantOf(const Code& code) const {
    if (OpcodeOfWord(p_.code[code.offset]) != Opcode::kPushConst) return std::nullopt;
    return p_.code[code.offset + 1];
  }

  void Each(Draft* d, const Limit& limit, const std::string& measure) {
    d->row_when = limit.requests ? "" : When(d->base, measure, "quantity", false);
    if (limit.requests) {
      d->problem = "a limit of requests `each` has no boundary";
      return;
    }
    auto row = [&](int64_t amount, Want want, uint32_t approval) {
      if (amount < 0) return;
      Slot slot;
      slot.amount = AmountText(d->base.line.cap, amount);
      slot.want = want;
      slot.approval = approval;
      d->slots.push_back(std::move(slot));
    };
    int64_t cap = d->base.line.cap.i;
    row(cap - 1, Want::kPermit, kNone);
    row(cap, Want::kPermit, kNone);
    std::vector<Edge> edges = Edges(d->base, limit);
    for (size_t i = 0; i < edges.size(); ++i) {
      if (edges[i].upto == INT64_MAX) break;
      row(edges[i].upto + 1, edges[i].above, edges[i].approval);
      if (i + 1 < edges.size()) row(edges[i + 1].upto, edges[i].above, edges[i].approval);
    }
  }

  // What one request may carry and what other budgets leave, learned by a dry look at the base.
  void Rooms(Draft* d) {
    TestOptions options;
    options.wanted = [&](size_t t) { return c_.tests[t] == d->base.test; };
    options.on_decision = [&](const Decided& seen) {
      if (seen.when != d->base.when || seen.row != d->base.row) return;
      for (const LimitLine& line : seen.decision->limits) {
        if (line.limit == d->limit || line.cap.kind != d->base.line.cap.kind ||
            line.cap.n != d->base.line.cap.n || line.state == LimitState::kCounted)
          continue;
        const Limit& other = p_.limits[line.limit];
        if (other.requests || other.measure != p_.limits[d->limit].measure) continue;
        if (other.period == LimitPeriod::kEach) {
          d->base.each_room = std::min(d->base.each_room, line.cap.i);
        } else {
          d->base.other_room = std::min(d->base.other_room, line.cap.i);
        }
      }
    };
    RunTests(c_.program, c_.tests, c_.test_packages, c_.sources, options, clock_);
  }

  // What the given world has used of the budget before the first request.
  int64_t UsedAtStart(const Draft& d) const {
    bool first = true;
    int64_t used = d.base.line.used.i;
    TestOptions options;
    options.wanted = [&](size_t t) { return c_.tests[t] == d.base.test; };
    options.on_decision = [&](const Decided& seen) {
      if (!first || seen.row != d.base.row) return;
      for (const LimitLine& line : seen.decision->limits) {
        if (line.limit != d.limit || line.used.kind == ValueKind::kUnset) continue;
        used = line.used.i;
        first = false;
      }
    };
    RunTests(c_.program, c_.tests, c_.test_packages, c_.sources, options, clock_);
    return used;
  }

  void Budget(Draft* d, const Limit& limit, const std::string& measure) {
    Rooms(d);
    bool same_run = std::any_of(limit.keys.begin(), limit.keys.end(), [](const LimitKeyPart& k) {
      return k.kind == KeyPartKind::kInstance;
    });
    int64_t left = d->base.line.cap.i - UsedAtStart(*d);
    auto slot = [&](int64_t amount, Want want, uint32_t approval, int64_t repeat) -> Slot& {
      Slot s;
      s.when = When(d->base, measure, limit.requests ? "" : AmountText(d->base.line.cap, amount),
                    same_run);
      s.want = want;
      s.approval = approval;
      s.repeat = repeat;
      d->slots.push_back(std::move(s));
      return d->slots.back();
    };
    if (left <= 0) {
      d->problem = "in the world of test \"" + d->base.test->title.value +
                   "\" nothing of this budget is left";
      return;
    }
    int64_t chunk = limit.requests ? 1 : std::min(d->base.each_room, left);
    if (chunk <= 0 || d->base.other_room < d->base.line.cap.i) {
      d->problem = "another budget on " + measure + " is tighter in the world of test \"" +
                   d->base.test->title.value + "\", so this one is never reached";
      return;
    }
    int64_t fill = left - 1;  // all but the last unit
    bool given = fill / chunk > kManyRequests && GivenUsed(d, limit);
    if (given) fill = 0;
    if (fill / chunk > kMostRequests) {
      d->problem =
          "filling this budget takes more than " + std::to_string(kMostRequests) + " requests";
      return;
    }
    if (fill / chunk > 0) slot(chunk, Want::kPermit, kNone, fill / chunk);
    if (fill % chunk > 0) slot(fill % chunk, Want::kPermit, kNone, 1);
    slot(1, Want::kPermit, kNone, 1).before = "  // the last unit of the budget\n";
    std::vector<Edge> edges = Edges(d->base, limit);
    Want above = edges.empty() ? Want::kExceeded : edges[0].above;
    uint32_t approval = edges.empty() ? kNone : edges[0].approval;
    slot(1, above, approval, 1).before = "  // and one more\n";
    if (limit.period == LimitPeriod::kTotal) return;
    Instant now = StartOf(*d);
    if (limit.period == LimitPeriod::kSliding) {
      int64_t us = limit.window_us;
      std::string whole = FormatDuration(Duration{us});
      if (us > kMicrosPerSecond) {
        slot(1, above, approval, 1).before = "  // the last second of the window\n  advance " +
                                             FormatDuration(Duration{us - kMicrosPerSecond}) + "\n";
        slot(1, Want::kPermit, kNone, 1).before = "  // and the first of the next\n  advance 1s\n";
      } else {
        slot(1, Want::kPermit, kNone, 1).before = "  advance " + whole + "\n";
      }
    } else if (d->base.line.has_window && d->base.line.resets > now) {
      Instant last{d->base.line.resets.us - kMicrosPerSecond};
      slot(1, above, approval, 1).before =
          "  // the last second of the window\n  at " + FormatInstant(last) + "\n";
      slot(1, Want::kPermit, kNone, 1).before =
          "  // and the first of the next\n  at " + FormatInstant(d->base.line.resets) + "\n";
    }
    for (size_t i = d->slots.size(); i > 0 && !d->slots[i - 1].before.empty(); --i) {
      d->slots[i - 1].window = d->slots[i - 1].before.find("\n  a") != std::string::npos;
    }
  }

  // What no reader wants to see asked for one by one is given as used already, where facts can say
  // so.
  bool GivenUsed(Draft* d, const Limit& limit) {
    const Statement& s = p_.statements[limit.statement];
    // `used` finds a counter by its limit's name, so there must be one only.
    auto same = std::count_if(s.limits.begin(), s.limits.end(), [&](uint32_t i) {
      return p_.limits[i].name == limit.name && p_.limits[i].period != LimitPeriod::kEach;
    });
    if (same != 1) return false;
    bool person = false;
    for (const LimitKeyPart& key : limit.keys) {
      if (key.kind != KeyPartKind::kPerson) return false;
      person = true;
    }
    if (person && !d->base.when->when.person.present) return false;
    d->head += "  given { used " + Short(d->base, p_.Text(limit.name)) + " " +
               AmountText(d->base.line.cap, d->base.line.cap.i - 1);
    if (person)
      d->head +=
          " for " + std::string("person \"") + Escaped(d->base.when->when.person.value) + "\"";
    d->head += " }\n";
    return true;
  }

  // The time at which the draft's requests are made: that of its head.
  Instant StartOf(const Draft& d) const { return d.base.now; }

  // ---- blocks
  std::string Expectation(const Draft& d, const Slot& s) const {
    if (s.seen) return s.answer;
    switch (s.want) {
      case Want::kPermit:
        return "permit";
      case Want::kAsk:
        return "ask " + ApprovalName(d.base, s.approval);
      case Want::kExceeded:
        return "deny limit.exceeded";
    }
    return "permit";
  }
  std::string Block(const Draft& d) const {
    std::string out = "test \"" + Escaped(d.title) + "\" {\n" + d.head;
    bool table = !d.row_when.empty();
    if (table) out += "  with (quantity, outcome)\n";
    for (const Slot& s : d.slots) {
      std::string note = s.differs.empty() ? "" : "  // " + s.differs;
      if (table) {
        out += "  row (" + s.amount + ", " + Expectation(d, s) + ")" + note + "\n";
        continue;
      }
      out += s.before;
      if (!note.empty()) out += note + "\n";
      if (s.repeat > 1) {
        out += "  repeat " + std::to_string(s.repeat) + " times {\n    " + s.when +
               "\n      expect " + Expectation(d, s) + "\n  }\n";
      } else {
        out += "  " + s.when + "\n    expect " + Expectation(d, s) + "\n";
      }
    }
    if (table) out += "  " + d.row_when + "\n    expect outcome\n";
    return out + "}\n";
  }

  // ---- running drafts
  // The policy set with the blocks appended to the files whose worlds they borrow.
  std::unique_ptr<Compilation> Appended(const std::vector<const Draft*>& drafts) const {
    auto out = std::make_unique<Compilation>();
    for (uint32_t f = 0; f < c_.sources.size(); ++f) {
      std::string text = c_.sources[f].text();
      for (const Draft* d : drafts) {
        if (d->base.test->span.file == f) text += "\n" + Block(*d);
      }
      out->sources.Add(c_.sources[f].path(), std::move(text));
    }
    if (!Compile({}, out.get())) return nullptr;
    return out;
  }

  void Learn(std::vector<Draft>* drafts) {
    std::vector<const Draft*> sound;
    for (const Draft& d : *drafts) {
      if (d.problem.empty()) sound.push_back(&d);
    }
    std::unique_ptr<Compilation> all = Appended(sound);
    for (Draft& d : *drafts) {
      if (!d.problem.empty()) continue;
      std::unique_ptr<Compilation> own;
      if (all == nullptr) own = Appended({&d});
      const Compilation* c = all != nullptr ? all.get() : own.get();
      if (c == nullptr) {
        d.problem = "the borrowed world of test \"" + d.base.test->title.value +
                    "\" does not stand on its own";
        continue;
      }
      LearnOne(*c, &d);
    }
  }

  void LearnOne(const Compilation& c, Draft* d) {
    bool table = !d->row_when.empty();
    std::vector<const ast::Step*> whens;
    TestOptions options;
    options.wanted = [&](size_t t) { return c.tests[t]->title.value == d->title; };
    options.on_decision = [&](const Decided& seen) {
      size_t index = seen.row;
      if (!table) {
        auto at = std::find(whens.begin(), whens.end(), seen.when);
        index = static_cast<size_t>(at - whens.begin());
        if (at == whens.end()) whens.push_back(seen.when);
      }
      if (index < d->slots.size()) Answer(*c.program, *seen.decision, *d, &d->slots[index]);
    };
    RunTests(c.program, c.tests, c.test_packages, c.sources, options, clock_);
    bool any = std::any_of(d->slots.begin(), d->slots.end(),
                           [](const Slot& s) { return s.seen && !s.beside; });
    if (!any) {
      std::string why = d->slots.empty() || !d->slots[0].seen ? "nothing" : d->slots[0].answer;
      d->problem = "in the world of test \"" + d->base.test->title.value +
                   "\", without what happened before, the answer is `" + why + "`";
      return;
    }
    // What lies beyond the reach of the world (a consent that has run out) shows nothing of the
    // limit.
    while (!d->slots.empty() && (!d->slots.back().seen || !d->slots.back().steady ||
                                 (d->slots.back().beside && d->slots.back().window)))
      d->slots.pop_back();
  }

  void Answer(const Program& p, const Decision& decision, const Draft& d, Slot* s) const {
    const LimitLine* binding = nullptr;
    bool mine = false;
    for (const LimitLine& line : decision.limits) {
      if (line.binding) binding = &line;
    }
    if (binding != nullptr) mine = binding->limit == d.limit;
    std::string answer, differs;
    auto bound = [&] {
      return binding == nullptr
                 ? std::string()
                 : " bound by " + Short(d.base, p.Text(p.limits[binding->limit].name));
    };
    switch (decision.outcome) {
      case OutcomeKind::kPermit:
        answer = "permit" + (mine ? bound() : "");
        if (s->want != Want::kPermit) differs = "permitted all the same";
        break;
      case OutcomeKind::kAsk:
        answer = "ask " + ApprovalName(d.base, decision.approvals.items[0]);
        if (s->want != Want::kAsk || decision.approvals.items[0] != s->approval)
          differs = mine || binding == nullptr ? "asked for" : "asked for," + bound();
        break;
      case OutcomeKind::kDeny:
        answer = "deny " + std::string(ReasonCode(decision.reason));
        if (s->want != Want::kExceeded || decision.reason != Reason::kLimitExceeded)
          differs = ReasonStep(decision.reason) == 12 && !mine && binding != nullptr
                        ? "a tighter limit," + bound()
                        : "not for this limit: " + std::string(ReasonMeaning(decision.reason));
        s->beside = ReasonStep(decision.reason) != 12;
        if (decision.reason == Reason::kLimitExceeded) answer += bound();
        break;
    }
    if (s->seen && s->answer.substr(0, 4) != answer.substr(0, 4)) s->steady = false;
    // Of a repeated request only the first may be bound by another limit than the last.
    bool again = s->seen;
    s->seen = true;
    s->answer = s->repeat > 1 && decision.outcome == OutcomeKind::kPermit ? "permit" : answer;
    if (!again || !differs.empty()) s->differs = differs;
  }

  Proposal Print(Draft* d) const {
    Proposal out;
    out.limit = p_.Text(p_.limits[d->limit].name);
    out.clause = OneLine(c_.sources, SpanOf(*d));
    out.span = SpanOf(*d);
    out.file = PathOf(d->base.test == nullptr ? SpanOf(*d) : d->base.test->span);
    if (d->problem.empty()) {
      out.built = true;
      out.text = Block(*d);
    } else {
      out.text = NoBlock(*d);
    }
    return out;
  }
  std::string NoBlock(const Draft& d) const {
    return "// " + PlaceOf(c_.sources, SpanOf(d)) + ": `" + OneLine(c_.sources, SpanOf(d)) +
           "` of " + std::string(p_.Text(p_.statements[p_.limits[d.limit].statement].name)) + ": " +
           d.problem + "\n";
  }

  // As printed, or not at all.
  void Verify(std::vector<Draft>* drafts, std::vector<Proposal>* out) const {
    std::vector<const Draft*> built;
    for (size_t i = 0; i < drafts->size(); ++i) {
      if ((*out)[i].built) built.push_back(&(*drafts)[i]);
    }
    if (built.empty()) return;
    std::unique_ptr<Compilation> c = Appended(built);
    for (size_t i = 0; i < drafts->size(); ++i) {
      Draft& d = (*drafts)[i];
      if (!(*out)[i].built) continue;
      bool passed = false;
      if (c != nullptr) {
        TestOptions options;
        options.wanted = [&](size_t t) { return c->tests[t]->title.value == d.title; };
        TestRun run = RunTests(c->program, c->tests, c->test_packages, c->sources, options, clock_);
        passed = run.failed == 0 && run.passed > 0;
      }
      if (passed) continue;
      d.problem =
          "no proposal for it passes in the world of test \"" + d.base.test->title.value + "\"";
      (*out)[i].built = false;
      (*out)[i].text = NoBlock(d);
    }
  }

  const Compilation& c_;
  const Program& p_;
  Clock* clock_;
  std::vector<Base> bases_;
  std::map<size_t, const ast::LimitClause*> clauses_;
};

}  // namespace

std::vector<Proposal> ProposeBoundaries(const Compilation& c, Clock* clock) {
  return Proposer(c, clock).Run();
}

}  // namespace dpl::testing
