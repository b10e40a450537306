// The reader: one pass over a copy of the text that lives in the arena, so that names and strings
// are views of it and only those with an escape are written anew, in their place.
//
// - Text is checked first (size, BOM, NUL, UTF-8); the copy ends in zeros, so that many bytes can
//   be looked at together (json_bytes.h) and no look runs past the end.
// - Depth costs no machine stack: children wait in a stack in the arena until their container
//   closes and they are laid side by side; a container that is open knows the one around it.
// - Numbers stay text. How large one may be is bounded, so that nobody behind has to think of it.
//
// Why not RapidJSON any more: docs/decisions/0017-a-json-reader-of-our-own.md.
#include "runtime/json/json.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "runtime/base/text.h"
#include "runtime/json/json_bytes.h"

namespace dpl {
namespace {

// Offsets are 32-bit.
constexpr size_t kHardMaxBytes = 200u << 20;
constexpr size_t kPadding = kBytesTogether;  // zeros behind the copy
constexpr uint32_t kMostDigits = 308;  // of a whole number, and of an exponent: what a double holds

// A stack of T in the arena; what it outgrows is left behind (at most as much again).
template <class T>
class ArenaStack {
 public:
  ArenaStack(Arena* arena, size_t first) : arena_(arena), next_(first) {}

  // Room for one more, which the caller fills. Null: out of memory.
  T* Push() {
    if (size_ == capacity_ && !Grow()) [[unlikely]]
      return nullptr;
    return items_ + size_++;
  }
  T& Top() { return items_[size_ - 1]; }
  T* From(size_t at) { return items_ + at; }
  size_t size() const { return size_; }
  void Truncate(size_t size) { size_ = size; }

 private:
  [[gnu::noinline]] bool Grow() {
    T* items = static_cast<T*>(arena_->Allocate(next_ * sizeof(T), alignof(T)));
    if (items == nullptr) return false;
    std::uninitialized_copy(items_, items_ + size_, items);
    items_ = items;
    capacity_ = next_;
    next_ *= 2;
    return true;
  }

  Arena* arena_;
  T* items_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t next_;
};

// Line and column of byte offsets that only rise, each byte looked at once.
class Place {
 public:
  explicit Place(std::string_view text) : text_(text) {}

  void MoveTo(size_t offset) {
    for (; at_ < offset && at_ < text_.size(); ++at_) {
      auto c = static_cast<uint8_t>(text_[at_]);
      if (c == '\n') {
        ++line_;
        column_ = 1;
      } else {
        column_ += (c & 0xc0) != 0x80;
      }
    }
  }
  uint32_t line() const { return line_; }
  uint32_t column() const { return column_; }

