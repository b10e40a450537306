// Time zones: tables from ICU's copy of the time-zone database, and which zone a package lives in.
#include "compiler/check/zones.h"

#include <functional>
#include <memory>
#include <vector>

#include <unicode/basictz.h>
#include <unicode/strenum.h>
#include <unicode/timezone.h>
#include <unicode/tzrule.h>
#include <unicode/tztrans.h>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"

namespace dpl::check {
namespace {

constexpr double kFirstMs = 0;               // 1970-01-01
constexpr double kLastMs = 4102444800000.0;  // 2100-01-01
constexpr int kMaxTransitions = 1000;

int32_t OffsetSeconds(const icu::TimeZone& zone, double at_ms) {
  int32_t raw = 0, dst = 0;
  UErrorCode error = U_ZERO_ERROR;
  zone.getOffset(at_ms, false, raw, dst, error);
  return (raw + dst) / 1000;
}

// Index of the zone in the schema; adds it. kNone: unknown (reported).
uint32_t AddZone(Checker& c, const ast::StringLit& name) {
  auto& zones = c.model.schema.zones;
  for (uint32_t i = 0; i < zones.size(); ++i) {
    if (zones[i].name == name.value) return i;
  }
  ZoneTable table;
  if (!ReadZone(name.value, &table)) {
    c.Report(DPL0201, name.span, {"time zone", Quoted(name.value)})
        .Help(SuggestZone(name.value))
        .Help("zones have names such as \"Europe/Berlin\"");
    return kNone;
  }
  zones.push_back(std::move(table));
  return static_cast<uint32_t>(zones.size() - 1);
}

}  // namespace

bool ReadZone(const std::string& name, ZoneTable* out) {
  // ICU knows more spellings ("EST5EDT", "GMT+3"); a policy names a place, or UTC.
  if (name != "UTC" && name.find('/') == std::string::npos) return false;
  icu::UnicodeString id = icu::UnicodeString::fromUTF8(name);
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(id));
  icu::UnicodeString found;
  zone->getID(found);
  UErrorCode error = U_ZERO_ERROR;
  UBool is_system = false;
  icu::UnicodeString canonical;
  icu::TimeZone::getCanonicalID(id, canonical, is_system, error);
  if (U_FAILURE(error) || !is_system || *zone == icu::TimeZone::getUnknown() || found != id)
    return false;
  const auto* rules = dynamic_cast<const icu::BasicTimeZone*>(zone.get());
  if (rules == nullptr) return false;
  out->name = name;
  error = U_ZERO_ERROR;
  const char* version = icu::TimeZone::getTZDataVersion(error);
  out->version = U_SUCCESS(error) ? version : "";
  out->initial_offset = OffsetSeconds(*zone, kFirstMs);
  out->transitions.clear();
  int32_t offset = out->initial_offset;
  double at = kFirstMs;
  icu::TimeZoneTransition transition;
  for (int i = 0; i < kMaxTransitions && rules->getNextTransition(at, false, transition); ++i) {
    at = transition.getTime();
    if (at >= kLastMs) break;
    const icu::TimeZoneRule* to = transition.getTo();
    int32_t next = (to->getRawOffset() + to->getDSTSavings()) / 1000;
    if (next == offset) continue;  // only the zone's abbreviation changed
    offset = next;
    out->transitions.push_back({static_cast<int64_t>(at / 1000), offset});
  }
  return true;
}

std::string SuggestZone(const std::string& name) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::StringEnumeration> all(icu::TimeZone::createTimeZoneIDEnumeration(
      UCAL_ZONE_TYPE_CANONICAL_LOCATION, nullptr, nullptr, error));
  std::vector<std::string> known;
  if (U_SUCCESS(error) && all != nullptr) {
    while (const char* id = all->next(nullptr, error)) known.emplace_back(id);
  }
  std::vector<std::string> near = NearNames(name, known);
  if (near.empty()) {
    for (const std::string& id :
         known) {  // "Berlin", "Europe/berlin town": the last part counts most
      size_t slash = id.rfind('/');
      std::string_view city =
          std::string_view(id).substr(slash == std::string::npos ? 0 : slash + 1);
      size_t wanted = name.rfind('/');
      if (!NearNames(std::string_view(name).substr(wanted == std::string::npos ? 0 : wanted + 1),
                     {std::string(city)})
               .empty()) {
        near.push_back(id);
        if (near.size() == 3) break;
      }
    }
  }
  return DidYouMean(near);
}

