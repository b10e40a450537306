// dplc explain CODE: what a diagnostic or a decision's reason means, and what to do about it.
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/embedded.h"
#include "compiler/dplc/report.h"
#include "runtime/base/near_name.h"
#include "runtime/base/text.h"
#include "runtime/decide/decision.h"

namespace dpl::dplc {
namespace {

std::vector<std::string> AllCodes() {
  std::vector<std::string> out;
  for (const DiagInfo& info : DiagCatalogue()) out.push_back(CodeText(info.code));
#define DPL_REASON(name, code, step, user, meaning) out.emplace_back(code);
#include "runtime/decide/reasons.def"
#undef DPL_REASON
  return out;
}

}  // namespace

int RunExplain(const ExplainArgs& args) {
  bool json = args.format == "json";
  std::string out;
  if (const DiagInfo* info = FindDiag(args.code)) {
    std::string code = CodeText(info->code);
    std::string severity = info->severity == Severity::Error ? "error" : "warning";
    std::string_view page = EmbeddedFile("docs/diagnostics/" + code + ".md");
    if (json) {
      out = "{\"code\":\"" + code + "\",\"severity\":\"" + severity + "\",\"meaning\":";
      AppendJsonString(&out, info->meaning);
      out += ",\"page\":";
      AppendJsonString(&out, page);
      Out(out + "}\n");
    } else if (page.empty()) {
      Out(code + " (" + severity + "): " + info->meaning + "\n");
    } else {
      Out(page);
    }
    return kOk;
  }
  Reason reason = Reason::kPermit;
  if (FindReason(args.code, &reason)) {
    if (json) {
      out = "{\"code\":";
      AppendJsonString(&out, ReasonCode(reason));
      out += ",\"step\":" + std::to_string(ReasonStep(reason)) + ",\"meaning\":";
      AppendJsonString(&out, ReasonMeaning(reason));
      out += ",\"reason_user\":";
      AppendJsonString(&out, ReasonUserText(reason));
      Out(out + "}\n");
    } else {
      Out(std::string(ReasonCode(reason)) + " (a decision's reason" +
          (ReasonStep(reason) == 0
               ? std::string()
               : ", step " + std::to_string(ReasonStep(reason)) + " of the decision") +
          "): " + std::string(ReasonMeaning(reason)) +
          "\nThe user is told: " + std::string(ReasonUserText(reason)) + "\n");
    }
    return kOk;
  }
  std::string near = DidYouMean(NearNames(args.code, AllCodes()));
  Err("dplc: there is no diagnostic or reason `" + args.code + "`" +
      (near.empty() ? "" : "; " + near) + "\n");
  return kUsage;
}

}  // namespace dpl::dplc
