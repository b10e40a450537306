// See print.h.
#include "server/ctl/print.h"

#include <algorithm>
#include <vector>

#include "runtime/base/text.h"

namespace dpl {
namespace {

std::string Cell(const WireValue* value) {
  if (value == nullptr || value->is_null()) return {};
  if (value->is_bool()) return value->boolean ? "yes" : "no";
  if (value->is_string()) return Shown(value->text);
  if (value->is_number()) return std::string(value->text);
  std::string out;
  for (uint32_t i = 0; i < value->count; ++i) {
    if (i > 0) out += value->is_array() ? ", " : " ";
    if (value->is_array()) {
      out += Cell(&value->items[i]);
    } else {
      out += Shown(value->members[i].name) + "=" + Cell(&value->members[i].value);
    }
  }
  return out;
}

const WireValue* Follow(const WireValue* value, std::string_view path) {
  while (value != nullptr && !path.empty()) {
    size_t dot = path.find('.');
    value = value->Find(path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return value;
}

void AddLines(const WireValue& object, const std::string& prefix,
              std::vector<std::pair<std::string, std::string>>* out) {
  for (uint32_t i = 0; i < object.count; ++i) {
    const WireMember& member = object.members[i];
    std::string name = prefix + Shown(member.name);
    bool nested = member.value.is_object();
    if (member.value.is_array() && member.value.count > 0 && member.value.items[0].is_object()) {
      for (uint32_t k = 0; k < member.value.count; ++k)
        out->emplace_back(name, Cell(&member.value.items[k]));
    } else if (nested) {
      AddLines(member.value, name + ".", out);
    } else {
      out->emplace_back(name, Cell(&member.value));
    }
  }
}

void Pad(std::string* out, size_t width, std::string_view text) {
  out->append(text);
  out->append(width - std::min(width, CodePointCount(text)), ' ');
}

}  // namespace

std::string Shown(std::string_view text) {
  if (!HasControl(text) && !HasBidiOrInvisible(text)) return std::string(text);
  return Quote(text);
}

std::string Table(const WireValue& items, std::string_view columns) {
  std::vector<std::vector<std::string>> cells;  // by column, the heading first
  for (std::string_view rest = columns; !rest.empty();) {
    size_t blank = rest.find(' ');
    std::string_view column = rest.substr(0, blank);
    rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
    std::vector<std::string> cell;
    std::string heading(column);
    for (char& c : heading) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    cell.push_back(std::move(heading));
    for (uint32_t i = 0; i < items.count; ++i)
      cell.push_back(Cell(Follow(&items.items[i], column)));
    if (std::any_of(cell.begin() + 1, cell.end(), [](const auto& c) { return !c.empty(); }))
      cells.push_back(std::move(cell));
  }
  std::string out;
  for (size_t row = 0; !cells.empty() && row <= items.count; ++row) {
    std::string line;
    for (const std::vector<std::string>& column : cells) {
      size_t width = 0;
      for (const std::string& cell : column) width = std::max(width, CodePointCount(cell));
      Pad(&line, width + 2, column[row]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string Lines(const WireValue& object) {
  std::vector<std::pair<std::string, std::string>> lines;
  AddLines(object, {}, &lines);
  size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, CodePointCount(name));
  std::string out;
  for (const auto& [name, value] : lines) {
    Pad(&out, width + 2, name);
    out += value + "\n";
  }
  return out;
}

}  // namespace dpl
