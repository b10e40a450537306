// Names of the kinds of wire values.
#include "runtime/base/wire.h"

namespace dpl {

std::string_view WireKindName(WireValue::Kind kind) {
  switch (kind) {
    case WireValue::Kind::kNull:
      return "null";
    case WireValue::Kind::kBool:
      return "bool";
    case WireValue::Kind::kNumber:
      return "number";
    case WireValue::Kind::kString:
      return "string";
    case WireValue::Kind::kArray:
      return "array";
    case WireValue::Kind::kObject:
      return "object";
  }
  return "";
}

}  // namespace dpl
