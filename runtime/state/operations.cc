// See operations.h.
#include "runtime/state/operations.h"

#include <vector>

#include "runtime/state/memory_store.h"

namespace dpl {
namespace {

enum class Operation : uint8_t {
  kCommit = 1,
  kRevoke,
  kConsent,
  kTask,
  kHandoff,
  kApproval,
  kSetUsed,
  kEnd,  // kRevoke, kHandoff and kApproval as format 2 wrote them
  kRevokeBy,
  kHandoffBy,
  kSignedApproval,
  kAccessRequest,
  kSign,
  kReview,
  kCommitKept,  // with how far back each act's statement looks
  kTaskBy,      // with who opened it, which kTask of format 3 does not have
};

void AppendCounterKey(ByteWriter* out, const CounterKey& key) {
  out->String(key.identity);
  out->U8(static_cast<uint8_t>(key.window));
  if (key.window == CounterKey::Window::kCalendar) {
    out->I64(key.start.us);
    out->I64(key.end.us);
  }
  if (key.window == CounterKey::Window::kSliding) out->I64(key.sliding_us);
}

bool ReadCounterKey(ByteReader* in, CounterKey* key) {
  uint8_t window = 0;
  if (!in->String(&key->identity) || !in->U8(&window) ||
      window > static_cast<uint8_t>(CounterKey::Window::kTotal))
    return false;
  key->window = static_cast<CounterKey::Window>(window);
  if (key->window == CounterKey::Window::kCalendar)
    return in->I64(&key->start.us) && in->I64(&key->end.us);
  if (key->window == CounterKey::Window::kSliding)
    return in->I64(&key->sliding_us) && key->sliding_us > 0;
  return true;
}

void AppendOptional(ByteWriter* out, const std::optional<int64_t>& value) {
  out->U8(value.has_value() ? 1 : 0);
  if (value.has_value()) out->I64(*value);
}

bool ReadOptional(ByteReader* in, std::optional<int64_t>* value) {
  uint8_t has = 0;
  if (!in->U8(&has) || has > 1) return false;
  if (has == 0) return true;
  value->emplace();
  return in->I64(&**value);
}

bool ReadFlag(ByteReader* in, bool* out) {
  uint8_t flag = 0;
  if (!in->U8(&flag) || flag > 1) return false;
  *out = flag == 1;
  return true;
}

bool ReadText(ByteReader* in, std::string* out) {
  std::string_view text;
  if (!in->String(&text)) return false;
  out->assign(text);
  return true;
}

void AppendSignature(ByteWriter* out, const Signature& signature) {
  out->String(signature.person);
  out->I64(signature.at.us);
  out->U8(signature.approve ? 1 : 0);
  out->String(signature.meaning);
  out->String(signature.note);
}

bool ReadSignature(ByteReader* in, Signature* signature) {
  return ReadText(in, &signature->person) && in->I64(&signature->at.us) &&
         ReadFlag(in, &signature->approve) && ReadText(in, &signature->meaning) &&
         ReadText(in, &signature->note);
}

void AppendSignatures(ByteWriter* out, const std::vector<Signature>& signatures) {
  out->Varint(signatures.size());
  for (const Signature& signature : signatures) AppendSignature(out, signature);
}

bool ReadSignatures(ByteReader* in, std::vector<Signature>* signatures) {
  uint32_t count = 0;
  if (!in->Count(&count)) return false;
  signatures->resize(count);
  for (Signature& signature : *signatures) {
    if (!ReadSignature(in, &signature)) return false;
  }
  return true;
}

// One commit, with what its views point to.
struct CommitRecord {
  CommitRequest request;
  uint64_t epoch = 0;
  uint64_t reservation = 0;
  std::vector<Charge> charges;
  std::vector<std::string_view> approvals;
  std::vector<CommitRequest::Act> acts;
  std::vector<CommitRequest::Seen> instances;
  CommitRequest::Opening opening;

