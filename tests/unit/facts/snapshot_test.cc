// Snapshots of good facts: names, attributes, membership, roles, containment, accounts, approvers,
// freshness.
#include "runtime/facts/snapshot.h"

#include <set>

#include <gtest/gtest.h>

#include "runtime/base/ip.h"
#include "tests/unit/facts/policy_for_test.h"

namespace dpl {
namespace {

constexpr Instant kForever{INT64_MAX};
Instant Noon() { return At("2026-11-20T12:00Z"); }

std::string Show(const Value& v, const Schema& schema) {
  std::string out;
  AppendValue(&out, v, schema);
  return out;
}

class Facts : public testing::Test {
 protected:
  const Snapshot& Load(std::string_view json, Instant built_at = Noon()) {
    Result<std::unique_ptr<Snapshot>> snapshot = Join(policy, json, built_at);
    EXPECT_TRUE(snapshot.ok()) << snapshot.error().message;
    if (snapshot.ok()) kept_ = snapshot.take();
    return *kept_;
  }
  PolicyForTest policy;

 private:
  std::unique_ptr<Snapshot> kept_;
};

TEST_F(Facts, AttributesOfEveryType) {
  const Snapshot& s =
      Load(R"({"resources": [{"type": "app.Doc", "id": "d1", "parent": "A", "attributes": {
    "title": "Plan", "size": 5e2, "ratio": 0.250, "price": "5.00 USD", "public": true, "day": "2026-11-20",
    "opened": "2026-11-20T15:00+01:00", "hour": "09:30", "keep": "2h30m", "class": "internal", "ownerID": "E1",
    "viewers": ["E2", {"type": "person", "id": "E1"}, "E2"], "labels": {"tier": "prod", "a": "b"},
    "path": "/srv/out/", "ip": "10.0.0.0/8", "team": "marketing", "note": null, "limit": {"minor": 5, "currency": "EUR"},
    "links": ["B", {"type": "app.Folder", "id": "A"}],
    "prices": ["2.00 USD", {"amount": "1.00", "currency": "EUR"}]}}]})");
  const Entity* doc = s.FindResource(policy.doc, "d1");
  ASSERT_NE(doc, nullptr);
  ASSERT_TRUE(doc->loaded);
  const char* expected[] = {"\"Plan\"",
                            "500",
                            "0.25",
                            "5.00 USD",
                            "true",
                            "2026-11-20",
                            "2026-11-20T14:00:00Z",
                            "09:30",
                            "2h30m",
                            "internal",
                            "person \"E1\"",
                            "{person \"E1\", person \"E2\"}",
                            "{\"a\": \"b\", \"tier\": \"prod\"}",
                            "\"/srv/out\"",
                            "10.0.0.0/8",
                            "team acme.marketing",
                            "absent",
                            "0.05 EUR",
                            "{app.Folder \"A\", app.Folder \"B\"}",
                            "{1.00 EUR, 2.00 USD}"};
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(Show(doc->attributes[i], s.program().schema), expected[i]) << i;
  }
  EXPECT_EQ(doc->parent, s.FindResource(policy.folder, "A"));
}

TEST_F(Facts, WhatNobodyGaveStaysUnset) {
  const Snapshot& s = Load(R"({"resources": [{"type": "app.Doc", "id": "d1"}]})");
  const Entity* doc = s.FindResource(policy.doc, "d1");
  for (size_t i = 0; i < s.program().schema.resources[policy.doc].attributes.size(); ++i) {
    EXPECT_EQ(doc->attributes[i].kind, ValueKind::kUnset);
  }
  EXPECT_EQ(doc->parent_state, Entity::Parent::kNoFact);
}

TEST_F(Facts, APersonsRecordOfARecordType) {
  const Snapshot& s = Load(R"({"persons": [{"id": "E1", "attributes": {
    "address": {"street": "High St"}, "joinedOn": "2020-02-29", "level": 7}}]})");
  const Entity* person = s.FindPerson("E1");
  ASSERT_NE(person, nullptr);
  const Value& address = person->attributes[policy.address];
  ASSERT_EQ(address.kind, ValueKind::kRecord);
  EXPECT_EQ(address.items[0].text(), "High St");
  EXPECT_EQ(address.items[1].kind, ValueKind::kAbsent);
  EXPECT_EQ(person->attributes[policy.level].i, 7);
  EXPECT_EQ(person->attributes[policy.joined].kind, ValueKind::kDate);
}

