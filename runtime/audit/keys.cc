#include "runtime/audit/keys.h"

#include <unistd.h>

#include "runtime/audit/segment.h"

namespace dpl {
namespace {

// A name that no other log has: the machine's, and eight digits of the key.
std::string MadeUpOrigin(const Ed25519Public& key) {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0 || !IsAuditOrigin(host)) host[0] = '\0';
  std::string digits = Hex(Sha256(std::string_view(reinterpret_cast<const char*>(key.data()), 32)));
  return (host[0] == '\0' ? "localhost" : std::string(host)) + "/dpl-audit/" + digits.substr(0, 8);
}

}  // namespace

Result<AuditSigner> OpenAuditSigner(const std::string& folder, const std::string& key_path,
                                    const std::string& origin, bool fresh, Disk* disk) {
  const std::string path = key_path.empty() ? folder + "/log.key" : key_path;
  if (!origin.empty() && !IsAuditOrigin(origin))
    return Error{"audit.key", "the origin `" + origin + "` has a space, a `+` or a control in it"};
  Result<std::string> pem = ReadSmallFile(path, 16 * 1024);
  if (!pem.ok()) {
    if (pem.error().code != "audit.missing") return pem.error();
    if (!fresh) {
      return Error{"audit.key", "the key " + path +
                                    " is missing: without it the log cannot be continued; put it "
                                    "back, or begin a new log in another folder"};
    }
    Ed25519Key made = Ed25519Key::Generate();
    DPL_RETURN_IF_ERROR(ReplaceFile(path, made.ToPem(), disk));
    pem = made.ToPem();
  }
  Result<Ed25519Key> key = Ed25519Key::FromPem(*pem);
  if (!key.ok()) return Error{"audit.key", path + ": " + key.error().message};
  AuditSigner signer{key.take(), {}};
  signer.pub.key = signer.key.public_key();
  Result<AuditPublicKey> pub = ReadPublicKey(folder);
  if (pub.ok()) {
    signer.pub.name = pub->name;
    if (pub->key != signer.pub.key)
      return Error{"audit.key", path + " is not the key of this log, whose public key is log.pub"};
    if (!origin.empty() && origin != pub->name) {
      return Error{"audit.key",
                   "this log is `" + pub->name + "`, not `" + origin + "`: a log keeps its origin"};
    }
    return signer;
  }
  if (pub.error().code != "audit.missing" || !fresh)
    return Error{"audit.key", "the public key " + folder + "/log.pub: " + pub.error().message};
  signer.pub.name = origin.empty() ? MadeUpOrigin(signer.pub.key) : origin;
  DPL_RETURN_IF_ERROR(ReplaceFile(folder + "/log.pub", signer.pub.line() + "\n", disk));
  DPL_RETURN_IF_ERROR(SyncFolder(folder));
  return signer;
}

}  // namespace dpl
