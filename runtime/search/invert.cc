// See invert.h. The code is walked once, in a line: a short circuit leaves on the stack what the
// `and` or `or` behind it would, a quantifier is stepped over, and what forks is not understood.
#include "runtime/search/invert.h"

#include <algorithm>

#include "runtime/base/path.h"
#include "runtime/bytecode/opcode.h"

namespace dpl {

// What is known of a value on the stack.
struct Inverter::Sym {
  enum class Kind : uint8_t {
    kOpen,       // anything
    kSearched,   // the entity that is searched
    kAttribute,  // its attribute
    kParent,     // the resource it lies within
    kKey,        // its id
    kKnown,      // a value, the same for all of them
    kTruth,      // T at most for those in `holds`
  } kind = Kind::kOpen;
  uint32_t attribute = kNone;
  Value value;
  const Candidates* holds = nullptr;

  static Sym Known(const Value& v) {
    Sym s;
    s.kind =
        v.kind == ValueKind::kUnset || v.kind == ValueKind::kError ? Kind::kOpen : Kind::kKnown;
    s.value = v;
    return s;
  }
  static Sym Of(Kind kind, uint32_t attribute = kNone) {
    Sym s;
    s.kind = kind;
    s.attribute = attribute;
    return s;
  }
  static Sym True(const Candidates* holds) {
    Sym s;
    s.kind = Kind::kTruth;
    s.holds = holds;
    return s;
  }
  bool known() const { return kind == Kind::kKnown; }
};

Inverter::Inverter(const SearchIndex& index, CandidateSpace* space, const Given& given)
    : index_(index),
      snapshot_(index.snapshot()),
      program_(snapshot_.program()),
      schema_(program_.schema),
      space_(*space),
      given_(given) {
  const ResourceDef& def = schema_.resources[given_.type];
  parent_may_be_said_ = def.has_parent && (given_.makes || def.parent_from_request);
}

Inverter::~Inverter() = default;

// ---------------------------------------------------------------- leaves

const Candidates* Inverter::SameAs(const Entity& entity) {
  if (entity.is_person != searching_persons()) return space_.Empty();
  if (entity.is_person) return space_.One(index_.RankOfPerson(entity.id));
  if (entity.type != given_.type) return space_.Empty();
  return space_.One(index_.RankOfResource(entity.type, entity.id));
}

const Candidates* Inverter::ById(std::string_view id) {
  return space_.One(searching_persons() ? index_.RankOfPerson(id)
                                        : index_.RankOfResource(given_.type, id));
}

const Candidates* Inverter::Within(const Entity& container) {
  if (searching_persons() || parent_may_be_said_) return space_.All();
  return space_.Looked(index_.Within(given_.type, container));
}

const Candidates* Inverter::Beneath(std::string_view path) {
  if (path.empty() || path.back() == '/') {
    auto [from, end] = index_.RanksOfPrefix(given_.type, path);
    return space_.Or({ById(path), space_.Range(from, end)});
  }
  auto [from, end] = index_.RanksOfPrefix(given_.type, std::string(path) + "/");
  return space_.Or({ById(path), space_.Range(from, end)});
}

// By fact; or by the request or a default, where there is no fact.
const Candidates* Inverter::With(uint32_t attribute, const Value& value) {
  uint64_t hash = 0;
  if (!HashOfValue(value, &hash)) return space_.All();
  const std::vector<AttributeDef>& defs =
      searching_persons() ? schema_.person.attributes : schema_.resources[given_.type].attributes;
  const AttributeDef& def = defs[attribute];
  const bool unsaid = def.from_request || def.default_constant != kNone;
  if (searching_persons()) {
    const Candidates* with = space_.Looked(index_.PersonsWith(attribute, hash));
    return unsaid ? space_.Or({with, space_.Looked(index_.PersonsWithout(attribute))}) : with;
  }
  if (attribute == schema_.resources[given_.type].parent_attribute && parent_may_be_said_)
    return space_.All();
  const Candidates* with = space_.Looked(index_.ResourcesWith(given_.type, attribute, hash));
  return unsaid ? space_.Or({with, space_.Looked(index_.ResourcesWithout(given_.type, attribute))})
                : with;
}

const Candidates* Inverter::Truth(const Sym& sym) {
  switch (sym.kind) {
    case Sym::Kind::kTruth:
      return sym.holds;
    case Sym::Kind::kKnown:
      return sym.value.IsFalse() ? space_.Empty() : space_.All();
    case Sym::Kind::kAttribute:
      return With(sym.attribute, Value::Bool(true));
    default:
      return space_.All();
  }
}

// ---------------------------------------------------------------- operators

const Candidates* Inverter::Equal(const Sym& a, const Sym& b) {
  if (b.kind == Sym::Kind::kSearched || (a.known() && !b.known())) {
    if (a.kind == Sym::Kind::kSearched) return space_.All();
    return Equal(b, a);
  }
  if (!b.known()) return space_.All();
  const Value& value = b.value;
  switch (a.kind) {
    case Sym::Kind::kKnown: {
      if (a.value.kind != value.kind) return space_.All();
      bool comparable = true;
      int order = CompareValues(a.value, value, &comparable);
      return comparable ? Whether(order == 0) : space_.All();
    }
    case Sym::Kind::kSearched:
      if (value.kind != ValueKind::kPerson && value.kind != ValueKind::kResource)
        return space_.All();
      return SameAs(*value.entity);
    case Sym::Kind::kAttribute:
      return value.kind == ValueKind::kSet ? space_.All() : With(a.attribute, value);
    case Sym::Kind::kParent:
      return value.kind == ValueKind::kResource ? Within(*value.entity) : space_.All();
    case Sym::Kind::kKey:
      if (value.kind != ValueKind::kString && value.kind != ValueKind::kPath) return space_.All();
      return ById(value.text());
    default:
      return space_.All();
  }
}

// Whether what an element is compared with is equality, and not containment.
static bool PlainElement(const Value& v) {
  return v.kind != ValueKind::kResource && v.kind != ValueKind::kTeam &&
         v.kind != ValueKind::kPath && v.kind != ValueKind::kIp;
}

const Candidates* Inverter::InSet(const Sym& x, const Value& set) {
  std::vector<const Candidates*> any;
  for (uint32_t i = 0; i < set.n; ++i) {
    const Value& item = set.items[i];
    if (PlainElement(item)) {
      any.push_back(Equal(x, Sym::Known(item)));
    } else if (item.kind == ValueKind::kResource && x.kind == Sym::Kind::kSearched) {
      any.push_back(Within(*item.entity));
    } else {
      return space_.All();
    }
  }
  return space_.Or(any);
}

const Candidates* Inverter::In(const Sym& x, const Sym& y) {
  if (y.known() && y.value.kind == ValueKind::kSet) return InSet(x, y.value);
  if (y.known() && y.value.kind == ValueKind::kResource) {
    if (x.kind == Sym::Kind::kSearched && !searching_persons()) return Within(*y.value.entity);
    return space_.All();
  }
  if (y.kind != Sym::Kind::kAttribute || !x.known()) return space_.All();
  const std::vector<AttributeDef>& defs =
      searching_persons() ? schema_.person.attributes : schema_.resources[given_.type].attributes;
  if (schema_.types[defs[y.attribute].type].kind != TypeKind::kSet) return space_.All();
  if (PlainElement(x.value)) return With(y.attribute, x.value);
  if (x.value.kind != ValueKind::kResource) return space_.All();
  // A resource is in the set when anything that it lies within is.
  std::vector<const Candidates*> any;
  const Entity* at = snapshot_.Latest(x.value.entity);
  if (at == given_.resource && parent_may_be_said_) return space_.All();
  for (int level = 0; at != nullptr && level <= 16; ++level) {
    any.push_back(With(y.attribute, Value::Of(ValueKind::kResource, at)));
    at = at->parent_state == Entity::Parent::kKnown ? snapshot_.Latest(at->parent) : nullptr;
  }
  return space_.Or(any);
}

const Candidates* Inverter::Member(const Sym& who, uint32_t team) {
  if (who.kind == Sym::Kind::kSearched && searching_persons())
    return space_.Looked(index_.InTeam(team));
  if (!who.known() || who.value.kind != ValueKind::kPerson) return space_.All();
  const PersonFacts* facts = snapshot_.Latest(who.value.entity)->person;
  if (facts == nullptr) return space_.Empty();
  return Whether(std::any_of(facts->teams.begin(), facts->teams.end(),
                             [&](const Membership& m) { return m.team == team; }));
}

// A role may be held in an object: then it counts for that object and what lies within it.
const Candidates* Inverter::Holder(const Sym& who, uint32_t role) {
  if (who.kind == Sym::Kind::kSearched && searching_persons()) {
    const Entity* at = given_.resource;
    bool open = schema_.resources[given_.type].has_parent &&
                (given_.makes || at->parent_state == Entity::Parent::kNoFact);
    if (open) return space_.Looked(index_.InRole(role));
    std::vector<const Candidates*> any = {space_.Looked(index_.InRoleAt(role, nullptr))};
    for (int level = 0; at != nullptr && level <= 16; ++level) {
      any.push_back(space_.Looked(index_.InRoleAt(role, at)));
      at = at->parent_state == Entity::Parent::kKnown ? snapshot_.Latest(at->parent) : nullptr;
    }
    return space_.Or(any);
  }
  if (!who.known() || who.value.kind != ValueKind::kPerson) return space_.All();
  const PersonFacts* facts = snapshot_.Latest(who.value.entity)->person;
  if (facts == nullptr) return space_.Empty();
  std::vector<const Candidates*> any;
  for (const Holding& h : facts->roles) {
    if (h.role != role) continue;
    // The place that counts is the request's resource, which is not the searched one here.
    if (h.scope == nullptr || searching_persons()) return space_.All();
    any.push_back(Within(*h.scope));
  }
  return space_.Or(any);
}

// ---------------------------------------------------------------- paths

Inverter::Sym Inverter::PersonAttribute(const Sym& of, uint32_t attribute) {
  if (of.kind == Sym::Kind::kSearched && searching_persons())
    return Sym::Of(Sym::Kind::kAttribute, attribute);
  if (!of.known() || of.value.kind != ValueKind::kPerson) return {};
  const Entity& person = *snapshot_.Latest(of.value.entity);
  return person.attributes == nullptr ? Sym() : Sym::Known(person.attributes[attribute]);
}

Inverter::Sym Inverter::ResourceAttribute(const Sym& of, uint32_t type, uint32_t attribute) {
  if (of.kind == Sym::Kind::kSearched && !searching_persons())
    return type == given_.type ? Sym::Of(Sym::Kind::kAttribute, attribute) : Sym();
  if (!of.known() || of.value.kind != ValueKind::kResource || of.value.entity->type != type)
    return {};
  const Entity& resource = *snapshot_.Latest(of.value.entity);
  if (resource.attributes != nullptr && resource.attributes[attribute].kind != ValueKind::kUnset)
    return Sym::Known(resource.attributes[attribute]);
  return attribute == schema_.resources[type].parent_attribute ? ParentOf(of, type) : Sym();
}

Inverter::Sym Inverter::ParentOf(const Sym& of, uint32_t type) {
  if (of.kind == Sym::Kind::kSearched && !searching_persons())
    return type == given_.type && !parent_may_be_said_ ? Sym::Of(Sym::Kind::kParent) : Sym();
  if (!of.known() || of.value.kind != ValueKind::kResource) return {};
  const Entity& resource = *snapshot_.Latest(of.value.entity);
  if (resource.type != type || resource.parent_state != Entity::Parent::kKnown) return {};
  return Sym::Known(Value::Of(ValueKind::kResource, resource.parent));
}

Inverter::Sym Inverter::KeyOf(const Sym& of) {
  if (of.kind == Sym::Kind::kSearched) return Sym::Of(Sym::Kind::kKey);
  if (!of.known()) return {};
  if (of.value.kind != ValueKind::kPerson && of.value.kind != ValueKind::kResource) return {};
  const Entity& entity = *of.value.entity;
  bool path = !entity.is_person && schema_.resources[entity.type].key_is_path;
  return Sym::Known(Value::Text(path ? ValueKind::kPath : ValueKind::kString, entity.id));
}

// ---------------------------------------------------------------- the walk

const Candidates* Inverter::Of(uint32_t code_index) {
  if (code_index == kNone) return space_.All();
  const Code& code = program_.codes[code_index];
  stack_.clear();
  locals_.assign(kMaxLocals, Sym());
  auto pop = [&] {
    if (stack_.empty()) return Sym();
    Sym top = stack_.back();
    stack_.pop_back();
    return top;
  };
  auto push = [&](const Sym& sym) { stack_.push_back(sym); };
  auto truth = [&](const Candidates* holds) { stack_.push_back(Sym::True(holds)); };
  const Sym the_searched = Sym::Of(Sym::Kind::kSearched);
  Sym the_person = the_searched, the_resource = the_searched;
  if (searching_persons()) {
    the_resource = Sym::Known(Value::Of(ValueKind::kResource, given_.resource));
  } else {
    the_person =
        given_.person == nullptr ? Sym() : Sym::Known(Value::Of(ValueKind::kPerson, given_.person));
  }
  // Nobody, or an agent alone: no test of a person holds.
  const bool no_person = !searching_persons() && given_.person == nullptr && !given_.person_open;

  for (uint32_t at = code.offset; at < code.offset + code.size;) {
    const uint32_t* word = &program_.code[at];
    std::optional<Opcode> op = OpcodeOfWord(*word);
    if (!op) return space_.All();
    const OpcodeInfo& info = InfoOf(*op);
    at += info.words();
    switch (*op) {
      case Opcode::kPushConst:
        push(Sym::Known(snapshot_.constant(word[1])));
        break;
      case Opcode::kLoadPerson:
        push(the_person);
        break;
      case Opcode::kLoadResource:
        push(the_resource);
        break;
      case Opcode::kLoadLocal:
        push(word[1] < locals_.size() ? locals_[word[1]] : Sym());
        break;
      case Opcode::kLet: {
        Sym argument = pop();
        if (word[1] < locals_.size()) locals_[word[1]] = argument;
        break;
      }
      case Opcode::kPersonAttr:
        push(PersonAttribute(pop(), word[1]));
        break;
      case Opcode::kResourceAttr:
        push(ResourceAttribute(pop(), word[1], word[2]));
        break;
      case Opcode::kResourceParent:
        push(ParentOf(pop(), word[1]));
        break;
      case Opcode::kEntityKey:
        push(KeyOf(pop()));
        break;
      case Opcode::kMakeSet: {
        std::vector<Value> items(word[1]);
        bool known = stack_.size() >= items.size();
        for (size_t i = items.size(); i-- > 0;) {
          Sym item = pop();
          known = known && item.known() && item.value.kind != ValueKind::kAbsent;
          items[i] = item.value;
        }
        if (!known) {
          push(Sym());
          break;
        }
        uint32_t count = static_cast<uint32_t>(items.size());
        sets_.push_back(std::move(items));
        push(Sym::Known(Value::Items(ValueKind::kSet, sets_.back().data(), count)));
        break;
      }
      case Opcode::kEq: {
        Sym b = pop(), a = pop();
        truth(Equal(a, b));
        break;
      }
      case Opcode::kIn: {
        Sym y = pop(), x = pop();
        truth(In(x, y));
        break;
      }
      case Opcode::kInTeam:
        truth(Member(pop(), word[1]));
        break;
      case Opcode::kInRole:
        truth(Holder(pop(), word[1]));
        break;
      case Opcode::kInTeamValue: {
        Sym team = pop(), who = pop();
        if (team.known() && team.value.kind == ValueKind::kTeam) {
          truth(Member(who, static_cast<uint32_t>(team.value.i)));
        } else if (team.kind == Sym::Kind::kAttribute && who.known() &&
                   who.value.kind == ValueKind::kPerson && who.value.entity->person != nullptr) {
          const PersonFacts* facts = snapshot_.Latest(who.value.entity)->person;
          std::vector<const Candidates*>
              any;  // the team is the searched one's: any of the person's
          for (const Membership& m : facts->teams)
            any.push_back(With(team.attribute, Value::Int(ValueKind::kTeam, m.team)));
          truth(space_.Or(any));
        } else {
          push(Sym());
        }
        break;
      }
      case Opcode::kAnd: {
        Sym b = pop(), a = pop();
        truth(space_.And({Truth(a), Truth(b)}));
        break;
      }
      case Opcode::kOr: {
        Sym b = pop(), a = pop();
        truth(space_.Or({Truth(a), Truth(b)}));
        break;
      }
      case Opcode::kSkipIfFalse:  // F stays F behind the `and`, T stays T behind the `or`
      case Opcode::kSkipIfTrue:
        break;
      case Opcode::kQuantBegin:  // over its body, to the word after it
        pop();
        push(Sym());
        if (word[3] <= at - code.offset) return space_.All();
        at = code.offset + word[3];
        break;
      case Opcode::kBranch:
      case Opcode::kPushCond:
      case Opcode::kJump:
      case Opcode::kQuantNext:
        return space_.All();
      case Opcode::kSubjPerson: {
        const Value& person = snapshot_.constant(word[1]);
        if (searching_persons() && person.kind == ValueKind::kPerson) {
          truth(SameAs(*person.entity));
        } else if (given_.person != nullptr && person.kind == ValueKind::kPerson) {
          truth(Whether(SameEntity(*given_.person, *person.entity)));
        } else {
          truth(Whether(!no_person));
        }
        break;
      }
      case Opcode::kSubjTeam:
        truth(no_person ? space_.Empty() : Member(the_person, word[1]));
        break;
      case Opcode::kSubjRole:
        truth(no_person ? space_.Empty() : Holder(the_person, word[1]));
        break;
      case Opcode::kSubjEveryone:
        truth(Whether(!no_person));
        break;
      case Opcode::kResourceIs: {
        const Value& value = snapshot_.constant(word[1]);
        bool entity = value.kind == ValueKind::kResource;
        if (!entity && value.kind != ValueKind::kString && value.kind != ValueKind::kPath) {
          push(Sym());
        } else if (!searching_persons()) {
          truth(entity ? SameAs(*value.entity) : ById(value.text()));
        } else {
          truth(Whether(entity ? SameEntity(*given_.resource, *value.entity)
                               : given_.resource->id == value.text()));
        }
        break;
      }
      case Opcode::kResourceIn: {
        const Value& value = snapshot_.constant(word[1]);
        if (value.kind != ValueKind::kResource) {
          push(Sym());
        } else if (!searching_persons()) {
          truth(Within(*value.entity));
        } else {
          // Not where nobody knows, but where it is known to lie elsewhere.
          bool elsewhere =
              !parent_may_be_said_ &&
              snapshot_.ResourceIn(*given_.resource, *value.entity) == dpl::Truth::kFalse;
          truth(Whether(!elsewhere));
        }
        break;
      }
      case Opcode::kResourceInPath: {
        const Value& value = snapshot_.constant(word[1]);
        if (value.kind != ValueKind::kPath) {
          push(Sym());
        } else if (searching_persons()) {
          truth(Whether(PathWithin(given_.resource->id, value.text())));
        } else {
          truth(Beneath(value.text()));
        }
        break;
      }
      case Opcode::kReturn:
        return Truth(pop());
      default: {
        int pops = info.pops < 0 ? static_cast<int>(word[info.operand_count]) : info.pops;
        for (int i = 0; i < pops; ++i) pop();
        for (int i = 0; i < info.pushes; ++i) push(Sym());
      }
    }
  }
  return space_.All();
}

}  // namespace dpl
