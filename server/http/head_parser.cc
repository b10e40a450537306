// The strict reader of request heads.
#include "server/http/head_parser.h"

#include <cstring>

#include <arpa/inet.h>

#include "server/http/characters.h"
#include "server/http/message.h"

namespace dpl::http {
namespace {

Slice SliceOf(std::string_view part, std::string_view buffer) {
  return {static_cast<uint32_t>(part.data() - buffer.data()), static_cast<uint32_t>(part.size())};
}

// Path or query: only the characters of RFC 3986, and every `%` begins a two-digit escape.
bool IsValidTargetText(std::string_view text) {
  if (PlainWord(text, '/')) return true;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!Is(text[i], kTarget)) return false;
    if (text[i] != '%') continue;
    if (i + 2 >= text.size() || !Is(text[i + 1], kHex) || !Is(text[i + 2], kHex)) return false;
    i += 2;
  }
  return true;
}

bool IsValidPort(std::string_view text) {
  if (text.size() > 5 || !All(text, kDigit)) return false;
  int port = 0;
  for (char c : text) port = port * 10 + (c - '0');
  return port <= 65535;
}

// Calls `each` with every element of the comma-separated list; empty elements are skipped.
template <typename Each>
void ForEachElement(std::string_view list, Each each) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    std::string_view element = TrimBlanks(list.substr(0, comma));
    if (!element.empty()) each(element);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

bool IsValidHost(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '[') {
    size_t close = text.find(']');
    if (close == std::string_view::npos || close - 1 >= INET6_ADDRSTRLEN) return false;
    char address[INET6_ADDRSTRLEN] = {};
    text.copy(address, close - 1, 1);
    in6_addr parsed;
    if (inet_pton(AF_INET6, address, &parsed) != 1) return false;
    std::string_view rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && IsValidPort(rest.substr(1)));
  }
  size_t colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  if (name.empty() || name.size() > 255 || !All(name, kHost)) return false;
  return colon == std::string_view::npos || IsValidPort(text.substr(colon + 1));
}

Refusal SplitHeaderLine(std::string_view line, std::string_view* name, std::string_view* value) {
  if (line.front() == ' ' || line.front() == '\t')
    return {400, "a folded header line", RefusedFor::kHeader};
  size_t colon = line.find(':');
  if (colon == std::string_view::npos)
    return {400, "a header line without a colon", RefusedFor::kHeader};
  *name = line.substr(0, colon);
  if (name->empty() || (!PlainWord(*name, '_') && !All(*name, kToken)))
    return {400, "a malformed header name", RefusedFor::kHeader};
  *value = TrimBlanks(line.substr(colon + 1));
  if (!PlainField(*value) && !All(*value, kField))
    return {400, "a control character in a header", RefusedFor::kHeader};
  return {};
}

void HeadParser::Reset() {
  head_.method = head_.path = head_.query = {};
  head_.headers.clear();
  head_.content_length = 0;
  head_.body_bytes = limits_->max_body_bytes;
  head_.chunked = head_.http10 = head_.expects_continue = head_.is_head = false;
  head_.keep_alive = true;
  refusal_ = {};
  line_start_ = scanned_ = 0;
  have_request_line_ = skipped_empty_line_ = false;
  authority_ = {};
}

HeadParser::Progress HeadParser::Advance(std::string_view buffer) {
  auto refuse = [this](Refusal why) {
    refusal_ = why;
    return Progress::kRefused;
  };
  for (;;) {
    const void* found = std::memchr(buffer.data() + scanned_, '\n', buffer.size() - scanned_);
    if (found == nullptr) {
      scanned_ = buffer.size();
      if (buffer.size() > limits_->max_head_bytes)
        return refuse({431, "the request head is too large", RefusedFor::kHeadSize});
      if (!have_request_line_) {
        std::string_view line = buffer.substr(line_start_);
        if (line.size() > limits_->max_target_bytes + 64)
          return refuse({414, "the request target is too long", RefusedFor::kTargetSize});
        // What cannot become a request line is told so at once: TLS or binary bytes on the plain
        // port.
        if (!line.empty() && line.front() != '\r' && !Is(line.front(), kToken)) {
          return refuse({400, "not an HTTP request", RefusedFor::kRequestLine});
        }
      }
      return Progress::kMore;
    }
    size_t line_feed = static_cast<size_t>(static_cast<const char*>(found) - buffer.data());
    if (line_feed + 1 > limits_->max_head_bytes)
      return refuse({431, "the request head is too large", RefusedFor::kHeadSize});
    if (line_feed == line_start_ || buffer[line_feed - 1] != '\r') {
      return refuse({400, "a line that does not end in CR LF", RefusedFor::kLineEnd});
    }
    std::string_view line = buffer.substr(line_start_, line_feed - 1 - line_start_);
    line_start_ = scanned_ = line_feed + 1;
    Refusal why;
    if (!have_request_line_) {
      if (line.empty() && !skipped_empty_line_) {
        skipped_empty_line_ = true;
        continue;
      }
      why = RequestLine(buffer, line);
      have_request_line_ = true;
    } else if (line.empty()) {
      why = Finish(buffer);
      if (!why) return Progress::kDone;
    } else {
      why = HeaderLine(buffer, line);
    }
    if (why) return refuse(why);
  }
}

