// Tests: the facts they give, what they ask, what they expect, and their tables.
#include <algorithm>

#include "compiler/check/expr.h"
#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"
#include "runtime/base/text.h"

namespace dpl::check {
namespace {

const std::vector<std::string>& ReasonCodes() {
  static const std::vector<std::string> kCodes = {
#define DPL_REASON(name, code, step, user, meaning) code,
#include "runtime/decide/reasons.def"
#undef DPL_REASON
  };
  return kCodes;
}

class TestChecker {
 public:
  TestChecker(Checker& c, FileScope& file, ast::TestDecl& test) : c_(c), file_(file), test_(test) {
    types_.resize(test.columns.size(), kNone);
    outcome_.resize(test.columns.size(), false);
    scope_.file = &file;
    scope_.where = "a test";
    scope_.in_test = true;
    scope_.restricting =
        true;  // nothing is decided here: an optional attribute is simply given a value
    scope_.columns = &test.columns;
    scope_.column_types = &types_;
  }

  void Data(ast::DataDecl& data) {
    for (ast::Datum& datum : data.data) Datum(datum);
  }

  void Run() {
    Columns();
    for (const ast::DataDecl* data : test_.standing) CollectTasks(data->data);
    CollectTasks(test_.steps);
    bool timed = false;
    for (ast::Step& step : test_.steps) {
      if (step.kind == ast::Step::Kind::kAt) timed = true;
      if (!timed && Asks(step) && !test_.incomplete) {
        c_.Report(DPL0802, test_.head_span, {Quote(test_.title.value)})
            .Help("begin with `at 2026-11-20T15:00Z`");
        timed = true;
      }
      Step(step);
    }
    if (!timed && !test_.incomplete) {
      c_.Report(DPL0802, test_.head_span, {Quote(test_.title.value)})
          .Help("begin with `at 2026-11-20T15:00Z`");
    }
    Rows();
  }

 private:
  static bool Asks(const ast::Step& step) {
    if (step.kind == ast::Step::Kind::kRepeat)
      return std::any_of(step.body.begin(), step.body.end(), Asks);
    return step.kind == ast::Step::Kind::kWhen || step.kind == ast::Step::Kind::kAdvance;
  }

  void CollectTasks(const std::vector<ast::Datum>& data) {
    for (const ast::Datum& datum : data) {
      if (datum.kind == ast::Datum::Kind::kTask) tasks_.push_back(datum.task_name.text);
    }
  }
  void CollectTasks(const std::vector<ast::Step>& steps) {
    for (const ast::Step& step : steps) {
      CollectTasks(step.given);
      CollectTasks(step.body);
    }
  }

  // ---- tables
  void Columns() {
    std::set<std::string> seen;
    for (const ast::Name& column : test_.columns) {
      if (!seen.insert(column.text).second)
        c_.Report(DPL0202, column.span, {"column " + Quoted(column.text)});
    }
  }

  size_t ColumnNamed(std::string_view name) const {
    for (size_t i = 0; i < test_.columns.size(); ++i) {
      if (test_.columns[i].text == name) return i;
    }
    return test_.columns.size();
  }

  void Rows() {
    for (ast::Row& row : test_.rows) {
      if (row.cells.size() != test_.columns.size()) {
        c_.Report(DPL0804, row.span,
                  {std::to_string(row.cells.size()), std::to_string(test_.columns.size())})
            .Label(test_.with_span, "the columns are named here");
        continue;
      }
      for (size_t i = 0; i < row.cells.size(); ++i) Cell(row.cells[i], i);
    }
    for (size_t i = 0; i < test_.columns.size(); ++i) {
      if (types_[i] == kNone && !outcome_[i] && !test_.incomplete && !broken_) {
        c_.Report(DPL0703, test_.columns[i].span, {"column " + Quoted(test_.columns[i].text)});
      }
    }
  }

  void Cell(ast::Cell& cell, size_t column) {
    std::string name = Quoted(test_.columns[column].text);
    if (outcome_[column]) {
      if (cell.outcome.has_value()) return Outcome(*cell.outcome);
      c_.ReportText(DPL0301, cell.span, "column " + name + " holds outcomes, and this is a value")
          .Help("write `permit`, `deny …` or `ask …`");
      return;
    }
    if (cell.outcome.has_value()) {
      if (types_[column] != kNone)
        c_.ReportText(DPL0301, cell.span,
                      "column " + name + " holds values, and this is an outcome");
      return;
    }
    if (cell.expr == nullptr || types_[column] == kNone) return;
    ExprScope scope = scope_;
    scope.columns = nullptr;
    scope.column_types = nullptr;
    CheckTyped(c_, *cell.expr, types_[column], scope);
  }

