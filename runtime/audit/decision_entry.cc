// See decision_entry.h.
#include "runtime/audit/decision_entry.h"

#include "runtime/audit/entry_transfer.h"
#include "runtime/audit/shape.h"
#include "runtime/audit/shape_marks.h"

namespace dpl {
namespace {

using Buffer = EntryWriter::Buffer;

// Where the next byte of a buffer goes. It stays in registers: a position that is kept in memory
// costs each of some hundred fields the way there and back.
class Cursor {
 public:
  explicit Cursor(Buffer* buffer) : buffer_(buffer) { Begin(0); }
  void Put(const void* from, size_t size) {
    NeedRoom(size);
    std::memcpy(at_, from, size);
    at_ += size;
  }
  // A text behind its size.
  void PutSized(std::string_view text) {
    const auto size = static_cast<uint32_t>(text.size());
    NeedRoom(sizeof size + size);
    std::memcpy(at_, &size, sizeof size);
    std::memcpy(at_ + sizeof size, text.data(), size);
    at_ += sizeof size + size;
  }
  size_t End() { return buffer_->size = static_cast<size_t>(at_ - buffer_->bytes.data()); }

 private:
  void Begin(size_t used) {
    at_ = buffer_->bytes.data() + used;
    end_ = buffer_->bytes.data() + buffer_->bytes.size();
  }
  void NeedRoom(size_t size) {
    if (static_cast<size_t>(end_ - at_) >= size) return;
    Begin(Grow(buffer_, at_, size));
  }
  [[gnu::noinline]] static size_t Grow(Buffer* buffer, const char* at, size_t size) {
    const auto used = static_cast<size_t>(at - buffer->bytes.data());
    buffer->bytes.resize(2 * buffer->bytes.size() + size);
    return used;
  }

  Buffer* buffer_;
  char* at_;
  char* end_;
};

class Writer {
 public:
  Writer(Buffer* fixed, Buffer* values) : fixed_(fixed), values_(values) {}
  template <class T>
  void Fixed(const T& plain) {
    static_assert(std::is_trivially_copyable_v<T>);
    fixed_.Put(&plain, sizeof plain);
  }
  void Name(std::string_view name) { fixed_.PutSized(name); }
  void Sum(const AnswerSum& sum) { values_.Put(&sum, sizeof sum); }
  void Text(std::string_view text) {
    Fixed(!text.empty());
    if (!text.empty()) values_.PutSized(text);
  }
  void Keyed(std::string_view text, bool) { Text(text); }
  void Time(const Instant& time) { values_.Put(&time, sizeof time); }
  template <class T>
  void Number(const T& number, T none) {
    Fixed(number != none);
    if (number == none) return;
    const auto wide = static_cast<int64_t>(number);
    values_.Put(&wide, sizeof wide);
  }
  void Amount(const Value& value) {
    Fixed(value.kind), Fixed(value.aux), Fixed(value.flags), Fixed(value.n);
    values_.Put(&value.i, sizeof value.i);
  }
  template <class D, class Line>
  void After(const D&, const Line&) {}
  void Person(const Entity* const& entity, Entity* /*own*/) {
    Fixed(entity != nullptr);
    if (entity != nullptr) Text(entity->id);
  }
  // The size of the fixed part.
  size_t End() {
    values_.End();
    return fixed_.End();
  }

 private:
  Cursor fixed_, values_;
};

class Reader {
 public:
  Reader(std::string_view fixed, std::string_view values) : fixed_(fixed), values_(values) {}
  std::string_view fixed() const { return fixed_; }
  std::string_view values() const { return values_; }
  template <class T>
  void Fixed(T& plain) {
    Take(&fixed_, &plain, sizeof plain);
  }
  void Name(std::string_view& name) {
    uint32_t size = 0;
    Fixed(size);
    name = View(&fixed_, size);
  }
  void Sum(AnswerSum& sum) { Take(&values_, &sum, sizeof sum); }
  void Text(std::string_view& text) {
    bool there = false;
    Fixed(there);
    uint32_t size = 0;
    if (there) Take(&values_, &size, sizeof size);
    text = View(&values_, size);
  }
  void Keyed(std::string_view& text, bool) { Text(text); }
  void Time(Instant& time) { Take(&values_, &time, sizeof time); }
  template <class T>
  void Number(T& number, T none) {
    bool there = false;
    Fixed(there);
    int64_t wide = 0;
    if (there) Take(&values_, &wide, sizeof wide);
    number = there ? static_cast<T>(wide) : none;
  }
  void Amount(Value& value) {
    value = Value();
    Fixed(value.kind), Fixed(value.aux), Fixed(value.flags), Fixed(value.n);
    Take(&values_, &value.i, sizeof value.i);
  }
  template <class D, class Line>
  void After(const D&, const Line&) {}
  void Person(const Entity*& entity, Entity* own) {
    bool there = false;
    Fixed(there);
    entity = there ? own : nullptr;
    if (there) Text(own->id);
  }

