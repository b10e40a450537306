// The three search endpoints of the AuthZEN Authorization API 1.0: what is asked and the page, both
// ways. What is found is runtime/search's.
#include "runtime/search/search.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "runtime/audit/search_record.h"
#include "runtime/base/decimal.h"
#include "runtime/base/text.h"
#include "runtime/decide/answer.h"
#include "runtime/json/json_writer.h"
#include "server/api/page_token.h"
#include "server/api/service_thread.h"

namespace dpl {
namespace {

int64_t MonotonicNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The object with one text in it put in, in place of what it had there. Null: no memory.
const WireValue* WithText(const WireValue& object, std::string_view name, std::string_view text,
                          Arena* arena) {
  auto* copy = arena->New<WireValue>(object);
  auto* members = arena->NewArray<WireMember>(object.count + 1);
  if (copy == nullptr || members == nullptr) return nullptr;
  copy->count = 0;
  for (uint32_t i = 0; i < object.count; ++i) {
    if (object.members[i].name != name) members[copy->count++] = object.members[i];
  }
  WireMember& own = members[copy->count++];
  own.name = name;
  own.value.kind = WireValue::Kind::kString;
  own.value.text = text;
  copy->members = members;
  return copy;
}

struct PageAsked {
  uint32_t limit = 0;
  bool says_limit = false;
  std::string_view token;  // empty: the first page
};

// A whole number from 0 on, however large; beyond `most` it is that.
bool ReadLimit(const WireValue& value, uint32_t most, uint32_t* out) {
  if (!value.is_number()) return false;
  if (Result<int64_t> number = ParseInt(value.text); number.ok()) {
    *out = static_cast<uint32_t>(std::clamp<int64_t>(*number, 0, most));
    return *number >= 0;
  }
  *out = most;
  return value.text.find_first_not_of("0123456789") == std::string_view::npos;
}

// What is wrong with `page`, and where; nothing: null.
const WireValue* ReadPage(const WireValue& root, const SearchLimits& limits, PageAsked* out,
                          std::string_view* why) {
  out->limit = limits.page;
  const WireValue* page = FindSet(root, "page");
  if (page == nullptr) return nullptr;
  *why = "`page` must be an object";
  if (!page->is_object()) return page;
  *why = "`page.limit` must be a whole number from 0 on";
  if (const WireValue* limit = FindSet(*page, "limit")) {
    if (!ReadLimit(*limit, limits.most, &out->limit)) return limit;
    out->says_limit = true;
  }
  *why = "`page.token` must be a string";
  if (const WireValue* token = FindSet(*page, "token")) {
    if (!token->is_string()) return token;
    out->token = token->text;
  }
  *why = "`page.properties` must be an object";
  if (const WireValue* more = FindSet(*page, "properties"); more != nullptr && !more->is_object())
    return more;
  return nullptr;
}

// From one page to the next everything stays as it was; a limit that is not said again, too.
bool GoOn(const PagePlace& place, PageAsked* page) {
  if (place.limit == 0) return true;  // nothing was asked for yet
  if (page->says_limit) return page->limit == place.limit;
  page->limit = place.limit;
  return true;
}

// What a token is bound to: the question and who asks it, whatever the order of its members.
void AppendCanonical(std::string* out, const WireValue& value) {
  if (value.is_array()) {
    out->push_back('[');
    for (uint32_t i = 0; i < value.count; ++i) {
      AppendCanonical(out, value.items[i]);
      out->push_back(',');
    }
    out->push_back(']');
  } else if (value.is_object()) {
    std::vector<const WireMember*> members;
    for (uint32_t i = 0; i < value.count; ++i) members.push_back(&value.members[i]);
    std::sort(members.begin(), members.end(),
              [](const WireMember* a, const WireMember* b) { return a->name < b->name; });
    out->push_back('{');
    for (const WireMember* member : members) {
      AppendJsonString(out, member->name);
      out->push_back(':');
      AppendCanonical(out, member->value);
      out->push_back(',');
    }
    out->push_back('}');
  } else {
    JsonWriter(out).Wire(value);
  }
}

Digest DigestOf(SearchFor what, const Caller& caller, const WireEvaluation& wire) {
  std::string text(SearchForName(what));
  text.push_back(' ');
  AppendJsonString(&text, caller.name);
  for (const WireValue* part : {wire.subject, wire.action, wire.resource, wire.context}) {
    text.push_back(' ');
    if (part != nullptr) AppendCanonical(&text, *part);
  }
  return Sha256(text);
}

void AppendEntity(JsonWriter* w, SearchFor what, const Request& request, std::string_view id) {
  if (what == SearchFor::kAction) {
    w->Member("name", id);
    return;
  }
  w->Member("type", what == SearchFor::kSubject ? request.subject_type : request.resource_type);
  w->Member("id", id);
}

void AnswerSearch(SearchFor what, const Question& question, ServiceThread* thread,
                  HttpResponse* response) {
  const int64_t start = MonotonicNs();
  const Caller& caller = *question.caller;
  if (!caller.search) return response->Error(403, "the caller is not registered to search");
  const WireValue* root = ReadBody(question, thread, response);
  if (root == nullptr) return;
  auto refuse = [&](std::string_view why) { RefuseQuestion(question, thread, response, why); };

  // The searched entity's id is ignored, an action's search names none; all else is read as for an
  // evaluation.
  WireEvaluation wire = {root->Find("subject"), root->Find("action"), root->Find("resource"),
                         FindSet(*root, "context")};
  static constexpr WireValue kNothing = [] {
    WireValue v;
    v.kind = WireValue::Kind::kObject;
    return v;
  }();
  if (what == SearchFor::kAction) wire.action = &kNothing;
  const WireValue*& searched = what == SearchFor::kSubject    ? wire.subject
                               : what == SearchFor::kResource ? wire.resource
                                                              : wire.action;
  const std::string_view key = what == SearchFor::kAction ? "name" : "id";
  if (searched != nullptr && searched->is_object()) {
    searched = WithText(*searched, key, {}, &thread->arena);
    if (searched == nullptr) return response->Error(503, "there is no memory for this question");
  }
  Result<Request> read = ReadWireRequest(wire, caller, &thread->arena);
  if (!read.ok()) return refuse(LocatedText(read.error()));
  PageAsked page;
  std::string_view why;
  if (const WireValue* wrong = ReadPage(*root, question.options->search, &page, &why))
    return RefuseAt(*wrong, why, question, thread, response);

  const Snapshot& snapshot = *thread->in_force.snapshot;
  const Digest asked = DigestOf(what, caller, wire);
  SearchQuery query;
  query.what = what;
  query.request = *read;
  query.request.clock_suspect = question.clock_suspect;
  query.question = asked;
  PagePlace place;
  if (!page.token.empty()) {
    switch (thread->tokens.Read(page.token, asked, snapshot.program().digest, &place)) {
      case PageToken::kGood:
        if (!GoOn(place, &page))
          return refuse("`page.limit` is not what it was: it must stay the same from page to page");
        break;
      case PageToken::kOtherPolicy:
        return refuse(
            "the policy was replaced since the page before: search anew, without a token");
      case PageToken::kBad:
        return refuse(
            "`page.token` does not belong to this question: whatever is asked must stay the same "
            "from page to page; or the server was started anew. Search anew, without a token");
    }
    query.after = place.after;
  }
  if (!thread->recorder.Ready())
    return response->Error(503, "the audit log takes no record, so nothing is searched");
  WireEvaluation about = wire;
  query.about_subject = [&](std::string_view id) {
    about.subject = WithText(*wire.subject, "id", id, &thread->arena);
    Request none = *read;
    none.malformed = "there is no memory for this question";
    if (about.subject == nullptr) return none;
    Result<Request> other = ReadWireRequest(about, caller, &thread->arena);
    return other.ok() ? *other : none;
  };

  SearchBounds bounds;
  bounds.results = page.limit;
  bounds.decisions = question.options->search.decisions;
  const int64_t until = start + int64_t{question.options->search.milliseconds} * 1'000'000;
  bounds.tired = [until] { return MonotonicNs() > until; };

  std::string results;
  JsonWriter found_out(&results);
  found_out.BeginArray();
  bool logged = false;
  SearchPage found = Search(*thread->in_force.search, question.store, query, bounds, question.now,
                            &thread->scratch, [&](std::string_view id, const Decision& d) {
                              found_out.BeginObject();
                              AppendEntity(&found_out, what, query.request, id);
                              thread->text.clear();
                              if (AppendObligationsJson(&thread->text, snapshot, d))
                                found_out.Key("context").Raw(thread->text);
                              found_out.EndObject();
                              for (const DutyOut& duty : d.duties)
                                logged |= duty.kind == DutyKind::kLog;
                            });
  found_out.EndArray();
  if (page.limit == 0) found = {.more = true, .position = place.after};  // nothing was looked at
  std::string token;
  if (found.more)
    thread->tokens.Append(&token, asked, snapshot.program().digest, {page.limit, found.position});
  // The page stands first: so a client that reads as it comes knows what comes.
  std::string* out = &response->body;
  JsonWriter w(out);
  w.BeginObject();
  w.Key("page").BeginObject().Member("next_token", token).Key("count").Uint(found.results);
  if (found.complete) w.Key("total").Uint(found.results);
  w.EndObject().Key("results").Raw(results);

  SearchTold told;
  told.evaluation_id = thread->NextEvaluationId();
  told.request_id = caller.request_id_keys ? std::string_view() : question.request_id;
  told.what = SearchForName(what);
  told.in_force = thread->in_force.recorded_as;
  told.time = question.now;
  told.epoch = question.store->Epoch();
  told.limit = page.limit;
  told.results = found.results;
  told.decisions = found.decisions;
  told.continued = !page.token.empty();
  told.more = found.more;
  w.Key("context").BeginObject().Member("evaluation_id", told.evaluation_id);
  w.Key("dpl").BeginObject().Key("versions").BeginObject();
  w.Member("policy", PolicyDigest(snapshot)).Member("data", snapshot.facts_version());
  w.Key("epoch").Uint(told.epoch).EndObject();
  w.Member("now", FormatInstant(question.now)).EndObject().EndObject().EndObject();
  if (!thread->recorder.Searched(query.request, told, logged, &thread->hold)) {
    out->clear();
    return response->Error(503, "the search could not be recorded");
  }
  thread->metrics.Searched(static_cast<size_t>(what), found.results, found.decisions,
                           MonotonicNs() - start);
}

}  // namespace

void SearchSubjects(const Question& question, ServiceThread* thread, HttpResponse* response) {
  AnswerSearch(SearchFor::kSubject, question, thread, response);
}
void SearchResources(const Question& question, ServiceThread* thread, HttpResponse* response) {
  AnswerSearch(SearchFor::kResource, question, thread, response);
}
void SearchActions(const Question& question, ServiceThread* thread, HttpResponse* response) {
  AnswerSearch(SearchFor::kAction, question, thread, response);
}

}  // namespace dpl
