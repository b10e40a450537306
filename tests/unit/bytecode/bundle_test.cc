// Bundles: there and back, and what is refused before any proof.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/encode.h"
#include "runtime/bytecode/fields.h"
#include "runtime/bytecode/verify.h"
#include "tests/unit/bytecode/sample.h"

namespace dpl {
namespace {

TEST(Bundle, SampleIsValid) {
  Status status = VerifyProgram(SampleProgram());
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(Bundle, ReadsBackWhatWasWritten) {
  Program program = SampleProgram();
  std::string bytes = EncodeBundle(program);
  Result<Program> back = DecodeBundle(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(EncodeBundle(*back), bytes);
  EXPECT_EQ(Disassemble(*back), Disassemble(program));
  EXPECT_EQ(back->digest, program.digest);
  EXPECT_EQ(back->schema.strings, program.schema.strings);
  EXPECT_EQ(back->constants, program.constants);
  EXPECT_EQ(back->code, program.code);
  EXPECT_EQ(back->agent_statements, program.agent_statements);
  EXPECT_EQ(back->index_base, program.index_base);
  ASSERT_EQ(back->index.size(), program.index.size());
  for (size_t i = 0; i < program.index.size(); ++i) {
    EXPECT_EQ(back->index[i].items, program.index[i].items);
    EXPECT_EQ(back->index[i].cost, program.index[i].cost);
  }
  EXPECT_EQ(back->schema.zones[1].version, "2025b");
}

// Every field list is used: a program in which each number differs comes back with each number, or
// it would not encode to the same bytes. What a list forgot would be lost here.
TEST(Bundle, ForgetsNoField) {
  Program a = SampleProgram();
  auto differs = [&](auto change) {
    Program b = a;
    change(b);
    EXPECT_NE(EncodeBundle(a), EncodeBundle(b)) << __LINE__;
  };
  differs([](Program& p) { p.clauses[0].reach = 7; });
  differs([](Program& p) { p.clauses[1].row = 9; });
  differs([](Program& p) { p.limits[0].identity = 0; });
  differs([](Program& p) { p.statements[0].imported = true; });
  differs([](Program& p) { p.statements[0].trusting_request = true; });
  differs([](Program& p) { p.statements[0].expires_us = 5; });
  differs([](Program& p) { p.schema.resources[0].parent_from_request = true; });
  differs([](Program& p) { p.schema.resources[0].owner_written = true; });
  differs([](Program& p) { p.schema.person.attributes[0].from_request = true; });
  differs([](Program& p) { p.delegations[0].onward_span.line = 3; });
  differs([](Program& p) { p.approvals[0].good_for = 3; });
  differs([](Program& p) { p.separates[0].within_us = 3; });
  differs([](Program& p) { p.obligations[0].asks.clear(); });
  differs([](Program& p) { p.obligations[0].duties[0].text = 1; });
  differs([](Program& p) { p.obligations[0].duties[3].fields[0] = 1; });
  differs([](Program& p) { p.obligations[0].duties[4].who = {.team = 1}; });
  differs([](Program& p) { p.obligations[0].duties[1].span.line = 3; });
  differs([](Program& p) { p.break_glasses[0].lifts.clear(); });
  differs([](Program& p) { p.break_glasses[0].agents = false; });
  differs([](Program& p) { p.break_glasses[0].needs = kNeedReason; });
  differs([](Program& p) { p.break_glasses[0].lasts_us = 3; });
  differs([](Program& p) { p.break_glasses[0].notify.clear(); });
  differs([](Program& p) { p.break_glasses[0].review_within_us = 3; });
  differs([](Program& p) { p.break_glasses[0].review_by = {.team = 1}; });
  differs([](Program& p) { p.partners[0].issuer = 1; });
  differs([](Program& p) { p.partners[0].accepts_agents = false; });
  differs([](Program& p) { p.partners[0].max_hops = 1; });
  differs([](Program& p) { p.delegations[0].to_code = 1; });
  differs([](Program& p) { p.delegations[0].to_text = 1; });
  differs([](Program& p) { p.separates[0].role_a = 1; });
  differs([](Program& p) { p.separates[0].role_b = 1; });
  differs([](Program& p) { p.sources[0].text += "\n"; });
  differs([](Program& p) { p.codes[0].span.end_column = 99; });
}

TEST(Bundle, EqualProgramsGiveEqualBytes) {
  EXPECT_EQ(EncodeBundle(SampleProgram()), EncodeBundle(SampleProgram()));
}

TEST(Bundle, RefusesWhatIsNoBundle) {
  auto code = [](std::string_view bytes) {
    Result<Program> program = DecodeBundle(bytes);
    return program.ok() ? std::string("accepted") : program.error().code;
  };
  std::string good = EncodeBundle(SampleProgram());
  EXPECT_EQ(code(""), "bundle.magic");
  EXPECT_EQ(code("PK\x03\x04"), "bundle.magic");
  EXPECT_EQ(code("DPLB"), "bundle.size");
  std::string other = good;
  other[4] = 99;
  EXPECT_EQ(code(other), "bundle.version");
  other = good;
  other[8] = 1;
  EXPECT_EQ(code(other), "bundle.header");
  other = good;
  other[12] = 6;
  EXPECT_EQ(code(other), "bundle.header");
  other = good + "x";
  EXPECT_EQ(code(other), "bundle.digest");
  RepairDigestForTest(&other);
  EXPECT_EQ(code(other), "bundle.size");
  other = good;
  other[20] = static_cast<char>(other[20] + 1);
  EXPECT_EQ(code(other), "bundle.digest");
}

TEST(Bundle, AHostileCountAllocatesNothing) {
  // The first count of the schema section says four billion strings.
  std::string bytes = EncodeBundle(SampleProgram());
  bytes.replace(fields::kBodyAt, 5, "\xff\xff\xff\xff\x0f");
  RepairDigestForTest(&bytes);
  Result<Program> program = DecodeBundle(bytes);
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, "bundle.content");
}

// The fuzzer of the loader starts from this program. DPL_UPDATE_GOLDEN=1 writes it anew.
TEST(Bundle, SeedOfTheFuzzerIsCurrent) {
  const std::string path = DPL_SOURCE_DIR "/tests/fuzz/corpus/bundle/sample";
  std::string bytes = EncodeBundle(SampleProgram());
  if (std::getenv("DPL_UPDATE_GOLDEN") != nullptr && std::getenv("CI") == nullptr) {
    std::filesystem::create_directories(DPL_SOURCE_DIR "/tests/fuzz/corpus/bundle");
    std::ofstream(path, std::ios::binary) << bytes;
  }
  std::stringstream seed;
  seed << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_TRUE(seed.str() == bytes) << "run with DPL_UPDATE_GOLDEN=1";
}

TEST(Bundle, ListingShowsCodeWithNames) {
  std::string listing = Disassemble(SampleProgram());
  EXPECT_NE(listing.find("grant acme.docs.readers"), std::string::npos);
  EXPECT_NE(listing.find("SubjTeam 0"), std::string::npos);
  EXPECT_NE(listing.find("; team acme.docs.marketing"), std::string::npos);
  EXPECT_NE(listing.find("; docs.Document class"), std::string::npos);
  EXPECT_NE(listing.find("policies/docs.dpl:1:"), std::string::npos);
  EXPECT_NE(
      listing.find("  must step_up \"urn:loa:3\"\n  must sign meaning \"approval\"\n  must log\n"
                   "  must mask class\n  must notify team acme.docs.marketing\n"
                   "  must ask acme.docs.lead_ok\n"),
      std::string::npos)
      << listing;
  EXPECT_NE(
      listing.find("  lifts acme.docs.never\n  needs reason ticket\n  lasts 1d, agents too\n"
                   "  notify person \"E1\"\n  review within 2d by team acme.docs.marketing\n"),
      std::string::npos)
      << listing;
}

}  // namespace
}  // namespace dpl
