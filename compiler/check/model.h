// What a checked policy set means: names resolved, types found, every clause unfolded to one
// resource type.
//
// Made by Check() from the syntax trees, read by compiler/lower (which turns it into a Program) and
// by the oracle (which evaluates it directly). The expressions in it are annotated AST nodes
// (ast::Expr::type, ref, ref_a, ref_b, target); a condition over several resource types is cloned
// and annotated once per type. Plain data, owns nothing of the AST but the clones; the files must
// outlive it.
//
// What an annotated expression holds (`type` is always set, an index into Schema::types; optional
// types are marked there):
//
//   literal (kNumber kMoney kString kDuration kDate kDateTime kTime kBool), also `mon` … `sun`
//   beside `now.weekday`
//                        kValue, ref_a: Model::constants. The constant has the type of the other
//                        side: a string beside a path is a kPath, a whole number beside a decimal a
//                        kDecimal.
//   person "E1", docs.Folder "A"          kPersonEntity, kResourceEntity; ref_a: constants
//   team t, role r                        kTeam, kRole; ref_a: Schema::teams, roles
//   emea, Class.internal                  kEnumMember; ref_a: enums, ref_b: member (a kField's args
//   mean nothing then) a constant's name                     kConst; ref_a: constants (its value),
//   target: the constant's own expression person agent resource request task now context
//                                         kVar…; kVarResource: ref_b is the resource type.
//                                         kVarAgent is the acting agent.
//   a quantifier's variable               kVarLocal; ref_a: slot, 0 is the outermost (kSome, kAll,
//   kCount: ref_a is their slot) a column of a test's `with`           kVarLocal; ref_a: column
//   x.attribute                           kPersonAttr (ref_a: attribute), kResourceAttr (ref_a:
//   attribute, ref_b: resource type),
//                                         kResourceParent (as kResourceAttr: the named parent),
//                                         kPersonKey, kResourceKey (ref_b: resource type),
//                                         kRecordField (ref_a: field)
//   x["key"]                              kLabelKey; ref_a: constants (a string)
//   request.p, task.p or a task's own p   kRequestParam (ref_a: Str of the name), kTaskParam
//   (ref_a: parameter of the task) context.f                             kContextAttr; ref_a:
//   Schema::context now.time, now.date, now.weekday       kNowTime, kNowDate, kNowWeekday, in the
//   zone of the declaring package
//   f(…) of a `function`                  kFunction; target: its body, annotated for this call,
//   where its parameters are kVarLocal, ref_a 0 to n-1, and its quantifiers' variables from n on.
//   An argument that is ⊥ (⊥missing for absent) is the result, whatever the body says f(…)
//   kBuiltin; ref_a: row of builtins.def like, matches                         ref_a: constants (a
//   kPattern);   during: kCalendar, ref_a: Schema::calendars everything else kValue; what it does
//   follows from its kind and the types of its arguments
//
// ast::Subject::ref: team and role by Schema index, agent by position among agents, person by
// constant.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/ast/nodes.h"
#include "compiler/check/id_table.h"
#include "runtime/bytecode/program.h"

namespace dpl::check {

struct ClauseModel {
  ClauseRole role = ClauseRole::kGrantMay;
  uint16_t row = 0;
  uint32_t type = kNone;          // resource type
  std::vector<uint32_t> actions;  // ascending
  const std::vector<ast::Subject>* subjects =
      nullptr;  // null or empty: everyone/no restriction (restricting statements), or not
                // applicable (ceilings, tasks)
  // scope: the id literal, then containers (any of them); all empty: the whole type
  std::string id;
  bool has_id = false;
  struct Container {
    enum class Kind : uint8_t { kEntity, kPath, kTaskParam } kind = Kind::kEntity;
    uint32_t constant = kNone;  // kEntity, kPath: Model::constants
    uint32_t param = 0;         // kTaskParam
  };
  std::vector<Container> containers;
  const ast::Expr* where = nullptr;  // annotated for `type`; null: none
  std::string where_text;            // source text
  uint32_t ask_approval = kNone;  // Model::statements of kind kApproval (position among approvals)
  Span span, subject_span, where_span;
};

struct LimitModel {
  const ast::LimitClause* clause = nullptr;
  std::string name, identity;   // see Limit
  TypeId measure_type = kNone;  // kNone: requests
  const ast::Expr* cap =
      nullptr;  // annotated; constants and money literals become synthetic literal expressions
  std::vector<LimitKeyPart> keys;  // kCode parts: code is an index into key_exprs
  std::vector<const ast::Expr*> key_exprs;
  struct Tier {
    uint32_t approval = kNone;
    const ast::Expr* up_to = nullptr;
  };
  std::vector<Tier> tiers;
};

struct StatementModel {
  StatementKind kind = StatementKind::kGrant;
  const ast::Decl* decl = nullptr;
  std::string name;  // qualified
  uint32_t package = kNone;
  uint32_t ordinal = 0;  // position among statements of its kind: the index lower gives its detail
  OwnerDef owner;
  std::string because, ticket, doc;
  int64_t granted_us = INT64_MIN, expires_us = INT64_MAX, review_every_us = 0,
          reviewed_us = INT64_MIN;  // file defaults applied
  bool imported = false, trusting_request = false;
  std::vector<ClauseModel> clauses;
  std::vector<LimitModel> limits;
  // by kind; names resolved to ordinals of their kind
  Grant grant;                        // supersedes: positions in Model::statements
  const ast::Expr* unless = nullptr;  // forbid
  Agent agent;                        // Str fields are indices into Model::schema.strings
  Delegation delegation;              // reach left empty, from_code left kNone: lower fills them
  const std::vector<ast::Subject>* from = nullptr;
  const std::vector<ast::Subject>* to_people = nullptr;  // delegation to persons, teams or roles
  Task task;
  struct ApprovalBy {
    uint32_t count = 1;
    std::vector<ast::Subject> subjects;
    uint8_t parties = 0;
  };
  std::vector<ApprovalBy> approval_by;
  Approval approval;  // `by` left empty: lower fills it from approval_by
  Obligation obligation;
  BreakGlass break_glass;  // lifts: positions in Model::statements
  Partner partner;
  Separate separate;
  const ast::Expr* by_a = nullptr;
  const ast::Expr* by_b = nullptr;
};

struct RoleModel {                   // computed roles: the condition annotated for each scope type
  const ast::Expr* where = nullptr;  // unscoped
  std::map<uint32_t, const ast::Expr*> where_by_type;  // scoped
};

struct Model {
  Schema schema;  // strings grow through AddString
  std::vector<Constant> constants;
  std::vector<StatementModel> statements;         // sorted by kind, then qualified name
  std::vector<RoleModel> roles;                   // parallel to schema.roles
  std::vector<const ast::File*> files;            // sorted by package name, then path
  std::vector<const ast::TestDecl*> tests;        // in file order
  std::vector<uint32_t> test_packages;            // parallel to tests: schema.packages
  std::vector<std::unique_ptr<ast::Expr>> owned;  // clones and synthetic expressions

  Str AddString(std::string_view text);     // interned
  uint32_t AddConstant(Constant constant);  // interned
  void KeepConstants(size_t count);         // forgets those after the first `count`
  TypeId AddType(TypeDef type);             // interned
 private:
  IdTable string_ids_, constant_ids_;
  std::unordered_map<uint64_t, TypeId> type_ids_;
};

DutyKind DutyKindOf(ast::Duty::Kind kind);

}  // namespace dpl::check
