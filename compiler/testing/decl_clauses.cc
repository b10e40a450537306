#include "compiler/testing/decl_clauses.h"

namespace dpl::testing {
namespace {

using ast::DeclKind;

template <class T>
const T& As(const ast::Decl& decl) {
  return static_cast<const T&>(decl);
}

template <class T>
void AddAll(const std::vector<T>& from, std::vector<const T*>* out) {
  for (const T& item : from) out->push_back(&item);
}

void AddCovers(const std::vector<ast::CoversClause>& from,
               std::vector<const ast::MayClause*>* out) {
  for (const ast::CoversClause& covers : from) out->push_back(&covers.what);
}

}  // namespace

std::vector<const ast::MayClause*> ClausesOf(const ast::Decl& decl) {
  std::vector<const ast::MayClause*> out;
  switch (decl.kind) {
    case DeclKind::kGrant:
      for (const ast::GrantRow& row : As<ast::GrantDecl>(decl).rows) AddAll(row.may, &out);
      break;
    case DeclKind::kLimit:
      AddCovers(As<ast::LimitDecl>(decl).covers, &out);
      break;
    case DeclKind::kForbid:
      AddCovers(As<ast::ForbidDecl>(decl).covers, &out);
      break;
    case DeclKind::kObligation:
      AddCovers(As<ast::ObligationDecl>(decl).covers, &out);
      break;
    case DeclKind::kAgent:
      AddAll(As<ast::AgentDecl>(decl).may, &out);
      break;
    case DeclKind::kDelegation:
      AddAll(As<ast::DelegationDecl>(decl).may, &out);
      break;
    case DeclKind::kTask:
      AddAll(As<ast::TaskDecl>(decl).may, &out);
      break;
    case DeclKind::kBreakGlass:
      AddAll(As<ast::BreakGlassDecl>(decl).may, &out);
      break;
    case DeclKind::kPartner:
      AddAll(As<ast::PartnerDecl>(decl).may, &out);
      break;
    case DeclKind::kSeparate:
      for (const ast::SeparateDecl::Side& side : As<ast::SeparateDecl>(decl).sides)
        out.push_back(&side.what);
      break;
    default:
      break;
  }
  return out;
}

std::vector<const ast::LimitClause*> LimitClausesOf(const ast::Decl& decl) {
  std::vector<const ast::LimitClause*> out;
  switch (decl.kind) {
    case DeclKind::kGrant:
      AddAll(As<ast::GrantDecl>(decl).limits, &out);
      break;
    case DeclKind::kLimit:
      AddAll(As<ast::LimitDecl>(decl).caps, &out);
      break;
    case DeclKind::kAgent:
      AddAll(As<ast::AgentDecl>(decl).limits, &out);
      break;
    case DeclKind::kDelegation:
      AddAll(As<ast::DelegationDecl>(decl).limits, &out);
      break;
    case DeclKind::kTask:
      AddAll(As<ast::TaskDecl>(decl).limits, &out);
      break;
    case DeclKind::kPartner:
      AddAll(As<ast::PartnerDecl>(decl).limits, &out);
      break;
    default:
      break;
  }
  return out;
}

std::string OneLine(const SourceSet& sources, const Span& span, size_t most) {
  const SourceFile* file = span.known() ? sources.Find(span.file) : nullptr;
  if (file == nullptr) return {};
  std::string out;
  bool space = false;
  for (char c : file->Slice(span)) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      space = !out.empty();
      continue;
    }
    if (space) out.push_back(' ');
    space = false;
    out.push_back(c);
  }
  if (out.size() <= most) return out;
  size_t cut = most;
  while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xc0) == 0x80) --cut;
  return out.substr(0, cut) + "…";
}

std::string PlaceOf(const SourceSet& sources, const Span& span) {
  const SourceFile* file = sources.Find(span.file);
  return (file == nullptr ? std::string("?") : file->path()) + ":" + std::to_string(span.line) +
         ":" + std::to_string(span.column);
}

}  // namespace dpl::testing
