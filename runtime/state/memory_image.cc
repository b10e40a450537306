// The in-memory state as records and back: what the image of a durable store is made of. One record
// is a kind and its fields; the order of records is free, but that reservations follow the counters
// they hold and keys. A new kind of state adds a kind here and nowhere else; docs/state.md lists
// them.
#include <algorithm>
#include <bit>

#include "runtime/state/memory_store.h"
#include "runtime/state/operations.h"

namespace dpl {

// Names joined from parts hold their lengths as this machine writes them.
static_assert(std::endian::native == std::endian::little);

namespace {

enum class Kind : uint8_t {
  kClock = 1,
  kRevoked,
  kConsent,
  kTask,
  kInstance,
  kBirths,
  kParent,
  kFreshHandoff,
  kApproval,
  kAct,
  kCounter,
  kKey,
  kReservation,
  kOpening,  // these as format 2 wrote them: kRevoked, kParent, kFreshHandoff, kApproval, kOpening
  kRevokedBy,
  kParentBy,
  kFreshHandoffBy,
  kSignedApproval,
  kReviewedOpening,
  kAccessRequest,
  kActKept,
  kTaskBy,  // kTask is as format 3 wrote it
};

bool ReadInstant(ByteReader* in, Instant* out) { return in->I64(&out->us); }
bool ReadText(ByteReader* in, std::string* out) {
  std::string_view text;
  if (!in->String(&text)) return false;
  out->assign(text);
  return true;
}
// Whether a name is joined of so many parts (JoinedKey); `sizes`: receives theirs.
bool IsJoined(std::string_view name, size_t parts, size_t* sizes = nullptr) {
  for (size_t i = 0; i < parts; ++i) {
    uint32_t length = 0;
    if (name.size() < sizeof length) return false;
    std::memcpy(&length, name.data(), sizeof length);
    name.remove_prefix(sizeof length);
    if (name.size() < length) return false;
    name.remove_prefix(length);
    if (sizes != nullptr) sizes[i] = length;
  }
  return name.empty();
}
// Three parts, the second of eight bytes: as a counter is named (MemoryStore::CounterOf).
bool PlainCounterName(std::string_view name) {
  size_t sizes[3] = {};
  return IsJoined(name, 3, sizes) && sizes[0] == 1 && sizes[1] == 8;
}
bool ReadFlag(ByteReader* in, bool* out) {
  uint8_t flag = 0;
  if (!in->U8(&flag) || flag > 1) return false;
  *out = flag == 1;
  return true;
}

}  // namespace

void MemoryStore::Save(size_t piece, const std::function<void(std::string_view)>& out) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  std::string bytes;
  ByteWriter w(&bytes);
  auto begin = [&](Kind kind) {
    if (bytes.size() >= piece) {
      out(bytes);
      bytes.clear();
    }
    w.U8(static_cast<uint8_t>(kind));
  };
  begin(Kind::kClock);
  w.U64(Epoch());
  w.I64(HighTime().us);
  w.U64(next_id_);
  w.U64(counters_.size());
  w.U64(keys_.size());
  for (int kind = 0; kind < kRevokedKinds; ++kind) {
    revoked_[kind]->ForEach([&](const NameTable<RevokedEntry>::Entry& revoked) {
      const RevokedEntry& entry = revoked.value;
      begin(Kind::kRevokedBy);
      w.U8(static_cast<uint8_t>(kind));
      w.String(revoked_[kind]->Name(revoked));
      w.U8(entry.always ? 1 : 0);
      w.I64(entry.before.us);
      w.I64(entry.at.us);
      w.U64(entry.epoch);
      w.String(entry.by);
      w.String(entry.because);
    });
  }
  consents_.ForEach([&](const NameTable<ConsentRecord>::Entry& consent) {
    begin(Kind::kConsent);
    w.String(consents_.Name(consent));
    AppendConsent(&w, consent.value);
  });
  tasks_.ForEach([&](const NameTable<std::shared_ptr<const TaskRecord>>::Entry& task) {
    begin(Kind::kTaskBy);
    AppendTask(&w, *task.value);
  });
  instances_.ForEach([&](const NameTable<Runs>::Entry& runs) {
    const std::string agent = instances_.Name(runs);
    runs.value.ForEach([&](const Runs::Entry& run) {
      begin(Kind::kInstance);
      w.String(agent);
      w.String(runs.value.Name(run));
      w.I64(run.value.born.us);
      w.I64(run.value.keep_until.us);
      w.String(TaskOf(run.value));
    });
  });
  for (const auto& [agent, births] : births_) {
    begin(Kind::kBirths);
    w.String(agent);
    w.I64(births.window_us);
    births.window.Save(&w);
  }
  parents_.ForEach([&](const NameTable<Handoff>::Entry& child) {
    const Handoff& handoff = child.value;
    begin(Kind::kParentBy);
    w.String(parents_.Name(child));
    w.String(handoff.parent);
    w.String(handoff.task);
    w.I64(handoff.at.us);
    w.String(handoff.by);
  });
  fresh_handoffs_.ForEach([&](const NameTable<Handoff>::Entry& child) {
    const Handoff& handoff = child.value;
    begin(Kind::kFreshHandoffBy);
    w.String(fresh_handoffs_.Name(child));
    w.String(handoff.task);
    w.I64(handoff.at.us);
    w.String(handoff.by);
  });
  approvals_.ForEach([&](const NameTable<std::shared_ptr<const ApprovalRecord>>::Entry& approval) {
    begin(Kind::kSignedApproval);
    AppendApproval(&w, *approval.value);
  });
  requests_.ForEach([&](const NameTable<std::shared_ptr<const AccessRequest>>::Entry& request) {
    begin(Kind::kAccessRequest);
    AppendAccessRequest(&w, *request.value);
  });
  acts_.ForEach([&](const NameTable<Act>::Entry& act) {
    begin(Kind::kActKept);
    w.String(acts_.Name(act));
    w.I64(act.value.at.us);
    w.I64(act.value.keep_until.us);
  });
  openings_.ForEach([&](const NameTable<OpeningRecord>::Entry& entry) {
    const std::string name = openings_.Name(entry);
    const OpeningRecord& opening = entry.value;
    begin(Kind::kReviewedOpening);
    for (const std::string* text :
         {&name, &opening.break_glass, &opening.person, &opening.reason, &opening.ticket})
      w.String(*text);
    w.I64(opening.opened.us);
    w.I64(opening.last_used.us);
    w.I64(opening.review_due.us);
    w.U64(opening.uses);
    w.String(opening.reviewed_by);
    w.I64(opening.reviewed_at.us);
    w.String(opening.review_note);
  });
  std::string name;
  counters_.ForEach([&](const CounterEntry& counter) {
    begin(Kind::kCounter);
    const CounterKey key = KeyOf(counter, &name);
    w.String(name);
    counter.value.Save(key, &w);
  });
  keys_.ForEach([&](const NameTable<ChargeKey>::Entry& entry) {
    const ChargeKey& key = entry.value;
    begin(Kind::kKey);
    w.String(keys_.Name(entry));
    w.U64(key.reservation);
    w.U8(static_cast<uint8_t>(key.state));
    w.String(key.digest);
    w.I64(key.deadline.us);
    w.I64(key.keep_until.us);
  });
  for (const Ended& r : ended_) {
    begin(Kind::kReservation);
    w.U64(r.id);
    w.U8(static_cast<uint8_t>(r.state));
    w.I64(r.deadline.us);
    w.String(callers_.At(r.caller));
    w.Varint(0);
  }
  reservations_.ForEach([&](const OpenEntry& entry) {
    const Reservation& r = entry.value;
    begin(Kind::kReservation);
    w.U64(IdOf(entry));
    w.U8(static_cast<uint8_t>(ReservationState::kOpen));
    w.I64(r.deadline.us);
    w.String(callers_.At(r.caller));
    w.Varint(r.count);
    for (const Share& share : r.held()) {
      const CounterKey key = KeyOf(*share.counter, &name);
      w.String(name);
      w.I64(share.quantity);
      w.I64(share.window_start.us);
      w.I64(r.opened.us);
      w.U32(share.measure);
      w.U8(share.returns ? 1 : 0);
      w.U8(static_cast<uint8_t>(key.window));
      w.I64(share.window_start.us);  // its end matters to nobody
      w.I64(key.sliding_us);
    }
  });
  out(bytes);
}

