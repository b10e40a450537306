#include "runtime/bytecode/verify.h"

#include <bit>

#include "runtime/base/keyed_hash.h"
#include "runtime/base/text.h"
#include "runtime/bytecode/fields.h"
#include "runtime/bytecode/verify_parts.h"

namespace dpl {
namespace verify {
namespace {

// Walks the field lists: every text is UTF-8, every span lies within its file.
class TextWalk {
 public:
  explicit TextWalk(const Program& program) : program_(program) {}
  template <class... Xs>
  void operator()(Xs&... xs) {
    (Visit(xs), ...);
  }
  bool bad_text() const { return bad_text_; }
  bool bad_span() const { return bad_span_; }

 private:
  void Visit(Span& span) {
    if (span == Span{}) return;
    bool fits = span.known() && span.file < program_.sources.size() && span.begin <= span.end &&
                span.end <= program_.sources[span.file].text.size();
    if (!fits) bad_span_ = true;
  }
  void Visit(std::string& text) {
    if (!IsValidUtf8(text)) bad_text_ = true;
  }
  template <class T>
  void Visit(std::vector<T>& list) {
    if constexpr (std::is_class_v<T>) {
      for (T& item : list) Visit(item);
    }
  }
  template <class T>
  void Visit(T& x) {
    if constexpr (std::is_class_v<T>) fields::Fields(*this, x);
  }

  const Program& program_;
  bool bad_text_ = false, bad_span_ = false;
};

}  // namespace

Status Texts(const Program& program) {
  TextWalk walk(program);
  for (uint32_t n = 1; n <= fields::kSectionCount; ++n) {
    fields::Section section = static_cast<fields::Section>(n);
    // The lists are shared with the reader, so they take a mutable program; this walk only reads
    // it.
    fields::SectionFields(walk, section, const_cast<Program&>(program));
    DPL_NEED(!walk.bad_text(), "bundle.text", "section {}: a text is not UTF-8",
             fields::SectionName(section));
    DPL_NEED(!walk.bad_span(), "bundle.index", "section {}: a span lies outside the sources",
             fields::SectionName(section));
  }
  const std::vector<std::string>& strings = program.schema.strings;
  DPL_NEED(!strings.empty() && strings[0].empty(), "bundle.text", "string 0 is not the empty one");
  // Which strings have been seen: a part of their hash and their number, at most half full.
  struct Seen {
    uint32_t tag = 0, string = kNone;
  };
  std::vector<Seen> seen(std::bit_ceil(2 * strings.size()));
  for (uint32_t i = 0; i < strings.size(); ++i) {
    const uint64_t hash = KeyedHash(strings[i]);
    const Seen own{static_cast<uint32_t>(hash >> 32), i};
    size_t at = hash & (seen.size() - 1);
    for (; seen[at].string != kNone; at = (at + 1) & (seen.size() - 1)) {
      DPL_NEED(seen[at].tag != own.tag || strings[seen[at].string] != strings[i], "bundle.text",
               "the string {} is there twice", Quote(strings[i]));
    }
    seen[at] = own;
  }
  for (size_t i = 1; i < program.sources.size(); ++i) {
    DPL_NEED(program.sources[i - 1].path <= program.sources[i].path, "bundle.order",
             "sources are not in the order of their paths");
  }
  return Status::Ok();
}

}  // namespace verify

Status VerifyProgram(const Program& program) {
  DPL_RETURN_IF_ERROR(verify::Texts(program));
  DPL_RETURN_IF_ERROR(verify::Constants(program));
  DPL_RETURN_IF_ERROR(verify::SchemaParts(program));
  std::vector<verify::CodeUse> uses;
  DPL_RETURN_IF_ERROR(verify::Statements(program, &uses));
  return verify::Codes(program, uses);
}

}  // namespace dpl
