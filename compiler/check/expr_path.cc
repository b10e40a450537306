// Names and fields in expressions: variables, constants, enum members, entities, attributes.
#include <algorithm>

#include "compiler/check/expr_checker.h"
#include "compiler/check/foreign.h"
#include "compiler/check/names.h"
#include "compiler/check/values.h"

namespace dpl::check {

using ast::Expr;
using ast::ExprKind;
using ast::RefKind;

namespace {

const char* const kVariables[] = {"person", "agent", "resource", "request",
                                  "task",   "now",   "context"};

// `a.b.c` as text when it is nothing but names.
std::string Dotted(const Expr& e) {
  if (e.kind == ExprKind::kName) return e.text;
  if (e.kind != ExprKind::kField) return std::string();
  std::string base = Dotted(*e.args[0]);
  return base.empty() ? base : base + "." + e.text;
}

std::string Joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

const Expr& Root(const Expr& e) { return e.kind == ExprKind::kField ? Root(*e.args[0]) : e; }

}  // namespace

bool IsVariableName(std::string_view name) {
  return std::find(std::begin(kVariables), std::end(kVariables), name) != std::end(kVariables);
}

bool ExprChecker::IsVariable(std::string_view name) const { return IsVariableName(name); }

bool ExprChecker::NotVisible(Expr& e, bool visible) {
  if (visible) return false;
  std::string help;
  if (scope_.params != nullptr) {
    help = "a function sees its parameters, `person`, `now` and `context`: pass what it needs";
  } else if (e.text == "agent" || e.text == "task") {
    if (scope_.where.find("grant") != std::string::npos) {
      help =
          "a person's grant does not depend on which software is asking: say it in the agent, the "
          "delegation, a limit or a forbid";
    }
  } else if (e.text == "person" && scope_.where.find("public") != std::string::npos) {
    help = "`public` is any caller, known or not; grant to `everyone` to see the person";
  }
  c_.Report(DPL0310, e.span, {Quoted(e.text), scope_.where}).Help(help);
  return true;
}

TypeId ExprChecker::Name(Expr& e, TypeId want) {
  for (size_t i = locals_.size(); i-- > 0;) {
    if (locals_[i].name == e.text) {
      e.ref = RefKind::kVarLocal;
      e.ref_a = locals_[i].slot;
      return locals_[i].type;
    }
  }
  if (scope_.columns != nullptr) {
    for (uint32_t i = 0; i < scope_.columns->size(); ++i) {
      if ((*scope_.columns)[i].text != e.text) continue;
      e.ref = RefKind::kVarLocal;
      e.ref_a = i;
      TypeId& type = (*scope_.column_types)[i];
      if (type == kNone) type = WithoutOptional(c_, want);
      return type;
    }
  }
  // Beside something of an enum type a bare member is meant, whatever else has the name.
  TypeId plain = WithoutOptional(c_, want);
  if (Is(c_, plain, TypeKind::kEnum)) {
    uint32_t enum_index = c_.Type(plain).index;
    uint32_t member = MemberOf(c_, enum_index, e.text);
    if (member != kNone) {
      e.ref = RefKind::kEnumMember;
      e.ref_a = enum_index;
      e.ref_b = member;
      return plain;
    }
  }
  if (scope_.bare_params && scope_.task_params != nullptr) {
    for (const TaskParam& param : *scope_.task_params) {
      if (c_.Text(param.name) == e.text) return TaskField(e, e.text);
    }
  }
  if (weekday_names_) {
    static const std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int day = 0; day < 7; ++day) {
      if (e.text != kDays[day]) continue;
      Constant constant;
      constant.kind = Constant::Kind::kInt;
      constant.number = day;
      e.ref = RefKind::kValue;
      e.ref_a = c_.model.AddConstant(std::move(constant));
      return c_.t_int;
    }
  }
  if (IsVariable(e.text)) return Variable(e);
  return GlobalName(e, e.text, want);
}

