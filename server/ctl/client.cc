// See client.h. The only file of dplctl that sees Asio and Beast.
#include "server/ctl/client.h"

#include <chrono>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace dpl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Stream = boost::beast::basic_stream<asio::generic::stream_protocol>;

constexpr std::chrono::seconds kPatience{30};
constexpr uint64_t kMostBytes = uint64_t{256} << 20;

asio::generic::stream_protocol::endpoint EndpointOf(const ListenAddress& address,
                                                    error_code* error) {
  if (address.kind == ListenAddress::Kind::kUnix)
    return asio::local::stream_protocol::endpoint(address.host);
  return asio::ip::tcp::endpoint(asio::ip::make_address(address.host, *error), address.port);
}

}  // namespace

Result<Target> Target::Parse(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  std::string_view rest = text;
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  while (rest.ends_with('/') && !rest.starts_with("unix:")) rest.remove_suffix(1);
  Result<ListenAddress> address = ListenAddress::Parse(rest);
  if (!address.ok()) return Error{"ctl.address", address.error().message, 0, 0};
  return Target{address.take()};
}

Result<Reply> Send(const Target& target, const Ask& ask) {
  error_code error;
  auto failed = [&](const char* what) {
    return Error{
        "ctl.reach",
        "cannot " + std::string(what) + " `" + target.address.ToString() + "`: " + error.message(),
        0, 0};
  };
  asio::io_context io(1);
  Stream stream(io);
  // Each step is started, and the loop run until it has ended: deadlines work only that way.
  auto run = [&] {
    io.restart();
    io.run();
  };
  auto endpoint = EndpointOf(target.address, &error);
  if (error) return failed("use the address");
  stream.expires_after(kPatience);
  stream.async_connect(endpoint, [&](error_code e) { error = e; });
  run();
  if (error) return failed("reach");

  http::request<http::string_body> request;
  request.method_string(ask.method);
  request.target(ask.path);
  request.version(11);
  request.set(http::field::host, target.address.kind == ListenAddress::Kind::kUnix
                                     ? std::string("localhost")
                                     : target.address.ToString());
  request.set(http::field::connection, "close");
  if (!ask.token.empty()) request.set(http::field::authorization, "Bearer " + ask.token);
  if (!ask.body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = ask.body;
  if (!ask.body.empty() || ask.method != "GET") request.prepare_payload();
  http::async_write(stream, request, [&](error_code e, size_t) { error = e; });
  run();
  if (error) return failed("send to");

  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMostBytes);
  http::async_read(stream, buffer, parser, [&](error_code e, size_t) { error = e; });
  run();
  if (error) return failed("read the answer of");
  Reply reply;
  reply.status = parser.get().result_int();
  reply.body = std::move(parser.get().body());
  return reply;
}

}  // namespace dpl
