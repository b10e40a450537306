// What a decision read of the state, kept so that it can be decided again.
//
//   WitnessRecorder recorder(&store, &bytes);         // bytes: appended to
//   Decide(snapshot, &recorder, request, now, &scratch);
//
//   Result<std::unique_ptr<WitnessState>> state = WitnessState::Parse(bytes);
//   Decide(snapshot, state->get(), request, now, &scratch);   // reads the same, writes nothing
//
// Each read is kept as its kind, a hash of what was asked, and what came back; so is the commit.
// Asked something that was not asked then (another policy may), a WitnessState gives the answer of
// an empty store and says so in `unknown`. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/state/store.h"

namespace dpl {

class WitnessRecorder final : public DecisionState {
 public:
  WitnessRecorder(DecisionState* store, std::string* out) : store_(*store), out_(out) {}

  void FetchRun(uint64_t agent_hash, std::string_view instance, int part) const override {
    store_.FetchRun(agent_hash, instance, part);
  }

  uint64_t Epoch() const override;
  bool IsRevoked(RevokedKind kind, std::string_view name,
                 std::optional<Instant> since) const override;
  bool AnyRevoked(RevokedKind kind) const override;
  std::optional<Revocation> FindRevocation(RevokedKind kind, std::string_view name) const override;
  bool FindConsent(std::string_view delegation, std::string_view person,
                   ConsentRecord* out) const override;
  std::shared_ptr<const TaskRecord> FindTask(std::string_view id) const override;
  bool FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                    bool* bound_to_task) const override;
  bool InstanceBoundTo(std::string_view agent, std::string_view instance,
                       std::string_view task) const override;
  uint64_t InstancesBorn(std::string_view agent, int64_t window_us, Instant now) const override;
  bool HandoffRecorded(std::string_view parent_agent, std::string_view parent_instance,
                       std::string_view child_agent, std::string_view child_instance,
                       std::string_view task) const override;
  bool HasParent(std::string_view child_agent, std::string_view child_instance) const override;
  std::shared_ptr<const ApprovalRecord> FindApproval(std::string_view id) const override;
  bool ActRecorded(std::string_view separate, int side, std::string_view key,
                   std::string_view person, Instant not_before) const override;
  bool FindOpening(std::string_view break_glass, std::string_view person, std::string_view reason,
                   std::string_view ticket, Instant* opened, uint64_t* uses) const override;
  int64_t Used(const CounterKey& counter, Instant now) const override;
  bool FindCharge(std::string_view key, Instant now, uint64_t* reservation, ReservationState* state,
                  std::string* digest) const override;
  int64_t Held(uint64_t reservation, const CounterKey& counter) const override;
  Instant HighTime() const override;
  CommitResult Commit(const CommitRequest& request) override;

 private:
  DecisionState& store_;
  std::string* out_;
};

class WitnessState final : public DecisionState {
 public:
  // Error "audit.witness" when the bytes are no witness. Views into `bytes` are kept.
  static Result<std::unique_ptr<WitnessState>> Parse(std::string_view bytes);

  // What was asked and is not known, in words: "a counter", "a consent" …; empty: everything was.
  const std::vector<std::string>& unknown() const { return unknown_; }

  uint64_t Epoch() const override;
  bool IsRevoked(RevokedKind kind, std::string_view name,
                 std::optional<Instant> since) const override;
  bool AnyRevoked(RevokedKind kind) const override;
  std::optional<Revocation> FindRevocation(RevokedKind kind, std::string_view name) const override;
  bool FindConsent(std::string_view delegation, std::string_view person,
                   ConsentRecord* out) const override;
  std::shared_ptr<const TaskRecord> FindTask(std::string_view id) const override;
  bool FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                    bool* bound_to_task) const override;
  bool InstanceBoundTo(std::string_view agent, std::string_view instance,
                       std::string_view task) const override;
  uint64_t InstancesBorn(std::string_view agent, int64_t window_us, Instant now) const override;
  bool HandoffRecorded(std::string_view parent_agent, std::string_view parent_instance,
                       std::string_view child_agent, std::string_view child_instance,
                       std::string_view task) const override;
  bool HasParent(std::string_view child_agent, std::string_view child_instance) const override;
  std::shared_ptr<const ApprovalRecord> FindApproval(std::string_view id) const override;
  bool ActRecorded(std::string_view separate, int side, std::string_view key,
                   std::string_view person, Instant not_before) const override;
  bool FindOpening(std::string_view break_glass, std::string_view person, std::string_view reason,
                   std::string_view ticket, Instant* opened, uint64_t* uses) const override;
  int64_t Used(const CounterKey& counter, Instant now) const override;
  bool FindCharge(std::string_view key, Instant now, uint64_t* reservation, ReservationState* state,
                  std::string* digest) const override;
  int64_t Held(uint64_t reservation, const CounterKey& counter) const override;
  Instant HighTime() const override;
  CommitResult Commit(const CommitRequest& request) override;

 private:
  struct Answers {
    std::vector<std::string_view> results;  // in the order they came
    size_t next = 0;                        // the last one is given again
  };
  std::string_view Look(uint8_t kind, uint64_t asked) const;  // empty: not known

  mutable std::map<std::pair<uint8_t, uint64_t>, Answers> answers_;
  mutable std::vector<std::string> unknown_;
};

}  // namespace dpl
