// See witness.h. An entry: kind, hash of what was asked (not for kinds without), length of what
// came back, and that.
#include "runtime/audit/witness.h"

#include <algorithm>

#include "runtime/base/bytes.h"

namespace dpl {
namespace {

enum Kind : uint8_t {
  kEpoch = 1,
  kIsRevoked,
  kAnyRevoked,
  kFindConsent,
  kFindTask,
  kFindInstance,
  kInstanceBoundTo,
  kInstancesBorn,
  kHandoffRecorded,
  kHasParent,
  kFindApproval,
  kActRecorded,
  kFindOpening,
  kUsed,
  kFindCharge,
  kHeld,
  kHighTime,
  kCommit,
  kFindRevocation,
  kKinds
};
constexpr const char* kWords[kKinds] = {"",
                                        "the epoch",
                                        "a revocation",
                                        "revocations of a kind",
                                        "a consent",
                                        "a task",
                                        "a run of an agent",
                                        "a run's task",
                                        "the runs of an agent",
                                        "a hand-off",
                                        "a run's parent",
                                        "an approval",
                                        "an act",
                                        "an emergency opening",
                                        "a counter",
                                        "a charge key",
                                        "a reservation",
                                        "the highest time",
                                        "the commit",
                                        "a revocation"};

// A hash of what was asked. Not keyed: it only tells questions of one decision from each other.
class Asked {
 public:
  Asked& Text(std::string_view text) {
    Number(static_cast<int64_t>(text.size()));
    while (text.size() >= 8) {
      uint64_t word;
      __builtin_memcpy(&word, text.data(), 8);
      Mix(word);
      text.remove_prefix(8);
    }
    uint64_t last = 0;
    for (char c : text) last = last << 8 | static_cast<uint8_t>(c);
    Mix(last);
    return *this;
  }
  Asked& Number(int64_t number) {
    Mix(static_cast<uint64_t>(number));
    return *this;
  }
  Asked& Counter(const CounterKey& key) {
    return Text(key.identity)
        .Number(static_cast<int64_t>(key.window))
        .Number(key.start.us)
        .Number(key.end.us)
        .Number(key.sliding_us);
  }
  uint64_t hash() const { return hash_; }

 private:
  void Mix(uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15ull;
    hash_ ^= hash_ >> 32;
  }
  uint64_t hash_ = 0x243f6a8885a308d3ull;
};

uint64_t AskedCommit(const CommitRequest& r) {
  Asked asked;
  for (const Charge& charge : r.charges) asked.Counter(charge.counter).Number(charge.quantity);
  for (std::string_view approval : r.approvals) asked.Text(approval);
  for (const CommitRequest::Act& act : r.acts)
    asked.Text(act.separate).Number(act.side).Text(act.key).Text(act.person);
  for (const CommitRequest::Seen& seen : r.instances)
    asked.Text(seen.agent).Text(seen.instance).Text(seen.task);
  if (r.opening != nullptr) asked.Text(r.opening->break_glass).Text(r.opening->person);
  return asked.Text(r.charge_key).hash();
}

// Kinds of which little is asked: one byte says it.
constexpr bool IsSmall(uint8_t kind) {
  return kind == kEpoch || kind == kAnyRevoked || kind == kHighTime;
}

// The front of an entry; put together first, as each decision writes several.
struct Front {
  char text[1 + 8 + 2 + 1];
  size_t size = 0;
  Front(Kind kind, uint64_t asked, uint16_t length) {
    text[size++] = static_cast<char>(kind);
    if (IsSmall(kind)) {
      text[size++] = static_cast<char>(asked);
    } else {
      for (int i = 0; i < 64; i += 8) text[size++] = static_cast<char>(asked >> i);
    }
    text[size++] = static_cast<char>(length);
    text[size++] = static_cast<char>(length >> 8);
  }
};

// One entry being written; its length is patched in at the end.
class Entry {
 public:
  Entry(std::string* out, Kind kind, uint64_t asked) : out_(out), w_(out) {
    const Front front(kind, asked, 0);
    out_->append(front.text, front.size);
    start_ = out_->size();
  }
  Entry(std::string* out, Kind kind, const Asked& asked) : Entry(out, kind, asked.hash()) {}
  ~Entry() {
    // What is too long is left out, and then unknown.
    const size_t size = out_->size() - start_;
    if (size > UINT16_MAX) {
      out_->resize(start_);
      return;
    }
    (*out_)[start_ - 2] = static_cast<char>(size);
    (*out_)[start_ - 1] = static_cast<char>(size >> 8);
  }
  ByteWriter& w() { return w_; }

