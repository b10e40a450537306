// What a page of a search costs with a million persons and a hundred thousand resources, beside
// trying every entity; how deep pages compare with the first, and what the index costs in time and
// memory. Figures and their reading are in docs/benchmarks.md.
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <malloc.h>

#include "compiler/testing/compile.h"
#include "runtime/search/search.h"
#include "runtime/state/memory_store.h"
#include "tests/bench/measure.h"

namespace {

using namespace dpl;

constexpr int kPersons = 1'000'000, kBooks = 100'000, kTeams = 1'000, kShelves = 1'000;
constexpr int kRounds = 21;
constexpr uint32_t kPage = 50;

const char kPolicy[] = R"(
package bench.lib owned by team staff
granted 2026-01-01
review every 3650d
team staff { owner person "E0000000" }
role keeper in lib.Shelf { owner team staff }
person { key id: string has desk: int has level: int }
system lib { owner team staff }
resource Shelf in lib { can list }
resource Book in lib {
  within shelf: lib.Shelf
  has author: Person
  has desk: int
  has level: int
  can read, write, burn, sort, weigh, keep
}
grant of_team { to team t7 may read on lib.Book because "Team 7 reads" }
grant of_author { to everyone may write on lib.Book where resource.author == person because "Authors write" }
grant of_desk { to everyone may sort on lib.Book where resource.desk == person.desk because "Books are sorted at their desk" }
grant of_keeper { to role keeper may keep on lib.Book because "Keepers keep what is on their shelves" }
grant by_level { to everyone may weigh on lib.Book where resource.level < person.level because "The strong weigh" }
grant by_none { to everyone may burn on lib.Book where resource.level > person.level + 1_000 because "Nobody burns" }
)";

std::string Numbered(const char* prefix, int n) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%07d", prefix, n);
  return text;
}

struct World {
  std::shared_ptr<const Snapshot> snapshot;
  MemoryStore store;
  Scratch scratch;
  Caller caller = Caller::Everything("bench");
  Instant now = ParseInstant("2026-11-22T10:00Z").value();
};

WireValue Text(const std::string& text, Arena* arena) {
  WireValue v;
  v.kind = WireValue::Kind::kString;
  v.text = arena->Copy(text);
  return v;
}
WireValue Number(int n, Arena* arena) {
  WireValue v = Text(std::to_string(n), arena);
  v.kind = WireValue::Kind::kNumber;
  return v;
}

