// What dplctl can be told, once: each command with its call of the operating API, where each of its
// arguments goes, and what of the answer its table shows. Everything else reads this list.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace dpl {

// Where the value of an argument goes.
enum class Goes : unsigned char {
  kPath,      // into the path, in order; a positional argument
  kQuery,     // a query parameter
  kText,      // a member of the body, as text
  kFlag,      // a member of the body that is true
  kArgs,      // NAME=VALUE, repeated: a member of the object `args`
  kRun,       // AGENT/INSTANCE: the object {agent, instance}
  kStarter,   // PERSON: the object {person}
  kFile,      // a file that is the whole body; a positional argument
  kTextHere,  // as kText, but positional
  kWordHere   // as kTextHere, and may be left out
};

struct Argument {
  std::string_view flag;    // `--because`, or the word that stands for a positional one
  std::string_view member;  // of body or query
  Goes goes;
  bool required;
  std::string_view help;
};

struct Command {
  std::string_view words;  // "tasks open"
  std::string_view method, path;
  std::string_view columns;  // of a list, separated by blanks; a dot goes into an object
  std::string_view fixed;    // a member of the body that is always the same: `verdict=approve`
  std::string_view help;
  std::vector<Argument> arguments;
};

std::span<const Command> Commands();

}  // namespace dpl
