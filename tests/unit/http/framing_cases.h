// Requests that must be refused, each beside its nearest relative that must be answered: the corpus
// of tests/http/framing. Read by the reader's tests (bytes in every split) and by the server's
// (real sockets).
#pragma once

#include <string>
#include <vector>

namespace dpl {

struct FramingCase {
  std::string name;
  std::string refused;  // sent whole
  int status = 0;
  std::string control;  // answered with 200
};

inline std::string Get(const std::string& headers, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\n" + headers + "\r\n";
}
inline std::string Post(const std::string& headers, const std::string& body,
                        const std::string& version = "1.1") {
  return "POST / HTTP/" + version + "\r\nHost: h\r\n" + headers + "\r\n" + body;
}

// All files of tests/http/framing, in order of their names.
const std::vector<FramingCase>& FramingCases();

}  // namespace dpl
