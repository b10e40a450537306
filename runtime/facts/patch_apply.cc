// The changes themselves, in the order in which FactsDocument::Apply makes them: each either done
// to copies of the records it concerns, or refused.
#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/facts/ids.h"
#include "runtime/facts/patch_work.h"

namespace dpl {
namespace {

constexpr Instant kForever{INT64_MAX};

}  // namespace

bool FactsPatch::Make(const FactsChanges& changes) {
  if (Status feeds = CheckFeeds(changes, {now_.has_persons_, now_.has_memberships_,
                                          now_.has_accounts_, now_.has_resources_});
      !feeds.ok())
    return Refuse(feeds);
  for (const FactsChanges::Membership& change : changes.leave) {
    if (!Leave(change)) return false;
  }
  for (const FactsChanges::Key& key : changes.accounts) {
    if (!RemoveClaims(tables_.names.Find(kSystemSpace, key.first), key.second))
      return Refuse(NoSuchAccount(key));
  }
  for (const FactsChanges::Key& key : changes.resources) {
    if (!RemoveResource(key)) return false;
  }
  for (const FactsChanges::Key& key : changes.persons) {
    if (!RemovePerson(key.first)) return Refuse(NoSuchPerson(key));
  }
  const FactsInput& put = changes.upsert;
  for (const FactsInput::Person& person : put.persons) {
    if (!PutPerson(person)) return false;
  }
  for (const FactsInput::Resource& resource : put.resources) {
    if (!PutResource(resource)) return false;
  }
  for (const FactsInput::Account& account : put.accounts) {
    if (!PutAccount(account)) return false;
  }
  for (const FactsInput::Members& members : put.members) {
    if (!Replace(members)) return false;
  }
  for (const FactsChanges::Membership& change : changes.join) {
    if (!Join(change.group, change.member, false)) return false;
  }
  return Close();
}

// ---------------------------------------------------------------- groups

uint32_t FactsPatch::FindGroup(const std::string& key) const {
  auto known = patcher_.group_of_.find(key);
  if (known != patcher_.group_of_.end()) return known->second;
  auto made = group_of_.find(key);
  return made == group_of_.end() ? kNone : made->second;
}

// kNone: there can be no such group.
uint32_t FactsPatch::GroupOf(const FactsInput::Members& named) {
  std::string key = KeyOfGroup(named);
  uint32_t found = FindGroup(key);
  if (found != kNone) return found;
  Group group;
  group.is_role = named.is_role;
  group.index = tables_.names.Find(named.is_role ? kRoleSpace : kTeamSpace, named.name);
  if (group.index == kNone) return kNone;
  if (!named.is_role) {
    if (!named.scope_id.empty() || !named.scope_type.empty()) return kNone;
  } else {
    const RoleDef& def = schema_.roles[group.index];
    if (def.where_code != kNone || named.scope_id.empty() != def.scopes.empty()) return kNone;
    if (!def.scopes.empty()) {
      uint32_t type = def.scopes[0];
      if (!named.scope_type.empty() || def.scopes.size() > 1) {
        Result<uint32_t> other = NamedResourceType(schema_, tables_, named.scope_type, named.where);
        if (!other.ok()) return kNone;
        type = *other;
      }
      if (std::find(def.scopes.begin(), def.scopes.end(), type) == def.scopes.end()) return kNone;
      Result<std::string_view> id = CanonicalResourceId(schema_, tables_, type, named.scope_id);
      if (!id.ok()) return kNone;
      group.scope = EnsureResource(type, *id);
      ++resource_refs_[group.scope];  // the list stays, whoever is in it
    }
  }
  found = static_cast<uint32_t>(patcher_.groups_.size() + groups_.size());
  groups_.push_back(group);
  group_of_.emplace(std::move(key), found);
  return found;
}

bool FactsPatch::Leave(const FactsChanges::Membership& change) {
  if (change.member.is_team) return false;
  const uint32_t group = FindGroup(KeyOfGroup(change.group));
  const uint32_t slot = next_->PersonSlot(tables_, change.member.id);
  if (group == kNone || slot == kNone) return Refuse(NoSuchMember(change));
  std::vector<Row>& rows = RowsOf(slot);
  if (std::erase_if(rows, [group](const Row& row) { return row.group == group; }) == 0)
    return Refuse(NoSuchMember(change));
  --person_refs_[slot];
  return true;
}

bool FactsPatch::Join(const FactsInput::Members& named, const FactsInput::Member& member,
                      bool keep_later) {
  if (member.is_team || !CheckId(member.id).ok()) return false;
  const uint32_t group = GroupOf(named);
  if (group == kNone) return false;
  const uint32_t slot = EnsurePerson(member.id);
  const Instant until = member.until.value_or(kForever);
  std::vector<Row>& rows = RowsOf(slot);
  auto row =
      std::find_if(rows.begin(), rows.end(), [group](const Row& r) { return r.group == group; });
  if (row != rows.end()) {
    row->until = keep_later ? std::max(row->until, until) : until;
    return true;
  }
  rows.push_back({group, until});
  ++person_refs_[slot];
  return true;
}

// A whole list in the place of a whole list. Who was on it is found among all memberships: they lie
// in one piece.
bool FactsPatch::Replace(const FactsInput::Members& members) {
  for (const FactsInput::Member& member : members.members) {
    if (member.is_team) return false;
  }
  const uint32_t group = GroupOf(members);
  if (group == kNone || GroupAt(group).has_teams) return false;
  std::vector<uint32_t> on_it;
  auto look = [&](uint32_t slot, const Row& row) {
    if (row.group == group) on_it.push_back(slot);
  };
  for (uint32_t slot = 0; slot + 1 < patcher_.first_row_.size(); ++slot) {
    for (uint32_t i = patcher_.first_row_[slot]; i < patcher_.first_row_[slot + 1]; ++i)
      look(slot, patcher_.rows_[i]);
  }
  auto look_at = [&look](const std::unordered_map<uint32_t, std::vector<Row>>& changed) {
    for (const auto& [slot, rows] : changed) {
      for (const Row& row : rows) look(slot, row);
    }
  };
  look_at(patcher_.changed_rows_);
  look_at(rows_);
  for (uint32_t slot : on_it) {  // some of them may have left since, or stand there twice
    if (std::erase_if(RowsOf(slot), [group](const Row& row) { return row.group == group; }) != 0)
      --person_refs_[slot];
  }
  for (const FactsInput::Member& member : members.members) {
    if (!Join(members, member, true)) return false;
  }
  return true;
}

// ---------------------------------------------------------------- accounts

bool FactsPatch::RemoveClaims(uint32_t system, std::string_view key) {
  if (system == kNone) return false;
  std::vector<AccountFact>& claims = ClaimsOf(system, key);
  if (claims.empty()) return false;
  for (const AccountFact& claim : claims) {
    accounts_of_.insert(claim.person->slot);
    --person_refs_[claim.person->slot];
  }
  claims.clear();
  return true;
}

bool FactsPatch::PutAccount(const FactsInput::Account& input) {
  const uint32_t system = tables_.names.Find(kSystemSpace, input.system);
  if (system == kNone || !schema_.systems[system].has_account) return false;
  if (!CheckId(input.key).ok() || !CheckId(input.person).ok()) return false;
  (void)RemoveClaims(system, input.key);  // it may be a new one
  const uint32_t slot = EnsurePerson(input.person);
  std::vector<AccountFact>& claims = ClaimsOf(system, input.key);
  claims.push_back({system, claims_.find(FactsPatch::ClaimKey(system, input.key))->second.key,
                    PersonAt(slot), input.checked});
  accounts_of_.insert(slot);
  ++person_refs_[slot];
  return true;
}

// ---------------------------------------------------------------- persons

bool FactsPatch::RemovePerson(std::string_view id) {
  const uint32_t slot = next_->PersonSlot(tables_, id);
  if (slot == kNone || !PersonAt(slot)->loaded) return false;
  std::vector<Row>& rows = RowsOf(slot);
  person_refs_[slot] -= static_cast<int64_t>(rows.size());
  rows.clear();
  // What was given up before in this patch is no longer among the claims.
  const std::span<const AccountFact> accounts = PersonAt(slot)->person->accounts;
  for (const AccountFact& account : accounts) {
    std::vector<AccountFact>& claims = ClaimsOf(account.system, account.key);
    size_t own = std::erase_if(
        claims, [slot](const AccountFact& claim) { return claim.person->slot == slot; });
    person_refs_[slot] -= static_cast<int64_t>(own);
  }
  accounts_of_.insert(slot);
  Entity* person = MutablePerson(slot);
  PersonFacts* facts = FactsOf(slot);
  person->loaded = false;
  person->attributes = nullptr;
  facts->status = PersonStatus::kActive;
  facts->left.reset();
  return true;
}

bool FactsPatch::PutPerson(const FactsInput::Person& input) {
  if (!CheckId(input.id).ok()) return false;
  const uint32_t slot = EnsurePerson(input.id);
  Entity* person = MutablePerson(slot);
  PersonFacts* facts = FactsOf(slot);
  if (!ReadPersonStatus(input.status, &facts->status)) return false;
  facts->left = input.left;
  person->loaded = true;
  Value* slots = arena_.NewArray<Value>(schema_.person.attributes.size());
  if (slots == nullptr) return false;
  person->attributes = slots;
  Status filled = FillAttributes(typing_, input.fields, schema_.person.attributes,
                                 "person " + Quote(input.id), input.where, slots);
  return filled.ok() || Refuse(filled);
}

// ---------------------------------------------------------------- resources

// A type by its own name: what is written under another is another key to the document.
uint32_t FactsPatch::NamedInFull(std::string_view name) const {
  if (!patcher_.plain_resources_) return kNone;
  const uint32_t type = tables_.names.Find(kResourceSpace, name);
  return type != kNone && schema_.Text(schema_.resources[type].name) == name ? type : kNone;
}

bool FactsPatch::RemoveResource(const FactsChanges::Key& key) {
  const uint32_t type = NamedInFull(key.first);
  if (type == kNone) return false;
  const uint32_t slot = next_->ResourceSlot(tables_, type, key.second);
  if (slot == kNone || !ResourceAt(slot)->loaded) return Refuse(NoSuchResource(key));
  Entity* resource = MutableResource(slot);
  resource->loaded = false;
  resource->attributes = nullptr;
  resource->parent = nullptr;
  resource->parent_state =
      schema_.resources[type].has_parent ? Entity::Parent::kNoFact : Entity::Parent::kRoot;
  return true;
}

bool FactsPatch::PutResource(const FactsInput::Resource& input) {
  const uint32_t type = NamedInFull(input.type);
  if (type == kNone || !input.loaded) return false;
  Result<std::string_view> id = CanonicalResourceId(schema_, tables_, type, input.id);
  if (!id.ok() || *id != input.id) return false;
  const uint32_t slot = EnsureResource(type, *id);
  Entity* resource = MutableResource(slot);
  const ResourceDef& def = schema_.resources[type];
  resource->loaded = true;
  resource->parent = nullptr;
  resource->parent_state = def.has_parent ? Entity::Parent::kNoFact : Entity::Parent::kRoot;
  Value* slots = arena_.NewArray<Value>(def.attributes.size());
  if (slots == nullptr) return false;
  resource->attributes = slots;
  Status filled = FillAttributes(typing_, input.fields, def.attributes,
                                 Described(schema_, *resource), input.where, slots);
  if (filled.ok()) filled = FillParent(typing_, input, resource);
  return filled.ok() || Refuse(filled);
}

}  // namespace dpl