TypeId ExprChecker::Variable(Expr& e) {
  if (e.text == "person") {
    if (NotVisible(e, scope_.person)) return kNone;
    e.ref = RefKind::kVarPerson;
    return c_.t_person;
  }
  if (e.text == "agent") {
    if (NotVisible(e, scope_.agent)) return kNone;
    e.ref = RefKind::kVarAgent;
    return c_.t_agent;
  }
  if (e.text == "resource") {
    if (NotVisible(e, scope_.resource)) return kNone;
    if (scope_.type == kNone) return kNone;
    e.ref = RefKind::kVarResource;
    e.ref_b = scope_.type;
    return c_.ResourceType(scope_.type);
  }
  if (e.text == "now") {
    if (NotVisible(e, scope_.now)) return kNone;
    e.ref = RefKind::kVarNow;
    return c_.t_datetime;
  }
  bool visible = e.text == "request" ? scope_.request
                 : e.text == "task"  ? scope_.task
                                     : scope_.context;
  if (NotVisible(e, visible)) return kNone;
  const char* example = e.text == "request" ? "request.amount"
                        : e.text == "task"  ? "task.source"
                                            : "context.ip";
  c_.ReportText(DPL0301, e.span, Quoted(e.text) + " is no value of its own")
      .Help("name what you need of it, as in " + Quoted(example));
  return kNone;
}

TypeId ExprChecker::Field(Expr& e, TypeId want) {
  const Expr& root = Root(e);
  if (root.kind == ExprKind::kName) {
    bool local = std::any_of(locals_.begin(), locals_.end(),
                             [&](const Local& l) { return l.name == root.text; });
    bool param = false;
    if (scope_.bare_params && scope_.task_params != nullptr) {
      for (const TaskParam& p : *scope_.task_params) param |= c_.Text(p.name) == root.text;
    }
    bool column = false;
    if (scope_.columns != nullptr) {
      for (const ast::Name& name : *scope_.columns) column |= name.text == root.text;
    }
    if (!local && !param && !column) {
      if (!IsVariable(root.text)) return GlobalName(e, Dotted(e), want);
      Expr& base = *e.args[0];
      if (base.kind == ExprKind::kName) {
        if (base.text == "request")
          return NotVisible(base, scope_.request) ? kNone : RequestField(e);
        if (base.text == "task")
          return NotVisible(base, scope_.task) ? kNone : TaskField(e, e.text);
        if (base.text == "context")
          return NotVisible(base, scope_.context) ? kNone : ContextField(e);
        if (base.text == "now") return NotVisible(base, scope_.now) ? kNone : NowField(e);
      }
    }
  }
  TypeId base = Value(*e.args[0], kNone);
  return base == kNone ? kNone : AttributeOf(e, base);
}

TypeId ExprChecker::Attribute(Expr& e, const std::vector<AttributeDef>& attributes, uint32_t of,
                              const std::string& owner) {
  if (c_.Broken(of, e.text)) return kNone;
  std::vector<std::string> known;
  for (uint32_t i = 0; i < attributes.size(); ++i) {
    if (c_.Text(attributes[i].name) == e.text) {
      e.ref_a = i;
      return attributes[i].type;
    }
    known.emplace_back(c_.Text(attributes[i].name));
  }
  std::vector<std::string> near = NearNames(e.text, known);
  const Span& at = e.name_span.known() ? e.name_span : e.span;
  DiagnosticRef report = c_.Report(DPL0302, at, {owner, Quoted(e.text)});
  if (of == Checker::kPersonAttributes) {
    std::string help = HelpForPersonWord(e.text);
    if (!help.empty()) {
      report.Help(help);
      return kNone;
    }
  }
  report.Suggest(at, near);
  if (near.empty()) {
    if (known.empty()) {
      report.Help("nothing is declared there; add `has " + e.text + ": …`");
    } else {
      std::vector<std::string> quoted;
      for (size_t i = 0; i < known.size() && i < 8; ++i) quoted.push_back(Quoted(known[i]));
      report.Help("it has " + (known.size() > 8 ? Joined(quoted) + " and more" : Listed(quoted)));
    }
  }
  return kNone;
}

