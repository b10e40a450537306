// See asked.h.
#include "server/operate/asked.h"

#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

// As deep as the body it was read from, which the reader bounds.
void Write(const WireValue& v, JsonWriter* out) {
  switch (v.kind) {
    case WireValue::Kind::kNull:
      out->Null();
      return;
    case WireValue::Kind::kBool:
      out->Bool(v.boolean);
      return;
    case WireValue::Kind::kNumber:
      out->Raw(v.text);
      return;
    case WireValue::Kind::kString:
      out->String(v.text);
      return;
    case WireValue::Kind::kArray:
      out->BeginArray();
      for (uint32_t i = 0; i < v.count; ++i) Write(v.items[i], out);
      out->EndArray();
      return;
    case WireValue::Kind::kObject:
      out->BeginObject();
      for (uint32_t i = 0; i < v.count; ++i) {
        out->Key(v.members[i].name);
        Write(v.members[i].value, out);
      }
      out->EndObject();
  }
}

Scratch* ScratchOfThread() {
  thread_local std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
  return scratch.get();
}

}  // namespace

std::string MakeShown(const WireValue& body, std::string_view sentence, std::string_view because) {
  std::string out;
  JsonWriter w(&out);
  w.BeginObject().Member("sentence", sentence);
  if (!because.empty()) w.Member("because", because);
  w.Key("evaluation").BeginObject();
  for (std::string_view name : {"subject", "action", "resource", "context"}) {
    const WireValue* value = body.Find(name);
    if (value == nullptr) continue;
    w.Key(name);
    Write(*value, &w);
  }
  w.EndObject().EndObject();
  return out;
}

std::unique_ptr<AskedAgain> AskedAgain::Decide(const Call& call, const AccessRequest& record,
                                               const std::vector<Signature>& signatures,
                                               std::string* why) {
  auto again = std::make_unique<AskedAgain>();
  const RegisteredCaller* caller = call.in_force().callers->Named(record.requested_by);
  if (caller == nullptr) {
    *why = "the caller that asked is no longer registered";
    return nullptr;
  }
  Result<const WireValue*> root = ParseJson(record.shown, &again->arena_, FileJsonLimits());
  const WireValue* evaluation = root.ok() ? (*root)->Find("evaluation") : nullptr;
  if (evaluation == nullptr) {
    *why = "the request as it was recorded cannot be read";
    return nullptr;
  }
  Result<Request> request =
      ReadWireRequest({evaluation->Find("subject"), evaluation->Find("action"),
                       evaluation->Find("resource"), evaluation->Find("context")},
                      caller->caller, &again->arena_);
  if (!request.ok()) {
    *why = "the request cannot be read: " + request.error().message;
    return nullptr;
  }
  again->request_.emplace(*request);
  std::vector<Signer> signers;
  for (const Signature& signature : signatures) signers.push_back({signature.person, signature.at});
  const Program& program = call.program();
  const Decision& d = DecideAsk(call.snapshot(), &call.store(), *again->request_, call.now(),
                                ScratchOfThread(), signers, &again->report_);
  again->decision_ = &d;
  if (d.outcome != OutcomeKind::kAsk) {
    *why = "decided now, the answer is no longer `ask` but `";
    why->append(ReasonCode(d.reason)).append("`");
    return nullptr;
  }
  if (record.binding != d.request_digest) {
    *why = "what the request is about has changed since; it must be asked again";
    return nullptr;
  }
  for (int i = 0; i < d.approvals.size; ++i) {
    uint32_t statement = program.approval_statements[d.approvals.items[i]];
    if (program.Text(program.statements[statement].name) != record.approval) continue;
    again->which_ = i;
    return again;
  }
  *why = "decided now, this approval is no longer needed";
  return nullptr;
}

}  // namespace dpl