 private:
  static std::string_view View(std::string_view* from, size_t size) {
    DPL_CHECK(size <= from->size());
    const std::string_view out = from->substr(0, size);
    from->remove_prefix(size);
    return out;
  }
  static void Take(std::string_view* from, void* to, size_t size) {
    std::memcpy(to, View(from, size).data(), size);
  }
  std::string_view fixed_, values_;
};

}  // namespace

// All of it in one function, for the cursors' sake.
[[gnu::flatten]] void EntryWriter::Write(const Request& request, const Decision& decision,
                                         const RecordContext& context, const SealedItem* item) {
  Writer io(&fixed_, &values_);
  io.Fixed(uint32_t{0});  // its size
  bool sealed = item != nullptr;
  TransferItem(io, &sealed, item);
  RecordContext said = context;
  if (said.parameters.size() <= 2) said.parameters = {};  // {}
  const std::string_view caller = request.caller->name;
  TransferRecord(io, request, decision, caller, request.caller->request_id_keys, said, nullptr);
  const auto size = static_cast<uint32_t>(io.End());
  std::memcpy(fixed_.bytes.data(), &size, sizeof size);
}

struct DecisionRecords::Unpacked {
  Request request;
  Decision decision;
  Caller caller;
  RecordContext context;
  EntryPeople people;
  SealedItem item;
};

// The decision of one entry, unpacked when that is needed.
class DecisionRecords::Source final : public AuditShapes::Source {
 public:
  Source(RecordWriter* writer, Unpacked* unpacked, const Snapshot& snapshot, const Reader& record)
      : writer_(*writer), u_(*unpacked), snapshot_(snapshot), record_(record) {}

  void Unpack() {
    Reader io = record_;
    std::string_view caller;
    TransferRecord(io, u_.request, u_.decision, caller, u_.caller.request_id_keys, u_.context,
                   u_.people.data());
    u_.caller.name = caller;
    u_.context.in_force = {};
    u_.context.sealed_at = -1;
  }
  void Render(AuditMarks* marks, std::string* out) override {
    Unpack();
    if (marks != nullptr) {
      std::string_view caller = u_.caller.name;
      TransferRecord(*marks, u_.request, u_.decision, caller, u_.caller.request_id_keys, u_.context,
                     u_.people.data());
    }
    writer_.Append(out, snapshot_, u_.request, u_.decision, u_.context);
  }
  bool Charged() override {
    Unpack();
    return ChargedAmounts(u_.decision);
  }
  bool SaysValues() override {
    Unpack();
    return LogsValues(u_.decision) && !u_.context.parameters.empty();
  }

 private:
  RecordWriter& writer_;
  Unpacked& u_;
  const Snapshot& snapshot_;
  const Reader record_;
};

DecisionRecords::DecisionRecords(AuditVault* vault, bool seal)
    : vault_(vault),
      unpacked_(std::make_unique<Unpacked>()),
      shapes_(std::make_unique<AuditShapes>(&terms_)) {
  if (vault != nullptr && seal) sealer_ = std::make_unique<Sealer>(vault);
  unpacked_->request.caller = &unpacked_->caller;
}
DecisionRecords::~DecisionRecords() = default;

void DecisionRecords::BeginSegment() {
  terms_.BeginSegment();
  shapes_->BeginSegment();
}

bool DecisionRecords::Fits(const AuditLane::Entry& entry) const {
  return made_.size() < Sealer::kMostItems && (sealer_ == nullptr || sealer_->Fits(entry.time));
}

void DecisionRecords::Add(const AuditLane::Entry& entry, uint64_t seq) {
  const auto& in_force = *static_cast<const RecordInForce*>(entry.context);
  Unpacked& u = *unpacked_;
  uint32_t size = 0;
  DPL_CHECK(entry.bytes.size() >= sizeof size);
  std::memcpy(&size, entry.bytes.data(), sizeof size);
  DPL_CHECK(size >= sizeof size && size <= entry.bytes.size());
  Reader behind(entry.bytes.substr(sizeof size, size - sizeof size), entry.bytes.substr(size));
  bool sealed = false;
  TransferItem(behind, &sealed, &u.item);
  u.context.digest_key = vault_ == nullptr ? std::string_view() : vault_->digest_key();
  int place = -1;
  if (sealed && sealer_ != nullptr && sealer_->Begin(entry.time))
    place = static_cast<int>(sealer_->Add(u.item));
  const Snapshot& snapshot = *in_force.snapshot;
  shapes_->Use(snapshot.shared_program());
  Source source(&writer_, &u, snapshot, behind);
  if (shapes_->Write(&text_, {seq, behind.fixed(), behind.values(), entry.time,
                              u.context.digest_key, &source})) {
    const uint32_t term = writer_.NumberOf(snapshot, in_force.members);
    AppendRecordEnd(&text_, term, place);
  } else {
    source.Unpack();
    u.context.in_force = in_force.members;
    u.context.sealed_at = place;
    writer_.Append(&text_, snapshot, u.request, u.decision, u.context);
  }
  made_.push_back({text_.size(), entry.time});
}

Status DecisionRecords::Removed(const std::function<bool(std::string_view digest)>& named) {
  return vault_ == nullptr ? Status::Ok() : vault_->ForgetInputs(named);
}

void DecisionRecords::Finish(const Line& line) {
  if (made_.empty()) return;
  record_.clear();
  terms_.TakeNew(&record_);
  if (!record_.empty()) line(made_[0].time, record_);
  if (sealer_ != nullptr && !sealer_->empty()) {
    record_.clear();
    sealer_->Finish(&record_);
    line(made_[0].time, record_);
  }
  size_t from = 0;
  for (const Made& made : made_) {
    line(made.time, std::string_view(text_).substr(from, made.end - from));
    from = made.end;
  }
  made_.clear();
  text_.clear();
}

}  // namespace dpl
