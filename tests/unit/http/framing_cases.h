// Requests that must be refused, each beside its nearest relative that must be answered. Read by
// the reader's tests (bytes in every split) and by the server's (real sockets).
#pragma once

#include <string>
#include <vector>

namespace dpl {

struct FramingCase {
  const char* name;
  std::string refused;  // sent whole
  int status;
  std::string control;  // answered with 200
};

inline std::string Get(const std::string& headers, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\n" + headers + "\r\n";
}
inline std::string Post(const std::string& headers, const std::string& body,
                        const std::string& version = "1.1") {
  return "POST / HTTP/" + version + "\r\nHost: h\r\n" + headers + "\r\n" + body;
}

inline std::vector<FramingCase> FramingCases() {
  using namespace std::string_literals;
  const std::string host = "Host: h\r\n";
  const std::string ok = Get(host);
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string whole = Post(chunked, "5\r\nhello\r\n0\r\n\r\n");
  return {
      // Host
      {"no_host", Get(""), 400, Get("", "GET / HTTP/1.0")},
      {"two_hosts", Get(host + host), 400, ok},
      {"two_hosts_in_1_0", Get(host + host, "GET / HTTP/1.0"), 400, Get(host, "GET / HTTP/1.0")},
      {"empty_host", Get("Host:\r\n"), 400, Get("Host:h\r\n")},
      {"host_with_blank", Get("Host: a b\r\n"), 400, Get("Host: \t a \t\r\n")},
      {"host_with_comma", Get("Host: a,b\r\n"), 400, Get("Host: a.b\r\n")},
      {"host_with_user", Get("Host: a@b\r\n"), 400, Get("Host: a_b\r\n")},
      {"host_with_path", Get("Host: a/b\r\n"), 400, Get("Host: a-b\r\n")},
      {"host_port_no_number", Get("Host: a:x\r\n"), 400, Get("Host: a:80\r\n")},
      {"host_port_too_large", Get("Host: a:65536\r\n"), 400, Get("Host: a:65535\r\n")},
      {"host_two_ports", Get("Host: a:1:2\r\n"), 400, Get("Host: a:12\r\n")},
      {"host_bad_v6", Get("Host: [::g]\r\n"), 400, Get("Host: [::1]\r\n")},
      {"host_open_v6", Get("Host: [::1\r\n"), 400, Get("Host: [::1]:80\r\n")},
      {"host_bare_v6", Get("Host: ::1\r\n"), 400, Get("Host: [2001:db8::1]\r\n")},
      {"host_zone_v6", Get("Host: [fe80::1%25eth0]\r\n"), 400, Get("Host: [fe80::1]\r\n")},
      {"host_beyond_ascii", Get("Host: h\xc3\xa9\r\n"), 400, Get("Host: he\r\n")},
      // Lines and header names
      {"bare_lf", "GET / HTTP/1.1\nHost: h\n\n", 400, ok},
      {"bare_lf_in_headers", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400,
       Get(host + "X: y\r\n")},
      {"bare_lf_at_end", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400, ok},
      {"bare_cr_in_value", Get(host + "X: a\rb\r\n"), 400, Get(host + "X: a b\r\n")},
      {"bare_cr_in_line", "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n", 400, ok},
      {"cr_cr_lf", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", 400, ok},
      {"folded", Get(host + "X: a\r\n b\r\n"), 400, Get(host + "X: a\r\nY: b\r\n")},
      {"folded_with_tab", Get(host + "X: a\r\n\tb\r\n"), 400, Get(host + "X: a\tb\r\n")},
      {"fold_first", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, ok},
      {"blank_before_colon", Get(host + "X : a\r\n"), 400, Get(host + "X: a\r\n")},
      {"host_blank_before_colon", Get("Host : h\r\n"), 400, ok},
      {"no_colon", Get(host + "X\r\n"), 400, Get(host + "X:\r\n")},
      {"empty_name", Get(host + ": a\r\n"), 400, Get(host + "a: a\r\n")},
      {"name_with_bracket", Get(host + "X(: a\r\n"), 400, Get(host + "X!#$%&'*+-.^_`|~9: a\r\n")},
      {"name_beyond_ascii", Get(host + "X\xc3\xa9: a\r\n"), 400, Get(host + "X: \xc3\xa9\r\n")},
      {"nul_in_name", Get(host + "X\0Y: a\r\n"s), 400, Get(host + "XY: a\r\n")},
      {"nul_in_value", Get(host + "X: a\0b\r\n"s), 400, Get(host + "X: ab\r\n")},
      {"del_in_value", Get(host + "X: a\x7f\r\n"), 400, Get(host + "X: a~\r\n")},
      {"control_in_value", Get(host + "X: a\x01\r\n"), 400, Get(host + "X: \ta \r\n")},
      // Request line
      {"binary", "\x16\x03\x01\x02\x00\x01"s, 400, ok},
      {"leading_blank", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, ok},
      {"two_empty_lines", "\r\n\r\n" + ok, 400, "\r\n" + ok},
      {"no_version", "GET /\r\nHost: h\r\n\r\n", 400, ok},
      {"two_blanks", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, ok},
      {"tab_for_blank", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", 400, ok},
      {"blank_at_end", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400, ok},
      {"lower_case_http", "GET / http/1.1\r\nHost: h\r\n\r\n", 400, ok},
      {"version_0_9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505, ok},
      {"version_1_2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505, ok},
      {"version_2_0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ok},
      {"version_1_10", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400, ok},
      {"version_01_1", "GET / HTTP/01.1\r\nHost: h\r\n\r\n", 400, ok},
      {"method_with_bracket", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GE-T / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"connect", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 501, ok},
      {"star_for_get", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"target_no_slash", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"target_fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET /a%23b HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"target_quote", "GET /a\"b HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET /a'b HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"target_backslash", "GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET /a/b HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"target_bad_percent", "GET /%2 HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET /%2f HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"query_bad_percent", "GET /?%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET /?%aa?b HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"target_beyond_ascii", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400, ok},
      {"absolute_other_host", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400,
       "GET http://a/ HTTP/1.1\r\nHost: A\r\n\r\n"},
      {"absolute_user", "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET HTTP://h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"absolute_no_host", "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET https://h:1/x?y HTTP/1.1\r\nHost: h:1\r\n\r\n"},
      {"absolute_no_path", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", 400,
       "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"other_scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, ok},
      // Content-Length
      {"two_lengths", Post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), 400,
       Post("Content-Length: 2\r\n", "ab")},
      {"list_of_lengths", Post("Content-Length: 2,2\r\n", "ab"), 400,
       Post("Content-Length:2\r\n", "ab")},
      {"signed_length", Post("Content-Length: +2\r\n", "ab"), 400,
       Post("Content-Length: 02\r\n", "ab")},
      {"negative_length", Post("Content-Length: -2\r\n", "ab"), 400,
       Post("Content-Length: 0\r\n", "")},
      {"hex_length", Post("Content-Length: 0x2\r\n", "ab"), 400,
       Post("content-length: 2\r\n", "ab")},
      {"empty_length", Post("Content-Length: \r\n", ""), 400, Post("", "")},
      {"huge_length", Post("Content-Length: 99999999999999999999\r\n", ""), 400,
       Post("Content-Length: 1\r\n", "a")},
      {"body_too_large", Post("Content-Length: 65537\r\n", ""), 413,
       Post("Content-Length: 65536\r\n", std::string(65536, 'a'))},
      // Transfer-Encoding
      {"length_and_coding", Post("Content-Length: 15\r\n" + chunked, "5\r\nhello\r\n0\r\n\r\n"),
       400, whole},
      {"coding_and_length", Post(chunked + "Content-Length: 15\r\n", "5\r\nhello\r\n0\r\n\r\n"),
       400, whole},
      {"two_codings", Post(chunked + chunked, "0\r\n\r\n"), 400, Post(chunked, "0\r\n\r\n")},
      {"list_of_codings", Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501, whole},
      {"chunked_twice", Post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 501, whole},
      {"chunked_not_last", Post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 501,
       whole},
      {"identity", Post("Transfer-Encoding: identity\r\n", ""), 501, whole},
      {"xchunked", Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501, whole},
      {"chunked_with_parameter", Post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), 501,
       whole},
      {"quoted_chunked", Post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 501, whole},
      {"empty_coding", Post("Transfer-Encoding:\r\n", "0\r\n\r\n"), 501,
       Post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n")},
      {"chunked_in_1_0", Post(chunked, "0\r\n\r\n", "1.0"), 400,
       Post("Content-Length: 1\r\n", "a", "1.0")},
      // Chunks
      {"chunk_size_empty", Post(chunked, "\r\nhello\r\n0\r\n\r\n"), 400, whole},
      {"chunk_size_no_hex", Post(chunked, "g\r\nhello\r\n0\r\n\r\n"), 400, whole},
      {"chunk_size_0x", Post(chunked, "0x5\r\nhello\r\n0\r\n\r\n"), 400, whole},
      {"chunk_size_signed", Post(chunked, "+5\r\nhello\r\n0\r\n\r\n"), 400,
       Post(chunked, "05\r\nhello\r\n0\r\n\r\n")},
      {"chunk_size_blank_before", Post(chunked, " 5\r\nhello\r\n0\r\n\r\n"), 400, whole},
      {"chunk_size_blank_after", Post(chunked, "5 \r\nhello\r\n0\r\n\r\n"), 400, whole},
      {"chunk_size_underscore", Post(chunked, "0_5\r\nhello\r\n0\r\n\r\n"), 400, whole},
      {"chunk_size_nul", Post(chunked, "5\0\r\nhello\r\n0\r\n\r\n"s), 400, whole},
      {"chunk_size_wraps", Post(chunked, "100000005\r\nhello\r\n0\r\n\r\n"), 413, whole},
      {"chunk_size_too_large", Post(chunked, "10001\r\n"), 413,
       Post(chunked, "10000\r\n" + std::string(65536, 'a') + "\r\n0\r\n\r\n")},
      {"chunks_sum_too_large", Post(chunked, "ffff\r\n" + std::string(65535, 'a') + "\r\n2\r\n"),
       413, Post(chunked, "ffff\r\n" + std::string(65535, 'a') + "\r\n1\r\na\r\n0\r\n\r\n")},
      {"chunk_bare_lf", Post(chunked, "5\nhello\r\n0\r\n\r\n"), 400, whole},
      {"chunk_data_bare_lf", Post(chunked, "5\r\nhello\n0\r\n\r\n"), 400, whole},
      {"chunk_longer_than_size", Post(chunked, "5\r\nhellooo\r\n0\r\n\r\n"), 400, whole},
      {"chunk_end_bare_lf", Post(chunked, "5\r\nhello\r\n0\r\n\n"), 400, whole},
      {"chunk_extension_no_name", Post(chunked, "5;\r\nhello\r\n0\r\n\r\n"), 400,
       Post(chunked, "5;a;b=c;d=\"e \\\" f\"\r\nhello\r\n0\r\n\r\n")},
      {"chunk_extension_open_quote", Post(chunked, "5;a=\"b\r\nhello\r\n0\r\n\r\n"), 400,
       Post(chunked, "5;a=\"b\"\r\nhello\r\n0\r\n\r\n")},
      {"chunk_extension_too_long",
       Post(chunked, "5;" + std::string(300, 'a') + "\r\nhello\r\n0\r\n\r\n"), 400,
       Post(chunked, "5;" + std::string(200, 'a') + "\r\nhello\r\n0\r\n\r\n")},
      {"trailer_folded", Post(chunked, "0\r\nX: a\r\n b\r\n\r\n"), 400,
       Post(chunked, "0\r\nX: a\r\nY: b\r\n\r\n")},
      {"trailer_no_colon", Post(chunked, "0\r\nX\r\n\r\n"), 400, Post(chunked, "0\r\nX:\r\n\r\n")},
      {"trailer_length", Post(chunked, "0\r\nContent-Length: 5\r\n\r\n"), 400,
       Post(chunked, "0\r\nDigest: 5\r\n\r\n")},
      // Sizes, expectations
      {"head_too_large", Get(host + "X: " + std::string(33 * 1024, 'a') + "\r\n"), 431,
       Get(host + "X: " + std::string(31 * 1024, 'a') + "\r\n")},
      {"target_too_long", "GET /" + std::string(9 * 1024, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n",
       414, "GET /" + std::string(8 * 1024 - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"too_many_headers",
       Get(host +
           [] {
             std::string s;
             for (int i = 0; i < 100; ++i) s += "X: a\r\n";
             return s;
           }()),
       431,
       Get(host +
           [] {
             std::string s;
             for (int i = 0; i < 99; ++i) s += "X: a\r\n";
             return s;
           }())},
      {"other_expectation", Get(host + "Expect: a-miracle\r\n"), 417,
       Get(host + "Expect: 100-continue\r\n")},
  };
}

}  // namespace dpl
