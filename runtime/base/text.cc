// UTF-8 and the writing of strings. The Unicode tables are asked in unicode.cc alone.
#include "runtime/base/text.h"

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace dpl {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;

bool IsAscii8(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  return (word & kHighBits) == 0;
}

// Bytes of the well-formed code point at text[at], 0 when there is none (table 3-7 of Unicode).
size_t Utf8Length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  auto tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  size_t left = text.size() - at;
  uint8_t b0 = byte(0);
  if (b0 < 0x80) return 1;
  if (b0 < 0xc2) return 0;
  if (b0 < 0xe0) return left >= 2 && tail(1) ? 2 : 0;
  if (b0 < 0xf0) {
    if (left < 3 || !tail(1) || !tail(2)) return 0;
    if (b0 == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
    if (b0 == 0xed && byte(1) > 0x9f) return 0;  // surrogate
    return 3;
  }
  if (b0 > 0xf4 || left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  if (b0 == 0xf0 && byte(1) < 0x90) return 0;  // overlong
  if (b0 == 0xf4 && byte(1) > 0x8f) return 0;  // above U+10FFFF
  return 4;
}

struct Range {
  char32_t first, last;
};

// Sorted. Unicode's Default_Ignorable_Code_Point property plus the bidi marks, fillers and
// annotation marks that are also drawn as nothing.
constexpr Range kInvisible[] = {
    {0x00ad, 0x00ad},    // soft hyphen
    {0x034f, 0x034f},    // combining grapheme joiner
    {0x061c, 0x061c},    // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180b, 0x180f},    // Mongolian variation selectors, vowel separator
    {0x200b, 0x200f},    // zero-width space, joiners, direction marks
    {0x2028, 0x202e},    // line and paragraph separators, bidi embeddings and overrides
    {0x2060, 0x206f},    // word joiner, invisible operators, bidi isolates, deprecated formats
    {0x2800, 0x2800},    // blank Braille pattern
    {0x3164, 0x3164},    // Hangul filler
    {0xfe00, 0xfe0f},    // variation selectors
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // halfwidth Hangul filler
    {0xfff0, 0xfffb},    // reserved ignorables, interlinear annotation
    {0x1bca0, 0x1bca3},  // shorthand format controls
    {0x1d173, 0x1d17a},  // musical format controls
    {0xe0000, 0xe0fff},  // tags, variation selectors, reserved ignorables
};

void AppendHex4(std::string* out, uint32_t unit) {
  static constexpr char kDigits[] = "0123456789abcdef";
  char text[6] = {'\\',
                  'u',
                  kDigits[unit >> 12 & 15],
                  kDigits[unit >> 8 & 15],
                  kDigits[unit >> 4 & 15],
                  kDigits[unit & 15]};
  out->append(text, sizeof text);
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

}  // namespace

bool IsValidUtf8(std::string_view text, size_t* at) {
  size_t i = 0;
  while (i < text.size()) {
    if (text.size() - i >= 8 && IsAscii8(text.data() + i)) {
      i += 8;
      continue;
    }
    size_t n = Utf8Length(text, i);
    if (n == 0) {
      if (at != nullptr) *at = i;
      return false;
    }
    i += n;
  }
  return true;
}

char32_t NextCodePoint(std::string_view text, size_t* at) {
  auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[*at + i])); };
  char32_t c = 0xfffd;
  size_t n = Utf8Length(text, *at);
  switch (n) {
    case 1:
      c = byte(0);
      break;
    case 2:
      c = (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
      break;
    case 3:
      c = (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
      break;
    case 4:
      c = (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
          (byte(3) & 0x3f);
      break;
    default:
      n = 1;
  }
  *at += n;
  return c;
}

void AppendUtf8(std::string* out, char32_t c) {
  if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) c = 0xfffd;
  auto push = [&](char32_t b) { out->push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xc0 | c >> 6);
    push(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    push(0xe0 | c >> 12);
    push(0x80 | (c >> 6 & 0x3f));
    push(0x80 | (c & 0x3f));
  } else {
    push(0xf0 | c >> 18);
    push(0x80 | (c >> 12 & 0x3f));
    push(0x80 | (c >> 6 & 0x3f));
    push(0x80 | (c & 0x3f));
  }
}

size_t CodePointCount(std::string_view text) {
  size_t n = 0;
  for (char c : text) n += (static_cast<uint8_t>(c) & 0xc0) != 0x80;
  return n;
}

bool HasControl(std::string_view text, size_t* at) {
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<uint8_t>(text[i]);
    auto follows = [&](size_t n) {
      return i + n < text.size() ? static_cast<uint8_t>(text[i + n]) : uint8_t{0};
    };
    bool found = c < 0x20 || c == 0x7f || (c == 0xc2 && follows(1) >= 0x80 && follows(1) <= 0x9f) ||
                 (c == 0xe2 && follows(1) == 0x80 && (follows(2) == 0xa8 || follows(2) == 0xa9));
    if (found) {
      if (at != nullptr) *at = i;
      return true;
    }
  }
  return false;
}

