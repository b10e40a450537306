// See proxy.h.
#include "server/gate/proxy.h"

#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"
#include "server/gate/answer.h"
#include "server/gate/identity.h"

namespace dpl {
namespace {

// Visible ASCII, for a header; all else is percent-encoded, and what is long is cut.
void AddHeader(std::string_view name, std::string_view value, HttpResponse* response) {
  constexpr size_t kMost = 256;
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : value.substr(0, kMost)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  if (!out.empty()) (void)response->AddHeader(name, out);
}

std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with("[")) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

}  // namespace

std::string ProxyAdapter::AskAbout(const HttpRequest& request, std::string_view method,
                                   std::string_view host, std::string_view target_text,
                                   std::string* evaluation) const {
  Target target;
  if (std::string why = ReadTarget(target_text, &target); !why.empty()) return why;
  JsonWriter writer(evaluation);
  writer.BeginObject();
  if (std::string why = WriteIdentity(request, subject_type_, &writer); !why.empty()) return why;
  const SeenRequest seen{method, WithoutPort(host), &target, &request};
  if (std::string why = routes_->Ask(seen, &writer); !why.empty()) return why;
  writer.EndObject();
  return {};
}

void ProxyAdapter::Answer(std::string_view, const WireValue& answer, HttpResponse* response) const {
  const AnswerView view(answer);
  response->status = view.permit() ? 200 : 403;
  AddHeader("X-DPL-Decision", view.outcome(), response);
  AddHeader("X-DPL-Reason", view.reason(), response);
  AddHeader("X-DPL-Evaluation-Id", view.evaluation_id(), response);
  AddHeader("X-DPL-Statement", view.statement(), response);
  AddHeader("X-DPL-Policy", view.span(), response);
  if (view.permit() || !body_) return;
  JsonWriter writer(&response->body);
  writer.BeginObject().Member("error", "access_denied").Member("reason", view.reason());
  writer.Member("message", view.reason_user()).Member("evaluation_id", view.evaluation_id());
  if (const WireValue* request = view.access_request()) writer.Key("access_request").Wire(*request);
  writer.EndObject();
}

void ProxyAdapter::Refuse(std::string_view why, HttpResponse* response) const {
  response->status = 403;
  response->body.clear();
  response->content_type = "application/json";
  AddHeader("X-DPL-Decision", "deny", response);
  AddHeader("X-DPL-Reason", kRefusedReason, response);
  if (!body_) return;
  JsonWriter writer(&response->body);
  writer.BeginObject().Member("error", "access_denied").Member("reason", kRefusedReason);
  writer.Member("message", why).EndObject();
}

std::string NginxAdapter::Ask(const HttpRequest& request, std::string* evaluation) const {
  const HttpRequest::Found method = request.Find("X-Original-Method");
  const HttpRequest::Found uri = request.Find("X-Original-URI");
  const HttpRequest::Found host = request.Find("X-Original-Host");
  if (method.count != 1 || uri.count != 1 || host.count > 1)
    return "X-Original-Method and X-Original-URI must be there, each once";
  return AskAbout(request, method.value, host.value, uri.value, evaluation);
}

std::string EnvoyAdapter::Ask(const HttpRequest& request, std::string* evaluation) const {
  std::string target(request.path.substr(path_.size()));
  if (!request.query.empty()) target.append("?").append(request.query);
  const std::string_view method = request.head ? std::string_view("HEAD") : request.method;
  return AskAbout(request, method, request.Find("Host").value, target, evaluation);
}

}  // namespace dpl
