// The configuration: what is taken, and that everything else is an error with a place.
#include "server/config.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace dpl {
namespace {

constexpr const char* kToken = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

TEST(Config, ReadsEveryMember) {
  const std::string text = std::string(R"({
    "listen": ["127.0.0.1:0", "unix:/tmp/x"], "bundle": "p.dplb", "facts": "/etc/f.json", "state": "s",
    "public_url": "https://pdp.example/t", "log": "json", "threads": 3,
    "limits": {"body_bytes": 2048, "head_bytes": 4096, "headers": 50, "connections": 7, "head_seconds": 1,
               "body_seconds": 2, "write_seconds": 3, "idle_seconds": 4, "drain_seconds": 5},
    "callers": [
      {"name": "gateway", "token_sha256": ")") +
                           kToken + R"(", "serves_persons": true, "asserts_actors": true,
       "asserts_instances": true, "asserts_attributes": ["person.role", "context.ip"], "charge_keys": true,
       "request_id_keys": true, "dry_run": true, "search": true, "details": true, "duties": ["mask"],
       "partners": ["acme.research.globex"], "issuers": ["https://id.acme.example"]},
      {"name": "local", "unix_uid": 1000, "asserts_attributes": "*"}
    ]})";
  Result<Config> read = ReadConfigJson(text, "/etc/dpl/dpld.json");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->listen.size(), 2u);
  EXPECT_EQ(read->bundle, "/etc/dpl/p.dplb") << "relative to the file's folder";
  EXPECT_EQ(read->facts, "/etc/f.json");
  EXPECT_EQ(read->state, "/etc/dpl/s");
  EXPECT_EQ(ReadConfigJson(R"({"state": "memory"})", "/etc/dpl/dpld.json")->state, "memory");
  EXPECT_EQ(read->public_url, "https://pdp.example/t");
  EXPECT_EQ(read->log, LogFormat::kJson);
  EXPECT_EQ(read->threads, 3);
  EXPECT_EQ(read->limits.max_body_bytes, 2048u);
  EXPECT_EQ(read->limits.max_connections, 7u);
  EXPECT_EQ(read->limits.drain_deadline, std::chrono::seconds(5));
  ASSERT_EQ(read->callers.size(), 2u);
  const Caller& gateway = read->callers[0].caller;
  EXPECT_TRUE(gateway.serves_persons && gateway.asserts_actors && gateway.asserts_instances &&
              gateway.charge_keys && gateway.request_id_keys && gateway.dry_run && gateway.search &&
              gateway.details);
  EXPECT_EQ(gateway.asserts, (std::vector<std::string>{"person.role", "context.ip"}));
  EXPECT_EQ(gateway.partners, (std::vector<std::string>{"acme.research.globex"}));
  EXPECT_EQ(gateway.issuers, (std::vector<std::string>{"https://id.acme.example"}));
  EXPECT_FALSE(gateway.asserts_all_partners || gateway.trusts_all_issuers);
  EXPECT_EQ(gateway.duties, (std::vector<std::string>{"mask"}));
  EXPECT_TRUE(read->callers[1].caller.asserts_all_attributes);
  EXPECT_FALSE(read->callers[1].caller.serves_persons) << "every default is no";
  EXPECT_EQ(read->callers[1].unix_uid, 1000);
}

TEST(Config, RolesPersonsAndTheOperatingAddresses) {
  const std::string text = std::string(R"({
    "state": "s", "operate": {"listen": ["unix:/run/o.sock"]},
    "callers": [
      {"name": "a", "unix_uid": 1},
      {"name": "b", "unix_uid": 2, "roles": ["operate", "audit"], "person": "E7"}
    ]})");
  Result<Config> read = ReadConfigJson(text, "/etc/dpl/dpld.json");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_TRUE(read->callers[0].Has(Role::kDecide));
  EXPECT_FALSE(read->callers[0].HasAny(Role::kOperate | Role::kApprove | Role::kAudit));
  EXPECT_EQ(read->callers[1].roles, Role::kOperate | Role::kAudit);
  EXPECT_EQ(read->callers[1].person, "E7");
  EXPECT_TRUE(read->operate.given);
  ASSERT_EQ(read->operate.listen.size(), 1u);
  EXPECT_EQ(read->operate.listen[0].ToString(), "unix:/run/o.sock");

  Result<Config> plain = ReadConfigJson(R"({"state": "s"})", "/etc/dpl/dpld.json");
  EXPECT_FALSE(plain->operate.given);
  std::vector<ListenAddress> usual = DefaultOperate(*plain);
  ASSERT_EQ(usual.size(), 2u);
  EXPECT_EQ(usual[0].ToString(), "unix:/etc/dpl/s/operate.sock");
  EXPECT_EQ(usual[1].ToString(), "127.0.0.1:8182");
  plain->state = Config::kMemoryState;
  EXPECT_EQ(DefaultOperate(*plain).size(), 1u) << "no folder, no socket";

  Config none;
  ASSERT_TRUE(AddOperate("none", &none).ok());
  EXPECT_TRUE(none.operate.given && none.operate.listen.empty());
  none.bundle = none.facts = "x";
  ASSERT_TRUE(AddOperate("0.0.0.0:8182", &none).ok());
  EXPECT_FALSE(CheckConfig(none).ok()) << "reachable from elsewhere, without callers";
}

