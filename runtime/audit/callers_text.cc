// See callers_text.h. One list of members serves writing and reading.
#include "runtime/audit/callers_text.h"

#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

struct FlagMember {
  std::string_view name;
  bool Caller::*member;
};
struct ListMember {
  std::string_view name;
  std::vector<std::string> Caller::*member;
};

constexpr FlagMember kFlags[] = {
    {"serves_persons", &Caller::serves_persons},
    {"asserts_actors", &Caller::asserts_actors},
    {"asserts_instances", &Caller::asserts_instances},
    {"asserts_all_partners", &Caller::asserts_all_partners},
    {"trusts_all_issuers", &Caller::trusts_all_issuers},
    {"asserts_all_attributes", &Caller::asserts_all_attributes},
    {"charge_keys", &Caller::charge_keys},
    {"request_id_keys", &Caller::request_id_keys},
    {"dry_run", &Caller::dry_run},
    {"search", &Caller::search},
    {"details", &Caller::details},
};
constexpr ListMember kLists[] = {
    {"partners", &Caller::partners},
    {"issuers", &Caller::issuers},
    {"asserts", &Caller::asserts},
    {"duties", &Caller::duties},
};
// A member that Caller gains belongs in a list above, or a replay decides for somebody else.
static_assert(sizeof(Caller) == sizeof(std::string) + 4 * sizeof(std::vector<std::string>) + 3 * 8,
              "callers_text.cc does not know all of Caller");

}  // namespace

std::string CallersText(const std::vector<Caller>& callers) {
  std::string out;
  JsonWriter w(&out);
  w.BeginObject().Key("callers").BeginArray();
  for (const Caller& caller : callers) {
    w.BeginObject().Member("name", caller.name);
    for (const FlagMember& flag : kFlags) w.Key(flag.name).Bool(caller.*flag.member);
    w.Member("explain", ExplainName(caller.explain));
    for (const ListMember& list : kLists) {
      w.Key(list.name).BeginArray();
      for (const std::string& text : caller.*list.member) w.String(text);
      w.EndArray();
    }
    w.EndObject();
  }
  w.EndArray().EndObject();
  return out;
}

Result<std::vector<Caller>> ReadCallersText(std::string_view text) {
  const Error bad{"audit.input", "these are no callers", 0, 0};
  Arena arena;
  Result<const WireValue*> root = ParseJson(text, &arena, FileJsonLimits());
  if (!root.ok()) return bad;
  const WireValue* list = (*root)->Find("callers");
  if (list == nullptr || !list->is_array()) return bad;
  std::vector<Caller> callers;
  for (uint32_t i = 0; i < list->count; ++i) {
    const WireValue& item = list->items[i];
    const WireValue* name = item.Find("name");
    if (name == nullptr || !name->is_string()) return bad;
    Caller caller;
    caller.name = name->text;
    for (const FlagMember& flag : kFlags) {
      const WireValue* value = item.Find(flag.name);
      if (value == nullptr || !value->is_bool()) return bad;
      caller.*flag.member = value->boolean;
    }
    // Texts that were kept before there were levels have none.
    if (const WireValue* explain = item.Find("explain");
        explain != nullptr &&
        (!explain->is_string() || !FindExplain(explain->text, &caller.explain)))
      return bad;
    for (const ListMember& member : kLists) {
      const WireValue* value = item.Find(member.name);
      if (value == nullptr || !value->is_array()) return bad;
      for (uint32_t k = 0; k < value->count; ++k)
        (caller.*member.member).emplace_back(value->items[k].text);
    }
    callers.push_back(std::move(caller));
  }
  return callers;
}

}  // namespace dpl
