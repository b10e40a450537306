// What the bytes of a request can make the server do: work in proportion to their number, whatever
// they say. Counted in instructions, never in time: four times the bytes may take no more than four
// times the steps, and a little.
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "runtime/base/pattern.h"
#include "runtime/decide/wire_request.h"
#include "runtime/json/json.h"
#include "tests/steps/step_count.h"

namespace dpl {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr size_t kShort = 32;  // bytes; a sanitizer takes many steps for one of ours
#else
constexpr size_t kShort = 96;
#endif
constexpr double kALittle = 1.25;

std::string Repeated(std::string_view piece, size_t bytes) {
  std::string out;
  while (out.size() < bytes) out.append(piece);
  return out;
}

// `work(bytes)` gives what is to be counted, made ready for so many bytes.
void ExpectInProportion(const char* what,
                        const std::function<std::function<void()>(size_t)>& work) {
  const std::optional<uint64_t> few = StepsOf(work(kShort)), many = StepsOf(work(4 * kShort));
  ASSERT_TRUE(few && many) << what;
  EXPECT_GT(*few, kShort / 16) << what << ": nothing was done";
  EXPECT_LE(static_cast<double>(*many), 4 * kALittle * static_cast<double>(*few))
      << what << ": " << *few << ", then " << *many;
}

// The whole text is read, whether it is good or not.
void ExpectReadInProportion(const char* what, const std::function<std::string(size_t)>& text_of) {
  ExpectInProportion(what, [&](size_t bytes) -> std::function<void()> {
    auto text = std::make_shared<std::string>(text_of(bytes));
    auto arena = std::make_shared<Arena>();
    (void)ParseJson(*text, arena.get());  // the arena has its memory
    arena->Reset();
    return [text, arena] { (void)ParseJson(*text, arena.get()); };
  });
}

TEST(Work, OfReadingJsonIsInProportionToItsBytes) {
  ExpectReadInProportion("one long string",
                         [](size_t n) { return "\"" + std::string(n, 'a') + "\""; });
  ExpectReadInProportion("a string of escapes",
                         [](size_t n) { return "\"" + Repeated("\\u00e9", n) + "\""; });
  ExpectReadInProportion("a string beyond ASCII",
                         [](size_t n) { return "\"" + Repeated("\xe2\x82\xac", n) + "\""; });
  ExpectReadInProportion("an array of numbers",
                         [](size_t n) { return "[" + Repeated("1,", n) + "1]"; });
  ExpectReadInProportion("spaces and lines", [](size_t n) { return Repeated(" \n", n) + "1"; });
  ExpectReadInProportion("an array over many lines",
                         [](size_t n) { return "[" + Repeated("1,\n", n) + "1]"; });
  ExpectReadInProportion("a number of many digits",
                         [](size_t n) { return "0." + std::string(n, '7'); });
  ExpectReadInProportion("never closed", [](size_t n) { return "[" + Repeated("[],", n); });
  ExpectReadInProportion("wrong at its end",
                         [](size_t n) { return "\"" + std::string(n, 'a') + "\\x\""; });
}

// Names are sorted where there are many: n log n of at most a thousand.
TEST(Work, OfTellingNamesApartDoesNotGrowWithTheirSquare) {
  const auto object = [](size_t members) -> std::function<void()> {
    std::string text = "{";
    for (size_t i = 0; i < members; ++i)
      text += (i == 0 ? "\"alike" : ",\"alike") + std::to_string(1000 + i * 37 % 1000) + "\":1";
    text += "}";
    auto kept = std::make_shared<std::string>(text);
    auto arena = std::make_shared<Arena>();
    EXPECT_TRUE(ParseJson(*kept, arena.get()).ok());
    arena->Reset();
    return [kept, arena] { (void)ParseJson(*kept, arena.get()); };
  };
  const std::optional<uint64_t> few = StepsOf(object(20)), many = StepsOf(object(80));
  ASSERT_TRUE(few && many);
  // Four times as many, 6.3 bits to sort by instead of 4.3; by pairs it would be 16.
  EXPECT_LE(static_cast<double>(*many), 4 * 2 * static_cast<double>(*few)) << *few;
}

TEST(Work, OfMakingARequestIsInProportionToItsMembers) {
  ExpectInProportion("members of a context", [](size_t bytes) -> std::function<void()> {
    std::string text =
        R"({"subject":{"type":"person","id":"E1"},"action":{"name":"read"},"resource":{"type":"d","id":"1"},"context":{)";
    for (size_t i = 0; i < bytes / 2; ++i)
      text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
    auto arena = std::make_shared<Arena>();
    Result<const WireValue*> root = ParseJson(text + "}}", arena.get());
    EXPECT_TRUE(root.ok());
    const WireEvaluation wire = {(*root)->Find("subject"), (*root)->Find("action"),
                                 (*root)->Find("resource"), (*root)->Find("context")};
    auto caller = std::make_shared<Caller>(Caller::Everything("c"));
    auto request = std::make_shared<Request>();
    return [arena, wire, caller, request] {
      (void)ReadWireRequest(wire, *caller, arena.get(), request.get());
    };
  });
}

// Expressions that take others exponentially long, and texts that nearly match.
TEST(Work, OfMatchingIsInProportionToTheText) {
  for (const char* source : {"(a|aa)*b", "(a*)*b", "(.*a){8}b", "[a-z]+-[0-9]+"}) {
    Result<Pattern> pattern = Pattern::Compile(source);
    ASSERT_TRUE(pattern.ok()) << source;
    auto kept = std::make_shared<Pattern>(pattern.take());
    ExpectInProportion(source, [&](size_t bytes) -> std::function<void()> {
      auto text = std::make_shared<std::string>(bytes, 'a');
      (void)kept->Matches(std::string(8 * kShort, 'a'));  // what it learns on the way is known
      return [kept, text] { (void)kept->Matches(*text); };
    });
  }
  for (const char* pattern : {"*a*a*a*b", "a*b*a", "*aaaaaaab"}) {
    ExpectInProportion(pattern, [&](size_t bytes) -> std::function<void()> {
      auto text = std::make_shared<std::string>(bytes, 'a');
      return [pattern, text] { (void)LikeMatches(pattern, *text); };
    });
  }
}

TEST(Work, ASquareWouldBeSeen) {
  const auto square = [](size_t n) -> std::function<void()> {
    return [n] {
      volatile size_t sum = 0;
      for (size_t i = 0; i < n; ++i) {
        for (size_t k = 0; k < i; ++k) sum = sum + k;
      }
    };
  };
  const std::optional<uint64_t> few = StepsOf(square(10)), many = StepsOf(square(40));
  ASSERT_TRUE(few && many);
  EXPECT_GT(static_cast<double>(*many), 4 * kALittle * static_cast<double>(*few));
}

}  // namespace
}  // namespace dpl
