// See record.h.
#include "server/api/record.h"

#include "runtime/json/wire_text.h"

namespace dpl {

Recorder::Recorder(AuditTrail* trail, bool seal) : trail_(trail), seal_(trail != nullptr && seal) {
  if (trail == nullptr) return;
  lane_ = trail->OpenLane();
  DPL_CHECK(lane_ != nullptr);
}

void Recorder::Use(std::shared_ptr<const Snapshot> snapshot, std::string_view members) {
  if (lane_ == nullptr) return;
  auto in_force = std::make_shared<RecordInForce>();
  in_force->snapshot = std::move(snapshot);
  in_force->members = members;
  lane_->Use(std::move(in_force));
}

DecisionState* Recorder::Begin(DecisionState* store) {
  if (!seal_) return store;
  witness_.clear();
  return &recorder_.emplace(store, &witness_);
}

// As a request of its own would have it. Items mostly share their subject and action.
std::string_view Recorder::BodyOf(const WireValue* const (&members)[4]) {
  auto add = [&](std::string_view name, const WireValue* member) {
    if (member == nullptr) return;
    if (body_.size() > 1) body_.push_back(',');
    body_.append(name);
    AppendWireText(&body_, *member);
  };
  if (shared_ != 0 && members[0] == before_[0] && members[1] == before_[1]) {
    body_.resize(shared_);
  } else {
    body_.assign("{");
    add("\"subject\":", members[0]);
    add("\"action\":", members[1]);
    before_[0] = members[0], before_[1] = members[1];
    shared_ = body_.size();
  }
  add("\"resource\":", members[2]);
  add("\"context\":", members[3]);
  body_.push_back('}');
  return body_;
}

bool Recorder::Decided(const Snapshot& snapshot, const Request& request, const Decision& decision,
                       Answered answered, ReplyHold* hold) {
  if (trail_ == nullptr) return true;
  parameters_.clear();
  AppendParameters(&parameters_, snapshot.program(), decision, request);
  answered.context.parameters = parameters_;
  SealedItem item;
  if (seal_) {
    if (answered.question.body.empty()) answered.question.body = BodyOf(answered.members);
    answered.question.witness = witness_;
    item = {answered.context.evaluation_id, AnswerSumOf(answered.answer), answered.question};
  }
  entry_.Write(request, decision, answered.context, seal_ ? &item : nullptr);
  const bool waits = WaitsForRecord(decision);
  const uint64_t ticket = lane_->Append(entry_.fixed(), entry_.values(), decision.now,
                                        waits ? AuditSync::kTurn : AuditSync::kSoon);
  if (waits) hold->Join({0, ticket});
  return ticket != 0 || trail_->mode() == AuditMode::kAvailable;
}

bool Recorder::Searched(const Request& request, const SearchTold& told, bool waits,
                        ReplyHold* hold) {
  if (trail_ == nullptr) return true;
  text_.clear();
  AppendSearchRecord(&text_, request, told);
  const Recorded recorded = trail_->Put(text_, waits ? AuditSync::kNow : AuditSync::kSoon);
  if (waits) hold->Join({0, recorded.ticket});
  return recorded.ok;
}

void Recorder::Refused(const RefusedQuestion& refused) {
  if (trail_ == nullptr) return;
  text_.clear();
  AppendRefusedRecord(&text_, refused);
  (void)trail_->Put(text_, AuditSync::kSoon);
}

}  // namespace dpl
