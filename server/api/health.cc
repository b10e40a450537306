// GET /healthz and /readyz: LOADED, STALE or ERROR, and why. docs/dpld.md says what each means.
#include <algorithm>
#include <array>

#include "runtime/audit/trail.h"
#include "runtime/json/json_writer.h"
#include "server/api/condition.h"
#include "server/api/service_thread.h"

namespace dpl {
namespace {

std::string ErrorText(const Error& error) {
  std::string text = error.message;
  if (error.line != 0)
    text +=
        " (line " + std::to_string(error.line) + ", column " + std::to_string(error.column) + ")";
  return text;
}

void AppendFacts(JsonWriter* writer, const Snapshot& snapshot, Instant now) {
  writer->Member("version", snapshot.facts_version());
  writer->Member("as_of", FormatInstant(snapshot.as_of()));
  writer->Key("age_seconds").Int(Subtract(now, snapshot.as_of()).us / kMicrosPerSecond);
  const SourceState source = LookAtSource(snapshot, now);
  if (source.within_us != 0) {
    writer->Key("source").BeginObject().Member("name", source.name);
    writer->Key("within_seconds").Int(source.within_us / kMicrosPerSecond);
    writer->Key("stale").Bool(source.stale).EndObject();
  }
  writer->Key("feeds").BeginObject();
  for (const FeedState& feed : LookAtFeeds(snapshot)) writer->Key(feed.name).Bool(feed.loaded);
  writer->EndObject();
}

void AppendCondition(JsonWriter* writer, const Condition& condition) {
  writer->Member("health", condition.name);
  if (condition.because.empty()) return;
  writer->Key("because").BeginArray();
  for (std::string_view why : condition.because) writer->String(why);
  writer->EndArray();
}

// Of which kinds no more can be recorded.
void AppendFull(JsonWriter* writer, const StoreHealth& state) {
  if (std::none_of(state.held.begin(), state.held.end(), [](const auto& h) { return h.full(); }))
    return;
  writer->Key("full").BeginArray();
  for (const StoreHealth::Held& held : state.held) {
    if (held.full()) writer->String(held.kind);
  }
  writer->EndArray();
}

}  // namespace

SourceState LookAtSource(const Snapshot& snapshot, Instant now) {
  const Schema& schema = snapshot.program().schema;
  SourceState out;
  out.within_us = schema.person.source_within_us;
  if (out.within_us == 0) return out;
  out.name = schema.strings[schema.person.source];
  out.stale = Subtract(now, snapshot.as_of()).us > out.within_us;
  return out;
}

std::array<FeedState, 4> LookAtFeeds(const Snapshot& snapshot) {
  return {{{"persons", snapshot.PersonsLoaded()},
           {"memberships", snapshot.MembershipsFresh(snapshot.as_of())},
           {"accounts", snapshot.AccountsLoaded()},
           {"resources", snapshot.ResourcesLoaded()}}};
}

// With mutex_ held.
Condition Service::LookAtCondition(const InForce& in_force, bool recording) const {
  Condition out;
  bool error = false, stale = false;
  auto add = [&out](bool is, std::string_view why, bool* kind) {
    if (!is) return;
    out.because.push_back(why);
    *kind = true;
  };
  add(in_force.snapshot == nullptr, "no_policy", &error);
  const StoreHealth state = options_.store->Health();
  add(!state.writable, "state_not_writable", &error);
  add(std::any_of(state.held.begin(), state.held.end(), [](const auto& h) { return h.full(); }),
      "state_full", &error);
  add(!recording, "audit_not_writable", &error);
  add(clock_guard_.suspect(), "clock_suspect", &error);
  add(last_failed_, "reload_failed", &stale);
  if (in_force.snapshot != nullptr)
    add(LookAtSource(*in_force.snapshot, options_.clock->Now()).stale, "facts_stale", &stale);
  out.name = error ? "ERROR" : stale ? "STALE" : "LOADED";
  return out;
}

// 200 as long as the process answers at all; `health` and `status` say whether all is well.
void Service::Health(const InForce& in_force, HttpResponse* response) {
  JsonWriter writer(&response->body);
  std::lock_guard lock(mutex_);
  const bool has_policy = in_force.snapshot != nullptr;
  const StoreHealth state = options_.store->Health();
  std::string audit;
  JsonWriter audit_writer(&audit);
  audit_writer.BeginObject();
  const bool recording = !options_.audit_health || options_.audit_health(&audit_writer);
  audit_writer.EndObject();
  const Condition condition = LookAtCondition(in_force, recording);
  writer.BeginObject();
  writer.Member("status", !has_policy                  ? "no_policy"
                          : condition.name == "LOADED" ? "ok"
                                                       : "degraded");
  AppendCondition(&writer, condition);
  writer.Member("version", options_.version);
  if (has_policy) {
    writer.Member("mode", in_force.callers->development() ? "development" : "registered");
    writer.Key("callers").Uint(in_force.callers->size());
    writer.Key("policy").BeginObject();
    writer.Member("digest", PolicyDigest(*in_force.snapshot));
    writer.Member("since", FormatInstant(in_force.since)).EndObject();
    writer.Key("facts").BeginObject();
    AppendFacts(&writer, *in_force.snapshot, options_.clock->Now());
    writer.EndObject();
  }
  writer.Key("state").BeginObject().Member("kind", state.kind);
  writer.Key("writable").Bool(state.writable);
  if (!state.writable) writer.Member("note", "what must be recorded is denied with error.store");
  if (!state.error.empty()) writer.Member("error", state.error);
  if (state.kind == "memory") writer.Member("note", "a restart forgets it");
  AppendFull(&writer, state);
  writer.EndObject();
  if (options_.audit_health) writer.Key("audit").Raw(audit);
  writer.Key("last_reload").BeginObject().Key("ok").Bool(!last_failed_);
  if (last_failed_) {
    writer.Member("at", FormatInstant(last_error_at_)).Member("error", ErrorText(last_error_));
    writer.Member("note", "the last good policy stays in force");
  }
  writer.EndObject().EndObject();
}

// Why a load balancer should send no questions here: each would be denied or refused.
std::string_view Service::NotReady(const InForce& in_force) const {
  if (draining_.load(std::memory_order_relaxed)) return "the server is stopping";
  if (in_force.snapshot == nullptr) return "no policy is loaded";
  if (!AuditReady(options_.trail)) return "the audit log takes no records: everything is denied";
  return {};
}

void Service::Ready(const InForce& in_force, HttpResponse* response) {
  const std::string_view why = NotReady(in_force);
  JsonWriter writer(&response->body);
  std::lock_guard lock(mutex_);
  writer.BeginObject().Member("status", why.empty() ? "ready" : "not_ready");
  if (!why.empty()) {
    response->status = 503;
    writer.Member("error", why);
  }
  std::string audit;
  JsonWriter audit_writer(&audit);
  audit_writer.BeginObject();
  const bool recording = !options_.audit_health || options_.audit_health(&audit_writer);
  AppendCondition(&writer, LookAtCondition(in_force, recording));
  if (in_force.snapshot != nullptr) writer.Member("policy", PolicyDigest(*in_force.snapshot));
  writer.EndObject();
}

}  // namespace dpl
