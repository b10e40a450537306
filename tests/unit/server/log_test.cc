// One event, one line, whatever is in it.
#include "server/log.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/json/json.h"

namespace dpl {
namespace {

const Instant kNow = *InstantFromCivil({2026, 11, 20, 15, 0, 0, 0});

TEST(Log, Text) {
  FakeClock clock(kNow);
  Log log(LogFormat::kText, &clock);
  EXPECT_EQ(log.Format("info", "start",
                       {{"listen", "127.0.0.1:8181"}, {"because", "a b"}, {"empty", ""}}),
            "2026-11-20T15:00:00Z info  start listen=127.0.0.1:8181 because=\"a b\" empty=\"\"\n");
}

TEST(Log, InjectionStringsStayOneLineAndComeBackWhole) {
  FakeClock clock(kNow);
  Log text(LogFormat::kText, &clock);
  Log json(LogFormat::kJson, &clock);
  const std::string injections[] = {
      "a\nb",
      "a\r\nb",
      "a\tb",
      std::string("a\0b", 3),
      "a\x1b[31mb",
      "a\x7f",
      "\"},{\"level\":\"info",
      "x level=info",
      "\\",
      "\\n",
      "\xe2\x80\xa8",
      "\xe2\x80\xae",
      "\xc2\x85",
      "%s%n",
      "${jndi:ldap://x}",
      "<script>",
      "'; drop",
      "\xf0\x9f\x98\x80",
  };
  for (const std::string& injection : injections) {
    for (Log* log : {&text, &json}) {
      const std::string line = log->Format("warn", "event", {{"value", injection}});
      EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
      EXPECT_EQ(line.back(), '\n');
      for (char c : line.substr(0, line.size() - 1))
        EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
    }
    Arena arena;
    std::string line = json.Format("warn", "event", {{"value", injection}});
    Result<const WireValue*> parsed = ParseJson(line, &arena);
    ASSERT_TRUE(parsed.ok()) << line << parsed.error().message;
    EXPECT_EQ((*parsed)->Find("value")->text, injection);
  }
}

TEST(Log, LongValuesAreCut) {
  FakeClock clock(kNow);
  Log log(LogFormat::kJson, &clock);
  EXPECT_LT(log.Format("warn", "event", {{"value", std::string(1 << 20, 'a')}}).size(),
            Log::kMostValueBytes + 200);
}

}  // namespace
}  // namespace dpl
