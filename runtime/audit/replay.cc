// See replay.h.
#include "runtime/audit/replay.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "runtime/audit/callers_text.h"
#include "runtime/audit/question.h"
#include "runtime/base/sha256.h"
#include "runtime/bytecode/decode.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/wire_request.h"
#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"

namespace dpl {
namespace {

constexpr size_t kMostSnapshots = 4;  // kept at once

std::string_view TextAt(const WireValue& object, std::string_view name) {
  const WireValue* value = object.Find(name);
  return value != nullptr && value->is_string() ? value->text : std::string_view();
}

std::string Who(const WireValue& record) {
  const WireValue* who = record.Find("who");
  if (who == nullptr) return "?";
  std::string person(TextAt(*who, "person"));
  if (person.empty()) {
    if (const WireValue* subject = who->Find("subject"); subject != nullptr) {
      person = subject->is_string() ? subject->text : TextAt(*subject, "id");
    }
  }
  std::string_view agent = TextAt(*who, "agent");
  if (agent.empty()) return person;
  return person.empty() ? std::string(agent) : std::string(agent) + " for " + person;
}

std::string Action(const WireValue& record) {
  const WireValue* what = record.Find("what");
  if (what == nullptr) return "?";
  return std::string(TextAt(*what, "action")) + " " + std::string(TextAt(*what, "type"));
}

Replayed::Kind KindOf(const Error& error) {
  return error.code == "audit.forgotten" || error.code == "audit.file" ? Replayed::Kind::kNotKept
                                                                       : Replayed::Kind::kDamaged;
}

}  // namespace

// A facts document, or a link to one with what was pushed on top of it.
Result<std::unique_ptr<FactsDocument>> Replayer::FactsOf(std::string_view digest) {
  struct Link {
    std::string change, version;
  };
  std::vector<Link> links;  // the last one first
  std::optional<Instant> as_of;
  std::string at(digest);
  Arena arena;
  for (;;) {
    Result<std::string> text = vault_.Load(at);
    if (!text.ok()) return text.error();
    arena.Reset();
    Result<const WireValue*> root = ParseJson(*text, &arena, FileJsonLimits());
    if (!root.ok()) return root.error();
    std::string base(TextAt(**root, "base"));
    if (base.empty()) {
      Result<FactsInput> input = ReadFactsJson(*text, "facts");
      if (!input.ok()) return input.error();
      if (as_of && !input->as_of) input->as_of = *as_of;
      auto document = std::make_unique<FactsDocument>(input.take());
      for (auto link = links.rbegin(); link != links.rend(); ++link) {
        Result<std::string> change = vault_.Load(link->change);
        if (!change.ok()) return change.error();
        arena.Reset();
        Result<const WireValue*> tree = ParseJson(*change, &arena, FileJsonLimits());
        if (!tree.ok()) return tree.error();
        Result<FactsChanges> changes = ReadFactsChanges(**tree);
        if (!changes.ok()) return changes.error();
        DPL_RETURN_IF_ERROR(document->Apply(*changes));
        if (changes->version.empty()) document->set_version(link->version);
        document->Accept();
      }
      return document;
    }
    if (std::string_view change = TextAt(**root, "change"); !change.empty())
      links.push_back({std::string(change), std::string(TextAt(**root, "version"))});
    if (std::string_view time = TextAt(**root, "as_of"); !time.empty()) {
      Result<Instant> parsed = ParseInstant(time);
      if (!parsed.ok()) return parsed.error();
      as_of = *parsed;
    }
    at = std::move(base);
  }
}

Result<const Snapshot*> Replayer::SnapshotOf(std::string_view bundle, std::string_view facts,
                                             std::string_view built) {
  std::string key = std::string(bundle) + " " + std::string(facts) + " " + std::string(built);
  auto found = snapshots_.find(key);
  if (found != snapshots_.end()) return found->second.get();
  Result<Instant> at = ParseInstant(built);
  if (!at.ok()) return at.error();
  std::shared_ptr<const Program> program = other_;
  if (program == nullptr) {
    Result<std::string> bytes = vault_.Load(bundle);
    if (!bytes.ok()) return bytes.error();
    Result<Program> decoded = DecodeBundle(*bytes);
    if (!decoded.ok()) return decoded.error();
    program = std::make_shared<const Program>(decoded.take());
  }
  Result<std::unique_ptr<FactsDocument>> document = FactsOf(facts);
  if (!document.ok()) return document.error();
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, (*document)->facts(), *at);
  if (!snapshot.ok()) return snapshot.error();
  if (snapshots_.size() >= kMostSnapshots) snapshots_.clear();
  return snapshots_.emplace(std::move(key), snapshot.take()).first->second.get();
}

