// Random policies; see gen.h. One package, a schema that is always whole, and statements any of
// which may be dropped when the checker refuses it.
#include <algorithm>

#include "tests/support/gen.h"
#include "tests/support/gen_condition.h"

namespace dpl::gen {
namespace {

class PolicyGen {
 public:
  PolicyGen(Rng* rng, const Vocabulary& v) : rng_(*rng), v_(v), conditions_(rng, v) {
    order_params_ = {{"amount", T::kMoney, false, false, ""},
                     {"memo", T::kString, false, false, ""}};
    share_params_ = {{"recipient", T::kPerson, true, false, ""},
                     {"days", T::kInt, false, false, "7"}};
  }

  PolicyText Make() {
    bank_owner_ = rng_.Chance(60) ? "t0" : "t2";
    Head();
    int agents_limit = rng_.Between(0, 3);
    for (int i = 0, n = rng_.Between(4, 7); i < n; ++i) Grant(i);
    Everyday();
    for (int i = 0, n = rng_.Between(0, 2); i < n; ++i) Forbid(i);
    for (int i = 0, n = rng_.Between(0, 3); i < n; ++i) LimitBlock(i);
    if (rng_.Chance(35)) {
      out_.blocks.push_back(
          "limit cap_all {\n  covers any action on bank.Order\n  cap amount to 7_000 USD each\n  "
          "because \"Generated limit\"\n}\n");
    }
    Approvals();
    Task();
    Agents(agents_limit);
    for (int i = 0, n = rng_.Between(3, 6); i < n; ++i) Delegation(i);
    if (rng_.Chance(50)) Separate();
    for (int i = 0, n = rng_.Below(3); i < n; ++i) Obligation(i);
    if (rng_.Chance(80)) BreakGlass();
    if (v_.realms) Realms();
    return std::move(out_);
  }

 private:
  static std::string Attrs(const std::vector<Attr>& attrs) {
    std::string out;
    for (const Attr& a : attrs) {
      out += "  has " + a.name + ": " + TypeText(a.type) + (a.optional ? "?" : "");
      if (!a.fallback.empty()) out += " = " + a.fallback;
      if (a.from_request) out += " from request";
      if (!a.wire.empty()) out += " as \"" + a.wire + "\"";
      out += "\n";
    }
    return out;
  }

