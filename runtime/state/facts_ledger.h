// Facts that were pushed to a running server, kept over a restart: a whole document, and the
// changes made to it since. Two files in a folder of their own (docs/state.md):
//
//   facts-3.json     the document, byte for byte as it came
//   changes-3        a header that names it by its digest, then one change after the other
//
//   Result<std::unique_ptr<FactsLedger>> ledger = FactsLedger::Open("dpl-state/facts");
//   Status kept = (*ledger)->Begin(text, {.file = digest_of_the_facts_file, .as_of = …, .at =
//   now}); kept = (*ledger)->Append(body, now);       // synced when it returns Result<FactsInput>
//   facts = …;              // Replay: the document with every change
//
// A change that was cut off by a crash was never acknowledged and is dropped; one that is damaged
// with others behind it is an error. Without a folder everything is kept in memory. One thread at a
// time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/base/result.h"
#include "runtime/base/sha256.h"
#include "runtime/facts/changes.h"
#include "runtime/state/append_file.h"

namespace dpl {

class FactsLedger {
 public:
  struct Base {
    std::string file;  // sha256 of the facts file that was in force when it was pushed
    Instant as_of{};   // of the document, where it does not say so itself
    Instant at{};      // when it was pushed
  };

  // `folder` empty: in memory. `read_only`: nothing is written or tidied. Codes: facts.corrupt,
  // file.….
  static Result<std::unique_ptr<FactsLedger>> Open(std::string folder, bool read_only = false,
                                                   Disk* disk = Disk::Real());

  bool holds() const { return number_ != 0; }  // something was pushed
  const Base& base() const { return base_; }
  Instant last_at() const { return last_at_; }  // of the latest document or change
  uint64_t changes() const { return changes_; }
  uint64_t bytes() const { return document_bytes_ + changes_bytes_; }
  // More has been changed than the document and 16 MiB: write it anew, with Begin.
  bool Long() const { return changes_bytes_ > document_bytes_ + (uint64_t{16} << 20); }
  uint64_t torn_bytes() const { return torn_; }  // cut off at Open
  std::string place() const;                     // of the document, for messages

  // Takes the place of everything that was pushed before. Kept when it returns Ok.
  Status Begin(std::string_view document, const Base& base);
  Status Append(std::string_view change, Instant at);
  // From now on nothing is pushed.
  Status Drop();

  // What the next change would make the version of the facts, where it does not say so itself.
  std::string NextVersion(std::string_view change, Instant at) const;

  // Reads the document, then hands each change to it. Codes as ReadFactsJson and Apply.
  Result<std::unique_ptr<FactsDocument>> Replay() const;
  // The texts themselves, for whoever keeps them elsewhere.
  Result<std::string> Document() const;
  // Each change in its order, with the version that it makes of the facts unless it says one
  // itself.
  using EachChangeFn = std::function<Status(std::string_view change, const std::string& version)>;
  Status EachChange(const EachChangeFn& each) const;

 private:
  FactsLedger(std::string folder, Disk* disk) : folder_(std::move(folder)), disk_(disk) {}
  Status Load(uint64_t number, bool read_only);
  Status WalkChanges(std::string_view bytes,
                     const std::function<Status(std::string_view, Instant)>& each, uint64_t* end,
                     Digest* chain, Instant* last, uint64_t* count) const;
  std::string DocumentPath(uint64_t number) const;
  std::string ChangesPath(uint64_t number) const;
  Status Tidy();
  Result<std::string> ChangesText() const;

  const std::string folder_;
  Disk* const disk_;
  uint64_t number_ = 0;  // of the pair of files in force; 0: none
  uint64_t highest_ = 0;
  Base base_;
  Digest chain_{};  // over everything so far
  Instant last_at_{};
  uint64_t changes_ = 0, document_bytes_ = 0, changes_bytes_ = 0, torn_ = 0;
  std::unique_ptr<AppendFile> file_;
  bool unsure_ = false;         // a later document may be found by the next start
  std::string document_, log_;  // in memory only
};

}  // namespace dpl
