#include "runtime/audit/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "runtime/base/base64.h"
#include "runtime/base/text.h"

namespace dpl {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // em dash, space
constexpr char kEd25519 = 1;                         // the type of signature

std::string_view Bytes(const Ed25519Public& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

Error Bad(std::string message) { return {"audit.checkpoint", std::move(message)}; }

}  // namespace

std::string Base64(const Digest& digest) { return Base64(DigestBytes(digest)); }

bool ParseBase64(std::string_view text, Digest* out) {
  std::string bytes;
  if (!ParseBase64(text, &bytes) || bytes.size() != out->size()) return false;
  std::copy(bytes.begin(), bytes.end(), out->begin());
  return true;
}

bool IsAuditOrigin(std::string_view name) {
  return !name.empty() && name.size() <= 200 && IsValidUtf8(name) && !HasControl(name) &&
         !HasBidiOrInvisible(name) && name.find_first_of(" +") == std::string_view::npos &&
         name.find("\xc2\xa0") == std::string_view::npos;
}

std::string AuditPublicKey::id() const {
  Digest digest = Sha256(name + '\n' + kEd25519, Bytes(key));
  return std::string(DigestBytes(digest).substr(0, 4));
}

std::string AuditPublicKey::line() const {
  return name + "+" + Hex(id()) + "+" + Base64(std::string(1, kEd25519) + std::string(Bytes(key)));
}

Result<AuditPublicKey> ParseAuditPublicKey(std::string_view line) {
  while (line.ends_with('\n')) line.remove_suffix(1);
  Error bad{"audit.key", "not a public key of a log: `<name>+<key id>+<key>` is expected"};
  size_t first = line.find('+');
  size_t second = first == std::string_view::npos ? first : line.find('+', first + 1);
  if (second == std::string_view::npos) return bad;
  AuditPublicKey out;
  out.name = line.substr(0, first);
  std::string bytes;
  if (!IsAuditOrigin(out.name) || !ParseBase64(line.substr(second + 1), &bytes) ||
      bytes.size() != 33 || bytes[0] != kEd25519)
    return bad;
  std::copy(bytes.begin() + 1, bytes.end(), out.key.begin());
  if (Hex(out.id()) != line.substr(first + 1, second - first - 1)) return bad;
  return out;
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const Ed25519Key& key) {
  std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                     Base64(checkpoint.root) + "\n";
  for (const std::string& line : checkpoint.lines) text += line + "\n";
  AuditPublicKey own{checkpoint.origin, key.public_key()};
  Ed25519Signature signature = key.Sign(text);
  std::string signed_by = own.id();
  signed_by.append(reinterpret_cast<const char*>(signature.data()), signature.size());
  return text + "\n" + std::string(kDash) + own.name + " " + Base64(signed_by) + "\n";
}

Result<Checkpoint> OpenCheckpoint(std::string_view note, const AuditPublicKey& key) {
  if (note.size() > size_t{1} << 20 || !IsValidUtf8(note)) return Bad("not a checkpoint");
  size_t split = note.rfind("\n\n");
  if (split == std::string_view::npos || !note.ends_with('\n') || split + 2 == note.size())
    return Bad("not a checkpoint: an empty line and a signature are expected at its end");
  std::string_view text = note.substr(0, split + 1), signatures = note.substr(split + 2);
  bool good = false;
  while (!signatures.empty()) {
    size_t end = signatures.find('\n');
    std::string_view line = signatures.substr(0, end);
    signatures.remove_prefix(end + 1);
    if (!line.starts_with(kDash)) return Bad("a line behind its empty line is no signature");
    line.remove_prefix(kDash.size());
    size_t space = line.find(' ');
    std::string bytes;
    if (space == std::string_view::npos || !ParseBase64(line.substr(space + 1), &bytes) ||
        bytes.size() < 5)
      return Bad("a signature of it cannot be read");
    if (line.substr(0, space) != key.name || bytes.substr(0, 4) != key.id()) continue;
    Ed25519Signature signature;
    if (bytes.size() != 4 + signature.size()) return Bad("its signature has a wrong length");
    std::copy(bytes.begin() + 4, bytes.end(), signature.begin());
    if (!Ed25519Verify(key.key, text, signature))
      return Bad("its signature by " + key.name + " (key " + Hex(key.id()) +
                 ") is wrong: the text was changed, or another key signed it");
    good = true;
  }
  if (!good) return Bad("it is not signed by " + key.name + " (key " + Hex(key.id()) + ")");
  Checkpoint out;
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty();) {
    size_t end = rest.find('\n');
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  if (lines.size() < 3) return Bad("it has fewer than three lines");
  out.origin = lines[0];
  if (out.origin != key.name) return Bad("it is of another log, `" + out.origin + "`");
  auto [stop, error] =
      std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), out.size);
  if (error != std::errc() || stop != lines[1].data() + lines[1].size() ||
      lines[1] != std::to_string(out.size))
    return Bad("its size is no number");
  if (!ParseBase64(lines[2], &out.root)) return Bad("its root is no hash");
  for (size_t i = 3; i < lines.size(); ++i) out.lines.emplace_back(lines[i]);
  return out;
}

}  // namespace dpl
