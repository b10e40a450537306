// One call of the operating API, as a route's function sees it: who calls, with what, on which
// policy and state, and how it is answered.
//
//   void CloseTask(Call& call) {                       // routes.def has its row
//     BodyReader body(call, *call.body());             // body_reader.h
//     std::string because = body.Text("because");
//     if (!body.Finish()) return;                      // the problem is written already
//     …  uint64_t epoch = call.store().Revoke(…);
//     if (!call.Changed({.event = "task.close", .because = because, .fields = {{"task", id}}}))
//       return;
//     call.Answer(200).BeginObject().Key("epoch").Uint(epoch).EndObject();
//   }
//
// When the function runs, the caller is known and has the role, the path's and the query's
// parameters are decoded, the body is a JSON object (or null where it may be left out), and a
// policy is in force. Exactly one of Answer and Problem is called. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/audit/trail.h"
#include "runtime/base/arena.h"
#include "runtime/base/instant.h"
#include "runtime/base/wire.h"
#include "runtime/facts/snapshot.h"
#include "runtime/json/json_writer.h"
#include "runtime/state/store.h"
#include "server/api/callers.h"
#include "server/api/headers.h"
#include "server/api/service.h"
#include "server/http/message.h"

namespace dpl {

class FactsFeed;

enum class ProblemKind : uint8_t {
#define DPL_PROBLEM(name, slug, status, title) name,
#include "server/operate/problems.def"
#undef DPL_PROBLEM
};

// Where a problem is, and what might have been meant.
struct ProblemPlace {
  std::string pointer;                   // JSON pointer into the body; empty: not in the body
  uint32_t line = 0, column = 0;         // in the body
  std::vector<std::string> suggestions;  // near names
};

// Of the whole API; outlives every call.
struct OperateOptions {
  Service* service = nullptr;  // what is in force
  StateStore* store = nullptr;
  Clock* clock = nullptr;
  std::string version;
  FactsFeed* facts = nullptr;
  AuditTrail* trail = nullptr;  // null: nothing is recorded
  // Trusts the clock from now on, kept over a restart; else nothing changes. Empty: not kept.
  std::function<Status()> confirm_clock;
  // Appends members to the object of GET /v1/status: listeners, audit. May be empty.
  std::function<void(JsonWriter*)> more_status;
};

class Call {
 public:
  Call(const OperateOptions& options, InForce in_force, const HttpRequest& http,
       HttpResponse* response)
      : options_(options),
        in_force_(std::move(in_force)),
        http_(http),
        response_(response),
        now_(options.clock->Now()) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // ---- what came
  const HttpRequest& http() const { return http_; }
  const RegisteredCaller& caller() const { return *caller_; }
  std::string_view request_id() const { return request_id_; }
  std::string_view Path(size_t index) const { return path_[index]; }
  std::optional<std::string_view> Query(std::string_view name) const;
  const WireValue* body() const { return body_; }  // an object; null: left out

  // ---- what it is about
  const OperateOptions& options() const { return options_; }
  const InForce& in_force() const { return in_force_; }
  const Snapshot& snapshot() const { return *in_force_.snapshot; }
  const Program& program() const { return in_force_.snapshot->program(); }
  StateStore& store() const { return *options_.store; }
  Instant now() const { return now_; }
  Arena* arena() { return &arena_; }

  // ---- the answer
  // Writes the body that goes with `status`; the caller of this completes one JSON value.
  JsonWriter& Answer(int status = 200);
  void Header(std::string_view name, std::string_view value) {
    (void)response_->AddHeader(name, value);
  }
  void Problem(ProblemKind kind, std::string_view detail, const ProblemPlace& place = {});
  bool failed() const { return failed_; }

  // Whether this caller may say that `person` acts directly (closing rule 2): it serves persons, or
  // is that person. False: a problem has been written.
  bool MayActAs(std::string_view person);
  // The person of a personal token, else the caller's name: who is put on record.
  std::string_view WhoActs() const;
  // A problem for what a store's write refused: full, or in conflict with what is recorded.
  void StoreProblem(const Error& error);
  // The answer tells of what may have been changed a moment ago: it waits until that is kept.
  void WaitForState();

  // False, with a problem written, when state cannot be changed now: ask before the first mutation.
  bool MayChange();
  // The same for what lasts from now on (a task, a consent, a signature that approves): under a
  // clock that jumped ahead it would last longer (closing rule 31).
  bool MayGive();
  // After the last mutation: records it (time, caller, request id, epoch and, for a personal token,
  // the person are filled in), and has the answer wait until state and record are kept. False, with
  // a problem written: it happened, and could not be recorded.
  bool Changed(StateChange change);

 private:
  friend class OperateService;

  const OperateOptions& options_;
  const InForce in_force_;
  const HttpRequest& http_;
  HttpResponse* response_;
  const Instant now_;
  const RegisteredCaller* caller_ = nullptr;
  RegisteredCaller development_;
  std::string_view request_id_;
  TraceContext trace_;
  std::vector<std::string> path_;
  std::vector<std::pair<std::string, std::string>> query_;
  const WireValue* body_ = nullptr;
  Arena arena_;
  std::optional<JsonWriter> writer_;
  bool failed_ = false;
};

std::string_view ProblemSlug(ProblemKind kind);

}  // namespace dpl
