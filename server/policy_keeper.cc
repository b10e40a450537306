// See policy_keeper.h.
#include "server/policy_keeper.h"

#include "runtime/base/sha256.h"
#include "runtime/base/text.h"
#include "runtime/bytecode/encode.h"
#include "runtime/facts/json_facts.h"
#include "runtime/facts/write_facts.h"
#include "runtime/json/json.h"
#include "runtime/state/fits.h"
#include "runtime/state/memory_store.h"
#include "runtime/state/seed.h"
#include "server/calm.h"

namespace dpl {
namespace {

constexpr int64_t kMostAheadUs = 5 * kMicrosPerMinute;  // a feed's clock may be this much off

Error Kept(const Error& error) { return {"facts.kept", error.message, 0, 0}; }

// A complaint about facts with changes on trial: about the changes, with its place in them, or
// about what was there before, with none.
Error OfChanges(Error error) {
  if (error.line >= FactsDocument::kPushed) {
    error.line -= FactsDocument::kPushed;
  } else {
    error.line = error.column = 0;
  }
  return error;
}

}  // namespace

Status PolicyKeeper::Start(const std::string& bundle, const std::string& facts, bool fresh) {
  std::lock_guard lock(mutex_);
  Result<std::unique_ptr<FactsLedger>> ledger =
      FactsLedger::Open(options_.ledger, options_.check_only);
  if (!ledger.ok()) return ledger.error();
  ledger_ = ledger.take();
  if (ledger_->torn_bytes() != 0 && options_.notice)
    options_.notice("facts_tail_cut", std::to_string(ledger_->torn_bytes()) + " bytes");
  Result<Next> next = Prepare(bundle, facts, /*starting=*/true);
  if (!next.ok()) return next.error();
  return Take(next.take(), fresh, /*first=*/true);
}

Status PolicyKeeper::Reload(const std::string& bundle, const std::string& facts,
                            const Publish& done) {
  std::lock_guard lock(mutex_);
  auto prepare = [&] {
    Calm calm;
    return Prepare(bundle, facts, /*starting=*/false);
  };
  Result<Next> next = prepare();
  if (!next.ok()) return next.error();
  DPL_RETURN_IF_ERROR(Take(next.take(), false, /*first=*/false));
  done(loaded_.snapshot, kept_);
  return Status::Ok();
}

Result<PolicyKeeper::Next> PolicyKeeper::Prepare(const std::string& bundle,
                                                 const std::string& facts, bool starting) {
  const Instant now = options_.clock->Now();
  Result<std::shared_ptr<const Program>> program = LoadProgram(bundle);
  if (!program.ok()) return program.error();
  Result<std::string> text = ReadWholeFile(facts, kMostFactsBytes);
  if (!text.ok()) return text.error();
  Next next;
  next.file_digest = Hex(Sha256(*text));
  next.facts_path = facts;
  bool pushed = ledger_->holds() && ledger_->base().file == next.file_digest;
  if (!pushed) {
    Result<FactsInput> read = ReadFactsJson(*text, facts);
    if (!read.ok()) return Located(read.error(), facts);
    if (ledger_->holds() && read->as_of && *read->as_of < ledger_->last_at()) {
      std::string what = facts + " is as of " + FormatInstant(*read->as_of) +
                         ", older than what was pushed at " + FormatInstant(ledger_->last_at());
      if (!starting) return Error{"facts.older", what, 0, 0};
      if (options_.notice) options_.notice("facts_kept", what);
      pushed = true;
    } else {
      next.drop = ledger_->holds();
      Result<Loaded> loaded = JoinFacts(*program, *read, now);
      if (!loaded.ok()) return Located(loaded.error(), facts);
      next.loaded = loaded.take();
      Result<std::string> kept = Keep(*text);
      if (!kept.ok()) return kept.error();
      next.kept.facts = kept.take();
    }
  }
  if (pushed) {
    Result<std::unique_ptr<FactsDocument>> document = ledger_->Replay();
    if (!document.ok()) return Located(document.error(), ledger_->place());
    Result<Loaded> loaded = JoinFacts(*program, (*document)->facts(), now);
    if (!loaded.ok()) return Located(loaded.error(), ledger_->place());
    next.loaded = loaded.take();
    next.document = document.take();
    Result<std::string> kept = KeepLedger();
    if (!kept.ok()) return kept.error();
    next.kept.facts = kept.take();
  }
  next.kept.built = now;
  if (options_.keep) {
    Result<std::string> kept = Keep(EncodeBundle(**program));
    if (!kept.ok()) return kept.error();
    next.kept.bundle = kept.take();
  }
  DPL_RETURN_IF_ERROR(CheckFits(*next.loaded.snapshot, *options_.store, dropped_revocations));
  return next;
}

Status PolicyKeeper::Take(Next next, bool fresh, bool first) {
  if (!options_.check_only || first) {
    DPL_RETURN_IF_ERROR(RecordSeeds(first ? nullptr : &loaded_, next.loaded, fresh, options_.store,
                                    options_.clock->Now()));
  }
  if (next.drop && !options_.check_only) {
    if (Status dropped = ledger_->Drop(); !dropped.ok()) return Kept(dropped.error());
    if (options_.notice)
      options_.notice("facts_dropped", "the facts file is another one: what was pushed ends");
  }
  loaded_ = std::move(next.loaded);
  ForgetRead(&loaded_);
  facts_path_ = std::move(next.facts_path);
  file_digest_ = std::move(next.file_digest);
  document_ = std::move(next.document);
  patcher_ = nullptr;
  kept_ = std::move(next.kept);
  kept_.policy = loaded_.digest;
  kept_.data = loaded_.snapshot->facts_version();
  return Status::Ok();
}

Result<std::string> PolicyKeeper::Keep(std::string_view bytes) const {
  if (!options_.keep) return std::string();
  return options_.keep(bytes);
}

// A document that says itself when it is of is kept as it is; another with the time that it was
// taken to be of.
Result<std::string> PolicyKeeper::KeepDocument(std::string_view text,
                                               std::optional<Instant> as_of) const {
  Result<std::string> base = Keep(text);
  if (!base.ok() || base->empty() || !as_of) return base;
  return Keep("{\"base\":\"" + *base + "\",\"as_of\":\"" + FormatInstant(*as_of) + "\"}");
}

Result<std::string> PolicyKeeper::KeepChange(const std::string& base, std::string_view change,
                                             std::string_view version) const {
  Result<std::string> kept = Keep(change);
  if (!kept.ok() || kept->empty()) return kept;
  std::string link = "{\"base\":\"" + base + "\",\"change\":\"" + *kept + "\",\"version\":";
  AppendJsonString(&link, version);
  return Keep(link + "}");
}

// What was pushed before this start: the document, then each change.
Result<std::string> PolicyKeeper::KeepLedger() const {
  if (!options_.keep) return std::string();
  Result<std::string> text = ledger_->Document();
  if (!text.ok()) return text.error();
  Result<std::string> kept = KeepDocument(*text, ledger_->base().as_of);
  if (!kept.ok()) return kept;
  Status walked = ledger_->EachChange([&](std::string_view change, const std::string& version) {
    Result<std::string> next = KeepChange(*kept, change, version);
    if (!next.ok()) return Status(next.error());
    kept = std::move(next);
    return Status::Ok();
  });
  if (!walked.ok()) return walked.error();
  return kept;
}

KeptInputs PolicyKeeper::kept() const {
  std::lock_guard lock(mutex_);
  return kept_;
}

std::shared_ptr<const Snapshot> PolicyKeeper::snapshot() const {
  std::lock_guard lock(mutex_);
  return loaded_.snapshot;
}
std::string PolicyKeeper::digest() const {
  std::lock_guard lock(mutex_);
  return loaded_.digest;
}

FactsInForce PolicyKeeper::LookLocked() const {
  FactsInForce out;
  out.version = loaded_.snapshot->facts_version();
  out.as_of = loaded_.snapshot->as_of();
  out.pushed = ledger_->holds();
  out.file = facts_path_;
  out.changes = ledger_->changes();
  out.kept_bytes = ledger_->bytes();
  return out;
}

FactsInForce PolicyKeeper::Look() {
  std::lock_guard lock(mutex_);
  return LookLocked();
}

Status PolicyKeeper::CheckExpected(std::string_view expected) const {
  std::string_view version = loaded_.snapshot->facts_version();
  if (expected.empty() || expected == version) return Status::Ok();
  return Error{"facts.moved", "the facts in force are `" + std::string(version) + "`", 0, 0};
}

Status PolicyKeeper::CheckAsOf(std::optional<Instant> as_of, Instant now) const {
  if (!as_of || Subtract(*as_of, now).us <= kMostAheadUs) return Status::Ok();
  return Error{"facts.time", "`as_of` lies in the future", 0, 0};
}

Result<FactsInForce> PolicyKeeper::Replace(std::string_view text, std::string_view expected) {
  std::lock_guard lock(mutex_);
  const Instant now = options_.clock->Now();
  DPL_RETURN_IF_ERROR(CheckExpected(expected));
  Result<FactsInput> read = ReadFactsJson(text, "the facts that were pushed");
  if (!read.ok()) return read.error();
  DPL_RETURN_IF_ERROR(CheckAsOf(read->as_of, now));
  const std::string before(loaded_.snapshot->facts_version());
  if (read->version == before)
    return Error{"facts.version",
                 "these facts call themselves `" + before +
                     "`, as those in force do: every change has a version of its "
                     "own",
                 0, 0};
  if (!read->as_of) read->as_of = now;
  const std::shared_ptr<const Program>& program = loaded_.snapshot->shared_program();
  Result<Loaded> next = JoinFacts(program, *read, now);
  if (!next.ok()) return next.error();
  // What it says of state is tried on a store of its own first.
  MemoryStore scratch;
  DPL_RETURN_IF_ERROR(SeedState(*next->snapshot, next->facts, &scratch, now));
  Result<std::string> copy = KeepDocument(text, *read->as_of);
  if (!copy.ok()) return Kept(copy.error());
  Status kept = ledger_->Begin(text, {file_digest_, *read->as_of, now});
  if (!kept.ok()) return Kept(kept.error());
  kept_.facts = copy.take();
  kept_.built = now;
  Status seeded = RecordSeeds(&loaded_, *next, false, options_.store, now);
  loaded_ = next.take();
  ForgetRead(&loaded_);
  document_ = std::make_unique<FactsDocument>(read.take());
  patcher_ = nullptr;
  kept_.data = loaded_.snapshot->facts_version();
  if (publish) publish(loaded_.snapshot, kept_);
  if (!seeded.ok()) {
    return Error{
        "facts.kept",
        "the facts are in force; their consents, tasks or hand-offs are not all recorded: " +
            seeded.error().message,
        0, 0};
  }
  FactsInForce out = LookLocked();
  out.replaced = before;
  return out;
}

// The ledger that changes are kept in.
Status PolicyKeeper::OpenLedger(Instant now) {
  if (ledger_->holds()) return Status::Ok();
  Result<std::string> text = ReadWholeFile(facts_path_, kMostFactsBytes);
  if (!text.ok()) return Kept(text.error());
  if (Hex(Sha256(*text)) != file_digest_) {
    return Error{"facts.moved",
                 facts_path_ + " is no longer what was read: reload it before changing it", 0, 0};
  }
  Status kept = ledger_->Begin(*text, {file_digest_, loaded_.snapshot->as_of(), now});
  if (!kept.ok()) return Kept(kept.error());
  document_ = nullptr;
  return Status::Ok();
}

// The document with every change so far.
Status PolicyKeeper::OpenDocument() {
  if (document_ != nullptr) return Status::Ok();
  Result<std::unique_ptr<FactsDocument>> document = ledger_->Replay();
  if (!document.ok()) return Kept(document.error());
  document_ = document.take();
  return Status::Ok();
}

Result<FactsInForce> PolicyKeeper::Change(std::string_view text, std::string_view expected) {
  Arena arena;
  Result<const WireValue*> root = ParseJson(text, &arena, FileJsonLimits());
  if (!root.ok()) return root.error();
  Result<FactsChanges> changes = ReadFactsChanges(**root);
  if (!changes.ok()) return changes.error();
  std::lock_guard lock(mutex_);
  const Instant now = options_.clock->Now();
  DPL_RETURN_IF_ERROR(CheckExpected(expected));
  DPL_RETURN_IF_ERROR(CheckAsOf(changes->as_of, now));
  const std::string before(loaded_.snapshot->facts_version());
  if (changes->as_of && *changes->as_of < loaded_.snapshot->as_of())
    return Error{"facts.time", "`as_of` is earlier than that of the facts in force", 0, 0};
  if (changes->version == before)
    return Error{"facts.version", "`version` is the one in force", 0, 0};
  if (changes->count() == 0 && !changes->as_of && changes->version.empty())
    return Error{"facts.shape", "there is nothing to change", (*root)->line, (*root)->column};
  DPL_RETURN_IF_ERROR(OpenLedger(now));
  if (Status renewed = Renew(*changes, text, now); !renewed.ok()) return renewed.error();
  kept_.data = loaded_.snapshot->facts_version();
  if (publish) publish(loaded_.snapshot, kept_);
  FactsInForce out = LookLocked();
  out.replaced = before;
  return out;
}

// By a patch, whose cost goes by what changes; or else from the whole document, which is then the
// one with the changes.
Result<std::shared_ptr<const Snapshot>> PolicyKeeper::NextSnapshot(const FactsChanges& changes,
                                                                   std::string version, Instant now,
                                                                   bool* patched) {
  using Next = std::shared_ptr<const Snapshot>;
  const Snapshot& before = *loaded_.snapshot;
  const Instant as_of = changes.as_of.value_or(before.as_of());
  *patched = true;
  // Nothing but the feed saying that all is as it was.
  if (changes.count() == 0) return Next(Snapshot::Renewed(before, std::move(version), as_of));
  if (patcher_ == nullptr) {
    DPL_RETURN_IF_ERROR(OpenDocument());
    patcher_ = std::make_unique<FactsPatcher>(before, document_->facts());
  }
  Result<std::unique_ptr<Snapshot>> next = patcher_->Patch(before, changes, version, as_of);
  if (!next.ok()) return next.error();
  if (*next != nullptr) return Next(next.take());
  *patched = false;
  DPL_RETURN_IF_ERROR(OpenDocument());
  // Until all is done the document is good for nothing else; the ledger knows what was there.
  std::unique_ptr<FactsDocument> document = std::move(document_);
  DPL_RETURN_IF_ERROR(document->Apply(changes));
  document->set_version(std::move(version));
  Result<std::unique_ptr<Snapshot>> built =
      Snapshot::Build(before.shared_program(), document->facts(), now);
  if (!built.ok()) return OfChanges(built.error());
  document_ = std::move(document);
  return Next(built.take());
}

Status PolicyKeeper::Renew(const FactsChanges& changes, std::string_view text, Instant now) {
  const std::string version =
      changes.version.empty() ? ledger_->NextVersion(text, now) : changes.version;
  bool patched = false;
  Result<std::shared_ptr<const Snapshot>> next = NextSnapshot(changes, version, now, &patched);
  if (!next.ok()) return next.error();
  Result<std::string> copy = KeepChange(kept_.facts, text, version);
  Status kept = copy.ok() ? ledger_->Append(text, now) : Status(copy.error());
  // The document has the changes and the ledger does not, or the other way round.
  if (!kept.ok() || patched) document_ = nullptr;
  if (!kept.ok()) return Kept(kept.error());
  kept_.facts = copy.take();
  if (changes.count() != 0) kept_.built = now;
  if (!patched) {
    document_->Accept();
    patcher_ = nullptr;
  } else if (changes.count() != 0) {
    patcher_->Accept();
  }
  loaded_.snapshot = next.take();
  if (ledger_->Long() && OpenDocument().ok()) {
    // Nothing hangs on it: what fails here is tried again at the next change.
    std::string whole;
    AppendFactsJson(&whole, document_->facts());
    (void)ledger_->Begin(whole, {ledger_->base().file, loaded_.snapshot->as_of(), now});
  }
  return Status::Ok();
}

}  // namespace dpl
