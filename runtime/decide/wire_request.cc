// See wire_request.h. Shapes accepted are listed in docs/api.md.
#include "runtime/decide/wire_request.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "runtime/base/decimal.h"
#include "runtime/decide/duty.h"

namespace dpl {
namespace {

Error Bad(std::string message, const WireValue* at = nullptr) {
  Error e{"request", std::move(message)};
  if (at != nullptr) e.line = at->line, e.column = at->column;
  return e;
}

template <size_t N>
bool Named(const WireMember& member, const char (&name)[N]) {
  return member.name.size() == N - 1 && std::memcmp(member.name.data(), name, N - 1) == 0;
}

// The members of an object that are asked for, found in one look at it; null: not there.
template <class Members>
Members MembersOf(const WireValue& object) {
  Members out;
  for (uint32_t i = 0; object.is_object() && i < object.count; ++i) out.Take(object.members[i]);
  return out;
}

// Of a subject, an action or a resource.
struct EntityMembers {
  const WireValue *type = nullptr, *id = nullptr, *name = nullptr, *properties = nullptr;
  void Take(const WireMember& m) {
    switch (m.name.size()) {
      case 2:
        if (Named(m, "id")) id = &m.value;
        break;
      case 4:
        if (Named(m, "type")) type = &m.value;
        if (Named(m, "name")) name = &m.value;
        break;
      default:
        if (Named(m, "properties")) properties = &m.value;
        break;
    }
  }
};

// Of whatever may name an agent, its run, or when a person signed in.
struct RunMembers {
  const WireValue *sub = nullptr, *id = nullptr, *client_id = nullptr, *iss = nullptr,
                  *act = nullptr, *instance = nullptr, *client_instance_id = nullptr,
                  *jti = nullptr, *born = nullptr, *iat = nullptr, *sub_profile = nullptr,
                  *type = nullptr, *auth_time = nullptr;
  void Take(const WireMember& m) {
    switch (m.name.size()) {
      case 2:
        if (Named(m, "id")) id = &m.value;
        break;
      case 3:
        if (Named(m, "sub")) sub = &m.value;
        if (Named(m, "iss")) iss = &m.value;
        if (Named(m, "act")) act = &m.value;
        if (Named(m, "iat")) iat = &m.value;
        if (Named(m, "jti")) jti = &m.value;
        break;
      case 4:
        if (Named(m, "born")) born = &m.value;
        if (Named(m, "type")) type = &m.value;
        break;
      default:
        if (Named(m, "instance")) instance = &m.value;
        if (Named(m, "client_id")) client_id = &m.value;
        if (Named(m, "auth_time")) auth_time = &m.value;
        if (Named(m, "sub_profile")) sub_profile = &m.value;
        if (Named(m, "client_instance_id")) client_instance_id = &m.value;
        break;
    }
  }
};

struct ContextMembers {
  const WireValue *agent = nullptr, *actor = nullptr, *task = nullptr, *approval = nullptr,
                  *break_glass = nullptr, *supported_obligations = nullptr,
                  *supported_extensions = nullptr, *dry_run = nullptr, *explain = nullptr;
  void Take(const WireMember& m) {
    if (Named(m, "agent")) agent = &m.value;
    if (Named(m, "actor")) actor = &m.value;
    if (Named(m, "task")) task = &m.value;
    if (Named(m, "approval")) approval = &m.value;
    if (Named(m, "break_glass")) break_glass = &m.value;
    if (Named(m, "supported_obligations")) supported_obligations = &m.value;
    if (Named(m, "supported_mandatory_extensions")) supported_extensions = &m.value;
    if (Named(m, "dry_run")) dry_run = &m.value;
    if (Named(m, "explain")) explain = &m.value;
  }
};

// A required text member of an object; false: see NoText.
inline bool ReadText(const WireValue* v, std::string_view* out) {
  if (v == nullptr || !v->is_string()) return false;
  *out = v->text;
  return true;
}
// `path`: "subject.id".
[[gnu::cold, gnu::noinline]] Error NoText(const WireValue* object, const WireValue* v,
                                          std::string_view path) {
  return v == nullptr ? Bad(std::string(path) + " is missing", object)
                      : Bad(std::string(path) + " is not a string", v);
}

inline bool IsObject(const WireValue* v) { return v != nullptr && v->is_object(); }
[[gnu::cold, gnu::noinline]] Error NoObject(const WireValue* v, std::string_view name) {
  if (v == nullptr) return Bad(std::string(name) + " is missing");
  return Bad(std::string(name) + " is not an object", v);
}

// An optional object member; null counts as absent. False: it is another.
inline bool ReadProperties(const WireValue* v, const WireValue** out) {
  if (v == nullptr || v->is_null()) return true;
  *out = v;
  return v->is_object();
}

// One placement of the actor: its chain, root first, in memory of the caller's for kMaxHops.
struct Placement {
  explicit Placement(std::array<Request::Hop, kMaxHops>* memory) : hops(memory->data()) {}
  Request::Hop* hops;
  int count = 0;
  bool too_many = false;
  // Room for one more, which the caller fills; null: no more.
  Request::Hop* Add() {
    if (count == kMaxHops) {
      too_many = true;
      return nullptr;
    }
    return &(hops[count++] = {});
  }
};

// Seconds since 1970 (fractions allowed) or an RFC 3339 text.
std::optional<Instant> ReadInstant(const WireValue* v) {
  if (v == nullptr) return std::nullopt;
  if (v->is_number()) {
    Result<Decimal> seconds = ParseDecimal(v->text, true);
    if (!seconds.ok() || seconds->micro < kMinInstant.us || seconds->micro > kMaxInstant.us)
      return std::nullopt;
    return Instant{seconds->micro};
  }
  if (!v->is_string()) return std::nullopt;
  Result<Instant> t = ParseInstant(v->text);
  return t.ok() ? std::optional<Instant>(*t) : std::nullopt;
}

// The first of these that is a text.
std::string_view TextOf(std::initializer_list<const WireValue*> members) {
  for (const WireValue* v : members) {
    if (v != nullptr && v->is_string()) return v->text;
  }
  return {};
}

// With no instance the token's own id stands in.
std::string_view InstanceOf(const RunMembers& run) {
  return TextOf({run.instance, run.client_instance_id, run.jti});
}

// When a run was born. Says which member about it is there and cannot be read: taking it for absent
// would make an old run a fresh one.
std::string_view ReadBirth(const RunMembers& run, std::optional<Instant>* out) {
  auto is_set = [](const WireValue* v) { return v != nullptr && !v->is_null(); };
  auto unreadable_text = [&](const WireValue* v) { return is_set(v) && !v->is_string(); };
  const std::optional<Instant> born = ReadInstant(run.born), iat = ReadInstant(run.iat);
  *out = born ? born : iat;
  if (is_set(run.born) && !born) return "born";
  if (is_set(run.iat) && !iat) return "iat";
  if (unreadable_text(run.instance)) return "instance";
  if (unreadable_text(run.client_instance_id)) return "client_instance_id";
  if (unreadable_text(run.jti)) return "jti";
  return {};
}

// Whose name space a name is of. One that cannot be read must not count as none: false, see
// NoIssuer.
inline bool ReadIssuer(const WireValue* v, std::string_view* out) {
  if (v == nullptr || v->is_null()) return true;
  *out = v->text;
  return v->is_string() && !v->text.empty();
}
[[gnu::cold, gnu::noinline]] Error NoIssuer(const WireValue* v, std::string_view path) {
  return Bad(std::string(path) + ": `iss` cannot be read", v);
}

// One agent: a text, or an object that names it by `sub`, `id` or `client_id`. `*act`: what the
// object says came before it.
Status ReadHop(const WireValue& v, std::string_view path, Request::Hop* out,
               const WireValue** act = nullptr) {
  if (v.is_string()) {
    out->agent = v.text;
    return Status::Ok();
  }
  if (!v.is_object()) return Bad(std::string(path) + " is neither a string nor an object", &v);
  const auto run = MembersOf<RunMembers>(v);
  out->agent = TextOf({run.sub, run.id, run.client_id});
  if (out->agent.empty()) return Bad(std::string(path) + " names no agent (`sub`)", &v);
  if (std::string_view member = ReadBirth(run, &out->born); !member.empty()) {
    return Bad(std::string(path) + ": `" + std::string(member) + "` cannot be read", &v);
  }
  if (!ReadIssuer(run.iss, &out->issuer)) [[unlikely]]
    return NoIssuer(run.iss, path);
  // What is not said to be a person is an agent: the name space that may less.
  std::string_view profile = TextOf({run.sub_profile}), type = TextOf({run.type});
  out->is_person = profile == "user" || type == "person" || type == "user";
  out->instance = InstanceOf(run);
  if (act != nullptr) *act = run.act;
  return Status::Ok();
}

// `act` as in RFC 8693: the outermost acts now, each inner one came before it.
Status ReadNested(const WireValue& act, std::string_view path, Placement* out) {
  if (!act.is_object()) return Bad(std::string(path) + " is not an object", &act);
  const WireValue* at = &act;
  for (int depth = 0; at != nullptr && !at->is_null(); ++depth) {
    if (!at->is_object()) return Bad(std::string(path) + ": an inner `act` is not an object", at);
    // One too many is still read: it may be what makes the request unreadable.
    Request::Hop beyond;
    Request::Hop* hop = out->Add();
    const WireValue* before = nullptr;
    DPL_RETURN_IF_ERROR(ReadHop(*at, path, hop != nullptr ? hop : &beyond, &before));
    if (hop == nullptr) break;
    at = before;
  }
  std::reverse(out->hops, out->hops + out->count);
  return Status::Ok();
}

// {client_id, client_instance_id, act:[root … leaf]}: oldest first, the leaf is the client itself
// or comes before it.
Status ReadActor(const WireValue& actor, Placement* out) {
  const WireValue* act = actor.Find("act");
  if (act == nullptr || act->is_object()) {
    if (act != nullptr) return ReadNested(actor, "context.actor", out);
    return ReadHop(actor, "context.actor", out->Add());
  }
  if (!act->is_array()) return Bad("context.actor.act is not an array", act);
  for (uint32_t i = 0; i < act->count; ++i) {
    Request::Hop beyond;
    Request::Hop* hop = out->Add();
    DPL_RETURN_IF_ERROR(
        ReadHop(act->items[i], "context.actor.act", hop != nullptr ? hop : &beyond));
    if (hop == nullptr) return Status::Ok();
  }
  Request::Hop client;
  DPL_RETURN_IF_ERROR(ReadHop(actor, "context.actor", &client));
  if (out->count > 0 && out->hops[out->count - 1].agent == client.agent) {
    Request::Hop& leaf = out->hops[out->count - 1];
    if (leaf.instance.empty()) leaf.instance = client.instance;
    if (leaf.issuer.empty()) leaf.issuer = client.issuer;
    if (!leaf.born) leaf.born = client.born;
  } else if (Request::Hop* hop = out->Add()) {
    *hop = client;
  }
  return Status::Ok();
}

// Two placements agree when the actor is the same, and so is the rest of the chain where both tell
// it.
bool Merge(const Placement& other, Placement* chain) {
  if (other.count == 0) return true;
  std::array<Request::Hop, kMaxHops> memory;
  Placement merged(&memory);
  auto keep = [chain](const Placement& from) {
    std::copy_n(from.hops, from.count, chain->hops);
    chain->count = from.count;
    chain->too_many |= from.too_many;
  };
  if (chain->count == 0) {
    keep(other);
    return true;
  }
  const Placement& longer = other.count > chain->count ? other : *chain;
  const Placement& shorter = other.count > chain->count ? *chain : other;
  if (shorter.count != longer.count && shorter.count != 1) return false;
  std::copy_n(longer.hops, longer.count, merged.hops);
  merged.count = longer.count;
  merged.too_many = other.too_many;
  int offset = longer.count - shorter.count;
  for (int i = 0; i < shorter.count; ++i) {
    Request::Hop& mine = merged.hops[offset + i];
    const Request::Hop& its = shorter.hops[i];
    if (mine.agent != its.agent) return false;
    if (!mine.issuer.empty() && !its.issuer.empty() && mine.issuer != its.issuer) return false;
    if (mine.issuer.empty()) mine.issuer = its.issuer;
    if (mine.is_person != its.is_person) return false;
    if (!mine.instance.empty() && !its.instance.empty() && mine.instance != its.instance)
      return false;
    if (mine.born && its.born && *mine.born != *its.born) return false;
    if (mine.instance.empty()) mine.instance = its.instance;
    if (!mine.born) mine.born = its.born;
  }
  keep(merged);
  return true;
}

// What the enforcement point commits to carry out for this request: `supported_obligations`, if
// obligations are among the mandatory extensions it says to read. What we do not know it cannot be
// asked to do.
uint8_t ReadDuties(const ContextMembers& context, Request* r) {
  const WireValue* supported = context.supported_obligations;
  if (supported == nullptr || supported->is_null()) return 0;
  const WireValue* extensions = context.supported_extensions;
  bool opted_in = false;
  for (const WireValue* list : {supported, extensions}) {
    if (list == nullptr || list->is_null()) continue;
    bool texts = list->is_array();
    for (uint32_t i = 0; texts && i < list->count; ++i) {
      texts = list->items[i].is_string();
      opted_in |= texts && list == extensions && list->items[i].text == "obligations";
    }
    if (texts) continue;
    r->malformed = "context.supported_obligations is not a list of names";
    return 0;
  }
  if (!opted_in) return 0;
  uint8_t duties = 0;
  for (uint32_t i = 0; i < supported->count; ++i) {
    DutyKind kind;
    if (FindDuty(supported->items[i].text, &kind))
      duties = static_cast<uint8_t>(duties | DutyBit(kind));
  }
  return duties;
}

// {name, reason, ticket}: what is said is read as texts only.
void ReadBreakGlass(const WireValue* v, Request* r) {
  if (v == nullptr || !v->is_object()) return;
  auto said = [&](std::string_view name, std::string_view* out) {
    const WireValue* text = v->Find(name);
    if (text == nullptr || text->is_null()) return;
    if (text->is_string()) {
      *out = text->text;
    } else {
      r->malformed = "the reason or ticket of context.break_glass is not a string";
    }
  };
  said("reason", &r->break_glass_reason);
  said("ticket", &r->break_glass_ticket);
}

// A text, or the `id`/`name` of an object.
std::string_view TextOrMember(const WireValue* v, std::string_view member,
                              std::string_view complaint, Request* r) {
  if (v == nullptr || v->is_null()) return {};
  if (v->is_string()) return v->text;
  const WireValue* inner = v->Find(member);
  if (inner != nullptr && inner->is_string()) return inner->text;
  r->malformed = complaint;
  return {};
}

// One approval, or a list of them where the request needs several.
void ReadApprovals(const WireValue* v, Request* r) {
  constexpr std::string_view kNoId = "context.approval has no id";
  if (v == nullptr || !v->is_array()) {
    std::string_view id = TextOrMember(v, "id", kNoId, r);
    if (!id.empty()) r->Present(id);
    return;
  }
  for (uint32_t i = 0; i < v->count; ++i) {
    std::string_view id = TextOrMember(&v->items[i], "id", kNoId, r);
    if (id.empty()) {
      r->malformed = kNoId;
    } else if (!r->Present(id)) {
      r->malformed = "context.approval names too many approvals";
    }
  }
}

bool ReadFlag(const WireValue* v, std::string_view complaint, Request* r) {
  if (v == nullptr || v->is_null()) return false;
  if (v->is_bool()) return v->boolean;
  r->malformed = complaint;
  return false;
}

// A level by its name; `true` asks for everything, `false` for what is usual.
void ReadExplain(const WireValue* v, Request* r) {
  if (v == nullptr || v->is_null()) return;
  if (v->is_bool()) {
    r->level = v->boolean ? Explain::kTrace : Explain::kFull;
  } else if (!v->is_string() || !FindExplain(v->text, &r->level)) {
    r->malformed = "context.explain is none of none, reason, full and trace";
  }
}

}  // namespace

Status ReadWireResource(const WireValue* resource, Request* out) {
  if (!IsObject(resource)) [[unlikely]]
    return NoObject(resource, "resource");
  const auto members = MembersOf<EntityMembers>(*resource);
  if (!ReadText(members.type, &out->resource_type)) [[unlikely]]
    return NoText(resource, members.type, "resource.type");
  if (!ReadText(members.id, &out->resource_id)) [[unlikely]]
    return NoText(resource, members.id, "resource.id");
  out->resource_properties = nullptr;
  if (!ReadProperties(members.properties, &out->resource_properties)) [[unlikely]]
    return Bad("resource.properties is not an object", members.properties);
  return Status::Ok();
}

Status ReadWireRequest(const WireEvaluation& wire, const Caller& caller, Arena*, Request* out) {
  Request& r = *out;
  r.Clear();
  r.caller = &caller;
  // What is wrong is told in this order, whoever reads further below.
  if (!IsObject(wire.subject)) [[unlikely]]
    return NoObject(wire.subject, "subject");
  if (!IsObject(wire.action)) [[unlikely]]
    return NoObject(wire.action, "action");
  if (!IsObject(wire.resource)) [[unlikely]]
    return NoObject(wire.resource, "resource");
  const auto subject = MembersOf<EntityMembers>(*wire.subject);
  const auto action = MembersOf<EntityMembers>(*wire.action);
  const auto resource = MembersOf<EntityMembers>(*wire.resource);
  if (!ReadText(subject.type, &r.subject_type)) [[unlikely]]
    return NoText(wire.subject, subject.type, "subject.type");
  if (!ReadText(subject.id, &r.subject_id)) [[unlikely]]
    return NoText(wire.subject, subject.id, "subject.id");
  if (!ReadText(action.name, &r.action)) [[unlikely]]
    return NoText(wire.action, action.name, "action.name");
  if (!ReadText(resource.type, &r.resource_type)) [[unlikely]]
    return NoText(wire.resource, resource.type, "resource.type");
  if (!ReadText(resource.id, &r.resource_id)) [[unlikely]]
    return NoText(wire.resource, resource.id, "resource.id");
  if (!ReadProperties(subject.properties, &r.subject_properties)) [[unlikely]]
    return Bad("subject.properties is not an object", subject.properties);
  if (!ReadProperties(action.properties, &r.action_properties)) [[unlikely]]
    return Bad("action.properties is not an object", action.properties);
  if (!ReadProperties(resource.properties, &r.resource_properties)) [[unlikely]]
    return Bad("resource.properties is not an object", resource.properties);
  if (wire.context != nullptr && !wire.context->is_null()) {
    if (!wire.context->is_object()) return Bad("context is not an object", wire.context);
    r.context = wire.context;
  }

  Placement chain(&r.hops);
  RunMembers about;  // what the subject's properties say
  if (r.subject_properties != nullptr) {
    about = MembersOf<RunMembers>(*r.subject_properties);
    if (!ReadIssuer(about.iss, &r.subject_issuer)) [[unlikely]]
      return NoIssuer(about.iss, "subject.properties");
    if (about.act != nullptr && !about.act->is_null())
      DPL_RETURN_IF_ERROR(ReadNested(*about.act, "subject.properties.act", &chain));
  }
  if (r.context != nullptr) {
    const auto context = MembersOf<ContextMembers>(*r.context);
    if (context.agent != nullptr && !context.agent->is_null()) {
      std::array<Request::Hop, kMaxHops> memory;
      Placement one(&memory);
      DPL_RETURN_IF_ERROR(ReadHop(*context.agent, "context.agent", one.Add()));
      r.actor_conflict |= !Merge(one, &chain);
    }
    if (context.actor != nullptr && !context.actor->is_null()) {
      std::array<Request::Hop, kMaxHops> memory;
      Placement other(&memory);
      DPL_RETURN_IF_ERROR(ReadActor(*context.actor, &other));
      r.actor_conflict |= !Merge(other, &chain);
    }
    r.task = TextOrMember(context.task, "id", "context.task is not a string", &r);
    ReadApprovals(context.approval, &r);
    r.break_glass =
        TextOrMember(context.break_glass, "name", "context.break_glass has no name", &r);
    ReadBreakGlass(context.break_glass, &r);
    r.duties = ReadDuties(context, &r);
    r.dry_run = ReadFlag(context.dry_run, "context.dry_run is not a bool", &r);
    ReadExplain(context.explain, &r);
  }
  r.level =
      std::min({r.level, caller.explain, caller.details ? Explain::kTrace : Explain::kReason});
  r.explain = r.level == Explain::kTrace;
  if (r.subject_type == "agent") {
    // The standing agent is the first of its own chain; an actor equal to it is no delegation.
    Request::Hop self;
    self.agent = r.subject_id;
    if (r.subject_properties != nullptr) {
      if (!ReadBirth(about, &self.born).empty())
        r.malformed = "subject.properties: the run's id or time cannot be read";
      self.instance = InstanceOf(about);
    }
    if (chain.count > 0 && chain.hops[0].agent == self.agent) {
      Request::Hop& root = chain.hops[0];
      if (!root.instance.empty() && !self.instance.empty() && root.instance != self.instance)
        r.actor_conflict = true;
      if (root.instance.empty()) root.instance = self.instance;
      if (!root.born) root.born = self.born;
    } else if (chain.count == kMaxHops) {
      chain.too_many = true;
    } else {
      std::move_backward(chain.hops, chain.hops + chain.count, chain.hops + chain.count + 1);
      chain.hops[0] = self;
      ++chain.count;
    }
  } else if (caller.asserts_instances && r.subject_properties != nullptr) {
    r.signed_in = ReadInstant(about.auth_time);
    if (!r.signed_in) r.signed_in = ReadInstant(about.iat);
  }
  r.hop_count = chain.count;
  r.too_many_hops = chain.too_many;

  if (r.action_properties != nullptr) {
    const WireValue* key = r.action_properties->Find("idempotency_key");
    if (key != nullptr && !key->is_null()) {
      if (key->is_string()) {
        r.charge_key = key->text;
      } else {
        r.malformed = "action.properties.idempotency_key is not a string";
      }
    }
  }
  return Status::Ok();
}

Result<Request> ReadWireRequest(const WireEvaluation& wire, const Caller& caller, Arena* arena) {
  Request request;
  DPL_RETURN_IF_ERROR(ReadWireRequest(wire, caller, arena, &request));
  return request;
}

}  // namespace dpl