Refusal HeadParser::RequestLine(std::string_view buffer, std::string_view line) {
  size_t first = line.find(' ');
  size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return {400, "a malformed request line", RefusedFor::kRequestLine};
  std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  std::string_view version = line.substr(last + 1);
  if (method.empty() || method.size() > 32 || !All(method, kToken))
    return {400, "a malformed method", RefusedFor::kRequestLine};
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !Is(version[5], kDigit) ||
      version[6] != '.' || !Is(version[7], kDigit)) {
    return {400, "a malformed HTTP version", RefusedFor::kVersion};
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return {505, "only HTTP/1.1 and HTTP/1.0 are spoken here", RefusedFor::kVersion};
  head_.method = SliceOf(method, buffer);
  head_.is_head = method == "HEAD";
  head_.http10 = version[7] == '0';
  if (target.size() > limits_->max_target_bytes)
    return {414, "the request target is too long", RefusedFor::kTargetSize};
  if (method == "CONNECT") return {501, "this server opens no tunnels", RefusedFor::kTarget};
  if (target == "*") {
    if (method != "OPTIONS")
      return {400, "the target `*` is for OPTIONS only", RefusedFor::kTarget};
    head_.path = SliceOf(target, buffer);
    head_.body_bytes = limits_->max_body_bytes;
    return {};
  }
  return Target(buffer, target);
}

// Origin form (`/path?query`), or absolute form (`http://host/path?query`) whose host must equal
// the Host header.
Refusal HeadParser::Target(std::string_view buffer, std::string_view target) {
  if (target.empty()) return {400, "an empty request target", RefusedFor::kTarget};
  if (target.front() != '/') {
    size_t scheme = EqualIgnoringCase(target.substr(0, 7), "http://")    ? 7
                    : EqualIgnoringCase(target.substr(0, 8), "https://") ? 8
                                                                         : 0;
    if (scheme == 0) return {400, "a malformed request target", RefusedFor::kTarget};
    size_t end = target.find_first_of("/?", scheme);
    std::string_view authority =
        target.substr(scheme, end == std::string_view::npos ? end : end - scheme);
    if (!IsValidHost(authority))
      return {400, "a malformed host in the request target", RefusedFor::kHost};
    if (end == std::string_view::npos || target[end] != '/')
      return {400, "a request target without a path", RefusedFor::kTarget};
    authority_ = SliceOf(authority, buffer);
    target.remove_prefix(end);
  }
  size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  std::string_view query = question == std::string_view::npos ? target.substr(target.size())
                                                              : target.substr(question + 1);
  if (!IsValidTargetText(path) || !IsValidTargetText(query))
    return {400, "a malformed request target", RefusedFor::kTarget};
  head_.path = SliceOf(path, buffer);
  head_.body_bytes = limits_->BodyBytes(path);
  head_.query = SliceOf(query, buffer);
  return {};
}

Refusal HeadParser::HeaderLine(std::string_view buffer, std::string_view line) {
  if (head_.headers.size() >= limits_->max_headers)
    return {431, "too many headers", RefusedFor::kHeadSize};
  std::string_view name;
  std::string_view value;
  if (Refusal why = SplitHeaderLine(line, &name, &value)) return why;
  head_.headers.push_back({SliceOf(name, buffer), SliceOf(value, buffer)});
  return {};
}

// The head is whole: what its headers say about framing, host and connection, together.
Refusal HeadParser::Finish(std::string_view buffer) {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  bool close = false;
  bool keep = false;
  Refusal why;
  for (const HeaderSlices& header : head_.headers) {
    std::string_view name = header.name.In(buffer);
    std::string_view value = header.value.In(buffer);
    switch (name.size()) {  // sorts out nearly all headers without comparing a character
      case 4:
        if (!EqualIgnoringCase(name, "Host")) break;
        if (++hosts > 1) return {400, "more than one Host", RefusedFor::kHost};
        if (!IsValidHost(value)) return {400, "a malformed Host", RefusedFor::kHost};
        if (authority_.size != 0 && !EqualIgnoringCase(authority_.In(buffer), value)) {
          return {400, "Host differs from the request target", RefusedFor::kHost};
        }
        break;
      case 6:
        if (!EqualIgnoringCase(name, "Expect")) break;
        if (!EqualIgnoringCase(value, "100-continue")) {
          why = {417, "an expectation other than 100-continue", RefusedFor::kExpectation};
          break;
        }
        head_.expects_continue = !head_.http10;
        break;
      case 10:
        if (!EqualIgnoringCase(name, "Connection")) break;
        ForEachElement(value, [&](std::string_view option) {
          close = close || EqualIgnoringCase(option, "close");
          keep = keep || EqualIgnoringCase(option, "keep-alive");
        });
        break;
      case 14: {
        if (!EqualIgnoringCase(name, "Content-Length")) break;
        if (++lengths > 1) return {400, "more than one Content-Length", RefusedFor::kLength};
        if (value.empty() || value.size() > 18 || !All(value, kDigit))
          return {400, "a malformed Content-Length", RefusedFor::kLength};
        uint64_t length = 0;
        for (char c : value) length = length * 10 + static_cast<uint64_t>(c - '0');
        head_.content_length = length;
        break;
      }
      case 17:
        if (!EqualIgnoringCase(name, "Transfer-Encoding")) break;
        if (++codings > 1) return {400, "more than one Transfer-Encoding", RefusedFor::kLength};
        if (head_.http10) return {400, "Transfer-Encoding in HTTP/1.0", RefusedFor::kLength};
        if (!EqualIgnoringCase(value, "chunked"))
          return {501, "a transfer coding other than chunked", RefusedFor::kLength};
        head_.chunked = true;
        break;
      default:
        break;
    }
  }
  if (hosts == 0 && !head_.http10) return {400, "Host is missing", RefusedFor::kHost};
  if (codings != 0 && lengths != 0)
    return {400, "Content-Length beside Transfer-Encoding", RefusedFor::kLength};
  if (why) return why;
  head_.keep_alive = !close && (keep || !head_.http10);
  if (head_.content_length > head_.body_bytes)
    return {413, "the body is too large", RefusedFor::kBodySize};
  return {};
}

}  // namespace dpl::http
