// See terms.h.
#include "runtime/audit/terms.h"

#include <charconv>

#include "runtime/base/text.h"
#include "runtime/json/json.h"
#include "runtime/json/wire_text.h"

namespace dpl {
namespace {

// The beginning of a record behind its version.
constexpr std::string_view kTerms = R"("kind":"terms",)";
constexpr std::string_view kSealed = R"("kind":"sealed",)";
constexpr std::string_view kDecision = R"("kind":"decision",)";
constexpr std::string_view kShaped = R"("kind":"decision","s":[)";

// Of a version that has terms, and of this kind.
bool Begins(std::string_view record, std::string_view kind) {
  return (record.starts_with(R"({"v":2,)") || record.starts_with(R"({"v":3,)")) &&
         record.substr(7).starts_with(kind);
}

const WireValue* Parse(std::string_view record, Arena* arena) {
  arena->Reset();
  JsonLimits limits = FileJsonLimits();
  limits.positions = false;
  limits.max_string = limits.max_bytes;  // what is sealed
  Result<const WireValue*> root = ParseJson(record, arena, limits);
  return root.ok() && (*root)->is_object() ? *root : nullptr;
}

template <class T>
bool NumberIn(const WireValue& value, T* number) {
  if (!value.is_number()) return false;
  const char* end = value.text.data() + value.text.size();
  auto [stop, error] = std::from_chars(value.text.data(), end, *number);
  return error == std::errc() && stop == end;
}

}  // namespace

// Writes records whole.
class AuditTermTable::Writer {
 public:
  Writer(const AuditTermTable& table, std::string* out) : table_(table), out_(out) {}

  // An object with its term spliced in where it stands.
  void Object(const WireValue& object, int depth) {
    out_->push_back('{');
    for (uint32_t i = 0; i < object.count; ++i) {
      const std::string_view name = object.members[i].name;
      const WireValue& value = object.members[i].value;
      const std::string* term = name == "t" ? Find(value) : nullptr;
      if (term != nullptr && term->empty()) continue;
      if (out_->back() != '{') out_->push_back(',');
      if (term != nullptr) {
        Append(*term);
        continue;
      }
      if (depth == 0 && name == "q" && !table_.sealed_.empty() && value.is_number()) {
        out_->append(R"("sealed":{"in":)").append(std::to_string(table_.sealed_seq_));
        out_->append(",\"at\":").append(value.text).append("}");
        continue;
      }
      AppendJsonString(out_, name);
      out_->push_back(':');
      // What the caller named stays as it is: parameters may have members of any name.
      if (depth == 0 && (name == "by" || name == "limits") && value.is_array()) {
        List(value);
      } else if (depth == 0 && (name == "what" || name == "break_glass") && value.is_object()) {
        Object(value, 1);
      } else {
        AppendWireText(out_, value);
      }
    }
    out_->push_back('}');
  }
  bool too_long() const { return too_long_; }

 private:
  void Append(std::string_view text) {
    too_long_ = too_long_ || out_->size() + text.size() > kMostWhole;
    if (!too_long_) out_->append(text);
  }
  const std::string* Find(const WireValue& value) {
    uint32_t number = 0;
    if (!NumberIn(value, &number)) return nullptr;
    auto found = table_.terms_.find(number);
    return found == table_.terms_.end() ? nullptr : &found->second;
  }
  void List(const WireValue& list) {
    out_->push_back('[');
    for (uint32_t i = 0; i < list.count; ++i) {
      if (i > 0) out_->push_back(',');
      const WireValue& item = list.items[i];
      if (const std::string* term = Find(item); term != nullptr) {
        out_->push_back('{');
        Append(*term);
        out_->push_back('}');
      } else if (item.is_object()) {
        Object(item, 1);
      } else {
        AppendWireText(out_, item);
      }
    }
    out_->push_back(']');
  }

