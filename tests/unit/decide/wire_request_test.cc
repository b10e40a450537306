// From AuthZEN JSON to a Request: required members, the three places of the actor, what disagrees.
#include "runtime/decide/wire_request.h"

#include <string>

#include <gtest/gtest.h>

#include "runtime/json/json.h"

namespace dpl {
namespace {

class WireRequest : public ::testing::Test {
 protected:
  Result<Request> Read(std::string_view json) {
    Result<const WireValue*> root = ParseJson(json, &arena_);
    EXPECT_TRUE(root.ok()) << json;
    WireEvaluation wire{(*root)->Find("subject"), (*root)->Find("action"),
                        (*root)->Find("resource"), (*root)->Find("context")};
    return ReadWireRequest(wire, caller_, &arena_);
  }
  // A whole request around these properties of the subject and this context.
  Result<Request> Read(std::string_view properties, std::string_view context) {
    std::string json =
        R"({"subject": {"type": "person", "id": "E1", "properties": )" + std::string(properties) +
        R"(}, "action": {"name": "read"}, "resource": {"type": "app.Doc", "id": "d1"}, "context": )" +
        std::string(context) + "}";
    return Read(json);
  }
  std::string Chain(const Request& r) {
    std::string out;
    for (int i = 0; i < r.hop_count; ++i) {
      const Request::Hop& hop = r.hops[static_cast<size_t>(i)];
      out += (i == 0 ? "" : " > ") + std::string(hop.agent) +
             (hop.instance.empty() ? "" : "#" + std::string(hop.instance));
    }
    return out + (r.actor_conflict ? " !" : "");
  }
  Arena arena_;
  Caller caller_ = Caller::Everything("test");
};

TEST_F(WireRequest, TheFourMembers) {
  Result<Request> r = Read(
      R"({"subject": {"type": "person", "id": "E1", "more": 1}, "action": {"name": "read", "properties": {"a": 1}},
                               "resource": {"type": "app.Doc", "id": "d1"}, "extra": []})");
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->subject_type, "person");
  EXPECT_EQ(r->subject_id, "E1");
  EXPECT_EQ(r->action, "read");
  EXPECT_EQ(r->resource_type, "app.Doc");
  EXPECT_EQ(r->resource_id, "d1");
  EXPECT_NE(r->action_properties, nullptr);
  EXPECT_EQ(r->context, nullptr);
  EXPECT_EQ(r->hop_count, 0);
}

TEST_F(WireRequest, WhatIsMissingOrOfTheWrongTypeIsAnError) {
  constexpr std::string_view kSubject = R"("subject": {"type": "person", "id": "E1"})";
  constexpr std::string_view kAction = R"("action": {"name": "read"})";
  constexpr std::string_view kResource = R"("resource": {"type": "app.Doc", "id": "d1"})";
  auto with = [&](std::string_view a, std::string_view b, std::string_view c) {
    return Read("{" + std::string(a) + (a.empty() || b.empty() ? "" : ", ") + std::string(b) +
                (c.empty() ? "" : ", ") + std::string(c) + "}");
  };
  EXPECT_TRUE(with(kSubject, kAction, kResource).ok());
  EXPECT_EQ(with("", kAction, kResource).error().message, "subject is missing");
  EXPECT_EQ(with(kSubject, kAction, "").error().message, "resource is missing");
  for (const char* subject :
       {R"("subject": "E1")", R"("subject": {"id": "E1"})", R"("subject": {"type": "person"})",
        R"("subject": {"type": 1, "id": "E1"})", R"("subject": {"type": "person", "id": null})",
        R"("subject": {"type": "person", "id": "E1", "properties": []})"}) {
    EXPECT_FALSE(with(subject, kAction, kResource).ok()) << subject;
  }
  EXPECT_FALSE(with(kSubject, R"("action": {})", kResource).ok());
  EXPECT_FALSE(with(kSubject, kAction, R"("resource": {"type": "app.Doc"})").ok());
  EXPECT_FALSE(with(kSubject, kAction, std::string(kResource) + R"(, "context": 1)").ok());
  EXPECT_EQ(with(kSubject, kAction, std::string(kResource) + R"(, "context": null)").ok(), true);
}

TEST_F(WireRequest, NestedActIsNewestFirst) {
  Result<Request> r = Read(
      R"({"act": {"sub": "reader", "jti": "r1", "iat": 1795186800, "act": {"sub": "planner", "instance": "p1"}}})",
      "{}");
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(Chain(*r), "planner#p1 > reader#r1");
  EXPECT_EQ(r->hops[1].born, ParseInstant("2026-11-20T15:00:00Z").value());
}

