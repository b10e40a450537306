// Typing of expressions: every node gets its type and what it refers to (see model.h).
//
//   ExprScope scope{.file = &file, .where = "a grant's condition", .person = true, .resource =
//   true, .type = lead}; if (CheckCondition(c, *may.on.where, scope)) …            // a bool,
//   annotated
//
// What is wrong has been reported when these give false or kNone; one mistake makes one message.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/check/checker.h"

namespace dpl::check {

// What an expression may see, and whose side it is on.
struct ExprScope {
  FileScope* file = nullptr;
  std::string where;  // "a grant's condition": for messages
  bool person = false, agent = false, resource = false, request = false, task = false, now = false,
       context = false;
  bool restricting =
      false;  // an absent value makes it bite, so optional values need no test (closing rule 10)
  uint32_t type = kNone;                  // resource type of `resource`
  std::vector<const ActionDef*> actions;  // of that type: whose parameters `request` has
  const std::vector<TaskParam>* task_params =
      nullptr;           // parameters of the task; null: not known here
  bool in_test = false;  // values given in a test: an optional field of a record may be left out
  bool bare_params = false;                  // in a task its parameters are names of their own
  std::vector<bool>* used_params = nullptr;  // parallel to task_params: set for those that are read
  const std::vector<FunctionParam>* params = nullptr;  // of the function whose body this is
  const std::vector<ast::Name>* columns = nullptr;     // of a test's `with`
  std::vector<TypeId>* column_types =
      nullptr;                  // a column takes the type of the first place that uses it
  DiagCode mismatch = DPL0301;  // in given facts a wrong type violates the schema: DPL0806
};

// The expression must be a bool.
bool CheckCondition(Checker& c, ast::Expr& e, const ExprScope& scope);
// constant_condition.cc: DPL0313 for a typed condition that is always true or always false.
void WarnConstantCondition(Checker& c, const ast::Expr& e);
// The expression must be of this type (kNone: any); gives its type or kNone.
TypeId CheckTyped(Checker& c, ast::Expr& e, TypeId want, const ExprScope& scope);
// A constant of this type, for defaults and `const`; gives Model::constants or kNone.
uint32_t CheckConstant(Checker& c, ast::Expr& e, TypeId want, FileScope& file,
                       const std::string& where);

// A function's declaration, checked once; `ok` is false when something is wrong with it (reported).
const FunctionInfo& FunctionOf(Checker& c, const Symbol& symbol);

// The value of a `const`, folded once; kNone when it is wrong (reported).
uint32_t ConstantOf(Checker& c, const Symbol& symbol);

// Every expression below and including `e`, parents first; the bodies of functions it calls as
// well.
void Walk(const ast::Expr& e, const std::function<void(const ast::Expr&)>& visit);
// A copy: as parsed, or with its annotations.
std::unique_ptr<ast::Expr> Clone(const ast::Expr& e, bool annotated = false);
// A copy as parsed that the model owns.
ast::Expr* CloneInto(Model& model, const ast::Expr& e);
ast::Expr* Own(Model& model, std::unique_ptr<ast::Expr> e);
// `person.cost_center` as an expression, from the path's text and span.
std::unique_ptr<ast::Expr> PathExpr(const ast::QName& path);
// "resource.project.name" of a path, empty for anything else.
std::string PathText(const ast::Expr& e);

// `a and b and c` as its parts.
std::vector<const ast::Expr*> Conjuncts(const ast::Expr* e);

}  // namespace dpl::check
