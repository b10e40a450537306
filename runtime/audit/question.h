// What is sealed for a replay of decisions: the request of each as it came, its witness, and a sum
// of its answer. Decisions that are written together are sealed together, in a record in front of
// them; what an item has alike with the one before it is not said again.
//
//   Sealer sealer(&vault);                    // one per log
//   if (!sealer.Begin(now)) …                 // no key could be had: nothing is sealed
//   uint32_t at = sealer.Add({id, AnswerSumOf(answer), question});
//   sealer.Finish(&record);                   // {"v":3,"kind":"sealed","key":"…","box":"…"}
//
//   std::optional<SealedItems> items = SealedItems::Parse(plain);   // of an opened box
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/vault.h"

namespace dpl {

struct SealedQuestion {
  bool clock_suspect = false;
  std::string_view charge_key;  // what the server made of X-Request-ID; empty: nothing
  std::string_view body;        // JSON with subject, action, resource, context
  std::string_view endpoint;    // AnswerOptions::request_endpoint
  std::string_view witness;

  // As records up to version 2 have it, each sealed for itself. Nothing: these are no such bytes.
  static std::optional<SealedQuestion> Parse(std::string_view plain);  // views into `plain`
};

// By which an answer is known again, byte for byte. It guards against mistakes alone; that nobody
// changes it is what it is sealed for.
using AnswerSum = std::array<uint64_t, 2>;
AnswerSum AnswerSumOf(std::string_view answer);

struct SealedItem {
  std::string_view id;  // the evaluation's
  AnswerSum sum{};
  SealedQuestion question;
};

class Sealer {
 public:
  static constexpr uint32_t kMostItems = 64;
  static constexpr std::string_view kAbout = "sealed 3";

  explicit Sealer(AuditVault* vault) : vault_(vault) {}

  // Whether an item of this time may join those that were added.
  bool Fits(Instant now) const;
  // In front of the first one: false when no key could be had.
  bool Begin(Instant now);
  uint32_t Add(const SealedItem& item);  // its place in the record
  bool empty() const { return count_ == 0; }
  void Finish(std::string* record);

 private:
  AuditVault* vault_;
  uint64_t boxes_ = 0;
  uint32_t count_ = 0;
  size_t texts_ = 0;  // bytes of the items' texts, as they came
  std::shared_ptr<const AuditVault::Key> key_;
  std::unique_ptr<SealedBox> sealed_box_;
  std::string plain_, sealed_;
  std::array<std::string, 5> last_;  // texts of the item before
};

// What one box holds.
class SealedItems {
 public:
  // Nothing: these are not the bytes of a box of this kind.
  static std::optional<SealedItems> Parse(std::string_view plain);
  // Of all texts together: no box of ours has more, however alike its items are.
  static constexpr size_t kMostTexts = size_t{72} << 20;
  const std::vector<SealedItem>& items() const { return items_; }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<SealedItem> items_;
};

}  // namespace dpl
