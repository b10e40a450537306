// What many records say alike is written once in each segment, as a term, and referred to by its
// number: the statements of a policy with their place, owner and reason, what is in force.
//
//   {"v":2,"kind":"terms","terms":[[1,{"statement":"acme.docs.working","span":"…",…}],[2,{…}]]}
//   {"v":2,"kind":"decision",…,"by":[1,4],"what":{"t":3,"id":"a1"},…,"t":2}
//
// A number is of the last such record before it in its segment. In front of a reader (reader.h) the
// records are whole again: `"t":n` stands for the members of term n, and so does n in `by`.
// docs/audit.md, "Terms".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/base/arena.h"

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
  // Appends the record of the terms made since the last call; nothing: none were.
  void TakeNew(std::string* out);

 private:
  uint64_t segment_ = 1;
  uint32_t next_ = 1;
  std::string made_;
};

// The reading side.
class AuditTermTable {
 public:
  void Clear() { terms_.clear(); }
  // Whether this is a record of terms; then it knows them.
  bool Learn(std::string_view record);
  // Whether the record refers to terms; then `out` is the whole one. A term that is not there (its
  // record is damaged) is left as its number.
  bool Expand(std::string_view record, std::string* out);

 private:
  std::unordered_map<uint32_t, std::string> terms_;
  Arena arena_;
};

}  // namespace dpl
