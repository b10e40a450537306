// The decision service behind the HTTP server: routes, callers, and the policy in force.
//
//   Service service({.clock = &clock, .store = &store, .version = "0.1.0"});
//   service.Publish(std::move(snapshot), std::move(callers));
//   HttpServer server(limits, [&](const HttpRequest& q, HttpResponse* a) { service.Handle(q, a);
//   });
//
// Handle() may run on any number of threads at once. A request is answered wholly from the policy
// that was in force when it began; Publish() swaps the policy without disturbing any. Without a
// policy every question about access is answered with 503, never with a decision.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/sealed_box.h"
#include "runtime/facts/snapshot.h"
#include "runtime/search/index.h"
#include "runtime/state/clock_guard.h"
#include "runtime/state/store.h"
#include "server/api/callers.h"
#include "server/http/message.h"

namespace dpl {

class Adapter;
class AnswerPieces;
struct Condition;
class AuditTrail;
class AuditVault;
class JsonWriter;
class MetricsWriter;
struct Question;
struct ServiceThread;

// Bounds of a search (docs/dpld.md).
struct SearchLimits {
  uint32_t page = 100;          // results of a page for which no limit is asked
  uint32_t most = 1'000;        // and at most
  uint32_t decisions = 10'000;  // tried for one page
  uint32_t milliseconds = 20;   // after which a page ends as it is
};

struct ServiceOptions {
  Clock* clock = nullptr;       // outlives the service
  StateStore* store = nullptr;  // outlives the service
  std::string version;          // of the program, for /healthz
  std::string public_url;       // `https://pdp.example`; empty: https and the Host of the request
  std::string start_id;  // distinguishes the evaluation ids of this start; a few random characters
  AuditTrail* trail = nullptr;  // where decisions are recorded; null: nowhere. Outlives the service
  AuditVault* vault = nullptr;  // keys and inputs of the audit folder; null: none
  SearchLimits search;
  bool seal = true;  // requests are kept, sealed, so that they can be run again
  // Appends members to the object of /healthz: how the audit log is. False: not well. May be empty.
  std::function<bool(JsonWriter*)> audit_health;
  // Appends the families of other rooms to /metrics; may be empty.
  std::function<void(MetricsWriter*)> more_metrics;
};

// What is in force: replaced as a whole.
struct InForce {
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const AnswerPieces> parts;  // of its program
  std::string recorded_as;  // members of an audit record: `"policy":"sha256:…","data":"…",…`
  std::shared_ptr<const CallerRegistry> callers;
  std::shared_ptr<const SearchIndex> search;  // of the snapshot
  // Other protocols' paths (adapter.h); null: none.
  std::shared_ptr<const std::vector<std::unique_ptr<const Adapter>>> adapters;
  Instant since{};
};

class Service {
 public:
  explicit Service(ServiceOptions options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void Handle(const HttpRequest& request, HttpResponse* response);

  // Puts a policy in force from the next request on. `inputs`: further members that records of its
  // decisions carry (digests of what was loaded). Any thread.
  void Publish(std::shared_ptr<const Snapshot> snapshot,
               std::shared_ptr<const CallerRegistry> callers, std::string_view inputs = {},
               std::shared_ptr<const std::vector<std::unique_ptr<const Adapter>>> adapters = {});
  // Where requests for access are made, as `ask` answers and the metadata name it. Before serving.
  void SetRequestEndpoint(std::string url) { request_endpoint_ = std::move(url); }
  // What is in force now. Any thread.
  InForce Current() const;
  // A reload failed and the last good policy stays: said in /healthz and /metrics until the next
  // Publish. Any thread.
  void ReloadFailed(const Error& error);
  // From now on /readyz says no, so that a load balancer looks elsewhere. Any thread.
  void BeginDrain() { draining_.store(true, std::memory_order_relaxed); }

  // Whether metered permits may go by the clock (docs/dpld.md, "State"). Any thread.
  ClockGuard& clock_guard() const { return clock_guard_; }

  static constexpr int kMaxBatch = 100;

 private:
  friend struct ServiceThread;

  ServiceThread* ThisThread();  // busy from now on
  void Leave(ServiceThread* thread);
  void Renew(ServiceThread* thread);
  Condition LookAtCondition(const InForce& in_force, bool recording) const;
  std::string_view NotReady(const InForce& in_force) const;  // why; empty: it is
  void Health(const InForce& in_force, HttpResponse* response);
  void Ready(const InForce& in_force, HttpResponse* response);
  void Metrics(const InForce& in_force, HttpResponse* response);
  void Discovery(const HttpRequest& request, HttpResponse* response);
  bool Admit(const HttpRequest& request, ServiceThread* thread, Question* question,
             HttpResponse* response);
  using AnswerFunction = void (*)(const Question&, ServiceThread*, HttpResponse*);
  void Access(const HttpRequest& request, AnswerFunction answer, ServiceThread* thread,
              HttpResponse* response);
  void Translate(const Adapter& adapter, const HttpRequest& request, ServiceThread* thread,
                 HttpResponse* response);

  const ServiceOptions options_;
  const uint64_t identity_;       // no other service of this process has it
  BoxKey token_key_;              // of the page tokens of this start
  std::string request_endpoint_;  // absolute URL; empty: not said
  std::atomic<bool> draining_{false};
  mutable ClockGuard clock_guard_;
  std::atomic<uint64_t> generation_{0};  // of in_force_; read on every request, written by Publish

  mutable std::mutex
      mutex_;  // guards what follows; never taken by a request but for the first after a Publish
  InForce in_force_;
  std::vector<std::unique_ptr<ServiceThread>> threads_;
  uint64_t reloads_ = 0, failed_reloads_ = 0;
  bool last_failed_ = false;
  Error last_error_;
  Instant last_error_at_{};
};

}  // namespace dpl
