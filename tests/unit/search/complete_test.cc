// A search finds exactly what trying every entity finds: over generated policies, facts and
// requests, for every kind of thing that can be searched, page by page.
//
// DPL_SEARCH_WORLDS (default 90) and DPL_SEARCH_SEED choose how many worlds and which.
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/search/search.h"
#include "runtime/state/memory_store.h"
#include "runtime/state/seed.h"
#include "tests/support/events.h"

namespace dpl {
namespace {

using Ids = std::vector<std::string>;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string Joined(const Ids& ids) {
  std::string out;
  for (const std::string& id : ids) out += (out.empty() ? "" : ", ") + id;
  return "[" + out + "]";
}

// How much was compared, so that the comparison cannot become vacuous.
struct Tally {
  uint64_t searches = 0, results = 0, tried = 0, entities = 0, pages = 0;
};

struct Place {
  const Snapshot& snapshot;
  const SearchIndex& index;
  MemoryStore& store;
  Instant now;
  Scratch& scratch;
};

// The request about another subject; an agent stands first in its own chain.
Request About(const Request& base, std::string_view type, std::string_view id) {
  Request r = base;
  if (type != "agent") {
    r.subject_type = type;
    r.subject_id = id;
    return r;
  }
  if (base.subject_type == "agent" && r.hop_count > 0) {  // its hop goes with the old subject
    for (int i = 1; i < r.hop_count; ++i)
      r.hops[static_cast<size_t>(i - 1)] = r.hops[static_cast<size_t>(i)];
    --r.hop_count;
  }
  r.subject_type = type;
  r.subject_id = id;
  if (r.hop_count == 0 || r.hops[0].agent != id) {
    for (int i = std::min(r.hop_count, kMaxHops - 1); i > 0; --i)
      r.hops[static_cast<size_t>(i)] = r.hops[static_cast<size_t>(i - 1)];
    r.hops[0] = {};
    r.hops[0].agent = id;
    r.hop_count = std::min(r.hop_count + 1, kMaxHops);
  }
  return r;
}

// Whether deciding it, dry, would permit it to a subject of ours.
bool Permitted(const Place& at, const Request& asked) {
  Caller caller = *asked.caller;
  if (asked.dry_run && !caller.dry_run) return false;
  caller.dry_run = true;
  Request r = asked;
  r.caller = &caller;
  r.dry_run = true;
  const Decision& d = Decide(at.snapshot, &at.store, r, at.now, &at.scratch);
  return d.reason == Reason::kWouldPermit && d.partner == kNone;
}

Ids Every(const Place& at, SearchFor what, const Request& base) {
  const Program& program = at.snapshot.program();
  std::set<std::string> ids;
  switch (what) {
    case SearchFor::kAction: {
      uint32_t type = at.snapshot.ResourceTypeOfWire(base.resource_type);
      if (type == kNone) break;
      for (const ActionDef& a : program.schema.resources[type].actions)
        ids.emplace(program.Text(a.wire));
      break;
    }
    case SearchFor::kResource: {
      uint32_t type = at.snapshot.ResourceTypeOfWire(base.resource_type);
      if (type == kNone) break;
      for (const Entity* e : at.snapshot.Resources(type)) ids.emplace(e->id);
      break;
    }
    case SearchFor::kSubject:
      if (base.subject_type == "agent") {
        for (uint32_t s : program.agent_statements)
          ids.emplace(program.Text(program.statements[s].name));
      } else if (base.subject_type.starts_with("account:")) {
        uint32_t system = FindSystem(program.schema, base.subject_type.substr(8));
        if (system == kNone) break;
        for (const Entity* e : at.snapshot.Persons()) {
          for (const AccountFact& a : e->person->accounts) {
            if (a.system == system) ids.emplace(a.key);
          }
        }
      } else if (at.snapshot.IsPersonWire(base.subject_type)) {
        for (const Entity* e : at.snapshot.Persons()) ids.emplace(e->id);
      }
      break;
  }
  return {ids.begin(), ids.end()};
}

Ids ByTryingEach(const Place& at, SearchFor what, const Request& base, const Ids& every) {
  Ids out;
  for (const std::string& id : every) {
    Request r = base;
    if (what == SearchFor::kAction) r.action = id;
    if (what == SearchFor::kResource) r.resource_id = id;
    if (what == SearchFor::kSubject) r = About(base, base.subject_type, id);
    if (Permitted(at, r)) out.push_back(id);
  }
  return out;
}

Ids BySearch(const Place& at, SearchFor what, const Request& base, gen::Rng* rng, Tally* tally) {
  Ids out;
  SearchQuery query;
  query.what = what;
  query.request = base;
  // What is searched is not read.
  if (what == SearchFor::kAction) query.request.action = rng->Chance(50) ? "" : "no such action";
  if (what == SearchFor::kResource) query.request.resource_id = rng->Chance(50) ? "" : "d1";
  if (what == SearchFor::kSubject && base.subject_type != "agent")
    query.request.subject_id = rng->Chance(50) ? "" : "E1";
  query.about_subject = [&](std::string_view id) { return About(base, "agent", id); };
  std::string position;
  bool first = true, complete = false;
  int pages = 0;
  for (bool more = true; more; first = false) {
    SearchBounds bounds;
    bounds.results = static_cast<uint32_t>(rng->Between(1, 7));
    bounds.decisions = static_cast<uint32_t>(rng->Between(1, 12));
    bounds.skips = static_cast<uint32_t>(rng->Between(1, 5));
    query.after = position;
    size_t before = out.size();
    SearchPage page = Search(at.index, &at.store, query, bounds, at.now, &at.scratch,
                             [&](std::string_view id, const Decision&) { out.emplace_back(id); });
    EXPECT_EQ(out.size() - before, page.results);
    EXPECT_LE(page.results, bounds.results);
    EXPECT_LE(page.decisions, bounds.decisions);
    EXPECT_TRUE(!page.more || page.position > position) << "a page that gets no further";
    EXPECT_TRUE(first || !page.complete);
    complete = page.complete;
    EXPECT_EQ(complete, first && !page.more);
    more = page.more;
    position = page.position;
    tally->tried += page.decisions;
    ++tally->pages;
    if (++pages > 10'000) {
      ADD_FAILURE() << "pages without end";
      break;
    }
  }
  tally->results += out.size();
  ++tally->searches;
  return out;
}

// The subjects, resources and actions of one generated request, each searched.
std::string Compare(const Place& at, const Request& base, gen::Rng* rng, Tally* tally) {
  auto one = [&](SearchFor what, const Request& request) -> std::string {
    Ids every = Every(at, what, request);
    Ids want = ByTryingEach(at, what, request, every);
    Ids have = BySearch(at, what, request, rng, tally);
    tally->entities += every.size();
    if (want == have) return {};
    return std::string(SearchForName(what)) + " of type " + std::string(request.subject_type) +
           ": the search finds " + Joined(have) + ", trying each " + Joined(want);
  };
  std::string wrong = one(SearchFor::kAction, base);
  if (wrong.empty()) wrong = one(SearchFor::kResource, base);
  std::vector<std::string_view> types = {base.subject_type, "person"};
  if (base.hop_count == 0) types.push_back("account:bank");
  if (base.hop_count == 0) types.push_back("agent");
  for (std::string_view type : types) {
    if (wrong.empty()) wrong = one(SearchFor::kSubject, About(base, type, ""));
  }
  return wrong;
}

// The world of one seed: the first difference, or nothing.
std::string TryWorld(uint64_t seed, Tally* tally) {
  gen::Rng rng(seed);
  gen::Vocabulary v(&rng);
  v.realms = true;
  gen::PolicyText policy = gen::MakePolicy(&rng, v);
  std::map<std::string, int> refused;
  std::unique_ptr<gen::Compiled> compiled = gen::CompilePolicy(&policy, &refused);
  if (compiled == nullptr) return {};
  gen::World0 world = gen::MakeWorld(&rng, v, *compiled, 25);
  Result<std::unique_ptr<Snapshot>> built =
      Snapshot::Build(compiled->program, world.facts, world.start);
  if (!built.ok()) return {};
  std::shared_ptr<const Snapshot> snapshot = built.take();
  SearchIndex index(snapshot);
  MemoryStore store;
  FactsInput one;  // what fits of the state to start from
  for (const FactsInput::Consent& consent : world.consents) {
    one.consents = {consent};
    (void)SeedState(*snapshot, one, &store, world.start);
  }
  one.consents.clear();
  Scratch scratch;
  Instant now = world.start;
  for (const gen::Event& e : world.events) {
    if (e.kind == gen::Event::Kind::kAdvance) now = Instant{now.us + e.advance_us};
    if (e.kind == gen::Event::Kind::kRevoke) store.Revoke(e.revoked, e.name, std::nullopt);
    if (e.kind == gen::Event::Kind::kConsent) {
      one.consents = {e.consent};
      (void)SeedState(*snapshot, one, &store, now);
      one.consents.clear();
    }
    if (e.kind == gen::Event::Kind::kTask) {
      one.tasks = {e.task};
      (void)SeedState(*snapshot, one, &store, now);
      one.tasks.clear();
    }
    if (e.kind != gen::Event::Kind::kAsk) continue;
    for (size_t h = 1; h < e.ask.hops.size() && e.record_handoffs; ++h) {
      const gen::Ask::Hop &parent = e.ask.hops[h - 1], &child = e.ask.hops[h];
      std::string from = (parent.is_person ? "person:" : "") + parent.agent;
      (void)store.RecordHandoff(from, parent.instance, child.agent, child.instance, "");
    }
    Request request = gen::ToRequest(e.ask, now);
    std::string wrong = Compare({*snapshot, index, store, now, scratch}, request, &rng, tally);
    if (!wrong.empty()) {
      return "seed " + std::to_string(seed) + ", asking for " + gen::Describe(e.ask) + " at " +
             FormatInstant(now) + "\n" + wrong + "\n" + policy.Text();
    }
  }
  return {};
}

TEST(Search, FindsWhatTryingEachFinds) {
  const uint64_t worlds = FromEnvironment("DPL_SEARCH_WORLDS", 90);
  const uint64_t first = FromEnvironment("DPL_SEARCH_SEED", 3'000'001);
  Tally tally;
  for (uint64_t seed = first; seed < first + worlds; ++seed) {
    std::string wrong = TryWorld(seed, &tally);
    ASSERT_TRUE(wrong.empty()) << wrong;
  }
  // Enough was found, and the index ruled out much of what there is.
  RecordProperty("searches", static_cast<int>(tally.searches));
  std::cout << tally.searches << " searches, " << tally.pages << " pages, " << tally.results
            << " results, " << tally.tried << " decisions for " << tally.entities << " entities\n";
  if (worlds < 90) return;
  EXPECT_GT(tally.searches, worlds * 40);
  EXPECT_GT(tally.results, worlds * 50);
}

}  // namespace
}  // namespace dpl
