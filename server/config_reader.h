// How the configuration is read: one object at a time, each member taken by name, what is left over
// is a mistake. Only server/config*.cc see this header.
//
//   ObjectReader reader(value, "limits", &problems);
//   reader.Number("headers", 8, 1000, &limits->max_headers);
//   reader.Finish();  // last: "has no member `heders`; did you mean `headers`? Known are: headers"
//
// Reading goes on after a problem, so that one look at a file finds all of them; what is wrong
// leaves its default in place.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "runtime/base/near_name.h"
#include "runtime/base/text.h"
#include "runtime/base/wire.h"
#include "server/config.h"

namespace dpl {

using ConfigProblems = std::vector<ConfigProblem>;

class ObjectReader {
 public:
  ObjectReader(const WireValue& object, std::string path, ConfigProblems* problems)
      : path_(std::move(path)), problems_(problems) {
    if (!object.is_object()) {
      Fail(object, path_, "must be an object");
      return;
    }
    object_ = &object;
  }

  // Null when the member is absent.
  const WireValue* Take(std::string_view name) {
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.emplace_back(name);
    return object_ != nullptr ? object_->Find(name) : nullptr;
  }
  void Text(std::string_view name, std::string* out) {
    const WireValue* value = Take(name);
    if (value == nullptr) return;
    if (!value->is_string() || value->text.empty())
      return Fail(*value, Path(name), "must be a text, not empty");
    if (HasControl(value->text))
      return Fail(*value, Path(name), "must not hold control characters");
    *out = value->text;
  }
  void Flag(std::string_view name, bool* out) {
    const WireValue* value = Take(name);
    if (value == nullptr) return;
    if (!value->is_bool()) return Fail(*value, Path(name), "must be true or false");
    *out = value->boolean;
  }
  template <typename Int>
  void Number(std::string_view name, int64_t least, int64_t most, Int* out) {
    const WireValue* value = Take(name);
    if (value == nullptr) return;
    int64_t number = 0;
    const char* end = value->text.data() + value->text.size();
    const std::from_chars_result read = std::from_chars(value->text.data(), end, number);
    // (One that does not fit 64 bits leaves `number` at 0.)
    if (!value->is_number() || read.ptr != end || read.ec != std::errc() || number < least ||
        number > most) {
      return Fail(
          *value, Path(name),
          "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    *out = static_cast<Int>(number);
  }
  void Seconds(std::string_view name, std::chrono::milliseconds* out) {
    int64_t seconds = 0;
    Number(name, 1, 3600, &seconds);
    if (seconds != 0) *out = std::chrono::seconds(seconds);
  }
  // Calls `each` with every text of the array.
  template <typename Each>
  void Texts(std::string_view name, Each each) {
    const WireValue* value = Take(name);
    if (value == nullptr) return;
    if (!value->is_array()) return Fail(*value, Path(name), "must be an array of texts");
    for (uint32_t i = 0; i < value->count; ++i) {
      const WireValue& item = value->items[i];
      if (!item.is_string() || item.text.empty()) {
        Fail(item, Path(name), "must be an array of texts");
      } else {
        each(item);
      }
    }
  }
  void Fail(const WireValue& at, const std::string& path, const std::string& what) {
    problems_->push_back({path, what, at.line, at.column});
  }
  std::string Path(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }

  // Last: whatever has not been taken is a mistake, usually of spelling.
  void Finish() {
    for (uint32_t i = 0; object_ != nullptr && i < object_->count; ++i) {
      const WireMember& member = object_->members[i];
      if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
      std::string list;
      for (const std::string& name : known_) list.append(list.empty() ? "" : ", ").append(name);
      std::string near = DidYouMean(NearNames(member.name, known_));
      Fail(member.value, path_,
           "has no member " + Quote(member.name) + "; " +
               (near.empty() ? "known are: " : near + " Known are: ") + list);
    }
  }

 private:
  const WireValue* object_ = nullptr;
  std::string path_;
  ConfigProblems* problems_;
  std::vector<std::string> known_;
};

}  // namespace dpl
