// The class behind expr.h, split over expr.cc (truth and presence), expr_path.cc (names and fields)
// and expr_ops.cc (operators). Internal to compiler/check.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/expr.h"
#include "compiler/check/types.h"

namespace dpl::check {

class ExprChecker {
 public:
  ExprChecker(Checker& c, const ExprScope& scope) : c_(c), scope_(scope) {
    if (scope.params == nullptr) return;
    for (const FunctionParam& param : *scope.params)
      locals_.push_back({param.name, param.type, static_cast<uint32_t>(locals_.size())});
  }

  // The type, with `?` where the value may be absent. `want` is what the context would like: it
  // gives literals and bare enum members their type, and is not yet a demand.
  TypeId Check(ast::Expr& e, TypeId want);
  // The same for a use of the value: absent values are dealt with (DPL0303), the type has no `?`.
  TypeId Value(ast::Expr& e, TypeId want);
  // A demand: reports DPL0301 when the type is another.
  bool Demand(ast::Expr& e, TypeId want);
  bool Bool(ast::Expr& e);

 private:
  // expr_path.cc
  TypeId Name(ast::Expr& e, TypeId want);
  TypeId Variable(ast::Expr& e);
  TypeId Field(ast::Expr& e, TypeId want);
  TypeId AttributeOf(ast::Expr& e, TypeId base);
  TypeId RequestField(ast::Expr& e);
  TypeId TaskField(ast::Expr& e, std::string_view name);
  TypeId ContextField(ast::Expr& e);
  TypeId NowField(ast::Expr& e);
  TypeId Index(ast::Expr& e);
  TypeId Entity(ast::Expr& e);
  TypeId Head(ast::Expr& e);
  TypeId GlobalName(ast::Expr& e, const std::string& dotted, TypeId want);
  TypeId UnknownName(ast::Expr& e, const std::string& dotted);
  bool OtherWord(const std::string& first, bool bare, const ast::Expr& e, DiagnosticRef& report);
  bool IsVariable(std::string_view name) const;
  bool NotVisible(ast::Expr& e, bool visible);
  TypeId Attribute(ast::Expr& e, const std::vector<AttributeDef>& attributes, uint32_t of,
                   const std::string& owner);

  // expr_ops.cc
  TypeId Literal(ast::Expr& e, TypeId want);
  TypeId Comparison(ast::Expr& e);
  TypeId Arithmetic(ast::Expr& e, TypeId want);
  TypeId Negation(ast::Expr& e, TypeId want);
  TypeId In(ast::Expr& e);
  TypeId Contained(ast::Expr& e, TypeId left, TypeId right);
  TypeId Text(ast::Expr& e);
  TypeId During(ast::Expr& e);
  TypeId Known(ast::Expr& e);
  TypeId If(ast::Expr& e, TypeId want);
  TypeId Quantifier(ast::Expr& e);
  TypeId Set(ast::Expr& e, TypeId want);
  TypeId Record(ast::Expr& e, TypeId want);
  TypeId Call(ast::Expr& e);
  TypeId FunctionCall(ast::Expr& e, const Symbol& symbol);  // function.cc
  // Types both sides of an operator, the one that says more first. False when one could not be
  // typed.
  bool Both(ast::Expr& a, ast::Expr& b, TypeId want, TypeId* left, TypeId* right);
  bool TakesItsTypeFromTheOtherSide(const ast::Expr& e) const;
  TypeId Mismatch(const ast::Expr& e, TypeId have, TypeId want);
  bool WeekdayName(ast::Expr& e, const ast::Expr& other);

  // expr.cc
  TypeId Truth(ast::Expr& e);
  void AddKnown(const ast::Expr& e, bool truth);

  Checker& c_;
  const ExprScope& scope_;
  struct Local {
    std::string name;
    TypeId type;
    uint32_t slot;
  };
  std::vector<Local> locals_;
  std::vector<std::string> known_;  // paths that an `is known` to the left has tested
  bool cidr_allowed_ = false;
  bool weekday_names_ = false;  // beside `now.weekday`: mon … sun are values
};

// `person`, `now` …: names that no parameter may have.
bool IsVariableName(std::string_view name);

}  // namespace dpl::check
