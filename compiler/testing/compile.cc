// From paths to a Program; see compile.h.
#include "compiler/testing/compile.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "compiler/lower/lower.h"
#include "compiler/syntax/parse.h"
#include "compiler/testing/costs.h"
#include "runtime/bytecode/verify.h"

namespace dpl::testing {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxFile = 64u << 20;  // the parser has a lower cap with a better message

Error PathError(const std::string& path, const std::string& why) {
  return Error{"path", path + ": " + why};
}

// .dpl files below a folder, in path order; hidden folders are left out.
std::vector<std::string> FilesBelow(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const fs::path& path = it->path();
    if (it->is_directory(error) && path.filename().string().starts_with(".")) {
      it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(error) && path.extension() == ".dpl") out.push_back(path.string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The package a file declares, found without parsing it: the name after the first `package` at the
// start of a line.
std::string DeclaredPackage(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word;
    std::string name;
    if (words >> word >> name && word == "package") return name;
  }
  return {};
}

// A thread more for so much text: less is parsed before the second thread is warm.
constexpr size_t kTextPerThread = 256 << 10;

// Files are parsed in any order, on several threads, and taken over in theirs: the same trees and
// the same order of reports as with one thread.
void ParseFrom(size_t first, Compilation* c, Compilation* last) {
  size_t end = c->sources.size(), bytes = 0;
  struct Work {
    ParseResult parsed;
    DiagnosticSink sink;
  };
  std::vector<Work> work(end - first);
  std::vector<size_t> todo;  // positions in `work`
  for (size_t i = 0; i < work.size(); ++i) {
    uint32_t id = static_cast<uint32_t>(first + i);
    const SourceFile* before = last == nullptr ? nullptr : last->sources.Find(id);
    const SourceFile& now = c->sources[id];
    if (before != nullptr && id < last->files.size() && last->files[id] != nullptr &&
        before->path() == now.path() && before->text() == now.text()) {
      work[i].parsed.file = std::move(last->files[id]);
      work[i].sink = std::move(last->syntax[id]);
    } else {
      todo.push_back(i);
      bytes += now.text().size();
    }
  }
  c->parsed += todo.size();
  size_t threads = c->jobs != 0
                       ? c->jobs
                       : std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()),
                                          bytes / kTextPerThread + 1);
  threads = std::min(threads, todo.size());
  BeginPhase(c->times, "parse");
  std::vector<ParseTimes> parts(std::max<size_t>(threads, 1));
  std::atomic<size_t> next = 0;
  auto parse = [&](size_t thread) {
    for (size_t n = next++; n < todo.size(); n = next++) {
      size_t i = todo[n];
      const SourceFile& source = c->sources[static_cast<uint32_t>(first + i)];
      work[i].parsed =
          Parse(source, &work[i].sink, nullptr, c->times == nullptr ? nullptr : &parts[thread]);
    }
  };
  std::vector<std::thread> others;
  for (size_t t = 1; t < threads; ++t) others.emplace_back(parse, t);
  parse(0);
  for (std::thread& other : others) other.join();
  for (Work& done : work) {
    c->sink.Append(DiagnosticSink(done.sink));
    c->syntax.push_back(std::move(done.sink));
    c->files.push_back(std::move(done.parsed.file));
  }
  EndPhase(c->times);
  if (c->times == nullptr) return;
  for (const ParseTimes& part : parts) {
    c->times->AddCpu("  tokens", part.lex);
    c->times->AddCpu("  grammar", part.read);
    c->times->AddCpu("  trees", part.build);
  }
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code error;
  uintmax_t size = fs::file_size(path, error);
  if (error) return PathError(path, error.message());
  if (size > kMaxFile) return PathError(path, "larger than 64 MiB");
  std::ifstream in(path, std::ios::binary);
  if (!in) return PathError(path, std::strerror(errno));
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<size_t>(in.gcount()));
  // What was written meanwhile, or has no size (a pipe).
  if (in) text.append(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) return PathError(path, "cannot be read");
  return text;
}

