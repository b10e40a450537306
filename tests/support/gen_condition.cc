// Random conditions; see gen_condition.h.
#include "tests/support/gen_condition.h"

namespace dpl::gen {

std::vector<ConditionGen::Path> ConditionGen::Paths(const Place& place) {
  std::vector<Path> out;
  auto from = [&](const std::string& base, const std::vector<Attr>& attrs) {
    for (const Attr& a : attrs) {
      if (place.no_request && a.from_request) continue;
      out.push_back({base + "." + a.name, a.type, a.optional});
    }
  };
  if (place.person) from("person", v_.person);
  if (place.resource != nullptr) {
    from("resource", *place.resource);
    from("resource", *place.resource);
    for (const Attr& a : *place.resource) {
      bool step = a.type == T::kPerson && !a.optional && !(place.no_request && a.from_request);
      if (step) from("resource." + a.name, v_.person);
    }
    if (place.type == "app.Doc" && !(place.no_request && v_.parent_from_request))
      from("resource.project", v_.project);
  }
  if (!place.no_request && !place.no_context) {
    from("context", v_.context);
    from("request", place.params);
  }
  if (place.in_task) {
    out.push_back({"task.source", T::kProject, false});
    from("task.source", v_.project);
  }
  return out;
}

std::string ConditionGen::Condition(const Place& place, int depth) {
  if (depth > 0 && rng_.Chance(45)) {
    std::string a = Condition(place, depth - 1), b = Condition(place, depth - 1);
    switch (rng_.Below(6)) {
      case 0:
      case 1:
        return "(" + a + ") and (" + b + ")";
      case 2:
      case 3:
        return "(" + a + ") or (" + b + ")";
      case 4:
        return "not (" + a + ")";
      default:
        return "if " + a + " then (" + b + ") else (" + Condition(place, depth - 1) + ")";
    }
  }
  std::vector<Path> paths = Paths(place);
  if (paths.empty() || rng_.Chance(25)) return Free(place);
  return Guarded(place, rng_.Of(paths));
}

std::string ConditionGen::Guarded(const Place& place, const Path& path) {
  for (const Attr& a : v_.person) {
    if (a.from_request && path.text.ends_with("." + a.name) && path.text.find("request.") != 0)
      trust_ = true;
  }
  bool known_only = path.optional && rng_.Chance(12);
  if (known_only) return path.text + (rng_.Chance(60) ? " is known" : " is not known");
  std::string use = OnValue(place, path.text, path.type);
  if (!path.optional) return use;
  if (!place.adding && rng_.Chance(70)) return use;
  if (rng_.Chance(75)) return "(" + path.text + " is known and (" + use + "))";
  return "(" + path.text + " is not known or (" + use + "))";
}

std::string ConditionGen::OfPerson(const std::string& p) {
  const Attr& region = v_.person[0];
  const Attr& level = v_.person[1];
  switch (rng_.Below(9)) {
    case 7:
      if (region.from_request || region.optional) return p + " in team t3";
      return p + ".region" + Equal() + Lit(T::kRegion);
    case 8:
      if (level.from_request || level.optional) return p + " not in role r0";
      return p + ".level" + Order() + Lit(T::kInt);
    case 0:
      return p + " in team t" + std::to_string(rng_.Below(4));
    case 1:
      return p + " in role r" + std::to_string(rng_.Below(2));
    case 2:
      return p + " in role " + rng_.Of(Texts{"viewer", "editor"});
    case 3:
      return p + " in person \"" + rng_.Of(v_.persons) + "\"";
    case 4:
      return p + Equal() + "person \"" + rng_.Of(v_.persons) + "\"";
    case 5:
      return p + " not in team t" + std::to_string(rng_.Below(4));
    default:
      return p + " in { person \"E0\", person \"E1\", person \"E2\" }";
  }
}

std::string ConditionGen::OnValue(const Place& place, const std::string& p, T type) {
  int n = rng_.Below(100);
  switch (type) {
    case T::kBool:
      if (n < 15 && place.person)
        return "either(" + p + ", person in team t" + std::to_string(rng_.Below(4)) + ")";
      return n < 50 ? p : n < 75 ? "not " + p : p + Equal() + Lit(type);
    case T::kInt:
      if (n < 50) return p + Order() + Lit(type);
      if (n < 65) return p + " + " + Lit(type) + Order() + Lit(type);
      if (n < 75) return p + " * 2 - 1" + Order() + Lit(type);
      if (n < 82) return "-" + p + Order() + Lit(type);
      if (n < 86) return p + " not in { 0, 3 }";
      if (n < 91) return "middling(" + p + ")";
      if (n < 94) return "between(" + Lit(type) + ", " + p + ", " + Lit(type) + ")";
      return p + " in { 0, 1, " + Lit(type) + " }";
    case T::kDecimal:
      if (n < 40) return p + Order() + Lit(type);
      if (n < 60) return p + " * 1.5" + Order() + Lit(type);
      if (n < 70) return p + " * " + p + Order() + Lit(type);
      return p + " - 0.5" + Order() + Lit(type);
    case T::kMoney:
      if (n < 60) return p + Order() + Lit(type);
      if (n < 75) return p + " + 1 USD" + Order() + Lit(type);
      if (n < 80) return "cheaper(" + p + ", small)";
      if (n < 85) return p + " * 2" + Order() + "small";
      return p + Order() + "small";
    case T::kString:
      if (n < 35) return p + Equal() + Lit(type);
      if (n < 48) return p + " like \"" + rng_.Of(Texts{"a*", "*b", "*", "a", "?b", "*-*"}) + "\"";
      if (n < 60)
        return p + " matches \"" + rng_.Of(Texts{"[a-z]+", "a.*", "(a|b)", "[A-Z]-[0-9]"}) + "\"";
      if (n < 68) return "starts_with(" + p + ", \"a\")";
      if (n < 75) return "ends_with(" + p + ", " + Lit(type) + ")";
      if (n < 82) return "length(" + p + ")" + Order() + Lit(T::kInt);
      if (n < 90) return "lower(" + p + ") == \"b-7\"";
      return p + " in { \"a\", " + Lit(type) + " }";
    case T::kDate:
      if (n < 15 && !place.no_now)
        return "days_between(" + p + ", now.date)" + Order() + Lit(T::kInt);
      if (n < 30) return "years_between(" + Lit(type) + ", " + p + ")" + Order() + Lit(T::kInt);
      return n < 60 && !place.no_now ? p + Order() + "now.date" : p + Order() + Lit(type);
    case T::kDateTime:
      if (place.no_now) return n < 50 ? p + " during office" : p + Order() + Lit(type);
      if (n < 30) return "now - " + p + Order() + Lit(T::kDuration);
      if (n < 55) return p + " + " + Lit(T::kDuration) + Order() + "now";
      if (n < 70) return "date_of(" + p + ")" + Order() + "now.date";
      if (n < 80) return p + " during office";
      return p + Order() + Lit(type);
    case T::kDuration:
      return n < 60   ? p + Order() + Lit(type)
             : n < 80 ? p + " * 2" + Order() + Lit(type)
                      : p + " + 1h" + Order() + Lit(type);
    case T::kTime:
      return n < 50 && !place.no_now ? p + Order() + "now.time" : p + Order() + Lit(type);
    case T::kRegion:
      if (n < 40 && place.person && p != "person.region" && !v_.person[0].optional &&
          !(place.no_request && v_.person[0].from_request)) {
        trust_ = trust_ || v_.person[0].from_request;
        return p + Equal() + "person.region";
      }
      return n < 75 ? p + Equal() + Lit(type) : p + " in { emea, apac }";
    case T::kClass:
      return n < 70 ? p + Order() + Lit(type) : p + " <= Class.internal";
    case T::kRegions:
      if (n < 50 && place.resource != nullptr && place.type == "bank.Order" &&
          !(*place.resource)[1].optional &&
          !(place.no_request && (*place.resource)[1].from_request)) {
        return "resource.region in " + p;
      }
      if (n < 75) return "Region." + Lit(T::kRegion) + " in " + p;
      return n < 90 ? "some r in " + p + " satisfies (r != emea)" : p + Equal() + "{ emea, apac }";
    case T::kStrings:
      if (n < 30) return Lit(T::kString) + " in " + p;
      if (n < 45) return "some s in " + p + " satisfies (s like \"a*\")";
      if (n < 60) return "all s in " + p + " satisfies (s != \"b\")";
      if (n < 70) return "count(s in " + p + " where length(s) > 1)" + Order() + "1";
      if (n < 78) return "count(" + p + ") >= 1";
      if (n < 88) return "size(" + p + ")" + Order() + "2";
      return p + Equal() + "{ \"a\", \"b\" }";
    case T::kPersons:
      if (n < 30 && place.person) return "person in " + p;
      if (n < 40) return "among(person \"" + rng_.Of(v_.persons) + "\", " + p + ")";
      if (n < 60) return "some e in " + p + " satisfies (" + OfPerson("e") + ")";
      if (n < 80) return "all e in " + p + " satisfies (" + OfPerson("e") + ")";
      return "person \"" + rng_.Of(v_.persons) + "\" in " + p;
    case T::kPath:
      return n < 70 ? p + " in \"" + rng_.Of(Texts{"/srv", "/srv/a", "/"}) + "\""
                    : p + Equal() + Lit(type);
    case T::kIp:
      if (n < 60)
        return p + " in \"" + rng_.Of(Texts{"10.0.0.0/8", "10.0.0.0/24", "2001:db8::/32"}) + "\"";
      return n < 80 ? p + " in ip(\"10.1.0.0/16\")" : p + Equal() + Lit(type);
    case T::kLabels:
      if (n < 60) return p + "[\"tier\"]" + Equal() + "\"prod\"";
      return n < 80 ? p + "[\"app\"] is known" : p + "[\"app\"] like \"a*\"";
    case T::kRecord:
      if (n < 50) return p + ".zip" + Equal() + Lit(T::kString);
      return n < 70 ? p + ".floor is known" : "(" + p + ".floor is known and " + p + ".floor >= 2)";
    case T::kPerson:
      if (n < 12 && place.person) return "mine(" + p + ")";
      if (n < 45 && place.person) return p + Equal() + "person";
      if (n < 60 && place.person) return rng_.Chance(50) ? p + " in person" : "person in " + p;
      return OfPerson(p);
    case T::kTeam:
      if (n < 55 && place.person) return "person in " + p;
      return n < 80 ? p + " in team t0" : p + Equal() + Lit(type);
    case T::kProject:
      if (n < 40 && place.type == "app.Doc") return "resource in " + p;
      return n < 70 ? p + Equal() + Lit(type) : p + " in " + Lit(type);
  }
  return "true";
}

std::string ConditionGen::Free(const Place& place) {
  for (;;) {
    switch (rng_.Between(place.no_now ? 5 : 0, 13)) {
      case 0:
        return "now.time" + Order() + Lit(T::kTime);
      case 1:
        return "now.date" + Order() + Lit(T::kDate);
      case 2:
        return rng_.Chance(50) ? "now.weekday in { sat, sun }"
                               : "now.weekday" + Order() + rng_.Of(Texts{"mon", "fri", "sun"});
      case 3:
        return std::string("now during ") + (rng_.Chance(50) ? "office" : "nights");
      case 4:
        return "now" + Order() + Lit(T::kDateTime);
      case 5:
        if (place.person) return OfPerson("person");
        break;
      case 6:
        if (place.type == "app.Doc") return "resource in " + Lit(T::kProject);
        break;
      case 7:
        if (place.type == "app.Doc") return "resource.project" + Equal() + Lit(T::kProject);
        break;
      case 8:
        if (place.type == "app.File") return "resource.path in \"/srv\"";
        break;
      case 9:
        if (place.type == "app.Doc" || place.type == "bank.Order")
          return "resource.id" + Equal() + "\"" +
                 rng_.Of(place.type == "app.Doc" ? v_.docs : v_.orders) + "\"";
        break;
      case 10:
        if (place.person) return "person.id" + Equal() + "\"" + rng_.Of(v_.persons) + "\"";
        break;
      case 11:
        if (place.type == "app.Doc" && place.person && !place.in_role)
          return "person in role author";
        break;
      case 12:
        return "team t1 in team t0";
      default:
        if (place.type == "app.Doc" && !v_.parent_from_request) return "resource.project is known";
        break;
    }
  }
}

}  // namespace dpl::gen
