// "Did you mean": the known names nearest to one that is not known.
//
//   sink.Report(DPL0201, span, {"team", "`finanse`"}).Help(DidYouMean(NearNames("finanse",
//   teams)));
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dpl {

// At most three of `known`, nearest first: by edit distance (a swap of neighbours counts one), ties
// in byte order. Names further than a third of the longer length (at least 1, at most 3) are not
// near; letter case and the package part of a qualified name cost little.
std::vector<std::string> NearNames(std::string_view name, const std::vector<std::string>& known);

// "did you mean `finance`, `fiance` or `finances`?"; empty for no names, and an empty help line is
// never printed.
std::string DidYouMean(const std::vector<std::string>& names);

}  // namespace dpl
