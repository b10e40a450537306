// What the headers of any request to us say: the content type, the request's id.
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

}  // namespace dpl
