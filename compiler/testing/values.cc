// Test expressions as WireValues; see values.h.
#include "compiler/testing/values.h"

#include <utility>

namespace dpl::testing {
namespace {

constexpr int kMaxDepth = 64;  // constants may refer to constants; the parser bounds the rest

Error NotAValue(const ast::Expr& expr, std::string message) {
  return Error{"test.value", std::move(message), expr.span.line, expr.span.column};
}

WireValue Number(std::string text, Arena* arena) {
  WireValue v;
  v.kind = WireValue::Kind::kNumber;
  v.text = arena->Copy(text);
  return v;
}

// The last part of `Class.internal` or `emea`: enum members travel by their bare name.
std::string_view LastName(const ast::Expr& expr) { return expr.text; }

class Converter {
 public:
  Converter(const Columns& columns, Arena* arena) : columns_(columns), arena_(arena) {}

  Result<WireValue> Convert(const ast::Expr& e, int depth) {
    using ast::ExprKind;
    if (depth > kMaxDepth) return NotAValue(e, "value is nested too deep");
    switch (e.kind) {
      case ExprKind::kNumber:
        return Number(WithoutUnderscores(e.text), arena_);
      case ExprKind::kMoney:
        return WireText(WithoutUnderscores(e.text) + " " + e.text2, arena_);
      case ExprKind::kString:
      case ExprKind::kDuration:
      case ExprKind::kDate:
      case ExprKind::kDateTime:
      case ExprKind::kTime:
        return WireText(e.text, arena_);
      case ExprKind::kBool: {
        WireValue v;
        v.kind = WireValue::Kind::kBool;
        v.boolean = e.bool_value;
        return v;
      }
      case ExprKind::kNeg: {
        Result<WireValue> inner = Convert(*e.args[0], depth + 1);
        if (!inner.ok()) return inner;
        if (inner->text.empty() || inner->text[0] == '-')
          return NotAValue(e, "`-` stands before something that is no number");
        WireValue v = *inner;
        v.text = arena_->Copy("-" + std::string(inner->text));
        return v;
      }
      case ExprKind::kName: {
        auto column = columns_.find(e.text);
        if (column != columns_.end()) {
          if (column->second->expr == nullptr)
            return NotAValue(e, "column `" + e.text + "` holds an outcome, not a value");
          return Convert(*column->second->expr, depth + 1);
        }
        if (e.target != nullptr) return Convert(*e.target, depth + 1);
        return WireText(LastName(e), arena_);
      }
      case ExprKind::kField:
        if (e.target != nullptr) return Convert(*e.target, depth + 1);
        if (e.ref == ast::RefKind::kEnumMember || e.ref == ast::RefKind::kUnresolved)
          return WireText(LastName(e), arena_);
        return NotAValue(e, "a test value cannot read `" + e.text + "`; write the value itself");
      case ExprKind::kEntity: {
        if (e.text == "person") return WireText(e.text2, arena_);
        return MakeObject({{"type", WireText(e.text, arena_)}, {"id", WireText(e.text2, arena_)}},
                          arena_);
      }
      case ExprKind::kHead:
        return WireText(e.text2, arena_);
      case ExprKind::kSet: {
        WireValue v;
        v.kind = WireValue::Kind::kArray;
        v.count = static_cast<uint32_t>(e.args.size());
        WireValue* items = arena_->NewArray<WireValue>(e.args.size());
        for (size_t i = 0; i < e.args.size(); ++i) {
          Result<WireValue> item = Convert(*e.args[i], depth + 1);
          if (!item.ok()) return item;
          items[i] = *item;
        }
        v.items = items;
        return v;
      }
      case ExprKind::kRecord: {
        std::vector<NamedWire> members;
        for (size_t i = 0; i < e.args.size(); ++i) {
          Result<WireValue> item = Convert(*e.args[i], depth + 1);
          if (!item.ok()) return item;
          members.push_back({e.fields[i].text, *item});
        }
        return MakeObject(members, arena_);
      }
      default:
        return NotAValue(e,
                         "a test value is a literal, an enum member, a constant, a set, a record "
                         "or a reference");
    }
  }

 private:
  const Columns& columns_;
  Arena* arena_;
};

}  // namespace

std::string WithoutUnderscores(std::string_view digits) {
  std::string out;
  for (char c : digits) {
    if (c != '_') out.push_back(c);
  }
  return out;
}

WireValue WireText(std::string_view text, Arena* arena) {
  WireValue v;
  v.kind = WireValue::Kind::kString;
  v.text = arena->Copy(text);
  return v;
}

WireValue MakeObject(const std::vector<NamedWire>& members, Arena* arena) {
  WireValue v;
  v.kind = WireValue::Kind::kObject;
  v.count = static_cast<uint32_t>(members.size());
  WireMember* out = arena->NewArray<WireMember>(members.size());
  for (size_t i = 0; i < members.size(); ++i)
    out[i] = {arena->Copy(members[i].name), members[i].value};
  v.members = out;
  return v;
}

Result<WireValue> ToWire(const ast::Expr& expr, const Columns& columns, Arena* arena) {
  Result<WireValue> value = Converter(columns, arena).Convert(expr, 0);
  if (!value.ok()) return value;
  value->line = expr.span.line;
  value->column = expr.span.column;
  return value;
}

Result<WireValue> ToWire(const ast::Quantity& quantity, const Columns& columns, Arena* arena) {
  switch (quantity.kind) {
    case ast::Quantity::Kind::kNumber:
      return Number(WithoutUnderscores(quantity.number), arena);
    case ast::Quantity::Kind::kMoney:
      return WireText(WithoutUnderscores(quantity.number) + " " + quantity.currency, arena);
    case ast::Quantity::Kind::kExpr:
      return ToWire(*quantity.expr, columns, arena);
  }
  return Error{"test.value", "unknown quantity"};
}

}  // namespace dpl::testing
