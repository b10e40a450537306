// What one serving thread of the service keeps to itself. Only server/api sees this header.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/arena.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/wire_request.h"
#include "server/api/headers.h"
#include "server/api/metrics.h"
#include "server/api/page_token.h"
#include "server/api/record.h"
#include "server/api/service.h"

namespace dpl {

struct ServiceThread {
  // Memory for one body: 64 KiB of JSON become at most about 2 MiB of values.
  static constexpr size_t kArenaBytes = 16 * 1024 * 1024;

  ServiceThread(const ServiceOptions& options, size_t index, const BoxKey& token_key);

  // The id of the next evaluation: unique among all threads and starts.
  std::string_view NextEvaluationId();

  Scratch scratch;
  Request request;  // the one under way
  Recorder recorder;
  Arena arena{kArenaBytes};
  MetricsShard metrics;
  PageTokens tokens;
  InForce in_force;                     // as of `generation`
  std::atomic<uint64_t> generation{0};  // of the service's
  std::atomic<bool> busy{
      false};      // answers a request: nobody else touches `in_force` and `generation`
  std::string id;  // `ev_<start>-<thread>-`, then the number of the evaluation
  size_t id_prefix = 0;
  uint64_t evaluations = 0;
  std::string text;     // to compose answers in
  std::string asked;    // what an adapter made of a request
  HttpResponse answer;  // to an adapter's question
  ReplyHold hold;       // what the answer under way has to wait for
};

// The body of a question about access: everything that has passed the checks of headers and caller.
struct Question {
  std::string_view body;  // the JSON
  const Caller* caller = nullptr;
  std::string_view request_id;  // of the header; empty: none
  TraceContext trace;
  Instant now{};
  bool clock_suspect = false;
  StateStore* store = nullptr;
  const ServiceOptions* options = nullptr;
  std::string_view request_endpoint;
};

// POST /access/v1/evaluation and /access/v1/evaluations, from the body on (evaluate.cc).
void EvaluateOne(const Question& question, ServiceThread* thread, HttpResponse* response);
std::string PolicyDigest(const Snapshot& snapshot);  // of the bundle: "sha256:…"
void EvaluateBatch(const Question& question, ServiceThread* thread, HttpResponse* response);
// POST /access/v1/search/…, from the body on (search.cc).
void SearchSubjects(const Question& question, ServiceThread* thread, HttpResponse* response);
void SearchResources(const Question& question, ServiceThread* thread, HttpResponse* response);
void SearchActions(const Question& question, ServiceThread* thread, HttpResponse* response);

// The body as a JSON object; null after the response has been made an error (evaluate.cc).
const WireValue* ReadBody(const Question& question, ServiceThread* thread, HttpResponse* response);
// Nothing could be decided: 400, and a record of it.
void RefuseQuestion(const Question& question, ServiceThread* thread, HttpResponse* response,
                    std::string_view why);
// The same, with the place of what is wrong.
void RefuseAt(const WireValue& value, std::string_view why, const Question& question,
              ServiceThread* thread, HttpResponse* response);
// The member, where there is one that is not null: a null says no more than leaving it out.
const WireValue* FindSet(const WireValue& object, std::string_view name);
std::string LocatedText(const Error& error);  // with line and column, where they are known
// The record of a question that was refused. `item` of a batch; -1: all of it.
void RecordRefused(const Question& question, ServiceThread* thread, int item, std::string_view why,
                   int status);

}  // namespace dpl