bool Prepare(World* w) {
  std::string policy = kPolicy;
  for (int t = 0; t < kTeams; ++t)
    policy += "team t" + std::to_string(t) + " { owner team staff }\n";
  testing::Compilation compilation;
  compilation.sources.Add("bench.dpl", policy);
  if (!testing::Compile({}, &compilation)) return false;
  FactsInput facts;
  facts.name = "bench";
  facts.arena = std::make_shared<Arena>(size_t{4} << 30);
  Arena* arena = facts.arena.get();
  std::vector<FactsInput::Members> teams(kTeams);
  for (int t = 0; t < kTeams; ++t) teams[static_cast<size_t>(t)].name = "t" + std::to_string(t);
  facts.persons.reserve(kPersons);
  for (int p = 0; p < kPersons; ++p) {
    FactsInput::Person person;
    person.id = Numbered("E", p);
    person.fields = {{"desk", Number(p % 10'000, arena)}, {"level", Number(p % 7, arena)}};
    facts.persons.push_back(std::move(person));
    teams[static_cast<size_t>(p % kTeams)].members.push_back({false, Numbered("E", p), {}, {}});
  }
  facts.members = std::move(teams);
  for (int s = 0; s < kShelves; ++s) {
    FactsInput::Resource shelf;
    shelf.type = "lib.Shelf";
    shelf.id = Numbered("S", s);
    facts.resources.push_back(shelf);
    FactsInput::Members keepers;
    keepers.is_role = true;
    keepers.name = "keeper";
    keepers.scope_type = "lib.Shelf";
    keepers.scope_id = shelf.id;
    for (int k = 0; k < 20; ++k)
      keepers.members.push_back({false, Numbered("E", s * 20 + k), {}, {}});
    facts.members.push_back(std::move(keepers));
  }
  for (int b = 0; b < kBooks; ++b) {
    FactsInput::Resource book;
    book.type = "lib.Book";
    book.id = Numbered("B", b);
    book.parent_type = "lib.Shelf";
    book.parent_id = Numbered("S", b % kShelves);
    book.fields = {{"author", Text(Numbered("E", b % 1'000), arena)},
                   {"desk", Number(b % 10'000, arena)},
                   {"level", Number(b % 5, arena)}};
    facts.resources.push_back(std::move(book));
  }
  Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(compilation.program, facts, w->now);
  if (!built.ok()) {
    std::fprintf(stderr, "search_bench: %s\n", built.error().message.c_str());
    return false;
  }
  w->snapshot = built.take();
  return true;
}

struct Row {
  const char* label;
  SearchFor what;
  const char *action, *person, *book;
};
// A search of resources is asked for the person, one of subjects about the book.
const Row kRows[] = {
    {"persons, a team of 1,000 of them", SearchFor::kSubject, "read", "", "B0000007"},
    {"persons, resource.author == person", SearchFor::kSubject, "write", "", "B0000007"},
    {"persons, resource.desk == person.desk", SearchFor::kSubject, "sort", "", "B0000007"},
    {"persons, a role held on the shelf", SearchFor::kSubject, "keep", "", "B0000007"},
    {"persons, resource.level < person.level", SearchFor::kSubject, "weigh", "", "B0000004"},
    {"resources, resource.author == person", SearchFor::kResource, "write", "E0000007", ""},
    {"resources, resource.desk == person.desk", SearchFor::kResource, "sort", "E0000007", ""},
    {"resources, a role held on shelves", SearchFor::kResource, "keep", "E0000007", ""},
    {"resources, a team the person is not of", SearchFor::kResource, "read", "E0000008", ""},
    {"resources, resource.level < person.level", SearchFor::kResource, "weigh", "E0000002", ""},
};

SearchQuery QueryOf(const Row& row, const World& w) {
  SearchQuery query;
  query.what = row.what;
  query.request.subject_type = "person";
  query.request.subject_id = row.person;
  query.request.action = row.action;
  query.request.resource_type = "lib.Book";
  query.request.resource_id = row.book;
  query.request.caller = &w.caller;
  return query;
}

// Every entity decided on: how many are permitted, and how long it takes.
double TryEach(World* w, const SearchQuery& query, uint64_t* permitted) {
  *permitted = 0;
  Request r = query.request;
  r.dry_run = true;
  bool persons = query.what == SearchFor::kSubject;
  std::span<const Entity* const> all =
      persons ? w->snapshot->Persons()
              : w->snapshot->Resources(w->snapshot->ResourceTypeOfWire("lib.Book"));
  double start = Cpu();
  for (const Entity* e : all) {
    (persons ? r.subject_id : r.resource_id) = e->id;
    *permitted +=
        Decide(*w->snapshot, &w->store, r, w->now, &w->scratch).reason == Reason::kWouldPermit ? 1
                                                                                               : 0;
  }
  return (Cpu() - start) * 1e6;
}

size_t HeapBytes() {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

int main() {
  World w;
  if (!Prepare(&w)) {
    std::fprintf(stderr, "search_bench: the world cannot be built\n");
    return 1;
  }
  w.caller.details = false;
  size_t before = HeapBytes();
  SearchIndex index(w.snapshot);
  SearchBounds bounds;
  bounds.results = kPage;
  bounds.decisions = 10'000;
  std::printf("%d persons, %d resources, pages of %u; microseconds of CPU, medians of %d\n",
              kPersons, kBooks, kPage, kRounds);
  std::printf("%-42s %9s %9s %9s %7s %9s %11s %9s\n", "search", "first ever", "a page", "last page",
              "tried", "results", "trying each", "each/page");
  for (const Row& row : kRows) {
    SearchQuery query = QueryOf(row, w);
    uint64_t found = 0;
    auto page = [&] {
      return Search(index, &w.store, query, bounds, w.now, &w.scratch,
                    [&](std::string_view, const Decision&) { ++found; });
    };
    double start = Cpu();
    SearchPage first = page();
    double first_ever = (Cpu() - start) * 1e6;
    std::vector<double> times, last_times;
    for (int i = 0; i < kRounds; ++i) {
      start = Cpu();
      (void)page();
      times.push_back((Cpu() - start) * 1e6);
    }
    // To the end; then the last page again.
    found = 0;
    std::string position;
    for (SearchPage at = page(); at.more; at = page()) {
      position = at.position;
      query.after = position;
    }
    uint64_t results = found, permitted = 0;
    for (int i = 0; i < kRounds; ++i) {
      start = Cpu();
      (void)page();
      last_times.push_back((Cpu() - start) * 1e6);
    }
    double each = TryEach(&w, query, &permitted);
    if (permitted != results) {
      std::fprintf(stderr, "search_bench: %s: %llu results, trying each permits %llu\n", row.label,
                   static_cast<unsigned long long>(results),
                   static_cast<unsigned long long>(permitted));
      return 1;
    }
    std::printf("%-42s %9.0f %9.1f %9.1f %7u %9llu %11.0f %9.0f\n", row.label, first_ever,
                Median(times), Median(last_times), first.decisions,
                static_cast<unsigned long long>(results), each, each / Median(times));
  }
  // Where nothing narrows it down and nobody is found: the most one page may take.
  SearchQuery none = QueryOf({"", SearchFor::kSubject, "burn", "", "B0000007"}, w);
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    double start = Cpu();
    SearchPage page = Search(index, &w.store, none, bounds, w.now, &w.scratch, {});
    times.push_back((Cpu() - start) * 1e6);
    if (page.results != 0 || page.decisions != bounds.decisions || !page.more) return 1;
  }
  std::printf("a page that finds nobody ends after %u decisions: %.0f\n", bounds.decisions,
              Median(times));
  double start = Cpu();
  SearchIndex again(w.snapshot);
  again.WarmLike(index);
  std::printf("the parts of the index that these searches use: %.0f ms, %.0f MB\n",
              (Cpu() - start) * 1e3, static_cast<double>(HeapBytes() - before) / 2e6);
  return 0;
}
