// What the JSON reader takes and what it refuses, with the code and the place of each refusal.
#include "runtime/json/json.h"

#include <memory>

#include <gtest/gtest.h>

#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

using namespace std::string_view_literals;

// The tree as canonical JSON, to compare whole.
void Print(const WireValue& value, JsonWriter* w) {
  switch (value.kind) {
    case WireValue::Kind::kNull:
      w->Null();
      break;
    case WireValue::Kind::kBool:
      w->Bool(value.boolean);
      break;
    case WireValue::Kind::kNumber:
      w->Raw(value.text);
      break;
    case WireValue::Kind::kString:
      w->String(value.text);
      break;
    case WireValue::Kind::kArray:
      w->BeginArray();
      for (uint32_t i = 0; i < value.count; ++i) Print(value.items[i], w);
      w->EndArray();
      break;
    case WireValue::Kind::kObject:
      w->BeginObject();
      for (uint32_t i = 0; i < value.count; ++i) {
        w->Key(value.members[i].name);
        Print(value.members[i].value, w);
      }
      w->EndObject();
      break;
  }
}

std::string Parsed(std::string_view text, const JsonLimits& limits = {}) {
  Arena arena;
  auto root = ParseJson(text, &arena, limits);
  if (!root.ok()) return "error " + root.error().code;
  std::string out;
  JsonWriter writer(&out);
  Print(**root, &writer);
  return out;
}

std::string Refusal(std::string_view text, const JsonLimits& limits = {}) {
  // The exact size on the heap, so that a sanitizer sees any read past the end.
  std::unique_ptr<char[]> copy(new char[text.size()]);
  std::copy(text.begin(), text.end(), copy.get());
  Arena arena;
  auto root = ParseJson({copy.get(), text.size()}, &arena, limits);
  if (root.ok()) return "taken";
  const Error& e = root.error();
  EXPECT_FALSE(e.message.empty());
  return e.code + " " + std::to_string(e.line) + ":" + std::to_string(e.column);
}

TEST(Json, Takes) {
  const struct {
    std::string_view text, tree;
  } cases[] = {
      {"null", "null"},
      {" true\n", "true"},
      {"false", "false"},
      {"0", "0"},
      {"-0", "-0"},
      {"-12.340e+05", "-12.340e+05"},
      {"1E400", "error json.number"},
      {"1e-400", "1e-400"},
      {"4999999999999999.5", "4999999999999999.5"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},
      {R"("")", R"("")"},
      {R"("a\"\\\/\b\f\n\r\t")", R"("a\"\\/\b\f\n\r\t")"},
      {R"("\u0041\u00e9\u4e2d\ud83d\ude00")", "\"A\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\""},
      {R"("\u0000")", R"("\u0000")"},
      {"\"caf\xc3\xa9\"", "\"caf\xc3\xa9\""},
      {"\"\x7f\"", R"("\u007f")"},
      {"[]", "[]"},
      {"[ ]", "[]"},
      {"{}", "{}"},
      {"[1,[2,[3]],{}]", "[1,[2,[3]],{}]"},
      {R"({"a":1,"b":[true,null],"c":{"a":"x"}})", R"({"a":1,"b":[true,null],"c":{"a":"x"}})"},
      {"\t\r\n {\n\"a\"\t:\r1 , \"b\" : 2 } \n", R"({"a":1,"b":2})"},
      {R"({"":0," ":1})", R"({"":0," ":1})"},
      {R"({"a":{"a":{"a":1}}})", R"({"a":{"a":{"a":1}}})"},  // the same name at other depths
      {R"([{"a":1},{"a":1}])", R"([{"a":1},{"a":1}])"},
      {R"({"a":1,"A":2})", R"({"a":1,"A":2})"},
      {"{\"\xc3\xa9\":1,\"e\xcc\x81\":2}", "{\"\xc3\xa9\":1,\"e\xcc\x81\":2}"},  // bytes compare
  };
  for (const auto& c : cases) EXPECT_EQ(Parsed(c.text), c.tree) << c.text;
}