  bool Read(ByteReader* in, bool kept);
};

bool CommitRecord::Read(ByteReader* in, bool kept) {
  CommitRequest& r = request;
  uint32_t count = 0;
  bool good = in->I64(&r.now.us) && in->U64(&epoch) && in->U64(&reservation) && in->Count(&count);
  charges.resize(good ? count : 0);
  for (Charge& c : charges) {
    good = good && ReadCounterKey(in, &c.counter) && in->SignedVarint(&c.quantity) &&
           c.quantity >= 0 && in->Varint32(&c.measure) && ReadFlag(in, &c.returns);
  }
  good = good && in->Count(&count);
  approvals.resize(good ? count : 0);
  for (std::string_view& id : approvals) good = good && in->String(&id);
  good = good && in->Count(&count);
  acts.resize(good ? count : 0);
  for (CommitRequest::Act& act : acts) {
    uint8_t side = 0;
    good = good && in->String(&act.separate) && in->U8(&side) && in->String(&act.key) &&
           in->String(&act.person) && (!kept || in->I64(&act.not_before.us));
    act.side = side;
    if (!kept) act.not_before = Instant{INT64_MIN};
  }
  good = good && in->Count(&count);
  instances.resize(good ? count : 0);
  for (CommitRequest::Seen& seen : instances) {
    good = good && in->String(&seen.agent) && in->String(&seen.instance) &&
           in->String(&seen.task) && in->I64(&seen.born.us) && in->I64(&seen.keep_us) &&
           in->Varint(&seen.max) && in->I64(&seen.window_us);
  }
  bool opens = false;
  good = good && ReadFlag(in, &opens);
  if (opens) {
    good = good && in->String(&opening.break_glass) && in->String(&opening.person) &&
           in->String(&opening.reason) && in->String(&opening.ticket) &&
           in->I64(&opening.lasts_us) && in->I64(&opening.review_within_us) &&
           ReadFlag(in, &opening.opens);
    r.opening = &opening;
  }
  good = good && in->String(&r.charge_key) && in->String(&r.request_digest) &&
         in->String(&r.caller) && in->I64(&r.reservation_deadline.us) && in->I64(&r.keep_key_us);
  r.charges = charges;
  r.approvals = approvals;
  r.acts = acts;
  r.instances = instances;
  return good;
}

Error Corrupt(std::string what) { return {"state.corrupt", std::move(what)}; }

// One operation, whose kind has been read. `record` is reused from one to the next.
Status Replay(Operation operation, ByteReader* in, MemoryStore* image, ReplayMode mode) {
  const bool exact = mode == ReplayMode::kExact;
  switch (operation) {
    case Operation::kCommit:
    case Operation::kCommitKept: {
      CommitRecord record;
      if (!record.Read(in, operation == Operation::kCommitKept))
        return Corrupt("a commit cannot be read");
      if (!exact && record.reservation != 0) image->SkipReservationsTo(record.reservation);
      bool same = image->ReplayCommit(record.request, record.reservation);
      if (exact && (!same || record.epoch != image->Epoch()))
        return Corrupt("a commit does not follow from what is before it");
      return Status::Ok();
    }
    case Operation::kRevoke:
    case Operation::kRevokeBy: {
      Revocation r;
      uint8_t kind = 0;
      std::optional<int64_t> before;
      uint64_t epoch = 0;
      bool good = in->U8(&kind) && kind < kRevokedKinds && ReadText(in, &r.name) &&
                  ReadOptional(in, &before) && in->U64(&epoch);
      if (operation == Operation::kRevokeBy)
        good = good && in->I64(&r.at.us) && ReadText(in, &r.by) && ReadText(in, &r.because);
      if (!good) return Corrupt("a revocation cannot be read");
      r.kind = static_cast<RevokedKind>(kind);
      if (before.has_value()) r.before = Instant{*before};
      if (!exact && epoch > 0) image->RaiseEpoch(epoch - 1);
      const uint64_t now = image->Revoke(r);
      if (exact && now != epoch)
        return Corrupt("a revocation does not follow from what is before it");
      return Status::Ok();
    }
    case Operation::kConsent: {
      std::string_view delegation, person;
      ConsentRecord consent;
      if (!in->String(&delegation) || !in->String(&person) || !ReadConsent(in, &consent))
        return Corrupt("a consent cannot be read");
      image->GiveConsent(delegation, person, consent);
      return Status::Ok();
    }
    case Operation::kTask:
    case Operation::kTaskBy: {
      TaskRecord task;
      if (!ReadTask(in, &task, operation == Operation::kTaskBy))
        return Corrupt("a task cannot be read");
      image->PutTask(task);
      return Status::Ok();
    }
    case Operation::kHandoff:
    case Operation::kHandoffBy: {
      HandoffRecord h;
      for (std::string* text :
           {&h.parent_agent, &h.parent_instance, &h.child_agent, &h.child_instance, &h.task})
        ReadText(in, text);
      if (operation == Operation::kHandoffBy) in->I64(&h.at.us), ReadText(in, &h.by);
      if (in->failed()) return Corrupt("a hand-off cannot be read");
      Status done = image->PutHandoff(h);
      if (exact && !done.ok()) return Corrupt("a hand-off does not follow from what is before it");
      return Status::Ok();
    }
    case Operation::kApproval:
    case Operation::kSignedApproval: {
      ApprovalRecord approval;
      if (!ReadApproval(in, &approval, operation == Operation::kSignedApproval))
        return Corrupt("an approval cannot be read");
      image->PutApproval(approval);
      return Status::Ok();
    }
    case Operation::kAccessRequest: {
      AccessRequest request;
      if (!ReadAccessRequest(in, &request)) return Corrupt("a request for access cannot be read");
      Status done = image->OpenAccessRequest(request);
      if (exact && !done.ok())
        return Corrupt("a request for access does not follow from what is before it");
      return Status::Ok();
    }
    case Operation::kSign: {
      std::string_view id;
      Signature signature;
      uint64_t seen = 0;
      uint8_t becomes = 0;
      bool granted = false;
      ApprovalRecord approval;
      if (!in->String(&id) || !ReadSignature(in, &signature) || !in->Varint(&seen) ||
          !in->U8(&becomes) || becomes > static_cast<uint8_t>(AccessState::kWithdrawn) ||
          !ReadFlag(in, &granted) || (granted && !ReadApproval(in, &approval, true)))
        return Corrupt("a signature cannot be read");
      Status done =
          image->PutSignature(id, signature, seen, static_cast<AccessState>(becomes), approval.id);
      if (exact && !done.ok()) return Corrupt("a signature does not follow from what is before it");
      if (granted && done.ok()) image->PutApproval(approval);
      return Status::Ok();
    }
    case Operation::kReview: {
      std::string_view part[4];
      for (std::string_view& p : part) in->String(&p);
      Signature review;
      if (!ReadSignature(in, &review)) return Corrupt("a review cannot be read");
      Status done = image->ReviewOpening(part[0], part[1], part[2], part[3], review);
      if (exact && !done.ok()) return Corrupt("a review does not follow from what is before it");
      return Status::Ok();
    }
    case Operation::kSetUsed: {
      CounterKey key;
      int64_t used = 0;
      Instant now;
      if (!ReadCounterKey(in, &key) || !in->SignedVarint(&used) || used < 0 || !in->I64(&now.us))
        return Corrupt("an amount used cannot be read");
      image->SetUsed(key, used, now);
      return Status::Ok();
    }
    case Operation::kEnd: {
      uint64_t id = 0;
      std::string_view caller;
      bool cancel = false;
      std::optional<int64_t> actual;
      Instant now;
      if (!in->U64(&id) || !in->String(&caller) || !ReadFlag(in, &cancel) ||
          !ReadOptional(in, &actual) || !in->I64(&now.us))
        return Corrupt("the end of a reservation cannot be read");
      Status done = image->End(id, caller, cancel, actual, now, nullptr);
      if (exact && !done.ok() && done.error().code != "reservation.overrun")
        return Corrupt("the end of a reservation does not follow from what is before it");
      return Status::Ok();
    }
  }
  return Corrupt("operation " + std::to_string(static_cast<int>(operation)) + " is not known");
}

}  // namespace

void OperationWriter::Commit(const CommitRequest& r, uint64_t epoch, uint64_t reservation) {
  out_.U8(static_cast<uint8_t>(Operation::kCommitKept));
  out_.I64(r.now.us);
  out_.U64(epoch);
  out_.U64(reservation);
  out_.Varint(r.charges.size());
  for (const Charge& c : r.charges) {
    AppendCounterKey(&out_, c.counter);
    out_.SignedVarint(c.quantity);
    out_.Varint(c.measure);
    out_.U8(c.returns ? 1 : 0);
  }
  out_.Varint(r.approvals.size());
  for (std::string_view id : r.approvals) out_.String(id);
  out_.Varint(r.acts.size());
  for (const CommitRequest::Act& act : r.acts) {
    out_.String(act.separate);
    out_.U8(static_cast<uint8_t>(act.side));
    out_.String(act.key);
    out_.String(act.person);
    out_.I64(act.not_before.us);
  }
  out_.Varint(r.instances.size());
  for (const CommitRequest::Seen& seen : r.instances) {
    out_.String(seen.agent);
    out_.String(seen.instance);
    out_.String(seen.task);
    out_.I64(seen.born.us);
    out_.I64(seen.keep_us);
    out_.Varint(seen.max);
    out_.I64(seen.window_us);
  }
  out_.U8(r.opening == nullptr ? 0 : 1);
  if (const CommitRequest::Opening* o = r.opening) {
    for (std::string_view text : {o->break_glass, o->person, o->reason, o->ticket})
      out_.String(text);
    out_.I64(o->lasts_us);
    out_.I64(o->review_within_us);
    out_.U8(o->opens ? 1 : 0);
  }
  out_.String(r.charge_key);
  out_.String(r.request_digest);
  out_.String(r.caller);
  out_.I64(r.reservation_deadline.us);
  out_.I64(r.keep_key_us);
}

void OperationWriter::Revoke(const Revocation& r, uint64_t epoch) {
  out_.U8(static_cast<uint8_t>(Operation::kRevokeBy));
  out_.U8(static_cast<uint8_t>(r.kind));
  out_.String(r.name);
  std::optional<int64_t> cut;
  if (r.before.has_value()) cut = r.before->us;
  AppendOptional(&out_, cut);
  out_.U64(epoch);
  out_.I64(r.at.us);
  out_.String(r.by);
  out_.String(r.because);
}

void OperationWriter::Consent(std::string_view delegation, std::string_view person,
                              const ConsentRecord& consent) {
  out_.U8(static_cast<uint8_t>(Operation::kConsent));
  out_.String(delegation);
  out_.String(person);
  AppendConsent(&out_, consent);
}

void OperationWriter::Task(const TaskRecord& task) {
  out_.U8(static_cast<uint8_t>(Operation::kTaskBy));
  AppendTask(&out_, task);
}

void OperationWriter::Handoff(const HandoffRecord& h) {
  out_.U8(static_cast<uint8_t>(Operation::kHandoffBy));
  for (std::string_view p :
       {h.parent_agent, h.parent_instance, h.child_agent, h.child_instance, h.task})
    out_.String(p);
  out_.I64(h.at.us);
  out_.String(h.by);
}

void OperationWriter::Approval(const ApprovalRecord& approval) {
  out_.U8(static_cast<uint8_t>(Operation::kSignedApproval));
  AppendApproval(&out_, approval);
}

void OperationWriter::AccessRequest(const dpl::AccessRequest& request) {
  out_.U8(static_cast<uint8_t>(Operation::kAccessRequest));
  AppendAccessRequest(&out_, request);
}

void OperationWriter::Sign(std::string_view id, const Signature& signature, size_t seen,
                           AccessState becomes, const ApprovalRecord* approval) {
  out_.U8(static_cast<uint8_t>(Operation::kSign));
  out_.String(id);
  AppendSignature(&out_, signature);
  out_.Varint(seen);
  out_.U8(static_cast<uint8_t>(becomes));
  out_.U8(approval == nullptr ? 0 : 1);
  if (approval != nullptr) AppendApproval(&out_, *approval);
}

void OperationWriter::Review(std::string_view break_glass, std::string_view person,
                             std::string_view reason, std::string_view ticket,
                             const Signature& review) {
  out_.U8(static_cast<uint8_t>(Operation::kReview));
  for (std::string_view p : {break_glass, person, reason, ticket}) out_.String(p);
  AppendSignature(&out_, review);
}

void OperationWriter::SetUsed(const CounterKey& counter, int64_t used, Instant now) {
  out_.U8(static_cast<uint8_t>(Operation::kSetUsed));
  AppendCounterKey(&out_, counter);
  out_.SignedVarint(used);
  out_.I64(now.us);
}

void OperationWriter::End(uint64_t reservation, std::string_view caller, bool cancel,
                          std::optional<int64_t> actual, Instant now) {
  out_.U8(static_cast<uint8_t>(Operation::kEnd));
  out_.U64(reservation);
  out_.String(caller);
  out_.U8(cancel ? 1 : 0);
  AppendOptional(&out_, actual);
  out_.I64(now.us);
}

Result<uint64_t> ReplayGroup(std::string_view group, MemoryStore* image, ReplayMode mode) {
  ByteReader in(group);
  uint64_t done = 0;
  while (!in.at_end()) {
    uint8_t kind = 0;
    in.U8(&kind);
    DPL_RETURN_IF_ERROR(Replay(static_cast<Operation>(kind), &in, image, mode));
    ++done;
  }
  return done;
}

// ---------------------------------------------------------------- records

void AppendConsent(ByteWriter* out, const ConsentRecord& consent) {
  out->I64(consent.at.us);
  out->U8(static_cast<uint8_t>((consent.whole_day ? 1 : 0) | (consent.from_facts ? 2 : 0)));
  out->Varint(consent.reach.size());
  for (uint64_t reach : consent.reach) out->U64(reach);
}

bool ReadConsent(ByteReader* in, ConsentRecord* consent) {
  uint32_t count = 0;
  uint8_t flags = 0;
  if (!in->I64(&consent->at.us) || !in->U8(&flags) || flags > 3 ||
      !in->Count(&count, sizeof(uint64_t)))
    return false;
  consent->whole_day = (flags & 1) != 0;
  consent->from_facts = (flags & 2) != 0;
  consent->reach.resize(count);
  for (uint64_t& reach : consent->reach) in->U64(&reach);
  return !in->failed();
}

void AppendTask(ByteWriter* out, const TaskRecord& task) {
  for (const std::string* text : {&task.id, &task.shape, &task.person, &task.agent})
    out->String(*text);
  out->Varint(task.args.size());
  for (const auto& [name, value] : task.args) {
    out->String(name);
    out->String(value);
  }
  out->I64(task.opened.us);
  out->I64(task.expires.us);
  out->String(task.opened_by);
}

bool ReadTask(ByteReader* in, TaskRecord* task, bool with_opener) {
  uint32_t count = 0;
  for (std::string* text : {&task->id, &task->shape, &task->person, &task->agent}) {
    if (!ReadText(in, text)) return false;
  }
  if (!in->Count(&count, 2)) return false;
  task->args.resize(count);
  for (auto& [name, value] : task->args) {
    if (!ReadText(in, &name) || !ReadText(in, &value)) return false;
  }
  if (!in->I64(&task->opened.us) || !in->I64(&task->expires.us)) return false;
  return !with_opener || ReadText(in, &task->opened_by);
}

void AppendApproval(ByteWriter* out, const ApprovalRecord& approval) {
  out->String(approval.id);
  out->String(approval.approval);
  out->Varint(approval.approvers.size());
  for (const std::string& person : approval.approvers) out->String(person);
  out->String(approval.binding);
  out->Varint(approval.approved_measures.size());
  for (int64_t measure : approval.approved_measures) out->I64(measure);
  out->I64(approval.given.us);
  out->I64(approval.expires.us);
  out->U32(approval.uses_left);
  AppendSignatures(out, approval.signatures);
  out->String(approval.request);
}

bool ReadApproval(ByteReader* in, ApprovalRecord* approval, bool with_signatures) {
  uint32_t count = 0;
  if (!ReadText(in, &approval->id) || !ReadText(in, &approval->approval) || !in->Count(&count))
    return false;
  approval->approvers.resize(count);
  for (std::string& person : approval->approvers) ReadText(in, &person);
  if (!ReadText(in, &approval->binding) || !in->Count(&count, sizeof(int64_t))) return false;
  approval->approved_measures.resize(count);
  for (int64_t& measure : approval->approved_measures) in->I64(&measure);
  if (!in->I64(&approval->given.us) || !in->I64(&approval->expires.us) ||
      !in->U32(&approval->uses_left))
    return false;
  return !with_signatures ||
         (ReadSignatures(in, &approval->signatures) && ReadText(in, &approval->request));
}

void AppendAccessRequest(ByteWriter* out, const AccessRequest& r) {
  for (const std::string* text :
       {&r.id, &r.approval, &r.binding, &r.person, &r.agent, &r.instance, &r.task, &r.action,
        &r.type, &r.resource, &r.shown, &r.requested_by, &r.approval_id})
    out->String(*text);
  out->Varint(r.approved_measures.size());
  for (int64_t measure : r.approved_measures) out->I64(measure);
  out->I64(r.created.us);
  out->I64(r.expires.us);
  out->U8(static_cast<uint8_t>(r.state));
  AppendSignatures(out, r.signatures);
}

bool ReadAccessRequest(ByteReader* in, AccessRequest* r) {
  for (std::string* text :
       {&r->id, &r->approval, &r->binding, &r->person, &r->agent, &r->instance, &r->task,
        &r->action, &r->type, &r->resource, &r->shown, &r->requested_by, &r->approval_id})
    ReadText(in, text);
  uint32_t count = 0;
  if (!in->Count(&count, sizeof(int64_t))) return false;
  r->approved_measures.resize(count);
  for (int64_t& measure : r->approved_measures) in->I64(&measure);
  uint8_t state = 0;
  if (!in->I64(&r->created.us) || !in->I64(&r->expires.us) || !in->U8(&state) ||
      state > static_cast<uint8_t>(AccessState::kWithdrawn))
    return false;
  r->state = static_cast<AccessState>(state);
  return ReadSignatures(in, &r->signatures);
}

}  // namespace dpl
