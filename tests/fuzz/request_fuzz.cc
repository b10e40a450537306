// Fuzzes the request decoder and the decision behind it: any JSON gives an error of the request or
// a whole answer, the same one each time, valid JSON itself; a caller that may assert nothing gets
// only what is open to the public.
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/decide/answer.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/wire_request.h"
#include "runtime/json/json.h"
#include "runtime/state/memory_store.h"
#include "tests/fuzz/world.h"

namespace dpl {
namespace {

using fuzz::World;

// The answer of one caller to one request, on a state of its own.
OutcomeKind Answer(const World& setup, const WireEvaluation& wire, const Caller& caller,
                   bool details, std::string* out) {
  static Scratch scratch;
  Arena arena;
  MemoryStore store;
  Result<Request> request = ReadWireRequest(wire, caller, &arena);
  if (!request.ok()) {
    DPL_CHECK(request.error().code == "request");
    out->append(request.error().message);
    return OutcomeKind::kDeny;
  }
  const Decision& d = Decide(*setup.snapshot, &store, *request, setup.now, &scratch);
  DPL_CHECK(d.outcome != OutcomeKind::kPermit ||
            (d.by.size > 0 && !d.dry_run && d.reason == Reason::kPermit));
  DPL_CHECK(d.outcome != OutcomeKind::kPermit || caller.serves_persons ||
            d.mode == ActingMode::kPublic);
  DPL_CHECK(d.valid_until >= d.now);
  AnswerOptions options;
  options.evaluation_id = "ev";
  options.details = details;
  AppendAnswerJson(out, *setup.snapshot, *request, d, options);
  JsonLimits limits;
  limits.max_bytes = 1 << 20;
  DPL_CHECK(ParseJson(*out, &arena, limits).ok());
  std::string text;
  AppendExplanation(&text, *setup.snapshot, *request, d);
  return d.outcome;
}

void Run(std::string_view data) {
  static const World setup;
  static const Caller everything = Caller::Everything("fuzz");
  static const Caller nothing{};
  Arena arena;
  Result<const WireValue*> root = ParseJson(data, &arena);
  if (!root.ok()) return;
  WireEvaluation wire{(*root)->Find("subject"), (*root)->Find("action"), (*root)->Find("resource"),
                      (*root)->Find("context")};
  std::string first, second, less;
  OutcomeKind outcome = Answer(setup, wire, everything, true, &first);
  DPL_CHECK(Answer(setup, wire, everything, true, &second) == outcome && first == second);
  Answer(setup, wire, nothing, false, &less);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