struct BadRow {
  const char* text;
  const char* message;  // a part of it
  uint32_t column;      // on line 1
};

TEST(Config, SaysWhatIsWrongAndWhere) {
  const BadRow rows[] = {
      {R"([])", "must be an object", 1},
      {R"({"bundel": "x"})",
       "has no member \"bundel\"; did you mean `bundle`? Known are: listen, bundle", 12},
      {R"({"bundle": 7})", "bundle: must be a text", 12},
      {R"({"bundle": ""})", "bundle: must be a text", 12},
      {R"({"listen": "x"})", "listen: must be an array", 12},
      {R"({"listen": ["example.com:80"]})", "listen: `example.com:80` is no listen address", 13},
      {R"({"log": "xml"})", "log: must be \"text\" or \"json\"", 9},
      {R"({"threads": 0})", "threads: must be a whole number from 1 to 256", 13},
      {R"({"threads": 1.5})", "threads: must be a whole number", 13},
      {R"({"threads": "2"})", "threads: must be a whole number", 13},
      {R"({"audit": {"retain_days": 18446744073709551616}})", "must be a whole number from 0", 27},
      {R"({"public_url": "http://x"})", "public_url: must be https", 16},
      {R"({"limits": {"body_bytes": 99999999}})",
       "limits.body_bytes: must be a whole number from 1024 to 262144", 27},
      {R"({"limits": {"idle": 1}})", "limits: has no member \"idle\"", 21},
      {R"({"callers": []})", "callers: must be an array with at least one caller", 13},
      {R"({"callers": [{}]})", "callers[0].name: is required", 14},
      {R"({"callers": [{"name": "a"}]})", "callers[0]: needs `token_sha256` or `unix_uid`", 14},
      {R"({"callers": [{"name": "a", "token_sha256": "secret"}]})",
       "callers[0].token_sha256: must be the SHA-256", 44},
      {R"({"callers": [{"name": "a", "unix_uid": -1}]})",
       "callers[0].unix_uid: must be a whole number", 40},
      {R"({"callers": [{"name": "a", "unix_uid": 1, "serves_persons": 1}]})",
       "serves_persons: must be true or false", 61},
      {R"({"callers": [{"name": "a", "unix_uid": 1, "asserts_attributes": "role"}]})",
       "must be an array of texts, or", 65},
      {R"({"callers": [{"name": "a", "unix_uid": 1, "asserts_attributes": ["role"]}]})",
       "must name attributes as", 66},
      {R"({"callers": [{"name": "a", "unix_uid": 1}, {"name": "a", "unix_uid": 2}]})",
       "callers[1].name: is taken", 44},
      {R"({"callers": [{"name": "a", "unix_uid": 1}, {"name": "b", "unix_uid": 1}]})",
       "cannot be told from `a`", 44},
      {R"({"threads": 1, "threads": 2})", "", 0},
      {R"({"threads": 1,})", "", 0},
  };
  for (const BadRow& row : rows) {
    Result<Config> read = ReadConfigJson(row.text, "c.json");
    ASSERT_FALSE(read.ok()) << row.text;
    EXPECT_NE(read.error().message.find(row.message), std::string::npos) << row.text << "\n"
                                                                         << read.error().message;
    EXPECT_EQ(read.error().line, 1u) << row.text;
    if (row.column != 0) {
      EXPECT_EQ(read.error().column, row.column) << row.text;
    }
  }
}

TEST(Config, FindsEverythingThatIsWrongAtOnce) {
  std::vector<ConfigProblem> all;
  Result<Config> read = ReadConfigJson(R"({
  "thread": 2,
  "limits": {"heders": 9, "body_bytes": "much"},
  "callers": [{"nmae": "a", "unix_uid": -1}, {"name": "b", "unix_uid": 1, "roles": ["operator"]}],
  "log": 7
})",
                                       "c.json", &all);
  ASSERT_FALSE(read.ok());
  std::vector<std::string> paths;
  for (const ConfigProblem& problem : all) paths.push_back(problem.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"", "limits", "limits.body_bytes", "callers[0].name",
                                             "callers[0]", "callers[0].unix_uid",
                                             "callers[1].roles", "log"}));
  EXPECT_NE(all[0].message.find("did you mean `threads`?"), std::string::npos) << all[0].message;
  EXPECT_NE(all[1].message.find("did you mean `headers`?"), std::string::npos) << all[1].message;
  EXPECT_EQ(all[7].line, 5u);
}

