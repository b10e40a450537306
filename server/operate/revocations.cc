// /v1/revocations: what is taken back, from whom, since when and why; GET /v1/epoch is in
// status.cc.
//
// When the answer has left, no later decision of this server permits on what was revoked (closing
// rule 36): the store counts it before it returns, and the answer waits until it is synced.
#include "server/operate/body_reader.h"
#include "server/operate/names.h"
#include "server/operate/page.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

void WriteRevocation(const Revocation& revocation, JsonWriter* out) {
  out->BeginObject().Member("kind", RevokedKindName(revocation.kind));
  if (!revocation.name.empty()) out->Member("name", revocation.name);
  if (revocation.before) out->Member("before", FormatInstant(*revocation.before));
  out->Member("at", FormatInstant(revocation.at));
  if (!revocation.by.empty()) out->Member("by", revocation.by);
  if (!revocation.because.empty()) out->Member("because", revocation.because);
  out->Key("epoch").Uint(revocation.epoch).EndObject();
}

// What is on record already takes away all that this one would.
bool Covers(const Revocation& known, const Revocation& wanted) {
  if (!known.before) return true;
  return wanted.before && *wanted.before <= *known.before;
}

}  // namespace

void ListRevocations(Call& call) {
  PageQuery query;
  if (!query.Read(call)) return;
  std::optional<std::string_view> word = call.Query("kind"), name = call.Query("name");
  RevokedKind kind = RevokedKind::kPerson;
  if (word && !FindRevokedKind(*word, &kind)) {
    return call.Problem(ProblemKind::kInvalidParameter,
                        "`kind` must be one of: " + std::string(kRevokedKindWords));
  }
  std::string full;
  if (name)
    full =
        word ? FindRevocable(call.snapshot(), call.store(), kind, *name).full : std::string(*name);
  Page<Revocation> page = call.store().ListRevocations(query.ask(), [&](const Revocation& r) {
    return (!word || r.kind == kind) && (!name || r.name == full);
  });
  AnswerPage(call, page, [](const Revocation& r, JsonWriter* out) { WriteRevocation(r, out); });
}

void Revoke(Call& call) {
  BodyReader body(call, *call.body());
  Revocation revocation;
  std::string_view word = body.Word("kind", kRevokedKindWords);
  std::string_view given = body.Text("name", Need::kOptional);
  revocation.before = body.Time("before");
  revocation.because = body.Text("because");
  const bool force = body.Flag("force");
  if (!body.Finish()) return;
  (void)FindRevokedKind(word, &revocation.kind);
  if (revocation.before && *revocation.before > call.now())
    return body.Fail("before", "must not lie in the future");
  if (revocation.kind == RevokedKind::kEverything && !given.empty())
    return body.Fail("name", "must be left out: everything has no name");
  if (given.empty() && !revocation.before) {
    return body.Fail("before", revocation.kind == RevokedKind::kEverything
                                   ? "is required: what began until then is revoked"
                                   : "or `name` is required");
  }
  if (!given.empty()) {
    Name name = FindRevocable(call.snapshot(), call.store(), revocation.kind, given);
    if (!name.known && !force) {
      return body.Fail("name",
                       "is not known: " + name.problem + " (`force` revokes it all the same)",
                       ProblemKind::kUnknownName, name.near);
    }
    revocation.name = name.full;
  }
  revocation.at = call.now();
  revocation.by = call.WhoActs();
  int status = 200;
  std::optional<Revocation> known = call.store().FindRevocation(revocation.kind, revocation.name);
  if (known && Covers(*known, revocation)) {
    call.WaitForState();
  } else {
    if (!call.MayChange()) return;
    revocation.epoch = call.store().Revoke(revocation);
    if (!call.Changed({.event = "revoke",
                       .because = revocation.because,
                       .fields = {{"kind", word},
                                  {"name", revocation.name},
                                  {"before", revocation.before ? FormatInstant(*revocation.before)
                                                               : std::string()}}}))
      return;
    known = revocation;
    status = 201;
  }
  JsonWriter& out = call.Answer(status);
  out.BeginObject().Key("epoch").Uint(call.store().Epoch()).Key("revocation");
  WriteRevocation(*known, &out);
  out.EndObject();
}

}  // namespace dpl