  // ---- values
  void Value(ast::Expr* value, TypeId want, bool fixture) {
    if (value == nullptr) return;
    ExprScope scope = scope_;
    if (fixture) scope.mismatch = DPL0806;
    if (value->kind == ast::ExprKind::kName) {
      size_t column = ColumnNamed(value->text);
      if (column < types_.size() && outcome_[column]) {
        c_.ReportText(
            DPL0301, value->span,
            "column " + Quoted(value->text) + " holds outcomes, but a value is needed here");
        return;
      }
    }
    if (CheckTyped(c_, *value, want, scope) == kNone) broken_ = true;
  }

  // `name = value` against the attributes or parameters that may stand there.
  struct Slot {
    std::string name;
    TypeId type;
  };
  void Fields(std::vector<ast::FieldInit>& fields, const std::vector<Slot>& slots,
              const std::string& owner, bool fixture) {
    std::set<std::string> seen;
    std::vector<std::string> known;
    for (const Slot& slot : slots) known.push_back(slot.name);
    for (ast::FieldInit& field : fields) {
      if (!seen.insert(field.name.text).second)
        c_.Report(DPL0103, field.name.span, {Quoted(field.name.text)});
      auto at = std::find_if(slots.begin(), slots.end(),
                             [&](const Slot& slot) { return slot.name == field.name.text; });
      if (at != slots.end() && at->type == kNone) {
        broken_ = true;  // its declaration is wrong, which was said there
        continue;
      }
      if (at != slots.end()) {
        Value(field.value.get(), at->type, fixture);
        continue;
      }
      broken_ = true;
      bool parameter = owner.starts_with("action ") || owner.starts_with("task ") ||
                       owner.starts_with("break_glass ");
      std::string message = owner + (parameter ? " has no parameter " : " has no attribute ") +
                            Quoted(field.name.text);
      c_.ReportText(fixture ? DPL0806 : DPL0302, field.name.span, message)
          .Help(DidYouMean(NearNames(field.name.text, known)));
    }
  }

  std::vector<Slot> Slots(const std::vector<AttributeDef>& attributes, uint32_t of) const {
    std::vector<Slot> slots;
    AddBroken(of, &slots);
    for (const AttributeDef& attribute : attributes)
      slots.push_back({std::string(c_.Text(attribute.name)), attribute.type});
    return slots;
  }

  void AddBroken(uint32_t of, std::vector<Slot>* slots) const {
    for (const auto& [owner, name] : c_.broken) {
      if (owner == of) slots->push_back({name, kNone});
    }
  }

  void Date(const ast::Literal& literal) {
    if (!literal.present) return;
    InstantUs(c_, literal, ZoneOf(), false);
  }
  const ZoneTable& ZoneOf() const { return c_.model.schema.zones[c_.packages[file_.package].zone]; }

  // ---- facts
  void Fixture(const Span& span, const std::string& message,
               const std::string& help = std::string()) {
    c_.ReportText(DPL0806, span, message).Help(help);
  }

  void Datum(ast::Datum& datum) {
    switch (datum.kind) {
      case ast::Datum::Kind::kPerson:
        return Person(datum);
      case ast::Datum::Kind::kMembers:
        return Members(datum);
      case ast::Datum::Kind::kAccount:
        return Account(datum);
      case ast::Datum::Kind::kEntity:
        return Entity(datum);
      case ast::Datum::Kind::kTask:
        return Task(datum);
      case ast::Datum::Kind::kConsent:
        Lookup(c_, SymbolKind::kDelegation, datum.name, file_);
        return Date(datum.date);
      case ast::Datum::Kind::kUsed:
        return Used(datum);
    }
  }

