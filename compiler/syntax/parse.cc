// Parsing a file: head lines, then one declaration at a time, so that trees and memory stay small.
#include "compiler/syntax/parse.h"

#include <algorithm>
#include <string>
#include <utility>

#include "compiler/source/phase_times.h"
#include "compiler/syntax/build.h"
#include "compiler/syntax/lex.h"
#include "compiler/syntax/recover.h"

namespace dpl {
namespace syntax {
namespace {

using P = DplParser;

class FileReader {
 public:
  FileReader(const SourceFile& source, DiagnosticSink* sink, Layout* layout, ParseTimes* times,
             ast::File* file)
      : source_(source),
        sink_(sink),
        layout_(layout),
        times_(times),
        tokens_(&source.text()),
        builder_(source, sink, file),
        file_(file) {}

  void Run() {
    double start = Now();
    bool readable = Lex(source_, sink_, &learned_->lexer, &tokens_, &comments_);
    if (times_ != nullptr) times_->lex += Now() - start;
    if (layout_ != nullptr) CopyTokens();
    if (readable) {
      reader_.emplace(&tokens_, learned_.get());
      recovery_.emplace(source_, sink_, &tokens_, &*reader_, &file_->unread);
      start = Now();
      const double built = times_ == nullptr ? 0 : times_->build;
      ReadFile();
      if (times_ != nullptr) times_->read += Now() - start - (times_->build - built);
    }
    if (layout_ != nullptr) layout_->comments = std::move(comments_);
  }

 private:
  double Now() const { return times_ == nullptr ? 0 : ThreadCpuSeconds(); }

  void ReadFile() {
    if (tokens_.TypeAt(0) == P::PACKAGE) {
      if (!ReadUnit(P::RulePackageLine)) return;
    } else {
      bool empty = tokens_.size() == 1;
      Span span = empty ? source_.MakeSpan(0, 0)
                        : source_.MakeSpan(tokens_.At(0).begin(), tokens_.At(0).end());
      sink_->Report(DPL0105, span)
          .Help(empty ? "write `package NAME owned by team TEAM`"
                      : "put `package NAME owned by team TEAM` above this");
    }
    while (Fits(P::RuleHeadLine) && !Fits(P::RuleDeclaration)) {
      if (!ReadUnit(P::RuleHeadLine)) return;
    }
    while (at_ + 1 < tokens_.size()) {
      if (Fits(P::RuleDeclaration)) {
        if (!ReadUnit(P::RuleDeclaration)) return;
      } else {
        const size_t from = at_;
        if (recovery_->SkipToDeclaration(at_, &at_) == Recovery::Next::kGiveUp) return;
        recovery_->LeaveOut(from, at_, true);
      }
    }
  }

  bool Fits(size_t rule) {
    return reader_->First(rule).contains(static_cast<ssize_t>(tokens_.TypeAt(at_)));
  }

  // Reads a head line or declaration, mending it as often as it takes. False: no more of this file.
  bool ReadUnit(size_t rule) {
    bool mended = false;
    recovery_->BeginUnit();
    while (true) {
      Stop stop;
      antlr4::ParserRuleContext* tree = reader_->Read(rule, at_, &stop);
      if (tree != nullptr) {
        const double start = Now();
        if (recovery_->head_mended()) {
          recovery_->LeaveOut(at_, reader_->end(), true);
        } else {
          Take(rule, tree, mended);
        }
        if (times_ != nullptr) times_->build += Now() - start;
        at_ = reader_->end();
        return true;
      }
      const size_t from = at_;
      switch (recovery_->Mend(rule, at_, stop, &at_)) {
        case Recovery::Next::kRepaired:
          break;
        case Recovery::Next::kAgain:
          mended = true;
          break;
        case Recovery::Next::kSkip:
          recovery_->LeaveOut(from, at_, true);
          return true;
        case Recovery::Next::kGiveUp:
          return false;
      }
    }
  }

  void Take(size_t rule, antlr4::ParserRuleContext* tree, bool mended) {
    if (layout_ != nullptr) AddUnits(tree);
    if (rule == P::RulePackageLine)
      return builder_.PackageLine(static_cast<P::PackageLineContext*>(tree));
    if (rule == P::RuleHeadLine) return builder_.HeadLine(static_cast<P::HeadLineContext*>(tree));
    builder_.Declaration(static_cast<P::DeclarationContext*>(tree), TakeDoc(AsToken(tree->start)),
                         mended);
  }

