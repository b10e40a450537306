// See routes.h.
#include "server/gate/routes.h"

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"
#include "server/http/characters.h"

namespace dpl {
namespace {

Error Bad(std::string message) { return {"config", std::move(message), 0, 0}; }

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

// The digits of a JSON number without an exponent: what nobody rounds or reads in another base.
bool IsNumber(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  if (whole.empty() || !http::All(whole, http::kDigit) ||
      (whole.size() > 1 && whole.front() == '0'))
    return false;
  return point == std::string_view::npos ||
         (point + 1 < text.size() && http::All(text.substr(point + 1), http::kDigit));
}

}  // namespace

Result<PathPattern> PathPattern::Parse(std::string_view text) {
  PathPattern out;
  // The pattern is written as a path is sent, so that nothing can be said here that is refused
  // there.
  std::string plain;
  std::vector<Segment> placeholders;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}') return Bad("holds a `}` without `{`");
    if (text[i] != '{') {
      plain.push_back(text[i]);
      continue;
    }
    const size_t end = text.find('}', i);
    if (end == std::string_view::npos) return Bad("holds a `{` without `}`");
    std::string_view name = text.substr(i + 1, end - i - 1);
    const bool rest = name.ends_with("...");
    if (rest) name.remove_suffix(3);
    if (!IsName(name)) return Bad("holds a placeholder without a plain name");
    if (plain.empty() || plain.back() != '/' || (end + 1 < text.size() && text[end + 1] != '/'))
      return Bad("holds a placeholder that is not a whole segment");
    if (rest && end + 1 != text.size())
      return Bad("goes on after `{" + std::string(name) + "...}`");
    for (const Segment& other : placeholders) {
      if (other.text == name) return Bad("names `" + std::string(name) + "` twice");
    }
    placeholders.push_back({std::string(name), true, rest});
    plain.push_back('*');  // stands for it; no literal segment is a lone star
    i = end;
  }
  Target target;
  if (std::string why = ReadTarget(plain, &target); !why.empty())
    return Bad("cannot be sent: " + why);
  if (plain.find('?') != std::string::npos) return Bad("holds a query; see `parameters`");
  size_t next = 0;
  for (const std::string& segment : target.segments) {
    if (segment != "*") {
      out.segments_.push_back({segment, false, false});
    } else if (next == placeholders.size()) {
      return Bad("holds a segment `*`; a placeholder is written `{name}`");
    } else {
      out.segments_.push_back(placeholders[next++]);
    }
  }
  if (next != placeholders.size())
    return Bad("holds a segment `*`; a placeholder is written `{name}`");
  out.slash_ = target.slash;
  return out;
}

bool PathPattern::Fits(const Target& target) const {
  const bool rest = !segments_.empty() && segments_.back().rest;
  if (rest ? target.segments.size() < segments_.size() || target.slash
           : target.segments.size() != segments_.size() || target.slash != slash_) {
    return false;
  }
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (!segments_[i].placeholder && segments_[i].text != target.segments[i]) return false;
  }
  return true;
}

bool PathPattern::Has(std::string_view name) const {
  return std::any_of(segments_.begin(), segments_.end(), [name](const Segment& segment) {
    return segment.placeholder && segment.text == name;
  });
}

std::string PathPattern::Value(std::string_view name, const Target& target) const {
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (!segments_[i].placeholder || segments_[i].text != name) continue;
    std::string out = target.segments[i];
    for (size_t k = i + 1; segments_[i].rest && k < target.segments.size(); ++k)
      out.append("/").append(target.segments[k]);
    return out;
  }
  return {};
}

