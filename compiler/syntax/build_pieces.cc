// The small pieces of every declaration: spans, names, literals, types, owners.
#include <fmt/format.h>

#include "compiler/syntax/build.h"
#include "compiler/syntax/lex.h"

namespace dpl::syntax {

Span Builder::Of(const antlr4::Token* token) const { return Between(token, token); }
Span Builder::Of(Leaf* leaf) const { return Of(leaf->getSymbol()); }
Span Builder::Of(Node* node) const {
  return Between(node->start, node->stop == nullptr ? node->start : node->stop);
}
Span Builder::Between(const antlr4::Token* first, const antlr4::Token* last) const {
  return source_.MakeSpan(AsToken(first).begin(), AsToken(last).end());
}

ast::Name Builder::NameOf(P::NameContext* node) const { return {node->start->getText(), Of(node)}; }
ast::Name Builder::NameOf(P::WordContext* node) const { return {node->start->getText(), Of(node)}; }

ast::QName Builder::QNameOf(P::QnameContext* node) const {
  ast::QName name{node->name()->start->getText(), Of(node)};
  for (P::WordContext* part : node->word()) name.text += "." + part->start->getText();
  return name;
}

ast::QName Builder::QNameOf(P::ReasonCodeContext* node) const {
  ast::QName name{{}, Of(node)};
  for (P::WordContext* part : node->word()) {
    if (!name.text.empty()) name.text += '.';
    name.text += part->start->getText();
  }
  return name;
}

std::vector<ast::QName> Builder::QNamesOf(const std::vector<P::QnameContext*>& nodes,
                                          size_t from) const {
  std::vector<ast::QName> names;
  for (size_t i = from; i < nodes.size(); ++i) names.push_back(QNameOf(nodes[i]));
  return names;
}

ast::StringLit Builder::StringOf(Leaf* leaf) {
  return {DecodeString(source_, AsToken(leaf->getSymbol()), sink_), Of(leaf), true};
}

std::vector<ast::StringLit> Builder::StringsOf(const std::vector<Leaf*>& leaves, size_t from) {
  std::vector<ast::StringLit> strings;
  for (size_t i = from; i < leaves.size(); ++i) strings.push_back(StringOf(leaves[i]));
  return strings;
}

ast::Literal Builder::LiteralOf(Leaf* leaf) const { return LiteralOf(leaf->getSymbol()); }
ast::Literal Builder::LiteralOf(const antlr4::Token* token) const {
  return {token->getText(), Of(token), true};
}

ast::TypeExpr Builder::TypeOf(P::TypeContext* node) {
  ast::TypeExpr type;
  type.span = Of(node);
  type.optional = node->QMARK() != nullptr;
  if (node->SET() != nullptr) {
    type.kind = ast::TypeExpr::Kind::kSet;
    type.element.push_back(TypeOf(node->type()));
  } else if (node->RECORD() != nullptr) {
    type.kind = ast::TypeExpr::Kind::kRecord;
    type.fields = ParamsOf(node->params());
  } else {
    type.name = QNameOf(node->qname());
  }
  return type;
}

std::vector<ast::Param> Builder::ParamsOf(P::ParamsContext* node) {
  std::vector<ast::Param> params;
  if (node == nullptr) return params;
  for (P::ParamContext* param : node->param()) {
    params.push_back({NameOf(param->word()), TypeOf(param->type()), Of(param)});
  }
  return params;
}

ast::OwnerRef Builder::OwnerRefOf(P::OwnerRefContext* node) {
  ast::OwnerRef owner;
  owner.present = true;
  owner.span = Of(node);
  owner.is_team = node->TEAM() != nullptr;
  if (owner.is_team) {
    owner.team = QNameOf(node->qname());
  } else {
    owner.person = StringOf(node->STRING());
  }
  return owner;
}

bool Builder::Once(std::string_view clause, const Span& span) {
  auto [seen, fresh] = seen_.emplace(std::string(clause), span);
  if (fresh) return true;
  sink_->Report(DPL0103, span, {fmt::format("`{}`", clause)})
      .Label(seen->second, "first said here")
      .Help("keep one of the two");
  return false;
}

}  // namespace dpl::syntax