  void Head() {
    auto& h = out_.head;
    h.push_back("package gen.p owned by team t0\ntimezone \"" + v_.zone +
                "\"\ngranted 2026-01-05\nreview every 3650d\n");
    h.push_back(
        "team t0 { owner person \"E8\" }\nteam t1 { owner person \"E8\"  within team t0 }\nteam t2 "
        "{ owner team t0 }\nteam t3 { owner person \"E9\" }\n");
    h.push_back("enum Region { emea, amer, apac }\nenum Class { open < internal < secret }\n");
    h.push_back("const small: money = 75 USD\n");
    h.push_back(
        "function between(low: int, x: int, high: int): bool = low <= x and x <= high\n"
        "function twice(x: int): int = x * 2\n"
        "function middling(x: int): bool = between(1, twice(x), 6)\n"
        "function either(a: bool, b: bool): bool = a or b\n"
        "function cheaper(m: money, most: money): bool = m <= most\n"
        "function among(p: Person, some_of: set<Person>): bool = some x in some_of satisfies (x == "
        "p or x in team t2)\n"
        "function mine(p: Person): bool = p == person\n");
    h.push_back(
        "calendar office { zone \"Europe/Berlin\" open mon to fri 08:00 to 18:00 closed "
        "2026-12-25, 2026-11-20 }\n");
    h.push_back("calendar nights { zone \"" + v_.zone + "\" open fri to sun 21:00 to 03:00 }\n");
    h.push_back(
        "person {\n  key id: string\n" + Attrs(v_.person) + "  within manager: Person\n" +
        (v_.source_within.empty() ? "" : "  source \"hr\" within " + v_.source_within + "\n") +
        "}\n");
    // The parent clause declares the attribute.
    std::string& person = h.back();
    size_t at = person.find("  has manager: Person");
    person.erase(at, person.find('\n', at) - at + 1);
    if (v_.person.back().optional)
      person.replace(person.find("within manager: Person"), 22, "within manager: Person?");
    h.push_back("context {\n" + Attrs(v_.context) + "}\n");
    h.push_back("system app { owner team t0 }\nsystem bank { owner team " + bank_owner_ +
                "  boundary saas  account keyed by login: string  link person by id checked within "
                "30d }\n");
    h.push_back("activity spend { owner team t2  measure amount: money must be limited }\n");
    h.push_back(std::string("resource Project in app {\n  within app.Project") +
                (v_.hierarchy_optional ? "?" : "") + "\n" + Attrs(v_.project) + "  can list\n}\n");
    h.push_back("resource Doc in app {\n  key id: string\n  within project: app.Project" +
                std::string(v_.parent_from_request ? " from request" : "") + "\n" + Attrs(v_.doc) +
                "  can read, write, delete\n  can share" +
                (v_.share_wire == "share" ? "" : " as \"" + v_.share_wire + "\"") +
                " { recipient: Person?, days: int = 7 as \"forDays\" }\n  can add { parent: "
                "app.Project } makes\n}\n");
    h.push_back("resource File in app {\n  key path: path\n" + Attrs(v_.file) +
                "  can read, write\n}\n");
    h.push_back("resource Order in bank {\n  key id: string\n" + Attrs(v_.order) +
                (v_.order_wire == "order" ? "  known as \"order\", \"purchase\"\n" : "") +
                "  can view\n  can approve { amount: money must be limited, memo: string = "
                "\"none\" }\n  can refund { memo: string } is spend\n}\n");
    h.push_back(
        "resource Vendor in bank {\n  key id: string matches \"[a-zA-Z0-9-]+\"\n  can create, "
        "read\n}\n");
    h.push_back(
        "role r0 { owner team t0 }\nrole r1 { owner team t0  includes role r0 }\nrole viewer in "
        "app.Project, app.Doc { owner team t0 }\n"
        "role editor in app.Project, app.Doc { owner team t0  includes role viewer }\n");
    Place in_role = DocPlace(true);
    in_role.in_role = in_role.no_now = in_role.no_context = true;
    std::string author = conditions_.Condition(in_role, 1);
    conditions_.TakeTrust();
    h.push_back("role author in app.Doc { owner team t0  where " + author + " }\n");
    Place person_only;
    person_only.adding = true;
    person_only.no_request = person_only.no_now = true;
    h.push_back("role senior { owner team t0  where " + conditions_.Condition(person_only, 0) +
                " }\n");
    conditions_.TakeTrust();
  }

  Place DocPlace(bool adding) {
    Place p;
    p.resource = &v_.doc;
    p.type = "app.Doc";
    p.adding = adding;
    p.no_request = adding && rng_.Chance(70);
    return p;
  }

  // ---------------------------------------------------------------- pieces

  std::string Subject(bool adding) {
    if (adding && rng_.Chance(30)) return "everyone";
    switch (rng_.Below(adding ? 10 : 14)) {
      case 0:
      case 1:
        return "team t" + std::to_string(rng_.Below(4));
      case 2:
        return "role r" + std::to_string(rng_.Below(2));
      case 3:
        return "role viewer";
      case 4:
        return "role editor";
      case 5:
        return "role author";
      case 6:
        return "role senior";
      case 7:
        return "person \"" + rng_.Of(v_.persons) + "\"";
      case 8:
      case 9:
        return "everyone";
      case 10:
        return rng_.Chance(50) ? "any agent" : "agent b0";
      case 11:
        return "any agent";
      default:
        return "agent " + rng_.Of(agents_);
    }
  }
  std::string Subjects(bool adding) {
    std::string out = Subject(adding);
    while (rng_.Chance(35)) out += ", " + Subject(adding);
    return out;
  }

