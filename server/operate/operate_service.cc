// See operate_service.h.
#include "server/operate/operate_service.h"

#include <algorithm>

#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/json/json.h"
#include "server/api/headers.h"
#include "server/http/limits.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

// Null: not known. In development the kernel must say that the peer is we ourselves.
const RegisteredCaller* FindCaller(const CallerRegistry& callers, const HttpRequest& request) {
  if (!callers.development()) return callers.Authenticate(request);
  if (!request.unix_socket || request.peer_uid != static_cast<int64_t>(geteuid())) return nullptr;
  if (request.Find("Authorization").count != 0) return nullptr;  // no token is known
  return callers.Authenticate(request);
}

// The route of this method and path; null after a problem. `parameters` are those of the path;
// `*well_formed` is false when one of them cannot be decoded.
const Route* FindRoute(Call& call, HttpResponse* response, std::vector<std::string>* parameters,
                       bool* well_formed) {
  const HttpRequest& request = call.http();
  std::string allowed;
  bool bad = false;
  for (const Route& route : Routes()) {
    std::vector<std::string> found;
    if (!MatchPath(route, request.path, &found, &bad)) continue;
    if (route.method == request.method) {
      *parameters = std::move(found);
      *well_formed = !bad;
      return &route;
    }
    allowed.append(allowed.empty() ? "" : ", ").append(route.method);
    if (route.method == "GET") allowed.append(", HEAD");
  }
  if (allowed.empty()) {
    call.Problem(ProblemKind::kNoSuchPath, "there is nothing at this path");
  } else {
    call.Problem(ProblemKind::kMethodNotAllowed, "this path takes " + allowed);
    response->AddHeader("Allow", allowed);
  }
  return nullptr;
}

bool Lists(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    size_t blank = names.find(' ');
    if (names.substr(0, blank) == name) return true;
    names.remove_prefix(blank == std::string_view::npos ? names.size() : blank + 1);
  }
  return false;
}

// As docs/openapi.json says of names in paths and queries.
bool IsParameter(std::string_view value) { return !value.empty() && CodePointCount(value) <= 512; }

bool ReadQuery(Call& call, const Route& route,
               std::vector<std::pair<std::string, std::string>>* out) {
  for (std::string_view rest = call.http().query; !rest.empty();) {
    size_t end = rest.find('&');
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (pair.empty()) continue;
    size_t equals = pair.find('=');
    std::string name, value;
    bool good = DecodePart(pair.substr(0, equals), true, &name);
    if (equals != std::string_view::npos)
      good = DecodePart(pair.substr(equals + 1), true, &value) && good;
    std::string wrong;
    if (!good) {
      wrong = "the query is not percent-encoded UTF-8 without controls";
    } else if (!Lists(route.query, name)) {
      wrong = route.query.empty()
                  ? "this path takes no query parameters"
                  : "there is no such query parameter; known are: " + std::string(route.query);
    } else if (std::any_of(out->begin(), out->end(),
                           [&](const auto& known) { return known.first == name; })) {
      wrong = "the query parameter `" + name + "` is given twice";
    } else if (name != "cursor" && !IsParameter(value)) {
      wrong = "the query parameter `" + name + "` must have 1 to 512 characters";
    }
    if (!wrong.empty()) {
      call.Problem(ProblemKind::kInvalidParameter, wrong);
      return false;
    }
    out->emplace_back(std::move(name), std::move(value));
  }
  return true;
}

