// Who asks, as the proxy in front says it in headers of its own.
//
//   X-DPL-Subject-Id: E1007          required
//   X-DPL-Subject-Type: person       else the configuration's `subject_type`
//   X-DPL-Subject-Issuer: https://…  whose token names the subject
//   X-DPL-Agent: spiffe://…          the agent that acts; X-DPL-Agent-Instance: its run
//   X-DPL-Task: t-1                  the task it acts in
//
// The proxy sets these and lets none through from its client. Two of a name, and a name of this
// kind that is not in the list, are refused: a misspelt agent must not become a person who acts in
// person.
#pragma once

#include <string>
#include <string_view>

#include "server/http/message.h"

namespace dpl {

class JsonWriter;

// Writes the members `subject` and `context`. Returns why there is no question.
std::string WriteIdentity(const HttpRequest& request, std::string_view subject_type,
                          JsonWriter* writer);

// Writes the member `context` of an evaluation: the agent that acts and its instance, and the task;
// each may be empty, and with neither agent nor task nothing is written.
void WriteActing(std::string_view agent, std::string_view instance, std::string_view task,
                 JsonWriter* writer);

}  // namespace dpl