bool MemoryStore::LoadRecord(ByteReader* in) {
  uint8_t kind = 0;
  std::string name;
  if (!in->U8(&kind)) return false;
  switch (static_cast<Kind>(kind)) {
    case Kind::kClock: {
      uint64_t epoch = 0;
      Instant high;
      uint64_t counters = 0, keys = 0;
      if (!in->U64(&epoch) || !ReadInstant(in, &high) || !in->U64(&next_id_) ||
          !in->U64(&counters) || !in->U64(&keys))
        return false;
      epoch_.store(epoch);
      high_us_.store(high.us);
      return next_id_ != 0;
    }
    case Kind::kRevoked:
    case Kind::kRevokedBy:
      return LoadRevoked(in, static_cast<Kind>(kind) == Kind::kRevokedBy);
    case Kind::kConsent: {
      ConsentRecord consent;
      if (!ReadText(in, &name) || !IsJoined(name, 2) || !ReadConsent(in, &consent)) return false;
      consents_.Put(name, std::move(consent));
      return true;
    }
    case Kind::kTask:
    case Kind::kTaskBy: {
      TaskRecord task;
      if (!ReadTask(in, &task, static_cast<Kind>(kind) == Kind::kTaskBy)) return false;
      tasks_.Put(task.id, std::make_shared<const TaskRecord>(task));
      return true;
    }
    case Kind::kInstance: {
      std::string_view agent, task;
      Instant born, keep_until;
      if (!in->String(&agent) || !ReadText(in, &name) || !ReadInstant(in, &born) ||
          !ReadInstant(in, &keep_until) || !in->String(&task))
        return false;
      auto* runs = instances_.Find(agent);
      if (runs == nullptr) runs = instances_.Emplace(agent, &home_).first;
      auto [run, made] = runs->value.Emplace(name, born, keep_until);
      if (!made) return false;
      ++instance_count_;
      if (!task.empty()) Bind(&run->value, task);
      return true;
    }
    case Kind::kBirths: {
      Births births;
      if (!ReadText(in, &name) || !in->I64(&births.window_us) || !births.window.Load(in))
        return false;
      births_.insert_or_assign(std::move(name), std::move(births));
      return true;
    }
    case Kind::kParent:
    case Kind::kParentBy:
      return LoadHandoff(in, false, static_cast<Kind>(kind) == Kind::kParentBy);
    case Kind::kFreshHandoff:
    case Kind::kFreshHandoffBy:
      return LoadHandoff(in, true, static_cast<Kind>(kind) == Kind::kFreshHandoffBy);
    case Kind::kAccessRequest: {
      AccessRequest request;
      if (!ReadAccessRequest(in, &request)) return false;
      requests_.Put(request.id, std::make_shared<const AccessRequest>(request));
      return true;
    }
    case Kind::kApproval:
    case Kind::kSignedApproval: {
      ApprovalRecord approval;
      if (!ReadApproval(in, &approval, static_cast<Kind>(kind) == Kind::kSignedApproval))
        return false;
      approvals_.Put(approval.id, std::make_shared<const ApprovalRecord>(approval));
      return true;
    }
    case Kind::kAct:
    case Kind::kActKept: {
      Act act{{}, kMaxInstant};
      if (!ReadText(in, &name) || !ReadInstant(in, &act.at)) return false;
      if (static_cast<Kind>(kind) == Kind::kActKept && !ReadInstant(in, &act.keep_until))
        return false;
      acts_.Put(name, act);
      return true;
    }
    case Kind::kOpening:
    case Kind::kReviewedOpening:
      return LoadOpening(in, static_cast<Kind>(kind) == Kind::kReviewedOpening);
    case Kind::kCounter: {
      if (!ReadText(in, &name)) return false;
      std::optional<Counter> counter = Counter::Load(in);
      if (!counter.has_value()) return false;
      return PlainCounterName(name) && counters_.Emplace(name, std::move(*counter)).second;
    }
    case Kind::kKey: {
      ChargeKey key;
      uint8_t state = 0;
      if (!ReadText(in, &name) || !in->U64(&key.reservation) || !in->U8(&state) ||
          state > static_cast<uint8_t>(ReservationState::kSpent) || !ReadText(in, &key.digest) ||
          !ReadInstant(in, &key.deadline) || !ReadInstant(in, &key.keep_until))
        return false;
      key.state = static_cast<ReservationState>(state);
      keys_.Put(name, std::move(key));
      return true;
    }
    case Kind::kReservation: {
      uint64_t id = 0, count = 0;
      uint8_t state = 0;
      std::string_view caller;
      Instant deadline, opened;
      if (!in->U64(&id) || !in->U8(&state) ||
          state > static_cast<uint8_t>(ReservationState::kSpent) || !ReadInstant(in, &deadline) ||
          !in->String(&caller) || !in->Varint(&count) || count > in->remaining() ||
          count > UINT16_MAX || id == 0 || id >= next_id_ || FindReservation(id) != nullptr)
        return false;
      std::vector<Share> shares;
      for (uint64_t i = 0; i < count; ++i) {
        Share share;
        std::string_view counter;
        uint8_t window = 0;
        Instant window_end;
        int64_t sliding_us = 0;
        if (!in->String(&counter) || !in->I64(&share.quantity) ||
            !ReadInstant(in, &share.window_start) || !ReadInstant(in, &opened) ||
            !in->U32(&share.measure) || !ReadFlag(in, &share.returns) || !in->U8(&window) ||
            !ReadInstant(in, &window_end) || !in->I64(&sliding_us))
          return false;
        share.counter = counters_.Find(counter);
        if (share.counter == nullptr) return false;
        shares.push_back(share);
      }
      if (static_cast<ReservationState>(state) != ReservationState::kOpen) {
        ended_.push_back(
            {id, static_cast<ReservationState>(state), callers_.Hold(caller), opened, deadline});
        return true;
      }
      Reservation& r = MakeReservation(id, caller, shares)->value;
      r.opened = opened;
      r.deadline = deadline;
      return true;
    }
  }
  return false;
}

