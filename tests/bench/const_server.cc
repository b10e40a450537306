// A server that gives every request one answer: what any server built from server/http costs at
// least.
//
//   const_server --listen 127.0.0.1:0 --answer FILE [--threads 1]
//
// The same sockets, framing and flags as dpld, nothing behind them. Prints where it listens, as
// `{"event":"start","listen":"…"}` on standard error, and serves until it is killed.
// tests/bench/http_load.py measures dpld against it.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "server/http/server.h"

int main(int argc, char** argv) {
  using namespace dpl;
  std::string answer = "{}", listen = "127.0.0.1:0";
  int threads = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--listen") {
      listen = value;
    } else if (name == "--threads") {
      threads = std::stoi(value);
    } else if (name == "--answer") {
      std::ifstream file(value, std::ios::binary);
      answer.assign(std::istreambuf_iterator<char>(file), {});
      if (!file) return std::fprintf(stderr, "const_server: cannot read %s\n", argv[i + 1]), 2;
    } else {
      return std::fprintf(stderr, "const_server: unknown option %s\n", argv[i]), 2;
    }
  }
  HttpServer server(HttpLimits{}, [&](const HttpRequest&, HttpResponse* response) {
    response->body.append(answer);
  });
  Result<ListenAddress> address = ListenAddress::Parse(listen);
  if (!address.ok() || !server.Listen(*address).ok())
    return std::fprintf(stderr, "const_server: cannot listen on %s\n", listen.c_str()), 2;
  std::fprintf(stderr, "{\"event\":\"start\",\"listen\":\"%s\"}\n",
               server.BoundAddresses().front().c_str());
  return server.Run(threads).ok() ? 0 : 1;
}
