// How the configuration is read: one object at a time, each member taken by name, what is left over
// is a mistake. Only server/config*.cc see this header.
//
//   ObjectReader reader(value, "limits", &status);
//   reader.Number("headers", 8, 1000, &limits->max_headers);
//   reader.Finish();  // last: "limits: has no member `heders`; known are: headers"
//
// `*status` keeps the first error only, with line and column.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/text.h"
#include "runtime/base/wire.h"

namespace dpl {

class ObjectReader {
 public:
  ObjectReader(const WireValue& object, std::string path, Status* status)
      : path_(std::move(path)), status_(status) {
    if (!object.is_object()) {
      Fail(object, path_, "must be an object");
      return;
    }
    object_ = &object;
  }

  // Null when the member is absent, or something is wrong already.
  const WireValue* Take(std::string_view name) {
    known_.push_back(name);
    return object_ != nullptr && status_->ok() ? object_->Find(name) : nullptr;
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
    if (!value->is_number() || std::from_chars(value->text.data(), end, number).ptr != end ||
        number < least || number > most) {
      return Fail(
          *value, Path(name),
          "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    *out = static_cast<Int>(number);
  }
  void Seconds(std::string_view name, std::chrono::milliseconds* out) {
    int64_t seconds = 0;
    const WireValue* value = Take(name);
    if (value == nullptr) return;
    Number(name, 1, 3600, &seconds);
    if (status_->ok()) *out = std::chrono::seconds(seconds);
  }
  // Calls `each` with every text of the array.
  template <typename Each>
  void Texts(std::string_view name, Each each) {
    const WireValue* value = Take(name);
    if (value == nullptr) return;
    if (!value->is_array()) return Fail(*value, Path(name), "must be an array of texts");
    for (uint32_t i = 0; i < value->count; ++i) {
      const WireValue& item = value->items[i];
      if (!item.is_string() || item.text.empty())
        return Fail(item, Path(name), "must be an array of texts");
      each(item);
    }
  }
  void Fail(const WireValue& at, const std::string& path, const std::string& what) {
    if (!status_->ok()) return;
    *status_ = Error{"config", path.empty() ? "the configuration " + what : path + ": " + what,
                     at.line, at.column};
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
      for (std::string_view name : known_) list.append(list.empty() ? "" : ", ").append(name);
      return Fail(member.value, path_,
                  "has no member " + Quote(member.name) + "; known are: " + list);
    }
  }

 private:
  const WireValue* object_ = nullptr;
  std::string path_;
  Status* status_;
  std::vector<std::string_view> known_;
};

}  // namespace dpl