  // The `///` lines between the previous token and this one.
  std::string TakeDoc(const SourceToken& first) {
    std::string doc;
    for (; next_comment_ < comments_.size() && comments_[next_comment_].begin < first.begin();
         ++next_comment_) {
      const Comment& comment = comments_[next_comment_];
      if (comment.kind != Comment::Kind::kDoc || !comment.own_line) continue;
      if (at_ > 0 && comment.begin < tokens_.At(at_ - 1).end()) continue;
      std::string_view line = std::string_view(source_.text())
                                  .substr(comment.begin + 3, comment.end - comment.begin - 3);
      if (line.starts_with(' ')) line.remove_prefix(1);
      if (!doc.empty()) doc += '\n';
      doc += line;
    }
    return doc;
  }

  void CopyTokens() {
    layout_->tokens.reserve(tokens_.size());
    for (size_t i = 0; i + 1 < tokens_.size(); ++i) {
      const SourceToken& token = tokens_.At(i);
      Layout::Token copy{token.begin(), token.end()};
      switch (token.getType()) {
        case P::COMMA:
        case P::COLON:
        case P::QMARK:
        case P::RPAREN:
        case P::RBRACK:
          copy.tight_before = true;
          break;
        case P::LPAREN:
          copy.tight_after = true;
          break;
        case P::DOT:
        case P::LBRACK:
          copy.tight_before = copy.tight_after = true;
          break;
        default:
          break;
      }
      layout_->tokens.push_back(copy);
    }
  }

  // Walks the tree for what the formatter needs: units, and tokens whose spacing depends on where
  // they stand.
  void AddUnits(antlr4::ParserRuleContext* tree) {
    using Kind = Layout::Unit::Kind;
    auto add = [&](Kind kind) {
      auto first = static_cast<uint32_t>(tree->start->getTokenIndex());
      layout_->units.push_back({kind, first, static_cast<uint32_t>(tree->stop->getTokenIndex())});
    };
    size_t rule = tree->getRuleIndex();
    if (rule == P::RulePackageLine || rule == P::RuleHeadLine) {
      add(Kind::kHeadLine);
    } else if (rule == P::RuleDeclaration) {
      add(Kind::kDecl);
    } else if (rule == P::RuleDatum) {
      add(Kind::kDatum);
    } else if (rule == P::RuleStep) {
      add(Kind::kStep);
    } else if (rule == P::RuleRow) {
      add(Kind::kRow);
    } else if (IsClauseRule(rule)) {
      add(Kind::kClause);
    }
    bool call = dynamic_cast<P::CallExprContext*>(tree) != nullptr || rule == P::RuleArgs ||
                rule == P::RuleFunctionDecl || rule == P::RuleTaskDecl ||
                (rule == P::RuleAtom && static_cast<P::AtomContext*>(tree)->COUNT() != nullptr);
    bool negation = dynamic_cast<P::NegateExprContext*>(tree) != nullptr;
    for (antlr4::tree::ParseTree* child : tree->children) {
      if (auto* leaf = dynamic_cast<antlr4::tree::TerminalNode*>(child)) {
        if (leaf->getSymbol()->getTokenIndex() >= layout_->tokens.size()) continue;
        Layout::Token& token = layout_->tokens[leaf->getSymbol()->getTokenIndex()];
        size_t type = leaf->getSymbol()->getType();
        if (call && type == P::LPAREN) token.tight_before = true;
        if (negation && type == P::MINUS) token.tight_after = true;
        if (rule == P::RuleType && type == P::LT) token.tight_before = token.tight_after = true;
        if (rule == P::RuleType && type == P::GT) token.tight_before = true;
      } else {
        AddUnits(static_cast<antlr4::ParserRuleContext*>(child));
      }
    }
  }

  const SourceFile& source_;
  DiagnosticSink* sink_;
  Layout* layout_;
  ParseTimes* times_;
  TokenList tokens_;
  std::vector<Comment> comments_;
  Builder builder_;
  ast::File* file_;
  Learned::Lease learned_ = Learned::Borrow();
  std::optional<RuleReader> reader_;
  std::optional<Recovery> recovery_;
  size_t at_ = 0;
  size_t next_comment_ = 0;
};

}  // namespace

}  // namespace syntax

ParseResult Parse(const SourceFile& source, DiagnosticSink* sink, Layout* layout,
                  ParseTimes* times) {
  ParseResult result;
  result.file = std::make_unique<ast::File>();
  result.file->file_id = source.id();
  size_t errors_before = sink->errors();
  syntax::FileReader(source, sink, layout, times, result.file.get()).Run();
  result.ok = sink->errors() == errors_before;
  return result;
}

}  // namespace dpl
