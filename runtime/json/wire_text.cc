// See wire_text.h. Without recursion: a stack of the containers that are open.
#include "runtime/json/wire_text.h"

#include "runtime/base/text.h"

namespace dpl {
namespace {

constexpr int kMaxDepth = 64;

struct Open {
  const WireValue* container = nullptr;
  uint32_t next = 0;
};

// Appends a value that holds no others, or the bracket that opens it; true when it was opened.
bool Begin(std::string* out, const WireValue& value) {
  switch (value.kind) {
    case WireValue::Kind::kNull:
      out->append("null");
      return false;
    case WireValue::Kind::kBool:
      out->append(value.boolean ? "true" : "false");
      return false;
    case WireValue::Kind::kNumber:
      out->append(value.text);
      return false;
    case WireValue::Kind::kString:
      AppendJsonString(out, value.text);
      return false;
    case WireValue::Kind::kArray:
      out->push_back('[');
      return true;
    case WireValue::Kind::kObject:
      out->push_back('{');
      return true;
  }
  return false;
}

}  // namespace

void AppendWireText(std::string* out, const WireValue& value) {
  Open stack[kMaxDepth];
  int depth = 0;
  if (!Begin(out, value)) return;
  stack[depth++] = {&value, 0};
  while (depth > 0) {
    Open& open = stack[depth - 1];
    const WireValue& container = *open.container;
    if (open.next == container.count) {
      out->push_back(container.is_array() ? ']' : '}');
      --depth;
      continue;
    }
    if (open.next > 0) out->push_back(',');
    const WireValue* child;
    if (container.is_array()) {
      child = &container.items[open.next];
    } else {
      const WireMember& member = container.members[open.next];
      AppendJsonString(out, member.name);
      out->push_back(':');
      child = &member.value;
    }
    ++open.next;
    if (depth == kMaxDepth && (child->is_array() || child->is_object())) {
      out->append("null");
    } else if (Begin(out, *child)) {
      stack[depth++] = {child, 0};
    }
  }
}

}  // namespace dpl
