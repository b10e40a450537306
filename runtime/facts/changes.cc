// The document that changes are applied to; see changes.h. How they are read is in json_changes.cc.
#include "runtime/facts/changes.h"

#include <algorithm>
#include <utility>

#include "runtime/base/text.h"

namespace dpl {
namespace {

using Where = FactsInput::Where;

std::string KeyOf(std::string_view first, std::string_view second) {
  std::string key(first);
  key.push_back('\0');
  return key.append(second);
}
std::string KeyOf(const FactsInput::Person& person) { return person.id; }
std::string KeyOf(const FactsInput::Resource& resource) {
  return KeyOf(resource.type, resource.id);
}
std::string KeyOf(const FactsInput::Account& account) { return KeyOf(account.system, account.key); }
std::string KeyOf(const FactsInput::Members& group) { return KeyOfGroup(group); }
std::string KeyOf(const FactsInput::Member& member) {
  return std::string(member.is_team ? "t" : "p").append(member.id);
}

Where Pushed(Where where) { return {where.line + FactsDocument::kPushed, where.column}; }

Error Unknown(Where where, std::string message) {
  return {"facts.unknown", std::move(message), where.line, where.column};
}

// A copy in `arena`, its lines moved on by `lines`.
WireValue CopyValue(const WireValue& from, uint32_t lines, Arena* arena) {
  WireValue to = from;
  to.line += lines;
  to.text = arena->Copy(from.text);
  if (from.is_array()) {
    WireValue* items = arena->NewArray<WireValue>(from.count);
    for (uint32_t i = 0; i < from.count; ++i) items[i] = CopyValue(from.items[i], lines, arena);
    to.items = items;
  } else if (from.is_object()) {
    WireMember* members = arena->NewArray<WireMember>(from.count);
    for (uint32_t i = 0; i < from.count; ++i) {
      members[i] = {arena->Copy(from.members[i].name),
                    CopyValue(from.members[i].value, lines, arena)};
    }
    to.members = members;
  }
  return to;
}

// Takes the places away again. Only of copies that CopyValue made, which nobody else has.
void Strip(WireValue* value) {
  value->line = value->column = 0;
  for (uint32_t i = 0; value->is_array() && i < value->count; ++i)
    Strip(const_cast<WireValue*>(&value->items[i]));
  for (uint32_t i = 0; value->is_object() && i < value->count; ++i)
    Strip(const_cast<WireValue*>(&value->members[i].value));
}
void Strip(std::vector<FactsInput::Field>* fields) {
  for (FactsInput::Field& field : *fields) Strip(&field.value);
}

// Puts the record where the one of the same key is, or at the end.
template <class T>
void Put(std::vector<T>* list, KeyedMap<uint32_t>* index, std::string key, T record) {
  auto [at, fresh] = index->try_emplace(std::move(key), static_cast<uint32_t>(list->size()));
  if (fresh) {
    list->push_back(std::move(record));
  } else {
    (*list)[at->second] = std::move(record);
  }
}

// The last one takes the place of the one that goes: the order of records means nothing.
template <class T>
bool Erase(std::vector<T>* list, KeyedMap<uint32_t>* index, const std::string& key) {
  auto at = index->find(key);
  if (at == index->end()) return false;
  uint32_t place = at->second;
  index->erase(at);
  if (place + 1 != list->size()) {
    (*list)[place] = std::move(list->back());
    (*index)[KeyOf((*list)[place])] = place;
  }
  list->pop_back();
  return true;
}

}  // namespace

std::string KeyOfGroup(const FactsInput::Members& group) {
  std::string key(group.is_role ? "r" : "t");
  key.append(group.name).push_back('\0');
  return key.append(KeyOf(group.scope_type, group.scope_id));
}
Error NoSuchMember(const FactsChanges::Membership& change) {
  return Unknown(change.member.where, (change.member.is_team ? "team " : "person ") +
                                          Quote(change.member.id) + " is not recorded as in " +
                                          (change.group.is_role ? "role " : "team ") +
                                          Quote(change.group.name));
}
Error NoSuchAccount(const FactsChanges::Key& key) {
  return Unknown(key.where, "there is no account " + Quote(key.second) + " in " + key.first);
}
Error NoSuchResource(const FactsChanges::Key& key) {
  return Unknown(key.where, "there is no " + key.first + " " + Quote(key.second));
}
Error NoSuchPerson(const FactsChanges::Key& key) {
  return Unknown(key.where, "there is no person " + Quote(key.first));
}

// A few records do not make a feed: whoever is not among them would be known not to be there.
Status CheckFeeds(const FactsChanges& changes, const FeedsLoaded& loaded) {
  const FactsInput& put = changes.upsert;
  struct Feed {
    std::string_view name;
    bool there, asked;
  };
  for (const Feed& feed :
       {Feed{"persons", loaded.persons, !put.persons.empty() || !changes.persons.empty()},
        Feed{"memberships", loaded.memberships,
             !put.members.empty() || !changes.join.empty() || !changes.leave.empty()},
        Feed{"accounts", loaded.accounts, !put.accounts.empty() || !changes.accounts.empty()},
        Feed{"resources", loaded.resources,
             !put.resources.empty() || !changes.resources.empty()}}) {
    if (!feed.asked || feed.there) continue;
    return Error{"facts.feed", "the facts in force hold no " + std::string(feed.name) +
                                   " at all; replace the facts as a whole to load them"};
  }
  return Status::Ok();
}

size_t FactsChanges::count() const {
  return upsert.persons.size() + upsert.accounts.size() + upsert.resources.size() +
         upsert.members.size() + join.size() + leave.size() + persons.size() + accounts.size() +
         resources.size();
}

FactsDocument::FactsDocument(FactsInput facts) : facts_(std::move(facts)) {
  // The tree that the file was parsed into holds far more than the values: keep those alone.
  auto kept = std::make_shared<Arena>();
  auto keep = [&kept](std::vector<FactsInput::Field>* fields) {
    for (FactsInput::Field& field : *fields) field.value = CopyValue(field.value, 0, kept.get());
  };
  for (FactsInput::Person& person : facts_.persons) keep(&person.fields);
  for (FactsInput::Resource& resource : facts_.resources) keep(&resource.fields);
  for (FactsInput::Task& task : facts_.tasks) keep(&task.args);
  for (FactsInput::Used& used : facts_.used)
    used.quantity = CopyValue(used.quantity, 0, kept.get());
  facts_.arena = std::move(kept);
  persons_.reserve(facts_.persons.size());
  for (uint32_t i = 0; i < facts_.persons.size(); ++i) persons_[facts_.persons[i].id] = i;
  resources_.reserve(facts_.resources.size());
  for (uint32_t i = 0; i < facts_.resources.size(); ++i) resources_[KeyOf(facts_.resources[i])] = i;
  accounts_.reserve(facts_.accounts.size());
  for (uint32_t i = 0; i < facts_.accounts.size(); ++i)
    accounts_[KeyOf(facts_.accounts[i])].push_back(i);
}

std::vector<FactsInput::Field> FactsDocument::Keep(const std::vector<FactsInput::Field>& fields) {
  std::vector<FactsInput::Field> kept;
  kept.reserve(fields.size());
  for (const FactsInput::Field& field : fields)
    kept.push_back({field.name, CopyValue(field.value, kPushed, facts_.arena.get())});
  return kept;
}

// A team or a role and scope may be written in several lists; they become one when it is first
// changed.
FactsDocument::GroupIndex* FactsDocument::Group(const FactsInput::Members& named, bool make) {
  std::string key = KeyOf(named);
  auto known = groups_.find(key);
  if (known != groups_.end()) return &known->second;
  std::vector<FactsInput::Members>& all = facts_.members;
  uint32_t first = kNone;
  for (uint32_t i = 0; i < all.size(); ++i) {
    if (KeyOf(all[i]) != key) continue;
    if (first == kNone) {
      first = i;
      continue;
    }
    std::move(all[i].members.begin(), all[i].members.end(), std::back_inserter(all[first].members));
    all[i].members.clear();  // an empty list of what another list holds says nothing
  }
  if (first == kNone) {
    if (!make) return nullptr;
    first = static_cast<uint32_t>(all.size());
    all.push_back(named);
    all.back().members.clear();
    all.back().where = Pushed(named.where);
  }
  GroupIndex& index = groups_[std::move(key)];
  index.group = first;
  // Twice the same member is one: it stays as long as the later of the two.
  std::vector<FactsInput::Member>& members = all[first].members;
  std::vector<FactsInput::Member> once;
  once.reserve(members.size());
  index.of.reserve(members.size());
  for (FactsInput::Member& member : members) {
    auto [at, fresh] = index.of.try_emplace(KeyOf(member), static_cast<uint32_t>(once.size()));
    if (fresh) {
      once.push_back(std::move(member));
      continue;
    }
    std::optional<Instant>& until = once[at->second].until;
    if (until && (!member.until || *member.until > *until)) until = member.until;
  }
  members = std::move(once);
  return &index;
}

void FactsDocument::Join(const FactsChanges::Membership& change) {
  GroupIndex* index = Group(change.group, true);
  FactsInput::Member member = change.member;
  member.where = Pushed(member.where);
  Put(&facts_.members[index->group].members, &index->of, KeyOf(change.member), std::move(member));
  touched_.groups.push_back(KeyOf(change.group));
}

Status FactsDocument::Leave(const FactsChanges::Membership& change) {
  GroupIndex* index = Group(change.group, false);
  if (index == nullptr ||
      !Erase(&facts_.members[index->group].members, &index->of, KeyOf(change.member))) {
    return NoSuchMember(change);
  }
  return Status::Ok();
}

Status FactsDocument::RemoveAccounts(const FactsChanges::Key& key) {
  auto at = accounts_.find(KeyOf(key.first, key.second));
  if (at == accounts_.end()) return NoSuchAccount(key);
  std::vector<uint32_t> places = std::move(at->second);
  accounts_.erase(at);
  std::sort(places.rbegin(), places.rend());  // from the end, so that no place of ours moves
  for (uint32_t place : places) {
    uint32_t last = static_cast<uint32_t>(facts_.accounts.size() - 1);
    if (place != last) {
      facts_.accounts[place] = std::move(facts_.accounts[last]);
      std::vector<uint32_t>& moved = accounts_[KeyOf(facts_.accounts[place])];
      std::replace(moved.begin(), moved.end(), last, place);
    }
    facts_.accounts.pop_back();
  }
  return Status::Ok();
}

// Memberships and accounts of people who are no more. One look at everything, however many they
// are.
void FactsDocument::ForgetPersons(const KeyedSet& ids) {
  for (FactsInput::Members& group : facts_.members) {
    auto gone = [&](const FactsInput::Member& m) { return !m.is_team && ids.contains(m.id); };
    if (std::none_of(group.members.begin(), group.members.end(), gone)) continue;
    std::erase_if(group.members, gone);
    groups_.erase(KeyOf(group));
  }
  std::vector<FactsChanges::Key> keys;
  for (const FactsInput::Account& account : facts_.accounts) {
    if (ids.contains(account.person)) keys.push_back({account.system, account.key, {}});
  }
  for (const FactsChanges::Key& key : keys) {
    auto at = accounts_.find(KeyOf(key.first, key.second));
    if (at == accounts_.end()) continue;
    // Of an account that two people claim only the claim of the one who goes.
    std::vector<FactsInput::Account> others;
    for (uint32_t place : at->second) {
      if (!ids.contains(facts_.accounts[place].person)) others.push_back(facts_.accounts[place]);
    }
    (void)RemoveAccounts(key);  // it is there
    for (FactsInput::Account& other : others) {
      accounts_[KeyOf(other)].push_back(static_cast<uint32_t>(facts_.accounts.size()));
      facts_.accounts.push_back(std::move(other));
    }
  }
}

Status FactsDocument::Apply(const FactsChanges& changes) {
  DPL_RETURN_IF_ERROR(CheckFeeds(changes, {facts_.has_persons, facts_.has_memberships,
                                           facts_.has_accounts, facts_.has_resources}));
  // ---- what goes
  for (const FactsChanges::Membership& change : changes.leave) DPL_RETURN_IF_ERROR(Leave(change));
  for (const FactsChanges::Key& key : changes.accounts) DPL_RETURN_IF_ERROR(RemoveAccounts(key));
  for (const FactsChanges::Key& key : changes.resources) {
    if (!Erase(&facts_.resources, &resources_, KeyOf(key.first, key.second)))
      return NoSuchResource(key);
  }
  KeyedSet gone;
  for (const FactsChanges::Key& key : changes.persons) {
    if (!Erase(&facts_.persons, &persons_, key.first)) return NoSuchPerson(key);
    gone.insert(key.first);
  }
  if (!gone.empty()) ForgetPersons(gone);

  // ---- what comes
  const FactsInput& put = changes.upsert;
  for (const FactsInput::Person& person : put.persons) {
    FactsInput::Person copy = person;
    copy.fields = Keep(person.fields);
    copy.where = Pushed(person.where);
    touched_.persons.push_back(KeyOf(person));
    Put(&facts_.persons, &persons_, KeyOf(person), std::move(copy));
  }
  for (const FactsInput::Resource& resource : put.resources) {
    FactsInput::Resource copy = resource;
    copy.fields = Keep(resource.fields);
    copy.where = Pushed(resource.where);
    touched_.resources.push_back(KeyOf(resource));
    Put(&facts_.resources, &resources_, KeyOf(resource), std::move(copy));
  }
  for (const FactsInput::Account& account : put.accounts) {
    if (accounts_.contains(KeyOf(account)))
      DPL_RETURN_IF_ERROR(RemoveAccounts({account.system, account.key, account.where}));
    accounts_[KeyOf(account)].push_back(static_cast<uint32_t>(facts_.accounts.size()));
    facts_.accounts.push_back(account);
    facts_.accounts.back().where = Pushed(account.where);
    touched_.accounts.push_back(KeyOf(account));
  }
  for (const FactsInput::Members& members : put.members) {
    GroupIndex* index = Group(members, true);
    FactsInput::Members& group = facts_.members[index->group];
    group.members.clear();
    group.where = Pushed(members.where);
    groups_.erase(KeyOf(members));
    for (const FactsInput::Member& member : members.members) {
      group.members.push_back(member);
      group.members.back().where = Pushed(member.where);
    }
    touched_.groups.push_back(KeyOf(members));
  }
  for (const FactsChanges::Membership& change : changes.join) Join(change);
  if (changes.as_of) facts_.as_of = changes.as_of;
  if (!changes.version.empty()) facts_.version = changes.version;
  return Status::Ok();
}

void FactsDocument::Accept() {
  for (const std::string& key : touched_.persons) {
    auto at = persons_.find(key);
    if (at == persons_.end()) continue;
    facts_.persons[at->second].where = {};
    Strip(&facts_.persons[at->second].fields);
  }
  for (const std::string& key : touched_.resources) {
    auto at = resources_.find(key);
    if (at == resources_.end()) continue;
    facts_.resources[at->second].where = {};
    Strip(&facts_.resources[at->second].fields);
  }
  for (const std::string& key : touched_.accounts) {
    auto at = accounts_.find(key);
    if (at == accounts_.end()) continue;
    for (uint32_t place : at->second) facts_.accounts[place].where = {};
  }
  if (!touched_.groups.empty()) {
    KeyedSet groups(touched_.groups.begin(), touched_.groups.end());
    for (FactsInput::Members& group : facts_.members) {
      if (!groups.contains(KeyOf(group))) continue;
      if (group.where.line >= kPushed) group.where = {};
      for (FactsInput::Member& member : group.members) {
        if (member.where.line >= kPushed) member.where = {};
      }
    }
  }
  touched_ = {};
}

}  // namespace dpl