  // `actions on selector where …`. Sets what it is about.
  std::string Reach(bool adding, bool agent_side, int where_percent, bool* amount, int depth = 1) {
    Place place;
    place.adding = adding;
    place.agent_side = agent_side;
    place.no_request = place_no_request_;
    place.in_task = place_in_task_;
    place.person = !no_person_;
    std::string text;
    *amount = false;
    int pick = rng_.Below(100);
    if (only_app_ && pick >= 60) pick = rng_.Below(60);
    if (pick < 45) {
      place.resource = &v_.doc;
      place.type = "app.Doc";
      std::string actions =
          rng_.Of(Texts{"read", "read", "read, write", "write, delete", "read, share", "share",
                        "any action", "read, add", "add"});
      if (actions == "share" || actions == "read, share") place.params = share_params_;
      text = actions + " on app.Doc";
      int scope = rng_.Below(100);
      if (scope < 8)
        text += " \"" + rng_.Of(v_.docs) + "\"";
      else if (scope < 22)
        text += " in app.Project \"" + rng_.Of(v_.projects) + "\"";
      else if (scope < 28)
        text += " in { app.Project \"P0\", app.Project \"" + rng_.Of(v_.projects) + "\" }";
      else if (scope < 40 && place_in_task_)
        text += " in source";
    } else if (pick < 50) {
      text = rng_.Of(Texts{"read, write on app.Doc, app.File", "read on app.File, app.Doc"});
    } else if (pick < 60) {
      place.resource = &v_.file;
      place.type = "app.File";
      text = rng_.Of(Texts{"read", "read, write", "any action"}) + " on app.File";
      int scope = rng_.Below(100);
      if (scope < 40)
        text += " in \"" + rng_.Of(Texts{"/srv", "/srv/a", "/"}) + "\"";
      else if (scope < 50)
        text += " in { \"/srv/a\", \"/tmp\" }";
    } else if (pick < 88) {
      place.resource = &v_.order;
      place.type = "bank.Order";
      std::string actions = rng_.Of(Texts{"view", "approve", "approve", "approve", "view, approve",
                                          "refund, approve", "any action"});
      *amount = actions != "view";
      if (actions != "view" && actions != "any action") place.params = order_params_;
      text = actions + " on bank.Order";
    } else if (pick < 92) {
      text = rng_.Of(Texts{"create", "create, read"}) + " on bank.Vendor";
      place.type = "bank.Vendor";
    } else if (pick < 95 && !place_no_request_) {
      text = "everything";
      *amount = rng_.Chance(50);
      text = *amount ? "any action on everything in bank" : "any action on everything in app";
    } else {
      text = "activity spend";
      *amount = true;
      return text;
    }
    if (rng_.Chance(where_percent))
      text += " where " + conditions_.Condition(place, rng_.Below(depth + 2));
    return text;
  }

  std::string Money(const Texts& amounts) { return rng_.Of(amounts) + " USD"; }

  std::string Limit(const std::string& word, bool amount, bool chain, bool task) {
    std::string quantity, out;
    std::string keys;
    bool requests = !amount || rng_.Chance(25);
    int period = rng_.Below(10);
    if (requests && period < 3) period = 3 + rng_.Below(7);
    static const Texts kPeriods = {"each",     "each",       "each",      "per hour",
                                   "per day",  "per week",   "per month", "in any 90m",
                                   "in total", "per quarter"};
    if (requests) {
      quantity = std::to_string(rng_.Between(2, 9));
    } else if (rng_.Chance(8)) {
      quantity = "small";
    } else if (rng_.Chance(6) && !FromRequest("allowance")) {
      quantity = "person.allowance";
    } else {
      quantity =
          Money(period < 3 ? Texts{"100", "250", "100.00", "500"} : Texts{"300", "1_000", "5_000"});
    }
    if (period >= 3 && rng_.Chance(65)) {
      Texts pool = {"person", "person", "resource"};
      if (chain) pool.insert(pool.end(), {"agent", "agent", "instance", "instance"});
      if (task) pool.push_back("task");
      if (amount) pool.insert(pool.end(), {"request.memo", "resource.vendor"});
      if (!FromRequest("cost_center")) pool.push_back("person.cost_center");
      std::string first = rng_.Of(pool), second = rng_.Of(pool);
      keys = " for each " + first;
      if (rng_.Chance(35) && second != first) keys += " and " + second;
    }
    out = "  " + word + " " + (requests ? "requests" : "amount") + " to " + quantity + " " +
          kPeriods[static_cast<size_t>(period)] + keys;
    if (!requests && quantity.ends_with("USD") && rng_.Chance(40)) {
      out += ", beyond that ask ap0 up to " + rng_.Of(Texts{"2_000", "6_000", "10_000"}) + " USD";
      if (rng_.Chance(40))
        out += ", beyond that ask ap1" + std::string(rng_.Chance(50) ? " up to 20_000 USD" : "");
    } else if (requests && rng_.Chance(10)) {
      out += ", beyond that ask ap0";
    }
    if (keys.find("instance") != std::string::npos || keys.find("request.") != std::string::npos)
      out += "\n  " + word + " " + (requests ? "requests" : "amount") + " to " +
             (requests ? "9" : "9_000 USD") + " in total";
    return out + "\n";
  }

