#include "runtime/audit/merkle.h"

#include <bit>

namespace dpl {
namespace {

// The largest power of two below n; n is at least 2.
uint64_t SplitOf(uint64_t n) { return std::bit_floor(n - 1); }

// The root over leaves [begin, end), where begin is a multiple of the power of two at or above the
// length.
bool RangeRoot(uint64_t begin, uint64_t end, const MerkleNodes& nodes, Digest* out) {
  const uint64_t n = end - begin;
  if (std::has_single_bit(n)) {
    int level = std::countr_zero(n);
    return nodes(level, begin >> level, out);
  }
  const uint64_t k = SplitOf(n);
  Digest left, right;
  if (!RangeRoot(begin, begin + k, nodes, &left) || !RangeRoot(begin + k, end, nodes, &right))
    return false;
  *out = MerkleNode(left, right);
  return true;
}

}  // namespace

Digest MerkleLeaf(std::string_view line) { return Sha256(std::string_view("\0", 1), line); }

Digest MerkleNode(const Digest& left, const Digest& right) {
  char bytes[65];
  bytes[0] = 1;
  std::copy(left.begin(), left.end(), bytes + 1);
  std::copy(right.begin(), right.end(), bytes + 33);
  return Sha256(std::string_view(bytes, sizeof bytes));
}

void MerkleEdge::Add(const Digest& leaf, std::string* stored) {
  Digest node = leaf;
  if (stored != nullptr) stored->append(DigestBytes(node));
  for (uint64_t n = size_; (n & 1) != 0; n >>= 1) {
    node = MerkleNode(peaks_.back(), node);
    peaks_.pop_back();
    if (stored != nullptr) stored->append(DigestBytes(node));
  }
  peaks_.push_back(node);
  ++size_;
}

Digest MerkleEdge::Root() const {
  if (peaks_.empty()) return Sha256("");
  Digest root = peaks_.back();
  for (size_t i = peaks_.size() - 1; i-- > 0;) root = MerkleNode(peaks_[i], root);
  return root;
}

bool MerkleEdge::FromPeaks(uint64_t size, std::vector<Digest> peaks, MerkleEdge* out) {
  if (static_cast<size_t>(std::popcount(size)) != peaks.size()) return false;
  out->size_ = size;
  out->peaks_ = std::move(peaks);
  return true;
}

uint64_t StoredIndex(int level, uint64_t index) {
  // A node stands right behind its right child; before leaf n stand n leaves and every node that
  // they complete.
  for (int l = level; l > 0; --l) index = 2 * index + 1;
  uint64_t before = 0;
  for (; index > 0; index >>= 1) before += index;
  return before + static_cast<uint64_t>(level);
}

bool InclusionProof(uint64_t index, uint64_t size, const MerkleNodes& nodes,
                    std::vector<Digest>* out) {
  out->clear();
  if (index >= size) return false;
  std::vector<Digest> down;  // from the root to the leaf: RFC 9162 lists it the other way
  for (uint64_t begin = 0, end = size; end - begin > 1;) {
    const uint64_t middle = begin + SplitOf(end - begin);
    Digest sibling;
    bool left = index < middle;
    if (!RangeRoot(left ? middle : begin, left ? end : middle, nodes, &sibling)) return false;
    down.push_back(sibling);
    (left ? end : begin) = middle;
  }
  out->assign(down.rbegin(), down.rend());
  return true;
}

bool ConsistencyProof(uint64_t old_size, uint64_t size, const MerkleNodes& nodes,
                      std::vector<Digest>* out) {
  out->clear();
  if (old_size > size) return false;
  if (old_size == 0 || old_size == size) return true;
  std::vector<Digest> down;
  uint64_t begin = 0, end = size;
  while (old_size < end) {
    const uint64_t middle = begin + SplitOf(end - begin);
    Digest sibling;
    bool left = old_size <= middle;
    if (!RangeRoot(left ? middle : begin, left ? end : middle, nodes, &sibling)) return false;
    down.push_back(sibling);
    (left ? end : begin) = middle;
  }
  if (begin > 0) {  // otherwise the old tree is one node, which its checker knows
    Digest last;
    if (!RangeRoot(begin, end, nodes, &last)) return false;
    down.push_back(last);
  }
  out->assign(down.rbegin(), down.rend());
  return true;
}

// RFC 9162, 2.1.3.2.
bool CheckInclusion(uint64_t index, uint64_t size, const Digest& leaf,
                    const std::vector<Digest>& proof, const Digest& root) {
  if (index >= size) return false;
  uint64_t fn = index, sn = size - 1;
  Digest r = leaf;
  for (const Digest& p : proof) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      r = MerkleNode(p, r);
      while ((fn & 1) == 0 && fn != 0) fn >>= 1, sn >>= 1;
    } else {
      r = MerkleNode(r, p);
    }
    fn >>= 1, sn >>= 1;
  }
  return sn == 0 && r == root;
}

// RFC 9162, 2.1.4.2.
bool CheckConsistency(uint64_t old_size, uint64_t size, const std::vector<Digest>& proof,
                      const Digest& old_root, const Digest& root) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == Sha256("");
  size_t at = 0;
  Digest first;
  if (std::has_single_bit(old_size)) {
    first = old_root;
  } else {
    if (proof.empty()) return false;
    first = proof[at++];
  }
  uint64_t fn = old_size - 1, sn = size - 1;
  while ((fn & 1) != 0) fn >>= 1, sn >>= 1;
  Digest fr = first, sr = first;
  for (; at < proof.size(); ++at) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      fr = MerkleNode(proof[at], fr);
      sr = MerkleNode(proof[at], sr);
      while ((fn & 1) == 0 && fn != 0) fn >>= 1, sn >>= 1;
    } else {
      sr = MerkleNode(sr, proof[at]);
    }
    fn >>= 1, sn >>= 1;
  }
  return sn == 0 && fr == old_root && sr == root;
}

}  // namespace dpl
