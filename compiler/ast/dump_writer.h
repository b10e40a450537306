// How dumps are laid out: bracketed lists, one indented line per clause of a declaration. Internal
// to dump*.cc.
#pragma once

#include <string>
#include <string_view>

#include "compiler/ast/nodes.h"
#include "runtime/base/text.h"

namespace dpl::ast {

class DumpWriter {
 public:
  DumpWriter& Open(std::string_view head) {
    if (depth_ == indent_ && indent_ > 0) {
      Line();
    } else if (!out_.empty() && out_.back() != '\n' && out_.back() != ' ') {
      out_ += ' ';
    }
    out_ += '(';
    out_ += head;
    ++depth_;
    return *this;
  }
  DumpWriter& Close() {
    out_ += ')';
    --depth_;
    return *this;
  }
  DumpWriter& Word(std::string_view word) {
    if (word.empty()) return *this;
    out_ += ' ';
    out_ += word;
    return *this;
  }
  DumpWriter& Text(std::string_view text) { return Word(Quote(text)); }
  DumpWriter& Line() {
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
    out_.append(indent_ * 2, ' ');
    return *this;
  }
  // From here on every list opened at this depth gets a line of its own.
  void Indent() { ++indent_; }
  void Outdent() { --indent_; }
  std::string Take() { return out_ + "\n"; }

 private:
  std::string out_;
  size_t depth_ = 0;
  size_t indent_ = 0;
};

void DumpType(const TypeExpr& type, DumpWriter* w);
void DumpOwner(std::string_view head, const OwnerRef& owner, DumpWriter* w);
void DumpQuantity(const Quantity& quantity, DumpWriter* w);
std::string_view DutyName(Duty::Kind kind);
void DumpDuty(const Duty& duty, DumpWriter* w);
void DumpDatum(const Datum& datum, DumpWriter* w);
void DumpTest(const TestDecl& test, DumpWriter* w);

}  // namespace dpl::ast
