// See headers.h.
#include "server/api/headers.h"

#include "server/http/characters.h"

namespace dpl {
namespace {

constexpr size_t kMostRequestIdBytes = 256;

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

}  // namespace dpl
