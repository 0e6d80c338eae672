#include "lb/observe/wall_time.h"

#include <time.h>

#include <array>

namespace weir {

WallTime WallTime::now() {
  using std::chrono::nanoseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto steady = std::chrono::steady_clock::now().time_since_epoch();
  return WallTime(std::chrono::duration_cast<nanoseconds>(wall) -
                  std::chrono::duration_cast<nanoseconds>(steady));
}

int64_t WallTime::unix_milliseconds(TimePoint time) const {
  const auto since =
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()) + offset_;
  return std::chrono::floor<std::chrono::milliseconds>(since).count();
}

void WallTime::append_utc(std::string& out, TimePoint time) const {
  const int64_t milliseconds = unix_milliseconds(time);
  const int64_t rest = ((milliseconds % 1000) + 1000) % 1000;
  const time_t seconds = static_cast<time_t>((milliseconds - rest) / 1000);
  tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return;
  const auto two = [](char* at, int value) {
    at[0] = static_cast<char>('0' + value / 10 % 10);
    at[1] = static_cast<char>('0' + value % 10);
  };
  std::array<char, 24> text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                            '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
  const int year = parts.tm_year + 1900;
  two(&text[0], year / 100);
  two(&text[2], year % 100);
  two(&text[5], parts.tm_mon + 1);
  two(&text[8], parts.tm_mday);
  two(&text[11], parts.tm_hour);
  two(&text[14], parts.tm_min);
  two(&text[17], parts.tm_sec);
  text[20] = static_cast<char>('0' + rest / 100);
  text[21] = static_cast<char>('0' + rest / 10 % 10);
  text[22] = static_cast<char>('0' + rest % 10);
  out.append(text.data(), text.size());
}

}  // namespace weir