TypeId ExprChecker::AttributeOf(Expr& e, TypeId base) {
  TypeDef type = c_.Type(base);
  if (type.kind == TypeKind::kPerson) {
    const PersonDef& person = c_.model.schema.person;
    if (c_.person_package != kNone) MarkUsed(*scope_.file, c_.person_package);
    if (c_.Text(person.key_name) == e.text) {
      e.ref = RefKind::kPersonKey;
      return c_.t_string;
    }
    e.ref = RefKind::kPersonAttr;
    return Attribute(e, person.attributes, Checker::kPersonAttributes,
                     person.declared ? "a person" : "a person (no `person` is declared)");
  }
  if (type.kind == TypeKind::kResource) {
    const ResourceDef& resource = c_.model.schema.resources[type.index];
    MarkUsed(*scope_.file, resource.package);
    e.ref_b = type.index;
    if (c_.Text(resource.key_name) == e.text) {
      e.ref = RefKind::kResourceKey;
      return resource.key_is_path ? c_.t_path : c_.t_string;
    }
    TypeId found = Attribute(e, resource.attributes, type.index, Quoted(c_.Text(resource.name)));
    e.ref = found != kNone && resource.has_parent && resource.parent_attribute == e.ref_a
                ? RefKind::kResourceParent
                : RefKind::kResourceAttr;
    return found;
  }
  if (type.kind == TypeKind::kRecord) {
    const RecordDef& record = c_.model.schema.records[type.index];
    e.ref = RefKind::kRecordField;
    std::vector<std::string> known;
    for (uint32_t i = 0; i < record.names.size(); ++i) {
      known.emplace_back(c_.Text(record.names[i]));
      if (known.back() == e.text) {
        e.ref_a = i;
        return record.types[i];
      }
    }
    c_.Report(DPL0302, e.name_span.known() ? e.name_span : e.span, {"this record", Quoted(e.text)})
        .Help(DidYouMean(NearNames(e.text, known)));
    return kNone;
  }
  std::string text(c_.SourceText(e.args[0]->span));
  DiagnosticRef report =
      c_.Report(DPL0302, e.name_span.known() ? e.name_span : e.span,
                {Quoted(text) + " (" + DescribeType(c_, base) + ")", Quoted(e.text)});
  if (type.kind == TypeKind::kLabels)
    report.Help("read a label as `" + text + "[\"" + e.text + "\"]`");
  if (type.kind == TypeKind::kAgent)
    report.Help("agents have no attributes; name the agents in `applies to`");
  return kNone;
}

TypeId ExprChecker::RequestField(Expr& e) {
  TypeId type = kNone;
  std::vector<std::string> known;
  const ParamDef* first = nullptr;
  for (const ActionDef* action : scope_.actions) {
    for (const ParamDef& param : action->params) {
      if (c_.Text(param.name) != e.text) {
        known.emplace_back(c_.Text(param.name));
        continue;
      }
      if (type != kNone && type != param.type) {
        c_.ReportText(DPL0301, e.span,
                      Quoted("request." + e.text) + " is " + DescribeType(c_, type) +
                          " for one of the actions and " + DescribeType(c_, param.type) +
                          " for another")
            .Help("give each its own clause");
        return kNone;
      }
      first = &param;
      type = param.type;
    }
  }
  if (first == nullptr && c_.Broken(scope_.type, e.text)) return kNone;
  if (first == nullptr) {
    DiagnosticRef report = c_.ReportText(DPL0302, e.name_span.known() ? e.name_span : e.span,
                                         "the request has no parameter " + Quoted(e.text));
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    std::vector<std::string> near = NearNames(e.text, known);
    report.Suggest(e.name_span.known() ? e.name_span : e.span, near);
    if (known.empty()) {
      report.Help("the actions of this clause take no parameters; declare one: `can … { " + e.text +
                  ": … }`");
    } else if (near.empty()) {
      std::vector<std::string> quoted;
      for (const std::string& name : known) quoted.push_back(Quoted(name));
      report.Help("the actions of this clause take " + Listed(quoted));
    }
    return kNone;
  }
  e.ref = RefKind::kRequestParam;
  e.ref_a = first->name;
  e.args[0]->ref = RefKind::kVarRequest;
  return type;
}

