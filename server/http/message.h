// One HTTP request and its response, as a handler sees them: plain views and strings, no sockets.
//
//   void Handle(const HttpRequest& request, HttpResponse* response) {
//     if (request.path != "/healthz") return response->Error(404, "no such path");
//     response->body.append(R"({"status":"ok"})");
//   }
//
// The request's views point into the connection's buffer and live until the handler returns. Both
// objects are reused from request to request, so that a handler which only appends to `body`
// allocates nothing after warm-up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dpl {

struct HttpHeader {
  std::string_view name;  // as sent; compare without regard to case
  std::string_view
      value;  // without surrounding blanks; never holds a control character but the tab
};

struct HttpRequest {
  std::string_view
      method;  // as sent, but HEAD arrives as GET: the server leaves the body out by itself
  std::string_view
      path;  // the target up to `?`, still percent-encoded; always begins with `/`, or is `*`
  std::string_view query;  // after `?`, still percent-encoded
  std::string_view body;   // whole and decoded
  std::vector<HttpHeader> headers;
  bool head = false;      // it was a HEAD
  std::string_view peer;  // `127.0.0.1:40312`, `[::1]:40312` or `unix:uid=1000`
  bool unix_socket = false;
  int64_t peer_uid = -1;  // of a unix-socket peer, as the kernel says; else -1

  struct Found {
    std::string_view value;  // of the first such header; empty when there is none
    int count = 0;
  };
  Found Find(std::string_view name) const;
};

// What an answer has to wait for, as the server's ReplyGate knows it: the ticket of a change of
// state and that of a record in the audit log. 0: nothing.
struct ReplyHold {
  uint64_t state = 0;
  uint64_t audit = 0;
  bool any() const { return (state | audit) != 0; }
  // Waits for both.
  void Join(const ReplyHold& other) {
    state = std::max(state, other.state);
    audit = std::max(audit, other.audit);
  }
};

// How an error is told: `{"error":"<message>"}`, or RFC 9457 problem details.
enum class ErrorForm : uint8_t { kMessage, kProblem };

struct HttpResponse {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // points to a literal
  bool close = false;                                  // end the connection after this response
  // The connection waits for it, nobody else does.
  ReplyHold hold;

  // Adds a header line. False, and nothing added, when name or value would break the head's
  // framing.
  bool AddHeader(std::string_view name, std::string_view value);
  // Makes this an error in the listener's form; the message is escaped. As a problem its type is
  // `about:blank`: nothing more than the status says.
  void Error(int error_status, std::string_view message);
  // Of every error from now on; Reset leaves it.
  void SetErrorForm(ErrorForm form) { form_ = form; }
  ErrorForm error_form() const { return form_; }
  // Back to 200 with nothing in it; keeps the memory.
  void Reset();

  const std::string& extra_headers() const { return extra_; }

 private:
  std::string extra_;  // complete header lines
  ErrorForm form_ = ErrorForm::kMessage;
};

inline constexpr std::string_view kProblemType = "application/problem+json";

// True when the two differ in nothing but the case of ASCII letters.
bool EqualIgnoringCase(std::string_view a, std::string_view b);

// What `X-Request-ID` of a request says, in `*id`; empty: nothing. Returns what is wrong with it;
// empty: nothing. One that is wrong says nothing.
std::string_view ReadRequestId(const HttpRequest& request, std::string_view* id);
inline constexpr std::string_view kRequestIdHeader = "X-Request-ID";

// `OK` for 200; a short phrase for every status this server sends.
std::string_view StatusPhrase(int status);

}  // namespace dpl
