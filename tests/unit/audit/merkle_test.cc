// The tree and its proofs against the vectors of RFC 6962's test data, and against a plain
// recursion.
#include "runtime/audit/merkle.h"

#include <bit>

#include <gtest/gtest.h>

#include "runtime/audit/checkpoint.h"
#include "runtime/audit/line.h"
#include "runtime/base/base64.h"

namespace dpl {
namespace {

std::vector<std::string> Leaves() {
  std::vector<std::string> out;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    std::string bytes;
    EXPECT_TRUE(ParseHex(hex, &bytes));
    out.push_back(bytes);
  }
  return out;
}

// As the RFC defines it.
Digest Plain(const std::vector<Digest>& leaves, size_t begin, size_t end) {
  if (end == begin) return Sha256("");
  if (end - begin == 1) return leaves[begin];
  size_t k = std::bit_floor(end - begin - 1);
  return MerkleNode(Plain(leaves, begin, begin + k), Plain(leaves, begin + k, end));
}

TEST(Merkle, HasTheRootsOfTheTestVectors) {
  const std::pair<size_t, const char*> kRoots[] = {
      {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
      {2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
      {3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
      {7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
      {8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"}};
  for (auto [size, root] : kRoots) {
    MerkleEdge edge;
    for (size_t i = 0; i < size; ++i) edge.Add(MerkleLeaf(Leaves()[i]));
    EXPECT_EQ(Hex(edge.Root()), root);
  }
}

TEST(Merkle, ProvesEveryRecordAndEveryPrefix) {
  constexpr size_t kMost = 40;
  std::vector<Digest> leaves;
  std::string stored;
  MerkleEdge edge;
  for (size_t i = 0; i < kMost; ++i) {
    EXPECT_EQ(stored.size(), StoredIndex(0, i) * 32);
    leaves.push_back(MerkleLeaf(std::to_string(i)));
    edge.Add(leaves.back(), &stored);
  }
  MerkleNodes nodes = [&](int level, uint64_t index, Digest* out) {
    std::string_view bytes = std::string_view(stored).substr(StoredIndex(level, index) * 32, 32);
    EXPECT_EQ(bytes.size(), 32u);
    std::copy(bytes.begin(), bytes.end(), out->begin());
    return true;
  };
  for (size_t size = 1; size <= kMost; ++size) {
    const Digest root = Plain(leaves, 0, size);
    for (size_t i = 0; i < size; ++i) {
      std::vector<Digest> proof;
      ASSERT_TRUE(InclusionProof(i, size, nodes, &proof));
      EXPECT_TRUE(CheckInclusion(i, size, leaves[i], proof, root));
      EXPECT_FALSE(CheckInclusion(i, size, leaves[(i + 1) % kMost], proof, root));
      EXPECT_FALSE(CheckInclusion(i, size + 1, leaves[i], proof, Plain(leaves, 0, size - 1)));
      for (size_t k = 0; k < proof.size(); ++k) {
        std::vector<Digest> changed = proof;
        changed[k][7] ^= 1;
        EXPECT_FALSE(CheckInclusion(i, size, leaves[i], changed, root));
      }
      proof.push_back(root);
      EXPECT_FALSE(CheckInclusion(i, size, leaves[i], proof, root));
    }
    for (size_t old = 0; old <= size; ++old) {
      const Digest old_root = Plain(leaves, 0, old);
      std::vector<Digest> proof;
      ASSERT_TRUE(ConsistencyProof(old, size, nodes, &proof));
      EXPECT_TRUE(CheckConsistency(old, size, proof, old_root, root)) << old << " of " << size;
      EXPECT_FALSE(CheckConsistency(old, size, proof, Sha256("other"), root));
      for (size_t k = 0; k < proof.size(); ++k) {
        std::vector<Digest> changed = proof;
        changed[k][31] ^= 128;
        EXPECT_FALSE(CheckConsistency(old, size, changed, old_root, root));
      }
    }
  }
}

TEST(Checkpoint, NamesKeysAsC2spDoes) {
  AuditPublicKey key{"pdp.example/audit", {}};
  for (size_t i = 0; i < key.key.size(); ++i) key.key[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(Hex(key.id()), "5f9c3abe");
  Result<AuditPublicKey> again = ParseAuditPublicKey(key.line());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->line(), key.line());
  std::string line = key.line();
  for (size_t i = 0; i < line.size(); ++i) {
    std::string changed = line;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(ParseAuditPublicKey(changed).ok()) << changed;
  }
}

TEST(Checkpoint, EveryChangeOfItIsSeen) {
  Ed25519Key key = Ed25519Key::Generate();
  AuditPublicKey pub{"log.example/a", key.public_key()};
  std::string note = SignCheckpoint({pub.name, 1000, Sha256("root"), {"further line"}}, key);
  Result<Checkpoint> opened = OpenCheckpoint(note, pub);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->size, 1000u);
  EXPECT_EQ(opened->lines, std::vector<std::string>{"further line"});
  for (size_t i = 0; i < note.size(); ++i) {
    for (char c : {'\0', 'A', '\n', '\xff'}) {
      if (note[i] == c) continue;
      std::string changed = note;
      changed[i] = c;
      EXPECT_FALSE(OpenCheckpoint(changed, pub).ok()) << i << "\n" << changed;
    }
    EXPECT_FALSE(OpenCheckpoint(note.substr(0, i), pub).ok());
  }
  // A witness's signature beside ours changes nothing.
  std::string witnessed =
      note + "\xe2\x80\x94 witness.example " + Base64(std::string(76, 'w')) + "\n";
  EXPECT_TRUE(OpenCheckpoint(witnessed, pub).ok());
  AuditPublicKey other{"log.example/a", Ed25519Key::Generate().public_key()};
  EXPECT_FALSE(OpenCheckpoint(note, other).ok());
}

TEST(Ed25519, KeysSurviveTheirPem) {
  Ed25519Key key = Ed25519Key::Generate();
  Result<Ed25519Key> again = Ed25519Key::FromPem(key.ToPem());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->public_key(), key.public_key());
  EXPECT_TRUE(Ed25519Verify(key.public_key(), "text", again->Sign("text")));
  EXPECT_FALSE(Ed25519Verify(key.public_key(), "texT", again->Sign("text")));
  EXPECT_FALSE(Ed25519Key::FromPem("").ok());
  EXPECT_FALSE(Ed25519Key::FromPem(key.ToPem().substr(0, 60)).ok());
}

TEST(AuditLine, SeesEveryLowControlAndNothingElse) {
  for (size_t size = 1; size < 20; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, '~');
        text[at] = static_cast<char>(c);
        ASSERT_EQ(HasLowControl(text), c < 0x20) << size << " " << at << " " << c;
      }
    }
  }
  EXPECT_FALSE(HasLowControl(""));
  EXPECT_FALSE(HasLowControl("\x80\x81\x9f\xa0\xff 0123"));
}

TEST(Base64, TakesOnlyWhatItGives) {
  for (size_t size = 0; size < 70; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * 37 + size));
    std::string text = Base64(bytes), again;
    EXPECT_EQ(text.size(), (size + 2) / 3 * 4);
    ASSERT_TRUE(ParseBase64(text, &again));
    EXPECT_EQ(again, bytes);
    // No other text means the same bytes.
    for (size_t i = 0; i < text.size(); ++i) {
      for (int c = 0; c < 256; ++c) {
        std::string changed = text;
        changed[i] = static_cast<char>(c);
        EXPECT_FALSE(changed != text && ParseBase64(changed, &again) && again == bytes) << changed;
      }
    }
  }
  std::string bytes;
  EXPECT_EQ(Base64(std::string("foobar")), "Zm9vYmFy");
  for (const char* bad : {"A", "AA", "AAA", "A===", "====", "AA=A", "AB==", "AAB=", "AA==AAAA"})
    EXPECT_FALSE(ParseBase64(bad, &bytes)) << bad;
}

}  // namespace
}  // namespace dpl
