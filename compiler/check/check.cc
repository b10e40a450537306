// The phases of a check, in order.
#include "compiler/check/check.h"

#include <string>
#include <unordered_set>

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
  auto phase = [&](const char* name) { BeginPhase(options.times, name); };
  std::unordered_set<std::string> unread;
  for (const auto& file : files) unread.insert(file->unread.begin(), file->unread.end());
  sink->SetUnread(std::move(unread));
  Checker c(sources, options, sink, model);
  phase("names");
  InternBasicTypes(c);
  CollectNames(c, files);
  phase("schema");
  BuildSchema(c);
  BuildZones(c);
  BuildOwners(c);
  for (Symbol* constant : SortedSymbols(c, SymbolKind::kConst)) ConstantOf(c, *constant);
  BuildFunctions(c);
  BuildRoles(c);
  phase("statements");
  BuildStatements(c);
  phase("ownership");
  CheckOwnership(c);
  phase("delegations");
  CheckDelegations(c);
  CheckAgents(c);
  CheckSeparateRoles(c);
  phase("limits");
  CheckMustBeLimited(c);
  CheckConflicts(c);
  CheckObligations(c);
  phase("facts");
  CheckFacts(c);
  phase("tests");
  CheckTests(c);
  phase("redundancy");
  // What is pointless is worth a word only once the rest is right.
  if (!sink->HasErrors()) CheckRedundant(c);
  ReportUnusedImports(c);
  EndPhase(options.times);
  return !sink->HasErrors();
}

}  // namespace dpl::check
