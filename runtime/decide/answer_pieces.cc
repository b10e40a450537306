// See answer_pieces.h.
#include "runtime/decide/answer_pieces.h"

#include "runtime/decide/render.h"

namespace dpl {
namespace {

// As what a statement usually stands in an answer; anything else is made when it is needed.
bool UsualPart(ClauseRole role, Part* part) {
  switch (role) {
    case ClauseRole::kGrantMay:
      *part = Part::kGrant;
      return true;
    case ClauseRole::kForbidCovers:
      *part = Part::kForbid;
      return true;
    case ClauseRole::kAgentMay:
      *part = Part::kCeiling;
      return true;
    case ClauseRole::kDelegationMay:
      *part = Part::kDelegation;
      return true;
    case ClauseRole::kTaskMay:
      *part = Part::kTask;
      return true;
    default:
      return false;
  }
}

}  // namespace

void WriteBy(JsonComposer* w, const Program& program, const By& by, std::string* text) {
  const Statement& s = program.statements[by.statement];
  auto composed = [&]() -> std::string_view { return *text; };
  w->BeginObject();
  w->Member("statement", program.Text(s.name));
  w->Member("as", PartName(by.part));
  text->clear();
  AppendSpan(text, program, s.span);
  if (!text->empty()) w->Member("span", composed());
  if (by.clause != kNone) {
    const Clause& clause = program.clauses[by.clause];
    text->clear();
    AppendSpan(text, program, clause.span);
    if (!text->empty()) w->Member("clause", composed());
    if (s.kind == StatementKind::kGrant && clause.row > 0) w->Key("row").Int(clause.row + 1);
  }
  if (by.match == Truth::kError) w->Member("match", "unknown");
  if (s.because != 0) w->Member("because", program.Text(s.because));
  text->clear();
  AppendOwner(text, program, s.owner);
  if (!text->empty()) w->Member("owner", composed());
  if (s.ticket != 0) w->Member("ticket", program.Text(s.ticket));
  if (s.doc != 0) w->Member("doc", program.Text(s.doc));
  Instant due;
  if (ReviewDue(s, &due)) w->Key("review_due").Time(due);
  w->EndObject();
}

void WritePolicy(JsonComposer* w, const Program& program) {
  static constexpr char kDigits[] = "0123456789abcdef";
  char hex[2 * 32];
  for (size_t i = 0; i < program.digest.size(); ++i) {
    hex[2 * i] = kDigits[program.digest[i] >> 4];
    hex[2 * i + 1] = kDigits[program.digest[i] & 15];
  }
  w->Key("policy").BeginString();
  w->Bytes("sha256:");
  w->Bytes({hex, sizeof hex});
  w->EndString();
}

void AnswerPieces::Fetch(std::span<const By> all) const {
  constexpr size_t kLarge = size_t{4} << 20, kLines = 6;  // what is smaller stays in the cache
  if (text_.size() < kLarge) return;
  for (const By& by : all) {
    if (by.clause == kNone) continue;
    __builtin_prefetch(&by_[by.clause]);
    __builtin_prefetch(&by_part_[by.clause]);
  }
  for (const By& by : all) {
    if (by.clause == kNone) continue;
    const char* piece = text_.data() + by_[by.clause];
    for (size_t line = 0; line < kLines; ++line) __builtin_prefetch(piece + line * 64);
  }
}

AnswerPieces::AnswerPieces(const Program& program) {
  std::string piece, text;
  auto begin = [&](std::vector<uint32_t>* ends) {
    ends->push_back(static_cast<uint32_t>(text_.size()));
  };
  auto keep = [&] {
    // Offsets have 32 bits: a policy of more than ten million grants makes the rest when it needs
    // it.
    if (text_.size() + piece.size() < UINT32_MAX) text_.append(piece);
    piece.clear();
  };
  for (const ResourceDef& type : program.schema.resources) {
    what_base_.push_back(static_cast<uint32_t>(what_.size()));
    for (const ActionDef& action : type.actions) {
      begin(&what_);
      JsonComposer w(&piece);
      w.Member("action", program.Text(action.name)).Member("type", program.Text(type.name));
      w.Finish();
      keep();
    }
  }
  begin(&what_);
  for (uint32_t statement : program.agent_statements) {
    begin(&agents_);
    JsonComposer w(&piece);
    w.Member("agent", program.Text(program.statements[statement].name));
    w.Finish();
    keep();
  }
  begin(&agents_);
  by_.reserve(program.clauses.size() + 1);
  by_part_.reserve(program.clauses.size());
  for (uint32_t i = 0; i < program.clauses.size(); ++i) {
    begin(&by_);
    Part part = Part::kGrant;
    if (UsualPart(program.clauses[i].role, &part)) {
      JsonComposer w(&piece);
      WriteBy(&w, program, {part, program.clauses[i].statement, i, Truth::kTrue}, &text);
      w.Finish();
      keep();
    }
    by_part_.push_back(part);
  }
  begin(&by_);
  text_.shrink_to_fit();
  JsonComposer w(&policy_);
  WritePolicy(&w, program);
  w.Finish();
}

}  // namespace dpl
