// See identity.h.
#include "server/gate/identity.h"

#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

constexpr std::string_view kOurs = "X-DPL-";

}  // namespace

std::string WriteIdentity(const HttpRequest& request, std::string_view subject_type,
                          JsonWriter* writer) {
  std::string_view id, type, issuer, agent, instance, task;
  struct Known {
    std::string_view name;
    std::string_view* value;
    bool seen;
  } known[] = {{"Subject-Id", &id, false},           {"Subject-Type", &type, false},
               {"Subject-Issuer", &issuer, false},   {"Agent", &agent, false},
               {"Agent-Instance", &instance, false}, {"Task", &task, false}};
  for (const HttpHeader& header : request.headers) {
    if (!EqualIgnoringCase(header.name.substr(0, kOurs.size()), kOurs)) continue;
    Known* found = nullptr;
    for (Known& candidate : known) {
      if (EqualIgnoringCase(header.name.substr(kOurs.size()), candidate.name)) found = &candidate;
    }
    if (found == nullptr) return "a header X-DPL-… is not one of those known here";
    if (found->seen) return "a header X-DPL-… is there more than once";
    if (!IsValidUtf8(header.value) || HasControl(header.value))
      return "a header X-DPL-… cannot be read for certain";
    found->seen = true;
    *found->value = header.value;
  }
  if (id.empty()) return "X-DPL-Subject-Id is missing: nobody is identified";
  if (agent.empty() && !instance.empty())
    return "X-DPL-Agent-Instance is there without X-DPL-Agent";
  writer->Key("subject").BeginObject();
  writer->Member("type", type.empty() ? subject_type : type).Member("id", id);
  if (!issuer.empty()) writer->Key("properties").BeginObject().Member("iss", issuer).EndObject();
  writer->EndObject();
  WriteActing(agent, instance, task, writer);
  return {};
}

void WriteActing(std::string_view agent, std::string_view instance, std::string_view task,
                 JsonWriter* writer) {
  if (agent.empty() && task.empty()) return;
  writer->Key("context").BeginObject();
  if (!agent.empty()) {
    writer->Key("agent").BeginObject().Member("sub", agent);
    if (!instance.empty()) writer->Member("instance", instance);
    writer->EndObject();
  }
  if (!task.empty()) writer->Member("task", task);
  writer->EndObject();
}

}  // namespace dpl
