// Which question a method and a path stand for: the routes of the configuration.
//
//   Result<PathPattern> path = PathPattern::Parse("/orders/{id}");
//   Result<TextTemplate> id = TextTemplate::Parse("{id}", *path);
//   RouteTable table;  table.Add({.methods = {"GET"}, .path = *path, …});
//   table.Ask(seen, &writer)  // "": resource and action are written; else why there is no question
//
// The first route that fits is the one. What no route fits is denied.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "server/gate/target.h"
#include "server/http/message.h"

namespace dpl {

class JsonWriter;

// `/files/{folder}/{rest...}`: literal segments, placeholders for one segment, and at the end,
// maybe, one for all that follow (at least one).
class PathPattern {
 public:
  struct Segment {
    std::string text;  // the literal, or the placeholder's name
    bool placeholder = false, rest = false;
  };
  static Result<PathPattern> Parse(std::string_view text);

  bool Fits(const Target& target) const;
  // What the placeholder stood for; `rest` is joined by slashes. `name` is one of the pattern's.
  std::string Value(std::string_view name, const Target& target) const;
  bool Has(std::string_view name) const;

 private:
  std::vector<Segment> segments_;
  bool slash_ = false;
};

// What came in, besides the target.
struct SeenRequest {
  std::string_view method;
  std::string_view host;  // without port; empty: not said
  const Target* target = nullptr;
  const HttpRequest* http = nullptr;  // for headers
};

// `{id}`, `{query.amount} USD`, `{header.x-amount}`: text with what stood in the request.
class TextTemplate {
 public:
  enum class Source : uint8_t { kLiteral, kPath, kQuery, kHeader };
  struct Piece {
    Source source = Source::kLiteral;
    std::string text;
  };
  static Result<TextTemplate> Parse(std::string_view text, const PathPattern& path);

  // Appends the text. Returns why there is none.
  std::string Fill(const SeenRequest& seen, const PathPattern& path, std::string* out) const;
  const std::vector<Piece>& pieces() const { return pieces_; }
  // Two requests never fill it alike but by the same values: one placeholder, or such of the path
  // with slashes between them.
  bool Tells() const;

 private:
  std::vector<Piece> pieces_;
};

struct Route {
  struct Parameter {
    std::string name;
    TextTemplate text;
    bool number = false;  // sent as a number, not as a text
  };
  std::vector<std::string> methods;
  std::string host;  // empty: any
  PathPattern path;
  std::string type, action;
  TextTemplate id;
  std::vector<Parameter> parameters;
  std::optional<std::vector<std::string>> query;  // the names a query may hold; absent: any
};

class RouteTable {
 public:
  void Add(Route route) { routes_.push_back(std::move(route)); }
  bool empty() const { return routes_.empty(); }
  // Writes the members `action` and `resource`. Returns why there is no question.
  std::string Ask(const SeenRequest& seen, JsonWriter* writer) const;

 private:
  const Route* Find(const SeenRequest& seen, std::string_view method) const;
  std::vector<Route> routes_;
};

}  // namespace dpl
