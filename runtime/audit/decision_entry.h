// What a thread that decided hands to the log's thread: the few things a record says of a decision,
// copied out of everything that will be gone then; and the records made of them there.
//
//   auto in_force = std::make_shared<RecordInForce>(…);   // the lane uses it (lane.h)
//   AppendDecisionEntry(&bytes, request, decision, context, question, answer);
//   lane->Append(bytes, decision.now, sync);
//
//   log->SetRenderer(std::make_unique<DecisionRecords>(vault, seal));   // before the first lane
//
// The bytes are for this process alone. Writing them costs a fraction of a microsecond; sealing and
// the record's text (record.h) are the log's thread's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/audit/log.h"
#include "runtime/audit/question.h"
#include "runtime/audit/record.h"
#include "runtime/audit/terms.h"

namespace dpl {

// What entries of a lane refer to: LaneContext.
struct RecordInForce {
  std::shared_ptr<const Snapshot> snapshot;
  std::string members;  // RecordContext::in_force
};

void AppendDecisionEntry(std::string* out, const Request& request, const Decision& decision,
                         const RecordContext& context, const SealedQuestion& question,
                         std::string_view answer);

class DecisionRecords final : public AuditRenderer {
 public:
  // Null vault: nothing is sealed, and no digest is keyed.
  DecisionRecords(AuditVault* vault, bool seal);
  ~DecisionRecords() override;

  void BeginSegment() override;
  void Render(const AuditLane::Entry& entry, std::string* first, std::string* record) override;

 private:
  struct Unpacked;
  AuditVault* const vault_;
  std::unique_ptr<Sealer> sealer_;
  AuditTerms terms_;
  RecordWriter writer_{&terms_};
  std::unique_ptr<Unpacked> unpacked_;
};

}  // namespace dpl