 private:
  std::string* out_;
  ByteWriter w_;
  size_t start_ = 0;
};

constexpr uint64_t kNothing = 0;  // asked of kinds that take no argument

bool Flag(std::string* out, Kind kind, uint64_t asked, bool value) {
  Front front(kind, asked, 1);
  front.text[front.size++] = value ? '\1' : '\0';
  out->append(front.text, front.size);
  return value;
}

bool ReadFlag(std::string_view result) { return !result.empty() && result[0] == 1; }

int64_t ReadNumber(std::string_view result, int64_t otherwise) {
  ByteReader r(result);
  int64_t value = 0;
  return r.SignedVarint(&value) ? value : otherwise;
}

Asked AskRevoked(RevokedKind kind, std::string_view name, std::optional<Instant> since) {
  return Asked()
      .Number(static_cast<int64_t>(kind))
      .Text(name)
      .Number(since ? since->us : INT64_MIN);
}
Asked AskTwo(std::string_view a, std::string_view b) { return Asked().Text(a).Text(b); }
Asked AskThree(std::string_view a, std::string_view b, std::string_view c) {
  return Asked().Text(a).Text(b).Text(c);
}
Asked AskFive(std::string_view a, std::string_view b, std::string_view c, std::string_view d,
              std::string_view e) {
  return Asked().Text(a).Text(b).Text(c).Text(d).Text(e);
}

bool ReadAsked(ByteReader* r, uint8_t kind, uint64_t* asked) {
  if (!IsSmall(kind)) return r->U64(asked);
  uint8_t small = 0;
  if (!r->U8(&small)) return false;
  *asked = small;
  return true;
}

std::string Copy(ByteReader* r) {
  std::string_view text;
  r->String(&text);
  return std::string(text);
}

}  // namespace

// ---------------------------------------------------------------- recording

uint64_t WitnessRecorder::Epoch() const {
  const uint64_t value = store_.Epoch();
  Entry(out_, kEpoch, kNothing).w().SignedVarint(static_cast<int64_t>(value));
  return value;
}

bool WitnessRecorder::IsRevoked(RevokedKind kind, std::string_view name,
                                std::optional<Instant> since) const {
  return Flag(out_, kIsRevoked, AskRevoked(kind, name, since).hash(),
              store_.IsRevoked(kind, name, since));
}

bool WitnessRecorder::AnyRevoked(RevokedKind kind) const {
  return Flag(out_, kAnyRevoked, static_cast<uint64_t>(kind), store_.AnyRevoked(kind));
}

std::optional<Revocation> WitnessRecorder::FindRevocation(RevokedKind kind,
                                                          std::string_view name) const {
  std::optional<Revocation> found = store_.FindRevocation(kind, name);
  Entry entry(out_, kFindRevocation, AskRevoked(kind, name, {}));
  entry.w().U8(found ? 1 : 0);
  if (!found) return found;
  entry.w().String(found->name);
  entry.w().U8(found->before ? 1 : 0);
  entry.w().SignedVarint(found->before ? found->before->us : 0);
  entry.w().SignedVarint(found->at.us);
  entry.w().String(found->by);
  entry.w().String(found->because);
  entry.w().Varint(found->epoch);
  return found;
}

bool WitnessRecorder::FindConsent(std::string_view delegation, std::string_view person,
                                  ConsentRecord* out) const {
  const bool found = store_.FindConsent(delegation, person, out);
  Entry entry(out_, kFindConsent, AskTwo(delegation, person));
  entry.w().U8(found ? 1 : 0);
  if (!found) return false;
  entry.w().SignedVarint(out->at.us);
  entry.w().U8(static_cast<uint8_t>((out->whole_day ? 1 : 0) | (out->from_facts ? 2 : 0)));
  entry.w().Varint(out->reach.size());
  for (uint64_t reach : out->reach) entry.w().U64(reach);
  return true;
}

std::shared_ptr<const TaskRecord> WitnessRecorder::FindTask(std::string_view id) const {
  std::shared_ptr<const TaskRecord> task = store_.FindTask(id);
  Entry entry(out_, kFindTask, Asked().Text(id));
  entry.w().U8(task != nullptr ? 1 : 0);
  if (task == nullptr) return task;
  for (const std::string* text : {&task->id, &task->shape, &task->person, &task->agent})
    entry.w().String(*text);
  entry.w().SignedVarint(task->opened.us);
  entry.w().SignedVarint(task->expires.us);
  entry.w().Varint(task->args.size());
  for (const auto& [name, value] : task->args) {
    entry.w().String(name);
    entry.w().String(value);
  }
  return task;
}

bool WitnessRecorder::FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                                   bool* bound_to_task) const {
  const bool found = store_.FindInstance(agent, instance, born, bound_to_task);
  Entry entry(out_, kFindInstance, AskTwo(agent, instance));
  entry.w().U8(found ? 1 : 0);
  if (!found) return false;
  entry.w().SignedVarint(born->us);
  entry.w().U8(*bound_to_task ? 1 : 0);
  return true;
}

