// The exhaustive small model: every case of two grants, a forbid with `unless`, a limit block,
// `supersedes` and three amounts, through the engine.
//
// A case is: M of each grant, of the forbid, of its `unless` and of the block (T, F or ⊥ each:
// 3^5); the amount (3); whether each grant has expired and whether each is revoked (2^4); whether
// the second grant supersedes the first (2); whether the first states a limit (2); whether the
// second states a limit, `no limit` or nothing (3): 3^7 · 2^6 = 139,968. Two laws hold in all of
// them: replacing a ⊥ by T or F takes no permit away, and revoking or expiring a grant adds none. A
// reference fold of a few lines says what each case must give; told to make a mistake, it must
// break a law or differ.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/diag/render.h"
#include "compiler/testing/compile.h"
#include "runtime/decide/engine.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/memory_store.h"

namespace dpl {
namespace {

enum Tri : int { kF, kT, kUnknown };  // ⊥ last
enum Second : int { kLimits, kNoLimit, kNothing };

struct Model {
  int g1, g2, forbid, unless, block;  // Tri
  int amount;  // 0: below every cap; 1: over the first grant's; 2: over the block's
  int expired1, expired2, revoked1, revoked2, supersedes, limits1;  // 0 or 1
  int second;                                                       // Second
};
constexpr int kCases = 243 * 3 * 16 * 2 * 2 * 3;
static_assert(kCases == 139'968);

// Mixed radix, in the order of the members.
constexpr std::array<int, 13> kRadix = {3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 3};
constexpr std::array<int Model::*, 13> kMembers = {
    &Model::g1,         &Model::g2,       &Model::forbid,   &Model::unless,   &Model::block,
    &Model::amount,     &Model::expired1, &Model::expired2, &Model::revoked1, &Model::revoked2,
    &Model::supersedes, &Model::limits1,  &Model::second};

Model CaseOf(int index) {
  Model m{};
  for (size_t i = 0; i < kMembers.size(); ++i) {
    m.*kMembers[i] = index % kRadix[i];
    index /= kRadix[i];
  }
  return m;
}
int IndexOf(const Model& m) {
  int index = 0;
  for (size_t i = kMembers.size(); i-- > 0;) index = index * kRadix[i] + m.*kMembers[i];
  return index;
}

constexpr std::array<int, 3> kAmounts = {5, 15, 25};
constexpr int kCap1 = 10, kCapBlock = 20, kCap2 = 30;

// ---------------------------------------------------------------- the reference

struct Mistake {
  bool limits_of_true_only = false;  // a grant that is ⊥ loses its limits
  bool limits_of_live_only = false;
  bool superseded_by_biting = false;  // `supersedes` of a grant that is not F
  bool superseded_by_dead = false;
  bool unless_lifts_on_unknown = false;
  bool bounded_by_unknown = false;  // "must be limited" met by a block that is ⊥
};

Reason Reference(const Model& m, const Mistake& wrong) {
  bool live1 = !m.expired1 && !m.revoked1, live2 = !m.expired2 && !m.revoked2;
  bool adds1 = m.g1 == kT && live1, adds2 = m.g2 == kT && live2;
  bool lifted = m.unless == kT || (wrong.unless_lifts_on_unknown && m.unless == kUnknown);
  if (m.forbid != kF && !lifted) return Reason::kForbidden;
  if (!adds1 && !adds2) {
    bool dead1 = m.g1 == kT, dead2 = m.g2 == kT;
    // The nearest of several: who was only revoked got further than who had expired.
    if ((dead1 && !m.expired1) || (dead2 && !m.expired2)) return Reason::kRevokedGrant;
    return dead1 || dead2 ? Reason::kGrantExpired : Reason::kPersonNoGrant;
  }
  bool states1 = m.limits1 == 1, states2 = m.second != kNothing;
  auto binds = [&](int match, bool live) {
    if (match == kF || (wrong.limits_of_true_only && match == kUnknown)) return false;
    return live || !wrong.limits_of_live_only;
  };
  bool supersedes = wrong.superseded_by_biting ? m.g2 != kF && live2
                    : wrong.superseded_by_dead ? m.g2 == kT
                                               : adds2;
  supersedes = supersedes && m.supersedes == 1 && states2;
  int amount = kAmounts[static_cast<size_t>(m.amount)];
  bool exceeded = (states1 && binds(m.g1, live1) && !supersedes && amount > kCap1) ||
                  (m.second == kLimits && binds(m.g2, live2) && amount > kCap2) ||
                  (m.block != kF && amount > kCapBlock);
  bool bounded = (adds1 && states1) || (adds2 && states2) || m.block == kT ||
                 (wrong.bounded_by_unknown && m.block == kUnknown);
  if (!bounded) return Reason::kLimitUnbounded;
  return exceeded ? Reason::kLimitExceeded : Reason::kPermit;
}

// ---------------------------------------------------------------- the engine

std::string PolicyFor(const Model& m) {
  std::string text = R"dpl(
package small owned by team owners
granted 2026-01-05
review every 3650d
person { key id: string }
team owners { owner person "E9" }
team first { owner team owners }
team second { owner team owners }
system shop { owner team owners }
resource Order in shop {
  has g1: bool  has g2: bool  has stop: bool  has lift: bool  has capped: bool
  can pay { amount: money must be limited }
}
forbid stop { covers pay on shop.Order where resource.stop  unless resource.lift  because "A forbid with unless" }
limit block { covers pay on shop.Order where resource.capped  cap amount to 20 USD each  because "A block" }
)dpl";
  text += "grant g1 {\n  to team first  may pay on shop.Order where resource.g1\n";
  text += "  limit amount to 10 USD each\n";
  if (m.expired1) text += "  expires 2026-02-01\n";
  text += "  because \"The first grant\"\n}\n";
  text += "grant g2 {\n  to team second  may pay on shop.Order where resource.g2\n";
  text += m.second == kNoLimit ? "  no limit on amount because \"It may\"\n"
                               : "  limit amount to 30 USD each\n";
  if (m.supersedes) text += "  supersedes grant g1\n";
  if (m.expired2) text += "  expires 2026-02-01\n";
  return text + "  because \"The second grant\"\n}\n";
}

// The checker lets no grant of such a measure go without a limit; the engine holds to it by itself,
// so the limit is taken out of the program behind the checker's back.
std::shared_ptr<const Program> ProgramFor(const Model& m) {
  ::dpl::testing::Compilation c;
  c.sources.Add("small.dpl", PolicyFor(m));
  bool ok = ::dpl::testing::Compile({}, &c);
  EXPECT_TRUE(ok) << RenderText(c.sources, c.sink.Sorted(), {});
  if (!ok) return nullptr;
  auto program = std::make_shared<Program>(*c.program);
  for (Statement& s : program->statements) {
    std::string_view name = program->Text(s.name);
    if ((name == "small.g1" && !m.limits1) || (name == "small.g2" && m.second == kNothing))
      s.limits.clear();
  }
  return program;
}

constexpr Instant kNow{int64_t{1'795'186'800} * 1'000'000};  // 2026-11-20T15:00Z
constexpr std::array<const char*, 5> kAttributes = {"g1", "g2", "stop", "lift", "capped"};

FactsInput Facts() {
  FactsInput facts;
  facts.arena = std::make_shared<Arena>();
  facts.persons = {{.id = "E1"}, {.id = "E9"}};
  for (const char* team : {"first", "second"}) {
    FactsInput::Members members;
    members.name = std::string("small.") + team;
    members.members.push_back({.id = "E1"});
    facts.members.push_back(members);
  }
  for (int order = 0; order < 243; ++order) {
    FactsInput::Resource r;
    r.type = "shop.Order";
    r.id = std::to_string(order);
    int rest = order;
    for (const char* attribute : kAttributes) {
      WireValue value;
      value.kind = WireValue::Kind::kBool;
      value.boolean = rest % 3 == kT;
      if (rest % 3 != kUnknown) r.fields.push_back({attribute, value});
      rest /= 3;
    }
    facts.resources.push_back(std::move(r));
  }
  return facts;
}

// What the engine answers, for every case; made once.
const std::vector<Reason>& Answers() {
  static const std::vector<Reason> answers = [] {
    std::vector<Reason> out(kCases, Reason::kErrorInternal);
    FactsInput facts = Facts();
    std::array<MemoryStore, 4> stores;  // the first grant revoked; the second; both
    for (size_t i = 0; i < 4; ++i) {
      if (i & 1) stores[i].Revoke(RevokedKind::kGrant, "small.g1", std::nullopt);
      if (i & 2) stores[i].Revoke(RevokedKind::kGrant, "small.g2", std::nullopt);
    }
    std::array<WireValue, 3> money, properties;
    std::array<WireMember, 3> members;
    std::array<std::string, 3> texts;
    for (size_t i = 0; i < 3; ++i) {
      texts[i] = std::to_string(kAmounts[i]) + " USD";
      money[i].kind = WireValue::Kind::kString;
      money[i].text = texts[i];
      members[i] = {"amount", money[i]};
      properties[i].kind = WireValue::Kind::kObject;
      properties[i].count = 1;
      properties[i].members = &members[i];
    }
    Caller caller = Caller::Everything("test");
    Scratch scratch;
    // The members behind the amount are those of the policy and the state: one snapshot for each.
    const int per_policy = 243 * 3, outer = kCases / per_policy;
    for (int p = 0; p < outer; ++p) {
      Model m = CaseOf(p * per_policy);
      std::shared_ptr<const Program> program = ProgramFor(m);
      if (program == nullptr) return out;
      Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, facts, kNow);
      EXPECT_TRUE(snapshot.ok());
      if (!snapshot.ok()) return out;
      MemoryStore& store = stores[static_cast<size_t>(m.revoked1 + 2 * m.revoked2)];
      for (int i = 0; i < per_policy; ++i) {
        std::string id = std::to_string(i % 243);
        Request r;
        r.subject_type = "person";
        r.subject_id = "E1";
        r.action = "pay";
        r.action_properties = &properties[static_cast<size_t>(i / 243)];
        r.resource_type = "shop.Order";
        r.resource_id = id;
        r.caller = &caller;
        out[static_cast<size_t>(p * per_policy + i)] =
            Decide(**snapshot, &store, r, kNow, &scratch).reason;
      }
    }
    return out;
  }();
  return answers;
}

// ---------------------------------------------------------------- laws

struct Breaches {
  int unknown_resolved = 0;  // a ⊥ became T or F, and a permit went
  int grant_ended = 0;       // a grant was revoked or expired, and a permit came
  int permits = 0;
};

template <class PermitAt>
Breaches BreachesOf(PermitAt permit) {
  Breaches out;
  for (int i = 0; i < kCases; ++i) {
    bool permitted = permit(i);
    out.permits += permitted ? 1 : 0;
    Model m = CaseOf(i);
    if (permitted) {
      for (size_t member = 0; member < 5; ++member) {
        if (m.*kMembers[member] != kUnknown) continue;
        for (Tri known : {kF, kT}) {
          Model other = m;
          other.*kMembers[member] = known;
          out.unknown_resolved += permit(IndexOf(other)) ? 0 : 1;
        }
      }
    }
    for (int Model::*end :
         {&Model::expired1, &Model::expired2, &Model::revoked1, &Model::revoked2}) {
      if (m.*end != 0 || permitted) continue;
      Model other = m;
      other.*end = 1;
      out.grant_ended += permit(IndexOf(other)) ? 1 : 0;
    }
  }
  return out;
}

TEST(SmallModel, EveryCaseIsCounted) {
  for (int i = 0; i < kCases; i += 7) ASSERT_EQ(IndexOf(CaseOf(i)), i);
}

TEST(SmallModel, TheEngineAnswersEveryCaseAsTheReference) {
  int wrong = 0;
  for (int i = 0; i < kCases && wrong < 3; ++i) {
    Model m = CaseOf(i);
    Reason want = Reference(m, {}), got = Answers()[static_cast<size_t>(i)];
    if (want == got) continue;
    ++wrong;
    std::string what;
    for (int Model::*member : kMembers) what += " " + std::to_string(m.*member);
    ADD_FAILURE() << "case" << what << ": " << ReasonCode(got) << " instead of "
                  << ReasonCode(want);
  }
}

TEST(SmallModel, BothLawsHoldInTheEngine) {
  Breaches b =
      BreachesOf([](int i) { return Answers()[static_cast<size_t>(i)] == Reason::kPermit; });
  EXPECT_EQ(b.unknown_resolved, 0);
  EXPECT_EQ(b.grant_ended, 0);
  EXPECT_GT(b.permits, 5'000);
  std::printf("%d permits\n", b.permits);
}

struct Plant {
  const char* name;
  Mistake mistake;
  bool breaks_first, breaks_second;
};
class SmallModelMistake : public ::testing::TestWithParam<Plant> {};

TEST_P(SmallModelMistake, IsFound) {
  const Plant& plant = GetParam();
  Breaches b =
      BreachesOf([&](int i) { return Reference(CaseOf(i), plant.mistake) == Reason::kPermit; });
  EXPECT_EQ(b.unknown_resolved > 0, plant.breaks_first) << b.unknown_resolved;
  EXPECT_EQ(b.grant_ended > 0, plant.breaks_second) << b.grant_ended;
  int differs = 0;
  for (int i = 0; i < kCases; ++i)
    differs += Reference(CaseOf(i), plant.mistake) == Answers()[static_cast<size_t>(i)] ? 0 : 1;
  EXPECT_GT(differs, 0);
  std::printf("breaches %d and %d, other answers %d\n", b.unknown_resolved, b.grant_ended, differs);
}

INSTANTIATE_TEST_SUITE_P(
    SmallModel, SmallModelMistake,
    ::testing::Values(
        Plant{"LimitsOfAddingGrantsOnly",
              {.limits_of_true_only = true, .limits_of_live_only = true},
              true,
              true},
        Plant{"LimitsOfTrueGrantsOnly", {.limits_of_true_only = true}, true, false},
        Plant{"LimitsOfLiveGrantsOnly", {.limits_of_live_only = true}, false, true},
        Plant{"SupersededByAGrantThatMerelyBites", {.superseded_by_biting = true}, true, false},
        // Breaks neither law, so it is found by difference alone (closing rule 23).
        Plant{"SupersededByADeadGrant", {.superseded_by_dead = true}, false, false},
        Plant{"UnlessLiftsOnUnknown", {.unless_lifts_on_unknown = true}, true, false},
        Plant{"MustBeLimitedMetByAnUnknownLimit", {.bounded_by_unknown = true}, true, false}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace dpl
