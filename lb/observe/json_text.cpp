#include "lb/observe/json_text.h"

#include <array>
#include <charconv>
#include <chrono>

namespace weir {

void append_number(std::string& out, int64_t number) {
  std::array<char, 24> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc()) out.append(digits.data(), end);
}

void append_milliseconds(std::string& out, Duration span) {
  const int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  const int64_t positive = micros < 0 ? 0 : micros;
  append_number(out, positive / 1000);
  const int64_t rest = positive % 1000;
  out += '.';
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

}  // namespace weir
