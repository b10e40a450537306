// Laws of going one way only: a tighter policy, a fact that can no longer be told, a date that has
// passed never add a permit. Over generated policies, facts and questions, through the engine.
#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

#include "tests/laws/asked.h"

namespace dpl::laws {
namespace {

using gen::Ask;
using gen::PolicyText;
using gen::Rng;

// ---------------------------------------------------------------- tightening

// Makes one statement tighter, or adds one that only takes away; false: this policy has none to
// tighten.
using Tighten = bool (*)(Case&, PolicyText*);

std::string* Pick(Case& c, PolicyText* p, const std::function<bool(const std::string&)>& fits) {
  std::vector<std::string*> some;
  for (std::string& b : p->blocks) {
    if (fits(b)) some.push_back(&b);
  }
  return some.empty() ? nullptr : c.rng.Of(some);
}
bool Has(const std::string& block, const char* text) {
  return block.find(text) != std::string::npos;
}
// A statement that states a limit or asks for an approval takes that with it when it goes: such a
// change is not a tightening.
bool OnlyAdds(const std::string& block) { return !Has(block, " limit ") && !Has(block, ", ask "); }

bool DropBlock(Case& c, PolicyText* p, const std::function<bool(const std::string&)>& fits) {
  std::string* b = Pick(c, p, fits);
  if (b == nullptr) return false;
  p->blocks.erase(p->blocks.begin() + (b - p->blocks.data()));
  return true;
}
bool DropLine(Case& c, PolicyText* p, const char* keyword, const std::string& start, int least) {
  auto lines = [&](const std::string& b) {
    std::vector<size_t> out;
    for (size_t at = 0; (at = b.find("\n  " + start, at)) != std::string::npos; ++at)
      out.push_back(at);
    return out;
  };
  std::string* b = Pick(c, p, [&](const std::string& s) {
    return IsKind(s, keyword) && static_cast<int>(lines(s).size()) >= least && !Has(s, ", ask ");
  });
  if (b == nullptr) return false;
  size_t at = c.rng.Of(lines(*b));
  b->erase(at, b->find('\n', at + 1) - at);
  return true;
}
bool AddLine(Case& c, PolicyText* p, const char* keyword, const std::string& line,
             const char* without) {
  std::string* b =
      Pick(c, p, [&](const std::string& s) { return IsKind(s, keyword) && !Has(s, without); });
  if (b == nullptr) return false;
  b->insert(b->rfind("  because"), line);
  return true;
}
// A statement of another policy over the same schema, under a name of its own.
bool AddFromAnother(Case& c, PolicyText* p, const char* keyword) {
  Rng rng(c.seed + 7'000'000);
  for (int i = 0; i < 20; ++i) {
    PolicyText other = gen::MakePolicy(&rng, *c.v);
    std::string* b = Pick(c, &other, [&](const std::string& s) { return IsKind(s, keyword); });
    if (b == nullptr) continue;
    b->insert(b->find(' ') + 1, "extra_");
    p->blocks.push_back(*b);
    return true;
  }
  return false;
}
bool Replace(Case& c, PolicyText* p, const char* keyword, const std::string& pattern,
             const std::string& by) {
  std::regex find(pattern);
  std::string* b = Pick(
      c, p, [&](const std::string& s) { return IsKind(s, keyword) && std::regex_search(s, find); });
  if (b == nullptr) return false;
  *b = std::regex_replace(*b, find, by, std::regex_constants::format_first_only);
  return true;
}

struct Way {
  const char* name;
  Tighten tighten;
  int least;  // permits that this way must take away, over all cases: else it was not tried
};

class Tightening : public ::testing::TestWithParam<Way> {};

// Ten permits in a row on one state, so that what is counted shows as well.
TEST_P(Tightening, NeverAddsAPermit) {
  int tried = 0, lost = 0;
  // What few requests depend on needs more policies to show.
  ForCases(GetParam().least <= 1 ? 600 : 45, [&](Case& c) {
    PolicyText tighter = c.policy;
    if (!GetParam().tighten(c, &tighter)) return;
    std::unique_ptr<gen::Compiled> compiled = c.Compile(tighter);
    if (compiled == nullptr) return;
    Engine loose(c, c.compiled->program), tight(c, compiled->program);
    ++tried;
    for (const Ask& ask : c.asks) {
      Given given{.born_before_us = 5 * kMicrosPerMinute, .times = 4};
      Answer before = loose.Put(ask, c.Now(), given), after = tight.Put(ask, c.Now(), given);
      EXPECT_LE(after.permits, before.permits) << Describe(ask) << "\n" << tighter.Text();
      lost += before.permits - after.permits;
    }
  });
  EXPECT_GT(tried, 10);
  EXPECT_GE(lost, GetParam().least);
  std::printf("%d policies, %d permits lost\n", tried, lost);
}

const Way kWays[] = {
    {"DropAGrant",
     [](Case& c, PolicyText* p) {
       return DropBlock(c, p,
                        [](const std::string& b) { return IsKind(b, "grant") && OnlyAdds(b); });
     },
     60},
    {"EndAGrant",
     [](Case& c, PolicyText* p) {
       return AddLine(c, p, "grant", "  expires 2026-01-06\n", "expires");
     },
     90},
    {"ReviewAGrant",
     [](Case& c, PolicyText* p) {
       return AddLine(c, p, "grant", "  imported from \"somewhere\"\n", "review");
     },
     8},
    {"AddAForbid", [](Case& c, PolicyText* p) { return AddFromAnother(c, p, "forbid"); }, 50},
    {"DropUnless", [](Case& c, PolicyText* p) { return DropLine(c, p, "forbid", "unless ", 1); },
     15},
    {"WidenAForbid",
     [](Case& c, PolicyText* p) { return Replace(c, p, "forbid", " where [^\n]*", ""); }, 12},
    {"AddALimit", [](Case& c, PolicyText* p) { return AddFromAnother(c, p, "limit"); }, 3},
    {"LowerACap",
     [](Case& c, PolicyText* p) {
       return Replace(c, p, "grant", "limit amount to [0-9_.]+ USD", "limit amount to 20 USD");
     },
     60},
    {"LowerABlocksCap",
     [](Case& c, PolicyText* p) {
       return Replace(c, p, "limit", "cap requests to [0-9]+", "cap requests to 1");
     },
     30},
    {"DropADelegation",
     [](Case& c, PolicyText* p) {
       return DropBlock(
           c, p, [](const std::string& b) { return IsKind(b, "delegation") && OnlyAdds(b); });
     },
     12},
    {"DropOnward",
     [](Case& c, PolicyText* p) { return DropLine(c, p, "delegation", "onward ", 1); }, 1},
    {"ShortenADelegation",
     [](Case& c, PolicyText* p) {
       return Replace(c, p, "delegation", "lasts at most [0-9]+[mh]", "lasts at most 1m");
     },
     8},
    {"AskConsentEachTime",
     [](Case& c, PolicyText* p) {
       return Replace(c, p, "delegation", "consent by policy", "consent every 1h");
     },
     10},
    {"DropAMayOfAnAgent", [](Case& c, PolicyText* p) { return DropLine(c, p, "agent", "may ", 2); },
     5},
    {"ShortenATask",
     [](Case& c, PolicyText* p) {
       return Replace(c, p, "task", "lasts at most [0-9]+h", "lasts at most 1m");
     },
     3},
    {"Separate", [](Case& c, PolicyText* p) { return AddFromAnother(c, p, "separate"); }, 3},
};

INSTANTIATE_TEST_SUITE_P(Law, Tightening, ::testing::ValuesIn(kWays),
                         [](const auto& test) { return std::string(test.param.name); });

// ---------------------------------------------------------------- errors

// `is known` tells a value from its absence, and an optional value may be absent: there a missing
// fact is data, not an error. What is left has no such statement.
void NothingAsksWhatIsKnown(PolicyText* p) {
  std::erase_if(p->blocks,
                [](const std::string& b) { return Has(b, "is known") || Has(b, "is not known"); });
  for (std::string& part : p->head) {  // a role on a condition
    if (!Has(part, "is known") && !Has(part, "is not known")) continue;
    size_t at = part.find("  where ");
    part.replace(at, part.rfind(" }") - at, "  where person.cost_center == \"a\"");
  }
}

// A fact that must be there, so that without it what reads it is ⊥.
bool MustBeThere(const std::vector<gen::Attr>& attrs, const std::string& name) {
  for (const gen::Attr& a : attrs) {
    if (a.name == name)
      return !a.optional && !a.from_request && a.fallback.empty() && a.type != gen::T::kStrings &&
             a.type != gen::T::kPersons && a.type != gen::T::kRegions;
  }
  return false;
}

// The facts without one of them, or without one feed.
using Lose = bool (*)(Case&, FactsInput*);
struct Loss {
  const char* name;
  Lose lose;
  int least;
};
bool DropField(Case& c, std::vector<FactsInput::Field>* fields,
               const std::vector<gen::Attr>& attrs) {
  std::vector<size_t> some;
  for (size_t f = 0; f < fields->size(); ++f) {
    if (MustBeThere(attrs, (*fields)[f].name)) some.push_back(f);
  }
  if (some.empty()) return false;
  fields->erase(fields->begin() + static_cast<long>(c.rng.Of(some)));
  return true;
}

const std::vector<gen::Attr>& AttributesOf(const Case& c, const FactsInput::Resource& r) {
  return r.type == "app.Doc"      ? c.v->doc
         : r.type == "bank.Order" ? c.v->order
         : r.type == "app.File"   ? c.v->file
                                  : c.v->project;
}
FactsInput::Resource* Any(Case& c, FactsInput* f) {
  if (f->resources.empty()) return nullptr;
  return &f->resources[static_cast<size_t>(c.rng.Below(static_cast<int>(f->resources.size())))];
}
class Losing : public ::testing::TestWithParam<Loss> {};

TEST_P(Losing, AnErrorNeverWidens) {
  int tried = 0, changed = 0;
  ForCases(
      90,
      [&](Case& c) {
        FactsInput fewer = c.world.facts;
        bool lost = false;
        for (int i = 0; i < 12; ++i) lost = GetParam().lose(c, &fewer) || lost;
        if (!lost) return;
        Engine whole(c, c.compiled->program), broken(c, c.compiled->program, fewer);
        if (!broken.ok()) return;
        ++tried;
        for (Ask ask : c.asks) {
          // Where nobody has the fact, the word of a caller who may say it counts: no error either.
          ask.said_resource = gen::WireObject({}, c.world.facts.arena.get());
          // What is made must not be there already: there a fact that goes opens a door by design.
          if (ask.action == "add") continue;
          Given given{.times = 3};
          Answer before = whole.Put(ask, c.Now(), given), after = broken.Put(ask, c.Now(), given);
          changed += before.reason == after.reason ? 0 : 1;
          EXPECT_LE(after.permits, before.permits) << Describe(ask);
        }
      },
      NothingAsksWhatIsKnown);
  EXPECT_GT(tried, 5);
  EXPECT_GE(changed, GetParam().least);
  std::printf("%d policies, %d other answers\n", tried, changed);
}

const Loss kLosses[] = {
    {"AttributesOfPersons",
     [](Case& c, FactsInput* f) {
       return DropField(c, &f->persons[static_cast<size_t>(c.rng.Below(6))].fields, c.v->person);
     },
     20},
    {"AttributesOfResources",
     [](Case& c, FactsInput* f) {
       FactsInput::Resource* r = Any(c, f);
       return r != nullptr && DropField(c, &r->fields, AttributesOf(c, *r));
     },
     6},
    {"WholeResources",
     [](Case& c, FactsInput* f) {
       FactsInput::Resource* r = Any(c, f);
       if (r == nullptr) return false;
       f->resources.erase(f->resources.begin() + (r - f->resources.data()));
       return true;
     },
     60},
    {"Parents",
     [](Case& c, FactsInput* f) {
       FactsInput::Resource* r = Any(c, f);
       if (r == nullptr || r->parent_id.empty() || r->type != "app.Doc") return false;
       r->parent_id.clear();
       r->parent_type.clear();
       return true;
     },
     6},
    {"TheMembershipFeed",
     [](Case&, FactsInput* f) {
       f->has_memberships = false;
       f->members.clear();
       return true;
     },
     200},
    {"TheResourceFeed",
     [](Case&, FactsInput* f) {
       f->has_resources = false;
       f->resources.clear();
       return true;
     },
     200},
    {"TheAccountFeed",
     [](Case&, FactsInput* f) {
       f->has_accounts = false;
       f->accounts.clear();
       return true;
     },
     200},
    {"FreshFeeds",
     [](Case& c, FactsInput* f) {
       if (c.v->source_within.empty()) return false;
       f->as_of = Instant{c.world.start.us - 900 * kMicrosPerDay};
       return true;
     },
     200},
};
INSTANTIATE_TEST_SUITE_P(Law, Losing, ::testing::ValuesIn(kLosses),
                         [](const auto& test) { return std::string(test.param.name); });

// ---------------------------------------------------------------- expiry

// From its end on a grant is as good as revoked, before it as if it had none; and never again.
TEST(Law, ExpiryIsMonotone) {
  int before = 0, ended = 0;
  ForCases(80, [&](Case& c) {
    // The day of the questions, in the package's zone, is within a day of this one.
    std::string day = FormatInstant(c.world.start).substr(0, 10);
    std::vector<size_t> some;
    for (size_t b = 0; b < c.policy.blocks.size(); ++b) {
      if (IsKind(c.policy.blocks[b], "grant") && !Has(c.policy.blocks[b], "expires"))
        some.push_back(b);
    }
    if (some.empty()) return;
    PolicyText ending = c.policy;
    std::string& grant = ending.blocks[c.rng.Of(some)];
    std::string name = "gen.p." + NameOf(grant);
    grant.insert(grant.rfind("  because"), "  expires " + day + "\n");
    std::unique_ptr<gen::Compiled> compiled = c.Compile(ending);
    if (compiled == nullptr) return;
    Engine open(c, c.compiled->program), ends(c, compiled->program);
    for (const Ask& ask : c.asks) {
      for (int hours : {-50, -30, 30, 31, 50, 500}) {
        Instant now{c.world.start.us + hours * kMicrosPerHour};
        Answer without = open.Put(ask, now), with = ends.Put(ask, now);
        if (hours < 0) {
          before += without.permit() ? 1 : 0;
          EXPECT_EQ(without, with) << hours << Describe(ask);
          continue;
        }
        Answer revoked = open.Put(ask, now, {.revoked = {{RevokedKind::kGrant, name}}});
        EXPECT_FALSE(with.grants.contains(name) && with.permit());
        ended += without.outcome == with.outcome ? 0 : 1;
        EXPECT_EQ(with.outcome, revoked.outcome) << hours << Describe(ask);
        EXPECT_LE(with.permits, without.permits) << hours << Describe(ask);
      }
    }
  });
  EXPECT_GT(before, 300);
  EXPECT_GT(ended, 50);
}

// The older a run and what was lent to it, the less it may: where no condition reads the clock.
TEST(Law, AgeNeverAddsAPermit) {
  int young = 0, lost = 0;
  ForCases(150, [&](Case& c) {
    Engine engine(c, c.compiled->program);
    for (const Ask& ask : c.asks) {
      if (ask.hops.empty()) continue;
      int permits = 1;
      for (int64_t minutes : {0, 20, 50, 100, 200, 300, 1900}) {
        Answer a = engine.Put(ask, c.Now(), {.born_before_us = minutes * kMicrosPerMinute});
        if (minutes == 0) young += a.permits;
        lost += a.permits < permits && minutes != 0 ? 1 : 0;
        EXPECT_LE(a.permits, permits) << minutes << Describe(ask);
        permits = a.permits;
      }
    }
  });
  EXPECT_GT(young, 80);
  EXPECT_GT(lost, 40);
}

}  // namespace
}  // namespace dpl::laws
