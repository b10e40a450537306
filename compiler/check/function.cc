// Functions: a body that is written out wherever it is called.
//
// A declaration is checked once, on the side that demands less; each call checks a copy of the body
// again, with what the calling clause sees and on its side (an optional value that a grant must
// test is no error in a forbid). The copy, annotated, is the call's `target`.
#include <algorithm>

#include "compiler/check/expr_checker.h"
#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"

namespace dpl::check {
namespace {

// How large a body may be with all it calls written out: functions that call each other twice and
// twice again would outgrow every bound.
constexpr uint64_t kMaxInlined = 4096;

// Nodes of a checked body, those of the functions it calls counted as written out; what it sees.
void Measure(Checker& c, const ast::Expr& e, FunctionInfo* info) {
  info->size = std::min<uint64_t>(info->size + 1, UINT32_MAX);
  switch (e.ref) {
    case ast::RefKind::kVarPerson:
      if (!info->person.known()) info->person = e.span;
      break;
    case ast::RefKind::kVarNow:
    case ast::RefKind::kNowDate:
    case ast::RefKind::kNowTime:
    case ast::RefKind::kNowWeekday:
      if (!info->now.known()) info->now = e.span;
      break;
    case ast::RefKind::kContextAttr:
      if (!info->context.known()) info->context = e.span;
      break;
    case ast::RefKind::kFunction: {
      const FunctionInfo& called = *c.function_infos[e.ref_a];
      info->size = std::min<uint64_t>(info->size + called.size, UINT32_MAX);
      if (!info->person.known()) info->person = called.person;
      if (!info->now.known()) info->now = called.now;
      if (!info->context.known()) info->context = called.context;
      break;
    }
    case ast::RefKind::kVarLocal:
      if (e.ref_a < info->used.size()) info->used[e.ref_a] = true;
      break;
    default:
      break;
  }
  for (const auto& arg : e.args) Measure(c, *arg, info);
}

void CheckParams(Checker& c, const Symbol& s, ast::FunctionDecl& decl, FunctionInfo* info) {
  for (const ast::Param& param : decl.params) {
    bool twice =
        std::any_of(info->params.begin(), info->params.end(),
                    [&](const FunctionParam& other) { return other.name == param.name.text; });
    if (twice) c.Report(DPL0202, param.name.span, {"parameter " + Quoted(param.name.text)});
    if (IsVariableName(param.name.text)) {
      c.Report(DPL0207, param.name.span, {Quoted(param.name.text)}).Help("choose another name");
      info->ok = false;
    }
    TypeId type = ResolveType(c, param.type, *s.file);
    if (type != kNone && IsOptional(c, type)) {
      c.ReportText(DPL0301, param.type.span, "a parameter of a function always has a value")
          .Help("leave the `?` out: a call with an absent value is unknown, as any use of it is");
      type = kNone;
    }
    info->params.push_back({param.name.text, type});
    info->ok = info->ok && type != kNone && !twice;
  }
  info->result = ResolveType(c, decl.result, *s.file);
  if (info->result != kNone && IsOptional(c, info->result)) {
    c.ReportText(DPL0301, decl.result.span, "a function always gives a value")
        .Help("leave the `?` out: without a value its result is unknown");
    info->result = kNone;
  }
  info->ok = info->ok && info->result != kNone;
}

}  // namespace

const FunctionInfo& FunctionOf(Checker& c, const Symbol& s) {
  FunctionInfo& info = *c.function_infos[s.index];
  if (info.done) return info;
  auto& decl = static_cast<ast::FunctionDecl&>(*s.decl);
  if (info.busy) {
    c.Report(DPL0314, decl.head_span, {"function " + Quoted(s.name)})
        .Help("a function is written out where it is called, so no way may lead back to it");
    info.ok = false;
    return info;
  }
  info.busy = info.ok = true;
  CheckParams(c, s, decl, &info);
  if (decl.body == nullptr) info.ok = false;
  if (info.ok) {
    ExprScope scope;
    scope.file = s.file;
    scope.where = "a function";
    scope.person = scope.now = scope.context = true;
    scope.restricting = true;
    scope.params = &info.params;
    bool typed = CheckTyped(c, *decl.body, info.result, scope) != kNone;
    info.ok = info.ok && typed;
  }
  if (info.ok) {
    info.used.assign(info.params.size(), false);
    Measure(c, *decl.body, &info);
    for (size_t i = 0; i < info.params.size(); ++i) {
      if (info.used[i]) continue;
      c.Report(DPL0703, decl.params[i].name.span, {"parameter " + Quoted(info.params[i].name)})
          .Help("leave it out");
    }
    if (info.size > kMaxInlined) {
      c.ReportText(DPL0106, decl.head_span,
                   "function " + Quoted(s.name) + " is more than " + std::to_string(kMaxInlined) +
                       " operations long with the functions it calls written out")
          .Help("compute less of it, or hold the answer as a fact");
      info.ok = false;
    }
  }
  info.busy = false;
  info.done = true;
  return info;
}

void BuildFunctions(Checker& c) {
  std::vector<Symbol*> functions = SortedSymbols(c, SymbolKind::kFunction);
  for (Symbol* symbol : functions) {
    symbol->index = static_cast<uint32_t>(c.function_infos.size());
    c.function_infos.push_back(std::make_unique<FunctionInfo>());
  }
  for (Symbol* symbol : functions) FunctionOf(c, *symbol);
}

// "mine(d: app.Doc)"
std::string SignatureOf(const Checker& c, const Symbol& s, const FunctionInfo& info) {
  std::string text = s.name + "(";
  for (size_t i = 0; i < info.params.size(); ++i) {
    if (i != 0) text += ", ";
    text += info.params[i].name + ": " + TypeText(c, info.params[i].type);
  }
  return text + ")";
}

TypeId ExprChecker::FunctionCall(ast::Expr& e, const Symbol& symbol) {
  const Span& at = e.name_span.known() ? e.name_span : e.span;
  const FunctionInfo& info = FunctionOf(c_, symbol);
  if (!info.ok) return kNone;  // what is wrong with it was said there
  if (info.params.size() != e.args.size()) {
    c_.Report(DPL0312, e.span,
              {Quoted(e.text), Quoted(SignatureOf(c_, symbol, info)) + ", not " +
                                   std::to_string(e.args.size()) +
                                   (e.args.size() == 1 ? " argument" : " arguments")})
        .Label(symbol.decl->head_span, "declared here");
    return kNone;
  }
  bool ok = true;
  for (size_t i = 0; i < e.args.size(); ++i) {
    TypeId type = Value(*e.args[i], info.params[i].type);
    if (type != kNone && type != info.params[i].type) {
      c_.Report(DPL0312, e.args[i]->span,
                {Quoted(e.text),
                 Quoted(SignatureOf(c_, symbol, info)) + "; this is " + DescribeType(c_, type)})
          .Label(symbol.decl->head_span, "declared here");
      type = kNone;
    }
    ok = ok && type != kNone;
  }
  struct Need {
    const Span& span;
    bool visible;
    const char* name;
  };
  for (const Need& need :
       {Need{info.person, scope_.person, "`person`"}, Need{info.now, scope_.now, "`now`"},
        Need{info.context, scope_.context, "`context`"}}) {
    if (!need.span.known() || need.visible) continue;
    c_.Report(DPL0310, at, {need.name, scope_.where})
        .Label(need.span, "the function reads it here");
    ok = false;
  }
  if (!ok) return kNone;
  ExprScope inner;
  inner.file = symbol.file;
  inner.where = "a function";
  inner.person = inner.now = inner.context = true;
  inner.restricting = scope_.restricting;
  inner.params = &info.params;
  ast::Expr* body = CloneInto(c_.model, *static_cast<const ast::FunctionDecl&>(*symbol.decl).body);
  if (CheckTyped(c_, *body, info.result, inner) == kNone) return kNone;
  e.ref = ast::RefKind::kFunction;
  e.ref_a = symbol.index;
  e.target = body;
  return info.result;
}

}  // namespace dpl::check
