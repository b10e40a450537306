// Where a search has to look: the entities that grants, ceilings, delegations and the task leave
// possible, by the index. Inside the room only; search.h is the door.
#pragma once

#include <functional>

#include "runtime/decide/request.h"
#include "runtime/search/candidates.h"
#include "runtime/search/index.h"
#include "runtime/search/plan_cache.h"
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

// Goes on with a plan, or begins it, until `tired` says so (asked before each clause; empty: to the
// end). Then its `candidates` are null, and the rest is for the next call, of the same question on
// the same index.
using Tired = std::function<bool()>;
// Every person whom the request could be permitted for, but for its task; maybe others. Nothing of
// it rests on the state.
void PlanPersons(const SearchScene& scene, const Tired& tired, SearchPlan* plan);
// Every resource of the type that the request could be permitted on; maybe others.
void PlanResources(const SearchScene& scene, const Tired& tired, SearchPlan* plan);

// An agent's task is one person's: nobody else can be a result. `*rank`: that one's; kNoRank:
// nobody's. False: the task rules nobody out.
bool TaskPerson(const SearchScene& scene, uint32_t* rank);

}  // namespace dpl