// The body as an object, or null when it is left out and may be. False after a problem.
bool ReadBody(Call& call, const Route& route, const WireValue** out) {
  const HttpRequest& request = call.http();
  if (request.body.empty() && (route.body == BodyRule::kNone || route.body == BodyRule::kOptional))
    return true;
  if (route.body == BodyRule::kNone) {
    call.Problem(ProblemKind::kMalformedBody, "this call takes no body");
    return false;
  }
  HttpRequest::Found type = request.Find("Content-Type");
  if (type.count != 1 || !IsJson(type.value)) {
    call.Problem(ProblemKind::kUnsupportedMediaType,
                 "Content-Type must be application/json, in UTF-8");
    return false;
  }
  HttpRequest::Found coding = request.Find("Content-Encoding");
  if (coding.count > 0 && !(coding.count == 1 && EqualIgnoringCase(coding.value, "identity"))) {
    call.Problem(ProblemKind::kUnsupportedMediaType, "the body must not be encoded");
    return false;
  }
  if (request.body.empty()) {
    call.Problem(ProblemKind::kMalformedBody, "the body is empty; it must be a JSON object");
    return false;
  }
  if (route.body == BodyRule::kRaw) {  // read whole by the route
    const size_t at = request.body.find_first_not_of(" \t\r\n");
    if (at != std::string_view::npos && request.body[at] == '{') return true;
    call.Problem(ProblemKind::kMalformedBody, "the body must be a JSON object", {{}, 1, 1, {}});
    return false;
  }
  JsonLimits limits;
  limits.max_bytes = HttpLimits::kMaxBodyBytes;  // the HTTP server's own limit has passed it
  Result<const WireValue*> root = ParseJson(request.body, call.arena(), limits);
  if (!root.ok()) {
    const Error& error = root.error();
    call.Problem(ProblemKind::kMalformedBody, error.message, {{}, error.line, error.column, {}});
    return false;
  }
  if (!(*root)->is_object()) {
    call.Problem(ProblemKind::kMalformedBody, "the body must be a JSON object", {{}, 1, 1, {}});
    return false;
  }
  *out = *root;
  return true;
}

}  // namespace

void OperateService::Handle(const HttpRequest& request, HttpResponse* response) const {
  Call call(options_, options_.service->Current(), request, response);
  if (std::string_view wrong = EchoRequestId(request, response, &call.request_id_);
      !wrong.empty()) {
    return call.Problem(ProblemKind::kInvalidHeader, wrong);
  }
  (void)ReadTraceparent(request, &call.trace_);  // one that is not valid is ignored
  response->AddHeader("Cache-Control", "no-store");
  if (call.in_force_.snapshot == nullptr)
    return call.Problem(ProblemKind::kNoPolicy, "no policy is loaded");
  call.caller_ = FindCaller(*call.in_force_.callers, request);
  if (call.caller_ == nullptr) {
    response->AddHeader("WWW-Authenticate", "Bearer realm=\"dpl\"");
    return call.Problem(ProblemKind::kUnauthenticated,
                        call.in_force_.callers->development()
                            ? "no callers are registered: only the user that runs dpld is let in, "
                              "over a unix socket and without a token"
                            : "the caller is not registered, or its token is not known");
  }
  bool well_formed = true;
  const Route* route = FindRoute(call, response, &call.path_, &well_formed);
  if (route == nullptr) return;
  if (!call.caller_->HasAny(route->roles)) {
    std::string roles;
    for (Role role : {Role::kDecide, Role::kOperate, Role::kApprove, Role::kAudit, Role::kPerson}) {
      if ((route->roles & static_cast<Roles>(role)) != 0)
        roles.append(roles.empty() ? "`" : " or `").append(RoleName(role)).append("`");
    }
    return call.Problem(ProblemKind::kForbidden, "the caller needs the role " + roles);
  }
  if (!well_formed) {
    return call.Problem(ProblemKind::kInvalidParameter,
                        "a parameter of the path is not percent-encoded UTF-8 without controls");
  }
  if (!std::all_of(call.path_.begin(), call.path_.end(), IsParameter)) {
    return call.Problem(ProblemKind::kInvalidParameter,
                        "a parameter of the path must have 1 to 512 characters");
  }
  if (!ReadQuery(call, *route, &call.query_)) return;
  if (!ReadBody(call, *route, &call.body_)) return;
  route->run(call);
}

}  // namespace dpl
