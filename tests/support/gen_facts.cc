// Random facts and requests; see gen.h.
#include <algorithm>

#include "runtime/decide/duty.h"
#include "tests/support/gen.h"

namespace dpl::gen {
namespace {

std::vector<FactsInput::Field> Fields(Rng* rng, const Vocabulary& v, const std::vector<Attr>& attrs,
                                      int percent, Arena* arena) {
  std::vector<FactsInput::Field> out;
  for (const Attr& a : attrs) {
    if (a.name != "manager" && rng->Chance(a.from_request ? 25 : percent))
      out.push_back({a.name, WireOf(rng, v, a.type, arena)});
  }
  return out;
}

Instant Ago(Instant now, int64_t us) { return Instant{now.us - us}; }

}  // namespace

FactsInput MakeFacts(Rng* rng, const Vocabulary& v, Instant now) {
  FactsInput in;
  in.name = "generated";
  in.arena = std::make_shared<Arena>();
  in.has_memberships = !rng->Chance(8);
  in.has_resources = !rng->Chance(4);
  if (rng->Chance(30)) in.as_of = Ago(now, rng->Between(0, 20) * kMicrosPerHour);
  int percent = rng->Of(std::vector<int>{100, 100, 100, 95, 85});
  // E0 … E5 ask; E6 is suspended or unknown; E7 left; E8 and E9 answer for things; Z is nobody.
  for (const char* id : {"E0", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9"}) {
    FactsInput::Person p;
    p.id = id;
    p.fields = Fields(rng, v, v.person, percent, in.arena.get());
    if (p.id == "E6") p.status = "suspended";
    if (p.id == "E7") {
      p.status = "left";
      p.left = Ago(now, rng->Between(1, 20) * kMicrosPerDay + 4321);
    }
    if (p.id == "E9" && rng->Chance(15)) p.status = "suspended";
    // Managers have lower numbers: no circles.
    int number = id[1] - '0';
    if (number > 0 && rng->Chance(70)) {
      p.fields.push_back(
          {"manager", WireString("E" + std::to_string(rng->Below(number)), in.arena.get())});
    }
    in.persons.push_back(std::move(p));
  }
  auto members = [&](bool role, const std::string& name, const std::string& scope_type,
                     const std::string& scope, int each) {
    FactsInput::Members m;
    m.is_role = role;
    m.name = name;
    m.scope_type = scope_type;
    m.scope_id = scope;
    for (const std::string& id : v.persons) {
      if (!rng->Chance(each)) continue;
      FactsInput::Member one;
      one.id = id;
      if (rng->Chance(15))
        one.until = Instant{now.us + rng->Between(-20, 40) * kMicrosPerHour + 12345};
      m.members.push_back(one);
    }
    if (role && rng->Chance(15)) {
      FactsInput::Member team;
      team.is_team = true;
      team.id = "t" + std::to_string(rng->Below(4));
      m.members.push_back(team);
    }
    return m;
  };
  for (int t = 0; t < 4; ++t)
    in.members.push_back(members(false, "t" + std::to_string(t), "", "", t == 3 ? 40 : 70));
  for (const char* id : {"E8", "E9"}) {
    FactsInput::Member one;
    one.id = id;
    if (rng->Chance(60)) in.members[3].members.push_back(one);
    if (rng->Chance(30)) in.members[static_cast<size_t>(rng->Below(3))].members.push_back(one);
  }
  if (rng->Chance(30)) {
    FactsInput::Member team;
    team.is_team = true;
    team.id = "t2";
    if (rng->Chance(40)) team.until = Instant{now.us + rng->Between(-5, 30) * kMicrosPerHour + 777};
    in.members[3].members.push_back(team);
  }
  for (int r = 0; r < 2; ++r)
    in.members.push_back(members(true, "r" + std::to_string(r), "", "", 30));
  for (const std::string& project : v.projects) {
    if (rng->Chance(70))
      in.members.push_back(
          members(true, rng->Chance(50) ? "viewer" : "editor", "app.Project", project, 45));
  }
  if (rng->Chance(50))
    in.members.push_back(members(true, "editor", "app.Doc", rng->Of(v.docs), 45));
  for (const std::string& id : v.persons) {
    int kind = rng->Below(100);
    if (kind >= 95) continue;
    FactsInput::Account a;
    a.system = "bank";
    a.key = "login-" + id;
    a.person = id;
    a.checked = Ago(now, rng->Between(0, rng->Chance(10) ? 40 : 28) * kMicrosPerDay);
    in.accounts.push_back(a);
    if (kind < 2) {
      a.person = id == "E0" ? "E1" : "E0";
      in.accounts.push_back(a);
    } else if (kind < 4) {
      a.key += "-2";
      in.accounts.push_back(a);
    }
  }
  auto resource = [&](const std::string& type, const std::string& id,
                      const std::vector<Attr>& attrs) {
    FactsInput::Resource r;
    r.type = type;
    r.id = id;
    r.fields = Fields(rng, v, attrs, percent, in.arena.get());
    return r;
  };
  for (size_t p = 0; p < v.projects.size(); ++p) {
    FactsInput::Resource r = resource("app.Project", v.projects[p], v.project);
    if (p > 0 && rng->Chance(60)) {
      r.parent_type = "app.Project";
      r.parent_id = v.projects[static_cast<size_t>(rng->Below(static_cast<int>(p)))];
    }
    if (rng->Chance(92)) in.resources.push_back(r);
  }
  for (const std::string& id : v.docs) {
    FactsInput::Resource r = resource("app.Doc", id, v.doc);
    if (rng->Chance(90)) {
      r.parent_type = "app.Project";
      r.parent_id = rng->Of(v.projects);
    }
    if (id != "d5" || rng->Chance(50)) in.resources.push_back(r);
  }
  for (const std::string& id : v.orders)
    in.resources.push_back(resource("bank.Order", id, v.order));
  for (const std::string& id : v.files) {
    if (rng->Chance(85)) in.resources.push_back(resource("app.File", id, v.file));
  }
  if (!in.has_resources) in.resources.clear();
  if (!in.has_memberships) in.members.clear();
  return in;
}

std::vector<FactsInput::Consent> MakeConsents(Rng* rng, const Vocabulary& v, Instant now,
                                              const Texts& delegations) {
  std::vector<FactsInput::Consent> out;
  for (const std::string& d : delegations) {
    for (const std::string& person : v.persons) {
      if (!rng->Chance(60)) continue;
      FactsInput::Consent c;
      c.delegation = d;
      c.person = person;
      c.at = Ago(now, rng->Between(0, 80) * kMicrosPerHour + 999);
      c.whole_day = rng->Chance(40);
      out.push_back(c);
    }
  }
  return out;
}

std::optional<FactsInput::Task> MakeTask(Rng* rng, const Vocabulary& v, const std::string& id,
                                         Instant now, Arena* arena, const Texts& shapes,
                                         const Texts& agents) {
  if (shapes.empty() || agents.empty()) return std::nullopt;
  FactsInput::Task t;
  t.id = id;
  t.shape = rng->Of(shapes);
  t.agent = rng->Chance(10) ? rng->Of(agents) : rng->Of(Texts{"gen.p.a0", "gen.p.b0"});
  t.person = rng->Of(v.persons);
  t.opened = now;
  if (rng->Chance(15)) t.expires = Instant{now.us + rng->Between(10, 300) * kMicrosPerMinute + 31};
  t.args.push_back({"source", WireString(rng->Of(v.projects), arena)});
  return t;
}

// ---------------------------------------------------------------- requests

Ask MakeAsk(Rng* rng, const Vocabulary& v, Arena* arena, const Texts& agents,
            const std::vector<FactsInput::Task>& tasks) {
  Ask a;
  auto has = [&](const std::string& name) {
    return std::find(agents.begin(), agents.end(), "gen.p." + name) != agents.end();
  };
  auto hop = [&](const std::string& name) {
    // Few instances, so that they come back and age.
    if (!a.hops.empty() && a.hops.back().agent == "gen.p." + name) return;
    // A child run belongs to one parent run.
    Ask::Hop h{"gen.p." + name,
               name + "-run-" + std::to_string(rng->Below(rng->Chance(60) ? 3 : 100000))};
    if (!a.hops.empty()) h.instance = a.hops.back().instance + "." + name;
    a.hops.push_back(h);
  };
  int who = rng->Below(100);
  std::string person = rng->Of(v.persons);
  if (rng->Chance(3)) person = rng->Of(Texts{"E6", "E7", "E8", "Zed"});
  a.subject_type = rng->Chance(90) ? "person" : "user";
  a.subject_id = person;
  if (who >= 45 && who < 85) {
    hop(rng->Of(Texts{"a0", "a0", "a1", "b0", "c0", "c0"}));
    if (rng->Chance(a.hops[0].agent == "gen.p.c0" ? 3 : 30)) hop(rng->Of(Texts{"a1", "b0", "a0"}));
    if (a.hops.size() == 2 && rng->Chance(25)) hop("b0");
    if (rng->Chance(3)) a.hops.back().agent = "gen.p.s0";
  } else if (who >= 85 && who < 94) {
    hop(rng->Of(Texts{"s0", "s0", "s1"}));
    if (rng->Chance(25) && has("s1")) hop("s1");
    a.subject_type = "agent";
    a.subject_id = a.hops[0].agent;
    if (rng->Chance(4)) a.hops[0].agent = a.subject_id = "gen.p.a0";
  } else if (who >= 94) {
    a.subject_type = "anonymous";
    a.subject_id = "anonymous";
  }
  if (!a.hops.empty() && rng->Chance(1)) a.hops[0].agent = "gen.p.nobody";
  int realm = v.realms ? rng->Below(100) : 99;
  if (realm < 8 && a.task.empty()) {  // a partner's subject
    bool typed = rng->Chance(60);
    a.subject_type = typed ? rng->Chance(92) ? "partner:globex" : "partner:nobody" : "person";
    a.subject_id = rng->Chance(70) ? "ana" : "E1";
    if (!typed || rng->Chance(30)) a.issuer = "https://id.globex.example";
    if (rng->Chance(8)) a.issuer = "https://elsewhere.example";
    a.hops.clear();
    for (int i = 0, n = rng->Chance(35) ? rng->Between(1, 3) : 0; i < n; ++i)
      a.hops.push_back({rng->Chance(95) ? "their-bot" : "gen.p.a0", "bot-" + std::to_string(i),
                        false, rng->Chance(10) ? "https://id.globex.example" : ""});
  } else if (realm < 18 && a.subject_type == "person") {  // a person for a person
    if (rng->Chance(60)) {
      a.hops.clear();
      a.task.clear();
    }
    a.hops.insert(a.hops.begin(), {rng->Of(v.persons), "", true, ""});
    if (rng->Chance(3)) a.hops[0].agent = "Zed";
  } else if (realm < 20) {
    a.issuer = "https://elsewhere.example";
  }
  if (!a.hops.empty() && a.subject_type != "agent" && !tasks.empty() && rng->Chance(35))
    a.task = rng->Of(tasks).id;
  if (!tasks.empty() && rng->Chance(9)) {  // as the task is meant
    const FactsInput::Task& task = rng->Of(tasks);
    a.subject_type = "person";
    a.subject_id = task.person;
    a.task = task.id;
    a.hops.clear();
    hop(task.agent.substr(6));
    if (rng->Chance(20)) hop(rng->Of(Texts{"a1", "b0"}));
  }
  if (!a.task.empty() && rng->Chance(3)) a.task = "no-such-task";

  std::vector<std::pair<std::string, WireValue>> params;
  int what = rng->Below(100);
  const std::vector<Attr>* attrs = nullptr;
  if (what < 42) {
    a.type = "app.Doc";
    a.id = rng->Chance(97) ? rng->Of(v.docs) : "d9";
    a.action = rng->Of(Texts{"read", "read", "write", "delete", "share", "add"});
    attrs = &v.doc;
    if (a.action == "share") {
      if (rng->Chance(60)) params.emplace_back("recipient", WireOf(rng, v, T::kPerson, arena));
      if (rng->Chance(60))
        params.emplace_back(
            "forDays", WireNumber(std::to_string(rng->Between(rng->Chance(5) ? -1 : 0, 9)), arena));
      if (rng->Chance(2))
        params.emplace_back("forDays2", WireString("nobody declared this", arena));
      a.action = v.share_wire;
    }
    if (a.action == "add") {
      if (rng->Chance(60)) a.id = "new-" + std::to_string(rng->Below(3));
      if (!rng->Chance(5))
        params.emplace_back("parent",
                            WireString(rng->Chance(4) ? "P9" : rng->Of(v.projects), arena));
    }
  } else if (what < 54) {
    a.type = "app.File";
    a.id = rng->Of(v.files) + (rng->Chance(10) ? "/" : "");
    if (rng->Chance(2)) a.id = "/srv/../etc";
    a.action = rng->Chance(60) ? "read" : "write";
    attrs = &v.file;
  } else if (what < 92) {
    a.type = v.order_wire;
    a.id = rng->Of(v.orders);
    a.action = rng->Of(Texts{"view", "approve", "approve", "approve", "refund"});
    attrs = &v.order;
    if (a.action != "view") {
      std::string amount = rng->Of(Texts{"10 USD", "50 USD", "100 USD", "100.01 USD", "250 USD",
                                         "260 USD", "1500 USD", "7000 USD"});
      if (rng->Chance(3))
        amount = rng->Of(Texts{"50 EUR", "0 USD", "92233720368547758.07 USD", "-1 USD"});
      WireValue money = WireString(amount, arena);
      if (rng->Chance(1)) money = WireNumber("50", arena);
      if (!rng->Chance(2)) params.emplace_back("amount", money);
      if (rng->Chance(70)) params.emplace_back("memo", WireOf(rng, v, T::kString, arena));
    }
  } else if (what < 97) {
    a.type = "bank.Vendor";
    a.id = rng->Of(v.words);
    a.action = rng->Chance(75) ? "create" : "read";
    if (rng->Chance(3)) a.id = "no such form";
  } else {
    a.type = rng->Chance(70) ? "app.Project" : "app.Nothing";
    a.id = "P1";
    a.action = rng->Chance(70) ? "list" : "burn";
  }
  if (rng->Chance(1)) a.id = rng->Of(Texts{"", "a\nb", "x\xE2\x80\x8Bz"});
  a.params = WireObject(params, arena);
  auto said = [&](const std::vector<Attr>& from, int percent) {
    std::vector<std::pair<std::string, WireValue>> members;
    for (const Attr& x : from) {
      // What is no `from request` attribute must make no difference.
      if (rng->Chance(x.from_request ? percent : 3))
        members.emplace_back(x.on_wire(), WireOf(rng, v, x.type, arena));
    }
    if (&from == &v.doc && rng->Chance(v.parent_from_request ? 40 : 3))
      members.emplace_back("project", WireString(rng->Of(v.projects), arena));
    return WireObject(members, arena);
  };
  a.said_person = said(v.person, 70);
  if (attrs != nullptr) a.said_resource = said(*attrs, 70);
  a.context = said(v.context, 75);
  a.duties = rng->Chance(60) ? kAllDuties : static_cast<uint8_t>(rng->Below(kAllDuties + 1));
  if (rng->Chance(a.type == "app.Doc" ? 14 : 1)) {
    a.break_glass = rng->Chance(95) ? "gen.p.door" : "gen.p.no_door";
    if (rng->Chance(92)) a.reason = rng->Of(Texts{"fire", "fire", "flood"});
    if (rng->Chance(92)) a.ticket = "T-1";
  }
  a.dry_run = rng->Chance(3);
  a.clock_suspect = rng->Chance(1);
  if (rng->Chance(40)) a.signed_in_us = rng->Between(0, 90) * kMicrosPerMinute + 17;
  if (rng->Chance(6)) a.caller = 1;
  if (rng->Chance(2)) a.caller = 2;
  return a;
}

namespace {

void AppendWireText(const WireValue& v, std::string* out) {
  switch (v.kind) {
    case WireValue::Kind::kNull:
      *out += "null";
      return;
    case WireValue::Kind::kBool:
      *out += v.boolean ? "true" : "false";
      return;
    case WireValue::Kind::kNumber:
      *out += v.text;
      return;
    case WireValue::Kind::kString:
      *out += "\"" + std::string(v.text) + "\"";
      return;
    case WireValue::Kind::kArray:
    case WireValue::Kind::kObject:
      break;
  }
  bool object = v.is_object();
  *out += object ? "{" : "[";
  for (uint32_t i = 0; i < v.count; ++i) {
    if (i != 0) *out += ", ";
    if (object) *out += std::string(v.members[i].name) + ": ";
    AppendWireText(object ? v.members[i].value : v.items[i], out);
  }
  *out += object ? "}" : "]";
}

}  // namespace

std::string DescribeWire(const WireValue& v) {
  std::string out;
  AppendWireText(v, &out);
  return out;
}

std::string Describe(const Ask& ask) {
  std::string out = ask.subject_type + " " + ask.subject_id;
  if (!ask.issuer.empty()) out += " of " + ask.issuer;
  for (const Ask::Hop& h : ask.hops) {
    out += (h.is_person ? " > person " : " > ") + h.agent + " " + h.instance +
           (h.issuer.empty() ? "" : " of " + h.issuer);
  }
  out +=
      " does " + ask.action + DescribeWire(ask.params) + " on " + ask.type + " \"" + ask.id + "\"";
  if (!ask.task.empty()) out += " in task " + ask.task;
  if (!ask.approval.empty()) out += " with approval " + ask.approval;
  if (!ask.key.empty()) out += " with key " + ask.key;
  if (!ask.break_glass.empty())
    out += " through " + ask.break_glass + " (" + ask.reason + ", " + ask.ticket + ")";
  if (ask.duties != kAllDuties) out += " duties " + std::to_string(ask.duties);
  if (ask.dry_run) out += " dry run";
  if (ask.clock_suspect) out += " clock suspect";
  if (ask.signed_in_us) out += " signed in " + std::to_string(*ask.signed_in_us) + " us ago";
  out += " caller " + std::to_string(ask.caller) + "\n    person " + DescribeWire(ask.said_person) +
         " resource " + DescribeWire(ask.said_resource) + " context " + DescribeWire(ask.context);
  return out;
}

}  // namespace dpl::gen