TEST_F(WireRequest, ThePlacesAgreeOrTheRequestSaysSo) {
  EXPECT_EQ(Chain(*Read("{}", R"({"agent": "helper"})")), "helper");
  EXPECT_EQ(Chain(*Read("{}", R"({"agent": {"id": "helper", "instance": "i1"}})")), "helper#i1");
  EXPECT_EQ(Chain(*Read(R"({"act": {"sub": "helper"}})",
                        R"({"agent": {"id": "helper", "instance": "i1"}})")),
            "helper#i1");
  EXPECT_EQ(Chain(*Read(R"({"act": {"sub": "helper", "act": {"sub": "root"}}})",
                        R"({"agent": "helper"})")),
            "root > helper");
  EXPECT_EQ(
      Chain(*Read(
          "{}",
          R"({"actor": {"client_id": "leaf", "client_instance_id": "l1", "act": ["root", "leaf"]}})")),
      "root > leaf#l1");
  EXPECT_EQ(Chain(*Read("{}", R"({"actor": {"client_id": "leaf", "act": ["root", "middle"]}})")),
            "root > middle > leaf");
  EXPECT_EQ(Chain(*Read("{}", R"({"actor": {"sub": "leaf", "act": {"sub": "root"}}})")),
            "root > leaf");
  for (const char* context :
       {R"({"agent": "other"})", R"({"agent": {"id": "helper", "instance": "i2"}})",
        R"({"actor": {"client_id": "other"}})",
        R"({"actor": {"client_id": "helper", "act": ["another", "helper"]}})"}) {
    EXPECT_TRUE(
        Read(R"({"act": {"sub": "helper", "instance": "i1", "act": {"sub": "root"}}})", context)
            ->actor_conflict)
        << context;
  }
}