TEST_F(Facts, StatusAndLeaving) {
  const Snapshot& s = Load(R"({"persons": [{"id": "a"}, {"id": "b", "status": "suspended"},
    {"id": "c", "status": "left", "left": "2026-10-01"}]})");
  EXPECT_EQ(s.FindPerson("a")->person->status, PersonStatus::kActive);
  EXPECT_EQ(s.FindPerson("b")->person->status, PersonStatus::kSuspended);
  EXPECT_EQ(s.FindPerson("c")->person->status, PersonStatus::kLeft);
  EXPECT_EQ(s.FindPerson("c")->person->left, At("2026-10-01T00:00Z"));
  EXPECT_EQ(s.FindPerson("A"), nullptr);
}

TEST_F(Facts, LiteralsOfThePolicyAreLinked) {
  uint32_t known = policy.Person("E1"), unknown = policy.Person("E2");
  uint32_t folder = policy.Resource(policy.folder, "A");
  const Snapshot& s =
      Load(R"({"persons": [{"id": "E1"}], "resources": [{"type": "app.Folder", "id": "A"}]})");
  EXPECT_EQ(s.constant(known).entity, s.FindPerson("E1"));
  EXPECT_EQ(s.FindPerson("E1")->person->literal, known);
  EXPECT_TRUE(s.FindPerson("E1")->loaded);
  ASSERT_NE(s.FindPerson("E2"), nullptr);
  EXPECT_EQ(s.constant(unknown).entity, s.FindPerson("E2"));
  EXPECT_FALSE(s.FindPerson("E2")->loaded);
  EXPECT_EQ(s.FindPerson("E2")->attributes, nullptr);
  EXPECT_EQ(s.constant(folder).entity, s.FindResource(policy.folder, "A"));
  EXPECT_EQ(s.FindPerson("E3"), nullptr);
}

TEST_F(Facts, SetsOfLiteralsAreCanonical) {
  uint32_t set = policy.SetK({policy.Text("b"), policy.Text("a"), policy.Text("b")});
  const Snapshot& s = Load("{}");
  EXPECT_EQ(Show(s.constant(set), s.program().schema), "{\"a\", \"b\"}");
}

// ---------------------------------------------------------------- membership

TEST_F(Facts, MembershipIsClosedOverNestedTeams) {
  const Snapshot& s = Load(
      R"({"teams": {"marketing": ["E1", {"person": "E2", "until": "2026-11-20"}, {"team": "interns"}],
    "acme.interns": ["E3"]}})");
  auto in = [&](std::string_view id, uint32_t team, Instant now) {
    return s.InTeam(*s.FindPerson(id), team, now);
  };
  EXPECT_EQ(in("E1", policy.marketing, Noon()), Truth::kTrue);
  EXPECT_EQ(in("E1", policy.staff, Noon()), Truth::kTrue);
  EXPECT_EQ(in("E1", policy.interns, Noon()), Truth::kFalse);
  EXPECT_EQ(in("E3", policy.interns, Noon()), Truth::kTrue);
  EXPECT_EQ(in("E3", policy.marketing, Noon()), Truth::kTrue);
  EXPECT_EQ(in("E3", policy.staff, Noon()), Truth::kTrue);
  EXPECT_EQ(in("E3", policy.sales, Noon()), Truth::kFalse);
}

TEST_F(Facts, ADateUntilLastsToTheEndOfThatDay) {
  const Snapshot& s = Load(R"({"teams": {"interns": [{"person": "E1", "until": "2026-11-20"},
    {"person": "E2", "until": "2026-11-20T12:00Z"}], "marketing": [{"team": "interns", "until": "2026-11-20T18:00Z"}]}})");
  const Entity& one = *s.FindPerson("E1");
  EXPECT_EQ(s.InTeam(one, policy.interns, At("2026-11-20T23:59:59Z")), Truth::kTrue);
  EXPECT_EQ(s.InTeam(one, policy.interns, At("2026-11-21T00:00Z")), Truth::kFalse);
  const Entity& two = *s.FindPerson("E2");
  EXPECT_EQ(s.InTeam(two, policy.interns, At("2026-11-20T11:59:59.999999Z")), Truth::kTrue);
  EXPECT_EQ(s.InTeam(two, policy.interns, At("2026-11-20T12:00Z")), Truth::kFalse);
  // The way through a team lasts as long as its shorter part.
  EXPECT_EQ(s.InTeam(one, policy.marketing, At("2026-11-20T17:59Z")), Truth::kTrue);
  EXPECT_EQ(s.InTeam(one, policy.marketing, At("2026-11-20T18:00Z")), Truth::kFalse);
}

