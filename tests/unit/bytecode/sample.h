// A small program with one of everything, made by hand: what the tests of this room bend and break.
#pragma once

#include <string_view>

#include "runtime/bytecode/program.h"

namespace dpl {

// Two resource types (docs.Document within docs.Folder, docs.File keyed by path), one statement of
// every kind, and code that uses most opcodes. Verified, indexed, digest set.
Program SampleProgram();

// Names in the sample.
struct Sample {
  // schema.resources
  static constexpr uint32_t kDocument = 0, kFile = 1, kFolder = 2;
  // schema.types
  static constexpr uint32_t kBool = 0, kInt = 1, kMoney = 2, kString = 3, kClass = 4,
                            kOptionalClass = 5, kPerson = 6, kPersons = 7, kFolderType = 8,
                            kLabels = 9, kRecord = 10, kIp = 11, kDateTime = 12, kDecimal = 13,
                            kTeam = 14, kRole = 15, kPath = 16;
  // constants
  static constexpr uint32_t kPersonE1 = 0, kFolderA = 1, kConfidential = 2, kFiveThousand = 3,
                            kText = 4, kPatternLike = 5, kPatternMatches = 6, kNumber = 7,
                            kTrue = 8, kFalse = 9, kPathSrv = 10, kDocumentD = 11, kSetOfText = 12,
                            kAgentA = 13;
};

Str AddString(Program* program, std::string_view text);
// Appends code in the listing form of assemble.h with roomy bounds; the words must assemble.
uint32_t AddCode(Program* program, std::string_view listing);
// Replaces what `code` holds, moving the codes behind it.
void ReplaceCode(Program* program, uint32_t code, std::string_view listing);

}  // namespace dpl
