// From AuthZEN JSON (already parsed to WireValues) to a Request. Shared by the server, replay and
// the fuzzers.
#pragma once

#include <string>

#include "runtime/base/arena.h"
#include "runtime/base/result.h"
#include "runtime/base/wire.h"
#include "runtime/decide/request.h"

namespace dpl {

// The four members, each already the item's own or the batch's default. Any may be null when
// absent.
struct WireEvaluation {
  const WireValue* subject = nullptr;
  const WireValue* action = nullptr;
  const WireValue* resource = nullptr;
  const WireValue* context = nullptr;
};

// Error (code "request"): a required member is missing or has the wrong JSON type; the HTTP answer
// is 400 (docs/api.md). Policy-level trouble (unknown action, wrong parameter type) is not an error
// here: decide answers deny. Reads the actor from subject.properties.act (nested, RFC 8693
// section 4.1: outermost acts), context.agent, context.actor; a disagreement sets
// Request::actor_conflict. Reads context.task, context.approval{id}, context.dry_run,
// context.explain, action.properties.idempotency_key. `arena` holds what is made on the way.
Result<Request> ReadWireRequest(const WireEvaluation& wire, const Caller& caller, Arena* arena);
// The same into a request of the caller's, whatever it held: a Request is a kilobyte to move.
Status ReadWireRequest(const WireEvaluation& wire, const Caller& caller, Arena* arena,
                       Request* out);
// Another resource for a request that was read before and has all else in common, as the items of a
// batch have: what ReadWireRequest would make of it.
Status ReadWireResource(const WireValue* resource, Request* out);

}  // namespace dpl
