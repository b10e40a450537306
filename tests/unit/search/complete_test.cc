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

#include "runtime/facts/json_facts.h"
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
  if (rng->Chance(70)) query.question = Sha256(std::to_string(tally->searches));
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
  // Half of the worlds with an index that comes into being while it is asked.
  SearchIndex index(snapshot, seed % 2 == 0 ? SearchIndex::kAnyNumber : 0);
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

// A person who acts for another is a candidate, too, and acts directly then: what refuses everybody
// else does not refuse that one.
TEST(Search, WhoActsForThemselvesIsNotLost) {
  Tally tally;
  std::string wrong = TryWorld(3'000'214, &tally);
  EXPECT_TRUE(wrong.empty()) << wrong;
  EXPECT_GT(tally.results, 0u);
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

// ---------------------------------------------------------------- conditions that can be inverted

// Every kind of pin there is, one action each, over facts in which each of them finds somebody.
const char kPinned[] = R"(
package t owned by team staff
granted 2026-01-01
review every 3650d
enum Zone { north, south, west }
team staff { owner person "p00" }
team inner { owner team staff within team outer }
team outer { owner team staff }
role viewer in t.Area, t.Doc { owner team staff }
role editor in t.Area, t.Doc { owner team staff includes role viewer }
role lead { owner team staff }
function mine(who: Person): bool = who == person
function same(a: Zone, b: Zone): bool = a == b
person {
  key id: string
  has zone: Zone
  has grade: int = 3
  has badge: string from request
  has cost: money?
  has home: t.Area
  has zones: set<Zone>
  within boss: Person?
}
system t { owner team staff }
resource Area in t { within t.Area? has head: Person can list }
resource Doc in t {
  within area: t.Area
  has owner: Person
  has editors: set<Person>
  has zone: Zone
  has grade: int = 3
  has tag: string from request
  has open: bool
  has team: Team
  has areas: set<t.Area>
  can a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3
}
resource Note in t { within area: t.Area from request has zone: Zone can a0 can add { parent: t.Area } makes }
resource File in t { key path: path has owner: Person can a0 }
grant g0 { to everyone may a0 on t.Doc where resource.owner == person because "Pinned" }
grant g1 { to everyone may a1 on t.Doc where person in resource.editors because "Pinned" }
grant g2 { to everyone may a2 on t.Doc where resource.zone == person.zone because "Pinned" }
grant g3 { to everyone may a3 on t.Doc where resource.grade == person.grade because "Pinned" }
grant g4 { to everyone may a4 on t.Doc where person.badge == "gold" trusting request because "Pinned" }
grant g5 { to everyone may a5 on t.Doc where resource.tag == "red" because "Pinned" }
grant g6 { to everyone may a6 on t.Doc where resource.open because "Pinned" }
grant g7 { to everyone may a7 on t.Doc where resource.open and (resource.owner == person or person in resource.editors) because "Pinned" }
grant g8 { to everyone may a8 on t.Doc where resource in person.home because "Pinned" }
grant g9 { to everyone may a9 on t.Doc where resource.area == person.home because "Pinned" }
grant h0 { to role viewer may b0 on t.Doc because "Pinned" }
grant h1 { to role editor may b1 on t.Doc where resource.zone == person.zone because "Pinned" }
grant h2 { to team outer may b2 on t.Doc because "Pinned" }
grant h3 { to team inner, role lead, person "p03" may b3 on t.Doc in t.Area "A1" because "Pinned" }
grant h4 { to everyone may b4 on t.Doc "d05" because "Pinned" }
grant h5 { to everyone may b5 on t.Doc where resource.zone in person.zones because "Pinned" }
grant h6 { to everyone may b6 on t.Doc where person in resource.team because "Pinned" }
grant h7 { to everyone may b7 on t.Doc where mine(resource.owner) and same(resource.zone, person.zone) because "Pinned" }
grant h8 { to everyone may b8 on t.Doc where person.id == "p04" or resource.id == "d07" because "Pinned" }
grant h9 { to everyone may b9 on t.Doc where person in role editor or person in team inner because "Pinned" }
grant i0 { to everyone may c0 on t.Doc where not (resource.owner == person) because "Pinned" }
grant i1 { to everyone may c1 on t.Doc where resource.zone in {north, south} and person.zone == west because "Pinned" }
grant i2 { to everyone may c2 on t.Doc where resource.area.head == person because "Pinned" }
grant i3 { to everyone may c3 on t.Doc where some p in resource.editors satisfies (p.zone == person.zone) because "Pinned" }
grant j0 { to role viewer may a0 on t.Note because "Pinned" }
grant j1 { to role editor may add on t.Note because "Pinned" }
grant j3 { to team outer may add on t.Note in t.Area "A0" because "Pinned" }
grant j2 { to team outer may a0 on t.Note in t.Area "A0" because "Pinned" }
grant k0 { to team outer may a0 on t.File in "/srv/a" because "Pinned" }
grant k1 { to everyone may a0 on t.File where resource.owner == person because "Pinned" }
)";

