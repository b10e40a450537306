// From parse trees to the syntax tree: one declaration at a time, every node with its span.
//
// Reports only what the grammar cannot say: a clause that stands twice (DPL0103), chained
// comparisons (DPL0307), bad escapes (DPL0005), expressions nested too deep (DPL0106). Trees come
// from complete readings, so no child a rule demands is ever missing. Internal to this room; the
// members are spread over build_*.cc by theme.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "DplParser.h"
#include "compiler/ast/nodes.h"
#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"
#include "compiler/syntax/tokens.h"

namespace dpl::syntax {

// The node as exactly this alternative of its rule, or null. The generated classes have one
// type_info each (they lie in one library), so an address tells them apart; dynamic_cast took a
// quarter of the time of building trees.
template <class T>
T* As(antlr4::ParserRuleContext* node) {
  return &typeid(*node) == &typeid(T) ? static_cast<T*>(node) : nullptr;
}

class Builder {
 public:
  Builder(const SourceFile& source, DiagnosticSink* sink, ast::File* file)
      : source_(source), sink_(sink), file_(file) {}

  void PackageLine(DplParser::PackageLineContext* context);
  void HeadLine(DplParser::HeadLineContext* context);
  // Adds the declaration to the file. `incomplete`: clauses of it were skipped.
  void Declaration(DplParser::DeclarationContext* context, std::string doc, bool incomplete);

 private:
  using P = DplParser;
  using Node = antlr4::ParserRuleContext;
  using Leaf = antlr4::tree::TerminalNode;

  // --- pieces (build_pieces.cc)
  Span Of(Node* node) const;
  Span Of(Leaf* leaf) const;
  Span Of(const antlr4::Token* token) const;
  Span Between(const antlr4::Token* first, const antlr4::Token* last) const;
  ast::Name NameOf(P::NameContext* node) const;
  ast::Name NameOf(P::WordContext* node) const;
  ast::QName QNameOf(P::QnameContext* node) const;
  ast::QName QNameOf(P::ReasonCodeContext* node) const;
  std::vector<ast::QName> QNamesOf(const std::vector<P::QnameContext*>& nodes,
                                   size_t from = 0) const;
  ast::StringLit StringOf(Leaf* leaf);
  std::vector<ast::StringLit> StringsOf(const std::vector<Leaf*>& leaves, size_t from = 0);
  ast::Literal LiteralOf(Leaf* leaf) const;
  ast::Literal LiteralOf(const antlr4::Token* token) const;
  ast::TypeExpr TypeOf(P::TypeContext* node);
  std::vector<ast::Param> ParamsOf(P::ParamsContext* node);
  ast::OwnerRef OwnerRefOf(P::OwnerRefContext* node);
  // False, and reported, when this clause of the present declaration has been seen before.
  bool Once(std::string_view clause, const Span& span);

  // --- clauses several declarations share (build_clause.cc)
  void AddMeta(P::MetaClauseContext* node, ast::Meta* meta);
  void AddKey(P::KeyClauseContext* node, ast::KeyClause* key);
  ast::HasClause HasOf(P::HasClauseContext* node);
  ast::ParentClause ParentOf(P::ParentClauseContext* node);
  ast::StringLit WireOf(P::WireContext* node);
  std::vector<ast::Subject> SubjectsOf(P::SubjectsContext* node);
  ast::Subject SubjectOf(P::SubjectContext* node);
  ast::MayClause MayOf(P::MayClauseContext* node);
  ast::MayClause ReachOf(P::ReachContext* node);
  void SetActions(P::ActionsContext* node, ast::MayClause* may);
  ast::Selector SelectorOf(P::SelectorContext* node);
  ast::Container ContainerOf(P::ContainerContext* node);
  ast::CoversClause CoversOf(P::CoversClauseContext* node);
  ast::LimitClause LimitOf(P::LimitClauseContext* node);
  ast::LimitClause LimitTermsOf(P::LimitTermsContext* node);
  ast::Quantity QuantityOf(P::QuantityContext* node);
  ast::ModeRef ModeOf(P::AgentModeContext* node);
  ast::Duty DutyOf(P::DutyContext* node);
  ast::Duty ExpectedDutyOf(P::ExpectedDutyContext* node);
  ast::Party PartyOf(P::PartyContext* node);

