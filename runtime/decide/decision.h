// The answer of Decide: outcome, reason, both identities, who said so and where, and what is left
// of each limit.
//
// A Decision holds indices into the Program and views into the Snapshot, the Request and the
// Scratch that made it; it is valid until that Scratch is used again or one of them goes. answer.h
// writes it.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/bytecode/program.h"
#include "runtime/decide/request.h"
#include "runtime/facts/snapshot.h"

namespace dpl {

enum class Reason : uint8_t {
#define DPL_REASON(name, code, step, user, meaning) k##name,
#include "runtime/decide/reasons.def"
#undef DPL_REASON
};
std::string_view ReasonCode(Reason reason);
std::string_view ReasonUserText(Reason reason);
std::string_view ReasonMeaning(Reason reason);
int ReasonStep(Reason reason);
bool FindReason(std::string_view code, Reason* out);

enum class OutcomeKind : uint8_t { kPermit, kDeny, kAsk };
std::string_view OutcomeName(OutcomeKind outcome);  // permit, deny, ask
enum class ActingMode : uint8_t {
  kDirect,
  kOnBehalfOf,
  kImpersonate,
  kStanding,
  kPublic,
  kPartner,
};
std::string_view ModeName(ActingMode mode);

// Fixed-capacity list in the Scratch; never allocates. Past its capacity `truncated` is set (and
// said in the answer).
template <class T, int N>
struct SmallList {
  T items[N];
  int size = 0;
  bool truncated = false;
  bool Add(const T& t) {
    if (size == N) {
      truncated = true;
      return false;
    }
    items[size++] = t;
    return true;
  }
  const T* begin() const { return items; }
  const T* end() const { return items + size; }
  void Clear() {
    size = 0;
    truncated = false;
  }
};

// Why a statement stands in the answer.
enum class Part : uint8_t {
  kGrant,
  kForbid,
  kCeiling,
  kDelegation,
  kTask,
  kSeparation,
  kApproval,
  kLimit,
  kObligation,
  kBreakGlass,
  kLifted, /*a forbid that the emergency door opens*/
  kPartner
};
struct By {
  Part part;
  uint32_t statement = kNone;
  uint32_t clause = kNone;
  Truth match = Truth::kTrue;
};

enum class LimitState : uint8_t {
  kOk,
  kNeedsApproval,
  kExceeded,
  kUnknown,
  kCounted /*superseded: counted, not checked*/
};
struct LimitLine {
  uint32_t limit = kNone;  // Program::limits
  LimitState state = LimitState::kOk;
  Value used, requested, cap, left;  // of the measure's type; kUnset where unknown. left = cap -
                                     // used - requested on a permit, cap - used otherwise
  Value up_to;                       // the tier that would take it; kUnset: none
  uint32_t approval = kNone;         // kNeedsApproval
  bool binding = false;
  bool has_window = false;
  Instant resets{};  // end of the calendar window; sliding: when enough could be free again at the
                     // latest
  ErrorKind error = ErrorKind::kMissing;  // kUnknown: why
  // Whose counter it is, where a chain or a person who acts for another gives one limit several
  // lines: of a limit for each agent, which (Program::agents); and whether it binds as for
  // Decision::deputy.
  uint32_t agent = kNone;
  bool deputy = false;
};

// Which factor of a clause failed, in the order of matching: for the nearest miss.
enum class Factor : uint8_t {
  kSubject,
  kScope,
  kWhere,
  kNotStarted,
  kExpired,
  kRevoked,
  kUnreviewed,
  kOverdue,
  kUnapproved,
  kNone
};
struct NearestMiss {
  uint32_t statement = kNone;
  uint32_t clause = kNone;
  Factor factor = Factor::kNone;
  Truth truth = Truth::kFalse;
  ErrorKind error = ErrorKind::kMissing;
};

// A duty of a permit: of an obligation, or the notice of an emergency door; without a statement it
// is the log of an impersonation.
struct DutyOut {
  uint32_t statement = kNone;
  uint32_t index = 0;  // Obligation::duties, BreakGlass::notify
  DutyKind kind = DutyKind::kLog;
};

// The emergency opening that a permit rests on.
struct OpeningOut {
  uint32_t statement = kNone;
  Instant opened{}, until{}, review_due{};
  uint64_t uses = 0;  // this one included, once it is recorded
};

struct HopOut {
  uint32_t agent = kNone;          // kNone: a partner's agent, or a person
  std::string_view foreign;        // a partner's agent: as the caller named it
  const Entity* person = nullptr;  // a person who acts for another
  std::string_view instance;
  bool ok = true;
  Reason reason = Reason::kPermit;
};

// What would have to change, and who owns that change.
struct Change {
  enum class Kind : uint8_t {
    kNone,
    kJoinSubject,
    kMeetCondition,
    kRenewGrant,
    kReviewGrant,
    kApproveGrant,
    kWriteGrant,
    kLiftForbid,
    kWidenCeiling,
    kDelegate,
    kConsent,
    kOpenTask,
    kLinkAccount,
    kRecheckLink,
    kLowerAmount,
    kRaiseLimit,
    kGetApproval,
    kSupportDuty,
    kOther,
  } kind = Kind::kNone;
  uint32_t statement = kNone, clause = kNone, limit = kNone, approval = kNone, system = kNone;
  Value value;            // kLowerAmount: the most that would pass
  OwnerDef owner;         // who can change it; both kNone: the person asking
  bool verified = false;  // deciding it gave permit (dry); else it is said to be unchecked
};

struct Decision {
  OutcomeKind outcome = OutcomeKind::kDeny;
  Reason reason = Reason::kErrorInternal;
  SmallList<Reason, 16> also;  // explain: later failing steps
  Reason shown =
      Reason::kErrorInternal;  // what a caller without `details` is told (closing rule 41)
  std::string_view detail;     // admin text: what exactly was wrong (request.invalid: which field)
  Instant now{};
  uint64_t epoch = 0;
  Instant valid_until{};  // may be relied on until then (= now: not at all)
  bool dry_run = false;
  // who
  ActingMode mode = ActingMode::kDirect;
  const Entity* person = nullptr;
  const Entity* deputy = nullptr;  // the person who acts for `person`
  uint32_t partner = kNone;        // Program::partners: whose subject asks
  std::string_view account_key;
  uint32_t account_system = kNone;
  SmallList<HopOut, kMaxHops + 1> chain;  // a person who acts for the subject comes first
  uint32_t accountable = kNone;           // constant (person) of the acting agent's template
  // what
  uint32_t type = kNone, action = kNone;
  std::string_view resource_id;
  std::string_view task;
  // why
  SmallList<By, 48> by;
  SmallList<LimitLine, 32> limits;
  SmallList<uint32_t, 8> approvals;  // kAsk: Program::approvals still needed
  SmallList<DutyOut, 32> duties;     // of a permit
  OpeningOut opening;                // of a permit through an emergency door
  NearestMiss nearest;
  SmallList<Change, 4> changes;
  SmallList<std::string_view, 16> ignored;  // undeclared properties the caller sent
  bool metered = false;
  uint64_t reservation = 0;        // permit on a metered limit
  Instant reservation_deadline{};  // confirm or cancel until then; afterwards it counts as spent
  bool replayed = false;
  uint64_t ticket = 0;  // the answer may leave once StateStore::Check says kKept; 0: at once
  char request_digest[65] =
      {};  // kAsk: hex SHA-256 of the canonical request, what an approval is bound to
  SmallList<int64_t, 8>
      measures;  // the measures asked for, in the action's parameter order (INT64_MIN: absent)
};

}  // namespace dpl
