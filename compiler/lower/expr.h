// Expressions, subjects and scopes as code.
//
//   Lowering lower(&model, &program, sources);
//   uint32_t where = lower.Condition(*clause.where, clause.type, zone);     // Program::codes
//   SubjectCode subject = lower.Subjects(subjects, Side::kAdding, clause.type);
//
// Reads what the checker wrote into the trees (compiler/check/model.h); an expression it did not
// finish is a mistake of ours and ends the process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "compiler/check/model.h"
#include "compiler/lower/emit.h"
#include "compiler/source/source_file.h"
#include "runtime/bytecode/program.h"

namespace dpl::lower {

// Whether the clause gives (a grant, a delegation's `from`, an approver) or takes away: `everyone`
// and `agent a` mean different things there.
enum class Side : uint8_t { kAdding, kRestricting };

struct SubjectCode {
  uint32_t code = kNone;         // kNone: always true
  Str text = 0;                  // "team marketing, role lead"
  std::vector<SubjectKey> keys;  // sorted; {kAny} when the clause must always be tried
};

class Lowering {
 public:
  Lowering(check::Model* model, Program* program, const SourceSet& sources)
      : model_(model), program_(program), sources_(sources) {}

  // `type`: the resource type of the request, kNone when it can be several. `zone`: of the
  // declaring package.
  uint32_t Expression(const ast::Expr& expr, uint32_t type, uint32_t zone);
  SubjectCode Subjects(const std::vector<ast::Subject>& subjects, Side side, uint32_t type);
  uint32_t Scope(const check::ClauseModel& clause);
  uint32_t HoldsBoth(uint32_t role_a, uint32_t role_b, uint32_t type);
  std::string SourceOf(const Span& span) const;

  check::Model& model() { return *model_; }
  Program& program() { return *program_; }

 private:
  // A variable of a quantifier or a parameter of a function: the checker's number and the slot.
  struct Local {
    uint32_t ref = 0, slot = 0;
    const Local* outer = nullptr;
  };
  // Where an expression stands: the body of a computed role reads its own variables, its own
  // package's zone, and for `person` whoever is asked about; the body of a function its parameters.
  struct Frame {
    uint32_t type = kNone, zone = 0;
    const Local* locals = nullptr;
    uint32_t person_slot = kNone;  // kNone: the request's person
  };

  void Value(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void Field(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void Logic(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void If(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void Quantify(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void CallFunction(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void Containment(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void Set(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void Record(const ast::Expr& expr, const Frame& frame, Emitter* emit);
  void Subject(const ast::Subject& subject, Side side, uint32_t type, Emitter* emit);
  void HoldsRole(uint32_t role, uint32_t type, Emitter* emit);
  // What computed roles add to a holding of `role`: ` or condition` for each.
  void ComputedHoldings(uint32_t role, const Frame& holder, Emitter* emit);
  // The same where `role` shows only at run time; `holder` is the frame of a role's condition.
  void AnyComputedHoldings(const ast::Expr& role, const Frame& frame, const Frame& holder,
                           Emitter* emit);
  bool DependsOnType(const std::vector<ast::Subject>& subjects);
  SubjectKey KeyOf(const ast::Subject& subject);
  const std::vector<uint32_t>& ComputedRolesGiving(uint32_t role);
  std::vector<const ast::Expr*> RoleConditions(uint32_t role, uint32_t type) const;

  uint32_t ConstantOf(const ast::Expr& expr);  // kNone: not a constant
  TypeKind KindOf(const ast::Expr& expr) const;

  check::Model* model_;
  Program* program_;
  const SourceSet& sources_;
  std::map<std::tuple<const void*, Side, uint32_t>, SubjectCode> subjects_;
  std::vector<std::vector<uint32_t>> included_by_;  // role: roles that include it
  std::vector<std::optional<std::vector<uint32_t>>> computed_giving_;  // role: see the function
};

}  // namespace dpl::lower
