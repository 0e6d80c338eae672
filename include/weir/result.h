// Result<T, E>: a value or an error, and nothing else (ADR 0004; std::expected is C++23). E is
// Error on the data path and Problem (a text for a person) in the control plane. Value type, any
// thread.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "weir/assert.h"
#include "weir/error.h"

namespace weir {

// An error for a person: what went wrong, and one action that helps (may be empty).
struct Problem {
  std::string what;
  std::string help;
};

struct Ok {};

template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : content_(std::in_place_index<0>, std::move(value)) {
  }  // NOLINT(google-explicit-constructor)
  Result(E error)
      : content_(std::in_place_index<1>, std::move(error)) {
  }  // NOLINT(google-explicit-constructor)

  bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    WEIR_ASSERT(has_value());
    return std::get<0>(content_);
  }
  const T& value() const& {
    WEIR_ASSERT(has_value());
    return std::get<0>(content_);
  }
  T&& value() && {
    WEIR_ASSERT(has_value());
    return std::get<0>(std::move(content_));
  }
  const E& error() const {
    WEIR_ASSERT(!has_value());
    return std::get<1>(content_);
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, E> content_;
};

}  // namespace weir