  // ---------------------------------------------------------------- statements

  void Grant(int i) {
    std::string name = "g" + std::to_string(i);
    std::string text = "grant " + name + " {\n";
    bool any_amount = false, trust = false;
    bool standing = rng_.Chance(18);
    bool open = !standing && rng_.Chance(11);
    for (int row = 0, rows = rng_.Chance(25) ? 2 : 1; row < rows; ++row) {
      text += "  to " +
              (standing ? std::string("agent ") + rng_.Of(Texts{"s0", "s1"})
               : open   ? std::string("public")
                        : Subjects(true)) +
              "\n";
      for (int m = 0, n = rng_.Between(1, 2); m < n; ++m) {
        bool amount = false;
        place_no_request_ = rng_.Chance(60);
        no_person_ = standing || open;
        std::string reach = Reach(true, false, open ? 30 : 50, &amount);
        no_person_ = false;
        place_no_request_ = false;
        any_amount = any_amount || amount;
        text += "  may " + reach +
                (rng_.Chance(6) ? ", ask ap" + std::to_string(rng_.Below(2)) : "") + "\n";
      }
    }
    trust = conditions_.TakeTrust();
    if (any_amount) {
      if (rng_.Chance(8))
        text += "";  // left to the blocks
      else if (rng_.Chance(12))
        text += "  no limit on amount because \"Bounded by the blocks\"\n";
      else
        text += std::string("  limit amount to ") + rng_.Of(Texts{"100 USD", "250 USD"}) + " each" +
                (rng_.Chance(45) ? ", beyond that ask ap0 up to 6_000 USD" : "") + "\n";
    }
    if (text.find("share") != std::string::npos && rng_.Chance(45)) {
      text += "  limit days to " + std::to_string(rng_.Between(4, 8)) +
              rng_.Of(Texts{" each", " each, beyond that ask ap0 up to 9"}) + "\n";
      if (rng_.Chance(50))
        text += "  limit days to 25 " +
                rng_.Of(Texts{"per year", "in any 2h", "per day for each request.recipient"}) +
                "\n";
    }
    if (rng_.Chance(25)) text += Limit("limit", any_amount && rng_.Chance(50), false, false);
    if (rng_.Chance(18) && i > 0)
      text += "  supersedes grant g" + std::to_string(rng_.Below(i)) + "\n";
    if (trust) text += "  trusting request\n";
    bool foreign = bank_owner_ != "t0" && text.find("bank") + text.find("spend") + 2 != 0;
    if (rng_.Chance(foreign ? 97 : 20))
      text += "  approved by person \"" + rng_.Of(Texts{"E8", "E9", "E2"}) + "\"\n";
    int dates = rng_.Below(100);
    if (dates < 6)
      text += "  granted 2027-03-01\n";
    else if (dates < 12)
      text += "  expires 2026-10-01\n";
    else if (dates < 16)
      text += "  expires " + v_.start.substr(0, 10) + "\n";
    else if (dates < 24)
      text += "  granted 2026-01-05\n  review every 40d\n";
    else if (dates < 28)
      text += "  granted 2026-01-05\n  review every 40d\n  reviewed " + v_.start.substr(0, 7) +
              "-01 by person \"E8\"\n";
    if (rng_.Chance(7)) text += "  imported from \"old system\"\n";
    text += "  because \"Generated grant number " + std::to_string(i) + "\"\n}\n";
    out_.blocks.push_back(text);
  }