TypeId ExprChecker::TaskField(Expr& e, std::string_view name) {
  if (scope_.task_params == nullptr) {
    c_.Report(DPL0310, e.span, {Quoted("task." + std::string(name)), scope_.where})
        .Help("which task it is is known only in a task, and in a delegation with `only in task`");
    return kNone;
  }
  std::vector<std::string> known;
  for (uint32_t i = 0; i < scope_.task_params->size(); ++i) {
    known.emplace_back(c_.Text((*scope_.task_params)[i].name));
    if (known.back() != name) continue;
    e.ref = RefKind::kTaskParam;
    e.ref_a = i;
    if (e.kind == ExprKind::kField) e.args[0]->ref = RefKind::kVarTask;
    if (scope_.used_params != nullptr && i < scope_.used_params->size())
      (*scope_.used_params)[i] = true;
    return (*scope_.task_params)[i].type;
  }
  c_.Report(DPL0302, e.name_span.known() ? e.name_span : e.span, {"the task", Quoted(name)})
      .Suggest(e.name_span.known() ? e.name_span : e.span, NearNames(name, known));
  return kNone;
}

TypeId ExprChecker::ContextField(Expr& e) {
  for (uint32_t package : c_.context_packages) MarkUsed(*scope_.file, package);
  e.ref = RefKind::kContextAttr;
  e.args[0]->ref = RefKind::kVarContext;
  return Attribute(e, c_.model.schema.context, Checker::kContextAttributes, "the context");
}

TypeId ExprChecker::NowField(Expr& e) {
  e.args[0]->ref = RefKind::kVarNow;
  e.args[0]->type = c_.t_datetime;
  if (e.text == "time") {
    e.ref = RefKind::kNowTime;
    return c_.t_time;
  }
  if (e.text == "date") {
    e.ref = RefKind::kNowDate;
    return c_.t_date;
  }
  if (e.text == "weekday") {
    e.ref = RefKind::kNowWeekday;
    return c_.t_int;
  }
  DiagnosticRef report =
      c_.Report(DPL0302, e.name_span.known() ? e.name_span : e.span, {"`now`", Quoted(e.text)});
  if (e.text == "hour" || e.text == "minute" || e.text == "minutes")
    report.Help("compare the time of day: `now.time >= 09:00`");
  else if (e.text == "day" || e.text == "dayOfWeek" || e.text == "day_of_week")
    report.Help(
        "compare the day of the week, `now.weekday != sun`, or use a calendar: `now during "
        "office`");
  else
    report.Help("it has `time`, `date` and `weekday`");
  return kNone;
}

TypeId ExprChecker::Index(Expr& e) {
  TypeId base = Value(*e.args[0], kNone);
  if (base == kNone) return kNone;
  if (base != c_.t_labels) {
    c_.ReportText(DPL0301, e.span,
                  "only labels are read with `[…]`, and this is " + DescribeType(c_, base));
    return kNone;
  }
  Constant key;
  key.kind = Constant::Kind::kString;
  key.text = e.text;
  e.ref = RefKind::kLabelKey;
  e.ref_a = c_.model.AddConstant(std::move(key));
  return c_.t_string;
}

TypeId ExprChecker::Entity(Expr& e) {
  if (e.text == "person") {
    e.ref = RefKind::kPersonEntity;
    e.ref_a = c_.PersonConstant(e.text2, e.span);
    return c_.t_person;
  }
  ast::QName name{e.text, e.name_span.known() ? e.name_span : e.span};
  uint32_t resource = LookupType(c_, name, *scope_.file);
  if (resource == kNone) return kNone;
  std::optional<std::string> id = CanonicalId(c_, resource, e.text2, e.span);
  if (!id) return kNone;
  e.ref = RefKind::kResourceEntity;
  e.ref_a = c_.ResourceConstant(resource, *id);
  return c_.ResourceType(resource);
}

TypeId ExprChecker::Head(Expr& e) {
  bool team = e.text == "team";
  if (!team && e.text != "role") {
    c_.ReportText(DPL0301, e.span, Quoted(e.text + " " + e.text2) + " is no value");
    return kNone;
  }
  ast::QName name{e.text2, e.name_span.known() ? e.name_span : e.span};
  const Symbol* symbol =
      Lookup(c_, team ? SymbolKind::kTeam : SymbolKind::kRole, name, *scope_.file);
  if (symbol == nullptr) return kNone;
  e.ref = team ? RefKind::kTeam : RefKind::kRole;
  e.ref_a = symbol->index;
  return team ? c_.t_team : c_.t_role;
}

