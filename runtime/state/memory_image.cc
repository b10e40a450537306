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
};

bool ReadInstant(ByteReader* in, Instant* out) { return in->I64(&out->us); }
bool ReadText(ByteReader* in, std::string* out) {
  std::string_view text;
  if (!in->String(&text)) return false;
  out->assign(text);
  return true;
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
  w.U64(first_id_ + count_);
  w.U64(counters_.size());
  w.U64(keys_.size());
  for (int kind = 0; kind < kRevokedKinds; ++kind) {
    for (const auto& [name, entry] : revoked_[kind]) {
      begin(Kind::kRevokedBy);
      w.U8(static_cast<uint8_t>(kind));
      w.String(name);
      w.U8(entry.always ? 1 : 0);
      w.I64(entry.before.us);
      w.I64(entry.at.us);
      w.U64(entry.epoch);
      w.String(entry.by);
      w.String(entry.because);
    }
  }
  consents_.ForEach([&](const std::string& name, const ConsentRecord& consent) {
    begin(Kind::kConsent);
    w.String(name);
    AppendConsent(&w, consent);
  });
  tasks_.ForEach([&](const std::string&, const std::shared_ptr<const TaskRecord>& task) {
    begin(Kind::kTask);
    AppendTask(&w, *task);
  });
  for (const auto& [agent, runs] : instances_) {
    runs.ForEach([&, &agent = agent](const std::string& name, const Instance& run) {
      begin(Kind::kInstance);
      w.String(agent);
      w.String(name);
      w.I64(run.born.us);
      w.I64(run.keep_until.us);
      w.String(run.Task());
    });
  }
  for (const auto& [agent, births] : births_) {
    begin(Kind::kBirths);
    w.String(agent);
    w.I64(births.window_us);
    births.window.Save(&w);
  }
  parents_.ForEach([&](const std::string& child, const Handoff& handoff) {
    begin(Kind::kParentBy);
    w.String(child);
    w.String(handoff.parent);
    w.String(handoff.task);
    w.I64(handoff.at.us);
    w.String(handoff.by);
  });
  fresh_handoffs_.ForEach([&](const std::string& name, const Handoff& handoff) {
    begin(Kind::kFreshHandoffBy);
    w.String(name);
    w.String(handoff.task);
    w.I64(handoff.at.us);
    w.String(handoff.by);
  });
  approvals_.ForEach(
      [&](const std::string&, const std::shared_ptr<const ApprovalRecord>& approval) {
        begin(Kind::kSignedApproval);
        AppendApproval(&w, *approval);
      });
  requests_.ForEach([&](const std::string&, const std::shared_ptr<const AccessRequest>& request) {
    begin(Kind::kAccessRequest);
    AppendAccessRequest(&w, *request);
  });
  acts_.ForEach([&](const std::string& name, const Act& act) {
    begin(Kind::kActKept);
    w.String(name);
    w.I64(act.at.us);
    w.I64(act.keep_until.us);
  });
  openings_.ForEach([&](const std::string& name, const OpeningRecord& opening) {
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
  counters_.ForEach([&](const std::string& name, const Counter& counter) {
    begin(Kind::kCounter);
    w.String(name);
    counter.Save(&w);
  });
  keys_.ForEach([&](const std::string& name, const ChargeKey& key) {
    begin(Kind::kKey);
    w.String(name);
    w.U64(key.reservation);
    w.U8(static_cast<uint8_t>(key.state));
    w.String(key.digest);
    w.I64(key.deadline.us);
    w.I64(key.keep_until.us);
  });
  for (size_t i = 0; i < count_; ++i) {
    const Reservation& r = ring_[(front_ + i) % ring_.size()];
    begin(Kind::kReservation);
    w.U64(first_id_ + i);
    w.U8(static_cast<uint8_t>(r.state));
    w.I64(r.deadline.us);
    w.String(r.caller);
    w.Varint(r.held.size());
    for (const Share& share : r.held) {
      w.String(*share.counter->name);
      w.I64(share.quantity);
      w.I64(share.window_start.us);
      w.I64(share.at.us);
      w.U32(share.measure);
      w.U8(share.returns ? 1 : 0);
      w.U8(static_cast<uint8_t>(share.window));
      w.I64(share.window_end.us);
      w.I64(share.sliding_us);
    }
  }
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
      if (!in->U64(&epoch) || !ReadInstant(in, &high) || !in->U64(&first_id_) ||
          !in->U64(&counters) || !in->U64(&keys))
        return false;
      counters_.Reserve(std::min<uint64_t>(counters, options_.max_counters));
      keys_.Reserve(std::min<uint64_t>(keys, options_.max_keys));
      epoch_.store(epoch);
      high_us_.store(high.us);
      return first_id_ != 0;
    }
    case Kind::kRevoked:
    case Kind::kRevokedBy:
      return LoadRevoked(in, static_cast<Kind>(kind) == Kind::kRevokedBy);
    case Kind::kConsent: {
      ConsentRecord consent;
      if (!ReadText(in, &name) || !ReadConsent(in, &consent)) return false;
      consents_.Assign(name, std::move(consent));
      return true;
    }
    case Kind::kTask: {
      TaskRecord task;
      if (!ReadTask(in, &task)) return false;
      tasks_.Assign(task.id, std::make_shared<const TaskRecord>(task));
      return true;
    }
    case Kind::kInstance: {
      std::string_view agent, task;
      Instance run;
      if (!in->String(&agent) || !ReadText(in, &name) || !ReadInstant(in, &run.born) ||
          !ReadInstant(in, &run.keep_until) || !in->String(&task))
        return false;
      if (!task.empty()) Bind(&run, task);
      auto runs = instances_.find(agent);
      if (runs == instances_.end()) runs = instances_.try_emplace(std::string(agent)).first;
      auto [entry, made] = runs->second.Emplace(name);
      if (made) ++instance_count_;
      entry->second = run;
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
      requests_.Assign(request.id, std::make_shared<const AccessRequest>(request));
      return true;
    }
    case Kind::kApproval:
    case Kind::kSignedApproval: {
      ApprovalRecord approval;
      if (!ReadApproval(in, &approval, static_cast<Kind>(kind) == Kind::kSignedApproval))
        return false;
      approvals_.Assign(approval.id, std::make_shared<const ApprovalRecord>(approval));
      return true;
    }
    case Kind::kAct:
    case Kind::kActKept: {
      Act act{{}, kMaxInstant};
      if (!ReadText(in, &name) || !ReadInstant(in, &act.at)) return false;
      if (static_cast<Kind>(kind) == Kind::kActKept && !ReadInstant(in, &act.keep_until))
        return false;
      acts_.Assign(name, act);
      return true;
    }
    case Kind::kOpening:
    case Kind::kReviewedOpening:
      return LoadOpening(in, static_cast<Kind>(kind) == Kind::kReviewedOpening);
    case Kind::kCounter: {
      if (!ReadText(in, &name)) return false;
      std::optional<Counter> counter = Counter::Load(in);
      if (!counter.has_value()) return false;
      auto* entry = counters_.Emplace(name, std::move(*counter)).first;
      entry->second.name = &entry->first;
      return true;
    }
    case Kind::kKey: {
      ChargeKey key;
      uint8_t state = 0;
      if (!ReadText(in, &name) || !in->U64(&key.reservation) || !in->U8(&state) ||
          state > static_cast<uint8_t>(ReservationState::kSpent) || !ReadText(in, &key.digest) ||
          !ReadInstant(in, &key.deadline) || !ReadInstant(in, &key.keep_until))
        return false;
      key.state = static_cast<ReservationState>(state);
      keys_.Assign(name, std::move(key));
      return true;
    }
    case Kind::kReservation: {
      uint64_t id = 0, shares = 0;
      uint8_t state = 0;
      Reservation r;
      if (!in->U64(&id) || !in->U8(&state) ||
          state > static_cast<uint8_t>(ReservationState::kSpent) || !ReadInstant(in, &r.deadline) ||
          !ReadText(in, &r.caller) || !in->Varint(&shares) || shares > in->remaining())
        return false;
      r.state = static_cast<ReservationState>(state);
      for (uint64_t i = 0; i < shares; ++i) {
        Share share;
        std::string_view counter;
        uint8_t window = 0;
        if (!in->String(&counter) || !in->I64(&share.quantity) ||
            !ReadInstant(in, &share.window_start) || !ReadInstant(in, &share.at) ||
            !in->U32(&share.measure) || !ReadFlag(in, &share.returns) || !in->U8(&window) ||
            window > static_cast<uint8_t>(CounterKey::Window::kTotal) ||
            !ReadInstant(in, &share.window_end) || !in->I64(&share.sliding_us))
          return false;
        share.window = static_cast<CounterKey::Window>(window);
        auto* found = counters_.Find(counter);
        if (found == nullptr) return false;
        share.counter = &found->second;
        ++found->second.holds;
        r.opened = share.at;
        r.held.push_back(share);
      }
      // They come in the order of their numbers, without a gap; the clock named the next one.
      if (count_ == 0) first_id_ = id;
      if (id != first_id_ + count_) return false;
      if (count_ == ring_.size()) ring_.resize(ring_.size() * 2);
      ring_[count_++] = std::move(r);
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
  revoked_[what].insert_or_assign(std::move(name), std::move(entry));
  return true;
}

bool MemoryStore::LoadHandoff(ByteReader* in, bool fresh, bool told) {
  std::string name;
  Handoff handoff;
  if (!ReadText(in, &name) || (!fresh && !ReadText(in, &handoff.parent)) ||
      !ReadText(in, &handoff.task))
    return false;
  if (told && (!ReadInstant(in, &handoff.at) || !ReadText(in, &handoff.by))) return false;
  handoff.kept = KeptSince(handoff.at);
  (fresh ? fresh_handoffs_ : parents_).Assign(name, std::move(handoff));
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
  openings_.Assign(name, std::move(opening));
  return true;
}

bool MemoryStore::Load(std::string_view piece) {
  std::unique_lock<std::shared_mutex> lock(mutex_), records(records_mutex_);
  ByteReader in(piece);
  while (!in.at_end()) {
    if (!LoadRecord(&in)) return false;
  }
  return true;
}

void MemoryStore::LoadDone() {
  std::unique_lock<std::shared_mutex> lock(mutex_), records(records_mutex_);
  keys_.ForEach([&](const std::string&, ChargeKey& key) {
    Reservation* r = FindReservation(key.reservation);
    if (r != nullptr && r->state == ReservationState::kOpen) r->key = &key;
  });
  SweepAll();
}

void MemoryStore::SkipReservationsTo(uint64_t next) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (next == first_id_ + count_) return;
  for (size_t i = 0; i < count_; ++i)
    Close(&ring_[(front_ + i) % ring_.size()], ReservationState::kSpent);
  first_id_ = std::max(first_id_ + count_, next);
  count_ = front_ = 0;
}

void MemoryStore::RaiseHighTime(Instant to) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  Raise(to);
}

void MemoryStore::PutTask(const TaskRecord& task) {
  std::unique_lock<std::shared_mutex> lock(mutex_), records(records_mutex_);
  tasks_.Assign(task.id, std::make_shared<const TaskRecord>(task));
}

void MemoryStore::PutApproval(const ApprovalRecord& approval) {
  std::unique_lock<std::shared_mutex> lock(mutex_), records(records_mutex_);
  approvals_.Assign(approval.id, std::make_shared<const ApprovalRecord>(approval));
}

}  // namespace dpl