  // Grants that most requests meet, so that what else is generated has something to take away from.
  void Everyday() {
    auto because = [&](const std::string& approved) {
      return approved + "  because \"Generated everyday grant\"\n}\n";
    };
    std::string approved = bank_owner_ == "t0" ? "" : "  approved by person \"E8\"\n";
    if (rng_.Chance(60))
      out_.blocks.push_back(
          "grant h0 {\n  to everyone\n  may read, share on app.Doc\n  may read on app.File\n" +
          because(""));
    if (rng_.Chance(50))
      out_.blocks.push_back("grant h1 {\n  to team t0\n  may any action on everything in app\n" +
                            because(""));
    if (rng_.Chance(70)) {
      out_.blocks.push_back(
          "grant h2 {\n  to everyone\n  may any action on bank.Order, bank.Vendor\n  limit amount "
          "to " +
          rng_.Of(Texts{"250 USD", "6_000 USD"}) + " each" +
          (rng_.Chance(50) ? ", beyond that ask ap0 up to 6_500 USD" : "") + "\n" +
          because(approved));
    }
    if (rng_.Chance(55)) {
      out_.blocks.push_back("grant h4 {\n  to " + Subject(true) +
                            "\n  may any action on bank.Order" +
                            (rng_.Chance(30) ? " where resource.region == emea" : "") +
                            "\n  limit amount to 6_000 USD each\n  supersedes grant h2\n" +
                            (rng_.Chance(15) ? "  expires 2026-10-01\n" : "") + because(approved));
    }
    if (rng_.Chance(60)) {
      out_.blocks.push_back(
          "grant h3 {\n  to agent s0\n  may any action on everything in app\n  may any action on "
          "bank.Order\n  limit amount to 300 USD per day for each agent\n" +
          because(approved));
    }
  }

  void Forbid(int i) {
    bool amount = false;
    std::string text = "forbid f" + std::to_string(i) + " {\n";
    if (rng_.Chance(80)) text += "  applies to " + Subject(false) + "\n";
    for (int m = 0, n = rng_.Between(1, 2); m < n; ++m)
      text += "  covers " + Reach(false, true, 97, &amount, 2) + "\n";
    if (rng_.Chance(55)) {
      Place place;
      place.no_request = true;
      text += "  unless " + conditions_.Condition(place, 1) + "\n";
    }
    conditions_.TakeTrust();
    out_.blocks.push_back(text + "  because \"Generated forbid\"\n}\n");
  }

  void LimitBlock(int i) {
    bool amount = false;
    std::string text = "limit l" + std::to_string(i) + " {\n";
    if (rng_.Chance(55)) text += "  applies to " + Subjects(false) + "\n";
    std::string reach = Reach(false, true, 40, &amount);
    text += "  covers " + reach + "\n";
    std::string cap = Limit("cap", amount, text.find("any agent") != std::string::npos, false);
    conditions_.TakeTrust();
    out_.blocks.push_back(text + cap + "  because \"Generated limit\"\n}\n");
  }

  void Approvals() {
    out_.blocks.push_back(
        "approval ap0 {\n  by 1 of team t3, role r1\n  never by the person, the accountable" +
        std::string(rng_.Chance(30) ? ", the manager" : "") + "\n  within 4h\n  good for " +
        std::to_string(rng_.Between(1, 2)) +
        " request within 24h\n  because \"Generated approval\"\n}\n");
    out_.blocks.push_back("approval ap1 {\n  by " + std::to_string(rng_.Between(1, 2)) +
                          " of team t3\n  by 1 of person \"E8\", role viewer, team t2" +
                          std::string(rng_.Chance(40) ? ", the manager" : "") +
                          "\n"
                          "  good for 1 request within 3h\n  because \"Generated approval\"\n}\n");
  }