bool WitnessRecorder::InstanceBoundTo(std::string_view agent, std::string_view instance,
                                      std::string_view task) const {
  return Flag(out_, kInstanceBoundTo, AskThree(agent, instance, task).hash(),
              store_.InstanceBoundTo(agent, instance, task));
}

uint64_t WitnessRecorder::InstancesBorn(std::string_view agent, int64_t window_us,
                                        Instant now) const {
  const uint64_t value = store_.InstancesBorn(agent, window_us, now);
  Entry(out_, kInstancesBorn, Asked().Text(agent).Number(window_us))
      .w()
      .SignedVarint(static_cast<int64_t>(value));
  return value;
}

bool WitnessRecorder::HandoffRecorded(std::string_view parent_agent,
                                      std::string_view parent_instance,
                                      std::string_view child_agent, std::string_view child_instance,
                                      std::string_view task) const {
  return Flag(
      out_, kHandoffRecorded,
      AskFive(parent_agent, parent_instance, child_agent, child_instance, task).hash(),
      store_.HandoffRecorded(parent_agent, parent_instance, child_agent, child_instance, task));
}

bool WitnessRecorder::HasParent(std::string_view child_agent,
                                std::string_view child_instance) const {
  return Flag(out_, kHasParent, AskTwo(child_agent, child_instance).hash(),
              store_.HasParent(child_agent, child_instance));
}

std::shared_ptr<const ApprovalRecord> WitnessRecorder::FindApproval(std::string_view id) const {
  std::shared_ptr<const ApprovalRecord> record = store_.FindApproval(id);
  Entry entry(out_, kFindApproval, Asked().Text(id));
  entry.w().U8(record != nullptr ? 1 : 0);
  if (record == nullptr) return record;
  for (const std::string* text : {&record->id, &record->approval, &record->binding})
    entry.w().String(*text);
  entry.w().Varint(record->approvers.size());
  for (const std::string& approver : record->approvers) entry.w().String(approver);
  entry.w().Varint(record->approved_measures.size());
  for (int64_t measure : record->approved_measures) entry.w().SignedVarint(measure);
  entry.w().SignedVarint(record->given.us);
  entry.w().SignedVarint(record->expires.us);
  entry.w().Varint(record->uses_left);
  return record;
}

