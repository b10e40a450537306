// docs/bytecode.md holds the tables of opcodes and builtins as the lists say them.
// DPL_UPDATE_GOLDEN=1 writes them anew.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/bytecode/builtin.h"
#include "runtime/bytecode/opcode.h"

namespace dpl {
namespace {

constexpr char kPage[] = DPL_SOURCE_DIR "/docs/bytecode.md";

std::string Cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string OpcodeTable() {
  std::string out =
      "| opcode | operands | pops | pushes | cost | what it does |\n|---|---|---|---|---|---|\n";
  for (int i = 0; i < kOpcodeCount; ++i) {
    const OpcodeInfo& info = InfoOf(static_cast<Opcode>(i));
    std::string operands;
    for (int k = 0; k < info.operand_count; ++k) {
      if (k != 0) operands += ", ";
      operands += OperandKindName(info.operands[static_cast<size_t>(k)]);
    }
    std::string pops = info.pops < 0 ? "count" : std::to_string(info.pops);
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", info.name, operands, pops,
                       info.pushes, info.cost, Cell(info.meaning));
  }
  return out;
}

std::string BuiltinTable() {
  std::string out = "| function | signature | cost | what it gives |\n|---|---|---|---|\n";
  for (int i = 0; i < kBuiltinCount; ++i) {
    const BuiltinInfo& info = InfoOf(static_cast<Builtin>(i));
    out += fmt::format("| `{}` | `{}` | {} | {} |\n", info.name, info.signature, info.cost,
                       Cell(info.meaning));
  }
  return out;
}

// The page with the text between `<!-- name: … -->` and `<!-- end -->` replaced.
std::string With(const std::string& page, const std::string& name, const std::string& table) {
  size_t begin = page.find("<!-- " + name + ":");
  EXPECT_NE(begin, std::string::npos) << name;
  begin = page.find('\n', begin) + 1;
  size_t end = page.find("<!-- end -->", begin);
  EXPECT_NE(end, std::string::npos) << name;
  return page.substr(0, begin) + table + page.substr(end);
}

TEST(Docs, TablesAreThoseOfTheLists) {
  std::stringstream page;
  page << std::ifstream(kPage).rdbuf();
  std::string expected =
      With(With(page.str(), "opcodes", OpcodeTable()), "builtins", BuiltinTable());
  bool update = std::getenv("DPL_UPDATE_GOLDEN") != nullptr && std::getenv("CI") == nullptr;
  if (update)
    std::ofstream(kPage) << expected;
  else
    EXPECT_EQ(page.str(), expected)
        << "run the test with DPL_UPDATE_GOLDEN=1 and read what it changed";
}

}  // namespace
}  // namespace dpl