bool IsBidiOrInvisible(char32_t c) {
  if (c < kInvisible[0].first) return false;
  for (const Range& range : kInvisible) {
    if (c <= range.last) return c >= range.first;
  }
  return false;
}

bool HasBidiOrInvisible(std::string_view text, size_t* at) {
  size_t i = 0;
  while (i < text.size()) {
    if (text.size() - i >= 8 && IsAscii8(text.data() + i)) {
      i += 8;
      continue;
    }
    size_t start = i;
    if (IsBidiOrInvisible(NextCodePoint(text, &i))) {
      if (at != nullptr) *at = start;
      return true;
    }
  }
  return false;
}

namespace {

// Eight bytes that a JSON string takes as they are.
bool IsPlainWord(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  auto zero = [](uint64_t w) { return (w - kOnes) & ~w; };  // a zero byte sets a high bit
  const uint64_t control = (word - kOnes * 0x20) & ~word;   // below 0x20
  return ((word | control | zero(word ^ (kOnes * '"')) | zero(word ^ (kOnes * '\\')) |
           zero(word ^ (kOnes * 0x7f))) &
          kHighBits) == 0;
}

#if defined(__SSE2__)
// Sixteen such bytes.
inline bool IsPlainBlock(__m128i bytes) {
  // Signed: what is beyond ASCII is below zero. DEL is the one above `~`.
  const __m128i awkward = _mm_or_si128(_mm_or_si128(_mm_cmpgt_epi8(_mm_set1_epi8(0x20), bytes),
                                                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))),
                                       _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
  return _mm_movemask_epi8(awkward) == 0;
}
inline bool IsPlainBlock(const char* at) {
  return IsPlainBlock(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
// Two times eight.
inline bool IsPlainPair(uint64_t a, uint64_t b) {
  return IsPlainBlock(_mm_set_epi64x(static_cast<int64_t>(a), static_cast<int64_t>(b)));
}
#else
bool IsPlainPair(uint64_t a, uint64_t b) { return IsPlainWord(a) && IsPlainWord(b); }
#endif

uint64_t WordAt(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  return word;
}

// How many bytes from the start a JSON string takes as they are; counted in eights, so it may stop
// early.
size_t PlainJsonBytes(std::string_view text) {
  size_t i = 0;
  while (i + 8 <= text.size() && IsPlainWord(WordAt(text.data() + i))) i += 8;
  return i;
}

}  // namespace

bool IsPlainJson(std::string_view text) {
  const char* const at = text.data();
  const size_t size = text.size();
  // The last look covers the end, and may cover again what another has.
#if defined(__SSE2__)
  if (size >= 16) {
    for (size_t i = 0; i + 16 < size; i += 16) {
      if (!IsPlainBlock(at + i)) return false;
    }
    return IsPlainBlock(at + size - 16);
  }
#endif
  if (size >= 8) {
    for (size_t i = 8; i + 8 < size; i += 8) {
      if (!IsPlainWord(WordAt(at + i))) return false;
    }
    return IsPlainPair(WordAt(at), WordAt(at + size - 8));
  }
  if (size == 0) return true;
  // In a register: what is stored in pieces is slow to be loaded whole.
  uint64_t word = 0x6161616161000000;  // filled up with what is plain
  auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<uint8_t>(at[i])); };
  if (size >= 4) {
    uint32_t first, last;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + size - 4, 4);
    word = first | uint64_t{last} << 32;
  } else {
    word |= byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
  }
  return IsPlainPair(word, word);
}

