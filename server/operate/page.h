// One page of a list over HTTP: `limit` and `cursor` in the query, `{"items": […], "next": "…"}` in
// the answer.
//
//   PageQuery query;
//   if (!query.Read(call)) return;                  // the problem is written already
//   AnswerPage(call, call.store().ListTasks(query.ask()), [&](const TaskRecord& t, JsonWriter* out)
//              { WriteTask(call, t, out); });
//
// `next` is the cursor of the page after this one, absent on the last. What is there all the time
// is shown exactly once, whatever comes and goes between two pages.
#pragma once

#include <string>

#include "runtime/base/sha256.h"
#include "server/operate/call.h"

namespace dpl {

class PageQuery {
 public:
  static constexpr int kUsual = 100, kLargest = 1000;

  bool Read(Call& call);  // false: a problem has been written
  PageAsk ask() const { return {after_, limit_}; }

 private:
  std::string after_;
  size_t limit_ = kUsual;
};

// `write(item, &json)` writes one item's object, or nothing at all when it is not wanted.
template <typename Item, typename Write>
void AnswerPage(Call& call, const Page<Item>& page, Write write) {
  JsonWriter& out = call.Answer();
  out.BeginObject().Key("items").BeginArray();
  for (const Item& item : page.items) write(item, &out);
  out.EndArray();
  if (!page.next.empty()) out.Member("next", Hex(page.next));
  out.EndObject();
}

}  // namespace dpl