std::string PinnedFacts(gen::Rng* rng) {
  auto quoted = [](const char* prefix, int n) {
    return std::string("\"") + prefix + (n < 10 ? "0" : "") + std::to_string(n) + "\"";
  };
  auto person = [&] { return quoted("p", rng->Below(24)); };
  auto area = [&] { return "\"A" + std::to_string(rng->Below(8)) + "\""; };
  auto zone = [&] { return "\"" + rng->Of(gen::Texts{"north", "south", "west"}) + "\""; };
  auto list = [&](int most, auto one) {
    std::set<std::string> some;
    for (int i = rng->Below(most + 1); i > 0; --i) some.insert(one());
    std::string out = "[";
    for (const std::string& s : some) out += (out.size() > 1 ? "," : "") + s;
    return out + "]";
  };
  auto maybe = [&](const char* name, const std::string& value) {
    return rng->Chance(70) ? std::string(",\"") + name + "\":" + value : std::string();
  };
  std::string out = R"({"persons":[)";
  for (int p = 0; p < 24; ++p) {
    out += (p == 0 ? "" : ",") + ("{\"id\":" + quoted("p", p)) +
           ",\"attributes\":{\"zone\":" + zone() +
           maybe("grade", std::to_string(rng->Between(2, 4))) +
           maybe("badge", rng->Chance(50) ? "\"gold\"" : "\"tin\"") + maybe("home", area()) +
           maybe("zones", list(2, zone)) + "}}";
  }
  out += R"(],"teams":{"staff":["p00"],"inner":)" + list(5, person) +
         ",\"outer\":" + list(4, person) + "},\"roles\":[";
  for (int i = 0; i < 8; ++i) {
    bool on_doc = rng->Chance(30);
    out += std::string("{\"role\":\"") + (i % 2 == 0 ? "viewer" : "editor") +
           "\",\"in\":{\"type\":\"t." + (on_doc ? "Doc" : "Area") +
           "\",\"id\":" + (on_doc ? quoted("d", rng->Below(30)) : area()) +
           "},\"members\":" + list(3, person) + "},";
  }
  out += R"({"role":"lead","members":)" + list(3, person) + "}],\"resources\":[";
  for (int a = 0; a < 8; ++a) {  // each within one of lower number: chains of several levels
    out += R"({"type":"t.Area","id":"A)" + std::to_string(a) +
           "\",\"parent\":" + (a == 0 ? "null" : "\"A" + std::to_string(rng->Below(a)) + "\"") +
           ",\"attributes\":{\"head\":" + person() + "}},";
  }
  for (int d = 0; d < 30; ++d) {
    out += "{\"type\":\"t.Doc\",\"id\":" + quoted("d", d) +
           (rng->Chance(85) ? ",\"parent\":" + area() : "") +
           ",\"attributes\":{\"zone\":" + zone() +
           ",\"open\":" + (rng->Chance(40) ? "true" : "false") + maybe("owner", person()) +
           maybe("editors", list(3, person)) + maybe("grade", std::to_string(rng->Between(2, 4))) +
           maybe("tag", rng->Chance(50) ? "\"red\"" : "\"blue\"") +
           maybe("team", rng->Chance(50) ? "\"inner\"" : "\"outer\"") + "}},";
  }
  for (int n = 0; n < 12; ++n) {
    out += "{\"type\":\"t.Note\",\"id\":" + quoted("n", n) +
           (rng->Chance(50) ? ",\"parent\":" + area() : "") +
           ",\"attributes\":{\"zone\":" + zone() + "}},";
  }
  const char* const kPaths[] = {"/srv", "/srv/a", "/srv/a/b", "/srv/a-b", "/srv/ab", "/srv/a/b/c"};
  for (const char* path : kPaths) {
    out += std::string(path == kPaths[0] ? "" : ",") + "{\"type\":\"t.File\",\"id\":\"" + path +
           "\",\"attributes\":{\"owner\":" + person() + "}}";
  }
  return out + "]}";
}

