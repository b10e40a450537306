// What a programmer would write for the one policy of decide_bench instead of having an engine: the
// yardstick. It reads the request, decides, and writes the same bytes; it knows every name and
// every shape beforehand, and nothing else.
//
//   ByHand native(grants, engine_answer, now);         // its phrases are cut out of that answer
//   native.Decide(asked, now);                         // on texts
//   native.Path(body, now, "ev_1", &out);              // bytes to bytes
//   native.Path(body, now, "ev_1", &out, json);        // the same with another reader
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/base/text.h"

namespace dpl {

class ByHand {
 public:
  struct Asked {
    std::string_view subject_type, person, agent, instance, action, type, resource;
    int64_t born_s = 0;
  };

  // `answer`: the engine's, with evaluation id "ev_1", of person E1, run run-1, resource O1 at
  // `now`.
  ByHand(int grants, std::string_view answer, Instant now) {
    for (int i = 0; i < grants; ++i) roles_.emplace("bench.orders.buyer" + std::to_string(i), i);
    grants_.resize(static_cast<size_t>(grants));
    for (int i = 0; i < grants; ++i) grants_[static_cast<size_t>(i)].role = i;
    persons_.emplace("E0", Person{"amer", -1});
    persons_.emplace("E1", Person{"emea", grants - 1});
    orders_.emplace("O1", Order{"emea", "Paper"});
    agents_.emplace("spiffe://bench/helper", Agent{8 * kMicrosPerHour});
    runs_.emplace("run-1", now.us);  // on record, as in the engine's store
    types_.emplace("shop.Order", 0);
    actions_.emplace("read", 0);
    // The answer cut at what differs from request to request.
    const std::string time = FormatInstant(now);
    const std::string later = FormatInstant(*Add(now, Duration{kMicrosPerMinute}));
    for (std::string_view slot :
         {std::string_view("\"ev_1\""), std::string_view(later), std::string_view(time),
          std::string_view(later), std::string_view("\"E1\""), std::string_view("\"run-1\""),
          std::string_view("\"run-1\""), std::string_view("\"O1\"")}) {
      const size_t at = answer.find(slot);
      phrases_.emplace_back(answer.substr(0, at));
      answer.remove_prefix(at + slot.size());
    }
    phrases_.emplace_back(answer);
    out_.resize(8192);
  }

  // The grant that allows it, or -1.
  int Decide(const Asked& q, Instant now) const {
    if (q.subject_type != "person") return -1;
    auto type = types_.find(q.type);
    auto action = actions_.find(q.action);
    auto person = persons_.find(q.person);
    auto agent = agents_.find(q.agent);
    auto order = orders_.find(q.resource);
    if (type == types_.end() || action == actions_.end() || person == persons_.end() ||
        agent == agents_.end() || order == orders_.end())
      return -1;
    const int64_t born = std::min(now.us, q.born_s * kMicrosPerSecond);
    auto run = runs_.find(q.instance);
    if (now.us - (run == runs_.end() ? born : run->second) > agent->second.lives_us) return -1;
    if (order->second.vendor == "Shady") return -1;  // the forbid
    const int role = person->second.role;  // the ceiling and the delegation take any order
    if (role < 0 || order->second.region != person->second.region) return -1;
    return grants_[static_cast<size_t>(role)].role;
  }

  bool Path(std::string_view body, Instant now, std::string_view id, std::string* out) {
    return Path(body, now, id, out, Read);
  }
  // `read(body, &asked)`: false when the request cannot be read.
  template <class Reader>
  bool Path(std::string_view body, Instant now, std::string_view id, std::string* out,
            const Reader& read) {
    Asked q;
    if (!read(body, &q)) return false;
    const int grant = Decide(q, now);
    if (grant < 0) return false;
    at_ = out_.data();
    const Instant later{now.us + kMicrosPerMinute};
    Put(phrases_[0]);
    PutQuoted(id);
    Put(phrases_[1]);
    at_ = WriteInstant(at_, later);
    Put(phrases_[2]);
    at_ = WriteInstant(at_, now);
    Put(phrases_[3]);
    at_ = WriteInstant(at_, later);
    Put(phrases_[4]);
    PutQuoted(q.person);
    Put(phrases_[5]);
    PutQuoted(q.instance);
    Put(phrases_[6]);
    PutQuoted(q.instance);
    Put(phrases_[7]);
    PutQuoted(q.resource);
    Put(phrases_[8]);
    out->append(out_.data(), static_cast<size_t>(at_ - out_.data()));
    return true;
  }

  // Of this shape only: where a member stands is told by its name alone, and what is no text is
  // passed over.
  static bool Read(std::string_view body, Asked* q) {
    if (!IsValidUtf8(body)) return false;
    const char *at = body.data(), *end = at + body.size();
    std::array<std::string_view, 8> path;
    size_t depth = 0;
    bool value = false;
    std::string_view name;
    while (at < end) {
      const char c = *at;
      if (c == '{') {
        if (depth == path.size()) return false;
        path[depth++] = name;
        value = false;
      } else if (c == '}') {
        if (depth-- == 0) return false;
      } else if (c == ':') {
        value = true;
      } else if (c == ',') {
        value = false;
      } else if (c == '"') {
        const char* close =
            static_cast<const char*>(std::memchr(at + 1, '"', static_cast<size_t>(end - at - 1)));
        if (close == nullptr) return false;
        std::string_view text(at + 1, static_cast<size_t>(close - at - 1));
        if (text.find('\\') != std::string_view::npos) return false;
        at = close;
        if (!value) {
          name = text;
        } else {
          Take(q, depth == 0 ? std::string_view() : path[depth - 1], name, text);
          value = false;
        }
      } else if (c >= '0' && c <= '9') {
        int64_t number = 0;
        for (; at < end && *at >= '0' && *at <= '9'; ++at) number = number * 10 + (*at - '0');
        if (name == "iat") q->born_s = number;
        continue;
      } else if (c != ' ' && c != '\n') {
        return false;
      }
      ++at;
    }
    return depth == 0;
  }

 private:
  struct Person {
    std::string region;
    int role;
  };
  struct Order {
    std::string region, vendor;
  };
  struct Agent {
    int64_t lives_us;
  };
  struct Grant {
    int role;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  template <class T>
  using Table = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  static void Take(Asked* q, std::string_view in, std::string_view name, std::string_view text) {
    if (in == "subject") {
      (name == "type" ? q->subject_type : q->person) = text;
    } else if (in == "act") {
      (name == "sub" ? q->agent : q->instance) = text;
    } else if (in == "action") {
      q->action = text;
    } else if (in == "resource") {
      (name == "type" ? q->type : q->resource) = text;
    }
  }
  void Put(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void PutQuoted(std::string_view text) {
    *at_++ = '"';
    Put(IsPlainJson(text) ? text : "?");
    *at_++ = '"';
  }

  Table<int> roles_, types_, actions_;
  Table<Person> persons_;
  Table<Order> orders_;
  Table<Agent> agents_;
  Table<int64_t> runs_;
  std::vector<Grant> grants_;
  std::vector<std::string> phrases_;
  std::vector<char> out_;
  char* at_ = nullptr;
};

}  // namespace dpl