Result<const std::vector<Caller>*> Replayer::CallersOf(std::string_view digest) {
  auto found = callers_.find(std::string(digest));
  if (found != callers_.end()) return &found->second;
  Result<std::string> text = vault_.Load(digest);
  if (!text.ok()) return text.error();
  Result<std::vector<Caller>> callers = ReadCallersText(*text);
  if (!callers.ok()) return callers.error();
  return &callers_.emplace(digest, callers.take()).first->second;
}

namespace {

// What a decision rests on, as its record says it. Records of before did not say which window a
// limit has: then none does.
std::vector<std::string> GroundsOf(const WireValue& record, bool windows) {
  std::vector<std::string> out;
  auto each = [&](std::string_view member, auto&& one) {
    const WireValue* list = record.Find(member);
    for (uint32_t i = 0; list != nullptr && list->is_array() && i < list->count; ++i)
      out.push_back(one(list->items[i]));
  };
  auto text = [](const WireValue& value, std::string_view member) {
    return std::string(TextAt(value, member));
  };
  each("by", [&](const WireValue& by) { return text(by, "as") + " " + text(by, "statement"); });
  each("limits", [&](const WireValue& limit) {
    std::string said = "limit " + text(limit, "name");
    if (windows) said += " " + text(limit, "period");
    if (std::string cap = text(limit, "cap"); !cap.empty()) said += " to " + cap;
    return said + (text(limit, "state") == "counted" ? ", counted only" : "");
  });
  each("approvals", [](const WireValue& name) { return "asks for " + std::string(name.text); });
  each("duties", [](const WireValue& name) { return "duty " + std::string(name.text); });
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Differences(const std::vector<std::string>& then,
                                     const std::vector<std::string>& now) {
  std::vector<std::string> gone, come, out;
  std::set_difference(then.begin(), then.end(), now.begin(), now.end(), std::back_inserter(gone));
  std::set_difference(now.begin(), now.end(), then.begin(), then.end(), std::back_inserter(come));
  for (const std::string& one : gone) out.push_back("- " + one);
  for (const std::string& one : come) out.push_back("+ " + one);
  return out;
}

}  // namespace

// What is sealed for one decision, in a record of several.
Result<const SealedItem*> Replayer::ItemOf(std::string_view sealed, const WireValue& place,
                                           std::string_view id) {
  if (opened_ != sealed || !items_.has_value()) {
    opened_ = sealed;
    items_ = [&]() -> Result<SealedItems> {
      Arena arena;
      JsonLimits limits = FileJsonLimits();
      limits.positions = false;
      limits.max_string = limits.max_bytes;  // what is sealed
      Result<const WireValue*> root = ParseJson(sealed, &arena, limits);
      if (!root.ok()) return Error{"audit.sealed", "the sealed requests are damaged", 0, 0};
      Result<std::string> plain =
          vault_.OpenBox(TextAt(**root, "key"), Sealer::kAbout, TextAt(**root, "box"));
      if (!plain.ok()) return plain.error();
      std::optional<SealedItems> items = SealedItems::Parse(*plain);
      if (!items) return Error{"audit.sealed", "the sealed requests are damaged", 0, 0};
      return std::move(*items);
    }();
  }
  if (!items_->ok()) return items_->error();
  const std::vector<SealedItem>& items = (**items_).items();
  uint64_t at = 0;
  const char* end = place.text.data() + place.text.size();
  auto [stop, error] = std::from_chars(place.text.data(), end, at);
  if (error != std::errc() || stop != end || at >= items.size() || items[at].id != id)
    return Error{"audit.sealed", "its request is not among those that were sealed", 0, 0};
  return &items[at];
}

Replayed Replayer::Run(std::string_view line, std::string_view sealed_record) {
  Replayed out;
  record_arena_.Reset();
  JsonLimits limits = FileJsonLimits();
  limits.positions = false;
  limits.max_string = limits.max_bytes;  // what is sealed
  Result<const WireValue*> root = ParseJson(line, &record_arena_, limits);
  if (!root.ok() || TextAt(**root, "kind") != "decision") return out;
  const WireValue& record = **root;
  out.id = TextAt(record, "id");
  out.time = TextAt(record, "time");
  out.says = TextAt(record, "says");
  out.who = Who(record);
  out.action = Action(record);
  out.from = std::string(TextAt(record, "outcome")) + " " + std::string(TextAt(record, "reason"));
  auto failed = [&](const Error& error) {
    out.kind = KindOf(error);
    out.why = error.message;
    return out;
  };
  const WireValue* sealed = record.Find("sealed");
  if (sealed == nullptr || TextAt(record, "bundle").empty()) {
    out.kind = Replayed::Kind::kNotKept;
    out.why = "its request was not kept";
    return out;
  }
  Result<Instant> now = ParseInstant(out.time);
  if (!now.ok()) return failed(now.error());
  // A record of version 1 has the answer's digest; one of version 2 binds the answer to a box of
  // its own; later ones have its sum in a box that they share.
  const std::string_view digest = TextAt(record, "answer_sha256");
  const std::string_view key = TextAt(*sealed, "key"), box = TextAt(*sealed, "box");
  const WireValue* place = sealed->Find("at");
  const SealedItem* item = nullptr;
  std::optional<SealedQuestion> question;
  Result<std::string> plain = std::string();
  if (place != nullptr) {
    Result<const SealedItem*> found = ItemOf(sealed_record, *place, out.id);
    if (!found.ok()) return failed(found.error());
    item = *found;
    question = item->question;
  } else {
    plain = digest.empty() ? vault_.PeekBox(key, box) : vault_.OpenBox(key, out.id, box);
    if (!plain.ok()) return failed(plain.error());
    question = SealedQuestion::Parse(*plain);
  }
  if (!question) return failed({"audit.sealed", "the sealed request is damaged", 0, 0});
  Result<std::unique_ptr<WitnessState>> witness = WitnessState::Parse(question->witness);
  if (!witness.ok()) return failed(witness.error());
  Result<const Snapshot*> snapshot =
      SnapshotOf(TextAt(record, "bundle"), TextAt(record, "facts"), TextAt(record, "built"));
  if (!snapshot.ok()) return failed(snapshot.error());
  Result<const std::vector<Caller>*> callers = CallersOf(TextAt(record, "callers"));
  if (!callers.ok()) return failed(callers.error());
  auto caller = std::find_if((*callers)->begin(), (*callers)->end(),
                             [&](const Caller& c) { return c.name == TextAt(record, "caller"); });
  if (caller == (*callers)->end())
    return failed({"audit.sealed", "its caller is not among those that were in force", 0, 0});

  request_arena_.Reset();
  Result<const WireValue*> body = ParseJson(question->body, &request_arena_);
  if (!body.ok()) return failed(body.error());
  const WireEvaluation wire{(*body)->Find("subject"), (*body)->Find("action"),
                            (*body)->Find("resource"), (*body)->Find("context")};
  Result<Request> request = ReadWireRequest(wire, *caller, &request_arena_);
  if (!request.ok()) return failed(request.error());
  if (!question->charge_key.empty()) request->charge_key = question->charge_key;
  request->clock_suspect = question->clock_suspect;
  const Decision& decision = Decide(**snapshot, witness->get(), *request, *now, &scratch_);
  out.to =
      std::string(OutcomeName(decision.outcome)) + " " + std::string(ReasonCode(decision.reason));
  if (other_ != nullptr) {
    out.missing = (*witness)->unknown();
    text_.clear();
    writer_.Append(&text_, **snapshot, *request, decision, {.evaluation_id = out.id});
    const WireValue* bound = record.Find("limits");
    const bool windows = bound == nullptr || !bound->is_array() || bound->count == 0 ||
                         !TextAt(bound->items[0], "period").empty();
    if (Result<const WireValue*> would = ParseJson(text_, &record_arena_, limits); would.ok())
      out.grounds = Differences(GroundsOf(record, windows), GroundsOf(**would, windows));
    out.kind = !out.missing.empty() ? Replayed::Kind::kCannotTell
               : out.from == out.to ? Replayed::Kind::kSame
                                    : Replayed::Kind::kChanged;
    return out;
  }
  AnswerOptions options;
  options.evaluation_id = out.id;
  options.details = caller->details;
  options.request_endpoint = question->endpoint;
  options.text = &text_;
  answer_.clear();
  AppendAnswerJson(&answer_, **snapshot, *request, decision, options);
  const bool same = item != nullptr  ? AnswerSumOf(answer_) == item->sum
                    : digest.empty() ? vault_.OpenBox(key, out.id, box, answer_).ok()
                                     : Hex(Sha256(answer_)) == digest;
  out.kind = same ? Replayed::Kind::kSame : Replayed::Kind::kChanged;
  if (!same) out.why = "the answer has other bytes: " + answer_;
  return out;
}

}  // namespace dpl
