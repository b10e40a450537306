// See body_reader.h.
#include "server/operate/body_reader.h"

#include <algorithm>

#include "runtime/base/decimal.h"
#include "runtime/base/text.h"

namespace dpl {

std::string BodyReader::Pointer(std::string_view name) const {
  std::string out = pointer_ + "/";
  for (char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

void BodyReader::Fail(std::string_view name, std::string_view detail, ProblemKind kind,
                      std::vector<std::string> suggestions) {
  const WireValue* at = object_.Find(name);
  if (at == nullptr) at = &object_;
  call_.Problem(kind, "`" + std::string(name) + "` " + std::string(detail),
                {Pointer(name), at->line, at->column, std::move(suggestions)});
}

const WireValue* BodyReader::Take(std::string_view name, Need need) {
  known_.push_back(name);
  if (!ok()) return nullptr;
  const WireValue* value = object_.Find(name);
  if (value == nullptr && need == Need::kRequired) Fail(name, "is required");
  return value;
}

std::string_view BodyReader::Text(std::string_view name, Need need, size_t most) {
  const WireValue* value = Take(name, need);
  if (value == nullptr) return {};
  if (!value->is_string() || value->text.empty()) {
    Fail(name, "must be a text, not empty");
  } else if (CodePointCount(value->text) > most) {
    Fail(name, "must have at most " + std::to_string(most) + " characters");
  } else if (HasControl(value->text)) {
    Fail(name, "must not hold control characters");
  } else {
    return value->text;
  }
  return {};
}

std::optional<Instant> BodyReader::Time(std::string_view name, Need need) {
  const WireValue* value = Take(name, need);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) {
    if (Result<Instant> at = ParseInstant(value->text); at.ok()) return *at;
  }
  Fail(name, "must be a time as in RFC 3339, such as 2026-11-20T15:00:00Z");
  return std::nullopt;
}

bool BodyReader::Flag(std::string_view name) {
  const WireValue* value = Take(name, Need::kOptional);
  if (value == nullptr) return false;
  if (!value->is_bool()) Fail(name, "must be true or false");
  return value->is_bool() && value->boolean;
}

std::optional<int64_t> BodyReader::Number(std::string_view name, int64_t least, int64_t most,
                                          Need need) {
  const WireValue* value = Take(name, need);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    Result<int64_t> number = ParseInt(value->text);
    if (number.ok() && *number >= least && *number <= most) return *number;
  }
  Fail(name,
       "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

const WireValue* BodyReader::Object(std::string_view name, Need need) {
  const WireValue* value = Take(name, need);
  if (value == nullptr || value->is_object()) return value;
  Fail(name, "must be an object");
  return nullptr;
}

const WireValue* BodyReader::Array(std::string_view name, Need need) {
  const WireValue* value = Take(name, need);
  if (value == nullptr || value->is_array()) return value;
  Fail(name, "must be an array");
  return nullptr;
}

const WireValue* BodyReader::Any(std::string_view name, Need need) { return Take(name, need); }

std::string_view BodyReader::Word(std::string_view name, std::string_view words, Need need) {
  std::string_view given = Text(name, need);
  if (given.empty()) return {};
  for (std::string_view rest = words; !rest.empty();) {
    size_t blank = rest.find(' ');
    if (rest.substr(0, blank) == given) return given;
    rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
  }
  Fail(name, "must be one of: " + std::string(words));
  return {};
}

bool BodyReader::Finish() {
  for (uint32_t i = 0; ok() && object_.is_object() && i < object_.count; ++i) {
    const WireMember& member = object_.members[i];
    if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
    std::string list;
    for (std::string_view name : known_) list.append(list.empty() ? "" : ", ").append(name);
    call_.Problem(ProblemKind::kInvalidMember, "there is no such member here; known are: " + list,
                  {Pointer(member.name), member.value.line, member.value.column, {}});
  }
  return ok();
}

}  // namespace dpl
