// The member `integrations` of the configuration file (docs/integrations/README.md).
#include "server/config_integrations.h"

#include <algorithm>

#include "server/config_reader.h"
#include "server/http/characters.h"

namespace dpl {
namespace {

// A path of ours that nobody needs to encode, and that is not one of the service's own.
void ReadPath(ObjectReader* reader, const WireValue& at, std::string* out) {
  reader->Text("path", out);
  auto plain = [](char c) { return c == '/' || http::Is(c, http::kHost); };
  constexpr std::string_view kFolder = "/integrations/";
  if (!out->starts_with(kFolder) || out->back() == '/' || out->find("//") != std::string::npos ||
      out->find("/.") != std::string::npos || !std::all_of(out->begin(), out->end(), plain)) {
    reader->Fail(at, reader->Path("path"),
                 "must be a path below /integrations/, without a slash at the end");
  }
}

void ReadProxy(const WireValue& value, const std::string& name, ConfigProblems* problems,
               std::string* path) {
  ObjectReader reader(value, "integrations." + name, problems);
  *path = "/integrations/" + name;
  ReadPath(&reader, value, path);
  reader.Finish();
}

void ReadParameters(const WireValue& value, const std::string& path, ObjectReader* parent,
                    Route* route) {
  if (!value.is_object()) return parent->Fail(value, path, "must be an object");
  for (uint32_t i = 0; i < value.count; ++i) {
    const WireMember& member = value.members[i];
    const std::string at = path + "." + std::string(member.name);
    const WireValue* text = &member.value;
    Route::Parameter parameter;
    parameter.name = member.name;
    if (text->is_object()) {
      const WireValue* number = text->Find("number");
      if (number == nullptr || text->count != 1)
        return parent->Fail(*text, at, "must be a text, or {\"number\": text}");
      parameter.number = true;
      text = number;
    }
    if (!text->is_string()) return parent->Fail(*text, at, "must be a text, or {\"number\": text}");
    Result<TextTemplate> parsed = TextTemplate::Parse(text->text, route->path);
    if (!parsed.ok()) return parent->Fail(*text, at, parsed.error().message);
    parameter.text = parsed.take();
    route->parameters.push_back(std::move(parameter));
  }
}

void ReadRoute(const WireValue& value, const std::string& path, ConfigProblems* problems,
               Route* route) {
  ObjectReader reader(value, path, problems);
  reader.Texts("methods", [&](const WireValue& item) {
    if (!std::all_of(item.text.begin(), item.text.end(),
                     [](char c) { return c >= 'A' && c <= 'Z'; }))
      reader.Fail(item, path + ".methods", "must name methods in capitals, as they are sent");
    route->methods.emplace_back(item.text);
  });
  reader.Text("host", &route->host);
  if (route->host.find(':') != std::string::npos)
    reader.Fail(value, path + ".host", "must be a name without a port");
  std::string text;
  reader.Text("path", &text);
  Result<PathPattern> pattern = PathPattern::Parse(text);
  if (pattern.ok()) {
    route->path = pattern.take();
  } else {
    reader.Fail(value, path + ".path", pattern.error().message);
  }
  reader.Text("action", &route->action);
  if (const WireValue* resource = reader.Take("resource")) {
    ObjectReader inner(*resource, path + ".resource", problems);
    inner.Text("type", &route->type);
    std::string id;
    inner.Text("id", &id);
    inner.Finish();
    Result<TextTemplate> parsed = TextTemplate::Parse(id, route->path);
    if (!parsed.ok()) {
      reader.Fail(*resource, path + ".resource.id", parsed.error().message);
    } else if (!parsed->Tells()) {
      reader.Fail(
          *resource, path + ".resource.id",
          "must hold one placeholder, or several of the path with a `/` between them: else two "
          "requests could name the same resource");
    } else {
      route->id = parsed.take();
    }
  }
  if (const WireValue* parameters = reader.Take("parameters"))
    ReadParameters(*parameters, path + ".parameters", &reader, route);
  if (const WireValue* query = reader.Take("query"); query != nullptr) {
    route->query.emplace();
    reader.Texts("query", [&](const WireValue& item) { route->query->emplace_back(item.text); });
  }
  reader.Finish();
  if (route->methods.empty() || route->action.empty() || route->type.empty())
    reader.Fail(value, path,
                "needs `methods`, `path`, `action` and `resource` with `type` and `id`");
}

void ReadRoutes(const WireValue& value, ObjectReader* parent, ConfigProblems* problems,
                RouteTable* routes) {
  if (!value.is_array())
    return parent->Fail(value, "integrations.routes", "must be an array of routes");
  for (uint32_t i = 0; i < value.count; ++i) {
    Route route;
    ReadRoute(value.items[i], "integrations.routes[" + std::to_string(i) + "]", problems, &route);
    routes->Add(std::move(route));
  }
}

// "deny" or "no_opinion".
void ReadFinal(ObjectReader* reader, std::string_view name, bool* is_final) {
  const WireValue* value = reader->Take(name);
  if (value == nullptr) return;
  if (!value->is_string() || (value->text != "deny" && value->text != "no_opinion"))
    return reader->Fail(*value, reader->Path(name), "must be \"deny\" or \"no_opinion\"");
  *is_final = value->text == "deny";
}

void ReadExtra(ObjectReader* reader, std::string_view name, const WireValue& at, std::string* out) {
  reader->Text(name, out);
  if (std::any_of(out->begin(), out->end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    reader->Fail(at, reader->Path(name), "must be in lower case, as Kubernetes sends it");
}

void ReadKubernetes(const WireValue& value, ConfigProblems* problems, KubernetesOptions* out) {
  ObjectReader reader(value, "integrations.kubernetes", problems);
  out->path = "/integrations/kubernetes";
  ReadPath(&reader, value, &out->path);
  reader.Text("subject_type", &out->subject_type);
  if (const WireValue* subjects = reader.Take("subjects")) {
    if (!subjects->is_array()) reader.Fail(*subjects, reader.Path("subjects"), "must be an array");
    for (uint32_t i = 0; subjects->is_array() && i < subjects->count; ++i) {
      ObjectReader inner(subjects->items[i],
                         reader.Path("subjects") + "[" + std::to_string(i) + "]", problems);
      KubernetesOptions::Subject subject;
      inner.Text("user", &subject.user);
      inner.Text("type", &subject.type);
      inner.Text("id", &subject.id);
      inner.Finish();
      if (subject.user.empty() || subject.type.empty())
        inner.Fail(subjects->items[i], inner.Path("user"), "and `type` are required");
      const size_t star = subject.id.find('*');
      if (star != std::string::npos &&
          (star + 1 != subject.id.size() || !subject.user.ends_with('*')))
        inner.Fail(subjects->items[i], inner.Path("id"),
                   "may hold `*` at its end only, where `user` does, too");
      out->subjects.push_back(std::move(subject));
    }
  }
  ReadFinal(&reader, "ungranted", &out->final_ungranted);
  ReadFinal(&reader, "unknown_subjects", &out->final_unknown);
  ReadExtra(&reader, "agent_extra", value, &out->agent_extra);
  ReadExtra(&reader, "instance_extra", value, &out->instance_extra);
  ReadExtra(&reader, "task_extra", value, &out->task_extra);
  reader.Finish();
}

}  // namespace

void ReadIntegrations(const WireValue& value, ConfigProblems* problems, GateOptions* out) {
  ObjectReader reader(value, "integrations", problems);
  if (const WireValue* nginx = reader.Take("nginx"))
    ReadProxy(*nginx, "nginx", problems, &out->nginx_path);
  if (const WireValue* envoy = reader.Take("envoy"))
    ReadProxy(*envoy, "envoy", problems, &out->envoy_path);
  reader.Text("subject_type", &out->subject_type);
  if (const WireValue* routes = reader.Take("routes"))
    ReadRoutes(*routes, &reader, problems, out->routes.get());
  if (const WireValue* kubernetes = reader.Take("kubernetes"))
    ReadKubernetes(*kubernetes, problems, &out->kubernetes.emplace());
  reader.Finish();
  std::vector<std::string> paths = {out->nginx_path, out->envoy_path,
                                    out->kubernetes ? out->kubernetes->path : ""};
  for (size_t i = 0; i < paths.size(); ++i) {
    for (size_t k = 0; k < paths.size(); ++k) {
      if (i == k || paths[i].empty() || paths[k].empty()) continue;
      if (paths[k] == paths[i] || paths[k].starts_with(paths[i] + "/"))
        reader.Fail(value, "integrations", "has two paths of which one lies in the other");
    }
  }
  if (out->routes->empty() && !(out->nginx_path + out->envoy_path).empty())
    reader.Fail(value, "integrations.routes", "are required: what no route fits is denied");
}

}  // namespace dpl
