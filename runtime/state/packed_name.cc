// See packed_name.h. A packed name is the name's bytes, but that these stand for something else:
//
//   1b M B*16   "\x1f" M "63:" and a UUID: a part of a counter's name (counter_name.h)
//   1c V        the word of this number, a varint
//   1d C        the byte C itself, one of these four
//   1e B*16     a UUID, in lower case
#include "runtime/state/packed_name.h"

#include <cstring>

#include "runtime/base/result.h"

namespace dpl {
namespace {

constexpr char kPartUuid = 0x1b, kWord = 0x1c, kItself = 0x1d, kUuid = 0x1e, kPart = 0x1f;
constexpr size_t kUuidText = 36, kUuidBytes = 16;

bool Special(char c) { return c >= kPartUuid && c <= kUuid; }

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool Dash(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

// Whether a UUID as nearly everybody writes it stands here.
bool ReadUuid(std::string_view text, char* bytes) {
  if (text.size() < kUuidText || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
      text[23] != '-')
    return false;
  for (size_t at = 0; at < kUuidText; at += 2) {
    if (Dash(at)) ++at;
    const int high = Digit(text[at]), low = Digit(text[at + 1]);
    if (high < 0 || low < 0) return false;
    *bytes++ = static_cast<char>(high << 4 | low);
  }
  return true;
}

void WriteUuid(const char* bytes, char* text) {
  for (size_t at = 0; at < kUuidText; at += 2) {
    if (Dash(at)) text[at++] = '-';
    const auto byte = static_cast<unsigned char>(*bytes++);
    text[at] = "0123456789abcdef"[byte >> 4];
    text[at + 1] = "0123456789abcdef"[byte & 15];
  }
}

// Gives the pieces of the name, in order, until `take` says no; false: it did.
template <class Take>
bool Pieces(std::string_view packed, const Words* words, const Take& take) {
  for (size_t i = 0; i < packed.size();) {
    size_t plain = i;
    while (plain < packed.size() && !Special(packed[plain])) ++plain;
    if (plain != i && !take(packed.substr(i, plain - i))) return false;
    i = plain;
    if (i == packed.size()) break;
    const char mark = packed[i++];
    char text[5 + kUuidText];
    size_t size = 0;
    switch (mark) {
      case kPartUuid:
        text[0] = kPart;
        text[1] = packed[i++];
        std::memcpy(text + 2, "63:", 3);
        size = 5;
        [[fallthrough]];
      case kUuid:
        WriteUuid(packed.data() + i, text + size);
        i += kUuidBytes;
        if (!take(std::string_view(text, size + kUuidText))) return false;
        break;
      case kWord: {
        uint32_t word = 0;
        for (int shift = 0;; shift += 7) {
          const auto byte = static_cast<unsigned char>(packed[i++]);
          word |= static_cast<uint32_t>(byte & 127) << shift;
          if (byte < 128) break;
        }
        if (!take(words->At(word))) return false;
        break;
      }
      default:
        if (!take(packed.substr(i++, 1))) return false;
    }
  }
  return true;
}

}  // namespace

uint32_t Words::Hold(std::string_view text) {
  auto it = numbers_.find(text);
  if (it == numbers_.end()) {
    uint32_t number = static_cast<uint32_t>(entries_.size());
    if (free_.empty()) {
      entries_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    it = numbers_.try_emplace(std::string(text), number).first;
    entries_[number].text = &it->first;
  }
  ++entries_[it->second].holders;
  return it->second;
}

void Words::Drop(uint32_t word) {
  Entry& entry = entries_[word];
  DPL_CHECK(entry.holders != 0);
  if (--entry.holders != 0) return;
  numbers_.erase(numbers_.find(*entry.text));
  entry.text = nullptr;
  free_.push_back(word);
}

size_t SharedPrefix(std::string_view name) {
  const size_t first = name.find(kPart, kCounterHeader);
  if (first == std::string_view::npos) return 0;
  if (first + 1 == name.size() || (name[first + 1] != 'i' && name[first + 1] != 'a')) return first;
  const size_t second = name.find(kPart, first + 1);
  return second == std::string_view::npos ? first : second;
}

void PackName(std::string_view name, Words* words, std::string* out) {
  size_t i = 0;
  if (words != nullptr) {
    i = SharedPrefix(name);
    if (i != 0) {
      out->push_back(kWord);
      uint32_t word = words->Hold(name.substr(0, i));
      for (; word > 127; word >>= 7) out->push_back(static_cast<char>(word | 128));
      out->push_back(static_cast<char>(word));
    }
  }
  char bytes[kUuidBytes];
  while (i < name.size()) {
    std::string_view rest = name.substr(i);
    if (rest.size() >= 5 && rest[0] == kPart && rest.substr(2, 3) == "63:" &&
        ReadUuid(rest.substr(5), bytes)) {
      out->push_back(kPartUuid);
      out->push_back(rest[1]);
      out->append(bytes, kUuidBytes);
      i += 5 + kUuidText;
    } else if (ReadUuid(rest, bytes)) {
      out->push_back(kUuid);
      out->append(bytes, kUuidBytes);
      i += kUuidText;
    } else {
      if (Special(rest[0])) out->push_back(kItself);
      out->push_back(rest[0]);
      ++i;
    }
  }
}

void DropPacked(std::string_view packed, Words* words) {
  if (words == nullptr || packed.empty() || packed[0] != kWord) return;
  uint32_t word = 0;
  for (size_t i = 1;; ++i) {
    const auto byte = static_cast<unsigned char>(packed[i]);
    word |= static_cast<uint32_t>(byte & 127) << (7 * (i - 1));
    if (byte < 128) break;
  }
  words->Drop(word);
}

bool PackedEquals(std::string_view packed, const Words* words, std::string_view name) {
  const bool all = Pieces(packed, words, [&](std::string_view piece) {
    if (!name.starts_with(piece)) return false;
    name.remove_prefix(piece.size());
    return true;
  });
  return all && name.empty();
}

void UnpackName(std::string_view packed, const Words* words, std::string* out) {
  Pieces(packed, words, [&](std::string_view piece) {
    out->append(piece);
    return true;
  });
}

}  // namespace dpl
