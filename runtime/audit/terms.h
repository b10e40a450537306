// What many records say alike is written once in each segment, as a term, and referred to by its
// number: the statements of a policy with their place, owner and reason, what is in force; and as a
// shape (shape.h) what whole records of decisions have alike.
//
//   {"v":3,"kind":"terms","terms":[[1,{"statement":"acme.docs.working","span":"…",…}],[2,{…}]],
//    "shapes":[["{…,\"id\":\"",0,"\",\"time\":\"",1,…]]}
//   {"v":3,"kind":"sealed","key":"…","box":"…"}
//   {"v":3,"kind":"decision",…,"by":[1,4],"what":{"t":3,"id":"a1"},…,"t":2,"q":0}
//   {"v":3,"kind":"decision","s":[7,0],"h":["ev_1","","a1",1],"t":2,"q":1}
//
// A number is of the last such record before it in its segment. In front of a reader (reader.h) the
// records are whole again: `"t":n` stands for the members of term n, and so does n in `by`;
// `"s":[n,…]` for a shape, of record n and its place there, with the values of `h` in its holes
// ("": the time of the line); `"q":n` for the place in the last record of kind `sealed`.
// docs/audit.md, "Terms".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/arena.h"
#include "runtime/base/instant.h"

namespace dpl {

// Members of an object, `"a":"…","b":"…"`, that records refer to.
struct AuditTerm {
  std::string members;
  uint32_t number = 0;
  uint64_t segment = 0;  // in which it has that number
};

// The writing side: which terms the present segment has.
class AuditTerms {
 public:
  void BeginSegment() { ++segment_, next_ = 1; }
  // Its number; a term that the segment does not have yet is made.
  uint32_t NumberOf(AuditTerm* term);
  // Makes a shape: its texts, and the hole behind each but the last. Its place in the record that
  // comes next.
  uint32_t PlaceOfShape(const std::vector<std::string>& texts, const std::vector<uint32_t>& holes);
  // Appends the record of the terms made since the last call; nothing: none were.
  void TakeNew(std::string* out);

 private:
  uint64_t segment_ = 1;
  uint32_t next_ = 1, shapes_ = 0;
  std::string made_, made_shapes_;
};

// The reading side.
class AuditTermTable {
 public:
  // No record is longer when it is whole. One that would be (terms that say much, referred to a
  // million times: no log of ours) stays as it is written.
  static constexpr size_t kMostWhole = size_t{16} << 20;

  void Clear();
  // Whether this is a record of terms, or a sealed one; then it knows them. `seq`: its number.
  bool Learn(std::string_view record, uint64_t seq = 0);
  // Whether the record refers to terms, and can be whole; then `out` is that. A term that is not
  // there (its record is damaged) is left as its number. `line_time`: of the record's line.
  // `shape`: receives the number of the record that has its shape.
  bool Expand(std::string_view record, Instant line_time, std::string* out,
              std::optional<uint64_t>* shape = nullptr);
  // The same for its shape alone.
  bool Shape(std::string_view record, Instant line_time, std::string* out,
             std::optional<uint64_t>* shape = nullptr);
  // The last record of kind `sealed`; empty: there was none.
  std::string_view sealed() const { return sealed_; }

 private:
  struct ShapeText {
    std::vector<std::string> texts;
    std::vector<uint32_t> holes;
  };
  class Writer;

  std::unordered_map<uint32_t, std::string> terms_;
  std::unordered_map<uint64_t, std::vector<ShapeText>> shapes_;  // of a record
  std::string sealed_, shaped_;
  uint64_t sealed_seq_ = 0;
  Arena arena_;
};

}  // namespace dpl