bool MemoryStore::LoadRevoked(ByteReader* in, bool told) {
  uint8_t what = 0;
  std::string name;
  RevokedEntry entry;
  if (!in->U8(&what) || what >= kRevokedKinds || !ReadText(in, &name) ||
      !ReadFlag(in, &entry.always) || !ReadInstant(in, &entry.before))
    return false;
  if (told && (!ReadInstant(in, &entry.at) || !in->U64(&entry.epoch) || !ReadText(in, &entry.by) ||
               !ReadText(in, &entry.because)))
    return false;
  entry.kept = KeptSince(entry.at);
  NoteRevoked(static_cast<RevokedKind>(what), name, entry);
  revoked_[what]->Put(name, std::move(entry));
  return true;
}

bool MemoryStore::LoadHandoff(ByteReader* in, bool fresh, bool told) {
  std::string name;
  Handoff handoff;
  if (!ReadText(in, &name) || !IsJoined(name, fresh ? 3 : 2) ||
      (!fresh && (!ReadText(in, &handoff.parent) || !IsJoined(handoff.parent, 2))) ||
      !ReadText(in, &handoff.task))
    return false;
  if (told && (!ReadInstant(in, &handoff.at) || !ReadText(in, &handoff.by))) return false;
  handoff.kept = KeptSince(handoff.at);
  (fresh ? fresh_handoffs_ : parents_).Put(name, std::move(handoff));
  return true;
}