TEST(Config, SaysWhatOnlyAStartTakesOver) {
  auto read = [](const char* text) { return *ReadConfigJson(text, "c.json"); };
  const Config now = read(R"({"bundle": "a", "threads": 2, "limits": {"headers": 9}})");
  EXPECT_EQ(NeedsRestart(now, read(R"({"threads":2,"bundle":"b","limits":{"headers": 9}})")), "");
  EXPECT_EQ(NeedsRestart(now, read(R"({"threads": 3, "limits": {"headers": 8}})")),
            "limits,threads");
  EXPECT_EQ(NeedsRestart(now, read(R"({"threads": 2, "limits": {"headers": 9}, "log": "json",
                                       "dropped_revocations": ["x"]})")),
            "log");
}

TEST(Config, OpenAddressesNeedCallers) {
  Config config;
  config.bundle = config.facts = "x";
  config.listen = {*ListenAddress::Parse("127.0.0.1:1"), *ListenAddress::Parse("unix:/x")};
  EXPECT_TRUE(CheckConfig(config).ok());
  config.listen.push_back(*ListenAddress::Parse("0.0.0.0:1"));
  EXPECT_FALSE(CheckConfig(config).ok());
  config.callers.emplace_back();
  EXPECT_TRUE(CheckConfig(config).ok());
  config.bundle.clear();
  EXPECT_FALSE(CheckConfig(config).ok());
}

TEST(Config, TheAuditLog) {
  Result<Config> read = ReadConfigJson(
      R"({"audit": {"folder": "log", "key": "/k/log.key", "mode": "available", "sync_ms": 5,
          "retain_days": 400, "replay": false}})",
      "/etc/dpl/dpld.json");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->audit.folder, "/etc/dpl/log");
  EXPECT_EQ(read->audit.key, "/k/log.key");
  EXPECT_EQ(read->audit.mode, AuditMode::kAvailable);
  EXPECT_EQ(read->audit.sync_ms, 5);
  EXPECT_EQ(read->audit.retain_days, 400);
  EXPECT_FALSE(read->audit.replay);
  EXPECT_EQ(ReadConfigJson(R"({"audit": {"folder": "none"}})", "/etc/dpl/dpld.json")->audit.folder,
            "none");
  for (const char* wrong : {R"({"audit": {"mode": "perhaps"}})", R"({"audit": {"sync_ms": 0}})",
                            R"({"audit": {"folders": "x"}})", R"({"audit": []})"})
    EXPECT_FALSE(ReadConfigJson(wrong, "dpld.json").ok()) << wrong;
}

TEST(Config, TheAuditLogIsBesideTheStateUnlessSaidOtherwise) {
  ::unsetenv("LOGS_DIRECTORY");
  Config config;
  config.state = "dpl-state";
  EXPECT_EQ(DefaultAudit(config), "dpl-state/audit");
  config.state = Config::kMemoryState;
  EXPECT_EQ(DefaultAudit(config), Config::kNoAudit);
  ::setenv("LOGS_DIRECTORY", "/var/log/dpl:/var/log/other", 1);
  EXPECT_EQ(DefaultAudit(config), "/var/log/dpl");
  ::unsetenv("LOGS_DIRECTORY");
}

}  // namespace
}  // namespace dpl
