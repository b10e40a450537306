// The fold itself: the fifteen steps in order, the first failure names the answer, a failed guard
// starts over.
#include "runtime/decide/engine.h"

#include <algorithm>

#include "runtime/bytecode/opcode.h"
#include "runtime/decide/fold.h"

namespace dpl {
namespace {

constexpr int kMaxRuns = 4;  // the first, and three more after a failed guard
constexpr int64_t kStalenessUs =
    kMicrosPerMinute;  // an answer may be relied on no longer than this

void Reset(Decision* d) {
  d->outcome = OutcomeKind::kDeny;
  d->reason = d->shown = Reason::kErrorInternal;
  d->also.Clear();
  d->detail = {};
  d->epoch = 0;
  d->valid_until = {};
  d->dry_run = false;
  d->mode = ActingMode::kDirect;
  d->person = d->deputy = nullptr;
  d->partner = kNone;
  d->account_key = {};
  d->account_system = kNone;
  d->chain.Clear();
  d->accountable = d->type = d->action = kNone;
  d->resource_id = d->task = {};
  d->by.Clear();
  d->limits.Clear();
  d->approvals.Clear();
  d->duties.Clear();
  d->opening = {};
  d->nearest = {};
  d->changes.Clear();
  d->ignored.Clear();
  d->metered = d->replayed = false;
  d->reservation = d->ticket = 0;
  d->reservation_deadline = {};
  d->request_digest[0] = 0;
  d->measures.Clear();
}

using Step = Reason (*)(Fold&);
constexpr Step kSteps[] = {
    StepRequest,    StepIdentity,  StepMode,     StepRevoked,    StepLink,
    StepForbid,     StepAuthority, StepCeilings, StepDelegation, StepTask,
    StepSeparation, StepLimits,    StepDuties,   StepApprovals,  StepCommit,
};

// The table of section 4: which steps run in which mode; a bit for each step. Without anything that
// could apply to this action, separation has nothing to say either.
uint32_t StepsOf(const Fold& f) {
  uint32_t steps = 0xffff & ~1u;
  auto drop = [&](int step, bool runs) { steps &= runs ? ~0u : ~(1u << step); };
  bool person = f.mode == ActingMode::kDirect || f.delegated();
  bool partner = f.mode == ActingMode::kPartner;
  drop(3, f.mode != ActingMode::kPublic);
  drop(5, person);
  drop(8, f.hop_count > 0);
  drop(9, f.delegated() || partner || (f.mode == ActingMode::kStanding && f.hop_count > 1));
  drop(10, f.hop_count > 0 || f.deputy != nullptr);
  drop(11, f.mode != ActingMode::kPublic &&
               !(f.entry->items[static_cast<size_t>(ClauseRole::kSeparateA)].empty() &&
                 f.entry->items[static_cast<size_t>(ClauseRole::kSeparateB)].empty()));
  return steps;
}

Reason OfAbort(Abort abort) {
  switch (abort) {
    case Abort::kBudget:
      return Reason::kErrorBudget;
    case Abort::kArena:
      return Reason::kErrorArena;
    default:
      return Reason::kErrorInternal;
  }
}

// What is told to a caller that may not see details (closing rule 41): a locked resource looks like
// one without a grant, and nothing is said about a person the caller has no token of.
Reason Shown(Fold& f, Reason reason) {
  switch (reason) {
    case Reason::kForbidden: {
      if (!f.tried[static_cast<int>(ClauseRole::kGrantMay)]) {
        int by = f.d.by.size;
        StepAuthority(f);
        f.d.by.size = by;  // the answer rests on the forbid alone
      }
      return f.authority.size != 0 ? reason : Reason::kPersonNoGrant;
    }
    case Reason::kIdentityAmbiguous:
    case Reason::kPersonNotActive:
    case Reason::kRevokedPerson:
    case Reason::kRevokedAccount:
    case Reason::kIdentityUnlinked:
    case Reason::kIdentityLinkStale:
      return Reason::kIdentityUnknown;
    default:
      return reason;
  }
}

// The statements of the failing step first, then what contributed.
void OrderBlame(Fold& f) {
  if (f.blame.size == 0) return;
  SmallList<By, 48>& by = f.d.by;
  int keep = std::min(by.size, 48 - f.blame.size);
  by.truncated |= keep < by.size;
  std::copy_backward(by.items, by.items + keep, by.items + keep + f.blame.size);
  std::copy(f.blame.begin(), f.blame.end(), by.items);
  by.size = keep + f.blame.size;
}

void WriteLimits(Fold& f) {
  bool permit = f.d.outcome == OutcomeKind::kPermit || f.d.reason == Reason::kWouldPermit;
  auto write = [&](BoundLimit& b) {
    LimitLine& line = b.line;
    if (line.cap.kind != ValueKind::kUnset && line.used.kind != ValueKind::kUnset &&
        line.cap.n == line.requested.n) {
      int64_t left = 0;
      bool fits = !__builtin_sub_overflow(b.cap, b.used, &left);
      if (fits && permit) fits = !__builtin_sub_overflow(left, b.quantity, &left);
      if (fits) line.left = Value::Int(line.cap.kind, left, line.cap.n);
    }
    f.d.limits.Add(line);
    if (f.observer != nullptr) f.observer->OnLimit(line);
  };
  for (BoundLimit& b : f.limits) {
    if (b.line.binding) write(b);
  }
  for (BoundLimit& b : f.limits) {
    if (!b.line.binding) write(b);
  }
}

}  // namespace

void RunFold(Fold& f) {
  Decision& d = f.d;
  Reset(&d);
  d.now = f.now;
  d.dry_run = f.request.dry_run;
  d.epoch = f.epoch = f.store.Epoch();
  Reason first = kPass;
  uint32_t steps = ~0u;
  for (int step = 1; step <= 15; ++step) {
    if (step == 3) steps = StepsOf(f);
    if ((steps >> step & 1) == 0) continue;
    if (f.reporting && step == 15) break;
    f.ahead.Step(f);
    Reason reason = kSteps[step - 1](f);
    if (f.env.abort != Abort::kNo) {
      // A decision that ran out of means is a denial whatever it found; a report that did is only
      // cut short.
      if (f.reporting) break;
      reason = OfAbort(f.env.abort);
    }
    if (f.again) return;
    if (reason == kPass) continue;
    if (f.reporting) {
      d.also.Add(reason);
      continue;
    }
    first = reason;
    f.reporting = true;
    if (f.observer != nullptr) f.observer->OnSettled(first);
    if (!f.request.explain || step <= 2 || f.env.abort != Abort::kNo) break;
  }
  d.mode = f.mode;
  d.reason = first;
  if (first == kPass) {
    d.reason = d.dry_run ? Reason::kWouldPermit : Reason::kPermit;
    d.outcome = d.dry_run ? OutcomeKind::kDeny : OutcomeKind::kPermit;
    f.reporting = true;
    if (f.observer != nullptr) f.observer->OnSettled(d.reason);
  } else {
    d.outcome = first == Reason::kApprovalRequired ? OutcomeKind::kAsk : OutcomeKind::kDeny;
  }
  if (first == Reason::kApprovalRequired) {
    // Asked for and metered look alike here: neither may be relied on a moment longer.
    d.metered = d.metered || f.limits.size != 0;
  }
  if (first != kPass) {  // duties are a permit's
    d.duties.Clear();
    d.opening = {};
  }
  OrderBlame(f);
  WriteLimits(f);
  d.shown = Shown(f, d.reason);
  bool pure = !d.metered && first != Reason::kApprovalRequired && f.used_approvals.size == 0 &&
              f.acts.size == 0 && d.duties.size == 0 && f.break_glass == kNone;
  Instant bound = Add(f.now, Duration{kStalenessUs}).value_or(f.now);
  // Two denials that are told alike must look alike.
  bool veiled = !f.caller.details &&
                (d.shown == Reason::kIdentityUnknown || d.shown == Reason::kPersonNoGrant);
  pure = pure && !veiled;
  d.valid_until = pure ? std::max(f.now, std::min(bound, f.flips)) : f.now;
}

void Scratch::Impl::Prepare(const Program& program) {
  if (matching.program == &program && matching.serial == program.notes.serial) return;
  const bool narrow = matching.narrow, fetch_small = matching.fetch_small;
  matching = {};
  matching.narrow = narrow;
  matching.fetch_small = fetch_small;
  matching.program = &program;
  matching.serial = program.notes.serial;
  matching.machine = std::make_unique<Machine>(program);
  text.reserve(4096);
}

Scratch::Scratch() : impl_(std::make_unique<Impl>()) {}
Scratch::~Scratch() = default;
void Scratch::TryEveryClauseForTest() { impl_->matching.narrow = false; }
void Scratch::FetchAheadForTest() { impl_->matching.fetch_small = true; }

const Decision& Decide(const Snapshot& snapshot, DecisionState* store, const Request& request,
                       Instant now, Scratch* scratch, DecisionObserver* observer) {
  Scratch::Impl& impl = *scratch->impl();
  DPL_CHECK(store != nullptr && request.caller != nullptr);
  impl.Prepare(snapshot.program());
  Decision& d = impl.decision;
  if (!impl.matching.machine->ok()) {  // a program that was not verified
    Reset(&d);
    d.now = d.valid_until = now;
    return d;
  }
  if (request.unrecordable) {
    Reset(&d);
    d.now = d.valid_until = now;
    d.dry_run = request.dry_run;
    d.reason = d.shown = Reason::kErrorAudit;
    return d;
  }
  for (int run = 0; run < kMaxRuns; ++run) {
    impl.arena.Reset();
    Fold f(snapshot, store, request, now, &impl.matching, &impl.arena, &impl.text, &impl.consent,
           &d);
    f.observer = observer;
    f.kept_tasks = &impl.kept_tasks;
    f.ahead.Begin(snapshot, request, impl.matching.fetch_small);
    RunFold(f);
    if (f.again) continue;
    bool denied = d.reason != Reason::kPermit && d.reason != Reason::kWouldPermit;
    const bool told = request.caller->details && request.level >= Explain::kFull;
    if (denied && (request.explain || told)) ExplainDenial(f, d.reason, store, &impl);
    return d;
  }
  Reset(&d);
  d.now = d.valid_until = now;
  d.dry_run = request.dry_run;
  d.reason = d.shown = Reason::kErrorContention;
  return d;
}

}  // namespace dpl
