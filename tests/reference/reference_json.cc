// The JSON reader that the product had before its own, over RapidJSON: what ParseJson is held
// against. What the 2016 release of RapidJSON gets wrong is kept away from it here:
//
// - Text is checked first (size, BOM, NUL, UTF-8), so no stream can run past its end or stop short.
// - The parser is the iterative one: depth costs heap of ours, not machine stack.
// - Numbers stay text (kParseNumbersAsStringsFlag), so its double conversion, which can be crashed
//   by a 46-byte number, never runs.
// - Its assertions throw and are caught at this border; its memory comes from the caller's arena.
// - It lets a lone low surrogate escape through and keeps duplicate members: both refused here.
#include "tests/reference/reference_json.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#define RAPIDJSON_NAMESPACE dpl_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace dpl_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#define RAPIDJSON_HAS_CXX11_NOEXCEPT 0  // an assertion may throw through any of its functions
#define RAPIDJSON_ASSERT(x) (static_cast<bool>(x) ? static_cast<void>(0) : ::dpl::ThrowRefused())

namespace dpl {
namespace {
struct Refused {};  // thrown through RapidJSON, never out of this file
}  // namespace
[[noreturn]] static void ThrowRefused() { throw Refused{}; }
}  // namespace dpl

// Its stack compares a null pointer plus a size with a null pointer before it first grows. That is
// harmless, and no business of a sanitizer that looks for our mistakes.
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/encodedstream.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#ifdef __clang__
#pragma clang attribute pop
#endif

#include "runtime/base/text.h"

namespace dpl {
namespace {

namespace rj = dpl_rapidjson;

// Offsets are 32-bit, and RapidJSON's exponent arithmetic is safe only for numbers of fewer than
// 2^31/10 digits: no limit is taken above this.
constexpr size_t kHardMaxBytes = 200u << 20;

// RapidJSON's allocator interface over the arena. Nothing is freed one by one.
class ArenaAllocator {
 public:
  static constexpr bool kNeedFree = false;

  ArenaAllocator() : arena_(nullptr) {}
  explicit ArenaAllocator(Arena* arena) : arena_(arena) {}

  void* Malloc(size_t size) {
    if (size == 0) return nullptr;
    void* at = arena_ == nullptr ? nullptr : arena_->Allocate(size);
    if (at == nullptr) ThrowRefused();
    return at;
  }
  void* Realloc(void* old, size_t old_size, size_t new_size) {
    if (new_size <= old_size) return old;
    void* at = Malloc(new_size);
    if (old_size != 0) std::memcpy(at, old, old_size);
    return at;
  }
  static void Free(void*) {}

 private:
  Arena* arena_;
};

// A stack of T in the arena; what it outgrows is left behind (at most as much again).
template <class T>
class ArenaStack {
 public:
  explicit ArenaStack(Arena* arena) : arena_(arena) {}

  bool Push(const T& value) {
    if (size_ == capacity_ && !Grow()) return false;
    ::new (static_cast<void*>(items_ + size_)) T(value);
    ++size_;
    return true;
  }
  T& Top() { return items_[size_ - 1]; }
  T* From(size_t at) { return items_ + at; }
  size_t size() const { return size_; }
  void Truncate(size_t size) { size_ = size; }

 private:
  bool Grow() {
    size_t capacity = capacity_ == 0 ? 8 : capacity_ * 2;
    T* items = static_cast<T*>(arena_->Allocate(capacity * sizeof(T), alignof(T)));
    if (items == nullptr) return false;
    std::uninitialized_copy(items_, items_ + size_, items);
    items_ = items;
    capacity_ = capacity;
    return true;
  }

  Arena* arena_;
  T* items_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
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

// One finished value waiting for its container to close.
struct Pending {
  WireMember member;
  uint32_t name_offset = 0;
};

// Receives RapidJSON's events and builds the tree. Every event returns false on a refusal, which
// `code`, `message` and `offset` then describe.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, Arena* arena, const JsonLimits& limits,
              const rj::MemoryStream* stream)
      : text_(text),
        arena_(arena),
        limits_(limits),
        stream_(stream),
        place_(text),
        pending_(arena),
        open_(arena) {}

  const char* code = nullptr;
  const char* message = nullptr;
  size_t offset = 0;
  const WireValue* root = nullptr;

  bool Null() { return Scalar(WireValue::Kind::kNull, {}); }
  bool Bool(bool value) { return Scalar(WireValue::Kind::kBool, {}, value); }
  bool RawNumber(const char* digits, rj::SizeType size, bool) {
    if (size > limits_.max_string) return TooLong();
    return ScalarCopy(WireValue::Kind::kNumber, {digits, size});
  }
  bool String(const char* bytes, rj::SizeType size, bool) {
    if (!StringOk(bytes, size)) return false;
    return ScalarCopy(WireValue::Kind::kString, {bytes, size});
  }
  bool Key(const char* bytes, rj::SizeType size, bool) {
    if (!StringOk(bytes, size)) return false;
    Container& object = open_.Top();
    if (object.count == limits_.max_members) {
      return Refuse("json.members", "an object has too many members", TokenStart());
    }
    ++object.count;
    name_offset_ = static_cast<uint32_t>(TokenStart());
    name_ = arena_->Copy({bytes, size});
    if (name_.data() == nullptr) return OutOfMemory();
    last_end_ = stream_->Tell();
    return true;
  }
  bool StartObject() { return Open(WireValue::Kind::kObject); }
  bool StartArray() { return Open(WireValue::Kind::kArray); }
  bool EndObject(rj::SizeType) { return Close(); }
  bool EndArray(rj::SizeType) { return Close(); }

