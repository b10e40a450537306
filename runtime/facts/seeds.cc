// The part of the facts that is not in a snapshot, on its own.
#include "runtime/facts/snapshot.h"

namespace dpl {
namespace {

// As deep as the text it was read from, which the reader bounds.
WireValue Copy(const WireValue& from, Arena* arena) {
  WireValue to = from;
  to.text = arena->Copy(from.text);
  if (from.is_array()) {
    WireValue* items = arena->NewArray<WireValue>(from.count);
    for (uint32_t i = 0; i < from.count; ++i) items[i] = Copy(from.items[i], arena);
    to.items = items;
  } else if (from.is_object()) {
    WireMember* members = arena->NewArray<WireMember>(from.count);
    for (uint32_t i = 0; i < from.count; ++i) {
      members[i] = {arena->Copy(from.members[i].name), Copy(from.members[i].value, arena)};
    }
    to.members = members;
  }
  return to;
}

}  // namespace

FactsInput SeedsOnly(const FactsInput& facts) {
  FactsInput seeds;
  seeds.name = facts.name;
  seeds.version = facts.version;
  seeds.as_of = facts.as_of;
  seeds.arena = std::make_shared<Arena>();
  seeds.consents = facts.consents;
  seeds.tasks = facts.tasks;
  seeds.handoffs = facts.handoffs;
  seeds.used = facts.used;
  for (FactsInput::Task& task : seeds.tasks) {
    for (FactsInput::Field& field : task.args) field.value = Copy(field.value, seeds.arena.get());
  }
  for (FactsInput::Used& used : seeds.used) used.quantity = Copy(used.quantity, seeds.arena.get());
  return seeds;
}

}  // namespace dpl
