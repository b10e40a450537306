// The whole way of one request in process, as the benchmarks time it: its bytes read, decided, and
// the answer with its full rationale written. `arena` and `answer` are used again and again.
#pragma once

#include <string>
#include <string_view>

#include "runtime/decide/answer.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/wire_request.h"
#include "runtime/json/json.h"

namespace dpl {

struct PathBuffers {
  Arena arena;
  Request request;
  std::string answer, text;
};

// Null: the request cannot be read.
inline const Decision* BytesToBytes(std::string_view body, const Snapshot& snapshot,
                                    const AnswerPieces& parts, const Caller& caller, Instant now,
                                    StateStore* store, Scratch* scratch, PathBuffers* buffers) {
  buffers->arena.Reset();
  buffers->answer.clear();
  Result<const WireValue*> json = ParseJson(body, &buffers->arena, JsonLimits{});
  if (!json.ok()) return nullptr;
  Status status = ReadWireRequest(
      {(*json)->Find("subject"), (*json)->Find("action"), (*json)->Find("resource"), nullptr},
      caller, &buffers->arena, &buffers->request);
  if (!status.ok()) return nullptr;
  const Decision& d = Decide(snapshot, store, buffers->request, now, scratch);
  AppendAnswerJson(&buffers->answer, snapshot, buffers->request, d,
                   {.evaluation_id = "ev_1", .parts = &parts, .text = &buffers->text});
  return &d;
}

}  // namespace dpl
