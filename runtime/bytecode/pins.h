// What a condition says before it is run: "F unless `resource.department` is one of these". The
// second level of the index (narrow.h) leaves out what its pins rule out.
//
//   Pins pins = PinsOf(program, clause);   // of subject, scope and condition together
//
// A pin is a promise about the code of a clause, made by following the code itself and nothing
// else: when the request has a usable value there (not ⊥, not absent) and it is none of `values`,
// the clause does not match, whatever its other parts say. Of a value that cannot be told a pin
// promises nothing. Conditions that end the decision (Abort) are no truth and no part of it.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/text_hash.h"

namespace dpl {

struct Program;
struct Clause;

// Something of a request that conditions compare with constants.
struct PinPath {
  enum class Kind : uint8_t {
    kResource,      // the resource
    kAbove,         // the resource and everything it lies within
    kResourceAttr,  // `id`: attribute
    kResourceSet,   // an element of that attribute
    kPerson,        // the person
    kPersonAttr,
    kPersonSet,
    kTeam,  // a team the person is a member of
    kRole,  // a role the person has on record
    kSubject,
    kSubjectTeam,
    kSubjectRole,  // the same three in a subject: without a person F, where those before are ⊥
    kParam,        // `id`: name
    kParamSet,
    kContext,  // `id`: field
    kContextSet,
  };
  Kind kind = Kind::kResource;
  uint32_t id = 0;
  auto operator<=>(const PinPath&) const = default;
  // Reads the person who asks, so it says nothing about another one.
  bool OfPerson() const { return kind >= Kind::kPerson && kind <= Kind::kSubjectRole; }
};

struct Pin {
  PinPath path;
  std::vector<uint64_t> values;  // ascending; see PinValue
};
using Pins = std::vector<Pin>;  // by path

// Values by their hash: two that share one are tried both.
inline uint64_t PinValue(int64_t number) {
  return MixHash(static_cast<uint64_t>(number) ^ 0x8ebc6af09c88c6e3u, 0x589965cc75374cc3u);
}
inline uint64_t PinValue(std::string_view text) { return HashText(0x7a, text); }
inline uint64_t PinValueOfPerson(std::string_view id) { return HashText(0x7b, id); }
inline uint64_t PinValueOfResource(uint32_t type, std::string_view id) {
  return HashText(uint64_t{type} + 0x100, id);
}

// Every index of the program must be in range; code need not be proven.
Pins PinsOf(const Program& program, const Clause& clause);

}  // namespace dpl
