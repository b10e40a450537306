// Routes, callers, and what every answer has in common.
#include "server/api/service.h"

#include <charconv>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/decide/answer_pieces.h"
#include "runtime/decide/kept_tasks.h"
#include "runtime/json/json.h"
#include "server/api/adapter.h"
#include "server/api/headers.h"
#include "server/api/service_thread.h"

namespace dpl {
namespace {

enum class Route {
#define DPL_DECISION_ROUTE(name, method, path, metadata) k##name,
#include "server/api/routes.def"
#undef DPL_DECISION_ROUTE
};

struct RouteRow {
  std::string_view path;
  std::string_view method;
  Route route;
};

constexpr RouteRow kRoutes[] = {
#define DPL_DECISION_ROUTE(name, method, path, metadata) {path, method, Route::k##name},
#include "server/api/routes.def"
#undef DPL_DECISION_ROUTE
};

// A search makes lists of so many entities itself, which takes a few milliseconds.
constexpr uint32_t kIndexedAtOnce = 10'000;

const Adapter* AdapterOf(const InForce& in_force, std::string_view path) {
  if (in_force.adapters == nullptr) return nullptr;
  for (const std::unique_ptr<const Adapter>& adapter : *in_force.adapters) {
    if (adapter->Takes(path)) return adapter.get();
  }
  return nullptr;
}

uint64_t NextIdentity() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

ServiceThread::ServiceThread(const ServiceOptions& options, size_t index, const BoxKey& token_key)
    : recorder(options.trail, options.seal), tokens(token_key) {
  id.append("ev_").append(options.start_id).append("-").append(std::to_string(index)).append("-");
  id_prefix = id.size();
}

std::string_view ServiceThread::NextEvaluationId() {
  char digits[24];
  char* end = std::to_chars(digits, digits + sizeof digits, ++evaluations).ptr;
  id.resize(id_prefix);
  id.append(digits, end);
  return id;
}

Service::Service(ServiceOptions options) : options_(std::move(options)), identity_(NextIdentity()) {
  DPL_CHECK(FillRandom(token_key_.data(), token_key_.size()));
}

Service::~Service() = default;

// A thread that is not answering anything would keep the policy of before until its next request,
// perhaps for ever: it is given the new one here. Either it is seen to be idle, or it sees the new
// generation when it begins or ends a request (each side writes its own mark before it reads the
// other's).
void Service::Publish(std::shared_ptr<const Snapshot> snapshot,
                      std::shared_ptr<const CallerRegistry> callers, std::string_view inputs,
                      std::shared_ptr<const Adapters> adapters) {
  std::string recorded_as = "\"policy\":\"" + PolicyDigest(*snapshot) + "\",\"data\":";
  AppendJsonString(&recorded_as, snapshot->facts_version());
  if (!inputs.empty()) recorded_as.append(",").append(inputs);
  // New facts under the same policy are worded as before, and what searches had looked up in the
  // facts of before is made ready for these.
  InForce last = Current();
  std::shared_ptr<const AnswerPieces> parts =
      last.parts != nullptr && last.snapshot->shared_program() == snapshot->shared_program()
          ? std::move(last.parts)
          : std::make_shared<const AnswerPieces>(snapshot->program());
  auto search = std::make_shared<SearchIndex>(snapshot, kIndexedAtOnce);
  if (last.search != nullptr) search->WarmLike(*last.search);
  last = {};
  std::vector<InForce> before;  // let go of behind the lock
  std::lock_guard lock(mutex_);
  before.push_back(std::move(in_force_));
  in_force_ = {std::move(snapshot), std::move(parts),    std::move(recorded_as), std::move(callers),
               std::move(search),   std::move(adapters), options_.clock->Now()};
  ++reloads_;
  last_failed_ = false;
  const uint64_t generation = generation_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (const std::unique_ptr<ServiceThread>& thread : threads_) {
    if (thread->busy.load(std::memory_order_seq_cst)) continue;
    before.push_back(std::move(thread->in_force));
    thread->in_force = in_force_;
    thread->recorder.Use(in_force_.snapshot, in_force_.recorded_as);
    KeepTasksOf(&thread->scratch, in_force_.snapshot);
    thread->generation.store(generation, std::memory_order_release);  // last
  }
}

InForce Service::Current() const {
  std::lock_guard lock(mutex_);
  return in_force_;
}

void Service::ReloadFailed(const Error& error) {
  std::lock_guard lock(mutex_);
  ++failed_reloads_;
  last_failed_ = true;
  last_error_ = error;
  last_error_at_ = options_.clock->Now();
}

// The calling thread's own part of this service, brought up to the policy in force.
ServiceThread* Service::ThisThread() {
  thread_local uint64_t known_identity = 0;
  thread_local ServiceThread* known = nullptr;
  if (known_identity != identity_) {
    std::lock_guard lock(mutex_);
    threads_.push_back(std::make_unique<ServiceThread>(options_, threads_.size(), token_key_));
    known = threads_.back().get();
    known_identity = identity_;
  }
  known->busy.store(true, std::memory_order_seq_cst);
  const uint64_t now = generation_.load(std::memory_order_seq_cst);
  if (known->generation.load(std::memory_order_acquire) != now) Renew(known);
  return known;
}

void Service::Renew(ServiceThread* thread) {
  InForce before;  // let go of behind the lock
  std::lock_guard lock(mutex_);
  before = std::move(thread->in_force);
  thread->in_force = in_force_;
  thread->recorder.Use(in_force_.snapshot, in_force_.recorded_as);
  KeepTasksOf(&thread->scratch, in_force_.snapshot);
  thread->generation.store(generation_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

// The request is answered. What was published meanwhile found the thread busy and left it alone;
// now nothing keeps the policy of before.
void Service::Leave(ServiceThread* thread) {
  const uint64_t known = thread->generation.load(std::memory_order_relaxed);
  thread->busy.store(false, std::memory_order_seq_cst);
  if (known != generation_.load(std::memory_order_seq_cst)) Renew(thread);
}

void Service::Handle(const HttpRequest& request, HttpResponse* response) {
  ServiceThread* thread = ThisThread();
  const RouteRow* row = nullptr;
  for (const RouteRow& candidate : kRoutes) {
    if (candidate.path == request.path) row = &candidate;
  }
  const Adapter* adapter = row == nullptr ? AdapterOf(thread->in_force, request.path) : nullptr;
  std::string_view echoed;  // one that cannot be is refused with the question
  if (adapter != nullptr) {
    Translate(*adapter, request, thread, response);
  } else if (row == nullptr) {
    (void)EchoRequestId(request, response, &echoed);
    response->Error(404, "there is nothing at this path");
  } else if (row->method != request.method) {
    (void)EchoRequestId(request, response, &echoed);
    response->Error(405, "this path takes another method");
    response->AddHeader("Allow", row->method == "GET" ? "GET, HEAD" : row->method);
  } else {
    switch (row->route) {
      case Route::kEvaluation:
        Access(request, &EvaluateOne, thread, response);
        break;
      case Route::kEvaluations:
        Access(request, &EvaluateBatch, thread, response);
        break;
      case Route::kSearchSubject:
        Access(request, &SearchSubjects, thread, response);
        break;
      case Route::kSearchResource:
        Access(request, &SearchResources, thread, response);
        break;
      case Route::kSearchAction:
        Access(request, &SearchActions, thread, response);
        break;
      case Route::kDiscovery:
        (void)EchoRequestId(request, response, &echoed);
        Discovery(request, response);
        break;
      case Route::kHealth:
        (void)EchoRequestId(request, response, &echoed);
        Health(thread->in_force, response);
        break;
      case Route::kReady:
        (void)EchoRequestId(request, response, &echoed);
        Ready(thread->in_force, response);
        break;
      case Route::kMetrics:
        (void)EchoRequestId(request, response, &echoed);
        Metrics(thread->in_force, response);
        break;
    }
  }
  thread->metrics.Answered(response->status);
  Leave(thread);
}

// Who asks, and with what id. False: the response is an error.
bool Service::Admit(const HttpRequest& request, ServiceThread* thread, Question* question,
                    HttpResponse* response) {
  auto refuse = [response](int status, std::string_view why) {
    response->Error(status, why);
    return false;
  };
  if (std::string_view wrong = EchoRequestId(request, response, &question->request_id);
      !wrong.empty()) {
    return refuse(400, wrong);
  }
  if (thread->in_force.snapshot == nullptr) return refuse(503, "no policy is loaded");
  const RegisteredCaller* caller = thread->in_force.callers->Authenticate(request);
  if (caller == nullptr) {
    thread->metrics.unauthenticated.Add();
    response->AddHeader("WWW-Authenticate", "Bearer realm=\"dpl\"");
    return refuse(401, "the caller is not registered, or its token is not known");
  }
  if (!caller->Has(Role::kDecide)) return refuse(403, "the caller does not have the role `decide`");
  question->caller = &caller->caller;
  if (!ReadTraceparent(request, &question->trace)) thread->metrics.traceparent_invalid.Add();
  question->now = options_.clock->Now();
  question->clock_suspect = !clock_guard_.Trust(question->now, options_.clock->MonotonicUs());
  question->store = options_.store;
  question->options = &options_;
  question->request_endpoint = request_endpoint_;
  thread->hold = {};
  return true;
}

// Everything about a question but its body: id, caller, content type.
void Service::Access(const HttpRequest& request, AnswerFunction answer, ServiceThread* thread,
                     HttpResponse* response) {
  Question question;
  if (!Admit(request, thread, &question, response)) return;
  HttpRequest::Found type = request.Find("Content-Type");
  if (type.count != 1 || !IsJson(type.value))
    return response->Error(400, "Content-Type must be application/json, in UTF-8");
  HttpRequest::Found coding = request.Find("Content-Encoding");
  if (coding.count > 0 && !(coding.count == 1 && EqualIgnoringCase(coding.value, "identity"))) {
    return response->Error(400, "the body must not be encoded");
  }
  question.body = request.body;
  answer(question, thread, response);
  response->hold = thread->hold;
}

// A question in another protocol's words: put into ours, evaluated, and put back. An error of the
// caller's login or of ours stays what it is; whatever else goes wrong is a denial.
void Service::Translate(const Adapter& adapter, const HttpRequest& request, ServiceThread* thread,
                        HttpResponse* response) {
  Question question;
  if (!Admit(request, thread, &question, response)) {
    if (response->status == 400) adapter.Refuse("X-Request-ID cannot be read", response);
    return;
  }
  thread->asked.clear();
  std::string why = adapter.Ask(request, &thread->asked);
  if (!why.empty()) {
    adapter.Refuse(why, response);
    return RecordRefused(question, thread, -1, why, response->status);
  }
  question.body = thread->asked;
  thread->answer.Reset();
  EvaluateOne(question, thread, &thread->answer);
  response->hold = thread->hold;
  thread->arena.Reset();  // what was asked is answered
  JsonLimits ours;        // as long as a rationale may get
  ours.max_bytes = ours.max_string = 4 * 1024 * 1024;
  Result<const WireValue*> answer = ParseJson(thread->answer.body, &thread->arena, ours);
  if (!answer.ok()) return response->Error(500, "the answer cannot be put into these words");
  if (thread->answer.status == 200) return adapter.Answer(thread->asked, **answer, response);
  const WireValue* error = (*answer)->Find("error");
  adapter.Refuse(error != nullptr ? error->text : "the question cannot be read", response);
}

}  // namespace dpl
