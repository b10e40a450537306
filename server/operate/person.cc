// See person.h.
#include "server/operate/person.h"

#include "server/operate/names.h"

namespace dpl {

std::string ActingPerson(Call& call, BodyReader* body, std::string_view member) {
  std::string person(body->Text(member, Need::kOptional));
  std::optional<Instant> auth_time = body->Time("auth_time");
  if (!body->ok()) return {};
  if (person.empty()) person = call.caller().person;
  if (person.empty()) {
    body->Fail(member, "is required: the person who does this, in direct mode");
    return {};
  }
  if (!call.MayActAs(person)) return {};
  std::string why = WhyNotActing(call.snapshot(), call.store(), person, auth_time);
  if (why.empty()) return person;
  body->Fail(member, why, ProblemKind::kNotAllowed);
  return {};
}

bool Speaks(const Snapshot& snapshot, std::string_view person, const OwnerDef& owner, Instant now) {
  const Entity* entity = snapshot.FindPerson(person);
  if (entity == nullptr || entity->person == nullptr ||
      entity->person->status != PersonStatus::kActive)
    return false;
  if (owner.person != kNone) return snapshot.program().constants[owner.person].text == person;
  return owner.team != kNone && snapshot.InTeam(*entity, owner.team, now) == Truth::kTrue;
}

}  // namespace dpl
