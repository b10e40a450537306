// What compiling costs as a policy set grows: CPU time of each phase, peak memory, and beside them,
// in the same run, a plain ANTLR parse of the same files with the same grammar.
//
//   compile_bench [GRANTS…] [--shape NAME] [--rounds N]      (./dev bench compile)
//
// Every measurement is a process of its own (peak memory is per process), cases take turns, medians
// are printed. The sets are written by tests/bench/gen_policy.py. Figures and their reading are in
// docs/benchmarks.md.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "BailErrorStrategy.h"
#include "CommonTokenStream.h"
#include "DplLexer.h"
#include "DplParser.h"
#include "compiler/source/phase_times.h"
#include "compiler/testing/compile.h"
#include "runtime/bytecode/decode.h"
#include "runtime/facts/snapshot.h"

namespace {

using namespace dpl;
namespace fs = std::filesystem;

void PrintPeak() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak MB\t%f\n", static_cast<double>(usage.ru_maxrss) / 1024);
}

// ---- one measurement: lines of `name<TAB>number` on standard output

int MeasureCompile(const std::string& folder, unsigned jobs) {
  testing::Compilation c;
  PhaseTimes times;
  c.times = &times;
  c.jobs = jobs;
  c.keep_bundle = true;
  times.Begin("read");
  if (!testing::LoadSources({folder}, &c.sources).ok()) return 1;
  times.End();
  if (!testing::Compile({}, &c)) return 1;
  double cpu = 0, wall = 0;
  for (const PhaseTimes::Phase& p : times.phases()) {
    std::printf("%s\t%f\n", p.name.c_str(), p.cpu_s * 1e3);
    if (p.name.starts_with(' ')) continue;
    cpu += p.cpu_s;
    wall += p.wall_s;
  }
  std::printf("all\t%f\nall, wall\t%f\nbundle MB\t%f\n", cpu * 1e3, wall * 1e3,
              static_cast<double>(c.bundle.size()) / 1e6);
  PrintPeak();
  return 0;
}

// From the file to a snapshot that decides, as dpld does it.
int MeasureLoad(const std::string& bundle) {
  PhaseTimes times;
  times.Begin("read");
  Result<std::string> bytes = testing::ReadFile(bundle);
  if (!bytes.ok()) return 1;
  times.Begin("decode");
  Result<Program> program = DecodeBundle(*bytes);
  if (!program.ok()) return 1;
  times.Begin("snapshot");
  auto shared = std::make_shared<const Program>(program.take());
  if (!Snapshot::Build(shared, FactsInput{}, Instant{}).ok()) return 1;
  times.End();
  double cpu = 0;
  for (const PhaseTimes::Phase& p : times.phases()) {
    std::printf("%s\t%f\n", p.name.c_str(), p.cpu_s * 1e3);
    cpu += p.cpu_s;
  }
  std::printf("all\t%f\n", cpu * 1e3);
  PrintPeak();
  return 0;
}

// The way the ANTLR book parses: the generated lexer, its token stream, one tree for the file; SLL
// first, and LL for a file that SLL refuses.
int MeasureAntlr(const std::string& folder) {
  SourceSet sources;
  if (!testing::LoadSources({folder}, &sources).ok()) return 1;
  double lex = 0, parse = 0;
  for (uint32_t i = 0; i < sources.size(); ++i) {
    double start = ProcessCpuSeconds();
    antlr4::ANTLRInputStream input(sources[i].text());
    DplLexer lexer(&input);
    antlr4::CommonTokenStream tokens(&lexer);
    tokens.fill();
    lex += ProcessCpuSeconds() - start;
    start = ProcessCpuSeconds();
    DplParser parser(&tokens);
    auto* interpreter = parser.getInterpreter<antlr4::atn::ParserATNSimulator>();
    interpreter->setPredictionMode(antlr4::atn::PredictionMode::SLL);
    parser.removeErrorListeners();
    parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
    try {
      parser.file();
    } catch (const antlr4::ParseCancellationException&) {
      tokens.reset();
      parser.reset();
      parser.setErrorHandler(std::make_shared<antlr4::DefaultErrorStrategy>());
      interpreter->setPredictionMode(antlr4::atn::PredictionMode::LL);
      parser.file();
    }
    if (parser.getNumberOfSyntaxErrors() != 0) return 1;
    parse += ProcessCpuSeconds() - start;
  }
  std::printf("tokens\t%f\ngrammar\t%f\nall\t%f\n", lex * 1e3, parse * 1e3, (lex + parse) * 1e3);
  PrintPeak();
  return 0;
}

// ---- all of them

struct Column {
  std::vector<std::string> names;  // in the order they came
  std::map<std::string, std::vector<double>> values;
  double Median(const std::string& name) const {
    auto at = values.find(name);
    if (at == values.end()) return 0;
    std::vector<double> sorted = at->second;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

bool Run(const std::string& self, const std::string& arguments, Column* column) {
  FILE* pipe = popen((self + " --measure " + arguments).c_str(), "r");
  if (pipe == nullptr) return false;
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    std::string text = line;
    size_t tab = text.find('\t');
    if (tab == std::string::npos) continue;
    std::string name = text.substr(0, tab);
    if (!column->values.contains(name)) column->names.push_back(name);
    column->values[name].push_back(std::strtod(text.c_str() + tab + 1, nullptr));
  }
  return pclose(pipe) == 0;
}

uintmax_t BytesOf(const fs::path& folder) {
  uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) bytes += entry.file_size();
  return bytes;
}

