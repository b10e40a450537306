// See world.h.
#include "tests/unit/decide/world.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "compiler/diag/render.h"
#include "compiler/testing/compile.h"
#include "runtime/base/money.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/answer_pieces.h"
#include "runtime/decide/approval.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"
#include "runtime/state/counter_name.h"
#include "runtime/state/seed.h"

namespace dpl {
namespace {

const WireValue* Parse(const std::string& json, Arena* arena) {
  if (json.empty()) return nullptr;
  Result<const WireValue*> v = ParseJson(json, arena);
  if (!v.ok()) {
    ADD_FAILURE() << "bad JSON in the test: " << json << ": " << v.error().message;
    return nullptr;
  }
  return *v;
}

}  // namespace

std::string DiagnosticsOf(std::string_view text) {
  testing::Compilation c;
  c.sources.Add("policy.dpl", std::string(text));
  if (testing::Compile({}, &c)) return {};
  std::string out;
  for (const Diagnostic& d : c.sink.Sorted())
    out += std::string(CodeText(d.code)) + " " + d.message + "\n";
  return out;
}

std::shared_ptr<const Program> CompilePolicy(std::string_view text) {
  testing::Compilation c;
  c.sources.Add("policy.dpl", std::string(text));
  bool ok = testing::Compile({}, &c);
  EXPECT_TRUE(ok) << DiagnosticsOf(text);
  return ok ? c.program : nullptr;
}

World::World(std::string_view policy, std::string_view facts, std::string_view at) {
  now = *ParseInstant(at);
  facts_ = std::string(facts);
  program_ = CompilePolicy(policy);
  if (program_ == nullptr) throw std::runtime_error("the policy of this test is not right");
  Facts(facts_);
  Seed(facts_);
}
World::~World() = default;

void World::Policy(std::string_view policy) {
  program_ = CompilePolicy(policy);
  if (program_ != nullptr) Facts(facts_);
}

void World::Facts(std::string_view facts) {
  facts_ = std::string(facts);
  Result<FactsInput> input = ReadFactsJson(facts_, "facts.json");
  ASSERT_TRUE(input.ok()) << input.error().message << " at line " << input.error().line;
  Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(program_, *input, now);
  ASSERT_TRUE(built.ok()) << built.error().message << " at line " << built.error().line;
  snapshot = built.take();
}

void World::Seed(std::string_view facts) {
  Result<FactsInput> input = ReadFactsJson(facts, "facts.json");
  ASSERT_TRUE(input.ok()) << input.error().message;
  Status s = SeedState(*snapshot, *input, &store, now);
  ASSERT_TRUE(s.ok()) << s.error().message << " at line " << s.error().line;
}

Request World::ToRequest(const Ask& ask, Arena* arena) {
  Request r;
  r.caller = &caller;
  r.subject_type = ask.subject_type;
  r.subject_id = ask.subject_id;
  r.subject_properties = Parse(ask.subject_properties, arena);
  if (ask.subject_id.empty() && !ask.hops.empty()) {
    r.subject_type = "agent";
    r.subject_id = ask.hops[0].agent;
  }
  for (const Ask::Hop& hop : ask.hops) {
    if (r.hop_count == kMaxHops) {
      r.too_many_hops = true;
      break;
    }
    Request::Hop out;
    out.agent = hop.agent;
    out.instance = hop.instance;
    out.born = hop.born;
    out.issuer = hop.issuer;
    out.is_person = hop.is_person;
    r.hops[static_cast<size_t>(r.hop_count++)] = out;
  }
  r.subject_issuer = ask.issuer;
  r.action = ask.action;
  r.action_properties = Parse(ask.params, arena);
  r.resource_type = ask.type;
  r.resource_id = ask.id;
  r.resource_properties = Parse(ask.properties, arena);
  r.context = Parse(ask.context, arena);
  r.task = ask.task;
  if (!ask.approval.empty()) r.Present(ask.approval);
  r.charge_key = ask.key;
  r.break_glass = ask.break_glass;
  r.break_glass_reason = ask.reason;
  r.break_glass_ticket = ask.ticket;
  r.duties = ask.duties;
  r.signed_in = ask.signed_in;
  r.dry_run = ask.dry_run;
  r.explain = ask.explain;
  r.clock_suspect = ask.clock_suspect;
  return r;
}

const Decision& World::Decide(const Ask& ask) {
  kept_ = std::make_unique<Ask>(ask);
  arena_.Reset();
  last_request = ToRequest(*kept_, &arena_);
  last = &dpl::Decide(*snapshot, &store, last_request, now, &scratch, observer);
  return *last;
}

const Decision& World::Decide(const Ask& ask, Scratch* own, Arena* arena) {
  Request r = ToRequest(ask, arena);
  return dpl::Decide(*snapshot, &store, r, now, own);
}

std::string World::Json(bool details) {
  std::string out;
  AnswerOptions options;
  options.evaluation_id = "ev_1";
  options.details = details;
  AppendAnswerJson(&out, *snapshot, last_request, *last, options);
  // Parts made beforehand change no byte.
  AnswerPieces parts(snapshot->program());
  std::string with_parts;
  options.parts = &parts;
  AppendAnswerJson(&with_parts, *snapshot, last_request, *last, options);
  EXPECT_EQ(with_parts, out);
  return out;
}

std::string World::Explanation() {
  std::string out;
  AppendExplanation(&out, *snapshot, last_request, *last);
  return out;
}

std::string World::Approve(std::vector<std::string> approvers) {
  std::string id = "approval-" + std::to_string(++approvals_);
  EXPECT_EQ(last->outcome, OutcomeKind::kAsk);
  if (last->outcome != OutcomeKind::kAsk) return id;
  EXPECT_TRUE(
      store.RecordApproval(MakeApproval(*program_, *last, id, std::move(approvers), now)).ok());
  return id;
}

int64_t World::UsedOf(std::string_view name, std::string_view person, std::string_view currency) {
  for (const Limit& limit : program_->limits) {
    if (program_->Text(limit.name) != name) continue;
    std::string counter;
    BeginCounterName(&counter, program_->Text(limit.identity));
    if (!person.empty()) AppendCounterPart(&counter, 'p', person);
    if (!currency.empty()) AppendCounterPart(&counter, 'u', currency);
    CounterKey key = WindowOfLimit(limit, program_->schema, std::max(now, store.HighTime()));
    key.identity = counter;
    return store.Used(key, now);
  }
  ADD_FAILURE() << "no limit " << name;
  return -1;
}

uint32_t World::Statement(std::string_view name) const { return snapshot->FindStatement(name); }
std::string_view World::Name(uint32_t statement) const {
  return program_->Text(program_->statements[statement].name);
}

std::string World::By() const {
  std::string out;
  for (const dpl::By& by : last->by)
    out += (out.empty() ? "" : ", ") + std::string(Name(by.statement));
  return out;
}

std::string World::Binding() const {
  for (const LimitLine& line : last->limits) {
    if (line.binding) return std::string(program_->Text(program_->limits[line.limit].name));
  }
  return {};
}

}  // namespace dpl
