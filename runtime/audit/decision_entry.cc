// See decision_entry.h. One list of what an entry holds serves writing and reading.
#include "runtime/audit/decision_entry.h"

#include <array>
#include <cstring>
#include <type_traits>

namespace dpl {
namespace {

constexpr uint32_t kOwnThread = 0;  // of the nonces: the log's thread seals alone

class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) {}
  template <class T>
  void operator()(const T& plain) {
    static_assert(std::is_trivially_copyable_v<T>);
    out_.append(reinterpret_cast<const char*>(&plain), sizeof plain);
  }
  void operator()(const std::string_view& text) {
    (*this)(static_cast<uint32_t>(text.size()));
    out_.append(text);
  }
  template <class T, int N>
  void operator()(const SmallList<T, N>& list) {
    (*this)(list.size);
    (*this)(list.truncated);
    out_.append(reinterpret_cast<const char*>(list.items),
                sizeof(T) * static_cast<size_t>(list.size));
  }
  void Person(const Entity* const& entity, Entity* /*own*/) {
    (*this)(entity != nullptr);
    if (entity != nullptr) (*this)(entity->id);
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  void operator()(T& plain) {
    std::memcpy(&plain, Bytes(sizeof plain), sizeof plain);
  }
  void operator()(std::string_view& text) {
    uint32_t size = 0;
    (*this)(size);
    text = {Bytes(size), size};
  }
  template <class T, int N>
  void operator()(SmallList<T, N>& list) {
    (*this)(list.size);
    (*this)(list.truncated);
    const size_t size = sizeof(T) * static_cast<size_t>(list.size);
    const char* bytes = Bytes(size);
    if (size != 0) std::memcpy(static_cast<void*>(list.items), bytes, size);
  }
  void Person(const Entity*& entity, Entity* own) {
    bool there = false;
    (*this)(there);
    entity = there ? own : nullptr;
    if (there) (*this)(own->id);
  }

 private:
  const char* Bytes(size_t size) {
    DPL_CHECK(size <= rest_.size());
    const char* at = rest_.data();
    rest_.remove_prefix(size);
    return at;
  }
  std::string_view rest_;
};

// The people that an entry names: the person, who acts for them, and those in the chain.
using People = std::array<Entity, kMaxHops + 3>;

// Everything that RecordWriter and Sealer look at.
template <class Io, class R, class D, class Name, class Flag, class C, class Q>
void Transfer(Io io, R& r, D& d, Name& caller, Flag& request_id_keys, C& c, Q& q, Name& answer,
              Entity* people) {
  io(d.outcome), io(d.reason), io(d.now), io(d.epoch), io(d.dry_run), io(d.replayed), io(d.mode);
  io(d.partner), io(d.account_system), io(d.accountable), io(d.type), io(d.action);
  io(d.reservation), io(d.reservation_deadline), io(d.opening);
  io(d.by), io(d.limits), io(d.approvals), io(d.duties);
  io(d.detail), io(d.account_key), io(d.task);
  if (d.reason == Reason::kApprovalRequired) io(d.request_digest);
  io.Person(d.person, people++);
  io.Person(d.deputy, people++);
  io(d.chain.size), io(d.chain.truncated);
  for (int i = 0; i < d.chain.size; ++i) {
    auto& hop = d.chain.items[i];
    io(hop.agent), io(hop.ok), io(hop.reason), io(hop.foreign), io(hop.instance);
    io.Person(hop.person, people++);
  }
  io(r.subject_type), io(r.subject_id), io(r.action), io(r.resource_type), io(r.resource_id);
  io(r.task), io(r.break_glass), io(r.break_glass_reason), io(r.break_glass_ticket);
  io(r.hop_count);
  for (int i = 0; d.chain.size == 0 && i < r.hop_count; ++i)
    io(r.hops[static_cast<size_t>(i)].agent);
  io(r.approval_count);
  for (int i = 0; i < r.approval_count; ++i) io(r.approvals[static_cast<size_t>(i)]);
  io(caller), io(request_id_keys);
  io(c.evaluation_id), io(c.request_id), io(c.trace_id), io(c.span_id), io(c.item);
  io(c.parameters), io(answer);
  io(q.clock_suspect), io(q.charge_key), io(q.body), io(q.endpoint), io(q.witness);
}

}  // namespace

void AppendDecisionEntry(std::string* out, const Request& request, const Decision& decision,
                         const RecordContext& context, const SealedQuestion& question,
                         std::string_view answer) {
  const std::string_view caller = request.caller->name, bytes_of_answer = answer;
  Transfer(Writer(out), request, decision, caller, request.caller->request_id_keys, context,
           question, bytes_of_answer, nullptr);
}

struct DecisionRecords::Unpacked {
  Request request;
  Decision decision;
  Caller caller;
  RecordContext context;
  SealedQuestion question;
  std::string_view answer;
  People people;
};

DecisionRecords::DecisionRecords(AuditVault* vault, bool seal)
    : vault_(vault), unpacked_(std::make_unique<Unpacked>()) {
  if (vault != nullptr && seal) sealer_ = std::make_unique<Sealer>(vault, kOwnThread);
  unpacked_->request.caller = &unpacked_->caller;
}
DecisionRecords::~DecisionRecords() = default;

void DecisionRecords::BeginSegment() { terms_.BeginSegment(); }

void DecisionRecords::Render(const AuditLane::Entry& entry, std::string* first,
                             std::string* record) {
  const auto& in_force = *static_cast<const RecordInForce*>(entry.context);
  Unpacked& u = *unpacked_;
  std::string_view caller;
  Transfer(Reader(entry.bytes), u.request, u.decision, caller, u.caller.request_id_keys, u.context,
           u.question, u.answer, u.people.data());
  u.caller.name = caller;
  u.context.in_force = in_force.members;
  u.context.digest_key = vault_ == nullptr ? std::string_view() : vault_->digest_key();
  u.context.seal_key = u.context.box = {};
  if (sealer_ != nullptr &&
      sealer_->Seal(u.decision.now, u.context.evaluation_id, u.question, u.answer)) {
    u.context.seal_key = sealer_->key_id();
    u.context.box = sealer_->box();
  }
  writer_.Append(record, *in_force.snapshot, u.request, u.decision, u.context);
  terms_.TakeNew(first);
}

}  // namespace dpl