  void Person(ast::Datum& datum) {
    std::vector<Slot> slots = Slots(c_.model.schema.person.attributes, Checker::kPersonAttributes);
    auto declared = [&](std::string_view name) {
      return std::any_of(slots.begin(), slots.end(),
                         [&](const Slot& slot) { return slot.name == name; });
    };
    bool status = !declared("status"), left = !declared("left");
    if (status) slots.push_back({"status", c_.t_string});
    if (left) slots.push_back({"left", c_.t_date});
    Fields(datum.fields, slots, "a person", true);
    for (const ast::FieldInit& field : datum.fields) {
      if (field.value == nullptr || !status || field.name.text != "status" ||
          field.value->kind != ast::ExprKind::kString)
        continue;
      const std::string& text = field.value->text;
      if (text != "active" && text != "suspended" && text != "left") {
        Fixture(field.value->span, Quote(text) + " is no status of a person",
                "a person is \"active\", \"suspended\" or \"left\"");
      }
    }
  }

  void Members(ast::Datum& datum) {
    const Symbol* group =
        Lookup(c_, datum.is_role ? SymbolKind::kRole : SymbolKind::kTeam, datum.name, file_);
    for (ast::Datum::Member& member : datum.members) {
      if (member.is_team) Lookup(c_, SymbolKind::kTeam, member.team, file_);
    }
    Date(datum.until);
    uint32_t scope = datum.scope_type.empty() ? kNone : LookupType(c_, datum.scope_type, file_);
    if (scope != kNone) CanonicalId(c_, scope, datum.scope_id.value, datum.scope_id.span);
    if (group == nullptr) return;
    if (!datum.is_role) {
      if (!datum.scope_type.empty())
        Fixture(datum.scope_type.span, "a team has members everywhere, not on an object");
      return;
    }
    const RoleDef& role = c_.model.schema.roles[group->index];
    std::string name = "role " + Quoted(group->name);
    if (static_cast<const ast::RoleDecl&>(*group->decl).where != nullptr) {
      Fixture(datum.span, name + " is computed by its `where` and takes no members");
    } else if (role.scopes.empty() && !datum.scope_type.empty()) {
      Fixture(datum.scope_type.span, name + " is held everywhere, not on an object",
              "declare it `role " + group->name + " in " + datum.scope_type.text + "`");
    } else if (!role.scopes.empty() && datum.scope_type.empty()) {
      Fixture(datum.name.span, name + " is held on an object",
              "write `role " + group->name + " in " +
                  std::string(c_.Text(c_.model.schema.resources[role.scopes[0]].name)) +
                  " \"…\" has …`");
    } else if (scope != kNone &&
               std::find(role.scopes.begin(), role.scopes.end(), scope) == role.scopes.end()) {
      Fixture(datum.scope_type.span,
              name + " is not held on " + WithArticle(datum.scope_type.text));
    }
  }

  void Account(ast::Datum& datum) {
    const Symbol* system = Lookup(c_, SymbolKind::kSystem, datum.name, file_);
    Date(datum.date);
    if (system == nullptr || c_.model.schema.systems[system->index].has_account) return;
    Fixture(datum.span,
            "system " + Quoted(system->name) + " has no accounts: people are used there directly",
            "declare `account keyed by …` and `link person by …`, or leave the account out");
  }

  void Entity(ast::Datum& datum) {
    uint32_t type = LookupType(c_, datum.name, file_);
    uint32_t parent = datum.parent_type.empty() ? kNone : LookupType(c_, datum.parent_type, file_);
    if (parent != kNone) CanonicalId(c_, parent, datum.parent_id.value, datum.parent_id.span);
    if (type == kNone) {
      broken_ = true;
      return;
    }
    const ResourceDef& resource = c_.model.schema.resources[type];
    CanonicalId(c_, type, datum.id.value, datum.id.span);
    if (parent != kNone) {
      if (!resource.has_parent) {
        Fixture(datum.parent_type.span, WithArticle(datum.name.text) + " has no parent",
                "declare it: `within " + datum.parent_type.text + "`");
      } else if (resource.parent_type != parent) {
        Fixture(datum.parent_type.span, "the parent of " + WithArticle(datum.name.text) + " is " +
                                            WithArticle(c_.ResourceName(resource.parent_type)));
      }
    }
    Fields(datum.fields, Slots(resource.attributes, type), Quoted(datum.name.text), true);
  }

