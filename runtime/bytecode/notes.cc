// See notes.h.
#include "runtime/bytecode/notes.h"

#include <atomic>
#include <optional>

#include "runtime/bytecode/opcode.h"
#include "runtime/bytecode/program.h"

namespace dpl {
namespace {

bool ReadsNow(const Program& program, const Code& code) {
  for (uint32_t at = code.offset; at < code.offset + code.size;) {
    std::optional<Opcode> op = OpcodeOfWord(program.code[at]);
    if (!op) return true;
    switch (*op) {
      case Opcode::kLoadNow:
      case Opcode::kNowDate:
      case Opcode::kNowTime:
      case Opcode::kNowWeekday:
        return true;
      default:
        break;
    }
    at += InfoOf(*op).words();
  }
  return false;
}

SubjectTest TestOf(const Program& program, const Code& code) {
  const uint32_t* words = program.code.data() + code.offset;
  if (code.size < 2 || words[code.size - 1] != static_cast<uint32_t>(Opcode::kReturn)) return {};
  const std::optional<Opcode> op = OpcodeOfWord(words[0]);
  if (!op || InfoOf(*op).words() + 1 != code.size) return {};
  switch (*op) {
    case Opcode::kSubjPerson:
    case Opcode::kSubjTeam:
    case Opcode::kSubjRole:
    case Opcode::kSubjEveryone:
    case Opcode::kSubjAgentRoot:
    case Opcode::kSubjAgentHop:
      return {InfoOf(*op).operand_count == 0 ? 0 : words[1],
              static_cast<uint16_t>(InfoOf(*op).cost + InfoOf(Opcode::kReturn).cost),
              static_cast<uint8_t>(*op)};
    default:
      return {};
  }
}

}  // namespace

ProgramNotes NotesOf(const Program& program) {
  static std::atomic<uint64_t> serials{0};
  ProgramNotes notes;
  notes.serial = serials.fetch_add(1) + 1;
  notes.is_limited.assign(program.schema.strings.size(), 0);
  for (const Limit& limit : program.limits) {
    if (!limit.requests) notes.is_limited[limit.measure] = 1;
  }
  notes.tests.reserve(program.codes.size());
  notes.reads_now.reserve(program.codes.size());
  for (const Code& code : program.codes) {
    notes.tests.push_back(TestOf(program, code));
    notes.reads_now.push_back(ReadsNow(program, code) ? 1 : 0);
  }
  notes.clauses.reserve(program.clauses.size());
  notes.metes.assign(program.index.size(), 0);
  for (const Clause& clause : program.clauses) {
    const Statement& statement = program.statements[clause.statement];
    const bool lends = statement.kind == StatementKind::kDelegation;
    notes.clauses.push_back(
        {clause.statement, lends ? statement.detail : kNone, clause.subject_code, clause.scope_code,
         clause.where_code,
         clause.subject_code == kNone ? SubjectTest() : notes.tests[clause.subject_code]});
    if (statement.limits.empty() && clause.ask_approval == kNone) continue;
    for (uint32_t action : clause.actions)
      notes.metes[program.index_base[clause.type] + action] = 1;
  }
  for (uint32_t i = 0; i < program.constants.size(); ++i) {
    const Constant& constant = program.constants[i];
    if (constant.kind == Constant::Kind::kPattern && constant.extra == 1)
      notes.patterns.push_back(i);
  }
  return notes;
}

}  // namespace dpl
