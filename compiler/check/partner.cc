// Partners: other organisations, whose issuer vouches for their subjects, and the most those may do
// here.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"
#include "runtime/base/text.h"

namespace dpl::check {
namespace {

constexpr int64_t kMaxHops = 8;

void ReadIssuer(Checker& c, const Symbol& s, const ast::PartnerDecl& decl, Partner* partner) {
  if (!decl.issuer.present) {
    Lacks(c, s, "an `issuer`, which vouches for its people",
          "add `issuer \"https://…\"`, as it stands in their tokens");
    return;
  }
  const std::string& issuer = decl.issuer.value;
  bool plain = !issuer.empty() && issuer.size() <= 1024 && !HasControl(issuer) &&
               issuer.find(' ') == std::string::npos;
  if (!plain) {
    c.ReportText(DPL0301, decl.issuer.span, Quote(issuer) + " is no issuer")
        .Help("write it exactly as in the `iss` of their tokens, such as \"https://id.example\"");
    return;
  }
  partner->issuer = c.model.AddString(issuer);
  // Two partners with one issuer could not be told apart.
  for (uint32_t other : c.by_kind[static_cast<size_t>(StatementKind::kPartner)]) {
    const Symbol* before = c.statement_symbols[other];
    if (before == &s) return;
    if (static_cast<const ast::PartnerDecl&>(*before->decl).issuer.value != issuer) continue;
    c.Report(DPL0202, decl.issuer.span, {"issuer " + Quote(issuer)})
        .Label(before->decl->head_span, "partner " + Quoted(before->name) + " has it too")
        .Help("an issuer names the subjects of one partner");
  }
}

void ReadHops(Checker& c, const ast::PartnerDecl& decl, Partner* partner) {
  partner->accepts_agents = decl.accepts_agents;
  partner->max_hops = decl.accepts_agents ? 1 : 0;
  if (!decl.hops.present) return;
  auto hops = WholeNumber(c, decl.hops);
  if (!decl.accepts_agents) {
    c.ReportText(DPL0102, decl.hops.span, "hops are counted of agents, and none are accepted here")
        .Help("add `accepts agents`, or leave the hops out");
  } else if (hops && (*hops < 1 || *hops > kMaxHops)) {
    c.Report(DPL0604, decl.hops.span,
             {"a partner's chain has 1 to " + std::to_string(kMaxHops) + " agents, not " +
              decl.hops.text});
  } else if (hops) {
    partner->max_hops = static_cast<uint32_t>(*hops);
  }
}

}  // namespace

void BuildPartner(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::PartnerDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true, .expires = true},
                   "a partner");
  ReadTerms(c, s, decl.meta, Need::kYes);
  if (!decl.meta.expires.present && !decl.incomplete) {
    c.Report(DPL0612, decl.head_span, {Quoted(s.name)})
        .Help("add `expires DATE`: the day on which somebody looks at the agreement again");
  }
  ReadIssuer(c, s, decl, &statement.partner);
  ReadHops(c, decl, &statement.partner);

  ExprScope scope = BoundingScope(*s.file, "a partner's condition");
  scope.person = scope.agent = scope.task = false;
  AddMay(c, statement, decl.may, ClauseRole::kPartnerMay, scope);
  if (decl.may.empty())
    Lacks(c, s, "a `may`, which says what its people can do here at most", "add `may … on …`");

  LimitPlace place;
  place.scope = &scope;
  place.person = false;
  place.partner = true;
  place.no_person = "its people are in no directory of ours; count for each `partner`";
  place.no_agent = "a partner's agents are its own; count for each `partner`";
  BuildLimits(c, s, decl.limits, place);
}

}  // namespace dpl::check
