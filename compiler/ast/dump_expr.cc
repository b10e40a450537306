// Expressions as text.
#include <string>

#include "compiler/ast/dump.h"
#include "runtime/base/text.h"

namespace dpl::ast {
namespace {

void Append(const Expr& e, std::string* out);

void List(std::string_view head, const Expr& e, std::string* out, std::string_view tail = {}) {
  *out += '(';
  *out += head;
  for (const ExprPtr& arg : e.args) {
    *out += ' ';
    Append(*arg, out);
  }
  if (!tail.empty()) *out += ' ';
  *out += tail;
  *out += ')';
}

void Append(const Expr& e, std::string* out) {
  switch (e.kind) {
    case ExprKind::kNumber:
    case ExprKind::kDuration:
    case ExprKind::kDate:
    case ExprKind::kDateTime:
    case ExprKind::kTime:
    case ExprKind::kName:
      *out += e.text;
      break;
    case ExprKind::kMoney:
      *out += e.text + "_" + e.text2;
      break;
    case ExprKind::kString:
      *out += Quote(e.text);
      break;
    case ExprKind::kBool:
      *out += e.bool_value ? "true" : "false";
      break;
    case ExprKind::kField:
      Append(*e.args[0], out);
      *out += "." + e.text;
      break;
    case ExprKind::kIndex:
      Append(*e.args[0], out);
      *out += "[" + Quote(e.text) + "]";
      break;
    case ExprKind::kCall:
      List("call " + e.text, e, out);
      break;
    case ExprKind::kEntity:
      *out += "(ref " + e.text + " " + Quote(e.text2) + ")";
      break;
    case ExprKind::kHead:
      *out += "(" + e.text + " " + e.text2 + ")";
      break;
    case ExprKind::kNot:
      List("not", e, out);
      break;
    case ExprKind::kNeg:
      List("neg", e, out);
      break;
    case ExprKind::kOr:
      List("or", e, out);
      break;
    case ExprKind::kAnd:
      List("and", e, out);
      break;
    case ExprKind::kEq:
      List("==", e, out);
      break;
    case ExprKind::kNe:
      List("!=", e, out);
      break;
    case ExprKind::kLt:
      List("<", e, out);
      break;
    case ExprKind::kLe:
      List("<=", e, out);
      break;
    case ExprKind::kGt:
      List(">", e, out);
      break;
    case ExprKind::kGe:
      List(">=", e, out);
      break;
    case ExprKind::kAdd:
      List("+", e, out);
      break;
    case ExprKind::kSub:
      List("-", e, out);
      break;
    case ExprKind::kMul:
      List("*", e, out);
      break;
    case ExprKind::kIn:
      List("in", e, out);
      break;
    case ExprKind::kNotIn:
      List("not-in", e, out);
      break;
    case ExprKind::kLike:
      List("like", e, out, Quote(e.text));
      break;
    case ExprKind::kMatches:
      List("matches", e, out, Quote(e.text));
      break;
    case ExprKind::kIsKnown:
      List("known", e, out);
      break;
    case ExprKind::kIsNotKnown:
      List("not-known", e, out);
      break;
    case ExprKind::kDuring:
      List("during", e, out, e.text2);
      break;
    case ExprKind::kIf:
      List("if", e, out);
      break;
    case ExprKind::kSome:
      List("some " + e.text, e, out);
      break;
    case ExprKind::kAll:
      List("all " + e.text, e, out);
      break;
    case ExprKind::kCount:
      List(e.text.empty() ? "count" : "count " + e.text, e, out);
      break;
    case ExprKind::kSet:
      List("set", e, out);
      break;
    case ExprKind::kRecord:
      *out += "(record";
      for (size_t i = 0; i < e.args.size(); ++i) {
        *out += " " + e.fields[i].text + "=";
        Append(*e.args[i], out);
      }
      *out += ")";
      break;
  }
}

}  // namespace

std::string Dump(const Expr& expr) {
  std::string out;
  Append(expr, &out);
  return out;
}

}  // namespace dpl::ast
