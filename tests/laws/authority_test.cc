// Laws of who may do what: nothing without a grant, nothing against a forbid, nothing through an
// agent that the person, the agent's own reach, the delegation and the task do not all allow, and
// nothing after a revocation. Over generated policies, facts and questions, through the engine.
#include <algorithm>
#include <map>
#include <regex>

#include <gtest/gtest.h>

#include "tests/laws/asked.h"

namespace dpl::laws {
namespace {

using gen::Ask;
using gen::PolicyText;

// The policy without the statements that `drop` names.
PolicyText Without(const PolicyText& policy, const std::function<bool(const std::string&)>& drop) {
  PolicyText out = policy;
  std::erase_if(out.blocks, drop);
  return out;
}

// Every `may …` line of the block replaced by one that reaches next to nothing.
std::string Shrunk(const std::string& block) {
  std::string out;
  bool first = true;
  for (size_t at = 0, end = 0; at < block.size(); at = end + 1) {
    end = block.find('\n', at);
    std::string line = block.substr(at, end - at);
    if (!line.starts_with("  may ")) {
      out += line + "\n";
    } else if (std::exchange(first, false)) {
      out += "  may list on app.Project\n";
    }
  }
  return out;
}

TEST(Law, DenyByDefault) {
  int permits = 0, without = 0;
  ForCases(60, [&](Case& c) {
    Engine engine(c, c.compiled->program);
    std::unique_ptr<gen::Compiled> none = c.Compile(Without(c.policy, [](const std::string& b) {
      return IsKind(b, "grant") || IsKind(b, "break_glass");
    }));
    ASSERT_NE(none, nullptr);
    Engine bare(c, none->program);
    std::map<std::set<std::string>, std::unique_ptr<Engine>> fewer;
    for (const Ask& ask : c.asks) {
      EXPECT_FALSE(bare.Put(ask, c.Now()).permit()) << Describe(ask);
      Answer a = engine.Put(ask, c.Now());
      if (!a.permit()) continue;
      ++permits;
      ASSERT_FALSE(a.grants.empty()) << Describe(ask);
      // Without those that granted it, nobody does.
      std::unique_ptr<Engine>& rest = fewer[a.grants];
      if (rest == nullptr) {
        std::unique_ptr<gen::Compiled> less =
            c.Compile(Without(c.policy, [&](const std::string& b) {
              return IsKind(b, "grant") && a.grants.contains("gen.p." + NameOf(b));
            }));
        if (less == nullptr) continue;  // another grant names one of them
        rest = std::make_unique<Engine>(c, less->program);
      }
      ++without;
      EXPECT_FALSE(rest->Put(ask, c.Now()).permit()) << Describe(ask);
    }
  });
  EXPECT_GT(permits, 200);
  EXPECT_GT(without, 100);
}

TEST(Law, ForbidBeatsGrant) {
  int permits = 0, narrow = 0;
  ForCases(60, [&](Case& c) {
    Engine engine(c, c.compiled->program);
    std::unique_ptr<gen::Compiled> all = c.With(
        "forbid stop {\n  covers any action on everything in app\n  covers any action on "
        "everything in bank\n  because \"Nothing goes\"\n}\n");
    ASSERT_NE(all, nullptr);
    Engine stopped(c, all->program);
    // One thing is forbidden: what asks for it is denied, all else is as it was.
    const Ask& about = c.asks[0];
    std::unique_ptr<gen::Compiled> one;
    if (about.type == "app.Doc" && about.id.starts_with("d"))
      one = c.With("forbid stop {\n  covers any action on app.Doc \"" + about.id +
                   "\"\n  because \"Not this one\"\n}\n");
    std::optional<Engine> most;
    if (one != nullptr) most.emplace(c, one->program);
    for (const Ask& ask : c.asks) {
      Answer a = engine.Put(ask, c.Now());
      Answer b = stopped.Put(ask, c.Now());
      EXPECT_FALSE(b.permit()) << Describe(ask);
      permits += a.permit() ? 1 : 0;
      if (a.permit()) {
        EXPECT_EQ(b.reason, Reason::kForbidden) << Describe(ask);
      }
      if (!most) continue;
      Answer m = most->Put(ask, c.Now());
      if (ask.type == about.type && ask.id == about.id) {
        narrow += a.permit() ? 1 : 0;
        EXPECT_FALSE(m.permit()) << Describe(ask);
      } else {
        EXPECT_EQ(m, a) << Describe(ask);
      }
    }
  });
  EXPECT_GT(permits, 200);
  EXPECT_GT(narrow, 10);
}

// What an agent may do for a person, the person may do alone.
TEST(Law, ADelegateNeverExceedsItsDelegator) {
  int permits = 0, unknown = 0;
  ForCases(150, [&](Case& c) {
    Engine engine(c, c.compiled->program);
    for (Ask ask : c.asks) {
      if (ask.hops.empty() || ask.subject_type == "agent") continue;
      ask.caller = 0;
      if (!engine.Put(ask, c.Now()).permit()) continue;
      ++permits;
      Ask alone = ask;
      alone.hops.clear();
      alone.task.clear();
      Answer a = engine.Put(alone, c.Now());
      // A count kept for each agent, run or task cannot be kept for a person alone.
      if (a.reason == Reason::kLimitUnknown) {
        ++unknown;
        EXPECT_TRUE(
            std::regex_search(c.policy.Text(), std::regex("for each [^\n]*(agent|instance|task)")));
        continue;
      }
      EXPECT_TRUE(a.permit()) << Describe(ask) << "\nalone: " << ReasonCode(a.reason);
    }
  });
  EXPECT_GT(permits, 50);
  EXPECT_LT(unknown * 5, permits);
}

// The statement of one agent, delegation or task reaches next to nothing: so does who acts by it.
int Bounded(const char* keyword, int cases,
            const std::function<std::set<std::string>(const Case&, const Ask&)>& bounds) {
  int permits = 0;
  ForCases(cases, [&](Case& c) {
    Engine engine(c, c.compiled->program);
    std::map<std::string, std::unique_ptr<Engine>> shrunk;
    for (const Ask& ask : c.asks) {
      std::set<std::string> names = bounds(c, ask);
      if (names.empty() || ask.type == "app.Project" || !engine.Put(ask, c.Now()).permit())
        continue;
      for (const std::string& name : names) {
        auto [at, fresh] = shrunk.try_emplace(name);
        if (fresh) {
          PolicyText less = c.policy;
          for (std::string& b : less.blocks) {
            if (IsKind(b, keyword) && (name == "*" || "gen.p." + NameOf(b) == name)) b = Shrunk(b);
          }
          std::unique_ptr<gen::Compiled> compiled = c.Compile(less);
          if (compiled != nullptr) at->second = std::make_unique<Engine>(c, compiled->program);
        }
        if (at->second == nullptr) continue;
        ++permits;
        EXPECT_FALSE(at->second->Put(ask, c.Now()).permit()) << name << ": " << Describe(ask);
      }
    }
  });
  return permits;
}

TEST(Law, ADelegateNeverExceedsItsAgentsCeiling) {
  EXPECT_GT(Bounded("agent", 80,
                    [](const Case&, const Ask& ask) {
                      std::set<std::string> out;
                      for (const Ask::Hop& hop : ask.hops) {
                        if (!hop.is_person && !OfPartner(ask)) out.insert(hop.agent);
                      }
                      return out;
                    }),
            30);
}

TEST(Law, ADelegateNeverExceedsItsTask) {
  EXPECT_GT(Bounded("task", 220,
                    [](const Case& c, const Ask& ask) {
                      std::set<std::string> out;
                      for (const FactsInput::Task& t : c.tasks) {
                        if (t.id == ask.task && ThroughOthers(ask)) out.insert(t.shape);
                      }
                      return out;
                    }),
            8);
}

TEST(Law, ADelegateNeverExceedsItsDelegation) {
  int permits = 0;
  ForCases(90, [&](Case& c) {
    Engine engine(c, c.compiled->program);
    std::unique_ptr<gen::Compiled> none =
        c.Compile(Without(c.policy, [](const std::string& b) { return IsKind(b, "delegation"); }));
    ASSERT_NE(none, nullptr);
    Engine bare(c, none->program);
    for (const Ask& ask : c.asks) {
      bool receives = ask.subject_type == "agent" ? ask.hops.size() > 1 : ThroughOthers(ask);
      Answer with = engine.Put(ask, c.Now()), without = bare.Put(ask, c.Now());
      if (!receives) {
        EXPECT_EQ(with, without) << Describe(ask);
        continue;
      }
      permits += with.permit() ? 1 : 0;
      EXPECT_FALSE(without.permit()) << Describe(ask);
      if (with.permit()) {
        EXPECT_EQ(without.reason, Reason::kDelegationNone) << Describe(ask);
      }
    }
  });
  EXPECT_GT(permits, 30);
}

TEST(Law, RevocationWins) {
  std::map<RevokedKind, int> wins;
  int others = 0;
  ForCases(160, [&](Case& c) {
    Engine engine(c, c.compiled->program);
    auto revoked = [&](const Ask& ask, std::vector<std::pair<RevokedKind, std::string>> what) {
      return engine.Put(ask, c.Now(), {.revoked = std::move(what)});
    };
    std::vector<std::pair<RevokedKind, std::string>> delegations;
    for (const std::string& name : c.compiled->Names(StatementKind::kDelegation))
      delegations.emplace_back(RevokedKind::kDelegation, name);
    for (const Ask& ask : c.asks) {
      Answer a = engine.Put(ask, c.Now());
      auto must = [&](RevokedKind kind, std::vector<std::pair<RevokedKind, std::string>> what) {
        Answer b = revoked(ask, std::move(what));
        EXPECT_FALSE(b.permit()) << static_cast<int>(kind) << " " << Describe(ask);
        if (a.permit()) ++wins[kind];
      };
      if (OfPartner(ask)) {
        // Without terms with that partner, or without proof of coming from it, they are the public.
        bool proven =
            ask.subject_type != "partner:nobody" && !ask.issuer.starts_with("https://else");
        for (const std::string& partner : c.compiled->Names(StatementKind::kPartner)) {
          if (proven) must(RevokedKind::kPartner, {{RevokedKind::kPartner, partner}});
        }
      } else if (ask.subject_type == "person") {
        must(RevokedKind::kPerson, {{RevokedKind::kPerson, ask.subject_id}});
      }
      for (const Ask::Hop& hop : ask.hops) {
        if (OfPartner(ask)) break;
        if (hop.is_person) {
          must(RevokedKind::kPerson, {{RevokedKind::kPerson, hop.agent}});
          continue;
        }
        must(RevokedKind::kAgent, {{RevokedKind::kAgent, hop.agent}});
        must(RevokedKind::kInstance, {{RevokedKind::kInstance, hop.agent + "/" + hop.instance}});
      }
      if (!ask.task.empty() && ThroughOthers(ask))
        must(RevokedKind::kTask, {{RevokedKind::kTask, ask.task}});
      if (ThroughOthers(ask) && ask.subject_type != "agent")
        must(RevokedKind::kDelegation, delegations);
      if (a.permit()) {
        std::vector<std::pair<RevokedKind, std::string>> all;
        for (const std::string& g : a.grants) all.emplace_back(RevokedKind::kGrant, g);
        must(RevokedKind::kGrant, all);
        // One of several: the others may still permit, this one has no part in it.
        Answer b = revoked(ask, {all[0]});
        if (b.permit()) {
          ++others;
          EXPECT_FALSE(b.grants.contains(all[0].second));
        }
      } else {
        // And none ever helps anybody.
        for (const std::string& g : c.compiled->Names(StatementKind::kGrant))
          EXPECT_FALSE(revoked(ask, {{RevokedKind::kGrant, g}}).permit()) << g << Describe(ask);
        EXPECT_FALSE(revoked(ask, {c.rng.Of(delegations)}).permit()) << Describe(ask);
      }
    }
  });
  for (RevokedKind kind :
       {RevokedKind::kPerson, RevokedKind::kAgent, RevokedKind::kInstance, RevokedKind::kTask,
        RevokedKind::kGrant, RevokedKind::kDelegation, RevokedKind::kPartner})
    EXPECT_GT(wins[kind], 8) << static_cast<int>(kind);
  EXPECT_GT(others, 10);
}

}  // namespace
}  // namespace dpl::laws
