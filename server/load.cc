// Loading and reloading.
#include "server/load.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

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
// The qualified name of a delegation that a facts file may call by its last part; "" when there is
// none or several.
std::string_view QualifiedDelegation(const Program& program, std::string_view name) {
  std::string_view found;
  for (const Statement& statement : program.statements) {
    if (statement.kind != StatementKind::kDelegation) continue;
    std::string_view full = program.Text(statement.name);
    if (full == name) return full;
    if (!full.ends_with(name) || full[full.size() - name.size() - 1] != '.') continue;
    if (!found.empty()) return {};
    found = full;
  }
  return found;
}

// Consents of one load by delegation and person; which load they come from no longer matters.
using ConsentKey = std::pair<std::string, std::string>;
std::map<ConsentKey, const FactsInput::Consent*> ConsentsByName(const Loaded& loaded) {
  std::map<ConsentKey, const FactsInput::Consent*> out;
  for (const FactsInput::Consent& consent : loaded.facts.consents) {
    out[{std::string(QualifiedDelegation(loaded.snapshot->program(), consent.delegation)),
         consent.person}] = &consent;
  }
  return out;
}

bool SameHandoff(const FactsInput::Handoff& a, const FactsInput::Handoff& b) {
  return a.parent_agent == b.parent_agent && a.parent_instance == b.parent_instance &&
         a.child_agent == b.child_agent && a.child_instance == b.child_instance;
}

}  // namespace

Error Located(const Error& error, const std::string& path) {
  std::string where = path;
  if (error.line != 0)
    where += ":" + std::to_string(error.line) + ":" + std::to_string(error.column);
  return {error.code, where + ": " + error.message, error.line, error.column};
}

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

Result<std::shared_ptr<const Program>> LoadProgram(const std::string& path) {
  Result<std::string> bundle = ReadWholeFile(path, kMostBundleBytes);
  if (!bundle.ok()) return bundle.error();
  Result<Program> program = DecodeBundle(*bundle);
  if (!program.ok()) return Located(program.error(), path);
  return std::shared_ptr<const Program>(std::make_shared<const Program>(program.take()));
}

Status CheckFactsFile(const std::string& path) {
  Result<std::string> text = ReadWholeFile(path, kMostFactsBytes);
  if (!text.ok()) return text.error();
  Result<FactsInput> facts = ReadFactsJson(*text, path);
  return facts.ok() ? Status::Ok() : Status(Located(facts.error(), path));
}

Result<Loaded> JoinFacts(std::shared_ptr<const Program> program, const FactsInput& facts,
                         Instant now) {
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, facts, now);
  if (!snapshot.ok()) return snapshot.error();
  Loaded loaded;
  loaded.snapshot = snapshot.take();
  loaded.facts = SeedsOnly(facts);  // the rest is in the snapshot
  loaded.digest = "sha256:" + Hex(Digest(program->digest));
  return loaded;
}

Result<Loaded> LoadPolicy(const std::string& bundle_path, const std::string& facts_path,
                          Instant now) {
  Result<std::shared_ptr<const Program>> program = LoadProgram(bundle_path);
  if (!program.ok()) return program.error();
  Result<std::string> text = ReadWholeFile(facts_path, kMostFactsBytes);
  if (!text.ok()) return text.error();
  Result<FactsInput> facts = ReadFactsJson(*text, facts_path);
  if (!facts.ok()) return Located(facts.error(), facts_path);
  Result<Loaded> loaded = JoinFacts(*program, *facts, now);
  if (!loaded.ok()) return Located(loaded.error(), facts_path);
  return loaded;
}

Status RecordSeeds(const Loaded* previous, const Loaded& next, bool fresh, StateStore* store,
                   Instant now) {
  FactsInput seeds;
  seeds.name = next.facts.name;
  seeds.arena = next.facts.arena;
  std::map<ConsentKey, const FactsInput::Consent*> after = ConsentsByName(next);
  for (const auto& [key, consent] : after) {
    ConsentRecord known;
    if (store->FindConsent(key.first, key.second, &known) && known.from_facts &&
        !known.reach.empty() && known.at == consent->at && known.whole_day == consent->whole_day)
      continue;
    seeds.consents.push_back(*consent);
  }
  std::vector<std::pair<ConsentKey, Instant>> gone;
  store->ForEachConsent(
      [&](std::string_view delegation, std::string_view person, const ConsentRecord& consent) {
        ConsentKey key(delegation, person);
        if (consent.from_facts && !consent.reach.empty() && !after.contains(key))
          gone.emplace_back(std::move(key), consent.at);
      });
  seeds.tasks = next.facts.tasks;
  std::erase_if(seeds.tasks,
                [&](const FactsInput::Task& t) { return store->FindTask(t.id) != nullptr; });
  seeds.handoffs = next.facts.handoffs;
  if (previous != nullptr) {
    std::erase_if(seeds.handoffs, [&](const FactsInput::Handoff& h) {
      return std::any_of(previous->facts.handoffs.begin(), previous->facts.handoffs.end(),
                         [&](const FactsInput::Handoff& old) { return SameHandoff(old, h); });
    });
  }
  if (fresh && previous == nullptr) seeds.used = next.facts.used;
  Status status =
      SeedState(*next.snapshot, seeds, store, now);  // writes nothing when anything is wrong
  if (!status.ok()) return Located(status.error(), next.facts.name);
  for (const auto& [key, at] : gone) {
    ConsentRecord nothing;
    nothing.at = at;  // the store keeps the later of two; this one covers nothing
    store->GiveConsent(key.first, key.second, nothing);
  }
  return store->Sync();
}

void ForgetRead(Loaded* loaded) {
  FactsInput kept;
  kept.name = std::move(loaded->facts.name);
  kept.consents = std::move(loaded->facts.consents);
  kept.handoffs = std::move(loaded->facts.handoffs);
  loaded->facts = std::move(kept);
}

}  // namespace dpl
