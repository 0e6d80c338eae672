// What the wall clock shows at a TimePoint: the distance of the two clocks, taken once, so that
// nothing on the hot path asks a clock. Value type, any thread.
#pragma once

#include <cstdint>
#include <string>

#include "weir/timer.h"

namespace weir {

class WallTime {
 public:
  explicit WallTime(std::chrono::nanoseconds offset) : offset_(offset) {}  // wall = steady + offset
  static WallTime now();                                                   // asks both clocks

  int64_t unix_milliseconds(TimePoint time) const;
  // "2026-11-22T04:51:07.412Z"
  void append_utc(std::string& out, TimePoint time) const;

 private:
  std::chrono::nanoseconds offset_;
};

}  // namespace weir