TEST(Search, EveryKindOfPinFindsWhatTryingEachFinds) {
  std::vector<gen::CompileError> errors;
  std::unique_ptr<gen::Compiled> compiled = gen::CompileText(kPinned, &errors);
  for (const gen::CompileError& e : errors) ADD_FAILURE() << e.line << ": " << e.text;
  ASSERT_NE(compiled, nullptr);
  const Instant now = ParseInstant("2026-11-20T15:00Z").value();
  const Caller caller = Caller::Everything("test");
  Scratch scratch;
  Tally tally;
  std::map<std::string, size_t> found;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    gen::Rng rng(seed);
    Result<FactsInput> facts = ReadFactsJson(PinnedFacts(&rng), "pinned");
    ASSERT_TRUE(facts.ok()) << facts.error().message;
    Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(compiled->program, *facts, now);
    ASSERT_TRUE(built.ok()) << built.error().message;
    std::shared_ptr<const Snapshot> snapshot = built.take();
    SearchIndex index(snapshot);
    MemoryStore store;
    Place at{*snapshot, index, store, now, scratch};
    Arena arena;
    // What the request says beside the facts: nothing, or what some conditions look for.
    const WireValue gold = gen::WireObject({{"badge", gen::WireString("gold", &arena)}}, &arena);
    const WireValue red = gen::WireObject(
        {{"tag", gen::WireString("red", &arena)}, {"area", gen::WireString("A3", &arena)}}, &arena);
    const WireValue parent = gen::WireObject({{"parent", gen::WireString("A3", &arena)}}, &arena);
    for (const char* type : {"t.Doc", "t.Note", "t.File"}) {
      uint32_t t = snapshot->ResourceTypeOfWire(type);
      for (const ActionDef& action : compiled->program->schema.resources[t].actions) {
        Request r;
        r.caller = &caller;
        r.subject_type = "person";
        r.action = compiled->program->Text(action.wire);
        r.resource_type = type;
        if (action.makes) r.action_properties = &parent;
        if (rng.Chance(50)) r.subject_properties = &gold;
        if (rng.Chance(50)) r.resource_properties = &red;
        auto one = [&](SearchFor what) {
          Ids every = Every(at, what, r);
          Ids want = ByTryingEach(at, what, r, every);
          ASSERT_EQ(BySearch(at, what, r, &rng, &tally), want)
              << "seed " << seed << ", " << SearchForName(what) << " " << r.action << " on " << type
              << ", person " << r.subject_id << ", resource " << r.resource_id;
          found[std::string(type) + " " + std::string(r.action)] += want.size();
        };
        for (const Entity* e : snapshot->Persons()) {
          r.subject_id = e->id;
          r.resource_id = {};
          one(SearchFor::kResource);
          if (HasFatalFailure()) return;
        }
        for (const Entity* e : snapshot->Resources(t)) {
          r.resource_id = e->id;
          r.subject_id = {};
          one(SearchFor::kSubject);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
  for (const auto& [what, count] : found) EXPECT_GT(count, 0u) << what << " is never permitted";
}

}  // namespace
}  // namespace dpl
