// The character classes of HTTP's grammar (RFC 9110 section 5.6, RFC 3986 section 3), as tables.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dpl::http {

enum CharClass : uint8_t {
  kToken = 1,   // tchar: method and header names
  kTarget = 2,  // pchar, "/" and "?": path and query; `%` only with two hex digits after it
  kHost = 4,    // letters, digits, "-._~": what names of hosts are made of
  kField = 8,   // header values: visible ASCII, blank, tab, bytes beyond ASCII
  kHex = 16,
  kDigit = 32,
};

constexpr std::array<uint8_t, 256> MakeCharTable() {
  std::array<uint8_t, 256> table{};
  auto mark = [&table](std::string_view set, int classes) {
    for (char c : set) table[static_cast<uint8_t>(c)] |= static_cast<uint8_t>(classes);
  };
  mark("0123456789", kToken | kTarget | kHost | kHex | kDigit);
  mark("abcdefABCDEF", kHex);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kToken | kTarget | kHost);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~!$&'()*+,;=:@/?%", kTarget);
  mark("-._~", kHost);
  for (int c = 0x20; c < 0x100; ++c) {
    if (c != 0x7f) table[static_cast<size_t>(c)] |= kField;
  }
  table['\t'] |= kField;
  return table;
}
inline constexpr std::array<uint8_t, 256> kChars = MakeCharTable();

constexpr bool Is(char c, CharClass wanted) {
  return (kChars[static_cast<uint8_t>(c)] & wanted) != 0;
}

constexpr bool All(std::string_view text, CharClass wanted) {
  for (char c : text) {
    if (!Is(c, wanted)) return false;
  }
  return true;
}

constexpr std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace dpl::http
