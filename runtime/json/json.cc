// The reader: one pass over a copy of the text that lives in the arena, so that names and strings
// are views of it and only those with an escape are written anew, in their place.
//
// - Text is checked first (size, BOM, NUL, UTF-8); the copy ends in zeros, so that eight bytes can
//   be looked at together and no look runs past the end.
// - Depth costs a stack in the arena, not machine stack. Children wait in another until their
//   container closes and they are laid side by side.
// - Numbers stay text. How large one may be is bounded, so that nobody behind has to think of it.
//
// Why not RapidJSON any more: docs/decisions/0017-a-json-reader-of-our-own.md.
#include "runtime/json/json.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "runtime/base/text.h"

namespace dpl {
namespace {

// Offsets are 32-bit.
constexpr size_t kHardMaxBytes = 200u << 20;
constexpr size_t kPadding = 8;         // zeros behind the copy
constexpr uint32_t kMostDigits = 308;  // of a whole number, and of an exponent: what a double holds

// A stack of T in the arena; what it outgrows is left behind (at most as much again).
template <class T>
class ArenaStack {
 public:
  ArenaStack(Arena* arena, size_t first) : arena_(arena), next_(first) {}

  // Null: out of memory.
  T* Push() {
    if (size_ == capacity_ && !Grow()) return nullptr;
    return ::new (static_cast<void*>(items_ + size_++)) T();
  }
  T& Top() { return items_[size_ - 1]; }
  T* From(size_t at) { return items_ + at; }
  size_t size() const { return size_; }
  void Truncate(size_t size) { size_ = size; }

 private:
  bool Grow() {
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

// The first byte at or behind `at` that ends or changes a string: a quote, a backslash, a control
// (the zeros behind the text are such).
char* EndOfPlain(char* at) {
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
}

// One line of ASCII: an offset is a column.
bool IsFlat(std::string_view text) {
  constexpr uint64_t kHighs = 0x8080808080808080;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & kHighs) != 0) return false;
  }
  for (; i < text.size(); ++i) {
    if ((text[i] & 0x80) != 0) return false;
  }
  return text.find('\n') == std::string_view::npos;
}

class Reader {
 public:
  // `copy`: the text, kPadding zeros behind it.
  Reader(std::string_view text, char* copy, Arena* arena, const JsonLimits& limits)
      : text_(text),
        begin_(copy),
        at_(copy),
        arena_(arena),
        limits_(limits),
        place_(text),
        flat_(limits.positions && IsFlat(text)),
        pending_(arena, 32),
        open_(arena, 8) {}

  // Null: refused.
  const WireValue* Read();
  Error error() const { return ErrorAt(text_, offset_, code_, message_); }

 private:
  struct Container {
    uint32_t self = 0;  // the place in pending_ of the value that it becomes
    bool object = false;
  };

  bool Refuse(const char* code, const char* message, size_t where) {
    code_ = code;
    message_ = message;
    offset_ = where;
    return false;
  }
  bool Unexpected(const char* message) { return Refuse("json.syntax", message, Offset(at_)); }
  bool OutOfMemory(const char* where) {
    return Refuse("json.memory", "the value needs more memory than it may have", Offset(where));
  }
  size_t Offset(const char* at) const { return static_cast<size_t>(at - begin_); }

