// See shape.h.
#include "runtime/audit/shape.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "runtime/audit/shape_marks.h"
#include "runtime/base/sealed_box.h"
#include "runtime/decide/render.h"

namespace dpl {
namespace {

constexpr size_t kMostShapes = 4096;      // of a segment: caller-made combinations have an end
constexpr uint64_t kLookAgain = 1024;     // records of a shape between two looks at the whole one
constexpr size_t kMostText = kMaxQuoted;  // a longer text is cut in a record
constexpr int64_t kMarkNumber = 800'000'000'000'000'000;  // two of them can be added
constexpr Instant kMarkTime{16'725'225'600'000'000};      // of the year 2500

// Whether a record says the text as it is, wherever it does.
bool IsPlain(std::string_view text) {
  if (text.size() > kMostText) return false;
  bool good = true;
#if defined(__SSE2__)
  __m128i bad = _mm_setzero_si128();
  for (; text.size() >= 16; text.remove_prefix(16)) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data()));
    // As signed bytes, those of 0x80 and above are below the blank.
    bad = _mm_or_si128(bad, _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20)),
                                         _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f))));
    bad = _mm_or_si128(bad, _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                         _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
  }
  good = _mm_movemask_epi8(bad) == 0;
#endif
  for (char c : text) good &= c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  return good;
}

}  // namespace

// ---------------------------------------------------------------- marks

std::string AuditMarks::NextText() {
  std::string count = std::to_string(100 + count_++);
  return "mark-" + std::to_string(nonce_) + "-" + count + "-";
}

int64_t AuditMarks::NextNumber() {
  return kMarkNumber + static_cast<int64_t>(nonce_ % 1'000'000'000'000) * 1000 +
         static_cast<int64_t>(count_++);
}

void AuditMarks::Time(Instant& time) {
  time.us = kMarkTime.us + static_cast<int64_t>(nonce_ % 1'000'000) * 1'000'000'000 +
            static_cast<int64_t>(count_++) * 1'000'000 + 123'457;
  AppendInstant(&Add(ShapeValue::Kind::kTime).mark, time);
}

void AuditMarks::Amount(Value& value) {
  ShapeValue& added = Add(ShapeValue::Kind::kAmount);
  switch (value.kind) {
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kMoney:
    case ValueKind::kDuration:
      value.i = NextNumber();
      added.amount = value;
      AppendValue(&added.mark, value, schema_);
      return;
    case ValueKind::kUnset:
    case ValueKind::kError:
    case ValueKind::kAbsent:
      return;  // said by a word, or not at all
    default:
      possible = false;
  }
}

void AuditMarks::AddAfter(const Value& used, const Value& requested) {
  ShapeValue& added = Add(ShapeValue::Kind::kAfter);
  const Value after = AmountAfter(charged_, used, requested);
  if (after.kind != ValueKind::kUnset) AppendValue(&added.mark, after, schema_);
}

// ---------------------------------------------------------------- shapes

struct AuditShapes::Shape {
  std::string fixed;
  bool seen = false, made = false, refused = false;
  bool charged = false;
  std::string head;  // of its records
  std::vector<ShapeValue> values;
  size_t others = 0;  // of them what is no text
  size_t uses = 0;
  // The record between the values that it says, and which of them stands behind each.
  std::vector<std::string> texts;
  std::vector<uint32_t> holes;
};

AuditShapes::AuditShapes(AuditTerms* terms) : terms_(terms) {
  uint8_t bytes[8] = {};
  (void)FillRandom(bytes, sizeof bytes);  // without it a mark might be guessed; it is looked at
  std::memcpy(&nonce_, bytes, sizeof nonce_);
}
AuditShapes::~AuditShapes() = default;

void AuditShapes::Clear() {
  shapes_.clear();
  last_ = nullptr;
}

void AuditShapes::Use(const std::shared_ptr<const Program>& program) {
  if (program == program_) return;
  program_ = program;
  Clear();
}

bool AuditShapes::Write(std::string* out, const Decided& decided) {
  if (last_ == nullptr || last_->fixed != decided.fixed) {
    auto found = shapes_.find(decided.fixed);
    if (found == shapes_.end()) {
      if (shapes_.size() == kMostShapes) return false;
      auto shape = std::make_unique<Shape>();
      shape->fixed = decided.fixed;
      const std::string_view key = shape->fixed;
      found = shapes_.emplace(key, std::move(shape)).first;
    }
    last_ = found->second.get();
  }
  Shape& shape = *last_;
  if (shape.refused) return false;
  if (!shape.seen) {
    shape.seen = true;
    return false;
  }
  if (!shape.made && (decided.source->SaysValues() || !Make(&shape, decided))) {
    shape.refused = true;
    return false;
  }
  const bool check = shape.uses++ % kLookAgain == 0;
  if (Fill(out, shape, decided, check)) return true;
  shape.refused = check;
  return false;
}

