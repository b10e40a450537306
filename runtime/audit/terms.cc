// See terms.h.
#include "runtime/audit/terms.h"

#include <charconv>

#include "runtime/base/text.h"
#include "runtime/json/json.h"
#include "runtime/json/wire_text.h"

namespace dpl {
namespace {

constexpr std::string_view kTerms = R"({"v":2,"kind":"terms",)";
constexpr std::string_view kDecision = R"({"v":2,"kind":"decision",)";

const WireValue* Parse(std::string_view record, Arena* arena) {
  arena->Reset();
  JsonLimits limits = FileJsonLimits();
  limits.positions = false;
  Result<const WireValue*> root = ParseJson(record, arena, limits);
  return root.ok() && (*root)->is_object() ? *root : nullptr;
}

bool NumberIn(const WireValue& value, uint32_t* number) {
  if (!value.is_number()) return false;
  const char* end = value.text.data() + value.text.size();
  auto [stop, error] = std::from_chars(value.text.data(), end, *number);
  return error == std::errc() && stop == end;
}

using Terms = std::unordered_map<uint32_t, std::string>;

const std::string* Find(const Terms& terms, const WireValue& value) {
  uint32_t number = 0;
  if (!NumberIn(value, &number)) return nullptr;
  auto found = terms.find(number);
  return found == terms.end() ? nullptr : &found->second;
}

// An object with its term spliced in where it stands.
void AppendObject(std::string* out, const Terms& terms, const WireValue& object, int depth);

void AppendList(std::string* out, const Terms& terms, const WireValue& list) {
  out->push_back('[');
  for (uint32_t i = 0; i < list.count; ++i) {
    if (i > 0) out->push_back(',');
    const WireValue& item = list.items[i];
    if (const std::string* term = Find(terms, item); term != nullptr) {
      out->append("{").append(*term).append("}");
    } else if (item.is_object()) {
      AppendObject(out, terms, item, 1);
    } else {
      AppendWireText(out, item);
    }
  }
  out->push_back(']');
}

void AppendObject(std::string* out, const Terms& terms, const WireValue& object, int depth) {
  out->push_back('{');
  for (uint32_t i = 0; i < object.count; ++i) {
    const std::string_view name = object.members[i].name;
    const WireValue& value = object.members[i].value;
    if (out->back() != '{') out->push_back(',');
    if (const std::string* term = name == "t" ? Find(terms, value) : nullptr; term != nullptr) {
      out->append(*term);
      continue;
    }
    AppendJsonString(out, name);
    out->push_back(':');
    // What the caller named stays as it is: parameters may have members of any name.
    if (depth == 0 && (name == "by" || name == "limits") && value.is_array()) {
      AppendList(out, terms, value);
    } else if (depth == 0 && (name == "what" || name == "break_glass") && value.is_object()) {
      AppendObject(out, terms, value, 1);
    } else {
      AppendWireText(out, value);
    }
  }
  out->push_back('}');
}

}  // namespace

uint32_t AuditTerms::NumberOf(AuditTerm* term) {
  if (term->segment != segment_) {
    term->segment = segment_;
    term->number = next_++;
    made_.append(made_.empty() ? "[" : ",[").append(std::to_string(term->number)).append(",{");
    made_.append(term->members).append("}]");
  }
  return term->number;
}

void AuditTerms::TakeNew(std::string* out) {
  if (made_.empty()) return;
  out->append(kTerms).append("\"terms\":[").append(made_).append("]}");
  made_.clear();
}

bool AuditTermTable::Learn(std::string_view record) {
  if (!record.starts_with(kTerms)) return false;
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
  return true;
}

bool AuditTermTable::Expand(std::string_view record, std::string* out) {
  if (!record.starts_with(kDecision)) return false;
  const WireValue* root = Parse(record, &arena_);
  if (root == nullptr) return false;
  out->clear();
  AppendObject(out, terms_, *root, 0);
  return true;
}

}  // namespace dpl
