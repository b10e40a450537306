// /v1/reservations: what a permit on a metered limit has reserved, until its caller says what was
// really used (closing rule 26: only that caller, once, before the deadline).
#include "runtime/base/decimal.h"
#include "server/operate/body_reader.h"
#include "server/operate/counter_text.h"
#include "server/operate/page.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

std::string_view StateWord(ReservationState state) {
  switch (state) {
    case ReservationState::kOpen:
      return "open";
    case ReservationState::kConfirmed:
      return "confirmed";
    case ReservationState::kCancelled:
      return "cancelled";
    case ReservationState::kSpent:
      break;
  }
  return "spent";
}

// Open past its deadline is spent, whether or not anything has been written since.
ReservationState StateAt(const ReservationRecord& r, Instant now) {
  return r.state == ReservationState::kOpen && r.deadline < now ? ReservationState::kSpent
                                                                : r.state;
}

void WriteReservation(Call& call, const ReservationRecord& r, JsonWriter* out) {
  out->BeginObject().Key("id").Uint(r.id);
  out->Member("state", StateWord(StateAt(r, call.now()))).Member("caller", r.caller);
  out->Member("opened", FormatInstant(r.opened)).Member("deadline", FormatInstant(r.deadline));
  out->Key("charges").BeginArray();
  for (const ReservationRecord::Charge& charge : r.charges) {
    const CounterText counter = ReadCounter(call.snapshot(), charge.counter);
    out->BeginObject().Member("counter", counter.identity).Key("keys").BeginObject();
    for (const auto& [name, value] : counter.keys) out->Member(name, value);
    out->EndObject().Member("quantity", counter.Write(charge.quantity));
    out->Key("returns").Bool(charge.returns).EndObject();
  }
  out->EndArray().EndObject();
}

bool SeesAll(const Call& call) { return call.caller().HasAny(Role::kOperate | Role::kAudit); }

// The reservation the path names, when this caller may see it; null after a problem. Another
// caller's is as unknown as one that never was.
std::optional<ReservationRecord> Find(Call& call, bool own_only) {
  Result<int64_t> id = ParseInt(call.Path(0));
  if (!id.ok() || *id < 1) {
    call.Problem(ProblemKind::kInvalidParameter, "a reservation's id is a number above zero");
    return std::nullopt;
  }
  std::optional<ReservationRecord> found = call.store().ReadReservation(static_cast<uint64_t>(*id));
  const bool own = found && found->caller == call.caller().caller.name;
  if (found && (own || (!own_only && SeesAll(call)))) return found;
  call.Problem(ProblemKind::kNotFound, "there is no such reservation of yours, or no more");
  return std::nullopt;
}

uint32_t AnyMoney(const Schema& schema) {
  for (uint32_t i = 0; i < schema.types.size(); ++i) {
    if (schema.types[i].kind == TypeKind::kMoney) return i;
  }
  return kNone;
}

// What was used, in the unit of what was reserved. False after a problem.
bool ReadActual(Call& call, BodyReader& body, const ReservationRecord& r,
                std::optional<int64_t>* out) {
  const WireValue* given = body.Any("actual");
  if (!body.Finish()) return false;
  if (given == nullptr) return true;
  // The unit is that of any counter which the policy in force knows; of money, its name tells.
  CounterText counter;
  bool returns = false;
  for (const ReservationRecord::Charge& c : r.charges) {
    if (!c.returns || counter.type != kNone) continue;
    counter = ReadCounter(call.snapshot(), c.counter);
    if (counter.type == kNone && !counter.currency.empty())
      counter.type = AnyMoney(*counter.schema);
    returns = true;
  }
  if (!returns) {
    body.Fail("actual", "must be left out: nothing of this reservation can come back");
    return false;
  }
  if (counter.type == kNone) {
    body.Fail("actual", "must be left out: the policy in force knows no such measure",
              ProblemKind::kNotAllowed);
    return false;
  }
  Result<Value> value = call.snapshot().TypeValue(*given, counter.type, call.arena());
  if (!value.ok()) {
    body.Fail("actual", "is not a quantity of what was reserved: " + value.error().message);
    return false;
  }
  if (value->i < 0) {
    body.Fail("actual", "must not be below zero");
    return false;
  }
  if (value->kind == ValueKind::kMoney && counter.Write(0) != [&] {
        std::string zero;
        AppendValue(&zero, Value::Int(ValueKind::kMoney, 0, value->n), *counter.schema);
        return zero;
      }()) {
    body.Fail("actual", "must be in " + counter.currency + ", as it was reserved");
    return false;
  }
  *out = value->i;
  return true;
}