int RunAll(const std::string& self, const std::vector<int>& sizes, const std::string& shape,
           int rounds) {
  fs::path base = fs::temp_directory_path() / fmt::format("dpl_compile_bench_{}", getpid());
  struct Case {
    int grants = 0;
    fs::path folder, bundle;
    uintmax_t bytes = 0;
    Column antlr, one, many, load;
  };
  std::vector<Case> cases;
  bool ok = true;
  for (int grants : sizes) {
    Case& c = cases.emplace_back();
    c.grants = grants;
    c.folder = base / std::to_string(grants);
    c.bundle = base / (std::to_string(grants) + ".dplb");
    fs::create_directories(c.folder);
    std::string command = fmt::format("python3 {}/tests/bench/gen_policy.py {} {} --shape {}",
                                      DPL_SOURCE_DIR, grants, c.folder.string(), shape);
    ok = ok && std::system(command.c_str()) == 0;
    testing::Compilation compilation;
    compilation.keep_bundle = true;
    ok = ok && testing::LoadSources({c.folder.string()}, &compilation.sources).ok() &&
         testing::Compile({}, &compilation) && compilation.sink.warnings() == 0;
    std::ofstream(c.bundle, std::ios::binary) << compilation.bundle;
    if (ok) c.bytes = BytesOf(c.folder);
  }
  for (int round = 0; ok && round < rounds; ++round) {
    for (Case& c : cases) {
      ok = ok && Run(self, "antlr " + c.folder.string(), &c.antlr) &&
           Run(self, "compile1 " + c.folder.string(), &c.one) &&
           Run(self, "compile " + c.folder.string(), &c.many) &&
           Run(self, "load " + c.bundle.string(), &c.load);
    }
  }
  fs::remove_all(base);
  if (!ok) {
    std::fprintf(stderr, "compile_bench: a generated set does not compile without findings\n");
    return 1;
  }
  auto row = [&](const std::string& name, auto value) {
    fmt::print("{:<34}", name);
    for (const Case& c : cases) fmt::print(" {:>12.1f}", static_cast<double>(value(c)));
    fmt::print("\n");
  };
  auto rows = [&](const char* what, Column Case::*column) {
    for (const std::string& name : (cases.back().*column).names) {
      row(std::string(what) + name, [&](const Case& c) { return (c.*column).Median(name); });
    }
  };
  fmt::print("shape {}, medians of {} rounds; CPU milliseconds unless another unit is named\n\n",
             shape, rounds);
  row("grants", [](const Case& c) { return c.grants; });
  row("text, KB", [](const Case& c) { return static_cast<double>(c.bytes) / 1e3; });
  rows("ANTLR alone: ", &Case::antlr);
  rows("dplc, one thread: ", &Case::one);
  row("dplc: all, wall", [](const Case& c) { return c.many.Median("all, wall"); });
  row("dplc: all", [](const Case& c) { return c.many.Median("all"); });
  row("dplc: peak MB", [](const Case& c) { return c.many.Median("peak MB"); });
  rows("load: ", &Case::load);
  fmt::print("\n");
  auto rest = [](const Case& c) { return c.one.Median("all") - c.one.Median("parse"); };
  row("our parse / ANTLR alone x100",
      [](const Case& c) { return 100 * c.one.Median("parse") / c.antlr.Median("all"); });
  row("the rest / our parse x100",
      [&](const Case& c) { return 100 * rest(c) / c.one.Median("parse"); });
  row("the rest / ANTLR alone x100",
      [&](const Case& c) { return 100 * rest(c) / c.antlr.Median("all"); });
  row("all / ANTLR alone x100",
      [](const Case& c) { return 100 * c.one.Median("all") / c.antlr.Median("all"); });
  row("us per grant", [](const Case& c) { return 1e3 * c.one.Median("all") / c.grants; });
  row("peak KB per grant", [](const Case& c) { return 1024 * c.one.Median("peak MB") / c.grants; });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 3 && args[0] == "--measure") {
    if (args[1] == "antlr") return MeasureAntlr(args[2]);
    if (args[1] == "load") return MeasureLoad(args[2]);
    return MeasureCompile(args[2], args[1] == "compile1" ? 1 : 0);
  }
  std::vector<int> sizes;
  std::string shape = "company";
  int rounds = 5;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--shape" && i + 1 < args.size()) {
      shape = args[++i];
    } else if (args[i] == "--rounds" && i + 1 < args.size()) {
      rounds = std::atoi(args[++i].c_str());
    } else {
      sizes.push_back(std::atoi(args[i].c_str()));
    }
  }
  if (sizes.empty()) sizes = {10, 1'000, 10'000, 100'000};
  return RunAll(fs::canonical(argv[0]).string(), sizes, shape, rounds);
}
