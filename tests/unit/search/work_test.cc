// What one page of a search may cost, counted: decisions, leaps between lists, and plans that are
// made once for all pages of a search, however large the index behind them still has to become.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "runtime/facts/json_facts.h"
#include "runtime/search/candidates.h"
#include "runtime/search/search.h"
#include "runtime/state/memory_store.h"
#include "tests/support/events.h"

namespace dpl {
namespace {

constexpr int kDocs = 3000, kPersons = 50;

const char kPolicy[] = R"(
package t owned by team staff
granted 2026-01-01
review every 3650d
team staff { owner person "p00" }
person { key id: string has grade: int }
system s { owner team staff }
resource Doc in s { has author: Person has grade: int can read, write, sign }
grant authors { to everyone may read on s.Doc where resource.author == person because "Authors read their own" }
grant above { to everyone may write on s.Doc where resource.grade < person.grade because "Whoever stands above" }
grant old { to everyone may sign on s.Doc where resource.author == person because "To the end of the day" expires 2026-11-20 }
grant next { to everyone may sign on s.Doc where resource.grade == person.grade because "From the next day on" granted 2026-11-21 }
)";

std::string Id(const char* of, int n) {
  std::string digits = std::to_string(n);
  return of + std::string(4 - digits.size(), '0') + digits;
}

class SearchWork : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<gen::CompileError> errors;
    compiled_ = gen::CompileText(kPolicy, &errors);
    for (const gen::CompileError& e : errors) ADD_FAILURE() << e.line << ": " << e.text;
    ASSERT_NE(compiled_, nullptr);
    std::string text = R"({"persons":[)";
    for (int p = 0; p < kPersons; ++p) {
      text += (p == 0 ? "" : ",") + ("{\"id\":\"" + Id("p", p) + "\",\"attributes\":{\"grade\":") +
              std::to_string(p % 10) + "}}";
    }
    text += R"(],"resources":[)";
    for (int d = 0; d < kDocs; ++d) {
      text += (d == 0 ? "" : ",") + (R"({"type":"s.Doc","id":")" + Id("d", d)) +
              R"(","attributes":{"author":")" + Id("p", d % kPersons) +
              "\",\"grade\":" + std::to_string(d % 10) + "}}";
    }
    Result<FactsInput> facts = ReadFactsJson(text + "]}", "facts");
    ASSERT_TRUE(facts.ok()) << facts.error().message;
    facts_ = facts.take();
    Result<std::unique_ptr<Snapshot>> built =
        Snapshot::Build(compiled_->program, *facts_, ParseInstant("2026-11-20T11:00Z").value());
    ASSERT_TRUE(built.ok()) << built.error().message;
    snapshot_ = built.take();
    query_.what = SearchFor::kResource;
    query_.request.caller = &caller_;
    query_.request.subject_type = "person";
    query_.request.subject_id = "p0007";
    query_.request.resource_type = "s.Doc";
    bounds_ = {.results = 10, .decisions = 200};
  }

  SearchPage Page(const SearchIndex& index, const char* at = "2026-11-20T11:00Z") {
    return Search(index, &store_, query_, bounds_, ParseInstant(at).value(), &scratch_,
                  [this](std::string_view id, const Decision&) { found_.emplace_back(id); });
  }
  // To the end; the most decisions of a page, and how many pages were planned.
  void Walk(const SearchIndex& index, uint32_t* decisions, uint32_t* planned) {
    found_.clear();
    *decisions = *planned = 0;
    query_.after = {};
    for (SearchPage page = Page(index);; page = Page(index)) {
      *decisions = std::max(*decisions, page.decisions);
      *planned += page.clauses != 0 ? 1 : 0;
      if (!page.more) return;
      position_ = page.position;
      query_.after = position_;
    }
  }

  std::unique_ptr<gen::Compiled> compiled_;
  std::optional<FactsInput> facts_;
  std::shared_ptr<const Snapshot> snapshot_;
  const Caller caller_ = Caller::Everything("test");
  MemoryStore store_;
  Scratch scratch_;
  SearchQuery query_;
  SearchBounds bounds_;
  std::string position_;
  std::vector<std::string> found_;
};

TEST_F(SearchWork, APlanIsMadeOnceForAllPages) {
  SearchIndex index(snapshot_);
  query_.request.action = "read";
  uint32_t decisions = 0, planned = 0;
  Walk(index, &decisions, &planned);
  EXPECT_EQ(found_.size(), kDocs / kPersons);
  EXPECT_EQ(planned, 6u) << "nothing says that the pages belong together";
  query_.question = Sha256("a question");
  Walk(index, &decisions, &planned);
  EXPECT_EQ(found_.size(), kDocs / kPersons);
  EXPECT_EQ(planned, 1u);
  EXPECT_LE(decisions, 11u) << "the index says which";
}

TEST_F(SearchWork, APlanIsOfItsQuestion) {
  SearchIndex index(snapshot_);
  query_.request.action = "read";
  query_.question = Sha256("theirs");
  ASSERT_TRUE(Page(index).more);
  query_.request.subject_id = "p0008";
  query_.question = Sha256("hers");
  found_.clear();
  ASSERT_TRUE(Page(index).more);
  ASSERT_EQ(found_.size(), bounds_.results);
  EXPECT_EQ(found_.front(), "d0008");
}