bool MemoryStore::LoadOpening(ByteReader* in, bool reviewed) {
  std::string name;
  OpeningRecord opening;
  if (!ReadText(in, &name) || !ReadText(in, &opening.break_glass) ||
      !ReadText(in, &opening.person) || !ReadText(in, &opening.reason) ||
      !ReadText(in, &opening.ticket) || !ReadInstant(in, &opening.opened) ||
      !ReadInstant(in, &opening.last_used) || !ReadInstant(in, &opening.review_due) ||
      !in->U64(&opening.uses))
    return false;
  if (reviewed && (!ReadText(in, &opening.reviewed_by) || !ReadInstant(in, &opening.reviewed_at) ||
                   !ReadText(in, &opening.review_note)))
    return false;
  openings_.Put(name, std::move(opening));
  return true;
}

bool MemoryStore::Load(std::string_view piece) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  ByteReader in(piece);
  while (!in.at_end()) {
    if (!LoadRecord(&in)) return false;
  }
  return true;
}

void MemoryStore::LoadDone() {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  keys_.ForEach([&](NameTable<ChargeKey>::Entry& key) {
    if (key.value.state != ReservationState::kOpen) return;
    if (OpenEntry* r = FindReservation(key.value.reservation)) r->value.key = &key.value;
  });
  SweepAll();
}

void MemoryStore::SkipReservationsTo(uint64_t next) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (next == next_id_) return;
  reservations_.SweepAll([&](OpenEntry& r) {
    Close(&r, ReservationState::kSpent);
    return true;
  });
  next_id_ = std::max(next_id_, next);
}

void MemoryStore::RaiseHighTime(Instant to) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  Raise(to);
}

void MemoryStore::RaiseEpoch(uint64_t to) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (to > Epoch()) epoch_.store(to, std::memory_order_seq_cst);
}

void MemoryStore::PutTask(const TaskRecord& task) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  tasks_.Put(task.id, std::make_shared<const TaskRecord>(task));
}

void MemoryStore::PutApproval(const ApprovalRecord& approval) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  approvals_.Put(approval.id, std::make_shared<const ApprovalRecord>(approval));
}

}  // namespace dpl