void Answer(Call& call, uint64_t id) {
  std::optional<ReservationRecord> now = call.store().ReadReservation(id);
  if (!now) return call.Problem(ProblemKind::kNotFound, "there is no such reservation any more");
  JsonWriter& out = call.Answer();
  out.BeginObject().Key("epoch").Uint(call.store().Epoch()).Key("reservation");
  WriteReservation(call, *now, &out);
  out.EndObject();
}

void End(Call& call, const ReservationRecord& r, bool cancel, std::optional<int64_t> actual) {
  if (!call.MayGive()) return;
  const uint64_t id = r.id;
  const std::string number = std::to_string(id);
  const std::string_view caller = call.caller().caller.name;
  Status ended = cancel ? call.store().Cancel(id, caller, call.now())
                        : call.store().Confirm(id, caller, actual, call.now());
  // An overrun is refused and written all the same: the reservation is spent, the excess counted.
  const bool overrun = !ended.ok() && ended.error().code == "reservation.overrun";
  if (!ended.ok() && !overrun) return call.StoreProblem(ended.error());
  const std::string quantity = actual ? std::to_string(*actual) : std::string();
  if (!call.Changed({.event = cancel ? "reservation.cancel" : "reservation.confirm",
                     .failed = overrun ? ended.error().code : std::string_view(),
                     .fields = {{"reservation", number}, {"actual", quantity}}}))
    return;
  if (overrun) return call.StoreProblem(ended.error());
  Answer(call, id);
}

}  // namespace

void ListReservations(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> caller = call.Query("caller"), state = call.Query("state");
  if (state && *state != "open" && *state != "confirmed" && *state != "cancelled" &&
      *state != "spent") {
    return call.Problem(ProblemKind::kInvalidParameter,
                        "`state` must be open, confirmed, cancelled or spent");
  }
  const bool all = SeesAll(call);
  Page<ReservationRecord> page =
      call.store().ListReservations(query.ask(), [&](const ReservationRecord& r) {
        return (all || r.caller == call.caller().caller.name) && (!caller || r.caller == *caller) &&
               (!state || StateWord(StateAt(r, call.now())) == *state);
      });
  AnswerPage(call, page,
             [&](const ReservationRecord& r, JsonWriter* out) { WriteReservation(call, r, out); });
}

void GetReservation(Call& call) {
  std::optional<ReservationRecord> found = Find(call, false);
  if (found) WriteReservation(call, *found, &call.Answer());
}

void ConfirmReservation(Call& call) {
  std::optional<ReservationRecord> found = Find(call, true);
  if (!found) return;
  std::optional<int64_t> actual;
  // Of what is closed the store says so; its charges, and with them the unit, are gone.
  if (call.body() != nullptr && StateAt(*found, call.now()) == ReservationState::kOpen) {
    BodyReader body(call, *call.body());
    if (!ReadActual(call, body, *found, &actual)) return;
  }
  End(call, *found, false, actual);
}

void CancelReservation(Call& call) {
  std::optional<ReservationRecord> found = Find(call, true);
  if (!found) return;
  if (call.body() != nullptr && !BodyReader(call, *call.body()).Finish())
    return;  // it says nothing
  End(call, *found, true, std::nullopt);
}

}  // namespace dpl
