// See run.h.
#include "server/ctl/run.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "server/ctl/print.h"

namespace dpl {
namespace {

Error Usage(std::string message) { return {"ctl.usage", std::move(message), 0, 0}; }

void AppendEncoded(std::string* out, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
        c == '.' || c == '_' || c == '~') {
      out->push_back(c);
    } else {
      out->append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
}

Result<std::string> ReadFile(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      path == "-" ? stdin : std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) return Usage(path + ": " + std::strerror(errno));
  std::string text;
  char bytes[65536];
  for (size_t n = 0; (n = std::fread(bytes, 1, sizeof bytes, file.get())) > 0;)
    text.append(bytes, n);
  if (std::ferror(file.get()) != 0) return Usage(path + ": cannot be read");
  return text;
}

// JSON other than a text stays what it is; anything else is a text.
void WriteValue(JsonWriter* out, std::string_view text) {
  Arena arena;
  Result<const WireValue*> json = ParseJson(text, &arena);
  if (json.ok() && !(*json)->is_string() && !(*json)->is_null()) {
    out->Raw(text);
  } else {
    out->String(text);
  }
}

Status WriteRun(JsonWriter* out, std::string_view text) {
  size_t slash = text.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size())
    return Usage("`" + std::string(text) + "`: a run is named AGENT/INSTANCE");
  out->BeginObject().Member("agent", text.substr(0, slash));
  out->Member("instance", text.substr(slash + 1)).EndObject();
  return {};
}

}  // namespace

Result<Ask> MakeAsk(const Command& command, const Given& given,
                    const std::vector<std::pair<std::string, std::string>>& more) {
  Ask ask;
  ask.method = command.method;
  std::string_view rest = command.path;
  std::string query, body;
  JsonWriter out(&body);
  bool has_members = false;
  out.BeginObject();
  if (size_t equals = command.fixed.find('='); equals != std::string_view::npos) {
    out.Member(command.fixed.substr(0, equals), command.fixed.substr(equals + 1));
    has_members = true;
  }
  auto add_query = [&query](std::string_view name, std::string_view value) {
    query += query.empty() ? "?" : "&";
    AppendEncoded(&query, name);
    query += "=";
    AppendEncoded(&query, value);
  };
  bool is_file = false;
  for (const Argument& argument : command.arguments) {
    auto at = given.find(argument.flag);
    if (at == given.end() || at->second.empty()) continue;
    const std::string& value = at->second.front();
    switch (argument.goes) {
      case Goes::kPath: {
        size_t hole = rest.find("{}");
        ask.path.append(rest.substr(0, hole));
        AppendEncoded(&ask.path, value);
        rest.remove_prefix(hole + 2);
        break;
      }
      case Goes::kQuery:
        add_query(argument.member, value);
        break;
      case Goes::kText:
      case Goes::kTextHere:
      case Goes::kWordHere:
        out.Member(argument.member, value);
        has_members = true;
        break;
      case Goes::kFlag:
        out.Key(argument.member).Bool(true);
        has_members = true;
        break;
      case Goes::kRun:
        out.Key(argument.member);
        DPL_RETURN_IF_ERROR(WriteRun(&out, value));
        has_members = true;
        break;
      case Goes::kStarter:
        out.Key(argument.member).BeginObject().Member("person", value).EndObject();
        has_members = true;
        break;
      case Goes::kArgs:
        out.Key(argument.member).BeginObject();
        for (const std::string& pair : at->second) {
          size_t equals = pair.find('=');
          if (equals == std::string::npos || equals == 0)
            return Usage("`" + pair + "`: an argument is given as NAME=VALUE");
          out.Key(std::string_view(pair).substr(0, equals));
          WriteValue(&out, std::string_view(pair).substr(equals + 1));
        }
        out.EndObject();
        has_members = true;
        break;
      case Goes::kFile: {
        Result<std::string> text = ReadFile(value);
        if (!text.ok()) return text.error();
        ask.body = text.take();
        is_file = true;
        break;
      }
    }
  }
  out.EndObject();
  ask.path.append(rest);
  for (const auto& [name, value] : more) add_query(name, value);
  ask.path += query;
  if (!is_file && has_members) ask.body = std::move(body);
  return ask;
}

int PrintReply(const Command& command, const Reply& reply, bool json, std::string* out,
               std::string* err, std::string* next) {
  next->clear();
  Arena arena;
  Result<const WireValue*> read = ParseJson(reply.body, &arena, FileJsonLimits());
  if (!read.ok() || !(*read)->is_object()) {
    *err += "dplctl: the answer is no JSON object (status " + std::to_string(reply.status) + ")\n";
    return kUnreachable;
  }
  const WireValue& root = **read;
  auto text = [&](std::string_view name) {
    const WireValue* value = root.Find(name);
    return value != nullptr && value->is_string() ? std::string(value->text) : std::string();
  };
  if (reply.status >= 300) {
    if (json) *out += reply.body + "\n";
    *err += "dplctl: " + Shown(text("detail")) + "\n";
    if (std::string pointer = text("pointer"); !pointer.empty())
      *err += "  at " + Shown(pointer) + "\n";
    return kRefused;
  }
  *next = text("next");
  if (json) {
    *out += reply.body + "\n";
  } else if (const WireValue* items = root.Find("items"); items != nullptr && items->is_array()) {
    *out += Table(*items, command.columns);
  } else {
    *out += Lines(root);
  }
  return kDone;
}

}  // namespace dpl
