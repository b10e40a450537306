// Open addressing with linear probing; a 32-bit tag in each slot spares most look-ups the text.
#include "runtime/facts/text_index.h"

#include <cstring>

#include "runtime/base/keyed_hash.h"

namespace dpl {

namespace {

// Both halves of the whole product.
uint64_t Fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Word(const char* at, size_t size) {
  uint64_t word = 0;
  std::memcpy(&word, at, size);
  return word;
}

// Of texts of the same size, most of which are short.
inline bool SameBytes(const char* a, const char* b, size_t size) {
  if (size > 32) return std::memcmp(a, b, size) == 0;
  if (size < 8) {
    size_t i = 0;
    while (i < size && a[i] == b[i]) ++i;
    return i == size;
  }
  for (size_t i = 0; i + 8 < size; i += 8) {
    if (Word(a + i, 8) != Word(b + i, 8)) return false;
  }
  return Word(a + size - 8, 8) == Word(b + size - 8, 8);
}

}  // namespace

// Odd, so that no multiplication loses anything.
const TextIndex::Secrets TextIndex::secrets_ = {ProcessSecrets()[2] | 1, ProcessSecrets()[3] | 1,
                                                ProcessSecrets()[4]};

// Eight bytes at a time; the last eight may overlap what came before.
inline uint64_t TextIndex::HashOf(uint32_t space, std::string_view text) {
  const auto [first, second, start] = secrets_;
  const char* at = text.data();
  size_t left = text.size();
  uint64_t h = Fold(uint64_t{space} + start, text.size() ^ second);
  for (; left > 8; left -= 8, at += 8) h = Fold(h ^ Word(at, 8), first);
  uint64_t last = 0;
  if (text.size() >= 8) {
    last = Word(text.data() + text.size() - 8, 8);
  } else if (left >= 4) {
    last = Word(at, 4) << 32 | Word(at + left - 4, 4);
  } else if (left > 0) {
    last = Word(at, 1) << 16 | Word(at + left / 2, 1) << 8 | Word(at + left - 1, 1);
  }
  return Fold(h ^ last, second);
}

void TextIndex::Reserve(size_t count) {
  entries_.reserve(count);
  size_t slots = 16;
  while (slots < count * 2) slots *= 2;
  if (slots > slots_.size()) Rehash(slots);
}

void TextIndex::Rehash(size_t slots) {
  slots_.assign(slots, Slot());
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    Insert(HashOf(entries_[i].space, entries_[i].text), i);
  }
}

void TextIndex::Insert(uint64_t hash, uint32_t entry) {
  size_t mask = slots_.size() - 1;
  size_t at = static_cast<size_t>(hash) & mask;
  while (slots_[at].entry != kNone) at = (at + 1) & mask;
  slots_[at] = Slot{static_cast<uint32_t>(hash >> 32), entry};
}

const TextIndex::Entry* TextIndex::Locate(uint32_t space, std::string_view text) const {
  if (slots_.empty()) return nullptr;
  uint64_t hash = HashOf(space, text);
  uint32_t tag = static_cast<uint32_t>(hash >> 32);
  const Slot* const slots = slots_.data();
  size_t mask = slots_.size() - 1;
  for (size_t at = static_cast<size_t>(hash) & mask; slots[at].entry != kNone;
       at = (at + 1) & mask) {
    if (slots[at].tag != tag) continue;
    const Entry& entry = entries_[slots[at].entry];
    if (entry.space == space && entry.text.size() == text.size() &&
        SameBytes(entry.text.data(), text.data(), text.size()))
      return &entry;
  }
  return nullptr;
}

TextIndex::Begun TextIndex::FetchSlot(uint32_t space, std::string_view text) const {
  Begun begun{HashOf(space, text), space, kNone};
  if (!slots_.empty()) __builtin_prefetch(&slots_[begun.hash & (slots_.size() - 1)]);
  return begun;
}

void TextIndex::FetchEntry(Begun* begun) const {
  if (slots_.empty()) return;
  const size_t mask = slots_.size() - 1;
  const uint32_t tag = static_cast<uint32_t>(begun->hash >> 32);
  for (size_t at = begun->hash & mask; slots_[at].entry != kNone; at = (at + 1) & mask) {
    if (slots_[at].tag != tag) continue;
    begun->entry = slots_[at].entry;
    return __builtin_prefetch(&entries_[begun->entry]);
  }
}

uint32_t TextIndex::FetchText(const Begun& begun) const {
  if (begun.entry == kNone) return kNone;
  const Entry& entry = entries_[begun.entry];
  if (entry.space != begun.space) return kNone;
  __builtin_prefetch(entry.text.data());
  return entry.value;
}

size_t TextIndex::ProbesForTest(uint32_t space, std::string_view text) const {
  const Entry* entry = Locate(space, text);
  const size_t mask = slots_.size() - 1;
  size_t at = static_cast<size_t>(HashOf(space, text)) & mask, probes = 1;
  for (; slots_[at].entry != kNone; at = (at + 1) & mask, ++probes) {
    if (entry != nullptr && &entries_[slots_[at].entry] == entry) break;
  }
  return probes;
}

uint32_t TextIndex::Find(uint32_t space, std::string_view text) const {
  const Entry* entry = Locate(space, text);
  return entry == nullptr ? kNone : entry->value;
}

const uint32_t* TextIndex::Get(uint32_t space, std::string_view text) const {
  const Entry* entry = Locate(space, text);
  return entry == nullptr ? nullptr : &entry->value;
}

uint32_t TextIndex::Add(uint32_t space, std::string_view text, uint32_t value) {
  if (const Entry* entry = Locate(space, text)) return entry->value;
  if (slots_.size() < (entries_.size() + 1) * 2) Rehash(slots_.empty() ? 16 : slots_.size() * 2);
  entries_.push_back({text, space, value});
  Insert(HashOf(space, text), static_cast<uint32_t>(entries_.size() - 1));
  return value;
}

void TextIndex::Set(uint32_t space, std::string_view text, uint32_t value) {
  if (const Entry* entry = Locate(space, text)) {
    entries_[static_cast<size_t>(entry - entries_.data())].value = value;
    return;
  }
  Add(space, text, value);
}

}  // namespace dpl
