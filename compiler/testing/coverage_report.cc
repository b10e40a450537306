#include "compiler/testing/coverage_report.h"

#include <algorithm>
#include <map>

#include "compiler/testing/decl_clauses.h"
#include "runtime/base/text.h"

namespace dpl::testing {
namespace {

struct Count {
  size_t covered = 0, points = 0;
  void Add(const CoverageItem& item) {
    for (const CoveragePoint& point : item.points) {
      if (point.name.empty()) continue;
      ++points;
      covered += point.hits != 0 ? 1 : 0;
    }
  }
  std::string Text() const { return std::to_string(covered) + " of " + std::to_string(points); }
};

// "grants", "may clauses", "conditions": what a reader of the summary calls it.
std::string_view Group(const CoverageItem& item) {
  switch (item.kind) {
    case CoverageKind::kStatement: {
      static constexpr std::string_view kPlural[] = {
          "grants",    "limit blocks", "forbids",     "agents",      "delegations", "tasks",
          "approvals", "obligations",  "separations", "break-glass", "partners"};
      static_assert(std::size(kPlural) == kStatementKinds);
      return kPlural[static_cast<size_t>(item.of)];
    }
    case CoverageKind::kRow:
      return "rows";
    case CoverageKind::kMay:
      return "may clauses";
    case CoverageKind::kCovers:
      return "covers clauses";
    case CoverageKind::kScope:
      return "scopes";
    case CoverageKind::kCondition:
      return "conditions";
    case CoverageKind::kPart:
      return "parts of conditions";
    case CoverageKind::kLimit:
      return "limits";
    case CoverageKind::kTier:
      return "tiers";
  }
  return "";
}

const std::string& PathOf(const SourceSet& sources, const Span& span) {
  static const std::string kUnknown = "?";
  const SourceFile* file = sources.Find(span.file);
  return file == nullptr ? kUnknown : file->path();
}

uint64_t MostHits(const CoverageItem& item) {
  uint64_t most = 0;
  for (const CoveragePoint& point : item.points) most = std::max(most, point.hits);
  return most;
}

// Items by file, in the order of the paths; within a file by line.
std::map<std::string, std::vector<const CoverageItem*>> ByFile(const Coverage& coverage,
                                                               const SourceSet& sources) {
  std::map<std::string, std::vector<const CoverageItem*>> out;
  for (const CoverageItem& item : coverage.items()) {
    if (item.span.known()) out[PathOf(sources, item.span)].push_back(&item);
  }
  return out;
}

}  // namespace

std::string EscapeMarkup(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out.push_back(static_cast<unsigned char>(c) < 0x20 && c != '\t' ? '?' : c);
    }
  }
  return out;
}

std::string CoverageText(const Coverage& coverage, const SourceSet& sources, bool color) {
  std::string out = "coverage: " + coverage.Percent() + " (" + std::to_string(coverage.covered()) +
                    " of " + std::to_string(coverage.points()) + ")\n";
  std::vector<std::pair<std::string_view, Count>> groups;
  for (const CoverageItem& item : coverage.items()) {
    std::string_view name = Group(item);
    auto at = std::find_if(groups.begin(), groups.end(),
                           [&](const auto& group) { return group.first == name; });
    if (at == groups.end()) at = groups.insert(groups.end(), {name, {}});
    at->second.Add(item);
  }
  for (const auto& [name, count] : groups) {
    if (count.points == 0) continue;
    out += "  " + std::string(name) + std::string(name.size() < 22 ? 22 - name.size() : 1, ' ') +
           count.Text() + "\n";
  }
  if (coverage.covered() == coverage.points()) return out;
  out += "not exercised:\n";
  for (const CoverageItem& item : coverage.items()) {
    for (const CoveragePoint& point : item.points) {
      if (point.hits != 0 || point.name.empty()) continue;
      out += "  " + PlaceOf(sources, item.span) + ": ";
      if (item.kind != CoverageKind::kStatement)
        out += std::string(StatementWord(item.of)) + " " + item.name + ": ";
      std::string label =
          item.kind == CoverageKind::kStatement ? item.label : "`" + item.label + "`";
      out += label + " " + (color ? "\033[31m" : "") + point.missing + (color ? "\033[0m" : "");
      if (item.unknown != 0 && (point.name == "true" || point.name == "false")) {
        out += " (but " + std::to_string(item.unknown) + (item.unknown == 1 ? " time" : " times") +
               " unknown)";
      }
      out += "\n";
    }
  }
  return out;
}

