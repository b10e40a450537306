// dplc build: a policy set as a verified bundle. dplc disasm: what is in one.
#include <cstdio>
#include <filesystem>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "runtime/base/sha256.h"
#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/disasm.h"

namespace dpl::dplc {
namespace {

namespace fs = std::filesystem;

std::string DefaultOutput(const std::string& path) {
  fs::path p = fs::path(path).lexically_normal();
  if (p.filename().empty()) p = p.parent_path();
  std::string stem = p.stem().string();
  if (stem.empty() || stem == "." || stem == ".." || stem == "-") stem = "policy";
  return stem + ".dplb";
}

}  // namespace

int RunBuild(const BuildArgs& args) {
  testing::Compilation c;
  Timings timings(args.common, &c);
  c.keep_bundle = true;
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  testing::Compile({}, &c);
  int code = Report(args.common, c);
  if (code != kOk) return code;
  const std::string& bytes = c.bundle;
  // What is written must be what a server will accept.
  BeginPhase(c.times, "decode");
  Result<Program> back = DecodeBundle(bytes);
  EndPhase(c.times);
  if (!back.ok()) {
    Err("dplc: internal fault: the bundle does not verify: " + back.error().message + "\n");
    return kInternal;
  }
  std::string output = args.output.empty() ? DefaultOutput(args.common.paths[0]) : args.output;
  if (Status s = WriteWhole(output, bytes); !s.ok()) return UsageError(s.error());
  if (!args.common.quiet && output != "-") {
    Err(output + ": " + std::to_string(bytes.size()) + " bytes, " +
        std::to_string(back->statements.size()) + " statements, sha256:" + Hex(back->digest) +
        "\n");
  }
  return kOk;
}

int RunDisasm(const DisasmArgs& args) {
  const std::string& path = args.common.paths[0];
  if (args.common.paths.size() == 1 && fs::path(path).extension() == ".dplb") {
    Result<std::string> bytes = testing::ReadFile(path);
    if (!bytes.ok()) return UsageError(bytes.error());
    Result<Program> program = DecodeBundle(*bytes);
    if (!program.ok()) {
      Err(path + ": error: " + program.error().message + "\n");
      return kFindings;
    }
    Out(Disassemble(*program));
    return kOk;
  }
  testing::Compilation c;
  if (Status s = testing::LoadSources(args.common.paths, &c.sources); !s.ok())
    return UsageError(s.error());
  testing::Compile({}, &c);
  int code = Report(args.common, c);
  if (code == kOk) Out(Disassemble(*c.program));
  return code;
}

}  // namespace dpl::dplc
