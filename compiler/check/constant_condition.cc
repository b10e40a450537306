// DPL0313: a condition that cannot change its mind.
//
// Looks at one attribute at a time: the constants, intervals and enum members that the parts of an
// `and` leave for it, and whether the parts of an `or` leave nothing out. What it does not
// understand it takes for changeable.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "compiler/check/expr.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

using ast::Expr;
using ast::ExprKind;

// `path op constant`, the path on the left.
struct Test {
  std::string path;
  ExprKind op = ExprKind::kEq;
  uint32_t constant = kNone;
  TypeId type = kNone;
  const Expr* at = nullptr;
};

ExprKind Turned(ExprKind op) {
  switch (op) {
    case ExprKind::kLt:
      return ExprKind::kGt;
    case ExprKind::kLe:
      return ExprKind::kGe;
    case ExprKind::kGt:
      return ExprKind::kLt;
    case ExprKind::kGe:
      return ExprKind::kLe;
    default:
      return op;
  }
}

bool IsComparison(ExprKind kind) {
  return kind == ExprKind::kEq || kind == ExprKind::kNe || kind == ExprKind::kLt ||
         kind == ExprKind::kLe || kind == ExprKind::kGt || kind == ExprKind::kGe;
}

std::optional<Test> TestOf(Checker& c, const Expr& e) {
  if (!IsComparison(e.kind)) return std::nullopt;
  uint32_t a = FoldConstant(c, *e.args[0]), b = FoldConstant(c, *e.args[1]);
  if ((a == kNone) == (b == kNone)) return std::nullopt;
  const Expr& path = a == kNone ? *e.args[0] : *e.args[1];
  Test test;
  test.path = PathText(path);
  if (test.path.empty()) return std::nullopt;
  test.op = a == kNone ? e.kind : Turned(e.kind);
  test.constant = a == kNone ? b : a;
  test.type = WithoutOptional(c, path.type);
  test.at = &e;
  return test;
}

// Members of an enum, or the two truth values; 0 for every other type.
uint32_t Members(const Checker& c, TypeId type) {
  if (Is(c, type, TypeKind::kEnum))
    return static_cast<uint32_t>(c.model.schema.enums[c.Type(type).index].members.size());
  return Is(c, type, TypeKind::kBool) ? 2 : 0;
}

bool Holds(ExprKind op, int64_t value, int64_t constant) {
  switch (op) {
    case ExprKind::kEq:
      return value == constant;
    case ExprKind::kNe:
      return value != constant;
    case ExprKind::kLt:
      return value < constant;
    case ExprKind::kLe:
      return value <= constant;
    case ExprKind::kGt:
      return value > constant;
    default:
      return value >= constant;
  }
}

void Say(Checker& c, const Span& span, bool truth, const Expr* one, const Expr* other) {
  DiagnosticRef report = c.Report(DPL0313, span, {truth ? "true" : "false"});
  if (one != nullptr && other != nullptr && one != other)
    report.Label(one->span, "says this").Label(other->span, "and this at once");
}

// What is left of one attribute.
struct Left {
  const Expr* first = nullptr;
  const Expr* pin = nullptr;
  uint32_t pinned = kNone;
  std::set<int64_t> members;  // of an enum
  bool enumerated = false;
  std::optional<Test> low, high;
};

class Conjunction {
 public:
  Conjunction(Checker& c, const Expr& whole) : c_(c), whole_(whole) {}

  // False when the contradiction has been said.
  bool Add(const Test& test) {
    Left& left = left_[test.path];
    if (left.first == nullptr) left.first = test.at;
    const Expr* before = left.first;
    if (uint32_t members = Members(c_, test.type); members != 0) {
      if (!left.enumerated) {
        for (uint32_t m = 0; m < members; ++m) left.members.insert(m);
        left.enumerated = true;
      }
      size_t had = left.members.size();
      std::erase_if(left.members, [&](int64_t m) {
        return !Holds(test.op, m, c_.model.constants[test.constant].number);
      });
      if (left.members.empty()) return Never(had == members ? test.at : before, test.at);
      if (left.members.size() == members) Say(c_, test.at->span, true, nullptr, nullptr);
      return true;
    }
    if (test.op == ExprKind::kEq) {
      if (left.pin != nullptr && left.pinned != test.constant) return Never(left.pin, test.at);
      left.pin = test.at;
      left.pinned = test.constant;
    }
    if (!IsOrdered(c_, test.type)) return true;
    bool low = test.op == ExprKind::kGt || test.op == ExprKind::kGe || test.op == ExprKind::kEq;
    bool high = test.op == ExprKind::kLt || test.op == ExprKind::kLe || test.op == ExprKind::kEq;
    if (low && (!left.low || Tighter(test, *left.low, 1))) left.low = test;
    if (high && (!left.high || Tighter(test, *left.high, -1))) left.high = test;
    if (left.low && left.high && SameUnit(*left.low, *left.high)) {
      int order = CompareConstants(c_.model, left.low->constant, left.high->constant);
      bool open = left.low->op == ExprKind::kGt || left.high->op == ExprKind::kLt;
      if (order > 0 || (order == 0 && open)) return Never(left.low->at, left.high->at);
    }
    return true;
  }

