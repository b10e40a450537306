// Routes, callers, and what every answer has in common.
#include "server/api/service.h"

#include <charconv>
#include <utility>

#include "server/api/service_thread.h"

namespace dpl {
namespace {

constexpr size_t kMostRequestIdBytes = 256;

enum class Route { kEvaluation, kEvaluations, kDiscovery, kHealth, kReady, kMetrics };

struct RouteRow {
  std::string_view path;
  std::string_view method;
  Route route;
};

constexpr RouteRow kRoutes[] = {
    {"/access/v1/evaluation", "POST", Route::kEvaluation},
    {"/access/v1/evaluations", "POST", Route::kEvaluations},
    {"/.well-known/authzen-configuration", "GET", Route::kDiscovery},
    {"/healthz", "GET", Route::kHealth},
    {"/readyz", "GET", Route::kReady},
    {"/metrics", "GET", Route::kMetrics},
};

uint64_t NextIdentity() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool IsJson(std::string_view content_type) {
  size_t semicolon = content_type.find(';');
  if (!EqualIgnoringCase(TrimBlanks(content_type.substr(0, semicolon)), "application/json"))
    return false;
  while (semicolon != std::string_view::npos) {
    content_type.remove_prefix(semicolon + 1);
    semicolon = content_type.find(';');
    std::string_view parameter = TrimBlanks(content_type.substr(0, semicolon));
    constexpr std::string_view kCharset = "charset=";
    if (!EqualIgnoringCase(parameter.substr(0, kCharset.size()), kCharset)) continue;
    std::string_view charset = parameter.substr(kCharset.size());
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    if (!EqualIgnoringCase(charset, "utf-8")) return false;
  }
  return true;
}

ServiceThread::ServiceThread(std::string_view start_id, size_t index) {
  id.append("ev_").append(start_id).append("-").append(std::to_string(index)).append("-");
  id_prefix = id.size();
}

std::string_view ServiceThread::NextEvaluationId() {
  char digits[24];
  char* end = std::to_chars(digits, digits + sizeof digits, ++evaluations).ptr;
  id.resize(id_prefix);
  id.append(digits, end);
  return id;
}

Service::Service(ServiceOptions options)
    : options_(std::move(options)), identity_(NextIdentity()) {}

Service::~Service() = default;

void Service::Publish(std::shared_ptr<const Snapshot> snapshot,
                      std::shared_ptr<const CallerRegistry> callers) {
  std::lock_guard lock(mutex_);
  in_force_ = {std::move(snapshot), std::move(callers), options_.clock->Now()};
  ++reloads_;
  last_failed_ = false;
  generation_.fetch_add(1, std::memory_order_release);
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
    threads_.push_back(std::make_unique<ServiceThread>(options_.start_id, threads_.size()));
    known = threads_.back().get();
    known_identity = identity_;
  }
  if (known->generation != generation_.load(std::memory_order_acquire)) {
    std::lock_guard lock(mutex_);
    known->in_force = in_force_;
    known->generation = generation_.load(std::memory_order_relaxed);
  }
  return known;
}

void Service::Handle(const HttpRequest& request, HttpResponse* response) {
  ServiceThread* thread = ThisThread();
  const RouteRow* row = nullptr;
  for (const RouteRow& candidate : kRoutes) {
    if (candidate.path == request.path) row = &candidate;
  }
  if (row == nullptr) {
    response->Error(404, "there is nothing at this path");
  } else if (row->method != request.method) {
    response->Error(405, "this path takes another method");
    response->AddHeader("Allow", row->method == "GET" ? "GET, HEAD" : row->method);
  } else {
    switch (row->route) {
      case Route::kEvaluation:
        Access(request, /*batch=*/false, thread, response);
        break;
      case Route::kEvaluations:
        Access(request, /*batch=*/true, thread, response);
        break;
      case Route::kDiscovery:
        Discovery(request, response);
        break;
      case Route::kHealth:
        Health(thread->in_force, response);
        break;
      case Route::kReady:
        Ready(thread->in_force, response);
        break;
      case Route::kMetrics:
        Metrics(thread->in_force, response);
        break;
    }
  }
  thread->metrics.Answered(response->status);
}

// Everything about a question but its body: id, caller, content type.
void Service::Access(const HttpRequest& request, bool batch, ServiceThread* thread,
                     HttpResponse* response) {
  Question question;
  HttpRequest::Found id = request.Find("X-Request-ID");
  if (id.count > 0) {
    if (id.count > 1) return response->Error(400, "more than one X-Request-ID");
    if (id.value.empty() || id.value.size() > kMostRequestIdBytes ||
        id.value.find('\t') != std::string_view::npos) {
      return response->Error(400, "X-Request-ID must have 1 to 256 bytes and no control character");
    }
    question.request_id = id.value;
    response->AddHeader("X-Request-ID", id.value);
  }
  if (thread->in_force.snapshot == nullptr) return response->Error(503, "no policy is loaded");
  question.caller = thread->in_force.callers->Find(request);
  if (question.caller == nullptr) {
    thread->metrics.unauthenticated.Add();
    response->AddHeader("WWW-Authenticate", "Bearer realm=\"dpl\"");
    return response->Error(401, "the caller is not registered, or its token is not known");
  }
  HttpRequest::Found type = request.Find("Content-Type");
  if (type.count != 1 || !IsJson(type.value))
    return response->Error(400, "Content-Type must be application/json, in UTF-8");
  HttpRequest::Found coding = request.Find("Content-Encoding");
  if (coding.count > 0 && !(coding.count == 1 && EqualIgnoringCase(coding.value, "identity"))) {
    return response->Error(400, "the body must not be encoded");
  }
  question.http = &request;
  question.now = options_.clock->Now();
  question.store = options_.store;
  question.options = &options_;
  thread->hold = {};
  if (batch) {
    EvaluateBatch(question, thread, response);
  } else {
    EvaluateOne(question, thread, response);
  }
  response->hold = thread->hold;
}

}  // namespace dpl
