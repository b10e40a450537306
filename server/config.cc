// The configuration file, member by member.
#include "server/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <set>

#include "runtime/base/arena.h"
#include "runtime/base/text.h"
#include "runtime/decide/duty.h"
#include "runtime/json/json.h"
#include "runtime/json/wire_text.h"
#include "server/config_integrations.h"
#include "server/config_reader.h"

namespace dpl {
namespace {

void ReadLimits(const WireValue& value, ConfigProblems* problems, HttpLimits* limits) {
  ObjectReader reader(value, "limits", problems);
  reader.Number("body_bytes", 1024, HttpLimits::kMaxBodyBytes, &limits->max_body_bytes);
  reader.Number("head_bytes", 1024, 256 * 1024, &limits->max_head_bytes);
  reader.Number("headers", 8, 1000, &limits->max_headers);
  reader.Number("connections", 1, 1'000'000, &limits->max_connections);
  reader.Number("connections_per_client", 0, 1'000'000, &limits->max_connections_per_client);
  reader.Number("buffered_bytes", 64 * 1024, int64_t{1} << 40, &limits->max_buffered_bytes);
  reader.Seconds("head_seconds", &limits->head_deadline);
  reader.Seconds("body_seconds", &limits->body_deadline);
  reader.Seconds("write_seconds", &limits->write_deadline);
  reader.Seconds("idle_seconds", &limits->idle_deadline);
  reader.Seconds("drain_seconds", &limits->drain_deadline);
  reader.Finish();
}

void ReadSearch(const WireValue& value, ConfigProblems* problems, SearchLimits* limits) {
  ObjectReader reader(value, "search", problems);
  reader.Number("page", 1, 100'000, &limits->page);
  reader.Number("most", 1, 100'000, &limits->most);
  reader.Number("decisions", 1, 10'000'000, &limits->decisions);
  reader.Number("milliseconds", 1, 60'000, &limits->milliseconds);
  reader.Finish();
  limits->page = std::min(limits->page, limits->most);
}

void ReadAudit(const WireValue& value, ConfigProblems* problems, Config::Audit* audit) {
  ObjectReader reader(value, "audit", problems);
  reader.Text("folder", &audit->folder);
  reader.Text("key", &audit->key);
  if (const WireValue* mode = reader.Take("mode")) {
    if (mode->is_string() && mode->text == "available") {
      audit->mode = AuditMode::kAvailable;
    } else if (!mode->is_string() || mode->text != "required") {
      reader.Fail(*mode, "audit.mode", "must be \"required\" or \"available\"");
    }
  }
  reader.Number("sync_ms", 1, 60'000, &audit->sync_ms);
  reader.Number("retain_days", 0, 36'500, &audit->retain_days);
  reader.Flag("replay", &audit->replay);
  reader.Finish();
}

void ReadCaller(const WireValue& value, const std::string& path, ConfigProblems* problems,
                RegisteredCaller* out) {
  ObjectReader reader(value, path, problems);
  Caller& caller = out->caller;
  caller.name.clear();
  reader.Text("name", &caller.name);
  if (const WireValue* token = reader.Take("token_sha256")) {
    std::string bytes;
    if (!token->is_string() || token->text.size() != 64 || !ParseHex(token->text, &bytes)) {
      reader.Fail(*token, path + ".token_sha256",
                  "must be the SHA-256 of the token: 64 hex digits");
    } else {
      out->token_sha256.emplace();
      std::copy(bytes.begin(), bytes.end(), out->token_sha256->begin());
    }
  }
  int64_t uid = -1;
  reader.Number("unix_uid", 0, 4'294'967'294, &uid);
  if (uid >= 0) out->unix_uid = uid;
  reader.Flag("serves_persons", &caller.serves_persons);
  reader.Flag("asserts_actors", &caller.asserts_actors);
  reader.Flag("asserts_instances", &caller.asserts_instances);
  if (const WireValue* asserts = reader.Take("asserts_attributes");
      asserts != nullptr && asserts->is_string()) {
    if (asserts->text != "*")
      reader.Fail(*asserts, path + ".asserts_attributes", "must be an array of texts, or \"*\"");
    caller.asserts_all_attributes = true;
  } else {
    reader.Texts("asserts_attributes", [&](const WireValue& item) {
      if (item.text.find('.') == std::string_view::npos) {
        reader.Fail(item, path + ".asserts_attributes",
                    "must name attributes as `person.role`, `context.ip` or `app.Doc.owner`");
      }
      caller.asserts.emplace_back(item.text);
    });
  }
  reader.Texts("partners", [&](const WireValue& item) { caller.partners.emplace_back(item.text); });
  reader.Texts("issuers", [&](const WireValue& item) { caller.issuers.emplace_back(item.text); });
  reader.Flag("charge_keys", &caller.charge_keys);
  reader.Flag("request_id_keys", &caller.request_id_keys);
  reader.Flag("dry_run", &caller.dry_run);
  reader.Flag("search", &caller.search);
  reader.Flag("details", &caller.details);
  if (const WireValue* explain = reader.Take("explain");
      explain != nullptr &&
      (!explain->is_string() || !FindExplain(explain->text, &caller.explain))) {
    reader.Fail(*explain, path + ".explain", "must be \"none\", \"reason\", \"full\" or \"trace\"");
  }
  reader.Texts("duties", [&](const WireValue& item) {
    DutyKind kind;
    if (!FindDuty(item.text, &kind))
      reader.Fail(item, path + ".duties", "must name duties: step_up, sign, mask, notify");
    caller.duties.emplace_back(item.text);
  });
  std::vector<std::string_view> roles;
  reader.Texts("roles", [&](const WireValue& item) {
    Role role;
    if (!FindRole(item.text, &role)) {
      return reader.Fail(item, path + ".roles",
                         "must name roles: decide, operate, approve, audit, person");
    }
    if (roles.empty()) out->roles = 0;
    out->roles = out->roles | role;
    roles.push_back(item.text);
  });
  if (const WireValue* given = value.Find("roles");
      given != nullptr && given->is_array() && given->count == 0)
    reader.Fail(*given, path + ".roles", "must name at least one role");
  reader.Text("person", &out->person);
  if (!out->person.empty() && out->Has(Role::kDecide)) {
    reader.Fail(value, path + ".roles",
                "of a personal token must be given, without `decide`: enforcement points decide");
  }
  if (out->person.empty() && out->Has(Role::kPerson))
    reader.Fail(value, path + ".roles", "may name `person` with a personal token only");
  reader.Finish();
  if (value.is_object() && value.Find("name") == nullptr)
    reader.Fail(value, path + ".name", "is required");
  if (value.is_object() && value.Find("token_sha256") == nullptr &&
      value.Find("unix_uid") == nullptr) {
    reader.Fail(value, path, "needs `token_sha256` or `unix_uid`, to be known by");
  }
}

void ReadCallers(const WireValue& value, ObjectReader* parent, ConfigProblems* problems,
                 std::vector<RegisteredCaller>* out) {
  // An empty list would silently mean development.
  if (!value.is_array() || value.count == 0) {
    return parent->Fail(value, "callers",
                        "must be an array with at least one caller; leave it out for development");
  }
  for (uint32_t i = 0; i < value.count; ++i) {
    std::string path = "callers[" + std::to_string(i) + "]";
    RegisteredCaller caller;
    ReadCaller(value.items[i], path, problems, &caller);
    for (const RegisteredCaller& other : *out) {
      if (!caller.caller.name.empty() && other.caller.name == caller.caller.name)
        parent->Fail(value.items[i], path + ".name", "is taken by another caller");
      if ((other.token_sha256 && other.token_sha256 == caller.token_sha256) ||
          (other.unix_uid && other.unix_uid == caller.unix_uid)) {
        parent->Fail(value.items[i], path,
                     "cannot be told from `" + other.caller.name + "`: same token or user id");
      }
    }
    out->push_back(std::move(caller));
  }
}

// https, a host, no query, no fragment; a trailing slash would double up.
bool IsPublicUrl(std::string_view url) {
  return url.substr(0, 8) == "https://" && url.size() > 8 &&
         url.find_first_of("?# \"\\<>") == std::string_view::npos && url.back() != '/' &&
         url[8] != '/';
}
void CheckPublicUrl(const WireValue& object, ObjectReader* reader, std::string_view url) {
  if (!url.empty() && !IsPublicUrl(url)) {
    reader->Fail(*object.Find("public_url"), reader->Path("public_url"),
                 "must be https, without query, fragment or slash at the end");
  }
}

}  // namespace

Result<Config> ReadConfigJson(std::string_view text, std::string_view name,
                              std::vector<ConfigProblem>* all) {
  Arena arena;
  Result<const WireValue*> root = ParseJson(text, &arena, FileJsonLimits());
  if (!root.ok()) {
    if (all != nullptr) *all = {{"", root.error().message, root.error().line, root.error().column}};
    return root.error();
  }
  Config config;
  ConfigProblems problems;
  ObjectReader reader(**root, "", &problems);
  reader.Texts("listen", [&](const WireValue& item) {
    Result<ListenAddress> address = ListenAddress::Parse(item.text);
    if (!address.ok()) return reader.Fail(item, "listen", address.error().message);
    config.listen.push_back(*address);
  });
  reader.Text("bundle", &config.bundle);
  reader.Text("facts", &config.facts);
  reader.Text("state", &config.state);
  if (const WireValue* operate = reader.Take("operate")) {
    ObjectReader inner(*operate, "operate", &problems);
    inner.Texts("listen", [&](const WireValue& item) {
      Status added = AddOperate(item.text, &config);
      if (!added.ok()) inner.Fail(item, "operate.listen", added.error().message);
    });
    inner.Text("public_url", &config.operate.public_url);
    CheckPublicUrl(*operate, &inner, config.operate.public_url);
    inner.Finish();
  }
  reader.Texts("dropped_revocations",
               [&](const WireValue& item) { config.dropped_revocations.emplace_back(item.text); });
  reader.Text("public_url", &config.public_url);
  CheckPublicUrl(**root, &reader, config.public_url);
  if (const WireValue* log = reader.Take("log")) {
    if (log->is_string() && log->text == "json") {
      config.log = LogFormat::kJson;
    } else if (!log->is_string() || log->text != "text") {
      reader.Fail(*log, "log", "must be \"text\" or \"json\"");
    }
  }
  reader.Number("threads", 1, 256, &config.threads);
  if (const WireValue* search = reader.Take("search"))
    ReadSearch(*search, &problems, &config.search);
  if (const WireValue* audit = reader.Take("audit")) ReadAudit(*audit, &problems, &config.audit);
  if (const WireValue* limits = reader.Take("limits"))
    ReadLimits(*limits, &problems, &config.limits);
  if (const WireValue* integrations = reader.Take("integrations"))
    ReadIntegrations(*integrations, &problems, &config.integrations);
  if (const WireValue* callers = reader.Take("callers"))
    ReadCallers(*callers, &reader, &problems, &config.callers);
  reader.Number("watch_seconds", 0, 3600, &config.watch_seconds);
  reader.Finish();
  if (!problems.empty()) {
    std::stable_sort(problems.begin(), problems.end(),
                     [](const ConfigProblem& a, const ConfigProblem& b) {
                       return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                     });
    const ConfigProblem& first = problems.front();
    Error error{"config", first.Text(), first.line, first.column};
    if (all != nullptr) *all = std::move(problems);
    return error;
  }
  for (uint32_t i = 0; i < (*root)->count; ++i) {
    const WireMember& member = (*root)->members[i];
    AppendWireText(&config.members[std::string(member.name)], member.value);
  }
  const std::filesystem::path folder = std::filesystem::path(name).parent_path();
  for (std::string* path :
       {&config.bundle, &config.facts, &config.state, &config.audit.folder, &config.audit.key}) {
    if (!path->empty() && !(path == &config.state && *path == Config::kMemoryState) &&
        !(path == &config.audit.folder && *path == Config::kNoAudit))
      *path = (folder / *path).string();  // an absolute path stays as it is
  }
  return config;
}

std::string ConfigProblem::Text() const {
  return path.empty() ? "the configuration " + message : path + ": " + message;
}

std::string NeedsRestart(const Config& now, const Config& next) {
  static constexpr std::string_view kReloaded[] = {"bundle", "facts", "callers",
                                                   "dropped_revocations", "integrations"};
  std::set<std::string_view> changed;
  for (const auto* pair : {&now, &next}) {
    const Config& other = pair == &now ? next : now;
    for (const auto& [name, text] : pair->members) {
      auto at = other.members.find(name);
      if (at == other.members.end() || at->second != text) changed.insert(name);
    }
  }
  std::string list;
  for (std::string_view name : changed) {
    if (std::find(std::begin(kReloaded), std::end(kReloaded), name) != std::end(kReloaded))
      continue;
    list.append(list.empty() ? "" : ",").append(name);
  }
  return list;
}

std::vector<ListenAddress> DefaultOperate(const Config& config) {
  std::vector<ListenAddress> out;
  if (config.state != Config::kMemoryState) {
    Result<ListenAddress> socket = ListenAddress::Parse(
        "unix:" + (std::filesystem::path(config.state) / Config::kOperateSocket).string());
    if (socket.ok()) out.push_back(*socket);
  }
  out.push_back(*ListenAddress::Parse(Config::kDefaultOperate));
  return out;
}

Status AddOperate(std::string_view text, Config* config) {
  config->operate.given = true;
  if (text == Config::kNoOperate) return {};
  Result<ListenAddress> address = ListenAddress::Parse(text);
  if (!address.ok()) return address.error();
  config->operate.listen.push_back(*address);
  return {};
}

std::string DefaultState() {
  const char* given = std::getenv("STATE_DIRECTORY");
  std::string_view folders = given == nullptr ? "" : given;
  std::string first(folders.substr(0, folders.find(':')));
  return first.empty() ? "dpl-state" : first;
}

std::string DefaultAudit(const Config& config) {
  const char* given = std::getenv("LOGS_DIRECTORY");
  std::string_view folders = given == nullptr ? "" : given;
  std::string first(folders.substr(0, folders.find(':')));
  if (!first.empty()) return first;
  return config.state == Config::kMemoryState ? std::string(Config::kNoAudit)
                                              : config.state + "/audit";
}

Status CheckConfig(const Config& config) {
  if (config.bundle.empty())
    return Error{"config", "no bundle: give --bundle, or `bundle` in the configuration", 0, 0};
  if (config.facts.empty())
    return Error{"config", "no facts: give --facts, or `facts` in the configuration", 0, 0};
  std::vector<ListenAddress> all = config.listen;
  all.insert(all.end(), config.operate.listen.begin(), config.operate.listen.end());
  for (const ListenAddress& address : all) {
    if (config.callers.empty() && !address.IsLocal()) {
      return Error{
          "config",
          "`" + address.ToString() +
              "` can be reached from other machines: register `callers` in the configuration first",
          0, 0};
    }
  }
  return {};
}

}  // namespace dpl
