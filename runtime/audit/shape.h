// Shapes: what the records of decisions look like that differ in names, numbers and times alone. A
// shape is in the log once a segment, among the terms (terms.h); a record of it says in which
// record, and what differs:
//
//   {"v":3,"kind":"decision","s":[17,0],"h":["ev_1","","E1007","a6",1],"t":5}
//
// The first decision of a kind is written whole, and so is any whose texts need an escape. From the
// second one on there is a shape: a whole record is rendered with marks in place of what differs,
// and cut at the marks. It is used when the whole record comes out again, which is looked at when
// it is made and now and then later.
//
//   AuditShapes shapes(&terms);
//   if (!shapes.Write(&out, {fixed, values, …})) …   // it is to be written whole
//
// docs/audit.md, "Shapes". The log's thread alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/audit/record.h"
#include "runtime/audit/terms.h"

namespace dpl {

class AuditMarks;  // an Io of entry_transfer.h

class AuditShapes {
 public:
  explicit AuditShapes(AuditTerms* terms);
  ~AuditShapes();

  void BeginSegment() { Clear(); }
  // Which program the fixed parts speak of.
  void Use(const std::shared_ptr<const Program>& program);

  // One decision, as its entry says it.
  struct Source {
    virtual ~Source() = default;
    // The whole record but for what is in force and sealed; with `marks`, these put in place of
    // what differs.
    virtual void Render(AuditMarks* marks, std::string* out) = 0;
    virtual bool Charged() = 0;     // its amounts were (AmountAfter)
    virtual bool SaysValues() = 0;  // its parameters stand in the record themselves
  };
  struct Decided {
    uint64_t terms_seq = 0;          // the number that the next record of terms will have
    std::string_view fixed, values;  // of the entry, behind what is sealed
    Instant line_time{};             // that the record's line will have
    std::string_view digest_key;
    Source* source = nullptr;
  };
  // Appends `{"v":3,…,"h":[…]`, without the closing brace; false: nothing was appended.
  bool Write(std::string* out, const Decided& decided);

 private:
  struct Shape;
  bool Make(Shape* shape, const Decided& decided);
  bool Fill(std::string* out, const Shape& shape, const Decided& decided, bool check);
  void Clear();

  AuditTerms* const terms_;
  std::shared_ptr<const Program> program_;
  std::unordered_map<std::string_view, std::unique_ptr<Shape>> shapes_;  // by their fixed part
  Shape* last_ = nullptr;
  uint64_t nonce_ = 0;
  std::string text_;
};

}  // namespace dpl