std::string CoverageJson(const Coverage& coverage, const SourceSet& sources) {
  uint32_t permille = coverage.Permille();
  std::string out = "{\"covered\":" + std::to_string(coverage.covered()) +
                    ",\"points\":" + std::to_string(coverage.points()) +
                    ",\"percent\":" + std::to_string(permille / 10) + "." +
                    std::to_string(permille % 10) + ",\"items\":[";
  bool first = true;
  for (const CoverageItem& item : coverage.items()) {
    out += first ? "\n{\"kind\":" : ",\n{\"kind\":";
    first = false;
    AppendJsonString(&out, CoverageKindName(item.kind));
    out += ",\"of\":";
    AppendJsonString(&out, StatementWord(item.of));
    out += ",\"statement\":";
    AppendJsonString(&out, item.name);
    out += ",\"label\":";
    AppendJsonString(&out, item.label);
    out += ",\"path\":";
    AppendJsonString(&out, PathOf(sources, item.span));
    out += ",\"line\":" + std::to_string(item.span.line) +
           ",\"column\":" + std::to_string(item.span.column) +
           ",\"covered\":" + (item.Covered() ? "true" : "false") + ",\"points\":{";
    bool first_point = true;
    for (const CoveragePoint& point : item.points) {
      if (point.name.empty()) continue;
      if (!first_point) out += ",";
      first_point = false;
      AppendJsonString(&out, point.name);
      out += ":" + std::to_string(point.hits);
    }
    out += "}";
    if (item.unknown != 0) out += ",\"unknown\":" + std::to_string(item.unknown);
    out += "}";
  }
  return out + "\n]}";
}

std::string CoverageLcov(const Coverage& coverage, const SourceSet& sources) {
  std::string out;
  for (const auto& [path, items] : ByFile(coverage, sources)) {
    out += "TN:dplc\nSF:" + path + "\n";
    size_t functions = 0, functions_hit = 0, branches = 0, branches_hit = 0;
    std::string called;
    std::map<uint32_t, uint64_t> lines;
    for (const CoverageItem* item : items) {
      uint64_t& line = lines[item->span.line];
      line = std::max(line, MostHits(*item));
      if (item->kind != CoverageKind::kStatement || item->points.empty()) continue;
      uint64_t hits = MostHits(*item);
      out += "FN:" + std::to_string(item->span.line) + "," + item->label + "\n";
      called += "FNDA:" + std::to_string(hits) + "," + item->label + "\n";
      ++functions;
      functions_hit += hits != 0 ? 1 : 0;
    }
    out += called + "FNF:" + std::to_string(functions) + "\nFNH:" + std::to_string(functions_hit) +
           "\n";
    uint32_t block = 0;
    for (const CoverageItem* item : items) {
      size_t real = static_cast<size_t>(
          std::count_if(item->points.begin(), item->points.end(),
                        [](const CoveragePoint& point) { return !point.name.empty(); }));
      if (real < 2) continue;
      for (size_t i = 0; i < item->points.size(); ++i) {
        const CoveragePoint& point = item->points[i];
        if (point.name.empty()) continue;
        // `-`: the line was never reached at all, which tools tell from a branch never taken.
        std::string taken = MostHits(*item) == 0 ? "-" : std::to_string(point.hits);
        out += "BRDA:" + std::to_string(item->span.line) + "," + std::to_string(block) + "," +
               std::to_string(i) + "," + taken + "\n";
        ++branches;
        branches_hit += point.hits != 0 ? 1 : 0;
      }
      ++block;
    }
    out += "BRF:" + std::to_string(branches) + "\nBRH:" + std::to_string(branches_hit) + "\n";
    size_t lines_hit = 0;
    for (const auto& [line, hits] : lines) {
      out += "DA:" + std::to_string(line) + "," + std::to_string(hits) + "\n";
      lines_hit += hits != 0 ? 1 : 0;
    }
    out += "LF:" + std::to_string(lines.size()) + "\nLH:" + std::to_string(lines_hit) +
           "\nend_of_record\n";
  }
  return out;
}

