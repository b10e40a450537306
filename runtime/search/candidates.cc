// See candidates.h. Intersections leap from list to list, unions merge with a heap.
#include "runtime/search/candidates.h"

#include <algorithm>

namespace dpl {
namespace {

class RangeSet final : public Candidates {
 public:
  RangeSet(uint32_t from, uint32_t end, bool all) : from_(from), end_(end), all_(all) {}
  uint32_t Seek(uint32_t from) const override {
    from = std::max(from, from_);
    return from < end_ ? from : kNoRank;
  }
  bool Has(uint32_t rank) const override { return rank >= from_ && rank < end_; }
  uint64_t Size() const override { return end_ > from_ ? end_ - from_ : 0; }
  bool IsAll() const override { return all_; }
  bool IsEmpty() const override { return !all_ && from_ >= end_; }

 private:
  const uint32_t from_, end_;
  const bool all_;
};

class ListSet final : public Candidates {
 public:
  explicit ListSet(std::span<const uint32_t> list) : list_(list) {}
  // Seeks mostly go up by little: gallop from where the last one ended.
  uint32_t Seek(uint32_t from) const override {
    size_t low = at_ < list_.size() && list_[at_] <= from ? at_ : 0;
    size_t step = 1, high = low;
    while (high < list_.size() && list_[high] < from) {
      low = high;
      high += step;
      step *= 2;
    }
    auto end = list_.begin() + static_cast<std::ptrdiff_t>(std::min(high, list_.size()));
    auto found = std::lower_bound(list_.begin() + static_cast<std::ptrdiff_t>(low), end, from);
    at_ = static_cast<size_t>(found - list_.begin());
    return at_ < list_.size() ? list_[at_] : kNoRank;
  }
  bool Has(uint32_t rank) const override {
    return std::binary_search(list_.begin(), list_.end(), rank);
  }
  uint64_t Size() const override { return list_.size(); }
  std::span<const uint32_t> list() const { return list_; }

 private:
  const std::span<const uint32_t> list_;
  mutable size_t at_ = 0;
};

class AndSet final : public Candidates {
 public:
  explicit AndSet(std::vector<const Candidates*> of) : of_(std::move(of)) {
    std::stable_sort(of_.begin(), of_.end(), [](const Candidates* a, const Candidates* b) {
      return a->Size() < b->Size();
    });
  }
  uint32_t Seek(uint32_t from) const override {
    size_t agreed = 0, leaps = 0;
    for (size_t i = 0; agreed < of_.size(); i = i + 1 == of_.size() ? 0 : i + 1) {
      if (++leaps > kMostLeaps) break;
      uint32_t at = of_[i]->Seek(from);
      if (at == kNoRank) return kNoRank;
      agreed = at == from && agreed != 0 ? agreed + 1 : 1;
      from = at;
    }
    return from;
  }
  bool Has(uint32_t rank) const override {
    return std::all_of(of_.begin(), of_.end(),
                       [&](const Candidates* one) { return one->Has(rank); });
  }
  uint64_t Size() const override { return of_.front()->Size(); }

 private:
  // Of one Seek: what a page does between two decisions has a bound.
  static constexpr size_t kMostLeaps = 512;
  std::vector<const Candidates*> of_;
};

class OrSet final : public Candidates {
 public:
  explicit OrSet(std::vector<const Candidates*> of) : of_(std::move(of)) {
    for (const Candidates* one : of_) size_ += one->Size();
  }
  uint32_t Seek(uint32_t from) const override {
    if (of_.size() <= kFew) {
      uint32_t least = kNoRank;
      for (const Candidates* one : of_) least = std::min(least, one->Seek(from));
      return least;
    }
    if (!started_ || from < floor_) {
      started_ = true;
      heap_.clear();
      for (const Candidates* one : of_) Push({one->Seek(from), one});
    }
    floor_ = from;
    while (!heap_.empty() && heap_.front().at < from) {
      Head head = heap_.front();
      std::pop_heap(heap_.begin(), heap_.end(), Above);
      heap_.pop_back();
      Push({head.set->Seek(from), head.set});
    }
    return heap_.empty() ? kNoRank : heap_.front().at;
  }
  bool Has(uint32_t rank) const override {
    return std::any_of(of_.begin(), of_.end(),
                       [&](const Candidates* one) { return one->Has(rank); });
  }
  uint64_t Size() const override { return size_; }

