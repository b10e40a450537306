// Loading and reloading.
#include "server/load.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/sha256.h"
#include "runtime/bytecode/decode.h"
#include "runtime/facts/json_facts.h"
#include "runtime/state/seed.h"

namespace dpl {
namespace {

constexpr size_t kMostBundleBytes = size_t{1} << 30;
constexpr size_t kMostFactsBytes = size_t{1} << 30;

// The same error with its file and place in front, for people.
Error Located(const Error& error, const std::string& path) {
  std::string where = path;
  if (error.line != 0)
    where += ":" + std::to_string(error.line) + ":" + std::to_string(error.column);
  return {error.code, where + ": " + error.message, error.line, error.column};
}

bool Same(const FactsInput::Consent& a, const FactsInput::Consent& b) {
  return a.delegation == b.delegation && a.person == b.person && a.at == b.at &&
         a.whole_day == b.whole_day;
}

}  // namespace

Result<std::string> ReadWholeFile(const std::string& path, size_t most) {
  auto failed = [&path] { return Error{"file", path + ": " + std::strerror(errno), 0, 0}; };
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed();
  std::string text;
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
    text.reserve(std::min<size_t>(static_cast<size_t>(info.st_size), most) + 1);
  char bytes[65536];
  for (;;) {
    ssize_t count = read(fd, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Error error = failed();
      close(fd);
      return error;
    }
    if (count == 0) break;
    text.append(bytes, static_cast<size_t>(count));
    if (text.size() > most) {
      close(fd);
      return Error{"file", path + ": larger than " + std::to_string(most) + " bytes", 0, 0};
    }
  }
  close(fd);
  return text;
}

Result<Loaded> LoadPolicy(const std::string& bundle_path, const std::string& facts_path,
                          Instant now) {
  Result<std::string> bundle = ReadWholeFile(bundle_path, kMostBundleBytes);
  if (!bundle.ok()) return bundle.error();
  Result<Program> program = DecodeBundle(*bundle);
  if (!program.ok()) return Located(program.error(), bundle_path);
  Result<std::string> text = ReadWholeFile(facts_path, kMostFactsBytes);
  if (!text.ok()) return text.error();
  Result<FactsInput> facts = ReadFactsJson(*text, facts_path);
  if (!facts.ok()) return Located(facts.error(), facts_path);
  auto shared = std::make_shared<const Program>(program.take());
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(shared, *facts, now);
  if (!snapshot.ok()) return Located(snapshot.error(), facts_path);
  Loaded loaded;
  loaded.snapshot = snapshot.take();
  loaded.facts = facts.take();
  loaded.digest = "sha256:" + Hex(Digest(shared->digest));
  return loaded;
}

Status RecordSeeds(const Loaded* previous, const Loaded& next, StateStore* store, Instant now) {
  FactsInput seeds;
  seeds.name = next.facts.name;
  seeds.arena = next.facts.arena;
  seeds.consents = next.facts.consents;
  seeds.tasks = next.facts.tasks;
  seeds.handoffs = next.facts.handoffs;
  seeds.used = next.facts.used;
  if (previous != nullptr) {
    auto known = [](const auto& consent, const std::vector<FactsInput::Consent>& in) {
      return std::any_of(in.begin(), in.end(),
                         [&](const FactsInput::Consent& other) { return Same(consent, other); });
    };
    for (const FactsInput::Consent& old : previous->facts.consents) {
      if (known(old, next.facts.consents)) continue;
      uint32_t statement = next.snapshot->FindStatement(old.delegation);
      std::string_view name =
          statement == kNone
              ? old.delegation
              : next.snapshot->program().Text(next.snapshot->program().statements[statement].name);
      store->GiveConsent(name, old.person, ConsentRecord{});  // covers nothing
    }
    std::erase_if(seeds.consents,
                  [&](const FactsInput::Consent& c) { return known(c, previous->facts.consents); });
    std::erase_if(seeds.tasks,
                  [&](const FactsInput::Task& t) { return store->FindTask(t.id) != nullptr; });
    std::erase_if(seeds.handoffs, [&](const FactsInput::Handoff& h) {
      return std::any_of(previous->facts.handoffs.begin(), previous->facts.handoffs.end(),
                         [&](const FactsInput::Handoff& old) {
                           return old.parent_agent == h.parent_agent &&
                                  old.parent_instance == h.parent_instance &&
                                  old.child_agent == h.child_agent &&
                                  old.child_instance == h.child_instance;
                         });
    });
    seeds.used.clear();
  }
  Status status = SeedState(*next.snapshot, seeds, store, now);
  return status.ok() ? status : Status(Located(status.error(), next.facts.name));
}

}  // namespace dpl
