// See record.h.
#include "server/api/record.h"

#include "runtime/json/wire_text.h"

namespace dpl {

Recorder::Recorder(AuditTrail* trail, AuditVault* vault, bool seal, uint32_t thread)
    : trail_(trail), vault_(vault) {
  if (trail != nullptr && vault != nullptr && seal) sealer_.emplace(vault, thread);
}

DecisionState* Recorder::Begin(DecisionState* store) {
  if (!sealer_) return store;
  witness_.clear();
  return &recorder_.emplace(store, &witness_);
}

bool Recorder::Decided(const Snapshot& snapshot, const Request& request, const Decision& decision,
                       Answered answered, ReplyHold* hold) {
  if (trail_ == nullptr) return true;
  RecordContext& context = answered.context;
  if (vault_ != nullptr) context.digest_key = vault_->digest_key();
  if (sealer_) {
    if (answered.question.body.empty()) {
      static constexpr std::string_view kNames[4] = {
          "\"subject\":", "\"action\":", "\"resource\":", "\"context\":"};
      body_.assign("{");
      for (size_t i = 0; i < 4; ++i) {
        if (answered.members[i] == nullptr) continue;
        if (body_.size() > 1) body_.push_back(',');
        body_.append(kNames[i]);
        AppendWireText(&body_, *answered.members[i]);
      }
      body_.push_back('}');
      answered.question.body = body_;
    }
    answered.question.witness = witness_;
    if (sealer_->Seal(decision.now, context.evaluation_id, answered.question)) {
      context.seal_key = sealer_->key_id();
      context.box = sealer_->box();
    }
  } else {
    context.answer = {};  // only a replay asks for its digest
  }
  line_.clear();
  writer_.Append(&line_, snapshot, request, decision, context);
  const bool waits = WaitsForRecord(decision);
  const Recorded recorded = trail_->Put(line_, waits ? AuditSync::kNow : AuditSync::kSoon);
  if (waits) hold->Join({0, recorded.ticket});
  return recorded.ok;
}

void Recorder::Refused(const RefusedQuestion& refused) {
  if (trail_ == nullptr) return;
  line_.clear();
  AppendRefusedRecord(&line_, refused);
  (void)trail_->Put(line_, AuditSync::kSoon);
}

}  // namespace dpl