  void Task() {
    only_app_ = true;
    bool amount = false;
    place_in_task_ = true;
    std::string text = "task work(source: app.Project) {\n  for agent " +
                       rng_.Of(Texts{"a0", "a1"}) + ", agent b0\n";
    text += "  may read, write, add on app.Doc in source\n  may " + Reach(true, true, 40, &amount) +
            "\n";
    place_in_task_ = false;
    conditions_.TakeTrust();
    if (rng_.Chance(70)) text += Limit("limit", false, true, true);
    if (rng_.Chance(40)) text += "  limit requests to 3 per hour for each task\n";
    out_.blocks.push_back(text + "  lasts at most " + rng_.Of(Texts{"2h", "36h"}) +
                          "\n  nothing else\n}\n");
    text =
        "task spending(source: app.Project) {\n  for agent a0, agent b0, agent c0\n  may any "
        "action on bank.Order\n  may read on app.Doc where resource.project == source\n";
    if (rng_.Chance(50)) text += "  limit amount to 400 USD in total for each task\n";
    out_.blocks.push_back(text + "  lasts at most 8h\n  nothing else\n}\n");
    only_app_ = false;
  }

  void Agents(int limits) {
    static const char* const kModes[] = {"on_behalf_of", "on_behalf_of",
                                         "impersonate",  "on_behalf_of, impersonate",
                                         "standing",     "standing"};
    for (size_t i = 0; i < agents_.size(); ++i) {
      bool imp = i == 2, amount = false;
      std::string text = "agent " + agents_[i] + " {\n  accountable person \"" +
                         (rng_.Chance(80)   ? "E8"
                          : rng_.Chance(70) ? "E9"
                                            : "E7") +
                         "\"" + (rng_.Chance(60) ? " else team t0" : "") +
                         "\n  purpose \"Generated work for tests\"\n";
      text += "  runs as spiffe \"spiffe://gen.example/" + agents_[i] + "\"\n  modes " + kModes[i] +
              "\n";
      only_app_ = imp;
      no_person_ = i >= 4;
      if (rng_.Chance(60)) {
        text += imp ? "  may any action on app.Doc, app.File\n"
                    : "  may any action on everything in app\n  may any action on bank.Order, "
                      "bank.Vendor\n";
      } else {
        for (int m = 0, n = rng_.Between(1, 3); m < n; ++m) {
          text += "  may " + Reach(true, true, 45, &amount) + (rng_.Chance(4) ? ", ask ap0" : "") +
                  "\n";
        }
      }
      only_app_ = no_person_ = false;
      if (limits > 0 && rng_.Chance(35)) {
        text += Limit("limit", amount, true, false);
        --limits;
      }
      if (conditions_.TakeTrust()) text += "  trusting request\n";
      text += "  lives at most " + rng_.Of(Texts{"1h", "4h", "30h"}) + "\n";
      if (rng_.Chance(18))
        text += "  instances at most " + std::to_string(rng_.Between(1, 3)) +
                rng_.Of(Texts{" in any 1h", " in any 12h", ""}) + "\n";
      out_.blocks.push_back(text + "}\n");
    }
  }