 private:
  static constexpr size_t kFew = 8;
  struct Head {
    uint32_t at;
    const Candidates* set;
  };
  static bool Above(const Head& a, const Head& b) { return a.at > b.at; }
  void Push(Head head) const {
    if (head.at == kNoRank) return;
    heap_.push_back(head);
    std::push_heap(heap_.begin(), heap_.end(), Above);
  }

  std::vector<const Candidates*> of_;
  uint64_t size_ = 0;
  mutable bool started_ = false;
  mutable uint32_t floor_ = 0;  // nothing below it is in the heap
  mutable std::vector<Head> heap_;
};

}  // namespace

template <class T>
const Candidates* CandidateSpace::Add(T made) {
  nodes_.push_back(std::make_unique<const T>(std::move(made)));
  return nodes_.back().get();
}

CandidateSpace::CandidateSpace(uint32_t size) : size_(size) {
  all_ = Add(RangeSet(0, size, true));
  empty_ = Add(RangeSet(0, 0, false));
}

const Candidates* CandidateSpace::One(uint32_t rank) {
  return rank == kNoRank ? empty_ : Range(rank, rank + 1);
}

const Candidates* CandidateSpace::Range(uint32_t from, uint32_t end) {
  end = std::min(end, size_);
  return from >= end ? empty_ : Add(RangeSet(from, end, false));
}

const Candidates* CandidateSpace::List(std::span<const uint32_t> sorted) {
  return sorted.empty() ? empty_ : Add(ListSet(sorted));
}

const Candidates* CandidateSpace::Kept(std::vector<uint32_t> ranks) {
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  kept_ranks_ += ranks.size();
  kept_.push_back(std::move(ranks));
  return List(kept_.back());
}

size_t CandidateSpace::Bytes() const {
  constexpr size_t kOfNode = 160;  // with its place in those above it, and in their heaps
  return nodes_.size() * kOfNode + kept_ranks_ * sizeof(uint32_t);
}

const Candidates* CandidateSpace::And(const std::vector<const Candidates*>& of) {
  std::vector<const Candidates*> narrow;
  for (const Candidates* one : of) {
    if (one->IsEmpty()) return empty_;
    if (!one->IsAll() && std::find(narrow.begin(), narrow.end(), one) == narrow.end())
      narrow.push_back(one);
  }
  if (narrow.empty()) return all_;
  return narrow.size() == 1 ? narrow.front() : Add(AndSet(std::move(narrow)));
}

const Candidates* CandidateSpace::Or(const std::vector<const Candidates*>& of) {
  std::vector<const Candidates*> some;
  std::vector<const uint32_t*> lists;  // many grants to one team are one list
  std::vector<uint32_t> singles;       // many grants to one each, one list as well
  for (const Candidates* one : of) {
    if (one->IsAll()) return all_;
    if (one->IsEmpty()) continue;
    if (const auto* list = dynamic_cast<const ListSet*>(one)) {
      lists.push_back(list->list().data());
      some.push_back(one);
    } else if (dynamic_cast<const RangeSet*>(one) != nullptr && one->Size() == 1) {
      singles.push_back(one->Seek(0));
    } else {
      some.push_back(one);
    }
  }
  if (lists.size() > 1) {
    std::vector<const Candidates*> distinct;
    std::sort(lists.begin(), lists.end());
    lists.erase(std::unique(lists.begin(), lists.end()), lists.end());
    std::vector<bool> taken(lists.size());
    for (const Candidates* one : some) {
      const auto* list = dynamic_cast<const ListSet*>(one);
      if (list != nullptr) {
        size_t at = static_cast<size_t>(
            std::lower_bound(lists.begin(), lists.end(), list->list().data()) - lists.begin());
        if (taken[at]) continue;
        taken[at] = true;
      }
      distinct.push_back(one);
    }
    some = std::move(distinct);
  }
  if (singles.size() == 1) some.push_back(One(singles.front()));
  if (singles.size() > 1) some.push_back(Kept(std::move(singles)));
  if (some.empty()) return empty_;
  return some.size() == 1 ? some.front() : Add(OrSet(std::move(some)));
}

}  // namespace dpl
