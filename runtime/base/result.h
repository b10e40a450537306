// Value or named error: how wrong bytes travel up, and the check for mistakes of our own.
//
//   Result<Money> money = ParseMoney("5000.00", "USD");
//   if (!money.ok()) return money.error();
//   Use(money->minor);
//
// `Error::code` is stable and meant for machines ("json.depth"); `message` is for people, lower
// case, without a full stop. `line` and `column` are 1-based, 0 when unknown.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace dpl {

struct Error {
  std::string code;
  std::string message;
  uint32_t line = 0;
  uint32_t column = 0;
};

// Prints the place and ends the process; only ever reached by a mistake of our own.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

// Kept in release builds: a broken invariant must never turn into a decision.
#define DPL_CHECK(condition)                           \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::dpl::CheckFailed(__FILE__, __LINE__, #condition))

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& {
    DPL_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T& value() & {
    DPL_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }
  // Moves the value out; the Result is then only good for destruction.
  T take() { return std::move(value()); }

  const Error& error() const {
    DPL_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Success without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : ok_(false), error_(std::move(error)) {}  // NOLINT: implicit
  static Result Ok() { return Result(); }

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const {
    DPL_CHECK(!ok_);
    return error_;
  }

 private:
  bool ok_ = true;
  Error error_;
};

using Status = Result<void>;

// Returns the error of a Status or Result from the enclosing function.
#define DPL_RETURN_IF_ERROR(expression)              \
  do {                                               \
    auto dpl_status = (expression);                  \
    if (!dpl_status.ok()) return dpl_status.error(); \
  } while (false)

}  // namespace dpl
