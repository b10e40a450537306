// Conditions read backwards: from compiled code to the entities for which it could be true.
//
//   Inverter inverter(index, &space, {.searched = Inverter::Searched::kPersons, .type = …});
//   const Candidates* c = inverter.Of(clause.where_code);
//
// The result holds every entity for which the code is T, given what is known of the other side; it
// may hold more. What is not understood is `All`: the decision has the last word. So a mistake that
// makes a set larger costs time, and only one that makes it smaller costs answers
// (tests/unit/search/complete_test.cc tries every entity to find those).
#pragma once

#include <deque>
#include <vector>

#include "runtime/search/candidates.h"
#include "runtime/search/index.h"

namespace dpl {

class Inverter {
 public:
  enum class Searched : uint8_t { kPersons, kResources };
  // The question, but for what is searched.
  struct Given {
    Searched searched = Searched::kPersons;
    uint32_t type = kNone;  // of the resource, given or searched
    bool makes = false;     // the action makes its resource: the request may say where it lies
    // kResources: who asks. `person_open`: somebody of whom nothing may be concluded here.
    const Entity* person = nullptr;
    bool person_open = false;
    // kPersons: what it is about; a stand-in without attributes where the facts do not know it.
    const Entity* resource = nullptr;
  };
  Inverter(const SearchIndex& index, CandidateSpace* space, const Given& given);
  ~Inverter();

  const Candidates* Of(uint32_t code);  // kNone: All

 private:
  struct Sym;

  const Candidates* Truth(const Sym& sym);
  const Candidates* Equal(const Sym& a, const Sym& b);
  const Candidates* In(const Sym& x, const Sym& y);
  const Candidates* InSet(const Sym& x, const Value& set);
  const Candidates* Member(const Sym& who, uint32_t team);
  const Candidates* Holder(const Sym& who, uint32_t role);
  const Candidates* With(uint32_t attribute, const Value& value);
  const Candidates* Within(const Entity& container);
  const Candidates* SameAs(const Entity& entity);
  const Candidates* ById(std::string_view id);
  const Candidates* Beneath(std::string_view path);
  Sym PersonAttribute(const Sym& of, uint32_t attribute);
  Sym ResourceAttribute(const Sym& of, uint32_t type, uint32_t attribute);
  Sym ParentOf(const Sym& of, uint32_t type);
  Sym KeyOf(const Sym& of);
  const Candidates* Whether(bool holds) const { return holds ? space_.All() : space_.Empty(); }
  bool searching_persons() const { return given_.searched == Searched::kPersons; }

  const SearchIndex& index_;
  const Snapshot& snapshot_;
  const Program& program_;
  const Schema& schema_;
  CandidateSpace& space_;
  const Given given_;
  bool parent_may_be_said_ = false;  // of the resource: by the request
  std::vector<Sym> stack_, locals_;
  std::deque<std::vector<Value>> sets_;
};

}  // namespace dpl
