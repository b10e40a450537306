// What answers say of a policy in the same words every time, as JSON that is made once: which
// statement, by whom, where and why.
//
//   auto parts = std::make_shared<const AnswerPieces>(program);      // when a policy is loaded
//   AppendAnswerJson(&out, snapshot, request, decision, {.parts = parts.get()});
//
// With or without them an answer has the same bytes; with them most of it is copied. About 300
// bytes for a grant. Immutable; any thread. Refers to no program once made, but belongs to that
// one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/decide/decision.h"
#include "runtime/json/json_composer.h"

namespace dpl {

class AnswerPieces {
 public:
  explicit AnswerPieces(const Program& program);

  // The object of `by`; empty: not made ready, so WriteBy makes it.
  std::string_view Of(const By& by) const {
    if (by.clause == kNone || by.match == Truth::kError || by_part_[by.clause] != by.part)
      return {};
    return Piece(by_, by.clause);
  }
  // Brings what Of will read for these into the cache, all at the same time.
  void Fetch(std::span<const By> all) const;
  // Members of `what`: `"action":"read","type":"shop.Order"`.
  std::string_view What(uint32_t type, uint32_t action) const {
    return Piece(what_, what_base_[type] + action);
  }
  // `"agent":"acme.helper"`.
  std::string_view Agent(uint32_t agent) const { return Piece(agents_, agent); }
  // The first member of `versions`: `"policy":"sha256:…"`.
  std::string_view Policy() const { return policy_; }

 private:
  std::string_view Piece(const std::vector<uint32_t>& ends, uint32_t i) const {
    const uint32_t from = ends[i], to = ends[i + 1];
    return {text_.data() + from, to - from};
  }

  std::string text_;                          // all pieces, one behind the other
  std::vector<uint32_t> by_, what_, agents_;  // where piece i begins; i + 1: where it ends
  std::vector<Part> by_part_;                 // by clause: as what it stands there
  std::vector<uint32_t> what_base_;           // by type
  std::string policy_;
};

// The object of one statement that an answer rests on.
void WriteBy(JsonComposer* w, const Program& program, const By& by, std::string* text);
// `"policy":"sha256:…"`.
void WritePolicy(JsonComposer* w, const Program& program);

}  // namespace dpl
