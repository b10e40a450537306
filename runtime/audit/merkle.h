// The Merkle tree of RFC 9162 (section 2.1) over the lines of a log: its root while it grows,
// proofs that a line is in it, and their check.
//
// A tree is cut into its complete subtrees, the "nodes": node (level, index) covers the 2^level
// leaves from index·2^level on and never changes once it is complete. Kept in the order in which
// they become complete, they make a list that only grows (`StoredIndex`), 64 bytes a leaf; any
// proof is read from it with one look-up for each level.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/sha256.h"

namespace dpl {

Digest MerkleLeaf(std::string_view line);  // SHA-256(0x00 ‖ line)
Digest MerkleNode(const Digest& left, const Digest& right);

// The right edge of a growing tree: what its root and its growth need.
class MerkleEdge {
 public:
  // With `stored`: appends the leaf and the nodes that it completes, 32 bytes each.
  void Add(const Digest& leaf, std::string* stored = nullptr);
  Digest Root() const;
  uint64_t size() const { return size_; }
  const std::vector<Digest>& peaks() const { return peaks_; }  // largest first
  // False when that many leaves have another number of peaks.
  static bool FromPeaks(uint64_t size, std::vector<Digest> peaks, MerkleEdge* out);

 private:
  uint64_t size_ = 0;
  std::vector<Digest> peaks_;
};

// Where a node stands in the list; of leaf n (level 0): also how many stand before it.
uint64_t StoredIndex(int level, uint64_t index);

// Looks up a complete node; false when it cannot.
using MerkleNodes = std::function<bool(int level, uint64_t index, Digest* out)>;

// That leaf `index` is in the tree of the first `size` leaves; that the tree of the first
// `old_size` is the beginning of it. False when a node cannot be had.
bool InclusionProof(uint64_t index, uint64_t size, const MerkleNodes& nodes,
                    std::vector<Digest>* out);
bool ConsistencyProof(uint64_t old_size, uint64_t size, const MerkleNodes& nodes,
                      std::vector<Digest>* out);

bool CheckInclusion(uint64_t index, uint64_t size, const Digest& leaf,
                    const std::vector<Digest>& proof, const Digest& root);
bool CheckConsistency(uint64_t old_size, uint64_t size, const std::vector<Digest>& proof,
                      const Digest& old_root, const Digest& root);

}  // namespace dpl
