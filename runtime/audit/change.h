// The audit record of a change of state: who revoked, opened, signed, handed off, reloaded what,
// and why.
//
//   StateChange change{.event = "revoke", .time = now, .caller = caller.name, .because = because};
//   change.fields = {{"kind", "person"}, {"name", "E7"}};
//   Recorded recorded = RecordChange(trail, change);   // trail.h; null trail: nothing is recorded
//
// One JSON object in one line (docs/audit.md, "Changes"). Values are texts of any bytes: controls
// are escaped and long ones cut, so no value can forge a line. Tokens and keys never belong in
// here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/instant.h"

namespace dpl {

struct ChangeField {
  std::string_view name, value;
};

struct StateChange {
  // What happened, as `thing.verb` or one verb: "revoke", "task.open", "consent.give",
  // "approval.sign", "handoff.record", "reservation.confirm", "reload", "publish" …
  std::string_view event;
  Instant time{};
  std::string_view caller;          // the registered caller; empty: dpld itself
  std::string_view person;          // the person who did it, where one is known
  std::string_view because;         // the reason that was given
  std::string_view request_id;      // X-Request-ID
  std::string_view trace_id;        // of `traceparent`, in hex
  std::string_view span_id;         // the caller's span in it
  std::string_view failed;          // why it was refused: an error code; empty: it was done
  uint64_t epoch = 0;               // of revocations, after the change; 0: not said
  std::vector<ChangeField> fields;  // what was changed
};

constexpr size_t kMaxChangeText = 1024;  // bytes of one text in a record

// {"v":1,"kind":"change","time":…,"event":…,…,"what":{…}}; no line feed.
void AppendChangeRecord(std::string* out, const StateChange& change);

}  // namespace dpl