TEST_F(Facts, TheLongestOfSeveralWaysCounts) {
  const Snapshot& s =
      Load(R"({"teams": {"interns": ["E1"], "marketing": [{"person": "E1", "until": "2026-11-01"},
    {"team": "interns", "until": "2027-01-01"}]}})");
  EXPECT_EQ(s.InTeam(*s.FindPerson("E1"), policy.marketing, Noon()), Truth::kTrue);
  ASSERT_EQ(s.FindPerson("E1")->person->teams.size(), 3u);
  for (const Membership& m : s.FindPerson("E1")->person->teams) {
    if (m.team == policy.marketing || m.team == policy.staff) {
      EXPECT_EQ(m.until, At("2027-01-02T00:00Z"));
    }
    if (m.team == policy.interns) {
      EXPECT_EQ(m.until, kForever);
    }
  }
}

TEST_F(Facts, TeamInTeam) {
  const Snapshot& s =
      Load(R"({"teams": {"marketing": [{"team": "interns", "until": "2026-11-20"}]}})");
  EXPECT_EQ(s.TeamInTeam(policy.interns, policy.interns, Noon()), Truth::kTrue);
  EXPECT_EQ(s.TeamInTeam(policy.interns, policy.marketing, Noon()), Truth::kTrue);
  EXPECT_EQ(s.TeamInTeam(policy.interns, policy.staff, Noon()), Truth::kTrue);
  EXPECT_EQ(s.TeamInTeam(policy.interns, policy.staff, At("2026-11-21T00:00Z")), Truth::kFalse);
  EXPECT_EQ(s.TeamInTeam(policy.marketing, policy.interns, Noon()), Truth::kFalse);
  // What the policy itself says needs no feed; what facts say does.
  Instant stale = At("2026-11-22T12:00Z");
  EXPECT_EQ(s.TeamInTeam(policy.marketing, policy.staff, stale), Truth::kTrue);
  EXPECT_EQ(s.TeamInTeam(policy.interns, policy.staff, stale), Truth::kError);
}

TEST_F(Facts, UnloadedOrStaleMembershipsAreUnknown) {
  const Snapshot& unloaded = Load(R"({"persons": [{"id": "E1"}]})");
  EXPECT_EQ(unloaded.InTeam(*unloaded.FindPerson("E1"), policy.staff, Noon()), Truth::kError);
  ErrorKind kind{};
  EXPECT_EQ(
      unloaded.HoldsRole(*unloaded.FindPerson("E1"), policy.purchaser, nullptr, Noon(), &kind),
      Truth::kError);
  EXPECT_EQ(kind, ErrorKind::kMembership);
  const Snapshot& loaded =
      Load(R"({"as_of": "2026-11-20T00:00Z", "persons": [{"id": "E1"}], "teams": {}})");
  EXPECT_EQ(loaded.InTeam(*loaded.FindPerson("E1"), policy.staff, At("2026-11-21T00:00Z")),
            Truth::kFalse);
  EXPECT_EQ(
      loaded.InTeam(*loaded.FindPerson("E1"), policy.staff, At("2026-11-21T00:00:00.000001Z")),
      Truth::kError);
  EXPECT_TRUE(loaded.PersonsFresh(At("2026-11-21T00:00Z")));
  EXPECT_FALSE(loaded.PersonsFresh(At("2026-11-21T00:00:01Z")));
  EXPECT_FALSE(loaded.AccountsLoaded());
  EXPECT_FALSE(loaded.ResourcesLoaded());
}

TEST_F(Facts, AnAbsentFeedIsNotAnEmptyOne) {
  const Snapshot& s = Load(R"({"roles": []})");
  EXPECT_TRUE(s.MembershipsFresh(Noon()));
  EXPECT_FALSE(s.PersonsLoaded());
  EXPECT_FALSE(s.PersonsFresh(Noon()));
  const Snapshot& all = Load(R"({"persons": [], "teams": {}, "accounts": [], "resources": []})");
  EXPECT_TRUE(all.PersonsLoaded() && all.AccountsLoaded() && all.ResourcesLoaded() &&
              all.MembershipsFresh(Noon()));
}