  // Never sent with numbers as strings; present because the reader names them.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  struct Container {
    Pending self;        // the member this container becomes
    size_t first = 0;    // its children in pending_
    uint32_t count = 0;  // members named so far (objects)
  };

  bool Refuse(const char* why, const char* words, size_t where) {
    code = why;
    message = words;
    offset = where;
    return false;
  }
  bool OutOfMemory() {
    return Refuse("json.memory", "the value needs more memory than it may have", TokenStart());
  }
  bool TooLong() { return Refuse("json.string", "a string or number is too long", TokenStart()); }

  // First byte of the token just reported: between tokens stand only spaces and punctuation.
  size_t TokenStart() const {
    auto between = [](char c) {
      return c == ',' || c == ':' || c == ' ' || c == '\n' || c == '}' || c == ']' || c == '\t' ||
             c == '\r';
    };
    size_t at = last_end_;
    while (at < text_.size() && between(text_[at])) ++at;
    return at;
  }

  // RapidJSON lets an escaped lone low surrogate through as invalid UTF-8. Text was checked before,
  // so only strings that were changed by an escape need a look.
  bool StringOk(const char* bytes, size_t size) {
    if (size > limits_.max_string) return TooLong();
    size_t start = TokenStart();
    bool escaped = stream_->Tell() - start != size + 2;
    if (escaped && !IsValidUtf8({bytes, size})) {
      return Refuse("json.surrogate", "an escape names half of a surrogate pair", start);
    }
    return true;
  }

  // The member under construction, named when inside an object.
  bool Begin(WireValue::Kind kind, Pending* out) {
    if (nodes_ == limits_.max_nodes) {
      return Refuse("json.nodes", "the text holds too many values", TokenStart());
    }
    ++nodes_;
    out->member.value.kind = kind;
    if (limits_.positions) {
      place_.MoveTo(TokenStart());
      out->member.value.line = place_.line();
      out->member.value.column = place_.column();
    }
    if (open_.size() > 0 && open_.Top().self.member.value.is_object()) {
      out->member.name = name_;
      out->name_offset = name_offset_;
    }
    return true;
  }

  bool Finish(const Pending& value) {
    if (open_.size() > 0) return pending_.Push(value) || OutOfMemory();
    WireValue* copy = arena_->New<WireValue>(value.member.value);
    if (copy == nullptr) return OutOfMemory();
    root = copy;
    return true;
  }

  bool Scalar(WireValue::Kind kind, std::string_view text, bool boolean = false) {
    Pending value;
    if (!Begin(kind, &value)) return false;
    value.member.value.text = text;
    value.member.value.boolean = boolean;
    last_end_ = stream_->Tell();
    return Finish(value);
  }

  bool ScalarCopy(WireValue::Kind kind, std::string_view text) {
    std::string_view copy = arena_->Copy(text);
    if (copy.data() == nullptr) return OutOfMemory();
    return Scalar(kind, copy);
  }

  bool Open(WireValue::Kind kind) {
    if (open_.size() == limits_.max_depth) {
      return Refuse("json.depth", "objects and arrays nest too deep", TokenStart());
    }
    Container container;
    if (!Begin(kind, &container.self)) return false;
    container.first = pending_.size();
    last_end_ = stream_->Tell() + 1;  // the bracket is taken after this event
    return open_.Push(container) || OutOfMemory();
  }

  bool Close() {
    Container container = open_.Top();
    WireValue* value = &container.self.member.value;
    Pending* children = pending_.From(container.first);
    size_t count = pending_.size() - container.first;
    value->count = static_cast<uint32_t>(count);
    if (value->is_object()) {
      if (!NamesDiffer(children, count)) return false;
      WireMember* members = arena_->NewArray<WireMember>(count);
      if (members == nullptr) return OutOfMemory();
      for (size_t i = 0; i < count; ++i) members[i] = children[i].member;
      value->members = members;
    } else {
      WireValue* items = arena_->NewArray<WireValue>(count);
      if (items == nullptr) return OutOfMemory();
      for (size_t i = 0; i < count; ++i) items[i] = children[i].member.value;
      value->items = items;
    }
    pending_.Truncate(container.first);
    open_.Truncate(open_.size() - 1);
    last_end_ = stream_->Tell() + 1;
    return Finish(container.self);
  }

