// Fuzzes the JSON reader: any bytes give a tree or a named refusal, and a tree written out and read
// again is the same tree.
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/text.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "tests/reference/reference_json.h"

namespace dpl {
namespace {

void Write(const WireValue& value, JsonWriter* writer) {
  switch (value.kind) {
    case WireValue::Kind::kNull:
      writer->Null();
      break;
    case WireValue::Kind::kBool:
      writer->Bool(value.boolean);
      break;
    case WireValue::Kind::kNumber:
      writer->Raw(value.text);
      break;
    case WireValue::Kind::kString:
      DPL_CHECK(IsValidUtf8(value.text));
      writer->String(value.text);
      break;
    case WireValue::Kind::kArray:
      writer->BeginArray();
      for (uint32_t i = 0; i < value.count; ++i) Write(value.items[i], writer);
      writer->EndArray();
      break;
    case WireValue::Kind::kObject:
      writer->BeginObject();
      for (uint32_t i = 0; i < value.count; ++i) {
        DPL_CHECK(IsValidUtf8(value.members[i].name));
        DPL_CHECK(value.Find(value.members[i].name) == &value.members[i].value);
        writer->Key(value.members[i].name);
        Write(value.members[i].value, writer);
      }
      writer->EndObject();
      break;
  }
}

std::string Written(const WireValue& value) {
  std::string out;
  JsonWriter writer(&out);
  Write(value, &writer);
  return out;
}

void Run(std::string_view text) {
  const std::string differs = WhereReadersDiffer(text);  // from the reference
  DPL_CHECK(differs.empty());
  Arena arena(16 << 20);
  Result<const WireValue*> root = ParseJson(text, &arena);
  if (!root.ok()) {
    const Error& error = root.error();
    DPL_CHECK(error.code.starts_with("json.") && !error.message.empty());
    DPL_CHECK(error.line > 0 && error.column > 0);
    return;
  }
  std::string once = Written(**root);
  JsonLimits roomy;  // escapes may be longer than what they stand for
  roomy.max_bytes = 16 * text.size() + 64;
  Arena second;
  Result<const WireValue*> again = ParseJson(once, &second, roomy);
  DPL_CHECK(again.ok());
  DPL_CHECK(Written(**again) == once);
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
