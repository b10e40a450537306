// Line index and spans of a source text.
#include "compiler/source/source_file.h"

#include <algorithm>
#include <utility>

namespace dpl {
namespace {

constexpr size_t kBlock = 256;

bool StartsCodePoint(char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }

}  // namespace

SourceFile::SourceFile(uint32_t id, std::string path, std::string text)
    : id_(id), path_(std::move(path)), text_(std::move(text)) {
  line_starts_.push_back(0);
  uint32_t code_points = 0;
  for (size_t i = 0; i < text_.size(); ++i) {
    if (i % kBlock == 0) code_points_.push_back(code_points);
    if (StartsCodePoint(text_[i])) {
      ++code_points;
    } else {
      ascii_ = false;
    }
    if (text_[i] == '\r' && i + 1 < text_.size() && text_[i + 1] == '\n') continue;
    if (text_[i] == '\n' || text_[i] == '\r') line_starts_.push_back(static_cast<uint32_t>(i + 1));
  }
}

uint32_t SourceFile::LineOf(size_t offset) const {
  auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<uint32_t>(after - line_starts_.begin());
}

uint32_t SourceFile::CodePointsBefore(size_t offset) const {
  if (code_points_.empty()) return 0;
  size_t block = std::min(offset / kBlock, code_points_.size() - 1);
  uint32_t count = code_points_[block];
  for (size_t i = block * kBlock; i < offset; ++i) count += StartsCodePoint(text_[i]) ? 1 : 0;
  return count;
}

uint32_t SourceFile::ColumnOf(size_t offset, uint32_t line) const {
  size_t start = line_starts_[line - 1];
  if (ascii_) return static_cast<uint32_t>(offset - start) + 1;
  return CodePointsBefore(offset) - CodePointsBefore(start) + 1;
}

Span SourceFile::MakeSpan(size_t begin, size_t end) const {
  begin = std::min(begin, text_.size());
  end = std::clamp(end, begin, text_.size());
  Span span;
  span.file = id_;
  span.begin = static_cast<uint32_t>(begin);
  span.end = static_cast<uint32_t>(end);
  span.line = LineOf(begin);
  bool one_line = span.line == line_starts_.size() || end < line_starts_[span.line];
  span.end_line = one_line ? span.line : LineOf(end);
  span.column = ColumnOf(begin, span.line);
  span.end_column = ColumnOf(end, span.end_line);
  return span;
}

std::string_view SourceFile::Slice(const Span& span) const {
  size_t begin = std::min<size_t>(span.begin, text_.size());
  size_t end = std::clamp<size_t>(span.end, begin, text_.size());
  return std::string_view(text_).substr(begin, end - begin);
}

size_t SourceFile::LineStart(uint32_t line) const {
  return line == 0 || line > line_starts_.size() ? text_.size() : line_starts_[line - 1];
}

std::string_view SourceFile::Line(uint32_t line) const {
  if (line == 0 || line > line_starts_.size()) return {};
  size_t begin = line_starts_[line - 1];
  size_t end = line < line_starts_.size() ? line_starts_[line] : text_.size();
  while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
  return std::string_view(text_).substr(begin, end - begin);
}

const SourceFile& SourceSet::Add(std::string path, std::string text) {
  return files_.emplace_back(static_cast<uint32_t>(files_.size()), std::move(path),
                             std::move(text));
}

const SourceFile* SourceSet::Find(uint32_t id) const {
  return id < files_.size() ? &files_[id] : nullptr;
}

}  // namespace dpl