bool WitnessRecorder::ActRecorded(std::string_view separate, int side, std::string_view key,
                                  std::string_view person, Instant not_before) const {
  return Flag(
      out_, kActRecorded,
      Asked().Text(separate).Number(side).Text(key).Text(person).Number(not_before.us).hash(),
      store_.ActRecorded(separate, side, key, person, not_before));
}

bool WitnessRecorder::FindOpening(std::string_view break_glass, std::string_view person,
                                  std::string_view reason, std::string_view ticket, Instant* opened,
                                  uint64_t* uses) const {
  const bool found = store_.FindOpening(break_glass, person, reason, ticket, opened, uses);
  Entry entry(out_, kFindOpening, AskFive(break_glass, person, reason, ticket, {}));
  entry.w().U8(found ? 1 : 0);
  if (!found) return false;
  entry.w().SignedVarint(opened->us);
  entry.w().Varint(*uses);
  return true;
}

int64_t WitnessRecorder::Used(const CounterKey& counter, Instant now) const {
  const int64_t value = store_.Used(counter, now);
  Entry(out_, kUsed, Asked().Counter(counter)).w().SignedVarint(value);
  return value;
}

bool WitnessRecorder::FindCharge(std::string_view key, Instant now, uint64_t* reservation,
                                 ReservationState* state, std::string* digest) const {
  const bool found = store_.FindCharge(key, now, reservation, state, digest);
  Entry entry(out_, kFindCharge, Asked().Text(key));
  entry.w().U8(found ? 1 : 0);
  if (!found) return false;
  entry.w().Varint(*reservation);
  entry.w().U8(static_cast<uint8_t>(*state));
  entry.w().String(*digest);
  return true;
}

int64_t WitnessRecorder::Held(uint64_t reservation, const CounterKey& counter) const {
  const int64_t value = store_.Held(reservation, counter);
  Entry(out_, kHeld, Asked().Number(static_cast<int64_t>(reservation)).Counter(counter))
      .w()
      .SignedVarint(value);
  return value;
}

Instant WitnessRecorder::HighTime() const {
  const Instant value = store_.HighTime();
  Entry(out_, kHighTime, kNothing).w().SignedVarint(value.us);
  return value;
}

CommitResult WitnessRecorder::Commit(const CommitRequest& request) {
  const CommitResult result = store_.Commit(request);
  Entry entry(out_, kCommit, AskedCommit(request));
  ByteWriter& w = entry.w();
  w.U8(static_cast<uint8_t>(result.outcome));
  w.Varint(result.reservation);
  w.SignedVarint(result.deadline.us);
  w.Varint(result.failed);
  w.SignedVarint(result.opened.us);
  w.Varint(result.uses);
  return result;
}

// ---------------------------------------------------------------- answering

Result<std::unique_ptr<WitnessState>> WitnessState::Parse(std::string_view bytes) {
  std::unique_ptr<WitnessState> state(new WitnessState);
  ByteReader r(bytes);
  while (!r.at_end()) {
    uint8_t kind = 0;
    uint64_t asked = 0;
    uint16_t size = 0;
    std::string_view result;
    if (!r.U8(&kind) || !ReadAsked(&r, kind, &asked) || !r.U16(&size) || !r.Bytes(size, &result) ||
        kind == 0 || kind >= kKinds)
      return Error{"audit.witness", "these bytes are no witness", 0, 0};
    if (size != 0) state->answers_[{kind, asked}].results.push_back(result);
  }
  return state;
}

std::string_view WitnessState::Look(uint8_t kind, uint64_t asked) const {
  auto found = answers_.find({kind, asked});
  if (found == answers_.end()) {
    std::string word = kWords[kind];
    if (std::find(unknown_.begin(), unknown_.end(), word) == unknown_.end())
      unknown_.push_back(std::move(word));
    return {};
  }
  Answers& answers = found->second;
  std::string_view result = answers.results[answers.next];
  if (answers.next + 1 < answers.results.size()) ++answers.next;
  return result;
}

uint64_t WitnessState::Epoch() const {
  return static_cast<uint64_t>(ReadNumber(Look(kEpoch, kNothing), 0));
}

