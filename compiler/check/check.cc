// The phases of a check, in order.
#include "compiler/check/check.h"

#include "compiler/check/checker.h"
#include "compiler/check/expr.h"
#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {
bool Check(const std::vector<std::unique_ptr<ast::File>>& files, const SourceSet& sources,
           const CheckOptions& options, DiagnosticSink* sink, Model* model) {
  Checker c(sources, options, sink, model);
  InternBasicTypes(c);
  CollectNames(c, files);
  ReportUnsupported(c);
  BuildSchema(c);
  BuildZones(c);
  BuildOwners(c);
  for (Symbol* constant : SortedSymbols(c, SymbolKind::kConst)) ConstantOf(c, *constant);
  BuildRoles(c);
  BuildStatements(c);
  CheckOwnership(c);
  CheckDelegations(c);
  CheckAgents(c);
  CheckMustBeLimited(c);
  CheckConflicts(c);
  CheckFacts(c);
  CheckTests(c);
  ReportUnusedImports(c);
  return !sink->HasErrors();
}

}  // namespace dpl::check
