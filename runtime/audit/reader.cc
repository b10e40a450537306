#include "runtime/audit/reader.h"

#include <algorithm>

#include "runtime/audit/line.h"
#include "runtime/audit/recovery.h"
#include "runtime/audit/segment.h"
#include "runtime/audit/terms.h"

namespace dpl {

class AuditReader::Impl {
 public:
  Impl(std::string folder, const AuditRange& range) : folder_(std::move(folder)), range_(range) {}

  Status Start() {
    Result<std::vector<SegmentFiles>> segments = ListSegments(folder_);
    if (!segments.ok()) return segments.error();
    // Which log it is does not matter here: a seal that is not good is no reason to skip anything.
    Result<AuditPublicKey> key = ReadPublicKey(folder_);
    if (!key.ok()) return key.error();
    key_ = key.take();
    for (const SegmentFiles& s : *segments) {
      if (!s.lines) continue;
      if (!next_.has_value() || s.first <= range_.from) next_ = s.first;
    }
    return Status::Ok();
  }

  Result<bool> Next(AuditRecord* out) {
    for (;;) {
      if (reader_ == nullptr) {
        Result<bool> opened = OpenNext();
        if (!opened.ok() || !*opened) return opened;
      }
      std::string_view bytes;
      Result<LineReader::Found> found = reader_->Next(&bytes);
      if (!found.ok()) return found.error();
      if (*found != LineReader::Found::kLine) {
        Result<bool> more = AtEnd();
        if (!more.ok() || !*more) return more;
        continue;
      }
      if (bytes.find('\0') != std::string_view::npos) {  // a write that is under way
        reader_->Back();
        return false;
      }
      ++line_number_;
      AuditLine line;
      if (!ParseAuditLine(bytes, &line) || line.seq != seq_)
        return AuditDamaged(SegmentName(first_, AuditFile::kLines), line_number_, reader_->offset(),
                            "record " + std::to_string(seq_) + " is expected");
      ++seq_;
      if (line.seq > range_.to) return false;
      const bool terms = terms_.Learn(line.record, line.seq);
      if (line.seq < range_.from || (range_.since && line.time < *range_.since) ||
          (range_.until && line.time >= *range_.until))
        continue;
      *out = {line.seq, line.time, line.record, bytes, bytes, terms, terms_.sealed(), {}};
      if (terms_.Expand(line.record, line.time, &record_, &out->shape)) {
        // {"seq":…,"record": and then the record, and a brace.
        whole_.assign(bytes, 0, bytes.size() - line.record.size() - 1).append(record_).append("}");
        out->record = record_;
        out->whole = whole_;
      }
      return true;
    }
  }

 private:
  std::string Path(uint64_t first, AuditFile file) const {
    return folder_ + "/" + SegmentName(first, file);
  }

  // False: there is no next segment yet.
  Result<bool> OpenNext() {
    while (next_.has_value()) {
      Result<AuditSeal> seal = ReadSeal(folder_, *next_, key_);
      const bool skip = seal.ok() && ((range_.since && seal->latest < *range_.since) ||
                                      (range_.until && seal->earliest >= *range_.until) ||
                                      seal->size <= range_.from);
      if (skip) {
        next_ = seal->size;
        continue;
      }
      Result<std::unique_ptr<LineReader>> reader =
          LineReader::Open(Path(*next_, AuditFile::kLines));
      if (!reader.ok()) {
        if (reader.error().code == "audit.missing") return false;
        return reader.error();
      }
      first_ = seq_ = *next_;
      line_number_ = 0;
      reader_ = reader.take();
      terms_.Clear();
      next_.reset();
      return true;
    }
    return false;
  }

  // Behind the last line of a segment: true when the next one may be looked at, or it has grown.
  Result<bool> AtEnd() {
    Result<AuditSeal> seal = ReadSeal(folder_, first_, key_);
    if (!seal.ok()) {
      if (seal.error().code == "audit.missing") return false;
      return AuditDamaged(SegmentName(first_, AuditFile::kSeal), 1, 0, seal.error().message);
    }
    if (seq_ < seal->size) {
      // It was sealed between the two looks, unless this is the second time.
      if (sealed_short_ == seq_)
        return AuditDamaged(SegmentName(first_, AuditFile::kLines), line_number_ + 1,
                            reader_->offset(), "record " + std::to_string(seq_) + " is missing");
      sealed_short_ = seq_;
      return true;
    }
    next_ = seal->size;
    reader_ = nullptr;
    return true;
  }

  std::string folder_;
  AuditRange range_;
  AuditPublicKey key_;
  std::unique_ptr<LineReader> reader_;
  AuditTermTable terms_;
  std::string record_, whole_;
  uint64_t first_ = 0, seq_ = 0, line_number_ = 0;
  std::optional<uint64_t> next_, sealed_short_;
};

AuditReader::AuditReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditReader::~AuditReader() = default;

Result<std::unique_ptr<AuditReader>> AuditReader::Open(const std::string& folder,
                                                       const AuditRange& range) {
  auto impl = std::make_unique<Impl>(folder, range);
  DPL_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<AuditReader>(new AuditReader(std::move(impl)));
}

Result<bool> AuditReader::Next(AuditRecord* out) { return impl_->Next(out); }

}  // namespace dpl
