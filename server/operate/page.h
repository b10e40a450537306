// One page of a list: the `limit` smallest keys after a cursor, whatever order they are offered in.
//
//   Page<TaskRow> page;
//   if (!page.Begin(call)) return;                  // `limit` or `cursor` is wrong: problem
//   written store.ForEachTask([&](const TaskRecord& t) { page.Offer(t.id, [&] { return RowOf(t);
//   }); }); page.Answer(call, [](const TaskRow& row, JsonWriter* out) { … });
//
// Memory is that of one page, however long the list. The answer is `{"items": […], "next": "…"}`;
// `next` is the cursor of the page after this one, absent on the last. Things that come and go
// between two pages are seen or not; nothing is ever seen twice.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/base/sha256.h"
#include "server/operate/call.h"

namespace dpl {

inline constexpr int kDefaultPage = 100, kLargestPage = 1000;

// Reads `limit` and `cursor` of the query. False: a problem has been written.
bool ReadPage(Call& call, size_t* limit, std::string* after);

template <typename Row>
class Page {
 public:
  bool Begin(Call& call) { return ReadPage(call, &limit_, &after_); }

  template <typename Make>
  void Offer(std::string_view key, Make make) {
    if (!after_.empty() && key <= after_) return;
    if (rows_.size() > limit_ && key >= rows_.rbegin()->first) return;
    rows_.emplace(key, make());
    if (rows_.size() > limit_ + 1) rows_.erase(std::prev(rows_.end()));
  }

  template <typename Write>
  void Answer(Call& call, Write write) {
    JsonWriter& out = call.Answer();
    out.BeginObject().Key("items").BeginArray();
    std::string_view last;
    size_t count = 0;
    for (const auto& [key, row] : rows_) {
      if (count++ == limit_) break;
      write(row, &out);
      last = key;
    }
    out.EndArray();
    if (rows_.size() > limit_) out.Member("next", Hex(last));
    out.EndObject();
  }

 private:
  size_t limit_ = kDefaultPage;
  std::string after_;
  std::map<std::string, Row, std::less<>> rows_;  // at most limit_ + 1
};

}  // namespace dpl
