// An AuthZEN answer, as the adapters read it. Whatever is not there reads as empty, and a decision
// that is not literally `true` as a denial.
#pragma once

#include <string_view>

#include "runtime/base/wire.h"

namespace dpl {

// What a denial is given as its reason where there was no question.
inline constexpr std::string_view kRefusedReason = "request.invalid";

class AnswerView {
 public:
  explicit AnswerView(const WireValue& answer) : answer_(answer), context_(answer.Find("context")) {
    dpl_ = In(context_, "dpl");
    const WireValue* by = In(dpl_, "by");
    if (by != nullptr && by->is_array() && by->count > 0) first_ = &by->items[0];
  }

  bool permit() const {
    const WireValue* decision = answer_.Find("decision");
    return decision != nullptr && decision->is_bool() && decision->boolean;
  }
  // permit, deny or ask; of an answer that says less, what it comes to.
  std::string_view outcome() const {
    std::string_view said = Text(dpl_, "outcome");
    return permit() ? "permit" : said == "ask" ? said : "deny";
  }
  std::string_view reason() const { return Text(context_, "reason"); }
  std::string_view reason_user() const { return Text(context_, "reason_user"); }
  std::string_view evaluation_id() const { return Text(context_, "evaluation_id"); }
  // Of the statement that the answer rests on first, for callers that may see it.
  std::string_view statement() const { return Text(first_, "statement"); }
  std::string_view span() const { return Text(first_, "span"); }
  // The caller is told the real reason, and more.
  bool has_details() const { return In(dpl_, "step") != nullptr; }
  const WireValue* access_request() const { return In(context_, "access_request"); }

 private:
  static const WireValue* In(const WireValue* object, std::string_view name) {
    return object == nullptr ? nullptr : object->Find(name);
  }
  static std::string_view Text(const WireValue* object, std::string_view name) {
    const WireValue* value = In(object, name);
    return value != nullptr && value->is_string() ? value->text : std::string_view();
  }

  const WireValue& answer_;
  const WireValue* context_;
  const WireValue* dpl_ = nullptr;
  const WireValue* first_ = nullptr;
};

}  // namespace dpl
