// The two readers side by side.
#include "tests/reference/reference_json.h"

namespace dpl {
namespace {

void Describe(const WireValue& value, std::string* out) {
  out->append(std::to_string(static_cast<int>(value.kind))).append(value.boolean ? "t" : "f");
  out->append(std::to_string(value.line)).append(":").append(std::to_string(value.column));
  out->append("(").append(value.text).append(")");
  for (uint32_t i = 0; i < value.count; ++i) {
    if (value.is_object()) out->append("<").append(value.members[i].name).append(">");
    Describe(value.is_object() ? value.members[i].value : value.items[i], out);
  }
  out->append(";");
}

std::string Describe(const Result<const WireValue*>& read) {
  std::string out;
  if (read.ok()) {
    Describe(**read, &out);
  } else {
    const Error& error = read.error();
    out = error.code + " " + error.message + " " + std::to_string(error.line) + ":" +
          std::to_string(error.column);
  }
  return out;
}

// The stated differences: a text that begins with the byte EF is refused where it begins, not a
// column later; and the bound on a number beyond 1e308 is a little wider or narrower.
bool AsStated(std::string_view text, const Result<const WireValue*>& ours,
              const Result<const WireValue*>& reference) {
  if (text.starts_with("\xef") && !ours.ok() && !reference.ok() &&
      ours.error().code == reference.error().code)
    return true;
  return (!ours.ok() && ours.error().code == "json.number") ||
         (!reference.ok() && reference.error().code == "json.number");
}

}  // namespace

std::string WhereReadersDiffer(std::string_view text, const JsonLimits& limits) {
  Arena arena, other;
  Result<const WireValue*> ours = ParseJson(text, &arena, limits);
  Result<const WireValue*> reference = ReferenceParseJson(text, &other, limits);
  std::string ours_text = Describe(ours), reference_text = Describe(reference);
  if (ours_text == reference_text || AsStated(text, ours, reference)) return {};
  return "`" + std::string(text) + "`: ours " + ours_text + ", reference " + reference_text;
}

}  // namespace dpl
