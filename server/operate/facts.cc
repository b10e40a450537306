// /v1/facts: which facts are in force, replacing them, and changing them record by record.
#include "server/operate/call.h"
#include "server/operate/facts_feed.h"
#include "server/operate/routes.h"

namespace dpl {
namespace {

void WriteFacts(Call& call, const FactsInForce& facts) {
  call.Header("ETag", "\"" + facts.version + "\"");
  JsonWriter& out = call.Answer();
  out.BeginObject().Member("version", facts.version);
  out.Member("as_of", FormatInstant(facts.as_of));
  out.Member("source", facts.pushed ? "pushed" : "file").Member("file", facts.file);
  if (facts.pushed) {
    out.Key("changes").Uint(facts.changes);
    out.Key("kept_bytes").Uint(facts.kept_bytes);
  }
  if (!facts.replaced.empty()) out.Member("replaced", facts.replaced);
  out.EndObject();
}

// The version that must be in force: of `If-Match`, empty when any will do. False after a problem.
bool ReadExpected(Call& call, std::string_view* out) {
  HttpRequest::Found found = call.http().Find("If-Match");
  *out = {};
  if (found.count == 0 || found.value == "*") return true;
  std::string_view tag = found.value;
  if (found.count > 1 || tag.size() < 3 || tag.front() != '"' || tag.back() != '"' ||
      tag.substr(1, tag.size() - 2).find('"') != std::string_view::npos) {
    call.Problem(ProblemKind::kInvalidHeader, "If-Match must be one version in quotes, or *");
    return false;
  }
  *out = tag.substr(1, tag.size() - 2);
  return true;
}

void Refused(Call& call, const Error& error) {
  ProblemKind kind = ProblemKind::kInvalidFacts;
  if (error.code == "facts.moved") kind = ProblemKind::kMoved;
  if (error.code == "facts.kept") kind = ProblemKind::kNotWritable;
  call.Problem(kind, error.message, {{}, error.line, error.column, {}});
}

using Push = Result<FactsInForce> (FactsFeed::*)(std::string_view, std::string_view);

void PushFacts(Call& call, std::string_view event, Push push) {
  FactsFeed* feed = call.options().facts;
  std::string_view expected;
  if (!ReadExpected(call, &expected) || !call.MayChange()) return;
  Result<FactsInForce> now = (feed->*push)(call.http().body, expected);
  if (!now.ok()) return Refused(call, now.error());
  if (!call.Changed({.event = event,
                     .fields = {{"version", now->version},
                                {"replaced", now->replaced},
                                {"as_of", FormatInstant(now->as_of)}}}))
    return;
  WriteFacts(call, *now);
}

}  // namespace

void GetFactsVersion(Call& call) { WriteFacts(call, call.options().facts->Look()); }

void ReplaceFacts(Call& call) { PushFacts(call, "facts.replace", &FactsFeed::Replace); }

void ChangeFacts(Call& call) { PushFacts(call, "facts.change", &FactsFeed::Change); }

}  // namespace dpl
