// What a thread that decided hands to the log's thread: the few things a record says of a decision,
// copied out of everything that will be gone then; and the records made of them there.
//
//   auto in_force = std::make_shared<RecordInForce>(…);   // the lane uses it (lane.h)
//   EntryWriter entry;                                    // one per thread
//   entry.Write(request, decision, context, item);
//   lane->Append(entry.fixed(), entry.values(), decision.now, sync);
//
//   log->SetRenderer(std::make_unique<DecisionRecords>(vault, seal));   // before the first lane
//
// An entry has two parts: `fixed` is the same for decisions that differ in names, numbers and times
// alone, `values` has those. The bytes are for this process alone. Writing them costs a fraction of
// a microsecond; sealing and the record's text (record.h, shape.h) are the log's thread's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/log.h"
#include "runtime/audit/question.h"
#include "runtime/audit/record.h"
#include "runtime/audit/terms.h"

namespace dpl {

class AuditShapes;

// What entries of a lane refer to: LaneContext.
struct RecordInForce {
  std::shared_ptr<const Snapshot> snapshot;
  std::string members;  // RecordContext::in_force
};

class EntryWriter {
 public:
  // With a null `item` nothing is kept for a replay. The views below live until the next call.
  void Write(const Request& request, const Decision& decision, const RecordContext& context,
             const SealedItem* item);
  std::string_view fixed() const { return fixed_.text(); }
  std::string_view values() const { return values_.text(); }

  // Bytes behind each other in memory that is kept.
  struct Buffer {
    std::string bytes = std::string(1024, '\0');
    size_t size = 0;
    std::string_view text() const { return {bytes.data(), size}; }
  };

 private:
  Buffer fixed_, values_;
};

class DecisionRecords final : public AuditRenderer {
 public:
  // Null vault: nothing is sealed, and no digest is keyed.
  DecisionRecords(AuditVault* vault, bool seal);
  ~DecisionRecords() override;

  void BeginSegment() override;
  bool Fits(const AuditLane::Entry& entry) const override;
  void Add(const AuditLane::Entry& entry, uint64_t seq) override;
  void Finish(const Line& line) override;
  // What was in force for them goes as well.
  Status Removed(const std::function<bool(std::string_view digest)>& named) override;

 private:
  struct Unpacked;
  class Source;
  AuditVault* const vault_;
  std::unique_ptr<Sealer> sealer_;
  AuditTerms terms_;
  RecordWriter writer_{&terms_};
  std::unique_ptr<Unpacked> unpacked_;
  std::unique_ptr<AuditShapes> shapes_;
  // What was added: the ends of the records in `text_`, and their times.
  struct Made {
    size_t end = 0;
    Instant time{};
  };
  std::vector<Made> made_;
  std::string text_, record_;
};

}  // namespace dpl