 private:
  std::string_view text_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
};

Error ErrorAt(std::string_view text, size_t offset, const char* code, const char* message) {
  Place place(text);
  place.MoveTo(offset);
  return Error{code, message, place.line(), place.column()};
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Reader {
 public:
  // `copy`: the text, kPadding zeros behind it. `flat`: it is one line of ASCII, so that an offset
  // is a column.
  Reader(std::string_view text, char* copy, bool flat, Arena* arena, const JsonLimits& limits)
      : text_(text),
        begin_(copy),
        arena_(arena),
        limits_(limits),
        place_(text),
        flat_(flat),
        pending_(arena, 32) {}

  // Null: refused.
  const WireValue* Read();
  Error error() const { return ErrorAt(text_, offset_, code_, message_); }

 private:
  // Where it reads is handed from one to the next; null: refused. What refuses stays out of the way
  // of what does not.
  [[gnu::cold, gnu::noinline]] char* Refuse(const char* code, const char* message,
                                            const char* where) {
    code_ = code;
    message_ = message;
    offset_ = Offset(where);
    return nullptr;
  }
  [[gnu::cold, gnu::noinline]] char* Unexpected(const char* message, const char* where) {
    return Refuse("json.syntax", message, where);
  }
  [[gnu::cold, gnu::noinline]] char* OutOfMemory(const char* where) {
    return Refuse("json.memory", "the value needs more memory than it may have", where);
  }
  size_t Offset(const char* at) const { return static_cast<size_t>(at - begin_); }

  static char* SkipSpace(char* at) {
    while (static_cast<uint8_t>(*at) <= ' ' &&
           (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
      ++at;
    return at;
  }

  [[gnu::noinline]] char* Scalar(char* at, std::string_view name);
  char* Close(char* at, uint32_t self);
  char* Name(char* at, uint32_t self, std::string_view* name);
  [[gnu::always_inline]] char* String(char* at, std::string_view* out);
  [[gnu::noinline]] char* Unescape(char* start, char* from, std::string_view* out);
  bool Hex4(const char* escape, uint32_t* unit);
  char* Number(char* at, std::string_view name);
  char* Word(char* at, std::string_view word);
  [[gnu::always_inline]] WireValue* Begin(WireValue::Kind kind, std::string_view name,
                                          std::string_view text, const char* start);
  [[gnu::noinline]] void FindPlace(const char* start, WireValue* value);
  bool NamesDiffer(const WireMember* members, size_t count, const char* at);

  std::string_view text_;
  char* const begin_;
  Arena* arena_;
  const JsonLimits& limits_;
  Place place_;
  const bool flat_;
  // Finished values, and open containers with what they have so far behind them. Of one that is
  // open `count` is the place of the one around it.
  ArenaStack<WireMember> pending_;
  uint32_t nodes_ = 0;
  const char* code_ = nullptr;
  const char* message_ = nullptr;
  size_t offset_ = 0;
};

// A value in the making; it stays in pending_ until its container closes.
inline WireValue* Reader::Begin(WireValue::Kind kind, std::string_view name, std::string_view text,
                                const char* start) {
  if (nodes_ == limits_.max_nodes) {
    Refuse("json.nodes", "the text holds too many values", start);
    return nullptr;
  }
  ++nodes_;
  WireMember* member = pending_.Push();
  if (member == nullptr) {
    OutOfMemory(start);
    return nullptr;
  }
  ::new (static_cast<void*>(member)) WireMember{
      name, {kind, false, 0, text, nullptr, nullptr, 1, static_cast<uint32_t>(Offset(start)) + 1}};
  if (!flat_) FindPlace(start, &member->value);
  return &member->value;
}

void Reader::FindPlace(const char* start, WireValue* value) {
  if (limits_.positions) place_.MoveTo(Offset(start));
  value->line = limits_.positions ? place_.line() : 0;
  value->column = limits_.positions ? place_.column() : 0;
}

const WireValue* Reader::Read() {
  char* at = SkipSpace(begin_);
  if (Offset(at) == text_.size()) {
    Refuse("json.empty", "no JSON value was sent", at);
    return nullptr;
  }
  std::string_view name;
  uint32_t depth = 0;   // containers that are open
  uint32_t self = 0;    // the place in pending_ of the innermost one
  bool object = false;  // it is one
  for (;;) {
    // A value.
    if (*at == '"') {
      char* const start = at;
      std::string_view bytes;
      at = String(at, &bytes);
      if (at == nullptr || Begin(WireValue::Kind::kString, name, bytes, start) == nullptr)
        return nullptr;
    } else if (*at == '{' || *at == '[') {
      if (depth == limits_.max_depth) {
        Refuse("json.depth", "objects and arrays nest too deep", at);
        return nullptr;
      }
      object = *at == '{';
      WireValue* value =
          Begin(object ? WireValue::Kind::kObject : WireValue::Kind::kArray, name, {}, at);
      if (value == nullptr) return nullptr;
      value->count = self;
      self = static_cast<uint32_t>(pending_.size()) - 1;
      ++depth;
      at = SkipSpace(at + 1);
      if (*at != (object ? '}' : ']')) {
        name = {};
        if (object && (at = Name(at, self, &name)) == nullptr) return nullptr;
        continue;
      }
    } else {
      at = Scalar(at, name);
      if (at == nullptr) return nullptr;
    }
    // What comes behind it, and behind the containers that end there.
    for (; depth > 0; --depth) {
      at = SkipSpace(at);
      if (*at == ',') break;
      if (*at != (object ? '}' : ']')) {
        Unexpected(object ? "expected `,` or `}` after a member"
                          : "expected `,` or `]` after an array item",
                   at);
        return nullptr;
      }
      const uint32_t around = pending_.From(self)->value.count;
      at = Close(at, self);
      if (at == nullptr) return nullptr;
      self = around;
      object = pending_.From(self)->value.is_object();
    }
    if (depth == 0) break;
    at = SkipSpace(at + 1);
    name = {};
    if (object && (at = Name(at, self, &name)) == nullptr) return nullptr;
  }
  at = SkipSpace(at);
  if (Offset(at) != text_.size()) {
    Refuse("json.trailing", "something follows the JSON value", at);
    return nullptr;
  }
  const WireValue* root = arena_->New<WireValue>(pending_.Top().value);
  if (root == nullptr) OutOfMemory(at);
  return root;
}

// What is neither a string nor a container.
char* Reader::Scalar(char* at, std::string_view name) {
  const char* const start = at;
  switch (*at) {
    case 't':
    case 'f': {
      const bool truth = *at == 't';
      at = Word(at, truth ? "true" : "false");
      if (at == nullptr) return nullptr;
      WireValue* value = Begin(WireValue::Kind::kBool, name, {}, start);
      if (value == nullptr) return nullptr;
      value->boolean = truth;
      return at;
    }
    case 'n':
      at = Word(at, "null");
      if (at == nullptr || Begin(WireValue::Kind::kNull, name, {}, start) == nullptr)
        return nullptr;
      return at;
    default:
      return Number(at, name);
  }
}

char* Reader::Word(char* at, std::string_view word) {
  for (char c : word) {
    if (*at != c) return Unexpected("expected a JSON value", at);
    ++at;
  }
  return at;
}

// `self`: whose bracket it is.
inline char* Reader::Close(char* at, uint32_t self) {
  const WireMember* children = pending_.From(self + 1);
  const size_t count = pending_.size() - self - 1;
  WireValue* value = &pending_.From(self)->value;
  value->count = static_cast<uint32_t>(count);
  if (value->is_object()) {
    if (!NamesDiffer(children, count, at)) return nullptr;
    auto* members =
        static_cast<WireMember*>(arena_->Allocate(count * sizeof(WireMember), alignof(WireMember)));
    if (members == nullptr) return OutOfMemory(at);
    for (size_t i = 0; i < count; ++i)
      ::new (static_cast<void*>(members + i)) WireMember(children[i]);
    value->members = members;
  } else {
    auto* items =
        static_cast<WireValue*>(arena_->Allocate(count * sizeof(WireValue), alignof(WireValue)));
    if (items == nullptr) return OutOfMemory(at);
    for (size_t i = 0; i < count; ++i)
      ::new (static_cast<void*>(items + i)) WireValue(children[i].value);
    value->items = items;
  }
  pending_.Truncate(self + 1);
  return at + 1;
}

// Of a member of the container at `self`.
inline char* Reader::Name(char* at, uint32_t self, std::string_view* name) {
  if (*at != '"') return Unexpected("expected a member name in double quotes", at);
  const char* start = at;
  at = String(at, name);
  if (at == nullptr) return nullptr;
  if (pending_.size() - self - 1 == limits_.max_members)
    return Refuse("json.members", "an object has too many members", start);
  at = SkipSpace(at);
  if (*at != ':') return Unexpected("expected `:` after a member name", at);
  return SkipSpace(at + 1);
}

// From its quote on.
inline char* Reader::String(char* at, std::string_view* out) {
  char* const start = at + 1;
  char* end = EndOfPlain(start);
  if (*end != '"') {
    at = Unescape(start, end, out);
    if (at == nullptr) return nullptr;
  } else {
    *out = {start, static_cast<size_t>(end - start)};
    at = end + 1;
  }
  if (out->size() > limits_.max_string)
    return Refuse("json.string", "a string or number is too long", start - 1);
  return at;
}

// The rest of a string that is not plain, from `from` on, written over itself: an escape is never
// shorter than what it stands for.
char* Reader::Unescape(char* start, char* from, std::string_view* out) {
  char* to = from;
  bool low_alone = false;
  for (;;) {
    if (*from == '"') break;
    if (*from != '\\') {  // a control, or the end
      if (Offset(from) >= text_.size())
        return Refuse("json.syntax", "a string is not closed", from);
      return Refuse("json.escape", "a string has a wrong escape or a raw control character", from);
    }
    const char* const escape = from;
    from += 2;
    switch (escape[1]) {
      case '"':
      case '\\':
      case '/':
        *to++ = escape[1];
        break;
      case 'b':
        *to++ = '\b';
        break;
      case 'f':
        *to++ = '\f';
        break;
      case 'n':
        *to++ = '\n';
        break;
      case 'r':
        *to++ = '\r';
        break;
      case 't':
        *to++ = '\t';
        break;
      case 'u': {
        uint32_t c = 0, low = 0;
        if (!Hex4(escape, &c)) return nullptr;
        from += 4;
        if (c >= 0xd800 && c < 0xdc00) {
          if (from[0] != '\\' || from[1] != 'u')
            return Refuse("json.surrogate", "an escape names half of a surrogate pair", escape);
          // A mistake in the second is told where the first begins.
          if (!Hex4(from, &low)) return Refuse(code_, message_, escape);
          if (low < 0xdc00 || low > 0xdfff)
            return Refuse("json.surrogate", "an escape names half of a surrogate pair", escape);
          from += 6;
          c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        } else if (c >= 0xdc00 && c < 0xe000) {
          low_alone = true;  // said of the string, once it is known to be one
          c = 0xfffd;
        }
        if (c < 0x80) {
          *to++ = static_cast<char>(c);
        } else if (c < 0x800) {
          *to++ = static_cast<char>(0xc0 | c >> 6);
          *to++ = static_cast<char>(0x80 | (c & 0x3f));
        } else if (c < 0x10000) {
          *to++ = static_cast<char>(0xe0 | c >> 12);
          *to++ = static_cast<char>(0x80 | (c >> 6 & 0x3f));
          *to++ = static_cast<char>(0x80 | (c & 0x3f));
        } else {
          *to++ = static_cast<char>(0xf0 | c >> 18);
          *to++ = static_cast<char>(0x80 | (c >> 12 & 0x3f));
          *to++ = static_cast<char>(0x80 | (c >> 6 & 0x3f));
          *to++ = static_cast<char>(0x80 | (c & 0x3f));
        }
        break;
      }
      default:
        return Refuse("json.escape", "a string has a wrong escape or a raw control character",
                      escape);
    }
    char* const end = EndOfPlain(from);
    std::memmove(to, from, static_cast<size_t>(end - from));
    to += end - from;
    from = end;
  }
  *out = {start, static_cast<size_t>(to - start)};
  if (out->size() <= limits_.max_string && low_alone)
    return Refuse("json.surrogate", "an escape names half of a surrogate pair", start - 1);
  return from + 1;
}

// Of the escape that begins at `escape`.
bool Reader::Hex4(const char* escape, uint32_t* unit) {
  *unit = 0;
  for (int i = 2; i < 6; ++i) {
    const char c = escape[i];
    uint32_t digit = 0;
    if (IsDigit(c)) {
      digit = static_cast<uint32_t>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      digit = static_cast<uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      Refuse("json.escape", "a `\\u` escape has four hexadecimal digits", escape);
      return false;
    }
    *unit = *unit << 4 | digit;
  }
  return true;
}

char* Reader::Number(char* at, std::string_view name) {
  char* const start = at;
  auto too_large = [&] { return Refuse("json.number", "a number is far too large", start); };
  if (*at == '-') ++at;
  if (!IsDigit(*at)) return Unexpected("expected a JSON value", at);
  const char* whole = at;
  if (*at++ != '0') {
    while (IsDigit(*at)) ++at;
  }
  if (at - whole > kMostDigits) return too_large();
  int64_t fraction = 0;
  if (*at == '.') {
    const char* point = at++;
    if (!IsDigit(*at)) return Unexpected("a number is not complete", at);
    while (IsDigit(*at)) ++at;
    fraction = at - point - 1;
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    const bool minus = *at == '-';
    if (minus || *at == '+') ++at;
    if (!IsDigit(*at)) return Unexpected("a number is not complete", at);
    int64_t exponent = 0;
    for (; IsDigit(*at); ++at) {
      exponent = std::min<int64_t>(exponent * 10 + (*at - '0'), int64_t{1} << 40);
      if (!minus && exponent > kMostDigits + fraction) return too_large();
    }
  }
  const auto size = static_cast<size_t>(at - start);
  if (size > limits_.max_string)
    return Refuse("json.string", "a string or number is too long", start);
  return Begin(WireValue::Kind::kNumber, name, {start, size}, start) == nullptr ? nullptr : at;
}

// Every pair for a few members; sorted for many. No hashing, so no names can be chosen to slow
// it down: sorting costs n log n comparisons of at most the shorter name.
bool Reader::NamesDiffer(const WireMember* members, size_t count, const char* at) {
  const WireMember* second = nullptr;
  if (count <= 16) {
    // Names of different lengths or first bytes differ: `seen` holds a bit for each such pair.
    uint64_t seen = 0, twice = 0;
    for (size_t i = 0; i < count; ++i) {
      std::string_view name = members[i].name;
      const size_t mark = name.size() * 7 + (name.empty() ? 0 : static_cast<uint8_t>(name[0]));
      const uint64_t bit = uint64_t{1} << (mark % 64);
      twice |= seen & bit;
      seen |= bit;
    }
    for (size_t i = 1; twice != 0 && i < count && second == nullptr; ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (members[i].name == members[j].name) second = &members[i];
      }
    }
  } else {
    const WireMember** order = arena_->NewArray<const WireMember*>(count);
    if (order == nullptr) {
      OutOfMemory(at);
      return false;
    }
    for (size_t i = 0; i < count; ++i) order[i] = &members[i];
    std::sort(order, order + count, [](const WireMember* a, const WireMember* b) {
      int by_name = a->name.compare(b->name);
      return by_name != 0 ? by_name < 0 : a < b;
    });
    for (size_t i = 1; i < count; ++i) {
      if (order[i]->name != order[i - 1]->name) continue;
      if (second == nullptr || order[i] < second) second = order[i];
    }
  }
  if (second == nullptr) return true;
  Refuse("json.duplicate", "an object names a member twice", second->name.data() - 1);
  return false;
}

}  // namespace

JsonLimits FileJsonLimits() {
  JsonLimits limits;
  limits.max_bytes = kHardMaxBytes;
  limits.max_depth = 64;
  limits.max_members = 4'000'000;
  limits.max_nodes = 16'000'000;
  return limits;
}

Result<const WireValue*> ParseJson(std::string_view text, Arena* arena, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes || text.size() > kHardMaxBytes) {
    return Error{"json.size", "the text is too long", 1, 1};
  }
  if (text.substr(0, 3) == "\xef\xbb\xbf") {
    return Error{"json.bom", "the text begins with a byte order mark", 1, 1};
  }
  const Glance seen = GlanceAt(text);
  if (seen.nul) return ErrorAt(text, text.find('\0'), "json.nul", "the text has a NUL byte");
  size_t bad = 0;
  if (seen.beyond_ascii && !IsValidUtf8(text, &bad)) {
    return ErrorAt(text, bad, "json.utf8", "the text is not valid UTF-8");
  }
  auto* copy = static_cast<char*>(arena->Allocate(text.size() + kPadding, 1));
  if (copy == nullptr)
    return Error{"json.memory", "the value needs more memory than it may have", 1, 1};
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  std::memset(copy + text.size(), 0, kPadding);
  const bool flat = limits.positions && !seen.beyond_ascii && !seen.line_feed;
  Reader reader(text, copy, flat, arena, limits);
  const WireValue* root = reader.Read();
  if (root == nullptr) return reader.error();
  return root;
}

}  // namespace dpl
