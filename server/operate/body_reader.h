// Reads the JSON object of a request member by member; the first thing wrong becomes the problem,
// with a JSON pointer, line and column.
//
//   BodyReader body(call, *call.body());
//   std::string_view shape = body.Text("shape");              // required, not empty
//   std::string_view id = body.Text("id", Need::kOptional);   // empty when it is absent
//   if (!body.Finish()) return;                               // unknown members are refused too
//
// After the first mistake everything reads as absent, so that one check at the end is enough.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/base/wire.h"
#include "server/operate/call.h"

namespace dpl {

enum class Need : uint8_t { kRequired, kOptional };

class BodyReader {
 public:
  // `pointer`: where the object stands in the body; empty: it is the body.
  BodyReader(Call& call, const WireValue& object, std::string pointer = {})
      : call_(call), object_(object), pointer_(std::move(pointer)) {}

  // A text of 1 to `most` characters without control characters; stays valid for the call.
  std::string_view Text(std::string_view name, Need need = Need::kRequired, size_t most = 512);
  // RFC 3339; absent: nullopt.
  std::optional<Instant> Time(std::string_view name, Need need = Need::kOptional);
  bool Flag(std::string_view name);  // absent: false
  std::optional<int64_t> Number(std::string_view name, int64_t least, int64_t most,
                                Need need = Need::kOptional);
  const WireValue* Object(std::string_view name, Need need = Need::kOptional);
  const WireValue* Array(std::string_view name, Need need = Need::kOptional);
  const WireValue* Any(std::string_view name, Need need = Need::kOptional);
  // The text, which must be one of `words`, separated by blanks.
  std::string_view Word(std::string_view name, std::string_view words, Need need = Need::kRequired);

  // Says that the member is wrong. `kind`: when another problem than kInvalidMember fits better.
  void Fail(std::string_view name, std::string_view detail,
            ProblemKind kind = ProblemKind::kInvalidMember,
            std::vector<std::string> suggestions = {});
  // Last: what has not been asked for is unknown. False: a problem has been written.
  bool Finish();
  bool ok() const { return !call_.failed(); }
  std::string Pointer(std::string_view name) const;

 private:
  const WireValue* Take(std::string_view name, Need need);

  Call& call_;
  const WireValue& object_;
  const std::string pointer_;
  std::vector<std::string_view> known_;
};

}  // namespace dpl
