// Requests for access, who signed them, and reviews of emergency openings.
#include <algorithm>

#include "runtime/state/memory_store.h"

namespace dpl {

using ReadLock = std::shared_lock<std::shared_mutex>;
using WriteLock = std::unique_lock<std::shared_mutex>;

std::shared_ptr<const AccessRequest> MemoryStore::FindAccessRequest(std::string_view id) const {
  ReadLock lock(mutex_);
  const auto* found = requests_.Find(id);
  return found == nullptr ? nullptr : found->value;
}

Status MemoryStore::OpenAccessRequest(const AccessRequest& request) {
  WriteLock lock(mutex_);
  DPL_RETURN_IF_ERROR(RequestRoom(request.id));
  requests_.Emplace(request.id, std::make_shared<const AccessRequest>(request));
  return Status::Ok();
}

Status MemoryStore::SignAccessRequest(std::string_view id, const Signature& signature, size_t seen,
                                      AccessState becomes, const ApprovalRecord* approval) {
  DPL_CHECK((approval != nullptr) == (becomes == AccessState::kApproved));
  if (approval != nullptr) {
    if (FindApproval(approval->id) != nullptr)
      return Error{"approval.exists", "an approval of this name is recorded already"};
    DPL_RETURN_IF_ERROR(RoomForApproval());
  }
  std::string_view granted = approval == nullptr ? std::string_view() : approval->id;
  DPL_RETURN_IF_ERROR(PutSignature(id, signature, seen, becomes, granted));
  return approval == nullptr ? Status::Ok() : RecordApproval(*approval);
}

Status MemoryStore::PutSignature(std::string_view id, const Signature& signature, size_t seen,
                                 AccessState becomes, std::string_view approval) {
  WriteLock lock(mutex_);
  auto* it = requests_.Find(id);
  if (it == nullptr) return Error{"access.unknown", "there is no such request for access"};
  const AccessRequest& now = *it->value;
  if (now.state != AccessState::kPending)
    return Error{"access.closed", "this request for access is settled"};
  if (now.expires <= signature.at)
    return Error{"access.expired", "this request for access waited too long"};
  bool again = std::any_of(now.signatures.begin(), now.signatures.end(), [&](const Signature& s) {
    return !s.person.empty() && s.person == signature.person;
  });
  if (again) return Error{"access.signed", "this person has signed already"};
  if (now.signatures.size() != seen)
    return Error{"access.moved", "somebody else has signed meanwhile"};
  AccessRequest next = now;
  if (!signature.person.empty()) next.signatures.push_back(signature);
  next.state = becomes;
  next.approval_id = approval;
  it->value = std::make_shared<const AccessRequest>(std::move(next));
  return Status::Ok();
}

Status MemoryStore::ReviewOpening(std::string_view break_glass, std::string_view person,
                                  std::string_view reason, std::string_view ticket,
                                  const Signature& review) {
  JoinedKey key({break_glass, person, reason, ticket});
  WriteLock lock(mutex_);
  auto* it = openings_.Find(key);
  if (it == nullptr) return Error{"opening.unknown", "there is no such opening"};
  OpeningRecord& opening = it->value;
  if (!opening.reviewed_by.empty() && opening.last_used <= opening.reviewed_at)
    return Error{"opening.reviewed", "this opening is reviewed"};
  opening.reviewed_by = review.person;
  opening.reviewed_at = review.at;
  opening.review_note = review.note;
  return Status::Ok();
}

}  // namespace dpl
