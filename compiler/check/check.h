// From syntax trees to meaning: names, types, governance and limits checked, everything that is
// wrong reported at once.
//
//   SourceSet sources; DiagnosticSink sink; std::vector<std::unique_ptr<ast::File>> files = …;   //
//   parsed, all of one set check::Model model; bool ok = check::Check(files, sources, options,
//   &sink, &model);   // false when the sink holds an error
//
// Reports through the sink only, never throws on user input. The model is complete (fit for
// lowering) only when true is returned. Annotates the trees in place.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "compiler/ast/nodes.h"
#include "compiler/check/model.h"
#include "compiler/diag/diagnostic.h"
#include "compiler/source/phase_times.h"
#include "compiler/source/source_file.h"
#include "runtime/base/instant.h"
#include "runtime/facts/snapshot.h"

namespace dpl::check {

struct CheckOptions {
  std::optional<Instant> as_of;  // review dates are judged against it; absent: W0409 is not checked
  const FactsInput* facts = nullptr;     // `(data)` codes need it
  size_t most_comparisons = 10'000'000;  // pairs of limits, before DPL0904 gives the question up
  PhaseTimes* times = nullptr;
};

bool Check(const std::vector<std::unique_ptr<ast::File>>& files, const SourceSet& sources,
           const CheckOptions& options, DiagnosticSink* sink, Model* model);

// Types one expression of a test or data block against an expected type, annotating it; used by the
// test runner through Check (every test expression is checked with the rest).

}  // namespace dpl::check
