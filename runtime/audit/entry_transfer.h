// What an entry of a lane holds of a decision (decision_entry.h): one list for who writes it, reads
// it and makes shapes of it. Only runtime/audit sees this header.
//
// An Io takes each thing. Fixed is part of what makes two decisions alike, and so is a Name; Text,
// Time, Number and Amount differ between them, but whether there is one is of the fixed part as
// well. Keyed is a text of which a record may say the keyed digest alone, After the amount behind
// a decision.
#pragma once

#include <array>
#include <cstring>
#include <type_traits>

#include "runtime/audit/question.h"
#include "runtime/audit/record.h"

namespace dpl {

// The people that an entry names: the person, who acts for them, and those in the chain.
using EntryPeople = std::array<Entity, kMaxHops + 3>;

// What is kept for a replay; first, so that it is found without the rest.
template <class Io, class Item>
void TransferItem(Io& io, bool* sealed, Item* item) {
  io.Fixed(*sealed);
  if (!*sealed) return;
  auto& q = item->question;
  io.Fixed(q.clock_suspect);
  io.Text(item->id);
  io.Sum(item->sum);
  io.Text(q.charge_key), io.Text(q.body), io.Text(q.endpoint), io.Text(q.witness);
}

// Everything that RecordWriter looks at. `c`: all but what is in force and the place of what is
// sealed.
template <class Io, class R, class D, class Name, class Flag, class C>
void TransferRecord(Io& io, R& r, D& d, Name& caller, Flag& request_id_keys, C& c, Entity* people) {
  io.Fixed(d.outcome), io.Fixed(d.reason), io.Fixed(d.dry_run), io.Fixed(d.replayed);
  io.Fixed(d.mode), io.Fixed(d.partner), io.Fixed(d.account_system), io.Fixed(d.accountable);
  io.Fixed(d.type), io.Fixed(d.action);
  io.Name(caller), io.Fixed(request_id_keys);
  io.Text(c.evaluation_id), io.Time(d.now), io.Keyed(c.request_id, request_id_keys);
  io.Text(c.trace_id), io.Text(c.span_id), io.Number(c.item, -1);
  io.Keyed(c.parameters, true);
  io.Person(d.person, people++);
  io.Person(d.deputy, people++);
  io.Text(d.detail), io.Text(d.account_key), io.Text(d.task);
  io.Fixed(d.chain.size), io.Fixed(d.chain.truncated);
  for (int i = 0; i < d.chain.size; ++i) {
    auto& hop = d.chain.items[i];
    io.Fixed(hop.agent), io.Fixed(hop.ok), io.Fixed(hop.reason);
    io.Text(hop.foreign), io.Text(hop.instance);
    io.Person(hop.person, people++);
  }
  io.Text(r.subject_type), io.Text(r.subject_id), io.Text(r.action), io.Text(r.resource_type);
  io.Text(r.resource_id), io.Text(r.task);
  io.Text(r.break_glass), io.Text(r.break_glass_reason), io.Text(r.break_glass_ticket);
  io.Fixed(r.hop_count);
  for (int i = 0; d.chain.size == 0 && i < r.hop_count; ++i)
    io.Text(r.hops[static_cast<size_t>(i)].agent);
  io.Fixed(r.approval_count);
  for (int i = 0; i < r.approval_count; ++i) io.Text(r.approvals[static_cast<size_t>(i)]);
  io.Fixed(d.by.size), io.Fixed(d.by.truncated);
  for (int i = 0; i < d.by.size; ++i) {
    auto& by = d.by.items[i];
    io.Fixed(by.part), io.Fixed(by.statement), io.Fixed(by.clause), io.Fixed(by.match);
  }
  io.Fixed(d.limits.size), io.Fixed(d.limits.truncated);
  for (int i = 0; i < d.limits.size; ++i) {
    auto& line = d.limits.items[i];
    io.Fixed(line.agent), io.Fixed(line.deputy);
    io.Fixed(line.limit), io.Fixed(line.state), io.Fixed(line.error), io.Fixed(line.binding);
    io.Amount(line.used), io.Amount(line.requested), io.After(d, line);
    io.Amount(line.cap), io.Amount(line.left);
    io.Fixed(line.has_window);
    if (line.has_window) io.Time(line.resets);
  }
  io.Fixed(d.approvals.size), io.Fixed(d.approvals.truncated);
  for (int i = 0; i < d.approvals.size; ++i) io.Fixed(d.approvals.items[i]);
  io.Fixed(d.duties.size), io.Fixed(d.duties.truncated);
  for (int i = 0; i < d.duties.size; ++i) io.Fixed(d.duties.items[i].kind);
  io.Number(d.reservation, uint64_t{0});
  if (d.reservation != 0) io.Time(d.reservation_deadline);
  io.Fixed(d.opening.statement);
  if (d.opening.statement != kNone) {
    io.Time(d.opening.opened), io.Time(d.opening.until), io.Time(d.opening.review_due);
    io.Number(d.opening.uses, uint64_t{0});
  }
  if (d.reason == Reason::kApprovalRequired) io.Fixed(d.request_digest);
  io.Number(d.epoch, uint64_t{0});
}

}  // namespace dpl
