// Fuzzes the searches and the tokens of their pages. Any body gives an error of the request or a
// page; pages that are asked for to the end hold everybody once, in order. Nobody makes a token.
//
// The first byte of an input says what the rest is: a token, the place of a page, or (s, r, a) the
// body of a search.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/clock.h"
#include "runtime/base/text.h"
#include "runtime/json/json.h"
#include "runtime/json/wire_text.h"
#include "runtime/state/memory_store.h"
#include "server/api/page_token.h"
#include "server/api/service.h"
#include "tests/fuzz/world.h"

namespace dpl {
namespace {

struct Tokens {
  Tokens() { DPL_CHECK(FillRandom(key.data(), key.size())); }
  BoxKey key{};
  Digest question = Sha256("question"), policy = Sha256("policy"), other = Sha256("other");
};

void TryToken(std::string_view text) {
  static const Tokens t;
  PageTokens tokens(t.key);
  PagePlace place;
  DPL_CHECK(tokens.Read(text, t.question, t.policy, &place) == PageToken::kBad);
}

// A token says what it was made of, to the same question alone; no other spelling of it is good.
void TryPlace(std::string_view after) {
  static const Tokens t;
  if (after.size() > 2000) return;
  PageTokens tokens(t.key);
  const PagePlace place{static_cast<uint32_t>(after.size() * 7919), std::string(after)};
  std::string text;
  tokens.Append(&text, t.question, t.policy, place);
  PagePlace read;
  DPL_CHECK(tokens.Read(text, t.question, t.policy, &read) == PageToken::kGood);
  DPL_CHECK(read.limit == place.limit && read.after == place.after);
  DPL_CHECK(tokens.Read(text, t.question, t.other, &read) == PageToken::kOtherPolicy);
  DPL_CHECK(tokens.Read(text, t.other, t.policy, &read) == PageToken::kBad);
  for (size_t i = 0; i < text.size(); i += 1 + text.size() / 16) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    DPL_CHECK(tokens.Read(changed, t.question, t.policy, &read) == PageToken::kBad);
  }
  DPL_CHECK(tokens.Read(text + "=", t.question, t.policy, &read) == PageToken::kBad);
  DPL_CHECK(tokens.Read(text.substr(0, text.size() - 1), t.question, t.policy, &read) ==
            PageToken::kBad);
}

struct Server {
  fuzz::World world;
  std::shared_ptr<const Snapshot> snapshot{std::move(world.snapshot)};
  FakeClock clock{world.now};
  MemoryStore store;
  Service service{{.clock = &clock, .store = &store, .version = "fuzz"}};
  Server() { service.Publish(snapshot, std::make_shared<CallerRegistry>()); }

  std::string Ask(std::string_view path, std::string_view body, int* status) {
    HttpRequest request;
    request.method = "POST";
    request.path = path;
    request.body = body;
    request.headers = {{"Content-Type", "application/json"}};
    HttpResponse response;
    service.Handle(request, &response);
    *status = response.status;
    return std::move(response.body);
  }
};

// The members of `root`, with another page.
std::string WithToken(const WireValue& root, std::string_view token) {
  std::string out = "{";
  for (uint32_t i = 0; i < root.count; ++i) {
    if (root.members[i].name == "page") continue;
    AppendJsonString(&out, root.members[i].name);
    out.push_back(':');
    AppendWireText(&out, root.members[i].value);
    out.push_back(',');
  }
  return out.append(R"("page":{"token":")").append(token).append("\"}}");
}

void TrySearch(std::string_view path, std::string_view body) {
  static Server server;
  int status = 0;
  std::string answer = server.Ask(path, body, &status);
  Arena asked, told;
  Result<const WireValue*> root = ParseJson(body, &asked);
  DPL_CHECK(status == 200 || status == 400);
  DPL_CHECK(root.ok() || status == 400);
  const bool actions = path.ends_with("action");
  std::string last;
  for (int pages = 0; status == 200; ++pages) {
    DPL_CHECK(pages < 50);
    told.Reset();
    Result<const WireValue*> page = ParseJson(answer, &told);
    DPL_CHECK(page.ok());
    const WireValue* results = (*page)->Find("results");
    DPL_CHECK(results != nullptr && results->is_array());
    for (uint32_t i = 0; i < results->count; ++i) {
      const WireValue* id = results->items[i].Find(actions ? "name" : "id");
      DPL_CHECK(id != nullptr && (last.empty() || last < id->text));
      last = id->text;
    }
    const std::string token((*page)->Find("page")->Find("next_token")->text);
    if (token.empty() || (pages > 0 && results->count == 0)) break;
    const WireValue* asked_page = (*root)->Find("page");
    const WireValue* limit = asked_page == nullptr ? nullptr : asked_page->Find("limit");
    if (limit != nullptr && limit->text == "0") break;  // nothing is asked for, for ever
    answer = server.Ask(path, WithToken(**root, token), &status);
    DPL_CHECK(status == 200);
  }
}

void Run(std::string_view input) {
  if (input.empty()) return;
  const char what = input.front();
  input.remove_prefix(1);
  switch (what) {
    case 't':
      return TryToken(input);
    case 'p':
      return TryPlace(input);
    case 's':
      return TrySearch("/access/v1/search/subject", input);
    case 'r':
      return TrySearch("/access/v1/search/resource", input);
    case 'a':
      return TrySearch("/access/v1/search/action", input);
    default:
      return;
  }
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
