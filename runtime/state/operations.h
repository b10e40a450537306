// What a durable store writes down: the operations that changed its image, as bytes and back. A
// group of operations is one after the other; doing them again, in order, gives the same image.
//
//   std::string group;  OperationWriter ops(&group);  ops.Revoke(revocation, epoch);
//   Result<uint64_t> done = ReplayGroup(group, &image, ReplayMode::kExact);
//
// docs/state.md lists the operations; a change of their bytes raises kStateFormat (state_file.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/bytes.h"
#include "runtime/base/result.h"
#include "runtime/state/store.h"

namespace dpl {

class MemoryStore;

class OperationWriter {
 public:
  explicit OperationWriter(std::string* out) : out_(out) {}  // appends

  void Commit(const CommitRequest& request, uint64_t epoch, uint64_t reservation);
  void Revoke(const Revocation& revocation, uint64_t epoch);
  void Consent(std::string_view delegation, std::string_view person, const ConsentRecord& consent);
  void Task(const TaskRecord& task);
  void Handoff(const HandoffRecord& handoff);
  void Approval(const ApprovalRecord& approval);
  void AccessRequest(const dpl::AccessRequest& request);
  void Sign(std::string_view id, const Signature& signature, size_t seen, AccessState becomes,
            const ApprovalRecord* approval);
  void Review(std::string_view break_glass, std::string_view person, std::string_view reason,
              std::string_view ticket, const Signature& review);
  void SetUsed(const CounterKey& counter, int64_t used, Instant now);
  void End(uint64_t reservation, std::string_view caller, bool cancel,
           std::optional<int64_t> actual, Instant now);

 private:
  ByteWriter out_;
};

enum class ReplayMode {
  kExact,    // an operation that does not fit the image is an error
  kSalvage,  // records are missing: what can be done is done
};
// How many operations were done. Error "state.corrupt" when the bytes are no operations, or do not
// fit the image.
Result<uint64_t> ReplayGroup(std::string_view group, MemoryStore* image, ReplayMode mode);

// Records, as operations and images spell them.
void AppendConsent(ByteWriter* out, const ConsentRecord& consent);
void AppendTask(ByteWriter* out, const TaskRecord& task);
void AppendApproval(ByteWriter* out, const ApprovalRecord& approval);
bool ReadConsent(ByteReader* in, ConsentRecord* consent);
// Without who opened it as format 3 wrote it.
bool ReadTask(ByteReader* in, TaskRecord* task, bool with_opener);
// Without signatures as format 2 wrote it.
bool ReadApproval(ByteReader* in, ApprovalRecord* approval, bool with_signatures);
void AppendAccessRequest(ByteWriter* out, const AccessRequest& request);
bool ReadAccessRequest(ByteReader* in, AccessRequest* request);

}  // namespace dpl
