// Operations that ask about the request as a whole: whom a clause is for, and which resources it
// reaches.
#pragma once

#include "runtime/vm/context.h"

namespace dpl::vm {

Value SubjPerson(Context& c, uint32_t constant);
Value SubjTeam(Context& c, uint32_t team);
Value SubjRole(Context& c, uint32_t role);
Value SubjEveryone(Context& c);
Value SubjAgentRoot(Context& c, uint32_t agent);
Value SubjAgentHop(Context& c, uint32_t agent);
Value ResourceIs(Context& c, uint32_t constant);
Value ResourceIn(Context& c, uint32_t constant);
Value ResourceInPath(Context& c, uint32_t constant);
Value ResourceInTask(Context& c, uint32_t param);

}  // namespace dpl::vm
