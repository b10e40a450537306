// See narrow.h. Whatever cannot be told (⊥, absent, no person, memberships not fresh, a level
// without a parent fact) takes the whole path: its conditions then say what they always said.
#include "runtime/decide/narrow.h"

#include "runtime/vm/read_path.h"

namespace dpl {
namespace {

using Kind = PinPath::Kind;

constexpr uint32_t kMaxElements = 64;  // of a set that is looked into

// False: of this value pins promise nothing.
bool PinOf(const Value& v, uint64_t* out) {
  switch (v.kind) {
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kTime:
    case ValueKind::kDuration:
    case ValueKind::kEnum:
    case ValueKind::kTeam:
    case ValueKind::kRole:
    case ValueKind::kAgent:
      *out = PinValue(v.i);
      return true;
    case ValueKind::kString:
    case ValueKind::kPath:
      *out = PinValue(v.text());
      return true;
    case ValueKind::kPerson:
      *out = PinValueOfPerson(v.entity->id);
      return true;
    case ValueKind::kResource:
      *out = PinValueOfResource(v.entity->type, v.entity->id);
      return true;
    default:
      return false;
  }
}

class Reader {
 public:
  Reader(Fold& f, const Narrowing& n, NarrowedRanges* out) : f_(f), n_(n), out_(*out) {}

  bool Read(const Narrowing::Path& path) {
    // What restricts the person who acts for another is found among the same clauses.
    if (path.path.OfPerson() && f_.deputy != nullptr) return All(path);
    switch (path.path.kind) {
      case Kind::kResource:
        if (f_.env.resource == nullptr) return All(path);
        return Take(path, PinValueOfResource(f_.env.resource->type, f_.env.resource->id));
      case Kind::kAbove:
        return Above(path);
      case Kind::kPerson:
        if (f_.env.person == nullptr) return All(path);
        return Take(path, PinValueOfPerson(f_.env.person->id));
      case Kind::kSubject:
        if (f_.env.person == nullptr) return true;
        return Take(path, PinValueOfPerson(f_.env.person->id));
      case Kind::kTeam:
      case Kind::kRole:
        if (f_.env.person == nullptr) return All(path);
        return Held(path);
      case Kind::kSubjectTeam:
      case Kind::kSubjectRole:
        if (f_.env.person == nullptr) return true;
        return Held(path);
      case Kind::kResourceAttr:
      case Kind::kPersonAttr:
      case Kind::kParam:
      case Kind::kContext: {
        uint64_t value = 0;
        if (!PinOf(ReadPath(f_.program, path.path, &f_.env), &value)) return All(path);
        return Take(path, value);
      }
      case Kind::kResourceSet:
      case Kind::kPersonSet:
      case Kind::kParamSet:
      case Kind::kContextSet: {
        const Value set = ReadPath(f_.program, path.path, &f_.env);
        if (set.kind != ValueKind::kSet || set.n > kMaxElements) return All(path);
        for (uint32_t i = 0; i < set.n; ++i) {
          uint64_t value = 0;
          if (!PinOf(set.items[i], &value)) return All(path);
          if (!Take(path, value)) return false;
        }
        return true;
      }
    }
    return All(path);
  }

 private:
  bool All(const Narrowing::Path& path) { return out_.Add(n_.Of(path.all)); }
  bool Take(const Narrowing::Path& path, uint64_t value) { return out_.Add(n_.Find(path, value)); }

  bool Above(const Narrowing::Path& path) {
    if (f_.env.resource == nullptr) return All(path);
    std::array<const Entity*, Snapshot::kMostAbove> above;
    bool known = false;
    const size_t count = f_.snapshot.Above(*f_.env.resource, &above, &known);
    if (!known) return All(path);
    for (size_t i = 0; i < count; ++i) {
      if (!Take(path, PinValueOfResource(above[i]->type, above[i]->id))) return false;
    }
    return true;
  }

  // Whatever is on record, in force or not.
  bool Held(const Narrowing::Path& path) {
    if (!f_.snapshot.MembershipsFresh(f_.now)) return All(path);
    const PersonFacts* facts = f_.snapshot.Latest(f_.env.person)->person;
    if (facts == nullptr) return true;
    if (path.path.kind == Kind::kTeam || path.path.kind == Kind::kSubjectTeam) {
      for (const Membership& m : facts->teams) {
        if (!Take(path, PinValue(int64_t{m.team}))) return false;
      }
      return true;
    }
    for (size_t i = 0; i < facts->roles.size(); ++i) {
      const uint32_t role = facts->roles[i].role;
      if (i != 0 && facts->roles[i - 1].role == role) continue;
      if (!Take(path, PinValue(int64_t{role}))) return false;
    }
    return true;
  }

  Fold& f_;
  const Narrowing& n_;
  NarrowedRanges& out_;
};

}  // namespace

bool ReadNarrowing(Fold& f, const Narrowing& narrowing, NarrowedRanges* out) {
  Reader reader(f, narrowing, out);
  for (const Narrowing::Path& path : narrowing.paths) {
    if (!reader.Read(path)) return false;
  }
  return out->Add(narrowing.Of(narrowing.rest));
}

}  // namespace dpl
