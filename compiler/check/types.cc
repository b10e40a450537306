// Types: from what is written to a TypeId, and back to words.
#include "compiler/check/types.h"

#include "compiler/check/foreign.h"
#include "compiler/check/names.h"

namespace dpl::check {
namespace {

struct BasicType {
  const char* name;
  TypeKind kind;
  const char* words;
};
constexpr BasicType kBasic[] = {
    {"bool", TypeKind::kBool, "true or false"},
    {"int", TypeKind::kInt, "a whole number"},
    {"decimal", TypeKind::kDecimal, "a decimal number"},
    {"money", TypeKind::kMoney, "money"},
    {"string", TypeKind::kString, "a string"},
    {"date", TypeKind::kDate, "a date"},
    {"datetime", TypeKind::kDateTime, "a point in time"},
    {"time", TypeKind::kTime, "a time of day"},
    {"duration", TypeKind::kDuration, "a duration"},
    {"path", TypeKind::kPath, "a path"},
    {"ip", TypeKind::kIp, "an ip address"},
    {"labels", TypeKind::kLabels, "labels"},
    {"Person", TypeKind::kPerson, "a person"},
    {"Agent", TypeKind::kAgent, "an agent"},
    {"Team", TypeKind::kTeam, "a team"},
    {"Role", TypeKind::kRole, "a role"},
    {"Task", TypeKind::kTask, "a task"},
};

const BasicType* BasicOf(TypeKind kind) {
  for (const BasicType& basic : kBasic) {
    if (basic.kind == kind) return &basic;
  }
  return nullptr;
}

std::string ShortName(std::string_view qualified) {
  size_t dot = qualified.rfind('.');
  return std::string(dot == std::string_view::npos ? qualified : qualified.substr(dot + 1));
}

TypeId ResolveNamed(Checker& c, const ast::QName& name, FileScope& file) {
  for (const BasicType& basic : kBasic) {
    if (name.text == basic.name) return c.model.AddType({basic.kind, kNone, false});
  }
  if (const Symbol* symbol = LookupQuietly(c, SymbolKind::kEnum, name.text, file)) {
    return c.model.AddType({TypeKind::kEnum, symbol->index, false});
  }
  uint32_t resource = LookupTypeQuietly(c, name.text, file);
  if (resource != kNone) return c.ResourceType(resource);
  if (name.text.find('.') != std::string::npos) {
    // A qualified enum of a package that is not imported reads better as such.
    size_t dot = name.text.rfind('.');
    auto package = c.package_ids.find(std::string_view(name.text).substr(0, dot));
    if (package != c.package_ids.end()) {
      Lookup(c, SymbolKind::kEnum, name, file);
      return kNone;
    }
    LookupType(c, name, file);
    return kNone;
  }
  std::vector<std::string> known;
  for (const BasicType& basic : kBasic) known.push_back(basic.name);
  for (const Symbol& symbol : c.symbols) {
    bool visible = symbol.package == file.package || Imports(file, symbol.package);
    if (!visible) continue;
    if (symbol.kind == SymbolKind::kEnum || symbol.kind == SymbolKind::kResource)
      known.push_back(symbol.name);
  }
  DiagnosticRef report = c.Report(DPL0201, name.span, {"type", Quoted(name.text)});
  std::string other = TypeFor(name.text);
  if (!other.empty()) {
    report.Help("it is called " + Quoted(other) + " here");
    if (other.find('<') == std::string::npos) report.Fix(name.span, other);
    return kNone;
  }
  report.Suggest(name.span, NearNames(name.text, known));
  for (const Symbol& symbol : c.symbols) {
    if (symbol.kind == SymbolKind::kEnum && symbol.name == name.text) {
      report.Help("add `import " + c.packages[symbol.package].name + "`");
    }
  }
  return kNone;
}

}  // namespace

void InternBasicTypes(Checker& c) {
  auto intern = [&](TypeKind kind) { return c.model.AddType({kind, kNone, false}); };
  c.t_bool = intern(TypeKind::kBool);
  c.t_int = intern(TypeKind::kInt);
  c.t_decimal = intern(TypeKind::kDecimal);
  c.t_money = intern(TypeKind::kMoney);
  c.t_string = intern(TypeKind::kString);
  c.t_date = intern(TypeKind::kDate);
  c.t_datetime = intern(TypeKind::kDateTime);
  c.t_time = intern(TypeKind::kTime);
  c.t_duration = intern(TypeKind::kDuration);
  c.t_path = intern(TypeKind::kPath);
  c.t_ip = intern(TypeKind::kIp);
  c.t_labels = intern(TypeKind::kLabels);
  c.t_person = intern(TypeKind::kPerson);
  c.t_agent = intern(TypeKind::kAgent);
  c.t_team = intern(TypeKind::kTeam);
  c.t_role = intern(TypeKind::kRole);
  c.t_task = intern(TypeKind::kTask);
}

TypeId ResolveType(Checker& c, const ast::TypeExpr& type, FileScope& file) {
  TypeId id = kNone;
  switch (type.kind) {
    case ast::TypeExpr::Kind::kNamed:
      if (type.name.empty()) return kNone;
      id = ResolveNamed(c, type.name, file);
      break;
    case ast::TypeExpr::Kind::kSet: {
      if (type.element.empty()) return kNone;
      TypeId element = ResolveType(c, type.element[0], file);
      if (element == kNone) return kNone;
      TypeKind kind = c.Type(element).kind;
      if (IsOptional(c, element) || kind == TypeKind::kSet || kind == TypeKind::kRecord ||
          kind == TypeKind::kLabels) {
        c.ReportText(DPL0301, type.span, "a set cannot hold " + DescribeType(c, element))
            .Help("a set holds plain values, people, teams or resources");
        return kNone;
      }
      id = c.model.AddType({TypeKind::kSet, element, false});
      break;
    }
    case ast::TypeExpr::Kind::kRecord: {
      RecordDef record;
      std::set<std::string> seen;
      for (const ast::Param& field : type.fields) {
        TypeId field_type = ResolveType(c, field.type, file);
        if (field_type == kNone) return kNone;
        if (!seen.insert(field.name.text).second)
          c.Report(DPL0202, field.name.span, {Quoted(field.name.text)});
        record.names.push_back(c.model.AddString(field.name.text));
        record.types.push_back(field_type);
      }
      uint32_t index = 0;
      auto& records = c.model.schema.records;
      while (index < records.size() &&
             (records[index].names != record.names || records[index].types != record.types)) {
        ++index;
      }
      if (index == records.size()) records.push_back(std::move(record));
      id = c.model.AddType({TypeKind::kRecord, index, false});
      break;
    }
  }
  if (id != kNone && type.optional) {
    TypeDef def = c.Type(id);
    def.optional = true;
    id = c.model.AddType(def);
  }
  return id;
}

std::string TypeText(const Checker& c, TypeId id) {
  if (id == kNone) return "unknown";
  const TypeDef& type = c.Type(id);
  std::string text;
  switch (type.kind) {
    case TypeKind::kEnum:
      text = ShortName(c.Text(c.model.schema.enums[type.index].name));
      break;
    case TypeKind::kResource:
      text = c.Text(c.model.schema.resources[type.index].name);
      break;
    case TypeKind::kSet:
      text = "set<" + TypeText(c, type.index) + ">";
      break;
    case TypeKind::kRecord:
      text = "record";
      break;
    default:
      text = BasicOf(type.kind)->name;
  }
  if (type.optional) text += "?";
  return text;
}

std::string DescribeType(const Checker& c, TypeId id) {
  if (id == kNone) return "unknown";
  const TypeDef& type = c.Type(id);
  if (type.optional) return Quoted(TypeText(c, id));
  switch (type.kind) {
    case TypeKind::kEnum:
      return "one of " + Quoted(TypeText(c, id));
    case TypeKind::kResource:
      return WithArticle(TypeText(c, id));
    case TypeKind::kSet:
      return Quoted(TypeText(c, id));
    case TypeKind::kRecord:
      return "a record";
    default:
      return BasicOf(type.kind)->words;
  }
}

std::string WithArticle(std::string_view name) {
  bool vowel =
      !name.empty() && std::string_view("aeiouAEIOU").find(name[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + Quoted(name);
}

TypeId WithoutOptional(Checker& c, TypeId id) {
  if (id == kNone || !c.Type(id).optional) return id;
  TypeDef type = c.Type(id);
  type.optional = false;
  return c.model.AddType(type);
}

bool IsOptional(const Checker& c, TypeId type) { return type != kNone && c.Type(type).optional; }

bool Is(const Checker& c, TypeId type, TypeKind kind) {
  return type != kNone && c.Type(type).kind == kind;
}

bool IsMeasurable(const Checker& c, TypeId type) {
  return Is(c, type, TypeKind::kMoney) || Is(c, type, TypeKind::kInt) ||
         Is(c, type, TypeKind::kDecimal) || Is(c, type, TypeKind::kDuration);
}

bool IsOrdered(const Checker& c, TypeId type) {
  if (type == kNone) return false;
  switch (c.Type(type).kind) {
    case TypeKind::kInt:
    case TypeKind::kDecimal:
    case TypeKind::kMoney:
    case TypeKind::kDate:
    case TypeKind::kDateTime:
    case TypeKind::kTime:
    case TypeKind::kDuration:
      return true;
    case TypeKind::kEnum:
      return c.model.schema.enums[c.Type(type).index].ordered;
    default:
      return false;
  }
}

bool CanLieWithin(const Checker& c, uint32_t inner, uint32_t outer) {
  std::set<uint32_t> seen;
  while (seen.insert(inner).second) {
    if (inner == outer) return true;
    const ResourceDef& resource = c.model.schema.resources[inner];
    if (!resource.has_parent || resource.parent_type == kNone) return false;
    inner = resource.parent_type;
  }
  return false;
}

uint32_t MemberOf(const Checker& c, uint32_t enum_index, std::string_view name) {
  const EnumDef& def = c.model.schema.enums[enum_index];
  for (uint32_t i = 0; i < def.members.size(); ++i) {
    if (c.Text(def.members[i]) == name) return i;
  }
  return kNone;
}

}  // namespace dpl::check