 private:
  bool Never(const Expr* one, const Expr* other) {
    if (one->span.begin > other->span.begin) std::swap(one, other);
    Say(c_, whole_.span, false, one, other);
    return false;
  }
  bool SameUnit(const Test& a, const Test& b) const {
    const Constant &x = c_.model.constants[a.constant], &y = c_.model.constants[b.constant];
    return x.kind == y.kind && (x.kind != Constant::Kind::kMoney || x.extra == y.extra);
  }
  bool Tighter(const Test& a, const Test& b, int sign) const {
    if (!SameUnit(a, b)) return false;
    int order = CompareConstants(c_.model, a.constant, b.constant) * sign;
    return order > 0 || (order == 0 && (a.op == ExprKind::kGt || a.op == ExprKind::kLt));
  }

  Checker& c_;
  const Expr& whole_;
  std::map<std::string, Left> left_;
};

void Disjuncts(const Expr& e, std::vector<const Expr*>* out) {
  if (e.kind != ExprKind::kOr) return out->push_back(&e);
  Disjuncts(*e.args[0], out);
  Disjuncts(*e.args[1], out);
}

// `x < 5 or x >= 5`, and enum members that are all named.
void CheckDisjunction(Checker& c, const Expr& e) {
  std::vector<const Expr*> parts;
  Disjuncts(e, &parts);
  std::map<std::string, std::set<int64_t>> met;
  std::vector<Test> tests;
  for (const Expr* part : parts) {
    std::optional<Test> test = TestOf(c, *part);
    if (!test) continue;
    if (uint32_t members = Members(c, test->type); members != 0) {
      std::set<int64_t>& seen = met[test->path];
      for (uint32_t m = 0; m < members; ++m) {
        if (Holds(test->op, m, c.model.constants[test->constant].number)) seen.insert(m);
      }
      if (seen.size() == members) return Say(c, e.span, true, nullptr, nullptr);
      continue;
    }
    for (const Test& other : tests) {
      if (other.path != test->path) continue;
      const Test& below = test->op == ExprKind::kLt || test->op == ExprKind::kLe ? *test : other;
      const Test& above = &below == &other ? *test : other;
      bool facing = (below.op == ExprKind::kLt || below.op == ExprKind::kLe) &&
                    (above.op == ExprKind::kGt || above.op == ExprKind::kGe);
      const Constant &x = c.model.constants[below.constant], &y = c.model.constants[above.constant];
      bool unit = x.kind == y.kind && (x.kind != Constant::Kind::kMoney || x.extra == y.extra);
      if (facing && unit) {
        int order = CompareConstants(c.model, below.constant, above.constant);
        bool closed = below.op == ExprKind::kLe || above.op == ExprKind::kGe;
        if (order > 0 || (order == 0 && closed)) return Say(c, e.span, true, other.at, test->at);
      }
      bool negated = other.constant == test->constant &&
                     ((other.op == ExprKind::kEq && test->op == ExprKind::kNe) ||
                      (other.op == ExprKind::kNe && test->op == ExprKind::kEq));
      if (negated) return Say(c, e.span, true, other.at, test->at);
    }
    tests.push_back(*test);
  }
}

}  // namespace

void WarnConstantCondition(Checker& c, const Expr& e) {
  if (e.kind == ExprKind::kBool) {
    c.Report(DPL0313, e.span, {e.bool_value ? "true" : "false"})
        .Help(e.bool_value ? "leave the condition out" : "remove the clause");
    return;
  }
  Conjunction all(c, e);
  for (const Expr* part : Conjuncts(&e)) {
    if (part->kind == ExprKind::kBool) {
      c.Report(DPL0313, part->span, {part->bool_value ? "true" : "false"});
      continue;
    }
    if (part->kind == ExprKind::kOr) {
      CheckDisjunction(c, *part);
      continue;
    }
    if (part->kind == ExprKind::kIn || part->kind == ExprKind::kNotIn) {
      uint32_t set = FoldConstant(c, *part->args[1]);
      bool empty = part->args[1]->kind == ExprKind::kSet && part->args[1]->args.empty();
      empty |= set != kNone && c.model.constants[set].kind == Constant::Kind::kSet &&
               c.model.constants[set].elements.empty();
      if (empty)
        c.Report(DPL0313, part->span, {part->kind == ExprKind::kIn ? "false" : "true"})
            .Help("the set is empty");
      continue;
    }
    if (!IsComparison(part->kind)) continue;
    std::string left = PathText(*part->args[0]), right = PathText(*part->args[1]);
    uint32_t a = FoldConstant(c, *part->args[0]), b = FoldConstant(c, *part->args[1]);
    if (!left.empty() && left == right && a == kNone) {
      bool truth =
          part->kind == ExprKind::kEq || part->kind == ExprKind::kLe || part->kind == ExprKind::kGe;
      c.Report(DPL0313, part->span, {truth ? "true" : "false"}).Help("both sides are the same");
      continue;
    }
    if (a != kNone && b != kNone) {
      const Constant &x = c.model.constants[a], &y = c.model.constants[b];
      bool unit = x.kind == y.kind && (x.kind != Constant::Kind::kMoney || x.extra == y.extra);
      if (unit) {
        bool truth = Holds(part->kind, CompareConstants(c.model, a, b), 0);
        c.Report(DPL0313, part->span, {truth ? "true" : "false"}).Help("both sides are constants");
      }
      continue;
    }
    std::optional<Test> test = TestOf(c, *part);
    if (test && !all.Add(*test)) return;
  }
}

}  // namespace dpl::check
