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
// `piece`: bytes a time; 0: sizes drawn from the bytes themselves. `lends`: received into memory
// that is taken away after each turn, as the server does.
std::string Read(std::string_view bytes, size_t piece, bool lends = false) {
  uint64_t random = bytes.size();
  for (char c : bytes.substr(0, 64)) random = random * 1099511628211u + static_cast<uint8_t>(c);
  std::string lent(16 * 1024, '\0');
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
    if (lends) {
      reader.Keep();
      std::fill(lent.begin(), lent.end(), '!');  // nothing may still be read from it
    }
    DPL_CHECK(reader.capacity() <= reader.NeededCapacity());
    std::span<char> space = lends ? reader.Space({lent.data(), lent.size()}) : reader.Space();
    random = random * 6364136223846793005u + 1442695040888963407u;
    const size_t wanted =
        piece != 0 ? piece : 1 + (random >> 33) % ((random >> 20) % 8 == 0 ? 5000 : 40);
    size_t count = std::min({wanted, bytes.size(), space.size()});
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
  DPL_CHECK(Read(bytes, 0) == whole);
  DPL_CHECK(Read(bytes, 0, true) == whole);
  DPL_CHECK(Read(bytes, bytes.size() + 1, true) == whole);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