  // Every pair for a few members; sorted for many. No hashing, so no names can be chosen to slow
  // it down: sorting costs n log n comparisons of at most the shorter name.
  bool NamesDiffer(const Pending* children, size_t count) {
    const Pending* second = nullptr;
    if (count <= 16) {
      for (size_t i = 1; i < count && second == nullptr; ++i) {
        for (size_t j = 0; j < i; ++j) {
          if (children[i].member.name == children[j].member.name) second = &children[i];
        }
      }
    } else {
      const Pending** order = arena_->NewArray<const Pending*>(count);
      if (order == nullptr) return OutOfMemory();
      for (size_t i = 0; i < count; ++i) order[i] = &children[i];
      std::sort(order, order + count, [](const Pending* a, const Pending* b) {
        int by_name = a->member.name.compare(b->member.name);
        return by_name != 0 ? by_name < 0 : a->name_offset < b->name_offset;
      });
      for (size_t i = 1; i < count; ++i) {
        if (order[i]->member.name != order[i - 1]->member.name) continue;
        if (second == nullptr || order[i]->name_offset < second->name_offset) second = order[i];
      }
    }
    if (second == nullptr) return true;
    return Refuse("json.duplicate", "an object names a member twice", second->name_offset);
  }

  std::string_view text_;
  Arena* arena_;
  const JsonLimits& limits_;
  const rj::MemoryStream* stream_;
  Place place_;
  ArenaStack<Pending> pending_;
  ArenaStack<Container> open_;
  std::string_view name_;
  uint32_t name_offset_ = 0;
  uint32_t nodes_ = 0;
  size_t last_end_ = 0;
};

Error ReaderError(std::string_view text, rj::ParseErrorCode code, size_t offset) {
  auto at = [&](const char* name, const char* message) {
    return ErrorAt(text, offset, name, message);
  };
  switch (code) {
    case rj::kParseErrorDocumentEmpty:  // also what RapidJSON says about a wrong first byte
      if (offset < text.size()) return at("json.syntax", "expected a JSON value");
      return at("json.empty", "no JSON value was sent");
    case rj::kParseErrorDocumentRootNotSingular:
      return at("json.trailing", "something follows the JSON value");
    case rj::kParseErrorObjectMissName:
      return at("json.syntax", "expected a member name in double quotes");
    case rj::kParseErrorObjectMissColon:
      return at("json.syntax", "expected `:` after a member name");
    case rj::kParseErrorObjectMissCommaOrCurlyBracket:
      return at("json.syntax", "expected `,` or `}` after a member");
    case rj::kParseErrorArrayMissCommaOrSquareBracket:
      return at("json.syntax", "expected `,` or `]` after an array item");
    case rj::kParseErrorStringUnicodeEscapeInvalidHex:
      return at("json.escape", "a `\\u` escape has four hexadecimal digits");
    case rj::kParseErrorStringUnicodeSurrogateInvalid:
      return at("json.surrogate", "an escape names half of a surrogate pair");
    case rj::kParseErrorStringEscapeInvalid:
      return at("json.escape", "a string has a wrong escape or a raw control character");
    case rj::kParseErrorStringMissQuotationMark:
      return at("json.syntax", "a string is not closed");
    case rj::kParseErrorStringInvalidEncoding:
      return at("json.utf8", "the text is not valid UTF-8");
    case rj::kParseErrorNumberTooBig:
      return at("json.number", "a number is far too large");
    case rj::kParseErrorNumberMissFraction:
    case rj::kParseErrorNumberMissExponent:
      return at("json.syntax", "a number is not complete");
    default:
      return at("json.syntax", "expected a JSON value");
  }
}

}  // namespace

Result<const WireValue*> ReferenceParseJson(std::string_view text, Arena* arena,
                                            const JsonLimits& limits) {
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

  constexpr unsigned kFlags =
      rj::kParseIterativeFlag | rj::kParseValidateEncodingFlag | rj::kParseNumbersAsStringsFlag;
  rj::MemoryStream bytes(text.data(), text.size());
  rj::EncodedInputStream<rj::UTF8<>, rj::MemoryStream> stream(bytes);
  ArenaAllocator allocator(arena);
  // The reader's stack holds one string at a time and 8 bytes a level; room for all of a small text
  // at once saves it from growing.
  size_t stack = std::min<size_t>(text.size() + 1024, 8192);
  rj::GenericReader<rj::UTF8<>, rj::UTF8<>, ArenaAllocator> reader(&allocator, stack);
  TreeBuilder builder(text, arena, limits, &bytes);
  try {
    rj::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
    if (!parsed.IsError() && builder.root != nullptr) return builder.root;
    if (builder.code != nullptr) {
      return ErrorAt(text, builder.offset, builder.code, builder.message);
    }
    return ReaderError(text, parsed.Code(), parsed.Offset());
  } catch (const Refused&) {
    return ErrorAt(text, bytes.Tell(), "json.memory",
                   "the value needs more memory than it may have");
  }
}

}  // namespace dpl