TEST(Json, BuildsTheTree) {
  Arena arena;
  auto root = ParseJson(R"({"subject":{"id":"E1"},"n":1.50,"list":[true,null]})", &arena);
  ASSERT_TRUE(root.ok());
  const WireValue& v = **root;
  EXPECT_TRUE(v.is_object());
  EXPECT_EQ(v.count, 3u);
  EXPECT_EQ(v.Find("subject")->Find("id")->text, "E1");
  EXPECT_EQ(v.Find("n")->text, "1.50");
  EXPECT_TRUE(v.Find("list")->items[0].boolean);
  EXPECT_TRUE(v.Find("list")->items[1].is_null());
  EXPECT_EQ(v.Find("other"), nullptr);
  EXPECT_EQ(v.Find("n")->Find("x"), nullptr);
  EXPECT_EQ(v.Find("list")->Find("x"), nullptr);
  EXPECT_EQ(WireKindName(v.Find("list")->kind), "array");
}

TEST(Json, KeepsNoPointerIntoTheText) {
  Arena arena;
  std::string text = R"({"name":"plain","n":12})";
  auto root = ParseJson(text, &arena);
  ASSERT_TRUE(root.ok());
  text.assign(text.size(), 'X');
  EXPECT_EQ((*root)->Find("name")->text, "plain");
  EXPECT_EQ((*root)->Find("n")->text, "12");
}

TEST(Json, KnowsPlaces) {
  Arena arena;
  std::string_view text =
      "{\n"
      "  \"a\" : 12,\n"
      "  \"\xc3\xa9\xc3\xa9\":\"\\u0041\\n\", \"c\": [ true ,{ } ,\n"
      "null ],\"d\":{\"e\":-1}\n"
      "}";
  auto root = ParseJson(text, &arena);
  ASSERT_TRUE(root.ok());
  auto place = [](const WireValue* v) {
    return std::to_string(v->line) + ":" + std::to_string(v->column);
  };
  EXPECT_EQ(place(*root), "1:1");
  EXPECT_EQ(place((*root)->Find("a")), "2:9");
  EXPECT_EQ(place((*root)->Find("\xc3\xa9\xc3\xa9")), "3:8");
  const WireValue* c = (*root)->Find("c");
  EXPECT_EQ(place(c), "3:25");
  EXPECT_EQ(place(&c->items[0]), "3:27");
  EXPECT_EQ(place(&c->items[1]), "3:33");
  EXPECT_EQ(place(&c->items[2]), "4:1");
  EXPECT_EQ(place((*root)->Find("d")), "4:12");
  EXPECT_EQ(place((*root)->Find("d")->Find("e")), "4:17");

  JsonLimits no_places;
  no_places.positions = false;
  root = ParseJson(text, &arena, no_places);
  EXPECT_EQ(place((*root)->Find("a")), "0:0");
}

