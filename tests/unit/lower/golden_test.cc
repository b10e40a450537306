// Policies in tests/golden/bytecode and their listings: NAME.dpl beside NAME.lst.
// DPL_UPDATE_GOLDEN=1 writes the listings anew (refused where CI is set); read what changed as if
// it were code.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/encode.h"
#include "tests/unit/lower/compile.h"

namespace dpl {
namespace {

namespace fs = std::filesystem;

std::string ReadText(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(DPL_SOURCE_DIR "/tests/golden/bytecode")) {
    if (entry.path().extension() == ".dpl") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class GoldenListing : public testing::TestWithParam<std::string> {};

TEST_P(GoldenListing, IsAsExpected) {
  std::string name = "tests/golden/bytecode/" + GetParam();
  fs::path base = fs::path(DPL_SOURCE_DIR) / name;
  Program program = Compile({{name + ".dpl", ReadText(base.string() + ".dpl")}});
  std::string listing = Disassemble(program);
  std::string bytes = EncodeBundle(program);
  Result<Program> back = DecodeBundle(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(Disassemble(*back), listing);
  EXPECT_EQ(back->digest, program.digest);
  // The same sources give the same bytes.
  EXPECT_EQ(EncodeBundle(Compile({{name + ".dpl", ReadText(base.string() + ".dpl")}})), bytes);

  fs::path golden = base.string() + ".lst";
  if (std::getenv("DPL_UPDATE_GOLDEN") != nullptr && std::getenv("CI") == nullptr) {
    std::ofstream(golden) << listing;
  } else {
    EXPECT_EQ(ReadText(golden), listing) << "run with DPL_UPDATE_GOLDEN=1 and read what it changed";
  }
}

INSTANTIATE_TEST_SUITE_P(Lower, GoldenListing, testing::ValuesIn(Names()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace dpl