  void Delegation(int i) {
    bool amount = false;
    bool standing = rng_.Chance(12);
    std::string text = "delegation d" + std::to_string(i) + " {\n";
    size_t to = static_cast<size_t>(i) % 4;
    std::string from =
        standing
            ? "agent s0"
            : rng_.Of(Texts{"everyone", "everyone", "everyone", "team t0", "team t0", "team t1",
                            "role r0", "role viewer", "person \"E1\"", "team t2, role r1"});
    text += "  from " + from + "\n  to agent " + (standing ? "s1" : agents_[to]) + "\n";
    bool imp = to == 2 && !standing;
    no_person_ = standing;
    only_app_ = imp || (to == 3 && !standing && rng_.Chance(50));
    if (to == 3 && !standing) text += only_app_ ? "  mode impersonate\n" : "  mode on_behalf_of\n";
    if (rng_.Chance(55)) {
      text += imp || only_app_ ? "  may any action on app.Doc, app.File\n"
                               : "  may any action on everything in app\n  may any action on "
                                 "bank.Order, bank.Vendor\n";
    } else if (rng_.Chance(60) || only_app_) {
      for (int m = 0, n = rng_.Between(1, 2); m < n; ++m)
        text += "  may " + Reach(true, true, 50, &amount) + "\n";
    }
    bool impersonates = only_app_;
    only_app_ = no_person_ = false;
    if (rng_.Chance(25)) text += Limit("limit", amount, true, false);
    bool tasks = !standing && rng_.Chance(25);
    if (tasks)
      text += rng_.Chance(50) ? "  only in task work\n" : "  only in task work, spending\n";
    if (!impersonates && !standing && rng_.Chance(60)) {
      Texts others;
      for (const char* name : {"a0", "a1", "b0"}) {
        if (agents_[to] != name && rng_.Chance(75)) others.push_back(std::string("agent ") + name);
      }
      std::string list;
      for (const std::string& o : others) list += (list.empty() ? "" : ", ") + o;
      if (!list.empty())
        text +=
            "  onward to " + list + ", at most " + (rng_.Chance(60) ? "1 hop" : "2 hops") + "\n";
    }
    int consent = standing ? 99 : rng_.Below(100);
    text += std::string("  consent ") +
            (consent < 30   ? "every 3d"
             : consent < 50 ? "each task"
                            : "by policy") +
            "\n";
    if (rng_.Chance(60)) text += "  lasts at most " + rng_.Of(Texts{"30m", "3h", "20h"}) + "\n";
    if (conditions_.TakeTrust()) text += "  trusting request\n";
    out_.blocks.push_back(text + "  because \"Generated delegation\"\n}\n");
  }

  void Realms() {
    if (rng_.Chance(55)) Partner();
    for (int i = 0, n = rng_.Below(3); i < n; ++i) Deputies(i);
    if (rng_.Chance(25))
      out_.blocks.push_back("separate duties {\n  same person never role " +
                            rng_.Of(Texts{"r0", "r1", "viewer"}) +
                            " and role senior\n  because \"Generated separation of roles\"\n}\n");
  }

  // Another organisation, and a grant to its people.
  void Partner() {
    no_person_ = true;
    bool amount = false;
    auto bounded = [&](const std::string& reach) {
      return amount || conditions_.TakeTrust() ? std::string("read, write on app.Doc") : reach;
    };
    std::string may = rng_.Chance(50) ? "read, write, share on app.Doc"
                                      : bounded(Reach(true, false, 50, &amount));
    std::string granted = bounded(Reach(true, false, 40, &amount));
    no_person_ = false;
    bool dated = rng_.Chance(12);
    out_.blocks.push_back(
        "partner globex {\n  issuer \"https://id.globex.example\"\n" +
        std::string(rng_.Chance(60)
                        ? "  accepts agents at most " + rng_.Of(Texts{"1 hop", "2 hops"}) + "\n"
                        : "") +
        "  may " + may + "\n" +
        (rng_.Chance(30) ? "  limit requests to 3 per day for each partner\n" : "") + "  expires " +
        (dated ? "2026-10-01" : "2030-01-01") + "\n  because \"Generated partner\"\n}\n");
    out_.blocks.push_back("grant to_partner {\n  to partner globex\n  may " + granted +
                          "\n  because \"Generated grant to a partner\"\n}\n");
  }