  void Task(ast::Datum& datum) {
    const Symbol* shape = Lookup(c_, SymbolKind::kTask, datum.name, file_);
    const Symbol* agent =
        datum.by_person.present ? nullptr : Lookup(c_, SymbolKind::kAgent, datum.agent, file_);
    Date(datum.expires);
    if (shape == nullptr) {
      broken_ = true;
      return;
    }
    const ::dpl::Task& task = c_.StatementOf(*shape).task;
    std::vector<Slot> slots;
    for (const TaskParam& param : task.params)
      slots.push_back({std::string(c_.Text(param.name)), param.type});
    Fields(datum.args, slots, "task " + Quoted(shape->name), true);
    for (const Slot& slot : slots) {
      bool given =
          std::any_of(datum.args.begin(), datum.args.end(),
                      [&](const ast::FieldInit& arg) { return arg.name.text == slot.name; });
      if (!given && !IsOptional(c_, slot.type))
        Fixture(datum.span, "task " + Quoted(shape->name) + " needs " + Quoted(slot.name));
    }
    if (datum.by_person.present && !task.agents.empty()) {
      Fixture(datum.by_person.span,
              "task " + Quoted(shape->name) + " is for agents, not for people",
              "leave `for agent` out of the task");
    }
    if (agent != nullptr && !task.agents.empty() &&
        !std::binary_search(task.agents.begin(), task.agents.end(), agent->index)) {
      Fixture(datum.agent.span,
              "task " + Quoted(shape->name) + " is not for agent " + Quoted(agent->name));
    }
  }

  const LimitModel* LimitNamed(const Symbol& statement, std::string_view name) const {
    const StatementModel& model = c_.model.statements[statement.statement];
    for (const LimitModel& limit : model.limits) {
      const std::string& measure = limit.clause->measure.text;
      bool by_measure = name.size() > measure.size() && name.ends_with(measure) &&
                        name[name.size() - measure.size() - 1] == '.';
      if (by_measure) return &limit;
    }
    bool whole = name == statement.name || name == statement.qualified;
    return whole && !model.limits.empty() ? &model.limits.front() : nullptr;
  }

  void Used(ast::Datum& datum) {
    const Symbol* statement = LookupStatement(c_, datum.name.text, file_);
    if (statement == nullptr || statement->statement == kNone) {
      Lookup(c_, SymbolKind::kLimit, datum.name, file_);
      return;
    }
    const LimitModel* limit = LimitNamed(*statement, datum.name.text);
    if (limit == nullptr) {
      Fixture(datum.name.span, Quoted(datum.name.text) + " is not a limit");
      return;
    }
    if (!datum.quantity.has_value()) return;
    ast::Quantity& quantity = *datum.quantity;
    TypeId type = limit->measure_type == kNone ? c_.t_int : limit->measure_type;
    if (quantity.kind == ast::Quantity::Kind::kExpr) return Value(quantity.expr.get(), type, true);
    bool money = quantity.kind == ast::Quantity::Kind::kMoney;
    if (money != (type == c_.t_money)) {
      Fixture(quantity.span, Quoted(c_.SourceText(quantity.span)) + " is used of a limit on " +
                                 DescribeType(c_, type));
      return;
    }
    ast::Expr literal;
    literal.kind = money ? ast::ExprKind::kMoney : ast::ExprKind::kNumber;
    literal.text = quantity.number;
    literal.text2 = quantity.currency;
    literal.span = quantity.span;
    LiteralConstant(c_, literal, type, false);
  }

  // ---- steps
  void Step(ast::Step& step) {
    switch (step.kind) {
      case ast::Step::Kind::kAt:
        return Date(step.literal);
      case ast::Step::Kind::kAdvance:
        DurationUs(c_, step.literal);
        return;
      case ast::Step::Kind::kGiven:
        for (ast::Datum& datum : step.given) Datum(datum);
        return;
      case ast::Step::Kind::kRevoke:
        return Revoke(step.revoke);
      case ast::Step::Kind::kRepeat: {
        auto count = WholeNumber(c_, step.literal);
        if (count && (*count < 1 || *count > 1'000'000)) {
          c_.ReportText(DPL0006, step.literal.span,
                        "a test repeats 1 to 1,000,000 times, not " + step.literal.text);
        }
        for (ast::Step& inner : step.body) Step(inner);
        return;
      }
      case ast::Step::Kind::kWhen:
        return When(step.when);
      case ast::Step::Kind::kExpect:
        return Outcome(step.expect);
      case ast::Step::Kind::kConfirm:
        if (step.actual.has_value() && step.actual->kind == ast::Quantity::Kind::kExpr &&
            step.actual->expr != nullptr) {
          Value(step.actual->expr.get(), kNone, false);
        }
        return;
      case ast::Step::Kind::kHand:
        if (!step.hand_person.present) Lookup(c_, SymbolKind::kAgent, step.hand_from.name, file_);
        Lookup(c_, SymbolKind::kAgent, step.hand_to.name, file_);
        return;
      case ast::Step::Kind::kCancel:
      case ast::Step::Kind::kApprove:
        return;
    }
  }