bool AuditShapes::Make(Shape* shape, const Decided& decided) {
  shape->charged = decided.source->Charged();
  AuditMarks marks(program_->schema, decided.digest_key, nonce_, shape->charged);
  std::string whole;
  decided.source->Render(&marks, &whole);
  if (!marks.possible || !whole.ends_with('}')) return false;
  whole.pop_back();
  shape->values = std::move(marks.values);
  shape->others = static_cast<size_t>(
      std::count_if(shape->values.begin(), shape->values.end(),
                    [](const ShapeValue& v) { return v.kind != ShapeValue::Kind::kText; }));
  std::vector<uint32_t> longest(shape->values.size());
  for (uint32_t i = 0; i < longest.size(); ++i) longest[i] = i;
  std::stable_sort(longest.begin(), longest.end(), [&](uint32_t a, uint32_t b) {
    return shape->values[a].mark.size() > shape->values[b].mark.size();
  });
  size_t from = 0;
  for (size_t at = 0; at < whole.size();) {
    auto mark = std::find_if(longest.begin(), longest.end(), [&](uint32_t i) {
      const std::string& text = shape->values[i].mark;
      return !text.empty() && whole.compare(at, text.size(), text) == 0;
    });
    if (mark == longest.end()) {
      ++at;
      continue;
    }
    shape->texts.push_back(whole.substr(from, at - from));
    shape->holes.push_back(*mark);
    shape->values[*mark].used = true;
    from = at += shape->values[*mark].mark.size();
  }
  shape->texts.push_back(whole.substr(from));
  // The hole behind each text, by its place among the values that a record says.
  std::vector<uint32_t> places(shape->values.size());
  uint32_t next = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = next;
    if (shape->values[i].used) ++next;
  }
  for (uint32_t& hole : shape->holes) hole = places[hole];
  shape->made = true;
  std::string none;
  if (!Fill(&none, *shape, decided, true)) return false;
  shape->head.append(R"({"v":3,"kind":"decision","s":[)").append(std::to_string(decided.terms_seq));
  shape->head.append(",").append(std::to_string(terms_->PlaceOfShape(shape->texts, shape->holes)));
  shape->head.append(R"(],"h":[)");
  return true;
}

bool AuditShapes::Fill(std::string* out, const Shape& shape, const Decided& decided, bool check) {
  const size_t begin = out->size();
  std::string_view rest = decided.values;
  auto take = [&rest](size_t size) {
    DPL_CHECK(size <= rest.size());
    const char* at = rest.data();
    rest.remove_prefix(size);
    return at;
  };
  // A text takes as much in the record as it did here, anything else at most this.
  constexpr size_t kMostOther = kMostText + 3;
  out->resize(begin + shape.head.size() + 16 + rest.size() + kMostOther * shape.others);
  char* at = out->data() + begin;
  auto put = [&at](std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  };
  put(shape.head);
  bool good = true;
  const char* first = at;
  std::vector<std::string> said;  // for the check: what stands in each hole
  Value amounts[2];               // the last two
  for (const ShapeValue& value : shape.values) {
    const bool text = value.kind != ShapeValue::Kind::kNumber;
    if (value.used && at != first) *at++ = ',';
    if (value.used && text) *at++ = '"';
    const char* hole = at;
    std::string_view shown;
    text_.clear();
    switch (value.kind) {
      case ShapeValue::Kind::kText:
      case ShapeValue::Kind::kKeyed: {
        uint32_t size = 0;
        std::memcpy(&size, take(sizeof size), sizeof size);
        shown = {take(size), size};
        if (!value.used) break;
        if (value.kind == ShapeValue::Kind::kText) {
          good &= IsPlain(shown);
        } else {
          AppendKeyedDigest(&text_, decided.digest_key, shown);
          shown = text_;
        }
        break;
      }
      case ShapeValue::Kind::kTime: {
        Instant time;
        std::memcpy(&time, take(sizeof time), sizeof time);
        if (value.used && (check || time != decided.line_time)) {
          AppendInstant(&text_, time);
          shown = text_;
        }
        break;
      }
      case ShapeValue::Kind::kNumber: {
        int64_t number = 0;
        std::memcpy(&number, take(sizeof number), sizeof number);
        if (value.used) at = std::to_chars(at, at + 24, number).ptr;
        break;
      }
      case ShapeValue::Kind::kAmount:
        amounts[0] = amounts[1];
        amounts[1] = value.amount;
        std::memcpy(&amounts[1].i, take(sizeof amounts[1].i), sizeof amounts[1].i);
        if (value.used) AppendValue(&text_, amounts[1], program_->schema);
        shown = text_;
        break;
      case ShapeValue::Kind::kAfter: {
        if (!value.used) break;
        const Value after = AmountAfter(shape.charged, amounts[0], amounts[1]);
        good &= after.kind != ValueKind::kUnset;
        AppendValue(&text_, after, program_->schema);
        shown = text_;
        break;
      }
    }
    if (!value.used) continue;
    good &= shown.size() <= kMostText;
    if (!good) break;
    put(shown);
    if (check) said.emplace_back(hole, static_cast<size_t>(at - hole));
    if (text) *at++ = '"';
  }
  *at++ = ']';
  out->resize(good ? static_cast<size_t>(at - out->data()) : begin);
  if (!good || !check) return good;
  std::string again, whole;
  for (size_t i = 0; i < shape.holes.size(); ++i)
    again.append(shape.texts[i]).append(said[shape.holes[i]]);
  again.append(shape.texts.back()).append("}");
  decided.source->Render(nullptr, &whole);
  if (again == whole) return true;
  out->resize(begin);
  return false;
}

}  // namespace dpl
