// See expect.h.
#include "compiler/testing/expect.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "compiler/check/model.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/duty.h"

namespace dpl::testing {
namespace {

bool EndsWithName(std::string_view full, std::string_view name) {
  return full == name || (full.size() > name.size() && full.ends_with(name) &&
                          full[full.size() - name.size() - 1] == '.');
}

std::string Join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& p : parts) out += (out.empty() ? "" : ", ") + p;
  return out.empty() ? "nothing" : out;
}

static std::string StatementOf(const std::string& limit) {
  return limit.substr(0, limit.rfind('.'));
}

std::string DutyText(const ast::Duty& duty) {
  std::string out = "`" + std::string(DutyName(check::DutyKindOf(duty.kind)));
  if (duty.text.present)
    out += (duty.kind == ast::Duty::Kind::kSign ? " meaning \"" : " \"") + duty.text.value + "\"";
  for (size_t i = 0; i < duty.names.size(); ++i) out += (i == 0 ? " " : ", ") + duty.names[i].text;
  if (duty.who.present) {
    out += !duty.who.is_team ? " person \"" + duty.who.person.value + "\""
                             : " team " + duty.who.team.text;
  }
  return out + "`";
}

}  // namespace

std::string Expectation::Describe(const ast::Outcome& want) {
  std::string out;
  switch (want.kind) {
    case ast::Outcome::Kind::kPermit:
      out = "permit";
      break;
    case ast::Outcome::Kind::kDeny:
      out = want.code.empty() ? "deny" : "deny " + want.code.text;
      break;
    case ast::Outcome::Kind::kAsk:
      out = want.approval.empty() ? "ask" : "ask " + want.approval.text;
      break;
    case ast::Outcome::Kind::kVariable:
      out = want.variable.text;
      break;
  }
  for (size_t i = 0; i < want.by.size(); ++i) out += (i == 0 ? " by " : ", ") + want.by[i].text;
  if (!want.bound_by.empty()) out += " bound by " + want.bound_by.text;
  for (const ast::Duty& duty : want.must) out += " must " + DutyText(duty);
  return out;
}

std::string Expectation::Actual() const {
  switch (decision_.outcome) {
    case OutcomeKind::kPermit:
      return "permit";
    case OutcomeKind::kAsk:
      return "ask " + Join(Approvals());
    case OutcomeKind::kDeny:
      return "deny " + std::string(ReasonCode(decision_.reason));
  }
  return "?";
}

std::vector<std::string> Expectation::Approvals() const {
  std::vector<std::string> out;
  for (uint32_t a : decision_.approvals)
    out.emplace_back(program_.Text(program_.statements[program_.approval_statements[a]].name));
  return out;
}

std::vector<std::string> Expectation::Statements() const {
  std::vector<std::string> out;
  for (const By& by : decision_.by)
    out.emplace_back(program_.Text(program_.statements[by.statement].name));
  for (const LimitLine& line : decision_.limits) {
    if (decision_.outcome == OutcomeKind::kDeny && line.state == LimitState::kOk) continue;
    out.emplace_back(
        program_.Text(program_.statements[program_.limits[line.limit].statement].name));
  }
  return out;
}

std::string Expectation::Binding() const {
  for (const LimitLine& line : decision_.limits) {
    if (line.binding) return std::string(program_.Text(program_.limits[line.limit].name));
  }
  return {};
}

std::vector<std::string> Expectation::Duties() const {
  std::vector<std::string> out;
  for (const DutyOut& duty : decision_.duties) {
    out.emplace_back();
    AppendDuty(&out.back(), program_, duty);
  }
  return out;
}

// A duty of the permit that is as the test says; what the test leaves out may be anything.
bool Expectation::HasDuty(const ast::Duty& want) const {
  for (const DutyOut& have : decision_.duties) {
    const Duty& duty = DutyOf(program_, have);
    if (duty.kind != check::DutyKindOf(want.kind)) continue;
    if (want.text.present && want.text.value != program_.Text(duty.text)) continue;
    bool all = std::all_of(want.names.begin(), want.names.end(), [&](const ast::Name& name) {
      return std::any_of(duty.fields.begin(), duty.fields.end(),
                         [&](Str field) { return program_.Text(field) == name.text; });
    });
    if (!all || (want.who.present && !Means(want.who, duty.who))) continue;
    return true;
  }
  return false;
}

bool Expectation::Means(const ast::OwnerRef& want, const OwnerDef& have) const {
  if (!want.is_team)
    return have.person != kNone && program_.constants[have.person].text == want.person.value;
  return have.team != kNone &&
         EndsWithName(program_.Text(program_.schema.teams[have.team].name), want.team.text);
}

bool Expectation::IsKind(const ast::Outcome& want) const {
  switch (want.kind) {
    case ast::Outcome::Kind::kPermit:
      return decision_.outcome == OutcomeKind::kPermit;
    case ast::Outcome::Kind::kDeny:
      return decision_.outcome == OutcomeKind::kDeny &&
             (want.code.empty() || want.code.text == ReasonCode(decision_.reason));
    case ast::Outcome::Kind::kAsk: {
      std::vector<std::string> asked = Approvals();
      return decision_.outcome == OutcomeKind::kAsk &&
             (want.approval.empty() ||
              std::any_of(asked.begin(), asked.end(), [&](const std::string& a) {
                return EndsWithName(a, want.approval.text);
              }));
    }
    case ast::Outcome::Kind::kVariable:
      break;
  }
  return false;
}

std::string Expectation::Difference(const ast::Outcome& want) const {
  std::vector<std::string> wrong;
  const bool kind_ok = IsKind(want);
  if (!kind_ok) wrong.push_back("got " + Actual());
  std::vector<std::string> statements = Statements();
  for (const ast::QName& by : want.by) {
    if (kind_ok && std::none_of(statements.begin(), statements.end(),
                                [&](const std::string& s) { return EndsWithName(s, by.text); })) {
      wrong.push_back("`" + by.text + "` had no part in it (it rests on " + Join(statements) + ")");
    }
  }
  if (kind_ok && !want.bound_by.empty()) {
    std::string binding = Binding();
    if (!EndsWithName(binding, want.bound_by.text) &&
        !EndsWithName(StatementOf(binding), want.bound_by.text)) {
      wrong.push_back(binding.empty() ? "no limit binds" : "the limit that binds is " + binding);
    }
  }
  for (const ast::Duty& must : want.must) {
    if (kind_ok && !HasDuty(must))
      wrong.push_back(DutyText(must) + " is not among its duties (" + Join(Duties()) + ")");
  }
  return wrong.empty() ? std::string() : Join(wrong);
}

}  // namespace dpl::testing
