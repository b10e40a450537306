// Generated schemas and values; see vocabulary.h.
#include "tests/support/vocabulary.h"

namespace dpl::gen {

Vocabulary::Vocabulary(Rng* rng) {
  auto add = [&](std::vector<Attr>* to, const std::string& name, T type,
                 bool may_be_optional = true) {
    Attr a{name, type, may_be_optional && rng->Chance(35), rng->Chance(12), "", ""};
    if (rng->Chance(8)) a.wire = name + "Text";
    bool can_default = type == T::kBool || type == T::kInt || type == T::kString ||
                       type == T::kRegion || type == T::kMoney;
    if (can_default && !a.optional && rng->Chance(20)) a.fallback = LiteralText(rng, *this, type);
    to->push_back(a);
  };
  add(&person, "region", T::kRegion);
  add(&person, "level", T::kInt);
  add(&person, "clearance", T::kClass);
  add(&person, "cost_center", T::kString, false);
  add(&person, "tags", T::kStrings, false);
  add(&person, "home", T::kProject);
  add(&person, "allowance", T::kMoney);
  add(&person, "hired", T::kDate);
  add(&person, "regions", T::kRegions, false);
  add(&person, "manager", T::kPerson);
  person.back().wire.clear();
  person.back().optional = rng->Chance(80);
  person.back().from_request = false;

  add(&doc, "class", T::kClass);
  add(&doc, "author", T::kPerson);
  add(&doc, "editors", T::kPersons, false);
  add(&doc, "tags", T::kStrings, false);
  add(&doc, "region", T::kRegion);
  add(&doc, "size", T::kInt);
  add(&doc, "score", T::kDecimal);
  add(&doc, "price", T::kMoney);
  add(&doc, "due", T::kDate);
  add(&doc, "opened", T::kDateTime);
  add(&doc, "ttl", T::kDuration);
  add(&doc, "slot", T::kTime);
  add(&doc, "place", T::kPath);
  add(&doc, "net", T::kIp);
  add(&doc, "labels", T::kLabels, false);
  add(&doc, "meta", T::kRecord);
  add(&doc, "team", T::kTeam);
  add(&doc, "locked", T::kBool);
  add(&doc, "note", T::kString);

  add(&order, "vendor", T::kString);
  add(&order, "region", T::kRegion);
  add(&order, "total", T::kMoney);
  add(&order, "author", T::kPerson);

  add(&project, "lead", T::kPerson);
  add(&project, "tier", T::kInt);
  for (Attr& a : project) a.from_request = false;

  add(&file, "author", T::kPerson);
  add(&file, "size", T::kInt);

  add(&context, "ip", T::kIp);
  add(&context, "channel", T::kString);
  for (Attr& a : context) a.from_request = true;

  order_wire = rng->Chance(40) ? "order" : "bank.Order";
  share_wire = rng->Chance(40) ? "share/v1" : "share";
  hierarchy_optional = rng->Chance(70);
  parent_from_request = rng->Chance(20);
  if (rng->Chance(15)) source_within = "24h";
  zone = rng->Of(
      Texts{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"});
  start = rng->Of(Texts{"2026-11-20T15:03:07Z", "2026-10-24T21:33:11Z", "2026-10-31T22:17:29Z",
                        "2026-12-31T22:41:03Z", "2026-09-30T20:21:13Z", "2026-12-06T23:11:57Z"});
}

std::string TypeText(T type) {
  switch (type) {
    case T::kBool:
      return "bool";
    case T::kInt:
      return "int";
    case T::kDecimal:
      return "decimal";
    case T::kMoney:
      return "money";
    case T::kString:
      return "string";
    case T::kDate:
      return "date";
    case T::kDateTime:
      return "datetime";
    case T::kDuration:
      return "duration";
    case T::kTime:
      return "time";
    case T::kRegion:
      return "Region";
    case T::kClass:
      return "Class";
    case T::kStrings:
      return "set<string>";
    case T::kPersons:
      return "set<Person>";
    case T::kPath:
      return "path";
    case T::kIp:
      return "ip";
    case T::kLabels:
      return "labels";
    case T::kRecord:
      return "record { zip: string, floor: int? }";
    case T::kPerson:
      return "Person";
    case T::kTeam:
      return "Team";
    case T::kProject:
      return "app.Project";
    case T::kRegions:
      return "set<Region>";
  }
  return "";
}

namespace {

const Texts kMoney = {"50 USD", "100 USD", "99.99 USD", "0 USD", "50 EUR", "250 USD"};
const Texts kDecimals = {"0.5", "1.25", "2", "0.000001", "3.75"};
const Texts kDates = {"2026-11-20", "2026-11-01", "2026-12-31", "2026-10-25"};
const Texts kInstants = {"2026-11-20T15:00Z", "2026-10-25T00:30Z", "2026-12-31T22:00Z",
                         "2026-11-01T06:30:00Z"};
const Texts kDurations = {"30m", "1h", "24h", "2d", "90d"};
const Texts kTimes = {"00:00", "02:30", "12:00", "18:00", "23:59"};
const Texts kRegions = {"emea", "amer", "apac"};
const Texts kClasses = {"open", "internal", "secret"};
const Texts kAddresses = {"10.0.0.7", "10.1.2.3", "192.168.0.1", "2001:db8::1"};
const Texts kPlaces = {"/srv/a", "/srv/a/b", "/srv/ab", "/tmp"};

}  // namespace

std::string LiteralText(Rng* rng, const Vocabulary& v, T type) {
  switch (type) {
    case T::kBool:
      return rng->Chance(50) ? "true" : "false";
    case T::kInt:
      return std::to_string(rng->Between(0, 4));
    case T::kDecimal:
      return rng->Of(kDecimals);
    case T::kMoney:
      return rng->Of(kMoney);
    case T::kString:
      return "\"" + rng->Of(v.words) + "\"";
    case T::kDate:
      return rng->Of(kDates);
    case T::kDateTime:
      return rng->Of(kInstants);
    case T::kDuration:
      return rng->Of(kDurations);
    case T::kTime:
      return rng->Of(kTimes);
    case T::kRegion:
      return rng->Of(kRegions);
    case T::kClass:
      return rng->Of(kClasses);
    case T::kPath:
      return "\"" + rng->Of(kPlaces) + "\"";
    case T::kIp:
      return "\"" + rng->Of(kAddresses) + "\"";
    case T::kPerson:
      return "person \"" + rng->Of(v.persons) + "\"";
    case T::kTeam:
      return "team t" + std::to_string(rng->Below(4));
    case T::kProject:
      return "app.Project \"" + rng->Of(v.projects) + "\"";
    default:
      return "";
  }
}

WireValue WireString(const std::string& text, Arena* arena) {
  WireValue v;
  v.kind = WireValue::Kind::kString;
  v.text = arena->Copy(text);
  return v;
}
WireValue WireNumber(const std::string& text, Arena* arena) {
  WireValue v = WireString(text, arena);
  v.kind = WireValue::Kind::kNumber;
  return v;
}
WireValue WireObject(const std::vector<std::pair<std::string, WireValue>>& members, Arena* arena) {
  WireValue v;
  v.kind = WireValue::Kind::kObject;
  v.count = static_cast<uint32_t>(members.size());
  WireMember* out = arena->NewArray<WireMember>(members.size());
  for (size_t i = 0; i < members.size(); ++i)
    out[i] = {arena->Copy(members[i].first), members[i].second};
  v.members = out;
  return v;
}

WireValue WireOf(Rng* rng, const Vocabulary& v, T type, Arena* arena) {
  auto text = [&](const std::string& s) { return WireString(s, arena); };
  auto array = [&](const Texts& items) {
    WireValue out;
    out.kind = WireValue::Kind::kArray;
    out.count = static_cast<uint32_t>(items.size());
    WireValue* at = arena->NewArray<WireValue>(items.size());
    for (size_t i = 0; i < items.size(); ++i) at[i] = text(items[i]);
    out.items = at;
    return out;
  };
  auto some = [&](const Texts& items) {
    Texts out;
    for (const std::string& item : items) {
      if (rng->Chance(40)) out.push_back(item);
    }
    return out;
  };
  switch (type) {
    case T::kBool: {
      WireValue out;
      out.kind = WireValue::Kind::kBool;
      out.boolean = rng->Chance(50);
      return out;
    }
    case T::kInt:
      return WireNumber(
          rng->Chance(4) ? "9223372036854775807" : std::to_string(rng->Between(-1, 5)), arena);
    case T::kDecimal:
      return WireNumber(rng->Chance(4) ? "999999999999.999999" : rng->Of(kDecimals), arena);
    case T::kMoney: {
      std::string money = rng->Of(kMoney);
      if (rng->Chance(3))
        return WireObject(
            {{"minor", WireNumber("9223372036854775807", arena)}, {"currency", text("USD")}},
            arena);
      if (rng->Chance(20))
        return WireObject({{"amount", text(money.substr(0, money.find(' ')))},
                           {"currency", text(money.substr(money.find(' ') + 1))}},
                          arena);
      return text(money);
    }
    case T::kString:
      return text(rng->Of(v.words));
    case T::kDate:
      return text(rng->Of(kDates));
    case T::kDateTime:
      return text(rng->Of(kInstants));
    case T::kDuration:
      return text(rng->Of(kDurations));
    case T::kTime:
      return text(rng->Of(kTimes));
    case T::kRegion:
      return text(rng->Of(kRegions));
    case T::kClass:
      return text(rng->Of(kClasses));
    case T::kStrings:
      return array(some(v.words));
    case T::kRegions:
      return array(some(kRegions));
    case T::kPersons:
      return array(some(v.persons));
    case T::kPath:
      return text(rng->Of(kPlaces));
    case T::kIp:
      return text(rng->Of(kAddresses));
    case T::kLabels: {
      std::vector<std::pair<std::string, WireValue>> members;
      if (rng->Chance(60)) members.emplace_back("tier", text(rng->Chance(50) ? "prod" : "dev"));
      if (rng->Chance(30)) members.emplace_back("app", text(rng->Of(v.words)));
      return WireObject(members, arena);
    }
    case T::kRecord: {
      std::vector<std::pair<std::string, WireValue>> members = {{"zip", text(rng->Of(v.words))}};
      if (rng->Chance(60))
        members.emplace_back("floor", WireNumber(std::to_string(rng->Between(0, 4)), arena));
      return WireObject(members, arena);
    }
    case T::kPerson:
      return text(rng->Of(v.persons));
    case T::kTeam:
      return text("t" + std::to_string(rng->Below(4)));
    case T::kProject:
      if (rng->Chance(30))
        return WireObject({{"type", text("app.Project")}, {"id", text(rng->Of(v.projects))}},
                          arena);
      return text(rng->Of(v.projects));
  }
  return {};
}

}  // namespace dpl::gen
