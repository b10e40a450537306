// Fuzzes HTTP framing: however the bytes are cut, the same requests come out and the same ones are
// refused.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "server/http/request_reader.h"

namespace dpl {
namespace {

using http::RequestReader;

// Everything a handler could tell the requests apart by, and how it ended.
std::string Read(std::string_view bytes, size_t piece) {
  HttpLimits limits;
  limits.max_body_bytes = 2048;
  RequestReader reader(limits);
  std::string seen;
  for (;;) {
    switch (reader.Next()) {
      case RequestReader::State::kReady: {
        const HttpRequest& request = reader.request();
        DPL_CHECK(request.body.size() <= limits.max_body_bytes);
        DPL_CHECK(request.path == "*" || request.path.substr(0, 1) == "/");
        seen.append(request.method)
            .append(" ")
            .append(request.path)
            .append("?")
            .append(request.query)
            .append("\n");
        for (const HttpHeader& header : request.headers) {
          for (char c : header.value)
            DPL_CHECK(c == '\t' || (static_cast<uint8_t>(c) >= 0x20 && c != 0x7f));
          seen.append(header.name).append(":").append(header.value).append("\n");
        }
        seen.append(request.body).append(reader.keep_alive() ? "\nkeep\n" : "\nclose\n");
        if (!reader.keep_alive()) return seen;  // the connection ends here
        reader.Consume();
        continue;
      }
      case RequestReader::State::kRefused:
        DPL_CHECK(reader.refusal().status >= 400);
        return seen + "refused";
      default:
        break;
    }
    if (bytes.empty()) return seen + "more";
    std::span<char> space = reader.Space();
    size_t count = std::min({piece, bytes.size(), space.size()});
    std::memcpy(space.data(), bytes.data(), count);
    reader.Received(count);
    bytes.remove_prefix(count);
    DPL_CHECK(reader.capacity() <= 256 * 1024);
  }
}

void Run(std::string_view bytes) {
  std::string whole = Read(bytes, bytes.size() + 1);
  DPL_CHECK(Read(bytes, 1) == whole);
  DPL_CHECK(Read(bytes, 7) == whole);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
