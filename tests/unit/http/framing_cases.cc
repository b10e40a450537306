// Reads the corpus of tests/http/framing; the form is told at the head of each file.
#include "tests/unit/http/framing_cases.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace dpl {
namespace {

// Up to the `}` that ends a repetition, or to the end.
std::string Unescape(const std::string& text, size_t* at) {
  std::string out;
  while (*at < text.size() && text[*at] != '}') {
    char c = text[(*at)++];
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    switch (c = text.at((*at)++)) {
      case 'r':
        out.push_back('\r');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'x':
        out.push_back(static_cast<char>(std::stoi(text.substr(*at, 2), nullptr, 16)));
        *at += 2;
        break;
      case '{': {
        size_t star = text.find('*', *at);
        const int times = std::stoi(text.substr(*at, star - *at));
        *at = star + 1;
        const std::string part = Unescape(text, at);
        ++*at;
        for (int i = 0; i < times; ++i) out += part;
        break;
      }
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string Bytes(const std::string& line) {
  size_t at = 2;  // `> `, `< `
  return Unescape(line, &at);
}

std::vector<FramingCase> ReadAll() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator("tests/http/framing"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<FramingCase> cases;
  for (const auto& path : files) {
    std::ifstream file(path);
    FramingCase next;
    for (std::string line; std::getline(file, line);) {
      if (line.empty() || line.front() == '#') continue;
      if (line.front() == '>') {
        next.refused = Bytes(line);
      } else if (line.front() == '<') {
        next.control = Bytes(line);
        cases.push_back(std::move(next));
        next = {};
      } else {
        const size_t blank = line.find(' ');
        next.name = line.substr(0, blank);
        next.status = std::stoi(line.substr(blank + 1));
      }
    }
  }
  EXPECT_GT(cases.size(), 100u) << "run in the repository's root";
  return cases;
}

}  // namespace

const std::vector<FramingCase>& FramingCases() {
  static const std::vector<FramingCase> cases = ReadAll();
  return cases;
}

}  // namespace dpl
