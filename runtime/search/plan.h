// Where a search has to look: the entities that grants, ceilings, delegations and the task leave
// possible, by the index. Inside the room only; search.h is the door.
#pragma once

#include "runtime/decide/request.h"
#include "runtime/search/candidates.h"
#include "runtime/search/index.h"
#include "runtime/state/store.h"

namespace dpl {

// The question with its names resolved.
struct SearchScene {
  const SearchIndex& index;
  const Request& request;
  DecisionState& state;
  Instant now;
  uint32_t type = kNone, action = kNone;  // of the resource
  // Subject search: what it is about; a stand-in where the facts do not know it.
  Entity resource;
};

// Every person whom the request could be permitted for; maybe others.
const Candidates* PlanPersons(const SearchScene& scene, CandidateSpace* space);
// Every resource of the type that the request could be permitted on; maybe others.
const Candidates* PlanResources(const SearchScene& scene, CandidateSpace* space);

}  // namespace dpl
