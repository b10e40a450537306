// Pieces of policy as people read them, shared by the writers of answers. Everything appends;
// nothing here is caller-made text except where a name says so.
#pragma once

#include <string>
#include <string_view>

#include "runtime/decide/decision.h"

namespace dpl {

constexpr size_t kMaxQuoted = 200;  // bytes of caller-made text that an answer repeats

// "policies/spend.dpl:15:1-21:2"; nothing for an unknown place.
void AppendSpan(std::string* out, const Program& program, const Span& span);
// "team acme.spend.finance", "person E0500"; nothing without an owner.
void AppendOwner(std::string* out, const Program& program, const OwnerDef& owner);
// What a limit counts over: "each", "per day", "in any 24h", "in total".
void AppendPeriod(std::string* out, const Limit& limit);
// The same, and in which zone its days are counted: "per day in Europe/Zurich".
void AppendWindow(std::string* out, const Program& program, const Limit& limit);
// Of which agent of the chain, or that it binds as for the deputy: " for acme.helper"; else
// nothing.
void AppendWhose(std::string* out, const Program& program, const LimitLine& line);
// At most kMaxQuoted bytes, cut at a code point, with "…" when cut.
std::string_view Capped(std::string_view caller_text, std::string* scratch);

std::string_view PartName(Part part);
std::string_view LimitStateName(LimitState state);
std::string_view FactorName(Factor factor);
std::string_view ChangeKindName(Change::Kind kind);
// When a statement is due for review; false when it has no such date.
bool ReviewDue(const Statement& statement, Instant* due);

// Why, in terms of the policy: the reason's meaning, the statement it rests on, the binding limit's
// arithmetic.
void AppendReasonAdmin(std::string* out, const Snapshot& snapshot, const Decision& decision);
// What one would have to do: "review grant acme.extra.old_export".
void AppendChange(std::string* out, const Snapshot& snapshot, const Change& change);
// How near it came: "grant acme.base.care: its `where` is unknown (missing): resource.class <=
// Class.internal".
void AppendNearest(std::string* out, const Snapshot& snapshot, const NearestMiss& miss);
// The exact place of the clause that failed, as far as known.
Span NearestSpan(const Program& program, const NearestMiss& miss);

}  // namespace dpl