// A constant, an enum member with its enum in front, or something that has no place in an
// expression.
TypeId ExprChecker::GlobalName(Expr& e, const std::string& dotted, TypeId want) {
  if (dotted.empty()) return kNone;
  FileScope& file = *scope_.file;
  if (const Symbol* constant = LookupQuietly(c_, SymbolKind::kConst, dotted, file)) {
    uint32_t value = ConstantOf(c_, *constant);
    if (value == kNone) return kNone;
    const auto& decl = static_cast<const ast::ConstDecl&>(*constant->decl);
    e.ref = RefKind::kConst;
    e.ref_a = value;
    e.target = decl.value.get();
    return decl.value->type;
  }
  size_t dot = dotted.rfind('.');
  if (dot != std::string::npos) {
    std::string prefix = dotted.substr(0, dot), last = dotted.substr(dot + 1);
    if (const Symbol* symbol = LookupQuietly(c_, SymbolKind::kEnum, prefix, file)) {
      uint32_t member = MemberOf(c_, symbol->index, last);
      if (member != kNone) {
        e.ref = RefKind::kEnumMember;
        e.ref_a = symbol->index;
        e.ref_b = member;
        return c_.model.AddType({TypeKind::kEnum, symbol->index, false});
      }
      std::vector<std::string> members;
      for (Str name : c_.model.schema.enums[symbol->index].members)
        members.emplace_back(c_.Text(name));
      c_.Report(DPL0201, e.name_span.known() ? e.name_span : e.span,
                {"member of enum " + Quoted(symbol->name), Quoted(last)})
          .Suggest(e.name_span.known() ? e.name_span : e.span, NearNames(last, members));
      return kNone;
    }
    // A constant's own attribute: `home.name` where home is a constant of a resource type.
    if (e.kind == ExprKind::kField &&
        LookupQuietly(c_, SymbolKind::kConst, prefix, file) != nullptr) {
      TypeId base = Value(*e.args[0], kNone);
      return base == kNone ? kNone : AttributeOf(e, base);
    }
  }
  TypeId plain = WithoutOptional(c_, want);
  if (dot == std::string::npos && Is(c_, plain, TypeKind::kEnum)) {
    std::vector<std::string> members;
    for (Str name : c_.model.schema.enums[c_.Type(plain).index].members)
      members.emplace_back(c_.Text(name));
    std::vector<std::string> near = NearNames(dotted, members);
    std::string all;
    for (size_t i = 0; i < members.size() && i < 8; ++i)
      all += (i == 0 ? "it is one of " : ", ") + Quoted(members[i]);
    DiagnosticRef report = c_.Report(
        DPL0201, e.span, {"member of enum " + Quoted(TypeText(c_, plain)), Quoted(dotted)});
    if (near.empty()) report.Help(all);
    report.Suggest(e.span, near);
    return kNone;
  }
  return UnknownName(e, dotted);
}

namespace {

// The span of the first name of a path.
Span RootSpan(const Expr& e) {
  const Expr* at = &e;
  while (at->kind == ExprKind::kField) at = at->args[0].get();
  return at->span;
}

}  // namespace

