// The canonical form of a request, hashed: what an approval is bound to, and what a replay must
// equal.
#include <cstring>

#include "runtime/base/money.h"
#include "runtime/base/sha256.h"
#include "runtime/decide/fold.h"

namespace dpl {
namespace {

class Canonical {
 public:
  explicit Canonical(Fold& f) : f_(f) {}

  void Text(std::string_view s) {
    Number(static_cast<int64_t>(s.size()));
    hash_.Update(s);
  }
  void Number(int64_t n) {
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(static_cast<uint64_t>(n) >> (8 * i));
    hash_.Update({bytes, 8});
  }
  void One(const Value& v) {
    Number(static_cast<int64_t>(v.kind));
    if (v.kind == ValueKind::kUnset || v.kind == ValueKind::kAbsent) return;
    f_.text.clear();
    AppendValue(&f_.text, v, f_.schema);
    Text(f_.text);
  }
  void Entity(const dpl::Entity* e, const std::vector<AttributeDef>& defs) {
    if (e == nullptr) return Text("-");
    Text(e->id);
    for (size_t i = 0; i < defs.size(); ++i) {
      Text(f_.Text(defs[i].name));
      if (e->attributes == nullptr) {
        Text("?");
      } else {
        One(e->attributes[i]);
      }
    }
    Number(static_cast<int64_t>(e->parent_state));
    if (e->parent != nullptr) Text(e->parent->id);
  }
  void Finish(char out[65]) {
    static constexpr char kDigits[] = "0123456789abcdef";
    Digest digest = hash_.Finish();
    for (size_t i = 0; i < digest.size(); ++i) {
      out[2 * i] = kDigits[digest[i] >> 4];
      out[2 * i + 1] = kDigits[digest[i] & 15];
    }
    out[64] = 0;
  }

 private:
  Fold& f_;
  Sha256Stream hash_;
};

// Root, first agent, action, resource and parameters. The amount of a measure is left out of what
// an approval is bound to, its unit is not.
void AddRequest(Fold& f, Canonical* c, bool amounts) {
  c->Text("dpl.request.1");
  c->Text(f.person != nullptr  ? "person"
          : f.partner != kNone ? "partner"
          : f.hop_count > 0    ? "agent"
                               : "public");
  c->Text(f.person != nullptr  ? f.person->id
          : f.partner != kNone ? f.partner_subject
          : f.hop_count > 0    ? f.hops[0].name
                               : std::string_view());
  c->Text(f.hop_count > 0 ? f.hops[0].name : std::string_view());
  if (f.deputy != nullptr) {
    c->Text("by");
    c->Text(f.deputy->id);
  }
  if (f.partner_hops > 0) {
    c->Text("through");
    c->Text(f.d.chain.items[0].foreign);
  }
  c->Text(f.Text(f.resource_def->name));
  c->Text(f.d.resource_id);
  c->Text(f.Text(f.action_def->name));
  for (size_t i = 0; i < f.action_def->params.size(); ++i) {
    const ParamDef& p = f.action_def->params[i];
    Value v = f.params[i];
    c->Text(f.Text(p.name));
    if (IsMeasure(f, p) && !amounts) {
      c->Number(static_cast<int64_t>(v.kind));
      c->Number(v.kind == ValueKind::kMoney ? v.n : 0);
    } else {
      c->One(v);
    }
  }
}

void AddSaid(Canonical* c, const Value* said, const std::vector<AttributeDef>& defs) {
  c->Number(said != nullptr);
  for (size_t i = 0; said != nullptr && i < defs.size(); ++i) c->One(said[i]);
}

}  // namespace

void BindingDigest(Fold& f, char out[65]) {
  Canonical c(f);
  AddRequest(f, &c, false);
  if (f.deputy != nullptr) c.Entity(f.deputy, f.schema.person.attributes);
  c.Entity(f.env.resource, f.resource_def->attributes);
  c.Entity(f.person, f.schema.person.attributes);
  c.Finish(out);
}

// What was asked, and nothing of what is on record: a fact that changed meanwhile makes no other
// request.
void ReplayDigest(Fold& f, char out[65]) {
  Canonical c(f);
  AddRequest(f, &c, true);
  for (int i = 1; i < f.partner_hops; ++i) c.Text(f.d.chain.items[i].foreign);
  c.Number(f.hop_count);
  for (int i = 0; i < f.hop_count; ++i) {
    c.Text(f.hops[i].name);
    c.Text(f.hops[i].instance);
  }
  c.Text(f.request.task);
  c.Text(f.request.break_glass);
  c.Text(f.request.break_glass_reason);
  c.Text(f.request.break_glass_ticket);
  AddSaid(&c, f.said_person, f.schema.person.attributes);
  AddSaid(&c, f.said_resource, f.resource_def->attributes);
  AddSaid(&c, f.said_context, f.schema.context);
  c.Finish(out);
}

}  // namespace dpl
