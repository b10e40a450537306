// See headers.h.
#include "server/api/headers.h"

#include "server/http/characters.h"

namespace dpl {
namespace {

constexpr size_t kMostRequestIdBytes = 256;

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

bool IsJson(std::string_view content_type) {
  size_t semicolon = content_type.find(';');
  if (!EqualIgnoringCase(http::TrimBlanks(content_type.substr(0, semicolon)), "application/json"))
    return false;
  while (semicolon != std::string_view::npos) {
    content_type.remove_prefix(semicolon + 1);
    semicolon = content_type.find(';');
    std::string_view parameter = http::TrimBlanks(content_type.substr(0, semicolon));
    constexpr std::string_view kCharset = "charset=";
    if (!EqualIgnoringCase(parameter.substr(0, kCharset.size()), kCharset)) continue;
    std::string_view charset = parameter.substr(kCharset.size());
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    if (!EqualIgnoringCase(charset, "utf-8")) return false;
  }
  return true;
}

std::string_view EchoRequestId(const HttpRequest& request, HttpResponse* response,
                               std::string_view* id) {
  HttpRequest::Found found = request.Find("X-Request-ID");
  if (found.count == 0) return {};
  if (found.count > 1) return "more than one X-Request-ID";
  if (found.value.empty() || found.value.size() > kMostRequestIdBytes ||
      found.value.find('\t') != std::string_view::npos) {
    return "X-Request-ID must have 1 to 256 bytes and no control character";
  }
  *id = found.value;
  response->AddHeader("X-Request-ID", found.value);
  return {};
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