TEST_F(WireRequest, WhoseNamesTheyAre) {
  Result<Request> r = Read(
      R"({"iss": "https://a.example", "act": {"sub": "bot", "iss": "https://b.example", "act": {"sub": "first"}}})",
      "{}");
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->subject_issuer, "https://a.example");
  EXPECT_EQ(r->hops[0].issuer, "");
  EXPECT_EQ(r->hops[1].issuer, "https://b.example");
  EXPECT_EQ(Read(R"({"iss": null})", "{}")->subject_issuer, "");
  for (const char* wrong :
       {R"({"iss": 7})", R"({"iss": ""})", R"({"iss": ["x"]})",
        R"({"act": {"sub": "bot", "iss": 7}})", R"({"act": {"sub": "bot", "iss": ""}})"}) {
    EXPECT_FALSE(Read(wrong, "{}").ok()) << wrong;
  }
  // Two places that name it differently disagree; where one is silent the other counts.
  constexpr std::string_view kAct = R"({"act": {"sub": "bot", "iss": "https://b.example"}})";
  EXPECT_TRUE(
      Read(kAct, R"({"agent": {"sub": "bot", "iss": "https://c.example"}})")->actor_conflict);
  EXPECT_EQ(Read(kAct, R"({"agent": "bot"})")->hops[0].issuer, "https://b.example");
  EXPECT_EQ(
      Read(R"({"act": {"sub": "bot"}})", R"({"agent": {"sub": "bot", "iss": "https://c.example"}})")
          ->hops[0]
          .issuer,
      "https://c.example");
}

TEST_F(WireRequest, APersonInTheChainIsMarkedAsOne) {
  for (const char* mark :
       {R"("sub_profile": "user")", R"("type": "person")", R"("type": "user")"}) {
    Result<Request> r =
        Read(R"({"act": {"sub": "bot", "act": {"sub": "E2", )" + std::string(mark) + "}}}", "{}");
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(Chain(*r), "E2 > bot");
    EXPECT_TRUE(r->hops[0].is_person) << mark;
    EXPECT_FALSE(r->hops[1].is_person) << mark;
  }
  for (const char* mark :
       {R"("sub_profile": "ai_agent")", R"("type": "agent")", R"("type": "service")"}) {
    EXPECT_FALSE(
        Read(R"({"act": {"sub": "E2", )" + std::string(mark) + "}}", "{}")->hops[0].is_person)
        << mark;
  }
  EXPECT_TRUE(
      Read(R"({"act": {"sub": "E2", "type": "person"}})", R"({"agent": "E2"})")->actor_conflict);
}

TEST_F(WireRequest, AnActorThatNamesNobodyIsAnError) {
  for (const char* act : {R"({"act": "helper"})", R"({"act": {}})", R"({"act": {"sub": 1}})",
                          R"({"act": {"sub": "a", "act": []}})", R"({"act": [1]})"}) {
    EXPECT_FALSE(Read(act, "{}").ok()) << act;
  }
  EXPECT_FALSE(Read("{}", R"({"agent": 5})").ok());
  EXPECT_FALSE(Read("{}", R"({"actor": {}})").ok());
  EXPECT_FALSE(Read("{}", R"({"actor": {"client_id": "a", "act": "b"}})").ok());
}

TEST_F(WireRequest, ARunThatCannotBeReadIsNoFreshRun) {
  for (const char* run : {R"("iat": "yesterday")", R"("iat": 1e99)", R"("born": true)",
                          R"("instance": 7)", R"("jti": ["x"])"}) {
    EXPECT_FALSE(Read(R"({"act": {"sub": "a", )" + std::string(run) + "}}", "{}").ok()) << run;
  }
  EXPECT_TRUE(Read(R"({"act": {"sub": "a", "instance": "r1", "iat": 1764000000}})", "{}").ok());
  Result<Request> standing = Read(
      R"({"subject": {"type": "agent", "id": "a", "properties": {"iat": "yesterday"}}, "action": {"name": "read"},
                                      "resource": {"type": "app.Doc", "id": "d1"}})");
  ASSERT_TRUE(standing.ok());
  EXPECT_FALSE(standing->malformed.empty());
}

TEST_F(WireRequest, AnOverlongChainIsNeverCut) {
  std::string act = R"({"sub": "a"})";
  for (int i = 0; i < 7; ++i) act = R"({"sub": "a", "act": )" + act + "}";
  Result<Request> eight = Read(R"({"act": )" + act + "}", "{}");
  ASSERT_TRUE(eight.ok());
  EXPECT_EQ(eight->hop_count, 8);
  EXPECT_FALSE(eight->too_many_hops);
  Result<Request> nine = Read(R"({"act": {"sub": "a", "act": )" + act + "}}", "{}");
  ASSERT_TRUE(nine.ok());
  EXPECT_TRUE(nine->too_many_hops);
}

TEST_F(WireRequest, AStandingAgentIsTheFirstOfItsChain) {
  Result<Request> r = Read(
      R"({"subject": {"type": "agent", "id": "night", "properties": {"instance": "n1"}}, "action": {"name": "read"}, "resource": {"type": "T", "id": "1"}})");
  EXPECT_EQ(Chain(*r), "night#n1");
  r = Read(
      R"({"subject": {"type": "agent", "id": "night", "properties": {"act": {"sub": "night", "instance": "n1"}}}, "action": {"name": "read"}, "resource": {"type": "T", "id": "1"}})");
  EXPECT_EQ(Chain(*r), "night#n1");
  r = Read(
      R"({"subject": {"type": "agent", "id": "night", "properties": {"act": {"sub": "helper"}}}, "action": {"name": "read"}, "resource": {"type": "T", "id": "1"}})");
  EXPECT_EQ(Chain(*r), "night > helper");
}

TEST_F(WireRequest, SeveralApprovals) {
  Result<Request> r = Read("{}", R"({"approval": ["a1", {"id": "a2"}]})");
  ASSERT_EQ(r->approval_count, 2);
  EXPECT_EQ(r->approvals[0], "a1");
  EXPECT_EQ(r->approvals[1], "a2");
  EXPECT_TRUE(r->malformed.empty());
  for (const char* context :
       {R"({"approval": ["a1", {}]})", R"({"approval": [7]})", R"({"approval": [""]})",
        R"({"approval": ["1", "2", "3", "4", "5"]})"}) {
    EXPECT_FALSE(Read("{}", context)->malformed.empty()) << context;
  }
}

TEST_F(WireRequest, ContextMembers) {
  Result<Request> r = Read(
      "{}",
      R"({"task": "t1", "approval": {"id": "a1", "state": "approved"}, "dry_run": true, "explain": "trace", "break_glass": {"name": "ward"}})");
  EXPECT_EQ(r->task, "t1");
  ASSERT_EQ(r->approval_count, 1);
  EXPECT_EQ(r->approvals[0], "a1");
  EXPECT_EQ(r->break_glass, "ward");
  EXPECT_TRUE(r->dry_run);
  EXPECT_TRUE(r->explain);
  for (const char* context : {R"({"task": 5})", R"({"approval": {}})", R"({"dry_run": "yes"})",
                              R"({"dry_run": 1})", R"({"break_glass": []})"}) {
    EXPECT_NE(Read("{}", context)->malformed, "") << context;
  }
}

TEST_F(WireRequest, AKeyIsAText) {
  constexpr std::string_view kHead =
      R"({"subject": {"type": "person", "id": "E1"}, "resource": {"type": "T", "id": "1"}, "action": {"name": "read", "properties": {"idempotency_key": )";
  EXPECT_EQ(Read(std::string(kHead) + "\"k1\"}}}")->charge_key, "k1");
  EXPECT_NE(Read(std::string(kHead) + "5}}}")->malformed, "");
}

TEST_F(WireRequest, WhenTheSessionBeganIsTheCallersToSay) {
  EXPECT_TRUE(Read(R"({"auth_time": 1795186800})", "{}")->signed_in.has_value());
  caller_.asserts_instances = false;
  EXPECT_FALSE(Read(R"({"auth_time": 1795186800})", "{}")->signed_in.has_value());
}

}  // namespace
}  // namespace dpl
