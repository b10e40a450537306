#include "runtime/bytecode/assemble.h"

#include <charconv>
#include <optional>
#include <string>

#include "runtime/bytecode/opcode.h"

namespace dpl {
namespace {

std::string_view NextWord(std::string_view* line) {
  size_t begin = line->find_first_not_of(" \t\r,:");
  if (begin == std::string_view::npos) {
    *line = {};
    return {};
  }
  size_t end = line->find_first_of(" \t\r,:", begin);
  std::string_view word = line->substr(begin, end - begin);
  *line = end == std::string_view::npos ? std::string_view() : line->substr(end);
  return word;
}

std::optional<uint32_t> Number(std::string_view word) {
  uint32_t value = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

bool Header(std::string_view line, Assembled* out) {
  if (!Number(NextWord(&line))) return false;
  bool ok = true;
  auto field = [&](std::string_view name) {
    ok = ok && NextWord(&line) == name;
    std::optional<uint32_t> value = Number(NextWord(&line));
    ok = ok && value.has_value();
    return value.value_or(0);
  };
  out->max_stack = static_cast<uint16_t>(field("stack"));
  out->locals = static_cast<uint16_t>(field("locals"));
  out->cost = field("cost");
  return ok && NextWord(&line).empty();
}

}  // namespace

Result<Assembled> Assemble(std::string_view text) {
  Assembled out;
  uint32_t line_number = 0;
  bool has_header = false;
  auto refuse = [&](std::string message) {
    return Error{"assemble", std::move(message), line_number, 1};
  };
  while (!text.empty()) {
    ++line_number;
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    line = line.substr(0, line.find(';'));

    std::string_view word = NextWord(&line);
    if (word.empty()) continue;
    if (word == "code") {
      if (has_header || !out.words.empty() || !Header(line, &out))
        return refuse("malformed first line");
      has_header = true;
      continue;
    }
    if (std::optional<uint32_t> address = Number(word)) {
      if (*address != out.words.size()) {
        return refuse("address " + std::string(word) + " where " +
                      std::to_string(out.words.size()) + " comes next");
      }
      word = NextWord(&line);
    }
    std::optional<Opcode> op = FindOpcode(word);
    if (!op) return refuse("unknown opcode `" + std::string(word) + "`");
    const OpcodeInfo& info = InfoOf(*op);
    out.words.push_back(static_cast<uint32_t>(*op));
    for (int i = 0; i < info.operand_count; ++i) {
      std::optional<uint32_t> operand = Number(NextWord(&line));
      if (!operand)
        return refuse(std::string(info.name) + " takes " + std::to_string(info.operand_count) +
                      " numbers");
      out.words.push_back(*operand);
    }
    if (!NextWord(&line).empty()) return refuse("too much behind " + std::string(info.name));
  }
  if (!has_header) out.cost = StaticCost(out.words.data(), static_cast<uint32_t>(out.words.size()));
  return out;
}

}  // namespace dpl