  void SkipSpace() {
    while (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r') ++at_;
  }

  bool Value();
  bool Open(WireValue::Kind kind);
  bool Close();
  bool Name();
  bool String(std::string_view* out);
  bool Unescape(char* start, char* from, std::string_view* out);
  bool Hex4(const char* escape, uint32_t* unit);
  bool Number();
  bool Word(std::string_view word);
  WireValue* Begin(WireValue::Kind kind, const char* start);
  bool NamesDiffer(const WireMember* members, size_t count);

  std::string_view text_;
  char* const begin_;
  char* at_;
  Arena* arena_;
  const JsonLimits& limits_;
  Place place_;
  bool flat_;                       // one line of ASCII: an offset is a column
  ArenaStack<WireMember> pending_;  // finished values, and those of open containers
  ArenaStack<Container> open_;
  std::string_view name_;  // of the member whose value comes next
  uint32_t nodes_ = 0;
  const char* code_ = nullptr;
  const char* message_ = nullptr;
  size_t offset_ = 0;
};

// A value in the making; it stays in pending_ until its container closes.
WireValue* Reader::Begin(WireValue::Kind kind, const char* start) {
  if (nodes_ == limits_.max_nodes) {
    Refuse("json.nodes", "the text holds too many values", Offset(start));
    return nullptr;
  }
  ++nodes_;
  WireMember* member = pending_.Push();
  if (member == nullptr) {
    OutOfMemory(start);
    return nullptr;
  }
  member->name = name_;
  name_ = {};
  member->value.kind = kind;
  if (limits_.positions) {
    if (flat_) {
      member->value.line = 1;
      member->value.column = static_cast<uint32_t>(Offset(start)) + 1;
    } else {
      place_.MoveTo(Offset(start));
      member->value.line = place_.line();
      member->value.column = place_.column();
    }
  }
  return &member->value;
}

const WireValue* Reader::Read() {
  SkipSpace();
  if (Offset(at_) == text_.size()) {
    Refuse("json.empty", "no JSON value was sent", Offset(at_));
    return nullptr;
  }
  if (!Value()) return nullptr;
  while (open_.size() > 0) {
    SkipSpace();
    const Container& container = open_.Top();
    const bool first = pending_.size() == container.self + 1;
    if (*at_ == (container.object ? '}' : ']')) {
      if (!Close()) return nullptr;
      continue;
    }
    if (!first) {
      if (*at_ != ',') {
        Unexpected(container.object ? "expected `,` or `}` after a member"
                                    : "expected `,` or `]` after an array item");
        return nullptr;
      }
      ++at_;
      SkipSpace();
    }
    if (container.object && !Name()) return nullptr;
    if (!Value()) return nullptr;
  }
  SkipSpace();
  if (Offset(at_) != text_.size()) {
    Refuse("json.trailing", "something follows the JSON value", Offset(at_));
    return nullptr;
  }
  const WireValue* root = arena_->New<WireValue>(pending_.Top().value);
  if (root == nullptr) OutOfMemory(at_);
  return root;
}

// A scalar, or the bracket that opens a container.
bool Reader::Value() {
  switch (*at_) {
    case '{':
      return Open(WireValue::Kind::kObject);
    case '[':
      return Open(WireValue::Kind::kArray);
    case '"': {
      const char* start = at_;
      std::string_view bytes;
      if (!String(&bytes)) return false;
      WireValue* value = Begin(WireValue::Kind::kString, start);
      if (value != nullptr) value->text = bytes;
      return value != nullptr;
    }
    case 't':
    case 'f': {
      const char* start = at_;
      const bool truth = *at_ == 't';
      if (!Word(truth ? "true" : "false")) return false;
      WireValue* value = Begin(WireValue::Kind::kBool, start);
      if (value != nullptr) value->boolean = truth;
      return value != nullptr;
    }
    case 'n': {
      const char* start = at_;
      return Word("null") && Begin(WireValue::Kind::kNull, start) != nullptr;
    }
    default:
      return Number();
  }
}

bool Reader::Word(std::string_view word) {
  for (char c : word) {
    if (*at_ != c) return Unexpected("expected a JSON value");
    ++at_;
  }
  return true;
}

bool Reader::Open(WireValue::Kind kind) {
  if (open_.size() == limits_.max_depth)
    return Refuse("json.depth", "objects and arrays nest too deep", Offset(at_));
  const auto self = static_cast<uint32_t>(pending_.size());
  if (Begin(kind, at_) == nullptr) return false;
  Container* container = open_.Push();
  if (container == nullptr) return OutOfMemory(at_);
  container->self = self;
  container->object = kind == WireValue::Kind::kObject;
  ++at_;
  return true;
}

bool Reader::Close() {
  const Container container = open_.Top();
  const WireMember* children = pending_.From(container.self + 1);
  const size_t count = pending_.size() - container.self - 1;
  WireValue* value = &pending_.From(container.self)->value;
  value->count = static_cast<uint32_t>(count);
  if (container.object) {
    if (!NamesDiffer(children, count)) return false;
    auto* members =
        static_cast<WireMember*>(arena_->Allocate(count * sizeof(WireMember), alignof(WireMember)));
    if (members == nullptr) return OutOfMemory(at_);
    std::uninitialized_copy(children, children + count, members);
    value->members = members;
  } else {
    auto* items =
        static_cast<WireValue*>(arena_->Allocate(count * sizeof(WireValue), alignof(WireValue)));
    if (items == nullptr) return OutOfMemory(at_);
    for (size_t i = 0; i < count; ++i)
      ::new (static_cast<void*>(items + i)) WireValue(children[i].value);
    value->items = items;
  }
  pending_.Truncate(container.self + 1);
  open_.Truncate(open_.size() - 1);
  ++at_;
  return true;
}

bool Reader::Name() {
  if (*at_ != '"') return Unexpected("expected a member name in double quotes");
  const char* start = at_;
  if (!String(&name_)) return false;
  if (pending_.size() - open_.Top().self - 1 == limits_.max_members)
    return Refuse("json.members", "an object has too many members", Offset(start));
  SkipSpace();
  if (*at_ != ':') return Unexpected("expected `:` after a member name");
  ++at_;
  SkipSpace();
  return true;
}

// From its quote on.
bool Reader::String(std::string_view* out) {
  char* const start = at_ + 1;
  char* end = EndOfPlain(start);
  if (*end != '"') {
    if (!Unescape(start, end, out)) return false;
  } else {
    *out = {start, static_cast<size_t>(end - start)};
    at_ = end + 1;
  }
  if (out->size() > limits_.max_string)
    return Refuse("json.string", "a string or number is too long", Offset(start - 1));
  return true;
}

// The rest of a string that is not plain, from `from` on, written over itself: an escape is never
// shorter than what it stands for.
bool Reader::Unescape(char* start, char* from, std::string_view* out) {
  char* to = from;
  bool low_alone = false;
  for (;;) {
    if (*from == '"') break;
    if (*from != '\\') {  // a control, or the end
      if (Offset(from) >= text_.size())
        return Refuse("json.syntax", "a string is not closed", Offset(from));
      return Refuse("json.escape", "a string has a wrong escape or a raw control character",
                    Offset(from));
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
        if (!Hex4(escape, &c)) return false;
        from += 4;
        if (c >= 0xd800 && c < 0xdc00) {
          if (from[0] != '\\' || from[1] != 'u')
            return Refuse("json.surrogate", "an escape names half of a surrogate pair",
                          Offset(escape));
          // A mistake in the second is told where the first begins.
          if (!Hex4(from, &low)) return Refuse(code_, message_, Offset(escape));
          if (low < 0xdc00 || low > 0xdfff)
            return Refuse("json.surrogate", "an escape names half of a surrogate pair",
                          Offset(escape));
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
                      Offset(escape));
    }
    char* const end = EndOfPlain(from);
    std::memmove(to, from, static_cast<size_t>(end - from));
    to += end - from;
    from = end;
  }
  *out = {start, static_cast<size_t>(to - start)};
  at_ = from + 1;
  if (out->size() <= limits_.max_string && low_alone)
    return Refuse("json.surrogate", "an escape names half of a surrogate pair", Offset(start - 1));
  return true;
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
      return Refuse("json.escape", "a `\\u` escape has four hexadecimal digits", Offset(escape));
    }
    *unit = *unit << 4 | digit;
  }
  return true;
}

