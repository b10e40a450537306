// Our reader beside RapidJSON's, over texts put together at random and good ones spoilt at random.
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "tests/reference/reference_json.h"

namespace dpl {
namespace {

constexpr std::string_view kPieces[] = {"{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        ":",
                                        "\"",
                                        "\"a\"",
                                        "\"b\":",
                                        "\\",
                                        "\\u",
                                        "d800",
                                        "1",
                                        "-",
                                        ".",
                                        "e",
                                        "0",
                                        "true",
                                        "null",
                                        " ",
                                        "\n",
                                        "\xc3\xa9",
                                        "\"\\udc00\"",
                                        "\\n",
                                        "\"a\":1",
                                        "E+3",
                                        "fals",
                                        "\x01",
                                        "\t",
                                        "12.50",
                                        "1e309",
                                        "1e308",
                                        "[[",
                                        "{}",
                                        "[]",
                                        "\x7f",
                                        "\\ud83d\\ude00",
                                        "\"ab\\u0041\":",
                                        "\\ud800\\uzz",
                                        "\xf0\x9f\x98\x80"};

constexpr std::string_view kGood[] = {
    R"({"subject":{"type":"user","id":"E1007","properties":{"act":{"sub":"agent-7","tags":["a","b"]}}},"action":{"name":"read"}})",
    R"({"amount":"5000.00 USD","note":"caf\u00e9 \ud83d\ude00 \"q\" \\ \/ \b\f\n\r\t","n":-12.5e3,"t":[true,false,null]})",
    "[\n  {\"\xe4\xb8\xad\": 1.5e-7},\n  [], {}, \"\xc3\xa9\", 0, -0, 10, 1E+2\n]\n",
};

JsonLimits Tight() {
  JsonLimits limits;
  limits.max_depth = 3;
  limits.max_members = 3;
  limits.max_nodes = 8;
  limits.max_string = 6;
  return limits;
}

TEST(Reference, TextsPutTogetherAtRandom) {
  std::mt19937 random(7);
  const JsonLimits tight = Tight();
  for (int round = 0; round < 100'000; ++round) {
    std::string text;
    for (size_t n = random() % 14; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    ASSERT_EQ(WhereReadersDiffer(text, round % 3 == 0 ? tight : JsonLimits{}), "");
  }
}

TEST(Reference, GoodTextsSpoilt) {
  std::mt19937 random(8);
  const JsonLimits tight = Tight();
  for (int round = 0; round < 50'000; ++round) {
    std::string text(kGood[random() % std::size(kGood)]);
    for (size_t n = random() % 4; n > 0 && !text.empty(); --n) {
      const size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 3);
          break;
        case 2:
          text.insert(at, kPieces[random() % std::size(kPieces)]);
          break;
        default:
          text.resize(at);
      }
    }
    ASSERT_EQ(WhereReadersDiffer(text, round % 4 == 0 ? tight : JsonLimits{}), "");
  }
}

}  // namespace
}  // namespace dpl
