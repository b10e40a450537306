// The schema of generated policies: which attributes each type has this time, and the few values
// that occur, so that equality, sets and bounds are often met.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/arena.h"
#include "runtime/base/wire.h"
#include "tests/support/rng.h"

namespace dpl::gen {

enum class T {
  kBool,
  kInt,
  kDecimal,
  kMoney,
  kString,
  kDate,
  kDateTime,
  kDuration,
  kTime,
  kRegion,
  kClass,
  kStrings,
  kPersons,
  kPath,
  kIp,
  kLabels,
  kRecord,
  kPerson,
  kTeam,
  kProject,
  kRegions,
};

struct Attr {
  std::string name;
  T type = T::kBool;
  bool optional = false, from_request = false;
  std::string fallback;  // `= …`; empty: none
  std::string wire;      // `as "…"`; empty: the name
  const std::string& on_wire() const { return wire.empty() ? name : wire; }
};

struct Vocabulary {
  explicit Vocabulary(Rng* rng);

  std::vector<Attr> person, doc, order, file, project, context;
  std::string order_wire;           // the wire name of bank.Order
  std::string share_wire;           // of the action `share`
  bool hierarchy_optional = false;  // projects may be roots
  bool parent_from_request = false;
  bool realms = false;        // also partners, people who act for people, separation by role
  std::string source_within;  // of the person feed; empty: none
  std::string zone;
  std::string start;  // an instant near which everything happens

  Texts persons = {"E0", "E1", "E2", "E3", "E4", "E5"};  // may ask
  Texts projects = {"P0", "P1", "P2", "P3"};
  Texts docs = {"d0", "d1", "d2", "d3", "d4", "d5"};
  Texts orders = {"o0", "o1", "o2", "o3"};
  Texts files = {"/srv/a", "/srv/a/b", "/srv/ab", "/srv", "/tmp/x", "s3://bucket/k"};
  Texts words = {"a", "ab", "b", "B-7"};
};

std::string TypeText(T type);
// A literal of the type as policy text.
std::string LiteralText(Rng* rng, const Vocabulary& v, T type);
// A value of the type as a caller or a facts file says it.
WireValue WireOf(Rng* rng, const Vocabulary& v, T type, Arena* arena);

WireValue WireString(const std::string& text, Arena* arena);
WireValue WireNumber(const std::string& text, Arena* arena);
WireValue WireObject(const std::vector<std::pair<std::string, WireValue>>& members, Arena* arena);

}  // namespace dpl::gen
