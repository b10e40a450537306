// See call.h.
#include "server/operate/call.h"

namespace dpl {
namespace {

struct ProblemRow {
  std::string_view slug;
  int status;
  std::string_view title;
};

constexpr ProblemRow kProblems[] = {
#define DPL_PROBLEM(name, slug, status, title) {slug, status, title},
#include "server/operate/problems.def"
#undef DPL_PROBLEM
};

}  // namespace

std::string_view ProblemSlug(ProblemKind kind) { return kProblems[static_cast<size_t>(kind)].slug; }

std::optional<std::string_view> Call::Query(std::string_view name) const {
  for (const auto& [known, value] : query_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

JsonWriter& Call::Answer(int status) {
  response_->status = status;
  response_->body.clear();
  return writer_.emplace(&response_->body);
}

void Call::Problem(ProblemKind kind, std::string_view detail, const ProblemPlace& place) {
  if (failed_) return;  // the first one says it
  failed_ = true;
  const ProblemRow& row = kProblems[static_cast<size_t>(kind)];
  response_->status = row.status;
  response_->content_type = kProblemType;
  response_->body.clear();
  JsonWriter writer(&response_->body);
  writer.BeginObject();
  writer.Member("type", "urn:dpl:problem:" + std::string(row.slug)).Member("title", row.title);
  writer.Key("status").Int(row.status).Member("detail", detail);
  if (!place.pointer.empty()) writer.Member("pointer", place.pointer);
  if (place.line != 0) writer.Key("line").Uint(place.line).Key("column").Uint(place.column);
  if (!place.suggestions.empty()) {
    writer.Key("suggestions").BeginArray();
    for (const std::string& name : place.suggestions) writer.String(name);
    writer.EndArray();
  }
  writer.EndObject();
}

bool Call::MayActAs(std::string_view person) {
  if (!caller_->person.empty() && caller_->person != person) {
    Problem(ProblemKind::kForbidden, "a personal token acts as that person only");
    return false;
  }
  if (caller_->person.empty() && !caller_->caller.serves_persons) {
    Problem(ProblemKind::kForbidden,
            "this is an act of a person: the caller must be registered to serve persons, or hold "
            "that person's token");
    return false;
  }
  return true;
}

std::string_view Call::WhoActs() const {
  return caller_->person.empty() ? std::string_view(caller_->caller.name) : caller_->person;
}

void Call::StoreProblem(const Error& error) {
  const bool room = error.code == "state.full" || error.code == "state.failed";
  Problem(room ? ProblemKind::kNotWritable : ProblemKind::kConflict, error.message);
}

void Call::WaitForState() { response_->hold.Join({store().Written(), 0}); }

bool Call::MayChange() {
  StoreHealth health = store().Health();
  if (!health.writable) {
    Problem(ProblemKind::kNotWritable, "state cannot be written: " + health.error);
    return false;
  }
  if (!AuditReady(options_.trail)) {
    Problem(ProblemKind::kNotWritable,
            "the audit log cannot be written, and what is not recorded is not changed");
    return false;
  }
  return true;
}

bool Call::MayGive() {
  if (!MayChange()) return false;
  if (options_.service->clock_guard().Trust(now_, options_.clock->MonotonicUs())) return true;
  Problem(ProblemKind::kNotWritable, "the wall clock jumped ahead, and has to be confirmed first");
  return false;
}

bool Call::Changed(StateChange change) {
  change.time = now_;
  change.caller = caller_->caller.name;
  change.request_id = request_id_;
  change.trace_id = trace_.trace_id;
  change.span_id = trace_.span_id;
  change.epoch = store().Epoch();
  if (change.person.empty()) change.person = caller_->person;
  const Recorded recorded = RecordChange(options_.trail, change);
  response_->hold.Join({store().Written(), recorded.ticket});
  if (recorded.ok) return true;
  Problem(ProblemKind::kNotWritable, "it counts from now on, but could not be recorded");
  return false;
}

}  // namespace dpl
