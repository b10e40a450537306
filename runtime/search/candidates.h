// Sets of entities that could be an answer, as trees over sorted lists of ranks: walked in order of
// rank without ever being written out.
//
//   CandidateSpace space(persons.size());
//   const Candidates* c = space.And({space.List(team), space.List(role)});
//   for (uint32_t at = c->Seek(0); at != kNoRank; at = c->Seek(at + 1)) …
//
// A rank is the place of an entity among all of its kind, sorted by id. Lists belong to the caller
// and are ascending. A tree lives as long as its space; one walker at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dpl {

constexpr uint32_t kNoRank = UINT32_MAX;

class Candidates {
 public:
  virtual ~Candidates() = default;
  // The least member that is not below `from`; kNoRank when there is none. Where lists have hardly
  // anything in common it may be, after so many leaps, a rank that only could be one.
  virtual uint32_t Seek(uint32_t from) const = 0;
  virtual bool Has(uint32_t rank) const = 0;
  virtual uint64_t Size() const = 0;  // at most so many
  // All or nothing, known without walking.
  virtual bool IsAll() const { return false; }
  virtual bool IsEmpty() const { return false; }
};

class CandidateSpace {
 public:
  explicit CandidateSpace(uint32_t size);
  CandidateSpace(const CandidateSpace&) = delete;
  CandidateSpace& operator=(const CandidateSpace&) = delete;

  const Candidates* All() const { return all_; }
  const Candidates* Empty() const { return empty_; }
  // Who cannot be told yet: all of them.
  const Candidates* Untold() {
    untold_ = true;
    return all_;
  }
  bool untold() const { return untold_; }
  const Candidates* One(uint32_t rank);                      // kNoRank: nothing
  const Candidates* Range(uint32_t from, uint32_t end);      // [from, end)
  const Candidates* List(std::span<const uint32_t> sorted);  // kept by reference
  const Candidates* Looked(const std::optional<std::span<const uint32_t>>& sorted) {
    return sorted ? List(*sorted) : Untold();
  }
  const Candidates* Kept(std::vector<uint32_t> sorted_or_not);      // sorted here, and owned
  const Candidates* And(const std::vector<const Candidates*>& of);  // of nothing: All
  const Candidates* Or(const std::vector<const Candidates*>& of);   // of nothing: Empty

  size_t Bytes() const;  // about as many

 private:
  template <class T>
  const Candidates* Add(T made);

  const uint32_t size_;
  bool untold_ = false;
  size_t kept_ranks_ = 0;
  std::vector<std::unique_ptr<const Candidates>> nodes_;
  std::deque<std::vector<uint32_t>> kept_;
  const Candidates* all_ = nullptr;
  const Candidates* empty_ = nullptr;
};

}  // namespace dpl
