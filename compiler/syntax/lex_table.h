// The generated lexer's automaton as a table over bytes: the same tokens as ANTLR's lexer makes
// from the same grammar, without its copies of the text, its token objects and its locks.
//
//   LexTable table;
//   LexTable::Match m = table.Next(text, at);   // text[at, m.end) is a token of type m.type
//
// The longest match counts, and of two rules the earlier, as ANTLR has it for a lexer without
// non-greedy loops, modes and predicates, which ours is (a test compares the two). States are made
// when they are first met and kept. Several threads: one table each. Internal to this room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace dpl::syntax {

class LexTable {
 public:
  LexTable();

  struct Match {
    uint32_t type = 0;
    size_t end = 0;
  };
  // `at` is before the end; the text is UTF-8. Always matches something: the grammar ends with a
  // rule for any character.
  Match Next(std::string_view text, size_t at);

 private:
  // A place in a lexer rule, and where to go on after each fragment that it is inside of.
  using Config = std::vector<uint32_t>;
  using Configs = std::vector<Config>;  // sorted

  static constexpr int32_t kUnknown = -1, kDead = -2;
  struct State {
    Configs configs;
    uint32_t type = 0;          // of the token that ends here; 0: none does
    std::vector<int32_t> next;  // by class of character
  };

  int32_t StateOf(Configs configs);
  int32_t Step(size_t state, size_t char_class);
  size_t ClassOf(char32_t c) const;
  static void Close(Config config, Configs* out);

  std::vector<char32_t> bounds_;  // beyond ASCII: where a class begins, ascending
  std::vector<State> states_;
  std::map<Configs, int32_t> ids_;
};

}  // namespace dpl::syntax
