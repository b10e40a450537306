// Random conditions as policy text: every operator of the language, over whatever the place lets a
// condition see.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/vocabulary.h"

namespace dpl::gen {

struct Place {
  const std::vector<Attr>* resource =
      nullptr;          // attributes of the one resource type; null: `resource` has none to read
  std::string type;     // "app.Doc"; empty: several
  bool adding = false;  // optional values need `is known` beside them
  bool person = true;
  bool agent_side = false;  // sees `agent` and `task`
  bool in_task = false;     // `task.source` exists
  bool no_request = false;  // nothing that the caller says
  bool no_now = false, no_context = false;
  bool in_role = false;      // a role is not defined by itself
  std::vector<Attr> params;  // of the actions
};

class ConditionGen {
 public:
  ConditionGen(Rng* rng, const Vocabulary& v) : rng_(*rng), v_(v) {}

  std::string Condition(const Place& place, int depth);
  // Whether a person's attribute `from request` was read since the last call: the statement must
  // say `trusting request`.
  bool TakeTrust() { return std::exchange(trust_, false); }

 private:
  struct Path {
    std::string text;
    T type;
    bool optional;
  };
  std::vector<Path> Paths(const Place& place);
  std::string Guarded(const Place& place, const Path& path);
  std::string OnValue(const Place& place, const std::string& p, T type);
  std::string Free(const Place& place);  // reads no attribute
  std::string OfPerson(const std::string& p);
  std::string Lit(T type) { return LiteralText(&rng_, v_, type); }
  std::string Order() { return rng_.Of(Texts{" < ", " <= ", " > ", " >= ", " == ", " != "}); }
  std::string Equal() { return rng_.Chance(65) ? " == " : " != "; }

  Rng& rng_;
  const Vocabulary& v_;
  bool trust_ = false;
};

}  // namespace dpl::gen
