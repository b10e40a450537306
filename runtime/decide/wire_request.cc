// See wire_request.h. Shapes accepted are listed in docs/api.md.
#include "runtime/decide/wire_request.h"

#include <algorithm>

#include "runtime/base/decimal.h"
#include "runtime/decide/duty.h"

namespace dpl {
namespace {

Error Bad(std::string message, const WireValue* at = nullptr) {
  Error e{"request", std::move(message)};
  if (at != nullptr) e.line = at->line, e.column = at->column;
  return e;
}

// A required text member of a required object.
Status ReadText(const WireValue* object, std::string_view object_name, std::string_view name,
                std::string_view* out) {
  const WireValue* v = object->Find(name);
  if (v != nullptr && v->is_string()) {
    *out = v->text;
    return Status::Ok();
  }
  std::string path = std::string(object_name) + "." + std::string(name);
  return v == nullptr ? Bad(path + " is missing", object) : Bad(path + " is not a string", v);
}

Status ReadObject(const WireValue* v, std::string_view name) {
  if (v == nullptr) return Bad(std::string(name) + " is missing");
  if (!v->is_object()) return Bad(std::string(name) + " is not an object", v);
  return Status::Ok();
}

// An optional object member; null counts as absent.
Status ReadProperties(const WireValue* object, std::string_view path, const WireValue** out) {
  const WireValue* v = object->Find("properties");
  if (v == nullptr || v->is_null()) return Status::Ok();
  if (!v->is_object()) return Bad(std::string(path) + ".properties is not an object", v);
  *out = v;
  return Status::Ok();
}

// One placement of the actor: its chain, root first.
struct Placement {
  std::array<Request::Hop, kMaxHops> hops;
  int count = 0;
  bool too_many = false;
  bool Add(const Request::Hop& hop) {
    if (count == kMaxHops) {
      too_many = true;
      return false;
    }
    hops[count++] = hop;
    return true;
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

std::string_view TextOf(const WireValue& object, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    const WireValue* v = object.Find(name);
    if (v != nullptr && v->is_string()) return v->text;
  }
  return {};
}

// Says which member about a run is there and cannot be read: taking it for absent would make an old
// run a fresh one.
std::string_view UnreadableRun(const WireValue& object) {
  for (std::string_view name : {"born", "iat"}) {
    const WireValue* v = object.Find(name);
    if (v != nullptr && !v->is_null() && !ReadInstant(v)) return name;
  }
  for (std::string_view name : {"instance", "client_instance_id", "jti"}) {
    const WireValue* v = object.Find(name);
    if (v != nullptr && !v->is_null() && !v->is_string()) return name;
  }
  return {};
}

// Whose name space a name is of. One that cannot be read must not count as none.
Status ReadIssuer(const WireValue& object, std::string_view path, std::string_view* out) {
  const WireValue* v = object.Find("iss");
  if (v == nullptr || v->is_null()) return Status::Ok();
  if (!v->is_string() || v->text.empty())
    return Bad(std::string(path) + ": `iss` cannot be read", v);
  *out = v->text;
  return Status::Ok();
}

// One agent: a text, or an object that names it by `sub`, `id` or `client_id`.
Status ReadHop(const WireValue& v, std::string_view path, Request::Hop* out) {
  if (v.is_string()) {
    out->agent = v.text;
    return Status::Ok();
  }
  if (!v.is_object()) return Bad(std::string(path) + " is neither a string nor an object", &v);
  out->agent = TextOf(v, {"sub", "id", "client_id"});
  if (out->agent.empty()) return Bad(std::string(path) + " names no agent (`sub`)", &v);
  if (std::string_view member = UnreadableRun(v); !member.empty()) {
    return Bad(std::string(path) + ": `" + std::string(member) + "` cannot be read", &v);
  }
  DPL_RETURN_IF_ERROR(ReadIssuer(v, path, &out->issuer));
  // What is not said to be a person is an agent: the name space that may less.
  std::string_view profile = TextOf(v, {"sub_profile"}), type = TextOf(v, {"type"});
  out->is_person = profile == "user" || type == "person" || type == "user";
  // With no instance the token's own id and time stand in.
  out->instance = TextOf(v, {"instance", "client_instance_id", "jti"});
  out->born = ReadInstant(v.Find("born"));
  if (!out->born) out->born = ReadInstant(v.Find("iat"));
  return Status::Ok();
}

// `act` as in RFC 8693: the outermost acts now, each inner one came before it.
Status ReadNested(const WireValue& act, std::string_view path, Placement* out) {
  if (!act.is_object()) return Bad(std::string(path) + " is not an object", &act);
  const WireValue* at = &act;
  for (int depth = 0; at != nullptr && !at->is_null(); ++depth) {
    if (!at->is_object()) return Bad(std::string(path) + ": an inner `act` is not an object", at);
    Request::Hop hop;
    DPL_RETURN_IF_ERROR(ReadHop(*at, path, &hop));
    if (!out->Add(hop)) break;
    at = at->Find("act");
  }
  std::reverse(out->hops.begin(), out->hops.begin() + out->count);
  return Status::Ok();
}

// {client_id, client_instance_id, act:[root … leaf]}: oldest first, the leaf is the client itself
// or comes before it.
Status ReadActor(const WireValue& actor, Placement* out) {
  const WireValue* act = actor.Find("act");
  if (act == nullptr || act->is_object()) {
    if (act != nullptr) return ReadNested(actor, "context.actor", out);
    Request::Hop hop;
    DPL_RETURN_IF_ERROR(ReadHop(actor, "context.actor", &hop));
    out->Add(hop);
    return Status::Ok();
  }
  if (!act->is_array()) return Bad("context.actor.act is not an array", act);
  for (uint32_t i = 0; i < act->count; ++i) {
    Request::Hop hop;
    DPL_RETURN_IF_ERROR(ReadHop(act->items[i], "context.actor.act", &hop));
    if (!out->Add(hop)) return Status::Ok();
  }
  Request::Hop client;
  DPL_RETURN_IF_ERROR(ReadHop(actor, "context.actor", &client));
  if (out->count > 0 && out->hops[out->count - 1].agent == client.agent) {
    Request::Hop& leaf = out->hops[out->count - 1];
    if (leaf.instance.empty()) leaf.instance = client.instance;
    if (leaf.issuer.empty()) leaf.issuer = client.issuer;
    if (!leaf.born) leaf.born = client.born;
  } else {
    out->Add(client);
  }
  return Status::Ok();
}

// Two placements agree when the actor is the same, and so is the rest of the chain where both tell
// it.
bool Merge(const Placement& other, Placement* chain) {
  if (other.count == 0) return true;
  if (chain->count == 0) {
    *chain = other;
    return true;
  }
  const Placement& longer = other.count > chain->count ? other : *chain;
  const Placement& shorter = other.count > chain->count ? *chain : other;
  if (shorter.count != longer.count && shorter.count != 1) return false;
  Placement merged = longer;
  merged.too_many = chain->too_many || other.too_many;
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
  *chain = merged;
  return true;
}

// What the enforcement point commits to carry out for this request: `supported_obligations`, if
// obligations are among the mandatory extensions it says to read. What we do not know it cannot be
// asked to do.
uint8_t ReadDuties(const WireValue& context, Request* r) {
  const WireValue* supported = context.Find("supported_obligations");
  if (supported == nullptr || supported->is_null()) return 0;
  const WireValue* extensions = context.Find("supported_mandatory_extensions");
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

Status ReadWireRequest(const WireEvaluation& wire, const Caller& caller, Arena*, Request* out) {
  *out = Request();
  Request& r = *out;
  r.caller = &caller;
  DPL_RETURN_IF_ERROR(ReadObject(wire.subject, "subject"));
  DPL_RETURN_IF_ERROR(ReadObject(wire.action, "action"));
  DPL_RETURN_IF_ERROR(ReadObject(wire.resource, "resource"));
  DPL_RETURN_IF_ERROR(ReadText(wire.subject, "subject", "type", &r.subject_type));
  DPL_RETURN_IF_ERROR(ReadText(wire.subject, "subject", "id", &r.subject_id));
  DPL_RETURN_IF_ERROR(ReadText(wire.action, "action", "name", &r.action));
  DPL_RETURN_IF_ERROR(ReadText(wire.resource, "resource", "type", &r.resource_type));
  DPL_RETURN_IF_ERROR(ReadText(wire.resource, "resource", "id", &r.resource_id));
  DPL_RETURN_IF_ERROR(ReadProperties(wire.subject, "subject", &r.subject_properties));
  DPL_RETURN_IF_ERROR(ReadProperties(wire.action, "action", &r.action_properties));
  DPL_RETURN_IF_ERROR(ReadProperties(wire.resource, "resource", &r.resource_properties));
  if (wire.context != nullptr && !wire.context->is_null()) {
    if (!wire.context->is_object()) return Bad("context is not an object", wire.context);
    r.context = wire.context;
  }

  Placement chain;
  if (r.subject_properties != nullptr) {
    DPL_RETURN_IF_ERROR(ReadIssuer(*r.subject_properties, "subject.properties", &r.subject_issuer));
    const WireValue* act = r.subject_properties->Find("act");
    if (act != nullptr && !act->is_null())
      DPL_RETURN_IF_ERROR(ReadNested(*act, "subject.properties.act", &chain));
  }
  if (r.context != nullptr) {
    const WireValue* agent = r.context->Find("agent");
    if (agent != nullptr && !agent->is_null()) {
      Placement one;
      Request::Hop hop;
      DPL_RETURN_IF_ERROR(ReadHop(*agent, "context.agent", &hop));
      one.Add(hop);
      r.actor_conflict |= !Merge(one, &chain);
    }
    const WireValue* actor = r.context->Find("actor");
    if (actor != nullptr && !actor->is_null()) {
      Placement other;
      DPL_RETURN_IF_ERROR(ReadActor(*actor, &other));
      r.actor_conflict |= !Merge(other, &chain);
    }
    r.task = TextOrMember(r.context->Find("task"), "id", "context.task is not a string", &r);
    ReadApprovals(r.context->Find("approval"), &r);
    r.break_glass =
        TextOrMember(r.context->Find("break_glass"), "name", "context.break_glass has no name", &r);
    ReadBreakGlass(r.context->Find("break_glass"), &r);
    r.duties = ReadDuties(*r.context, &r);
    r.dry_run = ReadFlag(r.context->Find("dry_run"), "context.dry_run is not a bool", &r);
    ReadExplain(r.context->Find("explain"), &r);
  }
  r.level =
      std::min({r.level, caller.explain, caller.details ? Explain::kTrace : Explain::kReason});
  r.explain = r.level == Explain::kTrace;
  if (r.subject_type == "agent") {
    // The standing agent is the first of its own chain; an actor equal to it is no delegation.
    Request::Hop self;
    self.agent = r.subject_id;
    if (r.subject_properties != nullptr) {
      if (!UnreadableRun(*r.subject_properties).empty())
        r.malformed = "subject.properties: the run's id or time cannot be read";
      self.instance = TextOf(*r.subject_properties, {"instance", "client_instance_id", "jti"});
      self.born = ReadInstant(r.subject_properties->Find("born"));
      if (!self.born) self.born = ReadInstant(r.subject_properties->Find("iat"));
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
      std::move_backward(chain.hops.begin(), chain.hops.begin() + chain.count,
                         chain.hops.begin() + chain.count + 1);
      chain.hops[0] = self;
      ++chain.count;
    }
  } else if (caller.asserts_instances && r.subject_properties != nullptr) {
    r.signed_in = ReadInstant(r.subject_properties->Find("auth_time"));
    if (!r.signed_in) r.signed_in = ReadInstant(r.subject_properties->Find("iat"));
  }
  std::copy_n(chain.hops.begin(), chain.count, r.hops.begin());
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