  // --- expressions (build_expr.cc)
  ast::ExprPtr ExprOf(P::ExprContext* node);
  ast::ExprPtr ExprAt(P::ExprContext* node, size_t depth);
  ast::ExprPtr CompareOf(P::CompareExprContext* node, size_t depth);
  ast::ExprPtr AskOf(P::AskExprContext* node, size_t depth);
  void NoChain(P::ExprContext* left, const Span& span);
  ast::ExprPtr AtomOf(P::AtomContext* node, size_t depth);
  ast::ExprPtr CountOf(P::AtomContext* node, size_t depth);
  ast::ExprPtr LiteralExprOf(P::LiteralContext* node);
  ast::ExprPtr PathOf(P::PathContext* node);
  ast::ExprPtr Operand(P::ExprContext* node, size_t depth);
  ast::ExprPtr NewExpr(ast::ExprKind kind, const Span& span) const;

  // --- vocabulary and organisation (build_decl.cc)
  void Build(P::ConstDeclContext* node);
  void Build(P::EnumDeclContext* node);
  void Build(P::FunctionDeclContext* node);
  void Build(P::CalendarDeclContext* node);
  void Build(P::PersonDeclContext* node);
  void Build(P::TeamDeclContext* node);
  void Build(P::RoleDeclContext* node);
  void Build(P::ContextDeclContext* node);
  void Build(P::SystemDeclContext* node);
  void Build(P::ResourceDeclContext* node);
  void Build(P::ActivityDeclContext* node);
  void Build(P::OwnerDeclContext* node);
  ast::CanClause CanOf(P::CanClauseContext* node);

  // --- statements (build_statement.cc, build_agent.cc)
  void Build(P::GrantDeclContext* node);
  void Build(P::LimitDeclContext* node);
  void Build(P::ForbidDeclContext* node);
  void Build(P::AgentDeclContext* node);
  void Build(P::DelegationDeclContext* node);
  void Build(P::TaskDeclContext* node);
  void Build(P::ApprovalDeclContext* node);
  void Build(P::ObligationDeclContext* node);
  void Build(P::SeparateDeclContext* node);
  void Build(P::BreakGlassDeclContext* node);
  void Build(P::PartnerDeclContext* node);

  // --- facts and tests (build_test.cc)
  void Build(P::DataDeclContext* node);
  void Build(P::TestDeclContext* node);
  ast::Datum DatumOf(P::DatumContext* node);
  ast::Step StepOf(P::StepContext* node, ast::TestDecl* test);
  ast::Attempt AttemptOf(P::AttemptContext* node);
  ast::Outcome OutcomeOf(P::OutcomeContext* node);
  ast::Outcome RulingOf(P::RulingContext* node);
  ast::Outcome VerdictOf(P::VerdictContext* node);
  ast::Revocable RevocableOf(P::RevocableContext* node);
  ast::AgentHop HopOf(P::HopContext* node);
  ast::Row RowOf(P::RowContext* node);
  ast::FieldInit FieldOf(P::FieldInitContext* node);
  std::vector<ast::FieldInit> FieldsOf(const std::vector<P::FieldInitContext*>& nodes);

  // Starts a declaration: spans, name, doc, flags.
  template <class D>
  std::unique_ptr<D> Begin(Node* node, P::NameContext* name) {
    auto decl = std::make_unique<D>();
    decl->span = Of(node);
    decl->head_span = Between(node->start, name == nullptr ? node->start : name->stop);
    if (name != nullptr) decl->name = NameOf(name);
    return decl;
  }
  void Finish(std::unique_ptr<ast::Decl> decl);

  const SourceFile& source_;
  DiagnosticSink* sink_;
  ast::File* file_;
  std::string doc_;  // of the declaration being built
  bool incomplete_ = false;
  std::map<std::string, Span, std::less<>> seen_;        // clauses of the declaration being built
  std::map<std::string, Span, std::less<>> seen_lines_;  // head lines of the file
};

}  // namespace dpl::syntax