TEST(Json, RefusesWrongSyntax) {
  const struct {
    std::string_view text, refusal;
  } cases[] = {
      {"", "json.empty 1:1"},
      {"  \n", "json.empty 2:1"},
      {"[", "json.syntax 1:2"},
      {"]", "json.syntax 1:1"},
      {"{", "json.syntax 1:2"},
      {"}", "json.syntax 1:1"},
      {"[1,]", "json.syntax 1:4"},
      {"[,1]", "json.syntax 1:2"},
      {"[1,,2]", "json.syntax 1:4"},
      {"[1 2]", "json.syntax 1:4"},
      {"[1", "json.syntax 1:3"},
      {"[1}", "json.syntax 1:3"},
      {"{\"a\":1]", "json.syntax 1:7"},
      {"{\"a\":1,}", "json.syntax 1:8"},
      {"{\"a\":}", "json.syntax 1:6"},
      {"{\"a\"}", "json.syntax 1:5"},
      {"{\"a\" 1}", "json.syntax 1:6"},
      {"{a:1}", "json.syntax 1:2"},
      {"{1:1}", "json.syntax 1:2"},
      {"{'a':1}", "json.syntax 1:2"},
      {"{\"a\":1 \"b\":2}", "json.syntax 1:8"},
      {"{,}", "json.syntax 1:2"},
      {":", "json.syntax 1:1"},
      {",", "json.syntax 1:1"},
      {"nul", "json.syntax 1:4"},
      {"nulL", "json.syntax 1:4"},
      {"True", "json.syntax 1:1"},
      {"NaN", "json.syntax 1:1"},
      {"Infinity", "json.syntax 1:1"},
      {"-Infinity", "json.syntax 1:2"},
      {"undefined", "json.syntax 1:1"},
      {"'a'", "json.syntax 1:1"},
      {"\"a", "json.syntax 1:3"},
      {"\"", "json.syntax 1:2"},
      {"\"\\", "json.escape 1:2"},
      {"-", "json.syntax 1:2"},
      {"+1", "json.syntax 1:1"},
      {".5", "json.syntax 1:1"},
      {"5.", "json.syntax 1:3"},
      {"5.e1", "json.syntax 1:3"},
      {"5e", "json.syntax 1:3"},
      {"5e+", "json.syntax 1:4"},
      {"01", "json.trailing 1:2"},
      {"-01", "json.trailing 1:3"},
      {"0x1", "json.trailing 1:2"},
      {"1_000", "json.trailing 1:2"},
      {"[1] /* no */", "json.trailing 1:5"},
      {"// no\n1", "json.syntax 1:1"},
      {"[1\f]", "json.syntax 1:3"},
      {"\xc2\xa0"
       "1",
       "json.syntax 1:1"},  // a space, but not JSON's
      {"1 2", "json.trailing 1:3"},
      {"{} x", "json.trailing 1:4"},
      {"{}{}", "json.trailing 1:3"},
      {"[]]", "json.trailing 1:3"},
      {"\"a\"\"b\"", "json.trailing 1:4"},
      {"truefalse", "json.trailing 1:5"},
      {"{\n \"a\": 1,\n \"caf\xc3\xa9\": oops }", "json.syntax 3:10"},
  };
  for (const auto& c : cases) EXPECT_EQ(Refusal(c.text), c.refusal) << c.text;
}

