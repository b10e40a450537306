// Recorded decisions, decided again: on what was in force then, or on another policy.
//
//   Replayer replayer(vault.get());                 // what was in force then
//   Replayer what_if(vault.get(), other_program);   // the facts and callers of then, another
//   policy Replayed r = replayer.Run(record, sealed);
//
// Without another policy the answer must be the recorded one, byte for byte. With one, outcome and
// reason are compared, and what they rest on: statements, limits with their caps, approvals asked
// for, duties. What the other policy asks of the state that was not asked then cannot be
// known, and is listed. Nothing is written anywhere. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/question.h"
#include "runtime/audit/record.h"
#include "runtime/audit/vault.h"
#include "runtime/audit/witness.h"
#include "runtime/base/arena.h"
#include "runtime/decide/engine.h"
#include "runtime/facts/changes.h"

namespace dpl {

struct Replayed {
  enum class Kind : uint8_t {
    kSkipped,     // no record of a decision
    kSame,        // the same bytes; with another policy: the same outcome and reason, see `grounds`
    kChanged,     // not so
    kCannotTell,  // another policy asked what was not recorded: `missing`; `to` is a guess
    kNotKept,     // there is nothing to run: `why`
    kDamaged,     // what is kept is not what was kept: `why`
  };
  Kind kind = Kind::kSkipped;
  std::string id, time, says;
  std::string who, action;  // "t.helper for E7", "pay app.Doc"
  std::string from, to;     // "permit permit", "deny limit.exceeded"
  std::string why;
  std::vector<std::string> missing;
  // With another policy: what it rests on then and no longer ("- limit t.pay.amount each to 1
  // EUR"), and what it would rest on now ("+ …").
  std::vector<std::string> grounds;
};

class Replayer {
 public:
  // `other`: null for the policy of then. Both outlive the replayer.
  explicit Replayer(AuditVault* vault, std::shared_ptr<const Program> other = nullptr)
      : vault_(*vault), other_(std::move(other)) {}

  // `sealed`: AuditRecord::sealed.
  Replayed Run(std::string_view record, std::string_view sealed = {});

 private:
  Result<const Snapshot*> SnapshotOf(std::string_view bundle, std::string_view facts,
                                     std::string_view built);
  Result<std::unique_ptr<FactsDocument>> FactsOf(std::string_view digest);
  Result<const std::vector<Caller>*> CallersOf(std::string_view digest);
  Result<const SealedItem*> ItemOf(std::string_view sealed, const WireValue& place,
                                   std::string_view id);

  AuditVault& vault_;
  std::shared_ptr<const Program> other_;
  std::map<std::string, std::unique_ptr<Snapshot>> snapshots_;
  std::map<std::string, std::vector<Caller>> callers_;
  std::string opened_;  // the record that these were sealed in
  std::optional<Result<SealedItems>> items_;
  Arena record_arena_, request_arena_;
  Scratch scratch_;
  std::string answer_, text_;
  RecordWriter writer_;  // of what another policy would have recorded
};

}  // namespace dpl
