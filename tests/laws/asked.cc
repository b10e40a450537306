// See asked.h.
#include "tests/laws/asked.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/decide/answer.h"
#include "runtime/decide/duty.h"
#include "runtime/state/seed.h"

namespace dpl::laws {

std::unique_ptr<gen::Compiled> Case::Compile(const gen::PolicyText& other) const {
  std::vector<gen::CompileError> errors;
  return gen::CompileText(other.Text(), &errors);
}

std::unique_ptr<gen::Compiled> Case::With(const std::string& block) const {
  gen::PolicyText more = policy;
  more.blocks.push_back(block);
  return Compile(more);
}

std::unique_ptr<Case> MakeCase(uint64_t seed, int asks,
                               const std::function<void(gen::PolicyText*)>& edit) {
  auto c = std::make_unique<Case>();
  c->seed = seed;
  c->rng = gen::Rng(seed);
  c->v = std::make_unique<gen::Vocabulary>(&c->rng);
  c->v->realms = true;
  c->policy = gen::MakePolicy(&c->rng, *c->v);
  if (edit) edit(&c->policy);
  std::map<std::string, int> refused;
  c->compiled = gen::CompilePolicy(&c->policy, &refused);
  if (c->compiled == nullptr) return nullptr;
  c->world = gen::MakeWorld(&c->rng, *c->v, *c->compiled, asks);
  for (const gen::Event& e : c->world.events) {
    if (e.kind == gen::Event::Kind::kAsk) {
      c->asks.push_back(e.ask);
      gen::Ask& ask = c->asks.back();
      ask.dry_run = ask.clock_suspect = false;
      ask.break_glass.clear();  // a door that is open grants by itself: see closing rule 14
      ask.duties = kAllDuties;
    } else if (e.kind == gen::Event::Kind::kTask) {
      c->tasks.push_back(e.task);
      c->tasks.back().opened = c->world.start;
    }
  }
  return c;
}

void ForCases(int cases, const std::function<void(Case&)>& law,
              const std::function<void(gen::PolicyText*)>& edit) {
  // Seeds far from those of the oracle's own run, so that the two do not try the same policies.
  for (uint64_t seed = 1'000'001; cases > 0; ++seed) {
    std::unique_ptr<Case> c = MakeCase(seed, 80, edit);
    if (c == nullptr) continue;
    --cases;
    law(*c);
    if (!::testing::Test::HasFailure()) continue;
    ADD_FAILURE() << "seed " << seed << "\n" << c->policy.Text();
    return;
  }
}

Engine::Engine(const Case& c, std::shared_ptr<const Program> program, const FactsInput& facts)
    : program_(std::move(program)) {
  Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(program_, facts, c.world.start);
  if (!built.ok()) return;
  snapshot_ = built.take();
  // Consents and tasks of what this program has: one that it lacks is no mistake here.
  FactsInput one;
  auto fits = [&] {
    MemoryStore store;
    return SeedState(*snapshot_, one, &store, c.world.start).ok();
  };
  for (const FactsInput::Consent& consent : c.world.consents) {
    one.consents = {consent};
    if (fits()) seeds_.consents.push_back(consent);
  }
  one.consents.clear();
  for (const FactsInput::Task& task : c.tasks) {
    one.tasks = {task};
    if (fits()) seeds_.tasks.push_back(task);
  }
}

Request Engine::Prepare(const gen::Ask& ask, Instant now, const Given& given, MemoryStore* store) {
  EXPECT_TRUE(SeedState(*snapshot_, seeds_, store, now).ok());
  for (const auto& [kind, name] : given.revoked) store->Revoke(kind, name, std::nullopt);
  for (size_t h = 1; h < ask.hops.size() && !OfPartner(ask); ++h) {
    const gen::Ask::Hop &parent = ask.hops[h - 1], &child = ask.hops[h];
    std::string from = (parent.is_person ? "person:" : "") + parent.agent;
    EXPECT_TRUE(store->RecordHandoff(from, parent.instance, child.agent, child.instance, "").ok());
  }
  Request r = gen::ToRequest(ask, now);
  for (int h = 0; h < r.hop_count; ++h)
    r.hops[static_cast<size_t>(h)].born = Instant{now.us - given.born_before_us};
  return r;
}

Answer Engine::Put(const gen::Ask& ask, Instant now, const Given& given) {
  MemoryStore store;
  Request r = Prepare(ask, now, given, &store);
  Answer a;
  for (int i = 0; i < given.times; ++i) {
    const Decision& d = dpl::Decide(*snapshot_, &store, r, now, &scratch_);
    if (d.outcome == OutcomeKind::kPermit) ++a.permits;
    if (i != 0) continue;
    a.outcome = d.outcome;
    a.reason = d.reason;
    for (const By& by : d.by) {
      if (by.part == Part::kGrant)
        a.grants.insert(std::string(program_->Text(program_->statements[by.statement].name)));
    }
  }
  return a;
}

std::string Engine::Json(const gen::Ask& ask, Instant now, Instant* valid_until, bool explain) {
  MemoryStore store;
  Request r = Prepare(ask, now, {}, &store);
  r.explain = explain;
  if (valid_until != nullptr) r.level = Explain::kTrace;
  const Decision& made = dpl::Decide(*snapshot_, &store, r, now, &scratch_);
  std::optional<Decision> without_time;
  if (valid_until != nullptr) {
    *valid_until = made.valid_until;
    without_time = made;
    without_time->valid_until = now;
  }
  const Decision& d = without_time ? *without_time : made;
  std::string out;
  AnswerOptions options;
  options.evaluation_id = "ev_1";
  AppendAnswerJson(&out, *snapshot_, r, d, options);
  if (parts_ == nullptr) parts_ = std::make_unique<AnswerPieces>(snapshot_->program());
  options.parts = parts_.get();
  std::string with_parts;  // parts made beforehand change no byte
  AppendAnswerJson(&with_parts, *snapshot_, r, d, options);
  EXPECT_EQ(with_parts, out);
  AppendExplanation(&out, *snapshot_, r, d);
  return out;
}

bool OfPartner(const gen::Ask& ask) {
  return ask.subject_type.starts_with("partner:") || ask.issuer.find("globex") != std::string::npos;
}
bool ThroughOthers(const gen::Ask& ask) {
  return !OfPartner(ask) &&
         std::any_of(ask.hops.begin(), ask.hops.end(), [&](const gen::Ask::Hop& hop) {
           return !hop.is_person || hop.agent != ask.subject_id;
         });
}
bool IsKind(const std::string& block, const char* keyword) {
  return block.starts_with(std::string(keyword) + " ");
}
std::string NameOf(const std::string& block) {
  size_t at = block.find(' ') + 1;
  return block.substr(at, block.find_first_of(" (", at) - at);
}

}  // namespace dpl::laws
