// The vocabulary, part two: the person, the context, and resource types with their attributes,
// parents and actions.
#include <algorithm>

#include "compiler/check/expr.h"
#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"
#include "runtime/base/pattern.h"
#include "runtime/base/text.h"

namespace dpl::check {
namespace {

// Wire types that mean something else already.
bool ReservedWire(std::string_view wire) {
  return wire == "agent" || wire == "anonymous" || wire == "partner" ||
         wire.starts_with("account:");
}

void BuildKnownAs(Checker& c, const std::vector<ast::StringLit>& names,
                  std::map<std::string, Span>* taken, std::vector<Str>* out) {
  for (const ast::StringLit& name : names) {
    auto [at, fresh] = taken->emplace(name.value, name.span);
    if (!fresh) {
      c.Report(DPL0202, name.span, {"wire name " + Quoted(name.value)})
          .Label(at->second, "used here first");
    } else if (name.value.empty() || ReservedWire(name.value)) {
      c.Report(DPL0207, name.span, {"wire name " + Quoted(name.value)});
    } else {
      out->push_back(c.model.AddString(name.value));
    }
  }
}

void BuildPerson(Checker& c) {
  PersonDef& person = c.model.schema.person;
  person.key_name = c.model.AddString("id");
  person.known_as = {c.model.AddString("person"), c.model.AddString("user")};
  const ast::PersonDecl* first = nullptr;
  for (FileScope& file : c.files) {
    for (const auto& each : file.file->decls) {
      if (each->kind != ast::DeclKind::kPerson) continue;
      auto& decl = static_cast<ast::PersonDecl&>(*each);
      if (first != nullptr) {
        c.Report(DPL0202, decl.head_span, {"`person`"})
            .Label(first->head_span, "declared here")
            .Help("people are declared once for the whole set");
        continue;
      }
      first = &decl;
      c.person_package = file.package;
      person.declared = true;
      if (decl.key.present) {
        person.key_name = c.model.AddString(decl.key.name.text);
        TypeId type = ResolveType(c, decl.key.type, file);
        if (type != kNone && type != c.t_string) {
          c.Report(DPL0301, decl.key.type.span,
                   {"the key of a person", DescribeType(c, type), "a string"});
        }
      }
      if (!decl.known_as.empty()) {
        std::map<std::string, Span> taken;
        person.known_as.clear();
        BuildKnownAs(c, decl.known_as, &taken, &person.known_as);
      }
      for (const ast::HasClause& has : decl.has) {
        AttributeDef attribute;
        if (BuildAttribute(c, has, file, &attribute)) {
          person.attributes.push_back(attribute);
        } else {
          c.broken.emplace(Checker::kPersonAttributes, has.name.text);
        }
      }
      for (const ast::ParentClause& within : decl.within) {
        ast::HasClause has;
        has.name = within.name;
        has.type = within.type;
        has.from_request = within.from_request;
        has.wire = within.wire;
        has.span = within.span;
        AttributeDef attribute;
        if (!BuildAttribute(c, has, file, &attribute)) {
          c.broken.emplace(Checker::kPersonAttributes, has.name.text);
          continue;
        }
        if (within.name.empty() || WithoutOptional(c, attribute.type) != c.t_person ||
            within.from_request) {
          c.ReportText(
               DPL0301, within.span,
               "what places a person under another is an attribute of type Person that facts hold")
              .Help("write `within manager: Person`");
          continue;
        }
        person.within.push_back(static_cast<uint32_t>(person.attributes.size()));
        person.attributes.push_back(attribute);
      }
      person.source = c.model.AddString(decl.source.value);
      person.source_within_us = DurationUs(c, decl.source_within).value_or(0);
      CheckAttributeNames(c, person.attributes, c.Text(person.key_name), decl.key.span);
    }
  }
}

void BuildContext(Checker& c) {
  for (FileScope& file : c.files) {
    for (const auto& each : file.file->decls) {
      if (each->kind != ast::DeclKind::kContext) continue;
      c.context_packages.insert(file.package);
      for (const ast::HasClause& has : static_cast<ast::ContextDecl&>(*each).has) {
        AttributeDef attribute;
        if (BuildAttribute(c, has, file, &attribute)) {
          attribute.from_request = true;  // the context is what the caller says of the moment;
                                          // there are no facts about it
          c.model.schema.context.push_back(attribute);
        } else {
          c.broken.emplace(Checker::kContextAttributes, has.name.text);
        }
      }
    }
  }
  std::vector<AttributeDef>& context = c.model.schema.context;
  std::stable_sort(context.begin(), context.end(),
                   [&](const AttributeDef& a, const AttributeDef& b) {
                     return c.Text(a.name) < c.Text(b.name);
                   });
  CheckAttributeNames(c, context, "", Span{});
}

// ---------------------------------------------------------------- resource types

void BuildKey(Checker& c, const ast::ResourceDecl& decl, FileScope& file, ResourceDef& def) {
  def.key_name = c.model.AddString(decl.key.present ? decl.key.name.text : "id");
  if (!decl.key.present) return;
  TypeId type = ResolveType(c, decl.key.type, file);
  if (type == c.t_path) def.key_is_path = true;
  if (type != kNone && type != c.t_path && type != c.t_string) {
    c.Report(DPL0301, decl.key.type.span,
             {"the key of a resource", DescribeType(c, type), "a string or a path"});
  }
  def.key_fold_ascii = decl.key.fold_ascii;
  if (decl.key.matches.present) {
    Result<Pattern> pattern = Pattern::Compile(decl.key.matches.value);
    if (pattern.ok()) {
      def.key_pattern = c.model.AddString(decl.key.matches.value);
    } else {
      c.Report(DPL0311, decl.key.matches.span,
               {Quote(decl.key.matches.value), pattern.error().message});
    }
  }
  if (def.key_is_path && (def.key_fold_ascii || def.key_pattern != 0)) {
    c.ReportText(DPL0301, decl.key.span,
                 "a key of type path takes neither `fold ascii` nor `matches`")
        .Help("paths have a canonical form of their own");
    def.key_fold_ascii = false;
    def.key_pattern = 0;
  }
}

void BuildParent(Checker& c, const ast::ResourceDecl& decl, FileScope& file, uint32_t index,
                 ResourceDef& def) {
  for (size_t i = 1; i < decl.within.size(); ++i) {
    c.Report(DPL0103, decl.within[i].span, {"`within`"})
        .Label(decl.within[0].span, "the first is here")
        .Help("a type has one parent; make the other an attribute: `has … : …`");
  }
  if (decl.within.empty()) return;
  const ast::ParentClause& within = decl.within[0];
  TypeId type = ResolveType(c, within.type, file);
  if (type == kNone) {
    c.broken.emplace(index, within.name.text);
    return;
  }
  if (!Is(c, type, TypeKind::kResource)) {
    c.Report(DPL0301, within.type.span, {"a parent", DescribeType(c, type), "a resource type"});
    return;
  }
  if (within.from_request && within.name.empty()) {
    c.Report(DPL0104, within.span, {"a parent from the request", "a name"})
        .Help("write `within folder: " + within.type.name.text + " from request`");
    return;
  }
  def.has_parent = true;
  def.parent_type = c.Type(type).index;
  def.parent_optional = IsOptional(c, type);
  def.parent_from_request = within.from_request;
  if (within.name.empty()) return;
  AttributeDef attribute;
  attribute.name = c.model.AddString(within.name.text);
  attribute.wire = within.wire.present ? c.model.AddString(within.wire.value) : attribute.name;
  attribute.type = type;
  attribute.from_request = within.from_request;
  attribute.span = within.span;
  def.parent_attribute = static_cast<uint32_t>(def.attributes.size());
  def.attributes.push_back(attribute);
}

bool BuildParam(Checker& c, const ast::CanParam& param, FileScope& file, ParamDef* out) {
  TypeId type = ResolveType(c, param.type, file);
  if (type == kNone) return false;
  out->name = c.model.AddString(param.name.text);
  out->wire = param.wire.present ? c.model.AddString(param.wire.value) : out->name;
  out->type = type;
  out->must_be_limited = param.must_be_limited;
  if (param.must_be_limited && !IsMeasurable(c, type)) {
    c.Report(DPL0301, param.type.span,
             {Quoted(param.name.text) + ", which must be limited,", DescribeType(c, type),
              "money, a number or a duration"});
    return false;
  }
  if (param.name.text == "requests") {
    c.Report(DPL0207, param.name.span, {"`requests`"})
        .Help("it counts decisions; choose another name");
    return false;
  }
  if (param.default_value != nullptr) {
    out->default_constant = CheckConstant(c, *param.default_value, type, file, "a default");
  }
  return true;
}

// Own parameters, then the measures of the activities the action is.
void BuildActions(Checker& c, const ast::CanClause& can, FileScope& file, const Symbol& symbol,
                  ResourceDef& def) {
  std::vector<ParamDef> params;
  std::map<std::string, Span> names;
  for (const ast::CanParam& param : can.params) {
    ParamDef built;
    if (!BuildParam(c, param, file, &built)) {
      c.broken.emplace(symbol.index, param.name.text);
      continue;
    }
    auto [at, fresh] = names.emplace(param.name.text, param.name.span);
    if (!fresh) {
      c.Report(DPL0202, param.name.span, {"parameter " + Quoted(param.name.text)})
          .Label(at->second, "the first is here");
      continue;
    }
    bool wire_taken = std::any_of(params.begin(), params.end(),
                                  [&](const ParamDef& p) { return p.wire == built.wire; });
    if (wire_taken) c.Report(DPL0202, param.span, {"wire name " + Quoted(c.Text(built.wire))});
    params.push_back(built);
  }
  std::vector<uint32_t> activities;
  for (const ast::QName& name : can.activities) {
    const Symbol* activity = Lookup(c, SymbolKind::kActivity, name, file);
    if (activity == nullptr) continue;
    activities.push_back(activity->index);
    for (const MeasureDef& measure : c.model.schema.activities[activity->index].measures) {
      auto own = std::find_if(params.begin(), params.end(),
                              [&](const ParamDef& p) { return p.name == measure.name; });
      if (own == params.end()) {
        params.push_back(
            {measure.name, measure.name, measure.type, kNone, measure.must_be_limited});
      } else if (own->type != measure.type) {
        c.ReportText(DPL0301, name.span,
                     Quoted(c.Text(measure.name)) + " is " + DescribeType(c, own->type) +
                         " here and " + DescribeType(c, measure.type) + " in activity " +
                         Quoted(activity->name))
            .Label(activity->decl->head_span, "declared here")
            .Help("an action that is an activity has its measures without repeating them");
      } else {
        own->must_be_limited |= measure.must_be_limited;
      }
    }
  }
  std::sort(activities.begin(), activities.end());
  activities.erase(std::unique(activities.begin(), activities.end()), activities.end());
  for (const ast::CanClause::Action& action : can.actions) {
    ActionDef built;
    built.name = c.model.AddString(action.name.text);
    built.wire = action.wire.present ? c.model.AddString(action.wire.value) : built.name;
    built.params = params;
    built.activities = activities;
    built.makes = can.makes;
    for (const ActionDef& other : def.actions) {
      if (other.name == built.name) {
        c.Report(DPL0202, action.name.span,
                 {"action " + Quoted(action.name.text) + " of " + Quoted(symbol.name)});
      } else if (other.wire == built.wire) {
        c.Report(DPL0202, action.wire.present ? action.wire.span : action.name.span,
                 {"wire name " + Quoted(c.Text(built.wire))});
      }
    }
    def.actions.push_back(std::move(built));
  }
  if (can.makes) {
    // The parent of what is made is known before the thing is: it comes as a parameter (closing
    // rule 16).
    bool has = std::any_of(params.begin(), params.end(), [&](const ParamDef& p) {
      return WithoutOptional(c, p.type) == c.ResourceType(def.parent_type);
    });
    if (def.has_parent && !has) {
      c.Report(DPL0104, can.span,
               {"an action that `makes` " + WithArticle(symbol.name), "its parent as a parameter"})
          .Help("write `can … { parent: " + c.ResourceName(def.parent_type) + " } makes`");
    }
  }
}

void BuildResource(Checker& c, const Symbol& symbol) {
  auto& decl = static_cast<ast::ResourceDecl&>(*symbol.decl);
  FileScope& file = *symbol.file;
  CheckMetaAllowed(c, decl.meta, {.because = true, .review = true}, "a resource");
  ResourceDef& def = c.model.schema.resources[symbol.index];
  def.span = decl.span;
  BuildKey(c, decl, file, def);
  for (const ast::HasClause& has : decl.has) {
    AttributeDef attribute;
    if (BuildAttribute(c, has, file, &attribute)) {
      def.attributes.push_back(attribute);
    } else {
      c.broken.emplace(symbol.index, has.name.text);
    }
  }
  BuildParent(c, decl, file, symbol.index, def);
  CheckAttributeNames(c, def.attributes, c.Text(def.key_name), decl.key.span);
  for (const ast::CanClause& can : decl.can) BuildActions(c, can, file, symbol, def);
}

void BuildResourceWireNames(Checker& c) {
  std::map<std::string, Span> taken;
  for (Symbol* symbol : c.resource_symbols) {
    const auto& decl = static_cast<const ast::ResourceDecl&>(*symbol->decl);
    if (decl.known_as.empty()) taken.emplace(symbol->name, decl.head_span);
  }
  for (Symbol* symbol : c.resource_symbols) {
    const auto& decl = static_cast<const ast::ResourceDecl&>(*symbol->decl);
    ResourceDef& def = c.model.schema.resources[symbol->index];
    BuildKnownAs(c, decl.known_as, &taken, &def.known_as);
    if (decl.known_as.empty()) def.known_as.push_back(def.name);
  }
}

}  // namespace

bool BuildAttribute(Checker& c, const ast::HasClause& has, FileScope& file, AttributeDef* out) {
  TypeId type = ResolveType(c, has.type, file);
  if (type == kNone) return false;
  out->name = c.model.AddString(has.name.text);
  out->wire = has.wire.present ? c.model.AddString(has.wire.value) : out->name;
  out->type = type;
  out->from_request = has.from_request;
  out->span = has.span;
  if (has.default_value != nullptr)
    out->default_constant = CheckConstant(c, *has.default_value, type, file, "a default");
  return true;
}

void CheckAttributeNames(Checker& c, const std::vector<AttributeDef>& attributes,
                         std::string_view key, const Span& key_span) {
  std::map<std::string_view, Span> names, wires;
  if (!key.empty()) names.emplace(key, key_span);
  for (const AttributeDef& attribute : attributes) {
    auto [name, new_name] = names.emplace(c.Text(attribute.name), attribute.span);
    if (!new_name) {
      DiagnosticRef report =
          c.Report(DPL0202, attribute.span, {"attribute " + Quoted(c.Text(attribute.name))});
      if (name->second.known()) report.Label(name->second, "the first is here");
      // `within manager: Person` beside `has manager: Person`
      if (c.SourceText(attribute.span).starts_with("within")) {
        report.Help("`within` declares the attribute too: remove the `has`");
      }
      continue;
    }
    auto [wire, new_wire] = wires.emplace(c.Text(attribute.wire), attribute.span);
    if (!new_wire) {
      c.Report(DPL0202, attribute.span, {"wire name " + Quoted(c.Text(attribute.wire))})
          .Label(wire->second, "the first is here");
    }
  }
}

void BuildResources(Checker& c) {
  BuildPerson(c);
  BuildContext(c);
  for (Symbol* symbol : c.resource_symbols) BuildResource(c, *symbol);
  BuildResourceWireNames(c);
}

}  // namespace dpl::check
