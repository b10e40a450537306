// What the headers of any request to us say: the content type, the request's id, the trace it
// belongs to.
#pragma once

#include <string_view>

#include "server/http/message.h"

namespace dpl {

// True for `application/json`, with or without `charset=utf-8` and other parameters.
bool IsJson(std::string_view content_type);

// Sends the request's `X-Request-ID` back as it came. `*id` is that id, empty when there is none.
// Returns what is wrong with it; empty: nothing.
std::string_view EchoRequestId(const HttpRequest& request, HttpResponse* response,
                               std::string_view* id);

// The trace that a request is a part of (W3C Trace Context): views into the header, in hex.
struct TraceContext {
  std::string_view trace_id;  // 32 digits; empty: none
  std::string_view span_id;   // 16 digits: of the caller's span
};

// Reads `traceparent`. False: there is one, or several, and it is not valid; it is to be ignored
// then. Nothing of it is ever sent back.
bool ReadTraceparent(const HttpRequest& request, TraceContext* trace);

}  // namespace dpl
