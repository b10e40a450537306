// The text of one policy file, and where in it things stand.
//
//   SourceSet sources;
//   const SourceFile& file = sources.Add("policies/spend.dpl", text);
//   Span span = file.MakeSpan(12, 17);            // bytes [12, 17), with lines and columns
//   file.Line(span.line);                         // the text of that line, without its line break
//
// Lines end at "\n", "\r\n" or "\r"; lines and columns are 1-based, columns count code points. A
// file keeps its own copy of the text and never changes; SourceFile references stay valid as long
// as their SourceSet. Many threads may read.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/span.h"

namespace dpl {

class SourceFile {
 public:
  // `path` is the name people see; `id` is what spans carry.
  SourceFile(uint32_t id, std::string path, std::string text);

  uint32_t id() const { return id_; }
  const std::string& path() const { return path_; }
  const std::string& text() const { return text_; }

  // Bytes past the end count as the end; `end` before `begin` makes an empty span at `begin`.
  Span MakeSpan(size_t begin, size_t end) const;
  std::string_view Slice(const Span& span) const;  // the text the span covers

  uint32_t line_count() const { return static_cast<uint32_t>(line_starts_.size()); }
  // Text of a 1-based line without its line break; empty when there is no such line.
  std::string_view Line(uint32_t line) const;
  size_t LineStart(uint32_t line) const;  // byte offset; the text's size when there is no such line

 private:
  uint32_t LineOf(size_t offset) const;                   // 1-based
  uint32_t CodePointsBefore(size_t offset) const;         // in the whole text, up to `offset`
  uint32_t ColumnOf(size_t offset, uint32_t line) const;  // 1-based

  uint32_t id_;
  std::string path_;
  std::string text_;
  bool ascii_ = true;  // a column is a count of bytes then
  std::vector<uint32_t> line_starts_;
  std::vector<uint32_t> code_points_;  // before each block of kBlock bytes, so that long lines cost
                                       // no more than short
};

// The files of one compilation. Ids count from 0 in the order of adding, which is the order of
// reports.
class SourceSet {
 public:
  const SourceFile& Add(std::string path, std::string text);
  const SourceFile* Find(uint32_t id) const;  // null when there is no such file
  size_t size() const { return files_.size(); }
  const SourceFile& operator[](uint32_t id) const { return files_[id]; }

 private:
  std::deque<SourceFile> files_;
};

}  // namespace dpl
