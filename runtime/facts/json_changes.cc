// Reading pushed changes; the form is documented in docs/facts.md.
#include "runtime/base/text.h"
#include "runtime/facts/changes.h"
#include "runtime/facts/json_parts.h"

namespace dpl {
namespace {

using namespace facts_json;  // NOLINT: this room's own

// {"team": "…", "member": …} or {"role": "…", "in": …, "member": …}
Status ReadMemberships(const WireValue& section, std::vector<FactsChanges::Membership>* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, "`memberships`"));
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    DPL_RETURN_IF_ERROR(CheckObject(v, "a membership", {"team", "role", "in", "member"}));
    FactsChanges::Membership& one = out->emplace_back();
    one.group.where = WhereOf(v);
    one.group.is_role = v.Find("role") != nullptr;
    if (one.group.is_role == (v.Find("team") != nullptr))
      return ShapeError(v, "a membership is in either a \"team\" or a \"role\"");
    DPL_RETURN_IF_ERROR(
        ReadText(v, one.group.is_role ? "role" : "team", "a membership", true, &one.group.name));
    if (const WireValue* in = v.Find("in")) {
      if (!one.group.is_role) return ShapeError(*in, "only a role is held \"in\" something");
      DPL_RETURN_IF_ERROR(
          ReadReference(*in, "\"in\" of a membership", &one.group.scope_type, &one.group.scope_id));
    }
    const WireValue* member = v.Find("member");
    if (member == nullptr) return ShapeError(v, "a membership has no \"member\"");
    DPL_RETURN_IF_ERROR(ReadMember(*member, &one.member));
    if (one.member.id.empty()) return ShapeError(*member, "a member has no name");
  }
  return Status::Ok();
}

// Keys of one part, given as texts, or of two, given as objects.
Status ReadKeys(const WireValue& section, std::string_view what, std::string_view first,
                std::string_view second, std::vector<FactsChanges::Key>* out) {
  DPL_RETURN_IF_ERROR(CheckArray(section, what));
  for (uint32_t i = 0; i < section.count; ++i) {
    const WireValue& v = section.items[i];
    FactsChanges::Key& key = out->emplace_back();
    key.where = WhereOf(v);
    if (second.empty()) {
      if (!v.is_string()) return Wrong(v, "an item of " + std::string(what), "an id");
      key.first.assign(v.text);
      continue;
    }
    DPL_RETURN_IF_ERROR(CheckObject(v, "an item of " + std::string(what), {first, second}));
    DPL_RETURN_IF_ERROR(ReadText(v, first, "an item of " + std::string(what), true, &key.first));
    DPL_RETURN_IF_ERROR(ReadText(v, second, "an item of " + std::string(what), true, &key.second));
  }
  return Status::Ok();
}

Status ReadUpsert(const WireValue& v, FactsChanges* out) {
  DPL_RETURN_IF_ERROR(CheckObject(
      v, "`upsert`", {"persons", "teams", "roles", "memberships", "accounts", "resources"}));
  using Read = Status (*)(const WireValue&, FactsInput*);
  for (auto [name, read] : {std::pair<std::string_view, Read>{"persons", ReadPersons},
                            {"teams", ReadTeams},
                            {"roles", ReadRoles},
                            {"accounts", ReadAccounts},
                            {"resources", ReadResources}}) {
    if (const WireValue* section = v.Find(name)) DPL_RETURN_IF_ERROR(read(*section, &out->upsert));
  }
  if (const WireValue* section = v.Find("memberships"))
    DPL_RETURN_IF_ERROR(ReadMemberships(*section, &out->join));
  return Status::Ok();
}

Status ReadRemove(const WireValue& v, FactsChanges* out) {
  DPL_RETURN_IF_ERROR(
      CheckObject(v, "`remove`", {"persons", "memberships", "accounts", "resources"}));
  if (const WireValue* section = v.Find("persons"))
    DPL_RETURN_IF_ERROR(ReadKeys(*section, "`persons`", "id", {}, &out->persons));
  if (const WireValue* section = v.Find("memberships"))
    DPL_RETURN_IF_ERROR(ReadMemberships(*section, &out->leave));
  if (const WireValue* section = v.Find("accounts"))
    DPL_RETURN_IF_ERROR(ReadKeys(*section, "`accounts`", "system", "key", &out->accounts));
  if (const WireValue* section = v.Find("resources"))
    DPL_RETURN_IF_ERROR(ReadKeys(*section, "`resources`", "type", "id", &out->resources));
  return Status::Ok();
}

}  // namespace

Result<FactsChanges> ReadFactsChanges(const WireValue& root) {
  FactsChanges changes;
  DPL_RETURN_IF_ERROR(CheckObject(root, "the changes", {"version", "as_of", "upsert", "remove"}));
  DPL_RETURN_IF_ERROR(ReadText(root, "version", "the changes", false, &changes.version));
  DPL_RETURN_IF_ERROR(ReadTime(root, "as_of", "the changes", Day::kStart, &changes.as_of));
  if (const WireValue* upsert = root.Find("upsert"))
    DPL_RETURN_IF_ERROR(ReadUpsert(*upsert, &changes));
  if (const WireValue* remove = root.Find("remove"))
    DPL_RETURN_IF_ERROR(ReadRemove(*remove, &changes));
  return changes;
}

}  // namespace dpl