bool WitnessState::IsRevoked(RevokedKind kind, std::string_view name,
                             std::optional<Instant> since) const {
  return ReadFlag(Look(kIsRevoked, AskRevoked(kind, name, since).hash()));
}

bool WitnessState::AnyRevoked(RevokedKind kind) const {
  return ReadFlag(Look(kAnyRevoked, static_cast<uint64_t>(kind)));
}

std::optional<Revocation> WitnessState::FindRevocation(RevokedKind kind,
                                                       std::string_view name) const {
  ByteReader r(Look(kFindRevocation, AskRevoked(kind, name, {}).hash()));
  uint8_t found = 0, bounded = 0;
  if (!r.U8(&found) || found == 0) return std::nullopt;
  Revocation revocation;
  Instant before{};
  revocation.kind = kind;
  revocation.name = Copy(&r);
  r.U8(&bounded);
  r.SignedVarint(&before.us);
  if (bounded != 0) revocation.before = before;
  r.SignedVarint(&revocation.at.us);
  revocation.by = Copy(&r);
  revocation.because = Copy(&r);
  r.Varint(&revocation.epoch);
  if (r.failed()) return std::nullopt;
  return revocation;
}

bool WitnessState::FindConsent(std::string_view delegation, std::string_view person,
                               ConsentRecord* out) const {
  ByteReader r(Look(kFindConsent, AskTwo(delegation, person).hash()));
  uint8_t found = 0, flags = 0;
  uint32_t count = 0;
  if (!r.U8(&found) || found == 0 || !r.SignedVarint(&out->at.us) || !r.U8(&flags) ||
      !r.Count(&count, 8))
    return false;
  out->whole_day = (flags & 1) != 0;
  out->from_facts = (flags & 2) != 0;
  out->reach.assign(count, 0);
  for (uint64_t& reach : out->reach) r.U64(&reach);
  return !r.failed();
}

std::shared_ptr<const TaskRecord> WitnessState::FindTask(std::string_view id) const {
  ByteReader r(Look(kFindTask, Asked().Text(id).hash()));
  uint8_t found = 0;
  if (!r.U8(&found) || found == 0) return nullptr;
  auto task = std::make_shared<TaskRecord>();
  for (std::string* text : {&task->id, &task->shape, &task->person, &task->agent}) *text = Copy(&r);
  uint32_t count = 0;
  r.SignedVarint(&task->opened.us);
  r.SignedVarint(&task->expires.us);
  r.Count(&count, 2);
  for (uint32_t i = 0; i < count; ++i) {
    std::string name = Copy(&r);
    task->args.emplace_back(std::move(name), Copy(&r));
  }
  if (r.failed()) return nullptr;
  return task;
}

bool WitnessState::FindInstance(std::string_view agent, std::string_view instance, Instant* born,
                                bool* bound_to_task) const {
  ByteReader r(Look(kFindInstance, AskTwo(agent, instance).hash()));
  uint8_t found = 0, bound = 0;
  if (!r.U8(&found) || found == 0 || !r.SignedVarint(&born->us) || !r.U8(&bound)) return false;
  *bound_to_task = bound != 0;
  return true;
}

bool WitnessState::InstanceBoundTo(std::string_view agent, std::string_view instance,
                                   std::string_view task) const {
  return ReadFlag(Look(kInstanceBoundTo, AskThree(agent, instance, task).hash()));
}

uint64_t WitnessState::InstancesBorn(std::string_view agent, int64_t window_us,
                                     Instant /*now*/) const {
  return static_cast<uint64_t>(
      ReadNumber(Look(kInstancesBorn, Asked().Text(agent).Number(window_us).hash()), 0));
}

bool WitnessState::HandoffRecorded(std::string_view parent_agent, std::string_view parent_instance,
                                   std::string_view child_agent, std::string_view child_instance,
                                   std::string_view task) const {
  return ReadFlag(
      Look(kHandoffRecorded,
           AskFive(parent_agent, parent_instance, child_agent, child_instance, task).hash()));
}