// ---------------------------------------------------------------- roles

TEST_F(Facts, PlainRoles) {
  const Snapshot& s = Load(R"({"teams": {"sales": ["E2"]}, "roles": [
    {"role": "purchaser", "members": ["E1", {"team": "sales", "until": "2026-11-20"}]}]})");
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.purchaser, nullptr, Noon()), Truth::kTrue);
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E2"), policy.purchaser, nullptr, Noon()), Truth::kTrue);
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E2"), policy.purchaser, nullptr, At("2026-11-21T00:00Z")),
            Truth::kFalse);
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.viewer, nullptr, Noon()), Truth::kFalse);
}

TEST_F(Facts, ScopedRolesCountWithinTheirObject) {
  const Snapshot& s = Load(R"({
    "resources": [{"type": "app.Tenant", "id": "T1"}, {"type": "app.Project", "id": "P1", "parent": "T1"},
                  {"type": "app.Project", "id": "P2", "parent": {"type": "app.Tenant", "id": "T2"}},
                  {"type": "app.Project", "id": "P3"}],
    "roles": [{"role": "editor", "in": {"type": "app.Tenant", "id": "T1"}, "members": ["E1"]},
              {"role": "viewer", "in": {"type": "app.Project", "id": "P2"}, "members": ["E2"]}]})");
  auto holds = [&](std::string_view id, uint32_t role, uint32_t type, std::string_view at) {
    return s.HoldsRole(*s.FindPerson(id), role, s.FindResource(type, at), Noon());
  };
  EXPECT_EQ(holds("E1", policy.editor, policy.tenant, "T1"), Truth::kTrue);
  EXPECT_EQ(holds("E1", policy.editor, policy.project, "P1"), Truth::kTrue);
  EXPECT_EQ(holds("E1", policy.viewer, policy.project, "P1"), Truth::kTrue)
      << "included, at the same object";
  EXPECT_EQ(holds("E1", policy.editor, policy.project, "P2"), Truth::kFalse);
  EXPECT_EQ(holds("E1", policy.editor, policy.project, "P3"), Truth::kFalse);
  EXPECT_EQ(holds("E2", policy.viewer, policy.project, "P2"), Truth::kTrue);
  EXPECT_EQ(holds("E2", policy.editor, policy.project, "P2"), Truth::kFalse)
      << "inclusion goes one way";
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.editor, nullptr, Noon()), Truth::kFalse);
}

TEST_F(Facts, ManyScopesOfSeveralTypes) {
  std::string roles, resources;
  for (int i = 0; i < 40; ++i) {
    std::string n = std::to_string(i);
    const char* type = i % 2 == 0 ? "app.Tenant" : "app.Project";
    roles += std::string(i == 0 ? "" : ",") + R"({"role": "editor", "in": {"type": ")" + type +
             R"(", "id": "S)" + n + R"("}, "members": [{"person": "E1", "until": ")" +
             (i % 5 == 0 ? "2026-11-01" : "2026-12-01") + R"("}]})";
    resources +=
        std::string(i == 0 ? "" : ",") + R"({"type": ")" + type + R"(", "id": "S)" + n + R"("})";
  }
  const Snapshot& s = Load(R"({"roles": [)" + roles + R"(], "resources": [)" + resources + "]}");
  for (int i = 0; i < 40; ++i) {
    uint32_t type = i % 2 == 0 ? policy.tenant : policy.project;
    uint32_t other = i % 2 == 0 ? policy.project : policy.tenant;
    std::string id = "S" + std::to_string(i);
    Entity stranger;
    stranger.type = other;
    stranger.id = id;
    stranger.parent_state = Entity::Parent::kRoot;
    Truth expected = i % 5 == 0 ? Truth::kFalse : Truth::kTrue;
    EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.editor, s.FindResource(type, id), Noon()),
              expected)
        << id;
    EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.viewer, s.FindResource(type, id), Noon()),
              expected)
        << id;
    EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.editor, &stranger, Noon()), Truth::kFalse)
        << id;
  }
}

