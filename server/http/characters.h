// The character classes of HTTP's grammar (RFC 9110 section 5.6, RFC 3986 section 3), as tables.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// What nearly all texts are, seen sixteen bytes at a time. False: ask All(), byte by byte; so for
// all texts of fewer than eight bytes.
#if defined(__SSE2__)
template <class Good>
bool AllTogether(std::string_view text, const Good& good) {
  const char* at = text.data();
  auto eight = [](const char* from) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  };
  auto sixteen = [](const char* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  if (text.size() < 8) return false;
  const char* const end = at + text.size();
  if (text.size() < 16) return good(_mm_unpacklo_epi64(eight(at), eight(end - 8)));
  for (; end - at > 16; at += 16) {
    if (!good(sixteen(at))) return false;
  }
  return good(sixteen(end - 16));
}
// Letters, digits, `-` and this one.
inline bool PlainWord(std::string_view text, char besides) {
  auto within = [](__m128i bytes, char first, char count) {
    const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(static_cast<char>(count - 1))),
                          offset);
  };
  return AllTogether(text, [&](__m128i bytes) {
    const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i word = _mm_or_si128(within(lower, 'a', 26), within(bytes, '0', 10));
    const __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')),
                                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8(besides)));
    return _mm_movemask_epi8(_mm_or_si128(word, mark)) == 0xffff;
  });
}
// No control, the tab included.
inline bool PlainField(std::string_view text) {
  return AllTogether(text, [](__m128i bytes) {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    return _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)))) == 0;
  });
}
#else
inline bool PlainWord(std::string_view, char) { return false; }
inline bool PlainField(std::string_view) { return false; }
#endif

constexpr std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace dpl::http