TEST(Json, RefusesWrongText) {
  const struct {
    std::string_view text, refusal, control;
  } cases[] = {
      {"\xef\xbb\xbf{}", "json.bom 1:1", "{}"},
      {"\xef\xbb{}", "json.utf8 1:1", "{}"},
      {"\xef{}", "json.utf8 1:1", "{}"},
      {"\xff\xfe{\0}\0"sv, "json.nul 1:4", "{}"},
      {"{}\0"sv, "json.nul 1:3", "{} "},
      {"{}\0garbage"sv, "json.nul 1:3", "{}      "},
      {"\"a\0b\""sv, "json.nul 1:3", "\"a b\""},
      {"\0"sv, "json.nul 1:1", "0"},
      {"\"\xff\"", "json.utf8 1:2", "\"x\""},
      {"\"ab\xe2\x82\"", "json.utf8 1:4", "\"ab\xe2\x82\xac\""},
      {"\"ab\xe2\x82", "json.utf8 1:4", "\"ab\xe2\x82\xac\""},
      {"\"\xf0\x9f\x98", "json.utf8 1:2", "\"\xf0\x9f\x98\x80\""},
      {"\"\xc3\xa9\xc0\xaf\"", "json.utf8 1:3", "\"\xc3\xa9/\""},
      {"\"\xed\xa0\x80\"", "json.utf8 1:2", "\"\xed\x9f\xbf\""},
      {"\"\xf4\x90\x80\x80\"", "json.utf8 1:2", "\"\xf4\x8f\xbf\xbf\""},
      {"{\"\xff\":1}", "json.utf8 1:3", "{\"x\":1}"},
      {R"("\ud800")", "json.surrogate 1:2", R"("\ud7ff")"},
      {R"("\ud800x")", "json.surrogate 1:2", R"("\ud800\udc00x")"},
      {R"("\ud800\n")", "json.surrogate 1:2", R"("\ud800\udc00\n")"},
      {R"("\ud800\ud800")", "json.surrogate 1:2", R"("\ud800\udfff")"},
      {R"("ab\udc00")", "json.surrogate 1:1", R"("ab\ue000")"},
      {R"("\udc00\ud800")", "json.surrogate 1:8", R"("\ud800\udc00")"},
      {R"({"\udc00":1})", "json.surrogate 1:2", R"({"\ue000":1})"},
      {R"(["\udfff"])", "json.surrogate 1:2", R"(["\ue000"])"},
      {"\"a\nb\"", "json.escape 1:3", R"("a\nb")"},
      {"\"a\tb\"", "json.escape 1:3", R"("a\tb")"},
      {"\"\x1f\"", "json.escape 1:2", R"("\u001f")"},
      {R"("\x41")", "json.escape 1:2", R"("\u0041")"},
      {R"("\'")", "json.escape 1:2", R"("\"")"},
      {R"("\u12")", "json.escape 1:2", R"("\u0012")"},
      {R"("\u12g4")", "json.escape 1:2", R"("\u1204")"},
      {R"("\U0041")", "json.escape 1:2", R"("\u0041")"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Refusal(c.text), c.refusal) << Quote(c.text);
    EXPECT_EQ(Refusal(c.control), "taken") << Quote(c.control);
  }
}

TEST(Json, RefusesDuplicates) {
  const struct {
    std::string_view text, refusal, control;
  } cases[] = {
      {R"({"a":1,"a":1})", "json.duplicate 1:8", R"({"a":1,"b":1})"},
      {R"({"a":1,"\u0061":2})", "json.duplicate 1:8", R"({"a":1,"\u0062":2})"},
      {R"({"\u0061":1,"a":2})", "json.duplicate 1:13", R"({"\u0061":1,"b":2})"},
      {R"({"/":1,"\/":2})", "json.duplicate 1:8", R"({"/":1,"\\/":2})"},
      {R"({"":1,"":2})", "json.duplicate 1:7", R"({"":1," ":2})"},
      {"{\"a\":1,\n\"b\":2,\n  \"a\":3}", "json.duplicate 3:3", "{\"a\":1,\n\"b\":2,\n  \"c\":3}"},
      {R"([[{"x":{"y":1,"z":2,"y":3}}]])", "json.duplicate 1:21",
       R"([[{"x":{"y":1,"z":2,"Y":3}}]])"},
      {"{\"\xc3\xa9\":1,\"\\u00e9\":2}", "json.duplicate 1:8", "{\"\xc3\xa9\":1,\"e\":2}"},
      {"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "json.duplicate 1:19",
       "{\"\\ud83d\\ude01\":1,\"\xf0\x9f\x98\x80\":2}"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Refusal(c.text), c.refusal) << c.text;
    EXPECT_EQ(Refusal(c.control), "taken") << c.control;
  }
}

// Small objects are compared pair by pair, large ones sorted: the answer is the same around the
// border, wherever the pair stands.
TEST(Json, FindsADuplicateAnywhere) {
  for (int count : {2, 3, 15, 16, 17, 18, 100}) {
    for (int second = 1; second<count; second += count> 20 ? 13 : 1) {
      for (int first = 0; first<second; first += count> 20 ? 17 : 1) {
        std::string text = "{";
        std::string clean = "{";
        for (int i = 0; i < count; ++i) {
          std::string name = "key" + std::to_string(i);
          clean += (i ? ",\n\"" : "\n\"") + name + "\":0";
          text += (i ? ",\n\"" : "\n\"") + (i == second ? "key" + std::to_string(first) : name) +
                  "\":0";
        }
        ASSERT_EQ(Refusal(text + "}"), "json.duplicate " + std::to_string(second + 2) + ":1")
            << text;
        ASSERT_EQ(Refusal(clean + "}"), "taken");
      }
    }
  }
}

TEST(Json, KeepsItsLimits) {
  auto nest = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(Refusal(nest(32)), "taken");
  EXPECT_EQ(Refusal(nest(33)), "json.depth 1:33");
  std::string objects;
  for (int i = 0; i < 33; ++i) objects += "{\"a\":";
  EXPECT_EQ(Refusal(objects), "json.depth 1:161");
  EXPECT_EQ(Refusal(nest(1'000), {.max_depth = 1'000}), "taken");

  std::string padded = "[" + std::string(64 * 1024 - 2, ' ') + "]";
  EXPECT_EQ(Refusal(padded), "taken");
  EXPECT_EQ(Refusal(padded + " "), "json.size 1:1");

  auto members = [](int n) {
    std::string text = "{";
    for (int i = 0; i < n; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
    return text + "}";
  };
  EXPECT_EQ(Refusal(members(1000)), "taken");
  EXPECT_EQ(Refusal(members(1001)).substr(0, 12), "json.members");

  JsonLimits few;
  few.max_nodes = 4;
  EXPECT_EQ(Refusal("[1,[2]]", few), "taken");
  EXPECT_EQ(Refusal("[1,[2],3]", few), "json.nodes 1:8");
  EXPECT_EQ(Refusal("[1,2,3,[]]", few), "json.nodes 1:8");

  JsonLimits brief;
  brief.max_string = 5;
  EXPECT_EQ(Refusal(R"(["12345",12345,{"12345":1}])", brief), "taken");
  EXPECT_EQ(Refusal(R"(["\u0031\u0032\u0033\u0034\u0035"])", brief), "taken");
  EXPECT_EQ(Refusal(R"(["123456"])", brief), "json.string 1:2");
  EXPECT_EQ(Refusal(R"([123456])", brief), "json.string 1:2");
  EXPECT_EQ(Refusal(R"({"123456":1})", brief), "json.string 1:2");
}

TEST(Json, KeepsToTheArenasLimit) {
  std::string text = "[";
  for (int i = 0; i < 500; ++i) text += "\"0123456789\",";
  text += "0]";
  Arena roomy(1 << 20);
  ASSERT_TRUE(ParseJson(text, &roomy).ok());
  size_t needed = roomy.used();
  size_t refused = 0;
  for (size_t limit = 0; limit < needed; limit += 997) {
    Arena tight(limit);
    auto root = ParseJson(text, &tight);
    if (root.ok()) continue;  // block borders cost the roomy one some padding
    EXPECT_EQ(root.error().code, "json.memory") << limit;
    EXPECT_LE(tight.used(), limit);
    ++refused;
  }
  EXPECT_GT(refused, needed / 997 / 2);
}

TEST(Writer, WritesNested) {
  std::string out = "x";
  JsonWriter w(&out);
  w.BeginObject();
  w.Member("decision", "permit").Key("ok").Bool(true).Key("n").Int(INT64_MIN);
  w.Key("u").Uint(UINT64_MAX).Key("none").Null();
  w.Key("list")
      .BeginArray()
      .Int(1)
      .String("a\"b")
      .BeginArray()
      .EndArray()
      .BeginObject()
      .EndObject();
  w.EndArray().Key("raw").Raw("{\"a\":1}").EndObject();
  EXPECT_TRUE(w.complete());
  EXPECT_EQ(
      out,
      R"(x{"decision":"permit","ok":true,"n":-9223372036854775808,"u":18446744073709551615,"none":null,)"
      R"("list":[1,"a\"b",[],{}],"raw":{"a":1}})");
}

TEST(Writer, Indents) {
  std::string out;
  JsonWriter w(&out, 2);
  w.BeginObject()
      .Key("a")
      .BeginArray()
      .Int(1)
      .Int(2)
      .EndArray()
      .Key("b")
      .BeginObject()
      .EndObject()
      .EndObject();
  EXPECT_EQ(out, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

TEST(WriterDeathTest, MisuseEndsTheProcess) {
  std::string out;
  EXPECT_DEATH(JsonWriter(&out).BeginObject().Int(1), "check failed");
  EXPECT_DEATH(JsonWriter(&out).BeginObject().EndArray(), "check failed");
  EXPECT_DEATH(JsonWriter(&out).Int(1).Int(2), "check failed");
  EXPECT_DEATH(JsonWriter(&out).BeginArray().Key("a"), "check failed");
  EXPECT_DEATH(JsonWriter(&out).BeginObject().Key("a").EndObject(), "check failed");
}

}  // namespace
}  // namespace dpl