TEST_F(Facts, AScopedRoleAtAResourceOfUnknownPlaceIsUnknown) {
  policy.Resource(policy.project, "P9");
  const Snapshot& s = Load(R"({"persons": [{"id": "E9"}], "resources": [],
    "roles": [{"role": "editor", "in": {"type": "app.Tenant", "id": "T1"}, "members": ["E1"]}]})");
  const Entity* nowhere = s.FindResource(policy.project, "P9");
  ErrorKind kind{};
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.editor, nowhere, Noon(), &kind), Truth::kError);
  EXPECT_EQ(kind, ErrorKind::kContainment);
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E9"), policy.editor, nowhere, Noon()), Truth::kFalse)
      << "holds it nowhere";
}

// ---------------------------------------------------------------- containment

TEST_F(Facts, ContainmentIsReflexiveAndTransitive) {
  policy.Resource(policy.folder, "unknown");
  const Snapshot& s = Load(
      R"({"resources": [{"type": "app.Folder", "id": "A"}, {"type": "app.Folder", "id": "B", "parent": "A"},
    {"type": "app.Doc", "id": "d", "parent": "B"}, {"type": "app.Doc", "id": "lost"}]})");
  auto in = [&](uint32_t type, std::string_view id, std::string_view folder) {
    return s.ResourceIn(*s.FindResource(type, id), *s.FindResource(policy.folder, folder));
  };
  EXPECT_EQ(in(policy.doc, "d", "B"), Truth::kTrue);
  EXPECT_EQ(in(policy.doc, "d", "A"), Truth::kTrue);
  EXPECT_EQ(in(policy.folder, "A", "A"), Truth::kTrue);
  EXPECT_EQ(in(policy.folder, "A", "B"), Truth::kFalse);
  EXPECT_EQ(in(policy.doc, "d", "unknown"), Truth::kFalse);
  EXPECT_EQ(in(policy.doc, "lost", "A"), Truth::kError);
  EXPECT_EQ(in(policy.folder, "unknown", "unknown"), Truth::kTrue);
  EXPECT_EQ(in(policy.folder, "unknown", "A"), Truth::kError);
}

// A request may make the entity itself and know nothing of parents.
TEST_F(Facts, ATypeWithinNothingIsNeverOfUnknownPlace) {
  const Snapshot& s = Load(R"({"resources": [{"type": "app.Folder", "id": "A"}],
    "roles": [{"role": "editor", "in": {"type": "app.Tenant", "id": "T1"}, "members": ["E1"]}]})");
  Entity tenant, folder;
  tenant.type = policy.tenant;
  folder.type = policy.folder;
  tenant.id = folder.id = "new";
  const Entity& a = *s.FindResource(policy.folder, "A");
  EXPECT_EQ(s.ResourceIn(tenant, a), Truth::kFalse);
  EXPECT_EQ(s.ResourceIn(folder, a), Truth::kError);
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.editor, &tenant, Noon()), Truth::kFalse);
  EXPECT_EQ(s.HoldsRole(*s.FindPerson("E1"), policy.editor, &folder, Noon()), Truth::kError);
}

TEST_F(Facts, SixteenLevelsAreFineSeventeenAreNot) {
  auto chain = [](int levels) {
    std::string json = R"({"resources": [{"type": "app.Folder", "id": "0"})";
    for (int i = 1; i <= levels; ++i) {
      json += R"(,{"type": "app.Folder", "id": ")" + std::to_string(i) + R"(", "parent": ")" +
              std::to_string(i - 1) + "\"}";
    }
    return json + "]}";
  };
  const Snapshot& s = Load(chain(16));
  EXPECT_EQ(s.ResourceIn(*s.FindResource(policy.folder, "16"), *s.FindResource(policy.folder, "0")),
            Truth::kTrue);
  Result<std::unique_ptr<Snapshot>> deep = Join(policy, chain(17));
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().code, "facts.depth");
  EXPECT_NE(deep.error().message.find("\"17\""), std::string::npos);
}

