// The person behind a call: consent, approval and review are acts of a person in direct mode
// (closing rule 2), never of a service by itself and never of an agent.
//
//   std::string person = ActingPerson(call, &body, "person");
//   if (!body.Finish()) return;
//
// A personal token is its person and nobody else. A service names the person in the body, and must
// be registered as serving persons: it vouches that this person is there, acting directly.
#pragma once

#include <string>
#include <string_view>

#include "server/operate/body_reader.h"
#include "server/operate/call.h"

namespace dpl {

// Also reads `auth_time`, when that person signed in: without it, whoever has a cut-off on record
// is refused. "" after a problem: nobody is named, somebody else than the token's, or the person is
// not known, not active or revoked.
std::string ActingPerson(Call& call, BodyReader* body, std::string_view member);

// Whether this person is who an owner names: the person, or a member of the team now.
bool Speaks(const Snapshot& snapshot, std::string_view person, const OwnerDef& owner, Instant now);

}  // namespace dpl
