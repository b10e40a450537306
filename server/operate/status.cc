// GET /v1/status, /v1/epoch: what is in force, and how the state behind it is.
#include "runtime/base/sha256.h"
#include "server/operate/body_reader.h"
#include "server/operate/call.h"
#include "server/operate/routes.h"

namespace dpl {

void GetStatus(Call& call) {
  const StoreHealth state = call.store().Health();
  const auto& digest = call.program().digest;
  JsonWriter& out = call.Answer();
  out.BeginObject();
  out.Member("version", call.options().version);
  out.Member("now", FormatInstant(call.now()));
  out.Key("epoch").Uint(call.store().Epoch());
  out.Member("mode", call.in_force().callers->development() ? "development" : "registered");
  out.Key("callers").Uint(call.in_force().callers->size());
  out.Key("policy").BeginObject();
  out.Member("digest",
             "sha256:" + Hex({reinterpret_cast<const char*>(digest.data()), digest.size()}));
  out.Member("since", FormatInstant(call.in_force().since));
  out.Key("statements").Uint(call.program().statements.size()).EndObject();
  out.Key("facts").BeginObject();
  out.Member("version", call.snapshot().facts_version());
  out.Member("as_of", FormatInstant(call.snapshot().as_of())).EndObject();
  out.Key("state").BeginObject().Member("kind", state.kind);
  if (!state.place.empty()) out.Member("place", state.place);
  out.Key("writable").Bool(state.writable);
  if (!state.error.empty()) out.Member("error", state.error);
  out.Key("groups").Uint(state.groups).Key("operations").Uint(state.operations);
  out.Key("log_bytes").Uint(state.log_bytes);
  out.Key("held").BeginObject();
  for (const StoreHealth::Held& held : state.held) {
    out.Key(held.kind).BeginObject();
    out.Key("count").Uint(held.count).Key("most").Uint(held.most).EndObject();
  }
  out.EndObject();
  if (Instant high = call.store().HighTime(); high >= kMinInstant)
    out.Member("high_time", FormatInstant(high));
  out.EndObject();
  out.Key("clock_trusted").Bool(!call.options().service->clock_guard().suspect());
  if (call.options().more_status) call.options().more_status(&out);
  out.EndObject();
}

void GetEpoch(Call& call) {
  call.Answer().BeginObject().Key("epoch").Uint(call.store().Epoch()).EndObject();
}

// Somebody has looked at the clock: metered permits go by it again (closing rule 31).
void ConfirmClock(Call& call) {
  BodyReader body(call, *call.body());
  const std::string_view because = body.Text("because");
  if (!body.Finish()) return;
  if (!call.MayChange()) return;
  ClockGuard& guard = call.options().service->clock_guard();
  const bool suspect = guard.suspect();
  if (!call.Changed({.event = "clock.confirm",
                     .because = because,
                     .fields = {{"suspect", suspect ? "true" : "false"}}}))
    return;
  if (const auto& confirm = call.options().confirm_clock) {
    if (Status kept = confirm(); !kept.ok()) {
      if (!call.Changed({.event = "clock.confirm", .failed = kept.error().code})) return;
      return call.Problem(ProblemKind::kNotWritable,
                          "the clock stays suspect: " + kept.error().message);
    }
  } else {
    guard.Confirm(call.options().clock->Now(), call.options().clock->MonotonicUs());
  }
  JsonWriter& out = call.Answer();
  out.BeginObject().Key("epoch").Uint(call.store().Epoch());
  out.Member("now", FormatInstant(call.now())).Key("clock_trusted").Bool(true).EndObject();
}

}  // namespace dpl
