// Functions over texts. What they cost beyond their row grows with the text, so a long one cannot
// be had for free.
#include "runtime/base/text.h"
#include "runtime/vm/builtins.h"

namespace dpl::vm {
namespace {

bool IsText(const Value& v) { return v.kind == ValueKind::kString || v.kind == ValueKind::kPath; }

}  // namespace

Value StartsWith(Context& c, const Value& text, const Value& begin) {
  if (!IsText(text) || !IsText(begin)) return c.Confused();
  return Value::Bool(text.text().starts_with(begin.text()));
}

Value EndsWith(Context& c, const Value& text, const Value& end) {
  if (!IsText(text) || !IsText(end)) return c.Confused();
  return Value::Bool(text.text().ends_with(end.text()));
}

Value Lower(Context& c, const Value& text) {
  if (text.kind != ValueKind::kString) return c.Confused();
  c.Pay(text.n / 32);
  char* copy = static_cast<char*>(c.env->arena->Allocate(text.n == 0 ? 1 : text.n, 1));
  if (copy == nullptr) return c.NoMemory();
  for (uint32_t i = 0; i < text.n; ++i) {
    char ch = text.s[i];
    copy[i] = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch - 'A' + 'a') : ch;
  }
  return Value::Text(ValueKind::kString, {copy, text.n});
}

Value Length(Context& c, const Value& text) {
  if (!IsText(text)) return c.Confused();
  c.Pay(text.n / 32);
  return Value::Int(ValueKind::kInt, static_cast<int64_t>(CodePointCount(text.text())));
}

Value Like(Context& c, const Value& text, std::string_view pattern) {
  if (!IsText(text)) return c.Confused();
  c.Pay((text.n + pattern.size()) / 32);
  return Value::Bool(LikeMatches(pattern, text.text()));
}

Value Matches(Context& c, const Value& text, const Pattern& pattern) {
  if (!IsText(text)) return c.Confused();
  c.Pay(text.n / 4);
  return Value::Bool(pattern.Matches(text.text()));
}

}  // namespace dpl::vm