TEST_F(Facts, PersonsUnderPersons) {
  const Snapshot& s =
      Load(R"({"persons": [{"id": "boss"}, {"id": "m", "attributes": {"manager": "boss"}},
    {"id": "w", "attributes": {"manager": "m"}}, {"id": "x", "attributes": {"manager": "ghost"}}]})");
  auto in = [&](std::string_view a, std::string_view b) {
    return s.PersonIn(*s.FindPerson(a), *s.FindPerson(b));
  };
  EXPECT_EQ(in("w", "w"), Truth::kTrue);
  EXPECT_EQ(in("w", "boss"), Truth::kTrue);
  EXPECT_EQ(in("boss", "w"), Truth::kFalse);
  EXPECT_EQ(in("x", "ghost"), Truth::kTrue);
  EXPECT_EQ(in("x", "boss"), Truth::kError) << "who is above the ghost is not known";
}

TEST_F(Facts, TheParentIsAnAttributeWhereItHasAName) {
  const Snapshot& s =
      Load(R"({"resources": [{"type": "app.Project", "id": "P1", "attributes": {"home": "T1"}},
    {"type": "app.Project", "id": "P2", "parent": "T1"}, {"type": "app.Project", "id": "P3", "attributes": {"home": null}}]})");
  const Entity* tenant = s.FindResource(policy.tenant, "T1");
  for (std::string_view id : {"P1", "P2"}) {
    const Entity* project = s.FindResource(policy.project, id);
    EXPECT_EQ(project->parent, tenant);
    EXPECT_EQ(project->attributes[0].entity, tenant);
  }
  EXPECT_EQ(s.FindResource(policy.project, "P3")->parent_state, Entity::Parent::kRoot);
}

// ---------------------------------------------------------------- accounts

TEST_F(Facts, AccountsKeepTheirAmbiguity) {
  const Snapshot& s = Load(R"({"accounts": [
    {"system": "crm", "key": "smills", "person": "E2", "checked": "2026-11-01"},
    {"system": "crm", "key": "smills", "person": "E1", "checked": "2026-10-01T10:00Z", "evidence": "mail"},
    {"system": "crm", "key": "raj", "person": "E2", "checked": "2026-11-02"}]})");
  std::span<const AccountFact> both = s.FindAccounts(policy.crm, "smills");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].person->id, "E1");
  EXPECT_EQ(both[0].checked, At("2026-10-01T10:00Z"));
  EXPECT_EQ(both[1].person->id, "E2");
  EXPECT_EQ(s.FindAccounts(policy.crm, "raj").size(), 1u);
  EXPECT_TRUE(s.FindAccounts(policy.crm, "Raj").empty());
  EXPECT_TRUE(s.FindAccounts(policy.app, "raj").empty());
  std::span<const AccountFact> own = s.FindPerson("E2")->person->accounts;
  ASSERT_EQ(own.size(), 2u);
  EXPECT_EQ(own[0].key, "raj");
  EXPECT_EQ(own[1].key, "smills");
}

// ---------------------------------------------------------------- names

TEST_F(Facts, WireNames) {
  const Snapshot& s = Load("{}");
  EXPECT_TRUE(s.IsPersonWire("user"));
  EXPECT_FALSE(s.IsPersonWire("User"));
  EXPECT_EQ(s.ResourceTypeOfWire("app.Doc"), policy.doc);
  EXPECT_EQ(s.ResourceTypeOfWire("item"), policy.item);
  EXPECT_EQ(s.ResourceTypeOfWire("app.Item"), kNone) << "`known as` replaces the default";
  EXPECT_EQ(s.ResourceTypeOfWire("person"), kNone);
  EXPECT_EQ(s.ActionOfWire(policy.doc, "doc/approve"), 0u);
  EXPECT_EQ(s.ActionOfWire(policy.doc, "approve"), kNone);
  EXPECT_EQ(s.ActionOfWire(policy.folder, "read"), kNone);
}

