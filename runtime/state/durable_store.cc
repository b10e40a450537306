// Changes and promises; the files and threads are in durable_files.cc.
#include "runtime/state/durable_store.h"

#include <utility>

#include "runtime/state/operations.h"

namespace dpl {

// ---------------------------------------------------------------- changes

uint64_t DurableStore::Appended() {
  if (std::exchange(waiting_, false)) work_.notify_one();  // one wake for all that comes meanwhile
  ++operations_;
  return written_.fetch_add(1, std::memory_order_acq_rel) + 1;
}

CommitResult DurableStore::Commit(const CommitRequest& request) {
  CommitResult result;
  Lock lock(order_);
  if (failed_.load(std::memory_order_acquire)) {
    result.outcome = CommitOutcome::kFailed;
    return result;
  }
  result = image_.Commit(request);
  // A replay promises again what the first answer may still be waiting for.
  if (result.outcome == CommitOutcome::kReplayed) result.ticket = written_;
  if (result.outcome != CommitOutcome::kDone) return result;
  OperationWriter(&pending_).Commit(request, request.epoch, result.reservation);
  result.ticket = Appended();
  return result;
}

uint64_t DurableStore::Revoke(const Revocation& revocation) {
  Lock lock(order_);
  uint64_t epoch = image_.Revoke(revocation);
  OperationWriter(&pending_).Revoke(revocation, epoch);
  Appended();
  return epoch;
}

void DurableStore::GiveConsent(std::string_view delegation, std::string_view person,
                               const ConsentRecord& consent) {
  Lock lock(order_);
  OperationWriter(&pending_).Consent(delegation, person, consent);
  // One that covers nothing is a withdrawal: at once, and once more behind any that is under way.
  if (consent.reach.empty()) image_.GiveConsent(delegation, person, consent);
  Give([delegation = std::string(delegation), person = std::string(person),
        consent](MemoryStore* image) { image->GiveConsent(delegation, person, consent); });
  Appended();
}

Status DurableStore::OpenTask(const TaskRecord& task) {
  Lock lock(order_);
  if (failed_) return Failed();
  std::string name = "task " + task.id;
  if (image_.FindTask(task.id) != nullptr || !promised_.insert(name).second)
    return Error{"task.exists", "a task of this name is open already"};
  Status room = image_.RoomForTask();
  if (!room.ok()) {
    promised_.erase(name);
    return room;
  }
  OperationWriter(&pending_).Task(task);
  Give([this, task, name](MemoryStore* image) {
    image->PutTask(task);
    promised_.erase(name);
  });
  Appended();
  return Status::Ok();
}

Status DurableStore::RecordApproval(const ApprovalRecord& approval) {
  Lock lock(order_);
  if (failed_) return Failed();
  std::string name = "approval " + approval.id;
  if (image_.FindApproval(approval.id) != nullptr || !promised_.insert(name).second)
    return Error{"approval.exists", "an approval of this name is recorded already"};
  Status room = image_.RoomForApproval();
  if (!room.ok()) {
    promised_.erase(name);
    return room;
  }
  OperationWriter(&pending_).Approval(approval);
  Give([this, approval, name](MemoryStore* image) {
    image->PutApproval(approval);
    promised_.erase(name);
  });
  Appended();
  return Status::Ok();
}

Status DurableStore::RecordHandoff(const HandoffRecord& h) {
  Lock lock(order_);
  if (failed_) return Failed();
  std::string parent = JoinedKey({h.parent_agent, h.parent_instance}).ToString();
  std::string child;
  if (!h.child_instance.empty()) {
    child = JoinedKey({h.child_agent, h.child_instance}).ToString();
    // What is settled changes nothing: the image says what it says.
    if (parent == child || image_.HasParent(h.child_agent, h.child_instance))
      return image_.RecordHandoff(h);
    auto [it, made] = promised_parents_.try_emplace(child, parent);
    if (!made && it->second == parent) return Status::Ok();
    if (!made) return Error{"handoff.parent", "this instance has another parent already"};
  }
  Status room = image_.RoomForHandoff();
  if (!room.ok()) {
    promised_parents_.erase(child);
    return room;
  }
  OperationWriter(&pending_).Handoff(h);
  Give([this, child, h](MemoryStore* image) {
    DPL_CHECK(image->PutHandoff(h).ok());
    promised_parents_.erase(child);
  });
  Appended();
  return Status::Ok();
}

// A request for access permits nothing, so it and its signatures count at once; the approval that
// comes of it counts when it is kept.
Status DurableStore::OpenAccessRequest(const AccessRequest& request) {
  Lock lock(order_);
  if (failed_) return Failed();
  DPL_RETURN_IF_ERROR(image_.OpenAccessRequest(request));
  OperationWriter(&pending_).AccessRequest(request);
  Appended();
  return Status::Ok();
}

Status DurableStore::SignAccessRequest(std::string_view id, const Signature& signature, size_t seen,
                                       AccessState becomes, const ApprovalRecord* approval) {
  DPL_CHECK((approval != nullptr) == (becomes == AccessState::kApproved));
  Lock lock(order_);
  if (failed_) return Failed();
  std::string name;
  if (approval != nullptr) {
    name = "approval " + approval->id;
    if (image_.FindApproval(approval->id) != nullptr || promised_.contains(name))
      return Error{"approval.exists", "an approval of this name is recorded already"};
    DPL_RETURN_IF_ERROR(image_.RoomForApproval());
  }
  DPL_RETURN_IF_ERROR(image_.PutSignature(id, signature, seen, becomes,
                                          approval == nullptr ? std::string_view() : approval->id));
  OperationWriter(&pending_).Sign(id, signature, seen, becomes, approval);
  if (approval != nullptr) {
    promised_.insert(name);
    Give([this, approval = *approval, name](MemoryStore* image) {
      image->PutApproval(approval);
      promised_.erase(name);
    });
  }
  Appended();
  return Status::Ok();
}

Status DurableStore::ReviewOpening(std::string_view break_glass, std::string_view person,
                                   std::string_view reason, std::string_view ticket,
                                   const Signature& review) {
  Lock lock(order_);
  if (failed_) return Failed();
  DPL_RETURN_IF_ERROR(image_.ReviewOpening(break_glass, person, reason, ticket, review));
  OperationWriter(&pending_).Review(break_glass, person, reason, ticket, review);
  Appended();
  return Status::Ok();
}

void DurableStore::SetUsed(const CounterKey& counter, int64_t used, Instant now) {
  Lock lock(order_);
  image_.SetUsed(counter, used, now);
  OperationWriter(&pending_).SetUsed(counter, used, now);
  Appended();
}

Status DurableStore::End(uint64_t reservation, std::string_view caller, bool cancel,
                         std::optional<int64_t> actual, Instant now) {
  Lock lock(order_);
  if (failed_) return Failed();
  MemoryStore::Returns returns;
  Status done = image_.End(reservation, caller, cancel, actual, now, &returns);
  if (!done.ok() && done.error().code != "reservation.overrun") return done;
  OperationWriter(&pending_).End(reservation, caller, cancel, actual, now);
  if (!returns.empty())
    Give([returns = std::move(returns)](MemoryStore* image) { image->GiveBack(returns); });
  Appended();
  return done;
}

Status DurableStore::Confirm(uint64_t reservation, std::string_view caller,
                             std::optional<int64_t> actual, Instant now) {
  return End(reservation, caller, /*cancel=*/false, actual, now);
}

Status DurableStore::Cancel(uint64_t reservation, std::string_view caller, Instant now) {
  return End(reservation, caller, /*cancel=*/true, std::nullopt, now);
}

// ---------------------------------------------------------------- promises

uint64_t DurableStore::Written() const { return written_.load(std::memory_order_acquire); }

Promise DurableStore::Check(uint64_t ticket) const {
  if (ticket <= kept_.load(std::memory_order_seq_cst)) return Promise::kKept;
  return failed_.load(std::memory_order_seq_cst) ? Promise::kBroken : Promise::kPending;
}

Status DurableStore::Sync() {
  if (options_.read_only) return Status::Ok();
  Lock lock(order_);
  uint64_t ticket = written_;
  done_.wait(lock, [&] { return Check(ticket) != Promise::kPending; });
  return Check(ticket) == Promise::kKept && !failed_ ? Status::Ok() : Status(Failed());
}

void DurableStore::OnKept(std::function<void()> wake) {
  Lock lock(order_);
  wakes_.push_back(std::move(wake));
}

StoreHealth DurableStore::Health() const {
  Lock lock(order_);
  StoreHealth health;
  health.kind = "durable";
  health.place = options_.folder;
  health.writable = !failed_;
  health.error = error_.empty() ? tidy_error_ : error_;
  health.groups = groups_;
  health.operations = operations_;
  health.log_bytes = log_size_.load() + old_log_bytes_.load();
  lock.unlock();
  health.held = image_.HeldNow();
  return health;
}

}  // namespace dpl