  // People who act for people.
  void Deputies(int i) {
    bool amount = false;
    std::string text =
        "delegation p" + std::to_string(i) + " {\n  from " +
        rng_.Of(Texts{"everyone", "everyone", "team t0", "role r0"}) + "\n  to " +
        rng_.Of(Texts{"team t0", "team t1", "role r0", "person \"E1\"", "team t0, person \"E2\""}) +
        "\n";
    text += rng_.Chance(60) ? "  may any action on app.Doc, app.File\n"
                            : "  may " + Reach(true, false, 40, &amount) + "\n";
    if (rng_.Chance(25)) text += Limit("limit", amount, false, false);
    if (rng_.Chance(40)) text += "  onward to agent a0, at most 1 hop\n";
    text += "  consent " + rng_.Of(Texts{"every 3d", "every 3d", "by policy"}) + "\n";
    if (rng_.Chance(30)) text += "  lasts at most " + rng_.Of(Texts{"3h", "60h"}) + "\n";
    if (conditions_.TakeTrust()) text += "  trusting request\n";
    out_.blocks.push_back(text + "  because \"Generated delegation between people\"\n}\n");
  }

  void Separate() {
    out_.blocks.push_back("separate split {\n  between create on bank.Vendor by resource.id and " +
                          rng_.Of(Texts{"approve", "approve, refund"}) + " on bank.Order" +
                          (rng_.Chance(30) ? " where resource.region == emea" : "") +
                          " by resource.vendor\n  same person within " +
                          rng_.Of(Texts{"2h", "90d"}) +
                          "\n  because \"Generated separation\"\n}\n");
  }

  void Obligation(int i) {
    bool amount = false;
    std::string text = "obligation o" + std::to_string(i) + " {\n";
    if (rng_.Chance(60)) text += "  applies to " + Subject(false) + "\n";
    text += "  covers " + Reach(false, true, 60, &amount) + "\n";
    conditions_.TakeTrust();
    for (const char* duty :
         {"step_up \"urn:gen:2\"", "sign meaning \"seen\"", "log", "notify team t3", "ask ap1"}) {
      if (rng_.Chance(duty[0] == 'a' ? 8 : 30)) text += "  must " + std::string(duty) + "\n";
    }
    if (text.find("must") == std::string::npos) text += "  must log\n";
    out_.blocks.push_back(text + "  because \"Generated obligation\"\n}\n");
  }

  void BreakGlass() {
    std::string lifts;
    for (const std::string& block : out_.blocks) {
      if (block.starts_with("forbid ") && rng_.Chance(70))
        lifts += (lifts.empty() ? "" : ", ") + block.substr(7, block.find(' ', 7) - 7);
    }
    bool amount = false;
    std::string reach = Reach(true, false, 30, &amount);
    bool trust = conditions_.TakeTrust();
    if (amount || trust || rng_.Chance(60)) reach = "read, write, delete on app.Doc";
    out_.blocks.push_back(
        "break_glass door {\n  who " +
        rng_.Of(Texts{"team t0", "role r0", "everyone", "everyone", "role viewer"}) +
        (rng_.Chance(40) ? ", any agent" : "") + "\n  may " + reach + "\n" +
        (lifts.empty() ? "" : "  lifts forbid " + lifts + "\n") + "  needs " +
        rng_.Of(Texts{"reason", "ticket", "reason, ticket"}) + "\n  lasts at most " +
        rng_.Of(Texts{"30m", "4h"}) +
        "\n  notify team t0\n  review within 24h by team t0\n  because \"Generated "
        "emergency\"\n}\n");
  }

  bool FromRequest(const std::string& name) const {
    return std::any_of(v_.person.begin(), v_.person.end(),
                       [&](const Attr& a) { return a.name == name && a.from_request; });
  }

  Rng& rng_;
  const Vocabulary& v_;
  std::string bank_owner_;
  ConditionGen conditions_;
  PolicyText out_;
  const Texts agents_ = {"a0", "a1", "c0", "b0", "s0", "s1"};
  std::vector<Attr> order_params_, share_params_;
  bool no_person_ = false, place_no_request_ = false, place_in_task_ = false, only_app_ = false;
};

}  // namespace

std::string PolicyText::Text() const {
  std::string out;
  for (const std::string& part : head) out += part;
  for (const std::string& part : blocks) out += part;
  return out;
}

PolicyText MakePolicy(Rng* rng, const Vocabulary& v) { return PolicyGen(rng, v).Make(); }

}  // namespace dpl::gen
