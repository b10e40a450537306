// /v1/openings: emergency doors that were opened, and their review by whom the policy names.
#include "runtime/base/sha256.h"
#include "server/operate/body_reader.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/person.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

// An opening is known by its door, person and words; its id is made of them.
std::string IdOf(const OpeningRecord& o) {
  std::string all;
  for (const std::string* part : {&o.break_glass, &o.person, &o.reason, &o.ticket})
    all.append(std::to_string(part->size())).append(":").append(*part);
  return "bg_" + Hex(Sha256(all)).substr(0, 32);
}

const BreakGlass* DoorOf(const Call& call, std::string_view name) {
  uint32_t statement = call.snapshot().FindStatement(name);
  if (statement == kNone) return nullptr;
  const Statement& s = call.program().statements[statement];
  return s.kind == StatementKind::kBreakGlass ? &call.program().break_glasses[s.detail] : nullptr;
}

// A review covers the uses before it.
bool Reviewed(const OpeningRecord& o) {
  return !o.reviewed_by.empty() && o.last_used <= o.reviewed_at;
}

std::string_view StateOf(const OpeningRecord& o, Instant now) {
  if (Reviewed(o)) return "reviewed";
  return o.review_due < now ? "overdue" : "due";
}

std::string OwnerText(const Program& program, const OwnerDef& owner) {
  if (owner.person != kNone) return "person " + program.constants[owner.person].text;
  if (owner.team != kNone)
    return "team " + std::string(program.Text(program.schema.teams[owner.team].name));
  return {};
}

void WriteOpening(const Call& call, const OpeningRecord& o, JsonWriter* out) {
  const BreakGlass* door = DoorOf(call, o.break_glass);
  out->BeginObject().Member("id", IdOf(o)).Member("state", StateOf(o, call.now()));
  out->Member("break_glass", o.break_glass).Member("person", o.person);
  if (!o.reason.empty()) out->Member("reason", o.reason);
  if (!o.ticket.empty()) out->Member("ticket", o.ticket);
  out->Member("opened_at", FormatInstant(o.opened));
  if (door != nullptr) {
    Instant until = Add(o.opened, Duration{door->lasts_us}).value_or(kMaxInstant);
    out->Member("until", FormatInstant(until));
    out->Member("review_by", OwnerText(call.program(), door->review_by));
  }
  out->Member("last_used_at", FormatInstant(o.last_used)).Key("uses").Uint(o.uses);
  out->Member("review_due", FormatInstant(o.review_due));
  if (!o.reviewed_by.empty()) {
    out->Key("review").BeginObject().Member("person", o.reviewed_by);
    out->Member("at", FormatInstant(o.reviewed_at)).Member("note", o.review_note).EndObject();
  }
  out->EndObject();
}

std::optional<OpeningRecord> Find(Call& call) {
  for (const OpeningRecord& o : call.store().Openings()) {
    if (IdOf(o) == call.Path(0)) return o;
  }
  call.Problem(ProblemKind::kNotFound, "there is no such opening");
  return std::nullopt;
}

}  // namespace

void ListOpenings(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> person = call.Query("person"), state = call.Query("state"),
                                  door = call.Query("break_glass");
  if (state && *state != "due" && *state != "overdue" && *state != "reviewed") {
    return call.Problem(ProblemKind::kInvalidParameter, "`state` must be due, overdue or reviewed");
  }
  std::string full;
  if (door) full = FindStatementName(call.snapshot(), StatementKind::kBreakGlass, *door).full;
  Page<OpeningRecord> page = call.store().ListOpenings(query.ask(), [&](const OpeningRecord& o) {
    return (!person || o.person == *person) && (!door || o.break_glass == full) &&
           (!state || StateOf(o, call.now()) == *state);
  });
  AnswerPage(call, page,
             [&](const OpeningRecord& o, JsonWriter* out) { WriteOpening(call, o, out); });
}

void GetOpening(Call& call) {
  std::optional<OpeningRecord> found = Find(call);
  if (!found) return;
  call.WaitForState();
  WriteOpening(call, *found, &call.Answer());
}

void ReviewOpening(Call& call) {
  BodyReader body(call, *call.body());
  std::string_view note = body.Text("note", Need::kRequired, 1024);
  const std::string person = ActingPerson(call, &body, "person");
  if (!body.Finish()) return;
  std::optional<OpeningRecord> found = Find(call);
  if (!found) return;
  if (person == found->person) {
    return body.Fail("person", "opened it: nobody reviews what they opened",
                     ProblemKind::kNotApprover);
  }
  const BreakGlass* door = DoorOf(call, found->break_glass);
  // A door that the policy no longer has cannot say who reviews it; whoever owns the package can
  // bring it back.
  if (door == nullptr)
    return call.Problem(ProblemKind::kNotAllowed, "the policy in force has no such break_glass");
  if (!Speaks(call.snapshot(), person, door->review_by, call.now())) {
    return body.Fail(
        "person",
        "may not review it: the policy says " + OwnerText(call.program(), door->review_by),
        ProblemKind::kNotApprover);
  }
  if (!call.MayChange()) return;
  Signature review;
  review.person = person;
  review.at = std::max(call.now(), found->last_used);
  review.note = note;
  Status done = call.store().ReviewOpening(found->break_glass, found->person, found->reason,
                                           found->ticket, review);
  if (!done.ok()) return call.StoreProblem(done.error());
  if (!call.Changed({.event = "opening.review",
                     .person = person,
                     .because = note,
                     .fields = {{"opening", call.Path(0)},
                                {"break_glass", found->break_glass},
                                {"opened_by", found->person}}}))
    return;
  if (std::optional<OpeningRecord> now = Find(call)) WriteOpening(call, *now, &call.Answer());
}

}  // namespace dpl