// A package's zone is its `timezone`; without one, that of its imports when they agree; else UTC.
void BuildZones(Checker& c) {
  Schema& schema = c.model.schema;
  ZoneTable utc;
  ReadZone("UTC", &utc);
  utc.name = "UTC";
  schema.zones.push_back(std::move(utc));

  // Names first, in order, so that the zones' order does not depend on who uses them.
  std::map<std::string, const ast::StringLit*> used;
  for (FileScope& file : c.files) {
    if (file.file->timezone.present) used.emplace(file.file->timezone.value, &file.file->timezone);
  }
  std::vector<Symbol*> calendars = SortedSymbols(c, SymbolKind::kCalendar);
  for (Symbol* symbol : calendars) {
    const auto& decl = static_cast<const ast::CalendarDecl&>(*symbol->decl);
    if (decl.zone.present) used.emplace(decl.zone.value, &decl.zone);
  }
  for (const auto& [name, literal] : used) AddZone(c, *literal);

  std::vector<uint32_t> written(c.packages.size(), kNone);
  for (uint32_t p = 0; p < c.packages.size(); ++p) {
    const ast::StringLit* first = nullptr;
    for (FileScope* file : c.packages[p].files) {
      const ast::StringLit& zone = file->file->timezone;
      if (!zone.present) continue;
      if (first != nullptr && first->value != zone.value) {
        c.ReportText(DPL0202, zone.span,
                     "package " + Quoted(c.packages[p].name) + " has two time zones")
            .Label(first->span, "the other is here")
            .Help("all files of a package share one `timezone`");
        continue;
      }
      if (first == nullptr) {
        first = &zone;
        written[p] = AddZone(c, zone);
      }
    }
  }
  // Imports form no cycles here (a cycle was reported); the depth bound only keeps a broken set
  // finite.
  std::function<uint32_t(uint32_t, size_t)> effective = [&](uint32_t p, size_t depth) -> uint32_t {
    if (written[p] != kNone || depth > c.packages.size()) return written[p];
    uint32_t zone = kNone;
    for (FileScope* file : c.packages[p].files) {
      for (const FileScope::Use& use : file->imports) {
        if (use.package == kNone) continue;
        uint32_t other = effective(use.package, depth + 1);
        if (other == kNone) continue;
        MarkUsed(*file, use.package);
        if (other == zone) continue;
        if (zone != kNone) {
          c.Report(DPL0203, c.packages[p].files[0]->file->package_span,
                   {"the time zone of package " + Quoted(c.packages[p].name),
                    Listed({Quoted(schema.zones[zone].name), Quoted(schema.zones[other].name)}) +
                        ", which its imports have"})
              .Help("add `timezone \"" + schema.zones[zone].name + "\"` below the package line");
        } else {
          zone = other;
        }
      }
    }
    return written[p] = zone;
  };
  for (uint32_t p = 0; p < c.packages.size(); ++p) {
    uint32_t zone = effective(p, 0);
    c.packages[p].zone = zone == kNone ? 0 : zone;
    schema.packages[p].zone = c.packages[p].zone;
  }
  for (Symbol* symbol : calendars) {
    const auto& decl = static_cast<const ast::CalendarDecl&>(*symbol->decl);
    uint32_t zone = decl.zone.present ? AddZone(c, decl.zone) : c.packages[symbol->package].zone;
    schema.calendars[symbol->index].zone = zone == kNone ? 0 : zone;
  }
}

}  // namespace dpl::check