  const AuditTermTable& table_;
  std::string* out_;
  bool too_long_ = false;
};

uint32_t AuditTerms::NumberOf(AuditTerm* term) {
  if (term->segment != segment_) {
    term->segment = segment_;
    term->number = next_++;
    made_.append(made_.empty() ? "[" : ",[").append(std::to_string(term->number)).append(",{");
    made_.append(term->members).append("}]");
  }
  return term->number;
}

uint32_t AuditTerms::PlaceOfShape(const std::vector<std::string>& texts,
                                  const std::vector<uint32_t>& holes) {
  made_shapes_.append(shapes_ == 0 ? "[" : ",[");
  for (size_t i = 0; i < texts.size(); ++i) {
    AppendJsonString(&made_shapes_, texts[i]);
    if (i < holes.size()) made_shapes_.append(",").append(std::to_string(holes[i])).append(",");
  }
  made_shapes_.append("]");
  return shapes_++;
}

void AuditTerms::TakeNew(std::string* out) {
  if (made_.empty() && made_shapes_.empty()) return;
  out->append(R"({"v":3,)").append(kTerms).append("\"terms\":[").append(made_);
  if (!made_shapes_.empty()) out->append("],\"shapes\":[").append(made_shapes_);
  out->append("]}");
  made_.clear();
  made_shapes_.clear();
  shapes_ = 0;
}

void AuditTermTable::Clear() {
  terms_.clear();
  shapes_.clear();
  sealed_.clear();
}

bool AuditTermTable::Learn(std::string_view record, uint64_t seq) {
  if (Begins(record, kSealed)) {
    sealed_ = record;
    sealed_seq_ = seq;
    return true;
  }
  if (!Begins(record, kTerms)) return false;
  const WireValue* root = Parse(record, &arena_);
  const WireValue* terms = root == nullptr ? nullptr : root->Find("terms");
  for (uint32_t i = 0; terms != nullptr && terms->is_array() && i < terms->count; ++i) {
    const WireValue& term = terms->items[i];
    uint32_t number = 0;
    if (!term.is_array() || term.count != 2 || !NumberIn(term.items[0], &number) ||
        !term.items[1].is_object())
      continue;
    std::string text;
    AppendWireText(&text, term.items[1]);
    terms_[number] = text.substr(1, text.size() - 2);
  }
  const WireValue* shapes = root == nullptr ? nullptr : root->Find("shapes");
  for (uint32_t i = 0; shapes != nullptr && shapes->is_array() && i < shapes->count; ++i) {
    const WireValue& parts = shapes->items[i];
    ShapeText made;
    bool good = parts.is_array() && parts.count % 2 == 1;  // a text, and then each time hole, text
    for (uint32_t part = 0; good && part < parts.count; ++part) {
      if (part % 2 == 0) {
        good = parts.items[part].is_string();
        if (good) made.texts.emplace_back(parts.items[part].text);
      } else {
        good = NumberIn(parts.items[part], &made.holes.emplace_back());
      }
    }
    if (!good) made = {};  // it keeps its place, and gives nothing
    shapes_[seq].push_back(std::move(made));
  }
  return true;
}

bool AuditTermTable::Shape(std::string_view record, Instant line_time, std::string* out,
                           std::optional<uint64_t>* shape_in) {
  if (!Begins(record, kShaped)) return false;
  const WireValue* root = Parse(record, &arena_);
  const WireValue* name = root == nullptr ? nullptr : root->Find("s");
  const WireValue* values = root == nullptr ? nullptr : root->Find("h");
  uint64_t seq = 0, place = 0;
  if (name == nullptr || !name->is_array() || name->count != 2 || !NumberIn(name->items[0], &seq) ||
      !NumberIn(name->items[1], &place) || values == nullptr || !values->is_array())
    return false;
  auto found = shapes_.find(seq);
  if (found == shapes_.end() || place >= found->second.size()) return false;
  const ShapeText& shape = found->second[place];
  if (shape.texts.empty()) return false;
  std::string whole;
  for (size_t i = 0; i < shape.texts.size(); ++i) {
    whole += shape.texts[i];
    if (whole.size() > kMostWhole) return false;
    if (i == shape.holes.size()) break;
    if (shape.holes[i] >= values->count) return false;
    const WireValue& value = values->items[shape.holes[i]];
    if (value.is_string() && value.text.empty()) {
      AppendInstant(&whole, line_time);
    } else if (value.is_number() || (value.is_string() && IsPlainJson(value.text))) {
      whole += value.text;
    } else {
      return false;  // no record of a shape says such a thing
    }
  }
  for (uint32_t i = 0; i < root->count; ++i) {
    const std::string_view member = root->members[i].name;
    if (member != "t" && member != "q") continue;
    whole.append(",\"").append(member).append("\":");
    AppendWireText(&whole, root->members[i].value);
  }
  whole += '}';
  *out = std::move(whole);
  if (shape_in != nullptr) *shape_in = seq;
  return true;
}

bool AuditTermTable::Expand(std::string_view record, Instant line_time, std::string* out,
                            std::optional<uint64_t>* shape) {
  if (!Begins(record, kDecision)) return false;
  if (Begins(record, kShaped)) {
    if (!Shape(record, line_time, &shaped_, shape)) return false;
    record = shaped_;
  }
  const WireValue* root = Parse(record, &arena_);
  if (root == nullptr) return false;
  out->clear();
  Writer writer(*this, out);
  writer.Object(*root, 0);
  return !writer.too_long() && out->size() <= kMostWhole;
}

}  // namespace dpl