TEST_F(Facts, AgentsByNameAndByWhatTheyRunAs) {
  uint32_t buyer = policy.AddAgent("acme.spend.buyer", {"spiffe://acme.example/agent/buyer"});
  uint32_t night =
      policy.AddAgent("acme.ops.night", {"spiffe://acme.example/agent/buyer/night", "urn:night"});
  policy.AddAgent("acme.ops.twin", {"urn:shared"});
  policy.AddAgent("acme.crm.twin", {"urn:shared"});
  const Snapshot& s = Load("{}");
  EXPECT_EQ(s.FindAgent("acme.spend.buyer"), buyer);
  EXPECT_EQ(s.FindAgent("spend.buyer"), buyer);
  EXPECT_EQ(s.FindAgent("buyer"), buyer);
  EXPECT_EQ(s.FindAgent("twin"), kNone) << "two have that short name";
  EXPECT_EQ(s.FindAgent("urn:shared"), kNone) << "two claim that id";
  EXPECT_EQ(s.FindAgent("urn:night"), night);
  EXPECT_EQ(s.FindAgent("spiffe://acme.example/agent/buyer"), buyer);
  EXPECT_EQ(s.FindAgent("spiffe://acme.example/agent/buyer/i-7/x"), buyer);
  EXPECT_EQ(s.FindAgent("spiffe://acme.example/agent/buyer/night/i-1"), night)
      << "the longest wins";
  EXPECT_EQ(s.FindAgent("spiffe://acme.example/agent/buyers"), kNone);
  EXPECT_EQ(s.FindAgent("spiffe://acme.example/agent"), kNone);
  EXPECT_EQ(s.FindAgent(""), kNone);
  EXPECT_NE(s.FindStatement("acme.spend.buyer"), kNone);
  EXPECT_EQ(s.FindStatement("buyer"), kNone);
}

TEST_F(Facts, IdsAreCanonicalOrRefused) {
  const Snapshot& s = Load("{}");
  EXPECT_TRUE(s.CheckResourceId(policy.doc, "HR-Review").ok());
  EXPECT_TRUE(s.CheckResourceId(policy.item, "hr-review").ok());
  for (std::string_view bad : {"HR-Review", "hr-review/", "%68r-review", "", "a b"}) {
    EXPECT_FALSE(s.CheckResourceId(policy.item, bad).ok()) << bad;
  }
  EXPECT_FALSE(s.CheckResourceId(policy.doc, "e\xcc\x81").ok()) << "not in normal form C";
  EXPECT_TRUE(s.CheckResourceId(policy.doc, "\xc3\xa9").ok());
  EXPECT_FALSE(s.CheckResourceId(policy.doc, "a\nb").ok());
  EXPECT_FALSE(s.CheckResourceId(policy.doc,
                                 "a\xe2\x80\xae"
                                 "b")
                   .ok())
      << "bidi control";
  EXPECT_FALSE(s.CheckPersonId("a\x80").ok());
  EXPECT_FALSE(s.CheckPersonId(std::string(5000, 'a')).ok());
  EXPECT_EQ(*s.CheckResourceId(policy.file, "/srv/out/"), "/srv/out");
  EXPECT_FALSE(s.CheckResourceId(policy.file, "/srv/../etc").ok());
}

TEST_F(Facts, PersonsAndResourcesInIdOrder) {
  const Snapshot& s = Load(R"({"persons": [{"id": "b"}, {"id": "a"}], "resources": [
    {"type": "app.Tenant", "id": "z"}, {"type": "app.Tenant", "id": "y"}]})");
  std::vector<std::string_view> ids;
  for (const Entity* person : s.Persons()) ids.push_back(person->id);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::set<std::string_view>(ids.begin(), ids.end()).count("a"), 1u);
  ASSERT_EQ(s.Resources(policy.tenant).size(), 2u);
  EXPECT_EQ(s.Resources(policy.tenant)[0]->id, "y");
  EXPECT_TRUE(s.Resources(policy.project).empty());
}

// ---------------------------------------------------------------- approvers

TEST_F(Facts, ApproversMustSpeakForWhatAGrantReaches) {
  uint32_t none = policy.Grant("acme.g0", kNone, {policy.doc});
  uint32_t owner = policy.Grant("acme.g1", policy.Person("E0500"), {policy.doc, policy.folder});
  uint32_t member = policy.Grant("acme.g2", policy.Person("M1"), {policy.doc});
  uint32_t stranger = policy.Grant("acme.g3", policy.Person("E9"), {policy.doc});
  uint32_t half = policy.Grant("acme.g4", policy.Person("E7"), {policy.file, policy.doc});
  uint32_t joint = policy.Grant("acme.g5", policy.Person("E7"), {policy.file});
  uint32_t by_package = policy.Grant("acme.g6", policy.Person("E0500"), {policy.project});
  uint32_t upward = policy.Grant("acme.g7", policy.Person("E0500"), {policy.file});
  const Snapshot& s =
      Load(R"({"teams": {"finance": [{"person": "M1", "until": "2026-11-20T18:00Z"}]}})");
  EXPECT_TRUE(s.ApproverOk(none, Noon()));
  EXPECT_TRUE(s.ApproverOk(owner, Noon())) << "owns the owning team";
  EXPECT_TRUE(s.ApproverOk(member, Noon()));
  EXPECT_FALSE(s.ApproverOk(member, At("2026-11-20T18:00Z"))) << "membership over";
  EXPECT_FALSE(s.ApproverOk(stranger, Noon()));
  EXPECT_FALSE(s.ApproverOk(half, Noon())) << "every type it reaches";
  EXPECT_TRUE(s.ApproverOk(joint, Noon()));
  EXPECT_TRUE(s.ApproverOk(by_package, Noon()))
      << "a type without an owner belongs to its package's team";
  EXPECT_TRUE(s.ApproverOk(upward, Noon())) << "owner of the team that owns marketing";
  Instant stale = At("2026-11-23T00:00Z");
  EXPECT_TRUE(s.ApproverOk(owner, stale)) << "ownership is policy";
  EXPECT_FALSE(s.ApproverOk(member, stale));
}

