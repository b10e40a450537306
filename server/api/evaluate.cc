// The two evaluation endpoints of the AuthZEN Authorization API 1.0.
#include <algorithm>
#include <chrono>

#include "runtime/decide/answer.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "server/api/service_thread.h"
#include "server/http/limits.h"

namespace dpl {
namespace {

enum class Semantic { kExecuteAll, kDenyOnFirstDeny, kPermitOnFirstPermit };

int64_t MonotonicNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string Located(const Error& error) {
  if (error.line == 0) return error.message;
  return error.message + " (line " + std::to_string(error.line) + ", column " +
         std::to_string(error.column) + ")";
}

// The body as a JSON object; null after the response has been made an error.
const WireValue* ReadBody(const Question& question, ServiceThread* thread, HttpResponse* response) {
  if (question.http->body.empty()) {
    response->Error(400, "the body is empty; it must be a JSON object");
    return nullptr;
  }
  thread->arena.Reset();
  JsonLimits limits;
  limits.max_bytes = HttpLimits::kMaxBodyBytes;  // the HTTP server's own limit has passed it
  Result<const WireValue*> root = ParseJson(question.http->body, &thread->arena, limits);
  if (!root.ok()) {
    response->Error(400, Located(root.error()));
    return nullptr;
  }
  if (!(*root)->is_object()) {
    response->Error(400, "the body must be a JSON object");
    return nullptr;
  }
  return *root;
}

WireEvaluation Members(const WireValue& object) {
  return {object.Find("subject"), object.Find("action"), object.Find("resource"),
          object.Find("context")};
}

// `log` is a duty of ours, and so is the memory of an emergency.
bool MustBeRecorded(const Decision& decision) {
  if (decision.outcome != OutcomeKind::kPermit || decision.dry_run) return false;
  if (decision.opening.statement != kNone) return true;
  return std::any_of(decision.duties.begin(), decision.duties.end(),
                     [](const DutyOut& duty) { return duty.kind == DutyKind::kLog; });
}

// Decides one evaluation and appends its answer. `item` is -1 for a single one. False when the
// request cannot be read; nothing is appended then and `*error` says why.
bool Evaluate(const Question& question, ServiceThread* thread, const WireEvaluation& wire, int item,
              std::string* out, bool* permitted, Error* error) {
  const int64_t start = MonotonicNs();
  Result<Request> read = ReadWireRequest(wire, *question.caller, &thread->arena);
  if (!read.ok()) {
    *error = read.error();
    return false;
  }
  Request& request = *read;
  // One id for a whole batch charges every item: the position becomes a part of the key.
  std::string item_key;
  if (question.caller->request_id_keys && request.charge_key.empty() &&
      !question.request_id.empty()) {
    request.charge_key = question.request_id;
    if (item >= 0) {
      item_key.append(question.request_id).append("#").append(std::to_string(item));
      request.charge_key = item_key;
    }
  }
  const Snapshot& snapshot = *thread->in_force.snapshot;
  const Decision& decision =
      Decide(snapshot, question.store, request, question.now, &thread->scratch);
  AnswerOptions options;
  options.evaluation_id = thread->NextEvaluationId();
  options.details = question.caller->details;
  options.request_endpoint = question.request_endpoint;
  options.text = &thread->text;
  AppendAnswerJson(out, snapshot, request, decision, options);
  thread->hold.state = std::max(thread->hold.state, decision.ticket);
  if (question.options->record && MustBeRecorded(decision))
    question.options->record(snapshot, request, decision, options.evaluation_id);
  *permitted = decision.outcome == OutcomeKind::kPermit && !decision.dry_run;
  thread->metrics.Decided(decision, MonotonicNs() - start);
  return true;
}

// What an item of a batch gets that could not be evaluated; the rest of the batch is not disturbed.
void AppendItemError(std::string_view message, std::string* out) {
  JsonWriter writer(out);
  writer.BeginObject()
      .Key("decision")
      .Bool(false)
      .Key("context")
      .BeginObject()
      .Key("error")
      .BeginObject();
  writer.Key("status").Int(400).Member("message", message).EndObject().EndObject().EndObject();
}

bool ReadSemantic(const WireValue& root, Semantic* semantic, HttpResponse* response) {
  const WireValue* options = root.Find("options");
  if (options == nullptr) return true;
  if (!options->is_object()) {
    response->Error(400, "`options` must be an object");
    return false;
  }
  const WireValue* value = options->Find("evaluations_semantic");
  if (value == nullptr) return true;
  if (value->is_string() && value->text == "execute_all") return true;
  if (value->is_string() && value->text == "deny_on_first_deny") {
    *semantic = Semantic::kDenyOnFirstDeny;
    return true;
  }
  if (value->is_string() && value->text == "permit_on_first_permit") {
    *semantic = Semantic::kPermitOnFirstPermit;
    return true;
  }
  response->Error(400,
                  "`evaluations_semantic` must be `execute_all`, `deny_on_first_deny` or "
                  "`permit_on_first_permit`");
  return false;
}

void AnswerSingle(const Question& question, ServiceThread* thread, const WireValue& root,
                  HttpResponse* response) {
  bool permitted = false;
  Error error;
  if (!Evaluate(question, thread, Members(root), -1, &response->body, &permitted, &error)) {
    response->Error(400, Located(error));
  }
}

}  // namespace

void EvaluateOne(const Question& question, ServiceThread* thread, HttpResponse* response) {
  if (const WireValue* root = ReadBody(question, thread, response))
    AnswerSingle(question, thread, *root, response);
}

void EvaluateBatch(const Question& question, ServiceThread* thread, HttpResponse* response) {
  const WireValue* root = ReadBody(question, thread, response);
  if (root == nullptr) return;
  const WireValue* items = root->Find("evaluations");
  if (items != nullptr && !items->is_array())
    return response->Error(400, "`evaluations` must be an array");
  Semantic semantic = Semantic::kExecuteAll;
  if (!ReadSemantic(*root, &semantic, response)) return;
  if (items == nullptr || items->count == 0) return AnswerSingle(question, thread, *root, response);
  if (items->count > Service::kMaxBatch)
    return response->Error(400, "a batch holds at most 100 evaluations");
  const WireEvaluation defaults = Members(*root);
  for (const WireValue* entity :
       {defaults.subject, defaults.action, defaults.resource, defaults.context}) {
    if (entity != nullptr && !entity->is_object()) {
      return response->Error(400, "`subject`, `action`, `resource` and `context` must be objects");
    }
  }
  response->body.append("{\"evaluations\":[");
  for (uint32_t i = 0; i < items->count; ++i) {
    const WireValue& item = items->items[i];
    if (i > 0) response->body.push_back(',');
    bool permitted = false;
    Error error{"request", "an evaluation must be an object", item.line, item.column};
    bool evaluated = false;
    if (item.is_object()) {
      WireEvaluation wire = Members(item);  // an entity the item has replaces the default whole
      if (wire.subject == nullptr) wire.subject = defaults.subject;
      if (wire.action == nullptr) wire.action = defaults.action;
      if (wire.resource == nullptr) wire.resource = defaults.resource;
      if (wire.context == nullptr) wire.context = defaults.context;
      evaluated = Evaluate(question, thread, wire, static_cast<int>(i), &response->body, &permitted,
                           &error);
    }
    if (!evaluated) {
      thread->metrics.item_errors.Add();
      AppendItemError(Located(error), &response->body);
    }
    if (semantic == Semantic::kDenyOnFirstDeny && !permitted) break;
    if (semantic == Semantic::kPermitOnFirstPermit && permitted) break;
  }
  response->body.append("]}");
}

}  // namespace dpl
