// See headers.h.
#include "server/api/headers.h"

#include "server/http/characters.h"

namespace dpl {
namespace {

bool IsToken(std::string_view text) { return !text.empty() && http::All(text, http::kToken); }
bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

bool IsJson(std::string_view content_type) {
  size_t end = content_type.find(';');
  if (!EqualIgnoringCase(http::TrimBlanks(content_type.substr(0, end)), "application/json"))
    return false;
  // Parameters to the letter (RFC 9110, 5.6.6): a charset that one reader sees and another does not
  // would be two texts.
  while (end != std::string_view::npos) {
    content_type.remove_prefix(end + 1);
    content_type = http::TrimBlanks(content_type);
    if (content_type.empty()) return true;
    end = content_type.find(';');
    if (end == 0) continue;
    const size_t equals = content_type.find('=');
    std::string_view name = content_type.substr(0, equals), value;
    if (equals == std::string_view::npos || !IsToken(name)) return false;
    content_type.remove_prefix(equals + 1);
    if (content_type.starts_with('"')) {
      const size_t closing = content_type.find('"', 1);
      if (closing == std::string_view::npos) return false;
      value = content_type.substr(1, closing - 1);
      if (value.find('\\') != std::string_view::npos) return false;  // escapes: nobody needs them
      content_type.remove_prefix(closing + 1);
      end = content_type.find(';');
      if (!http::TrimBlanks(content_type.substr(0, end)).empty()) return false;
    } else {
      end = content_type.find(';');
      value = http::TrimBlanks(content_type.substr(0, end));
      if (content_type.starts_with(' ') || content_type.starts_with('\t') || !IsToken(value))
        return false;
    }
    if (EqualIgnoringCase(name, "charset") && !EqualIgnoringCase(value, "utf-8")) return false;
  }
  return true;
}

std::string_view EchoRequestId(const HttpRequest& request, HttpResponse* response,
                               std::string_view* id) {
  const std::string_view wrong = ReadRequestId(request, id);
  if (!id->empty()) response->AddHeader(kRequestIdHeader, *id);
  return wrong;
}

// version "-" trace-id "-" parent-id "-" flags. A later version may have more behind another dash;
// what stands before means the same.
bool ReadTraceparent(const HttpRequest& request, TraceContext* trace) {
  *trace = {};
  HttpRequest::Found found = request.Find("traceparent");
  if (found.count == 0) return true;
  constexpr size_t kLength = 55;
  std::string_view v = found.value;
  if (found.count > 1 || v.size() < kLength) return false;
  std::string_view version = v.substr(0, 2), trace_id = v.substr(3, 32), span_id = v.substr(36, 16);
  if (v[2] != '-' || v[35] != '-' || v[52] != '-') return false;
  if (!IsLowerHex(version) || !IsLowerHex(trace_id) || !IsLowerHex(span_id) ||
      !IsLowerHex(v.substr(53, 2)) || version == "ff" || IsZero(trace_id) || IsZero(span_id))
    return false;
  if (v.size() > kLength && (version == "00" || v[kLength] != '-')) return false;
  *trace = {trace_id, span_id};
  return true;
}

}  // namespace dpl
