// dplc audit verify, prove, check-proof and prune: what can be known about an audit log.
#include <unistd.h>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "runtime/audit/decision_entry.h"
#include "runtime/audit/log.h"
#include "runtime/audit/proof.h"
#include "runtime/audit/segment.h"
#include "runtime/audit/sentence.h"
#include "runtime/audit/verify.h"
#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"

namespace dpl::dplc {
namespace {

constexpr size_t kMaxProof = size_t{32} << 20;

std::string Printable(std::string_view text) {
  std::string out;
  AppendPrintable(&out, text);
  return out;
}

std::string Count(uint64_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s");
}

// `--key`: the line itself, or a file that holds it.
Result<AuditPublicKey> KeyOf(const std::string& argument) {
  Result<AuditPublicKey> key = ParseAuditPublicKey(argument);
  if (key.ok()) return key;
  Result<std::string> text = ReadSmallFile(argument, 4096);
  if (!text.ok()) return text.error();
  key = ParseAuditPublicKey(*text);
  if (!key.ok()) return Error{"audit.key", argument + ": " + key.error().message};
  return key;
}

std::string VerifyJson(const AuditVerification& done) {
  std::string out;
  JsonWriter w(&out, 2);
  w.BeginObject().Key("ok").Bool(done.findings.empty());
  w.Member("origin", done.origin).Member("key_id", done.key_id);
  w.Key("first").Uint(done.first).Key("size").Uint(done.size);
  w.Key("signed_size").Uint(done.signed_size).Member("root", Base64(done.root));
  w.Key("segments").Uint(done.segments).Key("bytes").Uint(done.bytes);
  w.Key("findings").BeginArray();
  for (const AuditFinding& f : done.findings) {
    w.BeginObject().Member("code", f.code).Member("file", f.file);
    if (f.line != 0) w.Key("line").Uint(f.line);
    w.Key("byte").Uint(f.byte);
    if (f.seq.has_value()) w.Key("seq").Uint(*f.seq);
    w.Member("message", f.message).EndObject();
  }
  w.EndArray().Key("notes").BeginArray();
  for (const std::string& note : done.notes) w.String(note);
  w.EndArray().EndObject();
  return out + "\n";
}

std::string VerifyText(const AuditVerification& done) {
  std::string out = "log " + Printable(done.origin) + ", key " + done.key_id + "\n";
  out += Count(done.size, "record") + ", " + std::to_string(done.signed_size) + " signed; read " +
         Count(done.segments, "segment") + ", " + Count(done.bytes, "byte") + "\n";
  for (const std::string& note : done.notes) out += "note: " + Printable(note) + "\n";
  for (const AuditFinding& f : done.findings) {
    out += Printable(f.file);
    if (f.line != 0) out += ":" + std::to_string(f.line);
    if (f.line != 0 || f.byte != 0) out += " (byte " + std::to_string(f.byte) + ")";
    out += ": " + f.code + ": " + Printable(f.message) + "\n";
  }
  if (done.findings.empty()) return out + "nothing was changed\n";
  return out + Count(done.findings.size(), "finding") +
         "; behind the first one of a segment its other lines were not judged\n";
}

}  // namespace

int RunAuditVerify(const AuditArgs& args) {
  AuditVerifyOptions options;
  options.folder = args.folder;
  if (!args.key.empty()) {
    Result<AuditPublicKey> key = KeyOf(args.key);
    if (!key.ok()) return UsageError(key.error());
    options.key = key.take();
  }
  for (const std::string& path : args.checkpoints) {
    Result<std::string> note = ReadSmallFile(path);
    if (!note.ok()) return UsageError(note.error());
    options.checkpoints.push_back({path, note.take()});
  }
  const bool terminal = isatty(2) != 0;
  if (terminal) {
    options.progress = [](uint64_t bytes, uint64_t total) {
      Err("\r" + std::to_string(bytes >> 20) + " of " + std::to_string(total >> 20) + " MiB");
    };
  }
  Result<AuditVerification> done = VerifyAudit(options);
  if (terminal) Err("\r\033[K");
  if (!done.ok()) return UsageError(done.error());
  Out(args.format == "json" ? VerifyJson(*done) : VerifyText(*done));
  return done->findings.empty() ? kOk : kFindings;
}

int RunAuditProve(const AuditArgs& args) {
  Result<std::string> proof = ProveRecord(args.folder, args.seq);
  if (!proof.ok()) {
    Err("dplc: " + Printable(proof.error().message) + "\n");
    const std::string& code = proof.error().code;
    return code == "audit.file" || code == "audit.missing" ? kUsage : kFindings;
  }
  if (Status s = WriteWhole(args.output.empty() ? "-" : args.output, *proof); !s.ok())
    return UsageError(s.error());
  return kOk;
}

int RunAuditCheckProof(const AuditArgs& args) {
  Result<AuditPublicKey> key = KeyOf(args.key);
  if (!key.ok()) return UsageError(key.error());
  Result<std::string> text = ReadSmallFile(args.file == "-" ? "/dev/stdin" : args.file, kMaxProof);
  if (!text.ok()) return UsageError(text.error());
  Result<CheckedProof> checked = CheckProof(*text, *key);
  if (!checked.ok()) {
    Err("dplc: the proof proves nothing: " + Printable(checked.error().message) + "\n");
    return kFindings;
  }
  if (args.format == "json") {
    std::string out;
    JsonWriter w(&out);
    w.BeginObject().Key("ok").Bool(true).Member("origin", checked->checkpoint.origin);
    w.Key("seq").Uint(checked->seq).Member("time", FormatInstant(checked->time));
    w.Key("tree_size").Uint(checked->checkpoint.size).Key("record").Raw(checked->record);
    w.EndObject();
    Out(out + "\n");
  } else {
    Out("record " + std::to_string(checked->seq) + " is in the log " +
        Printable(checked->checkpoint.origin) + " of " + Count(checked->checkpoint.size, "record") +
        "\n" + AuditSentence(checked->seq, checked->time, checked->record) + "\n");
  }
  return kOk;
}

int RunAuditPrune(const AuditArgs& args) {
  Result<Instant> before = ParseInstant(args.before);
  if (!before.ok()) return UsageError(before.error());
  // Only a log that is there: opening one would begin it.
  if (Result<AuditPublicKey> key = ReadPublicKey(args.folder); !key.ok())
    return UsageError(key.error());
  Result<std::unique_ptr<AuditVault>> vault =
      AuditVault::Open({.folder = args.folder, .start = {}, .read_only = true});
  Result<std::unique_ptr<AuditLog>> log = AuditLog::Open({.folder = args.folder});
  if (!log.ok()) {
    Err("dplc: " + Printable(log.error().message) + "\n");
    return log.error().code == "audit.damaged" ? kFindings : kUsage;
  }
  // What was in force for the records alone goes with them.
  if (vault.ok()) (*log)->SetRenderer(std::make_unique<DecisionRecords>(vault->get(), false));
  Result<uint64_t> removed = (*log)->Prune(*before, args.because);
  if (!removed.ok()) return UsageError(removed.error());
  (*log)->Close();
  Out("removed " + Count(*removed, "segment") + "\n");
  return kOk;
}

}  // namespace dpl::dplc