std::string CoverageHtml(const Coverage& coverage, const SourceSet& sources) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<title>Policy coverage " +
      EscapeMarkup(coverage.Percent()) +
      "</title>\n<style>\n"
      "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;"
      "color:#1a1a1a;background:#fff}\n"
      "table.source{border-collapse:collapse;width:100%;font:13px/1.5 ui-monospace,monospace}\n"
      "table.source td{padding:0 .6rem;vertical-align:top;white-space:pre-wrap}\n"
      "td.n{color:#888;text-align:right;width:3rem;user-select:none}\n"
      "td.h{text-align:right;width:4rem;color:#666}\n"
      "tr.full{background:#e6f4e6}tr.part{background:#fff4d6}tr.none{background:#fbe3e3}\n"
      "ul.points{margin:.1rem 0 .3rem;padding-left:1.2rem;font:13px/1.5 system-ui,sans-serif}\n"
      "li.miss{color:#a40000}table.sum td{padding:.1rem 1rem .1rem 0}\n"
      "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}"
      "tr.full{background:#15301a}tr.part{background:#3a3010}tr.none{background:#3d1818}"
      "li.miss{color:#ff9d9d}}\n"
      "</style></head><body>\n<h1>Policy coverage: " +
      EscapeMarkup(coverage.Percent()) + "</h1>\n<p>" + std::to_string(coverage.covered()) +
      " of " + std::to_string(coverage.points()) +
      " points: every statement, every action of a <code>may</code>, every condition both ways, "
      "every limit under, at and over its cap. Green: all of the line; yellow: some; red: nothing."
      "</p>\n<table class=\"sum\">\n";
  std::map<std::string, std::vector<const CoverageItem*>> files = ByFile(coverage, sources);
  size_t number = 0;
  for (const auto& [path, items] : files) {
    Count count;
    for (const CoverageItem* item : items) count.Add(*item);
    out += "<tr><td><a href=\"#f" + std::to_string(++number) + "\">" + EscapeMarkup(path) +
           "</a></td><td>" + count.Text() + "</td></tr>\n";
  }
  out += "</table>\n";
  number = 0;
  for (const auto& [path, items] : files) {
    const SourceFile* file = sources.Find(items.front()->span.file);
    out += "<h2 id=\"f" + std::to_string(++number) + "\">" + EscapeMarkup(path) +
           "</h2>\n<table class=\"source\">\n";
    std::map<uint32_t, std::vector<const CoverageItem*>> by_line;
    for (const CoverageItem* item : items) by_line[item->span.line].push_back(item);
    for (uint32_t line = 1; file != nullptr && line <= file->line_count(); ++line) {
      std::string_view text = file->Line(line);
      if (line == file->line_count() && text.empty()) break;
      auto here = by_line.find(line);
      std::string hits, list, missing;
      Count count;
      if (here != by_line.end()) {
        uint64_t most = 0;
        for (const CoverageItem* item : here->second) {
          count.Add(*item);
          most = std::max(most, MostHits(*item));
          for (const CoveragePoint& point : item->points) {
            if (point.name.empty() || point.hits != 0) continue;
            missing += "<li class=\"miss\">" + EscapeMarkup(item->label) + ": " +
                       EscapeMarkup(point.missing) + "</li>";
          }
          list += item->label + ":";
          for (const CoveragePoint& point : item->points) {
            if (!point.name.empty())
              list += " " + point.name + " " + std::to_string(point.hits) + "×";
          }
          if (item->unknown != 0) list += " unknown " + std::to_string(item->unknown) + "×";
          list += "\n";
        }
        hits = std::to_string(most) + "×";
      }
      std::string_view state = count.points == 0               ? ""
                               : count.covered == count.points ? "full"
                               : count.covered == 0            ? "none"
                                                               : "part";
      out += "<tr";
      if (!state.empty())
        out += " class=\"" + std::string(state) + "\" title=\"" + EscapeMarkup(list) + "\"";
      out += "><td class=\"n\" id=\"f" + std::to_string(number) + "l" + std::to_string(line) +
             "\">" + std::to_string(line) + "</td><td class=\"h\">" + hits + "</td><td>" +
             EscapeMarkup(text);
      if (!missing.empty()) out += "<ul class=\"points\">" + missing + "</ul>";
      out += "</td></tr>\n";
    }
    out += "</table>\n";
  }
  return out + "</body></html>\n";
}

}  // namespace dpl::testing