  void TaskGiven(const std::string& name, const Span& span) {
    if (name.empty() || std::find(tasks_.begin(), tasks_.end(), name) != tasks_.end()) return;
    c_.Report(DPL0201, span, {"task of this test", Quoted(name)})
        .Help(DidYouMean(NearNames(name, tasks_)))
        .Help(tasks_.empty()
                  ? "open it in `given`: `task " + name + " = shape(…) by agent … for person \"…\"`"
                  : "");
  }

  void Revoke(const ast::Revocable& what) {
    switch (what.kind) {
      case ast::Revocable::Kind::kAgent:
      case ast::Revocable::Kind::kInstance:
        Lookup(c_, SymbolKind::kAgent, what.name, file_);
        return;
      case ast::Revocable::Kind::kTask:
        return TaskGiven(what.name.text, what.name.span);
      case ast::Revocable::Kind::kGrant:
        Lookup(c_, SymbolKind::kGrant, what.name, file_);
        return;
      case ast::Revocable::Kind::kDelegation:
        Lookup(c_, SymbolKind::kDelegation, what.name, file_);
        return;
      case ast::Revocable::Kind::kBreakGlass:
        Lookup(c_, SymbolKind::kBreakGlass, what.name, file_);
        return;
      case ast::Revocable::Kind::kAccount:
        Lookup(c_, SymbolKind::kSystem, what.name, file_);
        return;
      case ast::Revocable::Kind::kPartner:
        Lookup(c_, SymbolKind::kPartner, what.name, file_);
        return;
      case ast::Revocable::Kind::kPerson:
      case ast::Revocable::Kind::kApproval:
        return;
    }
  }

  void When(ast::Attempt& when) {
    for (const ast::AgentHop& hop : when.hops) Lookup(c_, SymbolKind::kAgent, hop.name, file_);
    if (!when.partner.empty()) Lookup(c_, SymbolKind::kPartner, when.partner, file_);
    if (!when.account.empty()) Lookup(c_, SymbolKind::kSystem, when.account, file_);
    if (!when.task.empty()) TaskGiven(when.task.text, when.task.span);
    if (!when.break_glass.empty()) {
      Lookup(c_, SymbolKind::kBreakGlass, when.break_glass, file_);
      Fields(when.break_glass_args, {{"reason", c_.t_string}, {"ticket", c_.t_string}},
             "break_glass " + Quoted(when.break_glass.text), false);
    }
    Fields(when.context, Slots(c_.model.schema.context, Checker::kContextAttributes), "the context",
           false);
    uint32_t type = LookupType(c_, when.type, file_);
    if (type == kNone) {
      broken_ = true;
      return;
    }
    const ResourceDef& resource = c_.model.schema.resources[type];
    Fields(when.properties, Slots(resource.attributes, type), Quoted(when.type.text), false);
    std::vector<std::string> known;
    for (const ActionDef& action : resource.actions) {
      known.emplace_back(c_.Text(action.name));
      if (known.back() != when.action.text) continue;
      std::vector<Slot> slots;
      AddBroken(type, &slots);
      for (const ParamDef& param : action.params)
        slots.push_back({std::string(c_.Text(param.name)), param.type});
      Fields(when.args, slots, "action " + Quoted(when.action.text), false);
      return;
    }
    broken_ = true;
    if (when.action.empty()) return;
    c_.Report(DPL0209, when.action.span, {Quoted(when.action.text), Quoted(when.type.text)})
        .Help(DidYouMean(NearNames(when.action.text, known)));
  }