void AppendJsonString(std::string* out, std::string_view text) {
  constexpr size_t kShort = 62;
  if (text.size() <= kShort && IsPlainJson(text)) {  // most are
    char quoted[kShort + 2];
    quoted[0] = '"';
    std::memcpy(quoted + 1, text.data(), text.size());
    quoted[text.size() + 1] = '"';
    out->append(quoted, text.size() + 2);
    return;
  }
  out->push_back('"');
  size_t clean = 0;  // start of bytes not yet written that need no change
  size_t i = PlainJsonBytes(text);
  auto flush = [&] { out->append(text, clean, i - clean); };
  while (i < text.size()) {
    auto c = static_cast<uint8_t>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      size_t n = Utf8Length(text, i), next = i;
      char32_t code_point = n == 0 ? 0 : NextCodePoint(text, &next);
      // U+2028 and 2029 end a line for some readers, C1 controls steer terminals.
      bool unsafe = (code_point < 0xa0) || code_point == 0x2028 || code_point == 0x2029 ||
                    IsBidiOrInvisible(code_point);
      if (n != 0 && !unsafe) {
        i = next;
        continue;
      }
      flush();
      if (n == 0) {
        out->append(kReplacement);
        i += 1;
      } else {
        auto unit = static_cast<uint32_t>(code_point);
        if (unit > 0xffff) {
          unit -= 0x10000;
          AppendHex4(out, 0xd800 + (unit >> 10));
          unit = 0xdc00 + (unit & 0x3ff);
        }
        AppendHex4(out, unit);
        i = next;
      }
      clean = i;
      continue;
    }
    flush();
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      case '\b':
        out->append("\\b");
        break;
      case '\f':
        out->append("\\f");
        break;
      default:
        AppendHex4(out, c);
    }
    clean = ++i;
  }
  flush();
  out->push_back('"');
}

static void AppendEscaped(std::string* out, std::string_view text, bool quotes) {
  for (size_t i = 0; i < text.size();) {
    size_t start = i;
    char32_t c = NextCodePoint(text, &i);
    std::string_view bytes = text.substr(start, i - start);
    if ((c == '"' && quotes) || c == '\\') {
      *out += '\\';
      *out += static_cast<char>(c);
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '\t') {
      *out += "\\t";
    } else if (c >= 0x20 && c < 0x7f) {
      *out += static_cast<char>(c);
    } else if (HasControl(bytes) || IsBidiOrInvisible(c)) {
      static constexpr char kDigits[] = "0123456789abcdef";
      *out += "\\u{";
      int shift = 28;
      while (shift > 0 && (c >> shift) == 0) shift -= 4;
      for (; shift >= 0; shift -= 4) *out += kDigits[c >> shift & 15];
      *out += '}';
    } else {
      AppendUtf8(out, c);
    }
  }
}

void AppendPrintable(std::string* out, std::string_view text) { AppendEscaped(out, text, false); }

void AppendQuoted(std::string* out, std::string_view text) {
  *out += '"';
  AppendEscaped(out, text, true);
  *out += '"';
}

std::string Quote(std::string_view text) {
  std::string out;
  AppendQuoted(&out, text);
  return out;
}

}  // namespace dpl