TEST_F(Facts, ATypeWithoutAnOwnerBelongsToItsSystemsOwner) {
  policy.p.schema.systems[policy.app].owner = {kNone, policy.Person("E7")};
  uint32_t by_system = policy.Grant("acme.g0", policy.Person("E7"), {policy.project});
  uint32_t by_package = policy.Grant("acme.g1", policy.Person("E0500"), {policy.project});
  const Snapshot& s = Load(R"({"teams": {"finance": ["M1"]}})");
  EXPECT_TRUE(s.ApproverOk(by_system, Noon()));
  EXPECT_FALSE(s.ApproverOk(by_package, Noon())) << "the system has an owner of its own";
}

TEST_F(Facts, ReferencesToTeamsRolesAndAgents) {
  policy.p.schema.resources[policy.tenant].attributes = {
      policy.A("team", policy.T(TypeKind::kTeam)), policy.A("role", policy.T(TypeKind::kRole)),
      policy.A("agent", policy.T(TypeKind::kAgent)), policy.A("task", policy.T(TypeKind::kTask))};
  uint32_t buyer = policy.AddAgent("acme.buyer", {});
  const Snapshot& s = Load(R"({"resources": [{"type": "app.Tenant", "id": "T", "attributes":
    {"team": "sales", "role": "acme.viewer", "agent": "buyer", "task": "t-1"}}]})");
  const Value* slots = s.FindResource(policy.tenant, "T")->attributes;
  EXPECT_EQ(slots[0].kind, ValueKind::kTeam);
  EXPECT_EQ(slots[0].i, policy.sales);
  EXPECT_EQ(slots[1].kind, ValueKind::kRole);
  EXPECT_EQ(slots[1].i, policy.viewer);
  EXPECT_EQ(slots[2].kind, ValueKind::kAgent);
  EXPECT_EQ(slots[2].i, buyer);
  EXPECT_EQ(slots[3].kind, ValueKind::kTask);
  EXPECT_EQ(slots[3].text(), "t-1");
  for (std::string_view bad :
       {R"("role": "nobody")", R"("agent": "nobody")", R"("team": 5)", R"("role": "sales")"}) {
    std::string json = R"({"resources": [{"type": "app.Tenant", "id": "T", "attributes": {)" +
                       std::string(bad) + "}}]}";
    EXPECT_FALSE(Join(policy, json).ok()) << bad;
  }
}

// Facts that come from elsewhere than a file have no place for each value; the record's place is
// then the best there is.
TEST_F(Facts, ComplaintsFallBackToThePlaceOfTheRecord) {
  FactsInput facts;
  facts.arena = std::make_shared<Arena>();
  FactsInput::Person person;
  person.id = "E1";
  person.where = {7, 3};
  WireValue value;  // null, of no known place
  person.fields.push_back({"name", value});
  facts.persons.push_back(person);
  Result<std::unique_ptr<Snapshot>> bad = Snapshot::Build(policy.Finish(), facts, Noon());
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().line, 7u);
  EXPECT_EQ(bad.error().column, 3u);
  facts.persons[0].fields[0].name = "joined";  // optional: null is fine there
  EXPECT_TRUE(Snapshot::Build(policy.Finish(), facts, Noon()).ok());
}

}  // namespace
}  // namespace dpl