TEST_F(SearchWork, APlanEndsWhenGrantsDo) {
  SearchIndex index(snapshot_);
  query_.request.action = "sign";
  query_.question = Sha256("who signs");
  SearchPage before = Page(index, "2026-11-20T23:50Z");
  ASSERT_TRUE(before.more);
  EXPECT_EQ(found_.back(), "d0457");  // of their own, every fiftieth
  query_.after = before.position;
  found_.clear();
  EXPECT_EQ(Page(index, "2026-11-20T23:59:59Z").clauses, 0u);
  found_.clear();
  query_.after = before.position;
  SearchPage after = Page(index, "2026-11-21T00:00Z");
  EXPECT_GT(after.clauses, 0u) << "at midnight other grants hold";
  EXPECT_EQ(found_.front(), "d0467");  // of their grade, every tenth
}

TEST_F(SearchWork, PagesAreBoundedWhileTheIndexIsMade) {
  SearchIndex index(snapshot_, 100);
  query_.request.action = "read";
  query_.question = Sha256("a question");
  uint32_t decisions = 0, planned = 0;
  Walk(index, &decisions, &planned);  // the index may come in between
  EXPECT_EQ(found_.size(), kDocs / kPersons) << "none is lost, none is doubled";
  EXPECT_LE(decisions, bounds_.decisions);
  index.Settle();
  query_.question = Sha256("another question");
  Walk(index, &decisions, &planned);
  EXPECT_EQ(found_.size(), kDocs / kPersons);
  EXPECT_LE(decisions, 11u);
  // What no index narrows down is decided on, so many a page.
  query_.request.action = "write";
  query_.request.subject_id = "p0000";
  query_.after = {};
  SearchPage nobody = Page(index);
  EXPECT_EQ(nobody.results, 0u);
  EXPECT_EQ(nobody.decisions, bounds_.decisions);
  EXPECT_TRUE(nobody.more);
}

TEST_F(SearchWork, APageEndsWhenItsTimeIsUp) {
  SearchIndex index(snapshot_);
  query_.request.action = "write";
  query_.request.subject_id = "p0000";
  int asked = 0;
  bounds_.tired = [&asked] { return ++asked == 3; };
  SearchPage page = Page(index);
  EXPECT_TRUE(page.more);
  EXPECT_LE(page.decisions, 12u) << "slow decisions must not add up unseen";
}

// A policy of many clauses: to plan is work, too, and no page does more of it than it has time for.
TEST_F(SearchWork, PlanningIsBoundedAndGoesOnWithTheNextPage) {
  constexpr int kGrants = 40;
  std::string text = kPolicy;
  for (int g = 0; g < kGrants; ++g) {
    text += "grant of" + std::to_string(g) +
            " { to everyone may read on s.Doc where resource.grade == " + std::to_string(g + 100) +
            " and resource.author == person because \"Of a grade\" }\n";
  }
  std::vector<gen::CompileError> errors;
  std::unique_ptr<gen::Compiled> many = gen::CompileText(text, &errors);
  ASSERT_NE(many, nullptr);
  Result<std::unique_ptr<Snapshot>> built =
      Snapshot::Build(many->program, *facts_, ParseInstant("2026-11-20T11:00Z").value());
  ASSERT_TRUE(built.ok()) << built.error().message;
  const std::shared_ptr<const Snapshot> snapshot = built.take();
  query_.request.action = "read";
  constexpr uint32_t kAsked = 7;           // clauses or so that a page has time for
  for (const bool kept : {true, false}) {  // the plan, from page to page
    SearchIndex index(snapshot);
    query_.question = std::nullopt;
    if (kept) query_.question = Sha256("a question");
    query_.after = {};
    found_.clear();
    uint32_t pages = 0, clauses = 0;
    for (;;) {
      uint32_t asked = 0;
      bounds_.tired = [&asked] { return ++asked > kAsked; };
      SearchPage page = Page(index);
      ++pages;
      clauses += page.clauses;
      EXPECT_LE(page.clauses, kAsked);
      if (!page.more) break;
      EXPECT_GT(page.position, std::string(query_.after)) << "every page gets on";
      position_ = page.position;
      query_.after = position_;
    }
    EXPECT_EQ(found_.size(), kDocs / kPersons);
    if (kept) {
      EXPECT_EQ(clauses, kGrants + 1u) << "each is read once";
      EXPECT_LT(pages, 40u);
    }
  }
}

// Lists that have nothing in common: what is leapt over between two decisions has a bound, too.
TEST(SearchLeaps, HaveABound) {
  constexpr uint32_t kSize = 1'000'000;
  std::vector<uint32_t> even, odd;
  for (uint32_t i = 0; i < kSize; i += 2) even.push_back(i), odd.push_back(i + 1);
  CandidateSpace space(kSize);
  const Candidates* both = space.And({space.List(even), space.List(odd)});
  uint32_t seeks = 0;
  for (uint32_t at = both->Seek(0); at != kNoRank; at = both->Seek(at + 1)) {
    ASSERT_FALSE(both->Has(at));
    ++seeks;
  }
  EXPECT_GT(seeks, kSize / 1024);
  EXPECT_LT(seeks, kSize / 128);
}

}  // namespace
}  // namespace dpl