bool WitnessState::HasParent(std::string_view child_agent, std::string_view child_instance) const {
  return ReadFlag(Look(kHasParent, AskTwo(child_agent, child_instance).hash()));
}

std::shared_ptr<const ApprovalRecord> WitnessState::FindApproval(std::string_view id) const {
  ByteReader r(Look(kFindApproval, Asked().Text(id).hash()));
  uint8_t found = 0;
  if (!r.U8(&found) || found == 0) return nullptr;
  auto record = std::make_shared<ApprovalRecord>();
  for (std::string* text : {&record->id, &record->approval, &record->binding}) *text = Copy(&r);
  uint32_t count = 0;
  r.Count(&count);
  for (uint32_t i = 0; i < count; ++i) record->approvers.push_back(Copy(&r));
  r.Count(&count);
  record->approved_measures.assign(count, 0);
  for (int64_t& measure : record->approved_measures) r.SignedVarint(&measure);
  r.SignedVarint(&record->given.us);
  r.SignedVarint(&record->expires.us);
  r.Varint32(&record->uses_left);
  if (r.failed()) return nullptr;
  return record;
}

bool WitnessState::ActRecorded(std::string_view separate, int side, std::string_view key,
                               std::string_view person, Instant not_before) const {
  return ReadFlag(Look(
      kActRecorded,
      Asked().Text(separate).Number(side).Text(key).Text(person).Number(not_before.us).hash()));
}

bool WitnessState::FindOpening(std::string_view break_glass, std::string_view person,
                               std::string_view reason, std::string_view ticket, Instant* opened,
                               uint64_t* uses) const {
  ByteReader r(Look(kFindOpening, AskFive(break_glass, person, reason, ticket, {}).hash()));
  uint8_t found = 0;
  return r.U8(&found) && found != 0 && r.SignedVarint(&opened->us) && r.Varint(uses);
}

int64_t WitnessState::Used(const CounterKey& counter, Instant /*now*/) const {
  return ReadNumber(Look(kUsed, Asked().Counter(counter).hash()), 0);
}

bool WitnessState::FindCharge(std::string_view key, Instant /*now*/, uint64_t* reservation,
                              ReservationState* state, std::string* digest) const {
  ByteReader r(Look(kFindCharge, Asked().Text(key).hash()));
  uint8_t found = 0, state_byte = 0;
  std::string_view text;
  if (!r.U8(&found) || found == 0 || !r.Varint(reservation) || !r.U8(&state_byte) ||
      !r.String(&text) || state_byte > static_cast<uint8_t>(ReservationState::kSpent))
    return false;
  *state = static_cast<ReservationState>(state_byte);
  digest->assign(text);
  return true;
}

int64_t WitnessState::Held(uint64_t reservation, const CounterKey& counter) const {
  return ReadNumber(
      Look(kHeld, Asked().Number(static_cast<int64_t>(reservation)).Counter(counter).hash()), 0);
}

Instant WitnessState::HighTime() const {
  return Instant{ReadNumber(Look(kHighTime, kNothing), INT64_MIN)};
}

// A commit that was not made then is taken to succeed: what it would have checked has been read.
CommitResult WitnessState::Commit(const CommitRequest& request) {
  CommitResult result;
  auto found = answers_.find({kCommit, AskedCommit(request)});
  if (found == answers_.end()) {
    if (!request.charges.empty()) result.deadline = request.reservation_deadline;
    return result;
  }
  ByteReader r(Look(kCommit, AskedCommit(request)));
  uint8_t outcome = 0;
  uint32_t failed = 0;
  r.U8(&outcome);
  r.Varint(&result.reservation);
  r.SignedVarint(&result.deadline.us);
  r.Varint32(&failed);
  r.SignedVarint(&result.opened.us);
  r.Varint(&result.uses);
  result.failed = failed;
  result.outcome = r.failed() || outcome > static_cast<uint8_t>(CommitOutcome::kFailed)
                       ? CommitOutcome::kFailed
                       : static_cast<CommitOutcome>(outcome);
  return result;
}

}  // namespace dpl
