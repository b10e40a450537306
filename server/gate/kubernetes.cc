// See kubernetes.h.
#include "server/gate/kubernetes.h"

#include <algorithm>

#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "server/gate/answer.h"
#include "server/gate/identity.h"
#include "server/gate/target.h"

namespace dpl {
namespace {

constexpr std::string_view kVersion = "authorization.k8s.io/v1";
constexpr std::string_view kKind = "SubjectAccessReview";

// An optional text; false: it is there and no text.
bool TextOf(const WireValue& object, std::string_view name, std::string_view* out) {
  const WireValue* value = object.Find(name);
  if (value == nullptr || value->is_null()) return true;
  if (!value->is_string()) return false;
  *out = value->text;
  return true;
}

// Names of groups, resources and subresources: what a DNS name may hold. A `*` means all of them
// and is no name.
bool IsPlain(std::string_view text, bool dots) {
  return std::all_of(text.begin(), text.end(), [dots](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (dots && c == '.');
  });
}

// What an object or a namespace may be called (a path segment).
bool IsObjectName(std::string_view text) {
  return text != "." && text != ".." && text.find_first_of("/%*\\") == std::string_view::npos;
}

std::string AskOfResource(const WireValue& attributes, JsonWriter* writer) {
  std::string_view verb, group, resource, subresource, name, space;
  if (!TextOf(attributes, "verb", &verb) || !TextOf(attributes, "group", &group) ||
      !TextOf(attributes, "resource", &resource) || !TextOf(attributes, "name", &name) ||
      !TextOf(attributes, "subresource", &subresource) || !TextOf(attributes, "namespace", &space))
    return "a member of resourceAttributes is not a string";
  if (verb.empty() || resource.empty()) return "resourceAttributes names no verb or no resource";
  if (verb == "*" || group == "*" || resource == "*" || subresource == "*")
    return "a review of everything (`*`) is not answered with yes";
  if (!IsPlain(group, true) || !IsPlain(resource, false) || !IsPlain(subresource, false))
    return "the group or the resource is not a plain name";
  if (!IsObjectName(name) || !IsObjectName(space))
    return "the name or the namespace is not a plain name";
  std::string type = "k8s:", id;
  type.append(resource);
  if (!group.empty()) type.append(".").append(group);
  if (!subresource.empty()) type.append("/").append(subresource);
  if (!space.empty()) id.append(space).append("/");
  id.append(name.empty() ? "*" : name);
  writer->Key("action").BeginObject().Member("name", verb).EndObject();
  writer->Key("resource").BeginObject().Member("type", type).Member("id", id);
  writer->Key("properties").BeginObject();
  if (!space.empty()) writer->Member("namespace", space);
  if (!name.empty()) writer->Member("name", name);
  writer->EndObject().EndObject();
  return {};
}

std::string AskOfUrl(const WireValue& attributes, JsonWriter* writer) {
  std::string_view verb, path;
  if (!TextOf(attributes, "verb", &verb) || !TextOf(attributes, "path", &path))
    return "a member of nonResourceAttributes is not a string";
  Target target;
  if (std::string why = ReadTarget(path, &target); !why.empty()) return why;
  if (verb.empty() || verb == "*" || path.find_first_of("*?") != std::string_view::npos)
    return "nonResourceAttributes names no single verb and path";
  writer->Key("action").BeginObject().Member("name", verb).EndObject();
  writer->Key("resource").BeginObject().Member("type", "k8s-url").Member("id", path).EndObject();
  return {};
}

// The one value of an `extra` key. Keys come in lower case.
std::string ExtraOf(const WireValue& spec, std::string_view key, std::string_view* out) {
  const WireValue* extra = spec.Find("extra");
  if (key.empty() || extra == nullptr || extra->is_null()) return {};
  if (!extra->is_object()) return "spec.extra is not an object";
  const WireValue* values = extra->Find(key);
  if (values == nullptr) return {};
  if (!values->is_array() || values->count != 1 || !values->items[0].is_string() ||
      values->items[0].text.empty())
    return "spec.extra names an agent, run or task, but not exactly one";
  *out = values->items[0].text;
  return {};
}

bool Fits(std::string_view pattern, std::string_view user) {
  if (!pattern.ends_with('*')) return pattern == user;
  pattern.remove_suffix(1);
  return user.size() > pattern.size() && user.starts_with(pattern);
}

std::string AskWho(const KubernetesOptions& options, const WireValue& spec, JsonWriter* writer) {
  std::string_view user, agent, instance, task;
  if (!TextOf(spec, "user", &user) || user.empty()) return "spec.user is missing";
  for (auto [key, value] : {std::pair(std::string_view(options.agent_extra), &agent),
                            std::pair(std::string_view(options.instance_extra), &instance),
                            std::pair(std::string_view(options.task_extra), &task)}) {
    if (std::string why = ExtraOf(spec, key, value); !why.empty()) return why;
  }
  if (agent.empty() && !instance.empty()) return "spec.extra names a run, but no agent";
  std::string_view type = options.subject_type;
  std::string id(user);
  for (const KubernetesOptions::Subject& subject : options.subjects) {
    if (!Fits(subject.user, user)) continue;
    type = subject.type;
    if (subject.id.empty()) break;
    id = subject.id;
    if (!id.ends_with('*')) break;
    id.pop_back();
    std::string_view rest = user.substr(subject.user.size() - 1);
    if (!IsObjectName(rest)) return "spec.user is not a plain name";
    id.append(rest);
    break;
  }
  writer->Key("subject").BeginObject().Member("type", type).Member("id", id).EndObject();
  WriteActing(agent, instance, task, writer);
  return {};
}

JsonWriter BeginStatus(HttpResponse* response) {
  response->status = 200;
  response->body.clear();
  response->content_type = "application/json";
  JsonWriter writer(&response->body);
  writer.BeginObject().Member("apiVersion", kVersion).Member("kind", kKind);
  writer.Key("status").BeginObject();
  return writer;
}

}  // namespace

std::string KubernetesAdapter::Ask(const HttpRequest& request, std::string* evaluation) const {
  if (request.method != "POST") return "a review is sent with POST";
  Arena arena;
  Result<const WireValue*> root = ParseJson(request.body, &arena);
  if (!root.ok()) return "the review is no JSON: " + root.error().message;
  std::string_view version, kind;
  if (!TextOf(**root, "apiVersion", &version) || version != kVersion ||
      !TextOf(**root, "kind", &kind) || kind != kKind)
    return "only SubjectAccessReview of authorization.k8s.io/v1 is understood here";
  const WireValue* spec = (*root)->Find("spec");
  if (spec == nullptr || !spec->is_object()) return "spec is missing";
  const WireValue* resource = spec->Find("resourceAttributes");
  const WireValue* url = spec->Find("nonResourceAttributes");
  if (resource != nullptr && resource->is_null()) resource = nullptr;
  if (url != nullptr && url->is_null()) url = nullptr;
  if ((resource == nullptr) == (url == nullptr))
    return "one of resourceAttributes and nonResourceAttributes must be there, and one only";
  const WireValue& attributes = resource != nullptr ? *resource : *url;
  if (!attributes.is_object()) return "the attributes are not an object";
  JsonWriter writer(evaluation);
  writer.BeginObject();
  if (std::string why = AskWho(options_, *spec, &writer); !why.empty()) return why;
  std::string why =
      resource != nullptr ? AskOfResource(attributes, &writer) : AskOfUrl(attributes, &writer);
  if (why.empty()) writer.EndObject();
  return why;
}

// Only silence of the policy may be left to others: no grant, nothing declared, nobody known. What
// is forbidden, revoked or failed stays denied. Callers without details are told some of those
// alike, so to them every denial is final.
bool KubernetesAdapter::IsFinal(std::string_view evaluation, const WireValue& answer) const {
  const AnswerView view(answer);
  const bool unknown = view.reason() == "identity.unknown";
  const bool silent =
      view.reason() == "person.no_grant" || view.reason() == "request.unknown_action";
  if (!view.has_details() ||
      !(unknown ? !options_.final_unknown : silent && !options_.final_ungranted))
    return true;
  Arena arena;
  Result<const WireValue*> asked = ParseJson(evaluation, &arena);
  if (!asked.ok() || (*asked)->Find("context") != nullptr) return true;  // an agent, or a task
  const WireValue* subject = (*asked)->Find("subject");
  std::string_view type;
  return subject == nullptr || !TextOf(*subject, "type", &type) || type != options_.subject_type;
}

void KubernetesAdapter::Answer(std::string_view evaluation, const WireValue& answer,
                               HttpResponse* response) const {
  const AnswerView view(answer);
  JsonWriter writer = BeginStatus(response);
  writer.Key("allowed").Bool(view.permit());
  if (!view.permit() && IsFinal(evaluation, answer)) writer.Key("denied").Bool(true);
  std::string text(view.reason());
  if (!view.reason_user().empty()) text.append(": ").append(view.reason_user());
  if (!view.evaluation_id().empty()) text.append(" (").append(view.evaluation_id()).append(")");
  writer.Member("reason", text);
  if (view.reason().starts_with("error.")) writer.Member("evaluationError", view.reason());
  writer.EndObject().EndObject();
}

void KubernetesAdapter::Refuse(std::string_view why, HttpResponse* response) const {
  JsonWriter writer = BeginStatus(response);
  writer.Key("allowed").Bool(false).Key("denied").Bool(true);
  writer.Member("reason", kRefusedReason).Member("evaluationError", why).EndObject().EndObject();
}

}  // namespace dpl