  void Outcome(ast::Outcome& outcome) {
    if (outcome.kind == ast::Outcome::Kind::kVariable) {
      size_t column = ColumnNamed(outcome.variable.text);
      if (column < outcome_.size()) {
        outcome_[column] = true;
        return;
      }
      std::vector<std::string> known{"permit", "deny", "ask"};
      for (const ast::Name& name : test_.columns) known.push_back(name.text);
      c_.Report(DPL0201, outcome.span, {"outcome", Quoted(outcome.variable.text)})
          .Help(DidYouMean(NearNames(outcome.variable.text, known)))
          .Help("expect `permit`, `deny CODE`, `ask APPROVAL`, or a column of `with`");
      return;
    }
    if (!outcome.code.empty()) {
      const std::vector<std::string>& codes = ReasonCodes();
      if (std::find(codes.begin(), codes.end(), outcome.code.text) == codes.end()) {
        c_.Report(DPL0803, outcome.code.span, {Quoted(outcome.code.text)})
            .Help(DidYouMean(NearNames(outcome.code.text, codes)));
      }
    }
    if (!outcome.approval.empty()) Lookup(c_, SymbolKind::kApproval, outcome.approval, file_);
    for (const ast::QName& by : outcome.by) Statement(by);
    if (!outcome.bound_by.empty() && Statement(outcome.bound_by)) {
      const Symbol* statement = LookupStatement(c_, outcome.bound_by.text, file_);
      if (statement->statement != kNone &&
          LimitNamed(*statement, outcome.bound_by.text) == nullptr) {
        std::vector<std::string> known;
        for (const LimitModel& limit : c_.model.statements[statement->statement].limits) {
          known.push_back(statement->name + "." + limit.clause->measure.text);
        }
        c_.Report(DPL0201, outcome.bound_by.span, {"limit", Quoted(outcome.bound_by.text)})
            .Help(DidYouMean(NearNames(outcome.bound_by.text, known)));
      }
    }
    for (const ast::Duty& duty : outcome.must) {
      if (duty.who.present) ResolveOwner(c_, duty.who, file_);
    }
    if (!outcome.must.empty() && outcome.kind != ast::Outcome::Kind::kPermit) {
      c_.ReportText(DPL0301, outcome.must.front().span, "only a permit has duties")
          .Help("expect `permit must …`");
    }
  }

  bool Statement(const ast::QName& name) {
    if (name.empty() || LookupStatement(c_, name.text, file_) != nullptr) return !name.empty();
    std::vector<std::string> known;
    for (const Symbol* symbol : c_.statement_symbols)
      known.push_back(symbol->package == file_.package ? symbol->name : symbol->qualified);
    c_.Report(DPL0201, name.span, {"statement", Quoted(name.text)})
        .Help(DidYouMean(NearNames(name.text, known)));
    return false;
  }

  Checker& c_;
  FileScope& file_;
  ast::TestDecl& test_;
  ExprScope scope_;
  std::vector<TypeId> types_;
  std::vector<bool> outcome_;
  std::vector<std::string> tasks_;
  bool broken_ = false;  // something could not be typed, so a column may only seem unused
};

}  // namespace

void CheckTests(Checker& c) {
  std::map<uint32_t, std::vector<const ast::DataDecl*>> standing;  // by package
  // What `data` says is no part of the policy: no value of it stays in the model.
  size_t constants = c.model.constants.size();
  for (FileScope& file : c.files) {
    file.in_test = true;
    for (const auto& decl : file.file->decls) {
      if (decl->kind != ast::DeclKind::kData) continue;
      auto& data = static_cast<ast::DataDecl&>(*decl);
      ast::TestDecl no_test;
      TestChecker(c, file, no_test).Data(data);
      standing[file.package].push_back(&data);
    }
    file.in_test = false;
  }
  c.model.KeepConstants(constants);
  for (FileScope& file : c.files) {
    file.in_test = true;
    for (const auto& decl : file.file->decls) {
      if (decl->kind != ast::DeclKind::kTest) continue;
      auto& test = static_cast<ast::TestDecl&>(*decl);
      test.standing = standing[file.package];
      TestChecker(c, file, test).Run();
      c.model.tests.push_back(&test);
      c.model.test_packages.push_back(file.package);
    }
    file.in_test = false;
  }
}

}  // namespace dpl::check