Status LoadSources(const std::vector<std::string>& paths, SourceSet* sources) {
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    std::vector<std::string> files{path};
    std::error_code error;
    if (path != "-") {
      fs::file_status status = fs::status(path, error);
      if (!fs::exists(status)) return PathError(path, "no such file or folder");
      if (fs::is_directory(status)) {
        files = FilesBelow(path);
        if (files.empty()) return PathError(path, "no .dpl file in this folder");
      }
    }
    for (const std::string& file : files) {
      std::string name = file == "-" ? file : fs::path(file).lexically_normal().string();
      if (!seen.insert(name).second) continue;
      Result<std::string> text = ReadFile(file);
      if (!text.ok()) return text.error();
      sources->Add(name, text.take());
    }
  }
  return Status::Ok();
}

// Brings in files beside the importing ones that declare a package nobody gave.
void ParseSources(Compilation* c, Compilation* last) {
  std::set<std::string> loaded;
  for (uint32_t id = 0; id < c->sources.size(); ++id)
    loaded.insert(fs::path(c->sources[id].path()).lexically_normal().string());
  size_t parsed = 0;
  while (parsed < c->sources.size()) {
    size_t end = c->sources.size();
    ParseFrom(parsed, c, last);
    parsed = end;
    std::set<std::string> have;
    for (const auto& file : c->files) have.insert(file->package.text);
    std::set<std::string> looked;
    for (const auto& file : c->files) {
      for (const ast::Import& import : file->imports) {
        if (have.contains(import.package.text)) continue;
        fs::path folder = fs::path(c->sources[file->file_id].path()).parent_path();
        if (c->sources[file->file_id].path() == "-") folder = ".";
        if (folder.empty()) folder = ".";
        if (!looked.insert(folder.string() + "\n" + import.package.text).second) continue;
        std::error_code error;
        std::vector<std::string> beside;
        for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator();
             it.increment(error)) {
          if (it->is_regular_file(error) && it->path().extension() == ".dpl")
            beside.push_back(it->path().lexically_normal().string());
        }
        std::sort(beside.begin(), beside.end());
        for (const std::string& path : beside) {
          if (loaded.contains(path)) continue;
          Result<std::string> text = ReadFile(path);
          if (!text.ok() || DeclaredPackage(*text) != import.package.text) continue;
          loaded.insert(path);
          c->sources.Add(path, text.take());
        }
      }
    }
  }
}

bool CheckOnly(const check::CheckOptions& wishes, Compilation* c) {
  check::CheckOptions options = wishes;
  options.times = c->times;
  if (c->files.empty()) ParseSources(c);
  // A file that does not parse still takes part, as far as it goes, so that every mistake is
  // reported in one run.
  bool ok = check::Check(c->files, c->sources, options, &c->sink, &c->model);
  c->tests = c->model.tests;
  c->test_packages = c->model.test_packages;
  return ok && !c->sink.HasErrors();
}

bool Compile(const check::CheckOptions& options, Compilation* c) {
  return CheckOnly(options, c) && LowerChecked(c);
}

bool LowerChecked(Compilation* c) {
  Program program = lower::Lower(std::move(c->model), c->sources, c->times,
                                 c->keep_bundle ? &c->bundle : nullptr, c->digest);
  BeginPhase(c->times, "verify");
  // What a server would refuse (a set literal deeper than the machine's stack, say) is refused
  // here, with the same words.
  if (Status proof = VerifyProgram(program); !proof.ok()) {
    c->sink.Report(DPL0106, c->files[0]->package_span,
                   {"this policy set is beyond what a bundle can hold: " + proof.error().message});
    return false;
  }
  EndPhase(c->times);
  if (!CheckCosts(program, c->sources, &c->sink)) return false;
  c->program = std::make_shared<const Program>(std::move(program));
  return true;
}

}  // namespace dpl::testing