bool Reader::Number() {
  char* const start = at_;
  auto too_large = [&] {
    return Refuse("json.number", "a number is far too large", Offset(start));
  };
  if (*at_ == '-') ++at_;
  if (!IsDigit(*at_)) return Unexpected("expected a JSON value");
  const char* whole = at_;
  if (*at_++ != '0') {
    while (IsDigit(*at_)) ++at_;
  }
  if (at_ - whole > kMostDigits) return too_large();
  int64_t fraction = 0;
  if (*at_ == '.') {
    const char* point = at_++;
    if (!IsDigit(*at_)) return Unexpected("a number is not complete");
    while (IsDigit(*at_)) ++at_;
    fraction = at_ - point - 1;
  }
  if (*at_ == 'e' || *at_ == 'E') {
    ++at_;
    const bool minus = *at_ == '-';
    if (minus || *at_ == '+') ++at_;
    if (!IsDigit(*at_)) return Unexpected("a number is not complete");
    int64_t exponent = 0;
    for (; IsDigit(*at_); ++at_) {
      exponent = std::min<int64_t>(exponent * 10 + (*at_ - '0'), int64_t{1} << 40);
      if (!minus && exponent > kMostDigits + fraction) return too_large();
    }
  }
  const auto size = static_cast<size_t>(at_ - start);
  if (size > limits_.max_string)
    return Refuse("json.string", "a string or number is too long", Offset(start));
  WireValue* value = Begin(WireValue::Kind::kNumber, start);
  if (value != nullptr) value->text = {start, size};
  return value != nullptr;
}

// Every pair for a few members; sorted for many. No hashing, so no names can be chosen to slow
// it down: sorting costs n log n comparisons of at most the shorter name.
bool Reader::NamesDiffer(const WireMember* members, size_t count) {
  const WireMember* second = nullptr;
  if (count <= 16) {
    // Names of different lengths or first bytes differ: `seen` holds a bit for each such pair.
    uint64_t seen = 0;
    for (size_t i = 0; i < count && second == nullptr; ++i) {
      std::string_view name = members[i].name;
      const size_t mark = name.size() * 7 + (name.empty() ? 0 : static_cast<uint8_t>(name[0]));
      const uint64_t bit = uint64_t{1} << (mark % 64);
      for (size_t j = 0; (seen & bit) != 0 && j < i; ++j) {
        if (name == members[j].name) second = &members[i];
      }
      seen |= bit;
    }
  } else {
    const WireMember** order = arena_->NewArray<const WireMember*>(count);
    if (order == nullptr) return OutOfMemory(at_);
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
  return Refuse("json.duplicate", "an object names a member twice",
                Offset(second->name.data()) - 1);
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
  if (const void* nul = text.empty() ? nullptr : std::memchr(text.data(), 0, text.size())) {
    size_t at = static_cast<size_t>(static_cast<const char*>(nul) - text.data());
    return ErrorAt(text, at, "json.nul", "the text has a NUL byte");
  }
  size_t bad = 0;
  if (!IsValidUtf8(text, &bad)) {
    return ErrorAt(text, bad, "json.utf8", "the text is not valid UTF-8");
  }
  auto* copy = static_cast<char*>(arena->Allocate(text.size() + kPadding, 1));
  if (copy == nullptr)
    return Error{"json.memory", "the value needs more memory than it may have", 1, 1};
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  std::memset(copy + text.size(), 0, kPadding);
  Reader reader(text, copy, arena, limits);
  const WireValue* root = reader.Read();
  if (root == nullptr) return reader.error();
  return root;
}

}  // namespace dpl
