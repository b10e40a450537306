// Many bytes of a JSON text at a time: where a string ends, and what a text holds. Internal to this
// room.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace dpl {

// So many bytes behind a text must be there to be looked at.
constexpr size_t kBytesTogether = 16;

// The first byte at or behind `at` that ends or changes a string: a quote, a backslash, a control
// (the zeros behind the text are such).
inline char* EndOfPlain(char* at) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'),
                last_control = _mm_set1_epi8(0x1f);
  for (;; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i found =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                     _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));
    if (const int mask = _mm_movemask_epi8(found); mask != 0) return at + __builtin_ctz(mask);
  }
#else
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  for (;; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    const uint64_t quote = word ^ (kOnes * '"'), backslash = word ^ (kOnes * '\\');
    // The lowest bit that is set is exact, whatever is borrowed above it.
    const uint64_t found = (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) |
                            ((word - kOnes * 0x20) & ~word)) &
                           kHighs;
    if constexpr (std::endian::native == std::endian::little) {
      if (found != 0) return at + __builtin_ctzll(found) / 8;
    } else if (found != 0) {
      while (static_cast<uint8_t>(*at) >= 0x20 && *at != '"' && *at != '\\') ++at;
      return at;
    }
  }
#endif
}

// What a text holds, seen in one look at each byte.
struct Glance {
  bool nul = false, line_feed = false, beyond_ascii = false;
};

inline Glance GlanceAt(std::string_view text) {
  Glance seen;
  size_t i = 0;
#if defined(__SSE2__)
  __m128i nul = _mm_setzero_si128(), line_feed = nul, any = nul;
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    nul = _mm_or_si128(nul, _mm_cmpeq_epi8(bytes, _mm_setzero_si128()));
    line_feed = _mm_or_si128(line_feed, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
    any = _mm_or_si128(any, bytes);
  }
  seen = {_mm_movemask_epi8(nul) != 0, _mm_movemask_epi8(line_feed) != 0,
          _mm_movemask_epi8(any) != 0};
#endif
  for (; i < text.size(); ++i) {
    seen.nul |= text[i] == 0;
    seen.line_feed |= text[i] == '\n';
    seen.beyond_ascii |= (text[i] & 0x80) != 0;
  }
  return seen;
}

}  // namespace dpl