Result<TextTemplate> TextTemplate::Parse(std::string_view text, const PathPattern& path) {
  TextTemplate out;
  if (text.empty()) return Bad("is empty");
  while (!text.empty()) {
    const size_t open = text.find_first_of("{}");
    if (open != 0) {
      out.pieces_.push_back({Source::kLiteral, std::string(text.substr(0, open))});
      text.remove_prefix(std::min(open, text.size()));
      continue;
    }
    const size_t close = text.find('}');
    if (text.front() == '}' || close == std::string_view::npos)
      return Bad("holds a lone `{` or `}`");
    std::string_view name = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    Piece piece{Source::kPath, {}};
    if (name.starts_with("query.")) {
      piece.source = Source::kQuery;
      name.remove_prefix(6);
    } else if (name.starts_with("header.")) {
      piece.source = Source::kHeader;
      name.remove_prefix(7);
    } else if (!path.Has(name)) {
      return Bad("names `{" + std::string(name) +
                 "}`, which the path does not hold; there are also " +
                 "`{query.NAME}` and `{header.NAME}`");
    }
    if (!IsName(name)) return Bad("holds a placeholder without a plain name");
    piece.text = name;
    out.pieces_.push_back(std::move(piece));
  }
  return out;
}

bool TextTemplate::Tells() const {
  int placeholders = 0;
  bool apart = true;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (pieces_[i].source == Source::kLiteral) continue;
    ++placeholders;
    apart = apart && pieces_[i].source == Source::kPath &&
            (i == 0 || (pieces_[i - 1].source == Source::kLiteral && pieces_[i - 1].text == "/"));
  }
  return placeholders <= 1 || apart;
}

std::string TextTemplate::Fill(const SeenRequest& seen, const PathPattern& path,
                               std::string* out) const {
  for (const Piece& piece : pieces_) {
    switch (piece.source) {
      case Source::kLiteral:
        out->append(piece.text);
        break;
      case Source::kPath:
        out->append(path.Value(piece.text, *seen.target));
        break;
      case Source::kQuery: {
        std::string value;
        if (std::string why = QueryValue(seen.target->query, piece.text, &value); !why.empty())
          return why;
        if (value.empty()) return "a parameter of the route is empty";
        out->append(value);
        break;
      }
      case Source::kHeader: {
        HttpRequest::Found found = seen.http->Find(piece.text);
        if (found.count != 1) return "a header of the route is not there exactly once";
        if (found.value.empty() || !IsValidUtf8(found.value) || HasControl(found.value) ||
            HasBidiOrInvisible(found.value))
          return "a header of the route cannot be read for certain";
        out->append(found.value);
        break;
      }
    }
  }
  return {};
}

const Route* RouteTable::Find(const SeenRequest& seen, std::string_view method) const {
  for (const Route& route : routes_) {
    if (std::find(route.methods.begin(), route.methods.end(), method) == route.methods.end())
      continue;
    if (!route.host.empty() && !EqualIgnoringCase(route.host, seen.host)) continue;
    if (route.path.Fits(*seen.target)) return &route;
  }
  return nullptr;
}

std::string RouteTable::Ask(const SeenRequest& seen, JsonWriter* writer) const {
  const Route* route = Find(seen, seen.method);
  // A HEAD tells less than the GET it stands for.
  if (route == nullptr && seen.method == "HEAD") route = Find(seen, "GET");
  if (route == nullptr) return "no route of the configuration fits";
  std::string_view query = seen.target->query;
  if (route->query && !QueryHasOnly(query, *route->query))
    return "the query holds a name that the route does not know";
  writer->Key("action").BeginObject().Member("name", route->action);
  if (!route->parameters.empty()) {
    writer->Key("properties").BeginObject();
    for (const Route::Parameter& parameter : route->parameters) {
      std::string text;
      if (std::string why = parameter.text.Fill(seen, route->path, &text); !why.empty()) return why;
      if (!parameter.number) {
        writer->Member(parameter.name, text);
      } else if (IsNumber(text)) {
        writer->Key(parameter.name).Raw(text);
      } else {
        return "a parameter of the route is no number";
      }
    }
    writer->EndObject();
  }
  writer->EndObject();
  std::string id;
  if (std::string why = route->id.Fill(seen, route->path, &id); !why.empty()) return why;
  writer->Key("resource").BeginObject().Member("type", route->type).Member("id", id).EndObject();
  return {};
}

}  // namespace dpl
