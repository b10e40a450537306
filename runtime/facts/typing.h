// From an untyped WireValue to a Value of a declared type: facts, request parameters and
// attributes, task arguments.
//
// Exact or refused: no number becomes money, no text a number, no unknown member an enum. Inside
// the room only; others call Snapshot::TypeValue.
#pragma once

#include "runtime/facts/tables.h"

namespace dpl {

// Finds or makes the entity a reference names; null when memory is out.
class EntitySource {
 public:
  virtual ~EntitySource() = default;
  virtual const Entity* Person(std::string_view id) = 0;
  virtual const Entity* Resource(uint32_t type, std::string_view id) = 0;
};

struct Typing {
  const Program& program;
  const FactTables& tables;
  EntitySource* entities;
  Arena* arena;
  bool strict =
      false;  // an undeclared field of a record is an error (facts); else it is ignored (requests)
};

constexpr uint32_t kMaxLabels = 64;
constexpr uint32_t kMaxSetSize = 1024;

// Error code "type" (or "memory"); line and column are those of the offending part.
Result<Value> TypeWireValue(const WireValue& wire, TypeId type, const Typing& typing);

}  // namespace dpl
