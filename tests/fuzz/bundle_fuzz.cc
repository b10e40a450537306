// Fuzzes the bundle loader: any bytes give a program that passed the whole proof, or a named
// refusal. The digest is made right first, so that the fuzzer reaches what lies behind it. A
// program that was taken is written out to the same bytes, listed, and joined with empty facts.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/encode.h"
#include "runtime/facts/snapshot.h"
#include "runtime/vm/machine.h"

namespace dpl {
namespace {

void Run(std::string_view data) {
  std::string bytes(data);
  RepairDigestForTest(&bytes);
  Result<Program> decoded = DecodeBundle(bytes);
  if (!decoded.ok()) {
    DPL_CHECK(decoded.error().code.starts_with("bundle.") && !decoded.error().message.empty());
    return;
  }
  DPL_CHECK(EncodeBundle(*decoded) == bytes);
  DPL_CHECK(!Disassemble(*decoded).empty());
  auto program = std::make_shared<const Program>(decoded.take());
  FactsInput facts;
  facts.arena = std::make_shared<Arena>();
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, facts, Instant{});
  Machine machine(*program);
  if (!snapshot.ok() || !machine.ok()) return;
  // Every code runs to a value or an abort, whatever the request lacks.
  Arena arena;
  for (uint32_t code = 0; code < program->codes.size(); ++code) {
    arena.Reset();
    Env env;
    env.snapshot = snapshot->get();
    env.arena = &arena;
    machine.Run(code, &env);
  }
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
