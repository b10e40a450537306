// Subjects and scopes: who a clause is for and which resources it reaches, as code and as keys of
// the index.
#include <algorithm>
#include <set>

#include "compiler/lower/expr.h"
#include "runtime/base/result.h"

namespace dpl::lower {

using ast::Subject;

// ---------------------------------------------------------------- computed roles

// The computed roles whose condition makes somebody a holder of `role`: itself, and every role that
// includes it.
const std::vector<uint32_t>& Lowering::ComputedRolesGiving(uint32_t role) {
  const std::vector<RoleDef>& roles = model_->schema.roles;
  if (included_by_.empty()) {
    included_by_.resize(roles.size());
    computed_giving_.resize(roles.size());
    for (uint32_t r = 0; r < roles.size(); ++r) {
      for (uint32_t included : roles[r].includes) included_by_[included].push_back(r);
    }
  }
  std::optional<std::vector<uint32_t>>& computed = computed_giving_[role];
  if (computed) return *computed;
  computed.emplace();
  std::set<uint32_t> giving{role};
  std::vector<uint32_t> todo{role};
  while (!todo.empty()) {
    uint32_t at = todo.back();
    todo.pop_back();
    if (at < model_->roles.size() &&
        (model_->roles[at].where != nullptr || !model_->roles[at].where_by_type.empty())) {
      computed->push_back(at);
    }
    for (uint32_t outer : included_by_[at]) {
      if (giving.insert(outer).second) todo.push_back(outer);
    }
  }
  std::sort(computed->begin(), computed->end());
  return *computed;
}

// The conditions under which the role is held at a resource of this type. Where the type is not
// known, all of them: a condition that meets a resource of another type is ⊥, which gives nothing.
std::vector<const ast::Expr*> Lowering::RoleConditions(uint32_t role, uint32_t type) const {
  const check::RoleModel& model = model_->roles[role];
  std::vector<const ast::Expr*> conditions;
  if (model.where != nullptr) conditions.push_back(model.where);
  for (const auto& [scope, condition] : model.where_by_type) {
    if (type == kNone || scope == type) conditions.push_back(condition);
  }
  return conditions;
}

void Lowering::ComputedHoldings(uint32_t role, const Frame& holder, Emitter* emit) {
  for (uint32_t r : ComputedRolesGiving(role)) {
    Frame body = holder;
    body.zone = model_->schema.packages[model_->schema.roles[r].package].zone;
    for (const ast::Expr* condition : RoleConditions(r, holder.type)) {
      Emitter::Mark end = emit->Jump(Opcode::kSkipIfTrue);
      Value(*condition, body, emit);
      emit->Op(Opcode::kOr);
      emit->Bind(end);
    }
  }
}

// A holding on record, or somebody who fulfils the condition: without a person there is nobody who
// could, so F, not ⊥.
//   SubjRole r · SkipIfTrue end · LoadPerson · IsKnown · SkipIfFalse nobody · condition · And ·
//   nobody: Or · end:
void Lowering::HoldsRole(uint32_t role, uint32_t type, Emitter* emit) {
  emit->Op(Opcode::kSubjRole, {role});
  if (ComputedRolesGiving(role).empty()) return;
  Emitter::Mark end = emit->Jump(Opcode::kSkipIfTrue);
  emit->Op(Opcode::kLoadPerson);
  emit->Op(Opcode::kIsKnown);
  Emitter::Mark nobody = emit->Jump(Opcode::kSkipIfFalse);
  emit->Op(Opcode::kPushConst,
           {model_->AddConstant(Constant{})});  // false, to begin the conditions with
  ComputedHoldings(role, Frame{.type = type}, emit);
  emit->Op(Opcode::kAnd);
  emit->Bind(nobody);
  emit->Op(Opcode::kOr);
  emit->Bind(end);
}

// ---------------------------------------------------------------- subjects

void Lowering::Subject(const ast::Subject& subject, Side side, uint32_t type, Emitter* emit) {
  switch (subject.kind) {
    case Subject::Kind::kTeam:
      emit->Op(Opcode::kSubjTeam, {subject.ref});
      return;
    case Subject::Kind::kRole:
      HoldsRole(subject.ref, type, emit);
      return;
    case Subject::Kind::kPerson:
      emit->Op(Opcode::kSubjPerson, {subject.ref});
      return;
    case Subject::Kind::kAgent:
      emit->Op(side == Side::kAdding ? Opcode::kSubjAgentRoot : Opcode::kSubjAgentHop,
               {subject.ref});
      return;
    case Subject::Kind::kAnyAgent:
      emit->Op(Opcode::kSubjAnyAgent);
      return;
    case Subject::Kind::kEveryone:
      emit->Op(Opcode::kSubjEveryone);
      return;
    case Subject::Kind::kPublic:
      emit->Op(Opcode::kSubjPublic);
      return;
    case Subject::Kind::kPartner:
      emit->Op(Opcode::kSubjPartner, {subject.ref});
      return;
  }
}

// Both roles at once, for `separate` by role.
uint32_t Lowering::HoldsBoth(uint32_t a, uint32_t b, uint32_t type) {
  Emitter emit(program_);
  HoldsRole(a, type, &emit);
  Emitter::Mark end = emit.Jump(Opcode::kSkipIfFalse);
  HoldsRole(b, type, &emit);
  emit.Op(Opcode::kAnd);
  emit.Bind(end);
  return emit.Finish(model_->schema.roles[a].span);
}

// Whether somebody is meant by a role whose condition differs from type to type.
bool Lowering::DependsOnType(const std::vector<ast::Subject>& subjects) {
  return std::any_of(subjects.begin(), subjects.end(), [&](const ast::Subject& subject) {
    if (subject.kind != Subject::Kind::kRole) return false;
    const std::vector<uint32_t>& computed = ComputedRolesGiving(subject.ref);
    return std::any_of(computed.begin(), computed.end(),
                       [&](uint32_t role) { return !model_->roles[role].where_by_type.empty(); });
  });
}

SubjectKey Lowering::KeyOf(const ast::Subject& subject) {
  switch (subject.kind) {
    case Subject::Kind::kTeam:
      return {KeyKind::kTeam, subject.ref};
    case Subject::Kind::kRole:
      // Anybody may fulfil a condition; who holds a role by facts has every included role among the
      // holdings.
      if (!ComputedRolesGiving(subject.ref).empty()) return {};
      return {KeyKind::kRole, subject.ref};
    case Subject::Kind::kPerson:
      return {KeyKind::kPerson, subject.ref};
    case Subject::Kind::kAgent:
      return {KeyKind::kAgent, subject.ref};
    case Subject::Kind::kEveryone:
      return {KeyKind::kEveryone, 0};
    case Subject::Kind::kPublic:
      return {KeyKind::kPublic, 0};
    case Subject::Kind::kPartner:
      return {KeyKind::kPartner, subject.ref};
    default:
      return {};
  }
}

SubjectCode Lowering::Subjects(const std::vector<ast::Subject>& subjects, Side side,
                               uint32_t type) {
  if (!DependsOnType(subjects)) type = kNone;  // one code for all types
  auto [at, fresh] = subjects_.try_emplace({&subjects, side, type});
  SubjectCode& result = at->second;
  if (!fresh) return result;

  std::string text;
  // In what restricts, `everyone` and `public` both mean every request, as does saying nobody at
  // all.
  bool always = subjects.empty();
  bool agents_only = !subjects.empty();
  for (const ast::Subject& subject : subjects) {
    if (!text.empty()) text += ", ";
    text += SourceOf(subject.span);
    if (side == Side::kRestricting &&
        (subject.kind == Subject::Kind::kEveryone || subject.kind == Subject::Kind::kPublic)) {
      always = true;
    }
    if (subject.kind != Subject::Kind::kAgent) agents_only = false;
    result.keys.push_back(KeyOf(subject));
  }
  DPL_CHECK(side == Side::kRestricting || !subjects.empty());
  result.text = model_->AddString(subjects.empty() ? "everyone" : text);

  std::sort(result.keys.begin(), result.keys.end());
  result.keys.erase(std::unique(result.keys.begin(), result.keys.end()), result.keys.end());
  // What restricts bites on "cannot tell" too, so memberships must not hide it. Who acts is always
  // known: agents may.
  bool any = always || (side == Side::kRestricting && !agents_only) ||
             result.keys.front().kind == KeyKind::kAny;
  if (any) result.keys = {SubjectKey{}};
  if (always) return result;

  Emitter emit(program_);
  Subject(subjects[0], side, type, &emit);
  for (size_t i = 1; i < subjects.size(); ++i) {
    Emitter::Mark end = emit.Jump(Opcode::kSkipIfTrue);
    Subject(subjects[i], side, type, &emit);
    emit.Op(Opcode::kOr);
    emit.Bind(end);
  }
  Span span = subjects.front().span;
  const Span& last = subjects.back().span;
  span.end = last.end;
  span.end_line = last.end_line;
  span.end_column = last.end_column;
  result.code = emit.Finish(span);
  return result;
}

// ---------------------------------------------------------------- scopes

// The id literal, and one of the containers: `on T "id" in { a, b }`.
uint32_t Lowering::Scope(const check::ClauseModel& clause) {
  using Container = check::ClauseModel::Container;
  if (!clause.has_id && clause.containers.empty()) return kNone;
  Emitter emit(program_);
  if (clause.has_id) {
    Constant id;
    id.kind = Constant::Kind::kResource;
    id.extra = clause.type;
    id.text = clause.id;
    emit.Op(Opcode::kResourceIs, {model_->AddConstant(std::move(id))});
  }
  Emitter::Mark end = 0;
  if (clause.has_id && !clause.containers.empty()) end = emit.Jump(Opcode::kSkipIfFalse);
  for (size_t i = 0; i < clause.containers.size(); ++i) {
    const Container& container = clause.containers[i];
    Emitter::Mark found = 0;
    if (i != 0) found = emit.Jump(Opcode::kSkipIfTrue);
    switch (container.kind) {
      case Container::Kind::kEntity:
        emit.Op(Opcode::kResourceIn, {container.constant});
        break;
      case Container::Kind::kPath:
        emit.Op(Opcode::kResourceInPath, {container.constant});
        break;
      case Container::Kind::kTaskParam:
        emit.Op(Opcode::kResourceInTask, {container.param});
        break;
    }
    if (i != 0) {
      emit.Op(Opcode::kOr);
      emit.Bind(found);
    }
  }
  if (clause.has_id && !clause.containers.empty()) {
    emit.Op(Opcode::kAnd);
    emit.Bind(end);
  }
  return emit.Finish(clause.span);
}

}  // namespace dpl::lower
