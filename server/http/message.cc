// Requests and responses: header look-up, the error body, status phrases.
#include "server/http/message.h"

#include "runtime/base/text.h"
#include "server/http/characters.h"

namespace dpl {
namespace {

constexpr size_t kMostRequestIdBytes = 1024;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a == b) return true;  // nearly everybody writes them in the same way
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

HttpRequest::Found HttpRequest::Find(std::string_view name) const {
  Found found;
  for (const HttpHeader& header : headers) {
    if (header.name.size() != name.size() || Lower(header.name[0]) != Lower(name[0]) ||
        !EqualIgnoringCase(header.name, name))
      continue;
    if (found.count++ == 0) found.value = header.value;
  }
  return found;
}

bool HttpResponse::AddHeader(std::string_view name, std::string_view value) {
  if (name.empty() || !http::All(name, http::kToken) || !http::All(value, http::kField))
    return false;
  extra_.append(name).append(": ").append(value).append("\r\n");
  return true;
}

void HttpResponse::Error(int error_status, std::string_view message) {
  status = error_status;
  if (form_ == ErrorForm::kMessage) {
    content_type = "application/json";
    body.assign("{\"error\":");
  } else {
    content_type = kProblemType;
    body.assign("{\"type\":\"about:blank\",\"title\":");
    AppendJsonString(&body, StatusPhrase(error_status));
    body.append(",\"status\":").append(std::to_string(error_status)).append(",\"detail\":");
  }
  AppendJsonString(&body, message);
  body.push_back('}');
}

void HttpResponse::Reset() {
  status = 200;
  body.clear();
  content_type = "application/json";
  close = false;
  hold = {};
  extra_.clear();
}

std::string_view ReadRequestId(const HttpRequest& request, std::string_view* id) {
  *id = {};
  HttpRequest::Found found = request.Find(kRequestIdHeader);
  if (found.count > 1) return "more than one X-Request-ID";
  if (found.value.size() > kMostRequestIdBytes || found.value.find('\t') != std::string_view::npos)
    return "X-Request-ID must have at most 1024 bytes and no control character";
  *id = found.value;
  return {};
}

std::string_view StatusPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace dpl
