// The two evaluation endpoints of the AuthZEN Authorization API 1.0.
#include <algorithm>
#include <chrono>

#include "runtime/base/sha256.h"
#include "runtime/decide/answer.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "server/api/service_thread.h"
#include "server/http/limits.h"

namespace dpl {
namespace {

constexpr size_t kMostPlainKey = 240;  // with `#99` behind it still a charge key

enum class Semantic { kExecuteAll, kDenyOnFirstDeny, kPermitOnFirstPermit };

int64_t MonotonicNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string LocatedText(const Error& error) {
  if (error.line == 0) return error.message;
  return error.message + " (line " + std::to_string(error.line) + ", column " +
         std::to_string(error.column) + ")";
}

void RecordRefused(const Question& question, ServiceThread* thread, int item, std::string_view why,
                   int status) {
  RefusedQuestion refused;
  refused.time = question.now;
  refused.caller = question.caller->name;
  // Where the id is a charge key as well, it stays out of the log.
  if (!question.caller->request_id_keys) refused.request_id = question.request_id;
  refused.trace_id = question.trace.trace_id;
  refused.span_id = question.trace.span_id;
  refused.item = item;
  refused.status = status;
  refused.why = why;
  thread->recorder.Refused(refused);
}

void RefuseQuestion(const Question& question, ServiceThread* thread, HttpResponse* response,
                    std::string_view why) {
  response->Error(400, why);
  RecordRefused(question, thread, -1, why, 400);
}

void RefuseAt(const WireValue& value, std::string_view why, const Question& question,
              ServiceThread* thread, HttpResponse* response) {
  const Error error{"request", std::string(why), value.line, value.column};
  RefuseQuestion(question, thread, response, LocatedText(error));
}

const WireValue* FindSet(const WireValue& object, std::string_view name) {
  const WireValue* value = object.Find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const WireValue* ReadBody(const Question& question, ServiceThread* thread, HttpResponse* response) {
  if (question.body.empty()) {
    RefuseQuestion(question, thread, response, "the body is empty; it must be a JSON object");
    return nullptr;
  }
  thread->arena.Reset();
  JsonLimits limits;
  limits.max_bytes = HttpLimits::kMaxBodyBytes;  // the HTTP server's own limit has passed it
  Result<const WireValue*> root = ParseJson(question.body, &thread->arena, limits);
  if (!root.ok()) {
    RefuseQuestion(question, thread, response, LocatedText(root.error()));
    return nullptr;
  }
  if (!(*root)->is_object()) {
    RefuseAt(**root, "the body must be a JSON object", question, thread, response);
    return nullptr;
  }
  return *root;
}

namespace {

WireEvaluation Members(const WireValue& object) {
  WireEvaluation out;
  for (uint32_t i = 0; object.is_object() && i < object.count; ++i) {
    const WireMember& member = object.members[i];
    if (member.name == "subject") {
      out.subject = &member.value;
    } else if (member.name == "action") {
      out.action = &member.value;
    } else if (member.name == "resource") {
      out.resource = &member.value;
    } else if (member.name == "context" && !member.value.is_null()) {
      out.context = &member.value;
    }
  }
  return out;
}

// What the items of a batch have in common with the one before them.
struct Batch {
  WireEvaluation read;          // what the thread's request was made of, all but the resource
  std::string_view charge_key;  // which it had then
  int64_t at = 0;               // when the last item was answered: MonotonicNs
};

// Makes the thread's request of it. What is the same as with the item before is not read again.
Status ReadQuestion(const Question& question, ServiceThread* thread, const WireEvaluation& wire,
                    Batch* batch) {
  Request& request = thread->request;
  if (batch == nullptr) return ReadWireRequest(wire, *question.caller, &thread->arena, &request);
  if (batch->read.subject != nullptr && batch->read.subject == wire.subject &&
      batch->read.action == wire.action && batch->read.context == wire.context) {
    request.charge_key = batch->charge_key;
    return ReadWireResource(wire.resource, &request);
  }
  batch->read = {};
  DPL_RETURN_IF_ERROR(ReadWireRequest(wire, *question.caller, &thread->arena, &request));
  batch->read = wire;
  batch->charge_key = request.charge_key;
  return Status::Ok();
}

// Decides one evaluation and appends its answer. `item` is -1, and `batch` null, for a single one.
// False when the request cannot be read; nothing is appended then and `*error` says why.
bool Evaluate(const Question& question, ServiceThread* thread, const WireEvaluation& wire, int item,
              Batch* batch, std::string* out, bool* permitted, Error* error) {
  const int64_t start = batch != nullptr ? batch->at : MonotonicNs();
  Request& request = thread->request;
  if (Status read = ReadQuestion(question, thread, wire, batch); !read.ok()) {
    *error = read.error();
    return false;
  }
  // One id for a whole batch charges every item: the position becomes a part of the key.
  std::string item_key;
  std::string_view charge_key;
  if (question.caller->request_id_keys && request.charge_key.empty() &&
      !question.request_id.empty()) {
    request.charge_key = question.request_id;
    if (question.request_id.size() > kMostPlainKey) {  // longer than a key may be
      item_key.append("sha256:").append(Hex(Sha256(question.request_id)));
      request.charge_key = item_key;
    }
    if (item >= 0) {
      if (item_key.empty()) item_key.append(question.request_id);
      item_key.append("#").append(std::to_string(item));
      request.charge_key = item_key;
    }
    charge_key = request.charge_key;
  }
  const Snapshot& snapshot = *thread->in_force.snapshot;
  Recorder& recorder = thread->recorder;
  request.clock_suspect = question.clock_suspect;
  request.unrecordable = !recorder.Ready();
  if (request.unrecordable) recorder.Missed();
  const Decision* decision =
      &Decide(snapshot, recorder.Begin(question.store), request, question.now, &thread->scratch);
  AnswerOptions options;
  options.evaluation_id = thread->NextEvaluationId();
  options.details = question.caller->details;
  options.request_endpoint = question.request_endpoint;
  options.parts = thread->in_force.parts.get();
  options.text = &thread->text;
  const size_t answer_from = out->size();
  AppendAnswerJson(out, snapshot, request, *decision, options);
  Recorder::Answered answered;
  answered.context.evaluation_id = options.evaluation_id;
  answered.context.request_id = question.request_id;
  answered.context.trace_id = question.trace.trace_id;
  answered.context.span_id = question.trace.span_id;
  answered.context.item = item;
  answered.answer = std::string_view(*out).substr(answer_from);
  answered.question.clock_suspect = request.clock_suspect;
  answered.question.charge_key = charge_key;
  answered.question.endpoint = options.request_endpoint;
  if (item < 0) answered.question.body = question.body;
  const WireValue* members[4] = {wire.subject, wire.action, wire.resource, wire.context};
  std::copy(std::begin(members), std::end(members), answered.members);
  // Once it is known that nothing can be recorded, nothing need be tried.
  if (!request.unrecordable &&
      !recorder.Decided(snapshot, request, *decision, answered, &thread->hold)) {
    // The log gave out just now. What was charged is given back where that can be.
    if (decision->reservation != 0 && !decision->replayed)
      (void)question.store->Cancel(decision->reservation, question.caller->name, question.now);
    request.unrecordable = true;
    decision = &Decide(snapshot, question.store, request, question.now, &thread->scratch);
    out->resize(answer_from);
    AppendAnswerJson(out, snapshot, request, *decision, options);
  }
  thread->hold.Join({decision->ticket, 0});
  *permitted = decision->outcome == OutcomeKind::kPermit && !decision->dry_run;
  const int64_t end = MonotonicNs();
  thread->metrics.Decided(*decision, end - start);
  if (batch != nullptr) batch->at = end;
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

bool ReadSemantic(const Question& question, ServiceThread* thread, const WireValue& root,
                  Semantic* semantic, HttpResponse* response) {
  const WireValue* options = FindSet(root, "options");
  if (options == nullptr) return true;
  if (!options->is_object()) {
    RefuseAt(*options, "`options` must be an object", question, thread, response);
    return false;
  }
  const WireValue* value = FindSet(*options, "evaluations_semantic");
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
  RefuseAt(*value,
           "`evaluations_semantic` must be `execute_all`, `deny_on_first_deny` or "
           "`permit_on_first_permit`",
           question, thread, response);
  return false;
}

void AnswerSingle(const Question& question, ServiceThread* thread, const WireValue& root,
                  HttpResponse* response) {
  bool permitted = false;
  Error error;
  if (!Evaluate(question, thread, Members(root), -1, nullptr, &response->body, &permitted,
                &error)) {
    RefuseQuestion(question, thread, response, LocatedText(error));
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
  const WireValue* items = FindSet(*root, "evaluations");
  if (items != nullptr && !items->is_array())
    return RefuseAt(*items, "`evaluations` must be an array", question, thread, response);
  Semantic semantic = Semantic::kExecuteAll;
  if (!ReadSemantic(question, thread, *root, &semantic, response)) return;
  if (items == nullptr || items->count == 0) return AnswerSingle(question, thread, *root, response);
  if (items->count > Service::kMaxBatch)
    return RefuseAt(*items, "a batch holds at most 100 evaluations", question, thread, response);
  const WireEvaluation defaults = Members(*root);
  for (const WireValue* entity :
       {defaults.subject, defaults.action, defaults.resource, defaults.context}) {
    if (entity != nullptr && !entity->is_object()) {
      return RefuseAt(*entity, "`subject`, `action`, `resource` and `context` must be objects",
                      question, thread, response);
    }
  }
  Batch batch;
  batch.at = MonotonicNs();
  thread->recorder.BeginBatch();
  response->body.append("{\"evaluations\":[");
  for (uint32_t i = 0; i < items->count; ++i) {
    const WireValue& item = items->items[i];
    if (i > 0) response->body.push_back(',');
    bool permitted = false;
    Error error;
    bool evaluated = false;
    if (item.is_object()) {
      WireEvaluation wire = Members(item);  // an entity the item has replaces the default whole
      if (wire.subject == nullptr) wire.subject = defaults.subject;
      if (wire.action == nullptr) wire.action = defaults.action;
      if (wire.resource == nullptr) wire.resource = defaults.resource;
      if (wire.context == nullptr) wire.context = defaults.context;
      evaluated = Evaluate(question, thread, wire, static_cast<int>(i), &batch, &response->body,
                           &permitted, &error);
    } else {
      error = {"request", "an evaluation must be an object", item.line, item.column};
    }
    if (!evaluated) {
      thread->metrics.item_errors.Add();
      const std::string why = LocatedText(error);
      AppendItemError(why, &response->body);
      RecordRefused(question, thread, static_cast<int>(i), why, 400);
    }
    if (semantic == Semantic::kDenyOnFirstDeny && !permitted) break;
    if (semantic == Semantic::kPermitOnFirstPermit && permitted) break;
  }
  response->body.append("]}");
}

}  // namespace dpl