// What other languages call our variables; null, true-ish words; and a parameter or an attribute
// whose owner was left out. True: said.
bool ExprChecker::OtherWord(const std::string& first, bool bare, const Expr& e,
                            DiagnosticRef& report) {
  std::string variable = VariableFor(first);
  if (!variable.empty() && !bare) {
    report.Help("what " + Quoted(first) + " is elsewhere is " + Quoted(variable) + " here");
    report.Fix(RootSpan(e), variable);
    return true;
  }
  if (!bare) return false;
  if (!variable.empty()) {
    report.Help("what " + Quoted(first) + " is elsewhere is " + Quoted(variable) + " here");
    return true;
  }
  if (IsNullWord(first)) {
    report.Help(
        "there is no null: whether a value is there is asked `… is known`, `… is not known`");
    return true;
  }
  std::vector<std::string> owners;
  if (scope_.request) {
    for (const ActionDef* action : scope_.actions) {
      for (const ParamDef& param : action->params) {
        if (c_.Text(param.name) == first && owners.empty()) owners.push_back("request." + first);
      }
    }
  }
  auto has = [&](const std::vector<AttributeDef>& attributes) {
    return std::any_of(attributes.begin(), attributes.end(),
                       [&](const AttributeDef& a) { return c_.Text(a.name) == first; });
  };
  if (scope_.resource && scope_.type != kNone) {
    const ResourceDef& resource = c_.model.schema.resources[scope_.type];
    if (has(resource.attributes) || c_.Text(resource.key_name) == first)
      owners.push_back("resource." + first);
  }
  if (scope_.person && has(c_.model.schema.person.attributes)) owners.push_back("person." + first);
  if (owners.empty()) return false;
  report.Suggest(e.span, owners);
  return true;
}

TypeId ExprChecker::UnknownName(Expr& e, const std::string& dotted) {
  FileScope& file = *scope_.file;
  std::string first = dotted.substr(0, dotted.find('.'));
  for (SymbolKind kind : {SymbolKind::kTeam, SymbolKind::kRole}) {
    if (LookupQuietly(c_, kind, dotted, file) != nullptr) {
      std::string written = std::string(KindWord(kind)) + " " + dotted;
      c_.Report(DPL0201, e.span, {"value", Quoted(dotted)})
          .Help("write " + Quoted(written))
          .Fix(e.span, written);
      return kNone;
    }
  }
  if (LookupQuietly(c_, SymbolKind::kCalendar, dotted, file) != nullptr) {
    c_.Report(DPL0201, e.span, {"value", Quoted(dotted)})
        .Help("a calendar is used as `now during " + dotted + "`");
    return kNone;
  }
  if (LookupTypeQuietly(c_, dotted, file) != kNone) {
    c_.Report(DPL0201, e.span, {"value", Quoted(dotted)})
        .Help("name one resource: `" + dotted + " \"id\"`");
    return kNone;
  }
  std::vector<std::string> known(std::begin(kVariables), std::end(kVariables));
  std::string member_of;
  for (const Symbol& symbol : c_.symbols) {
    if (symbol.package != file.package && !Imports(file, symbol.package)) continue;
    if (symbol.kind == SymbolKind::kConst) known.push_back(symbol.name);
    if (symbol.kind != SymbolKind::kEnum) continue;
    known.push_back(symbol.name);
    if (MemberOf(c_, symbol.index, dotted) != kNone) member_of = symbol.name + "." + dotted;
  }
  for (const Local& local : locals_) known.push_back(local.name);
  if (scope_.bare_params && scope_.task_params != nullptr) {
    for (const TaskParam& param : *scope_.task_params) known.emplace_back(c_.Text(param.name));
  }
  DiagnosticRef report =
      c_.Report(DPL0201, e.span, {dotted == first ? "name" : "value", Quoted(dotted)});
  if (!member_of.empty()) {
    report
        .Help("write " + Quoted(member_of) +
              "; the bare member is enough only beside a value of that enum")
        .Fix(e.span, member_of);
    return kNone;
  }
  if (OtherWord(first, dotted == first, e, report)) return kNone;
  std::vector<std::string> near = NearNames(first, known);
  report.Suggest(RootSpan(e), near);
  for (const Symbol& symbol : c_.symbols) {
    bool sayable = symbol.kind == SymbolKind::kConst || symbol.kind == SymbolKind::kEnum;
    if (sayable && symbol.name == first && symbol.package != file.package) {
      report.Help("add `import " + c_.packages[symbol.package].name + "`");
      return kNone;
    }
  }
  if (weekday_names_) {
    report.Help("days are written `mon`, `tue`, `wed`, `thu`, `fri`, `sat` and `sun`");
  } else if (near.empty() && dotted == first)
    report.Help("a text is written in quotes: `\"" + first + "\"`");
  return kNone;
}

}  // namespace dpl::check
