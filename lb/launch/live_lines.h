// What people see of the replicas while they come up: on a terminal a line per replica that is
// redrawn, elsewhere a line per event. Pure: makes text, the caller writes it. Loop thread only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "weir/timer.h"

#include "discovery/replica.h"

namespace weir {

// "850ms", "12s", "1m12s", "2h03m"
std::string short_duration(Duration duration);

struct LiveLinesOptions {
  bool redraws = false;  // stderr is a terminal that can move its cursor
  bool has_colour = false;
  size_t width = 80;   // longer lines are cut when redrawn
  size_t height = 24;  // more replicas than fit are summed up
};

class LiveLines {
 public:
  explicit LiveLines(LiveLinesOptions options) : options_(options) {}

  // A replica changed: the text to write now. Says nothing about a state that was said already.
  std::string on_change(const ReplicaStatus& status, TimePoint now);

  // Every second: the block drawn anew (terminal), or now and then a line about those still
  // loading.
  std::string on_tick(TimePoint now);

  // A line of text above the block.
  std::string note(const std::string& text, TimePoint now);

  // The block stays as it is and is never drawn again: COMMAND has the terminal from here on.
  std::string settle(TimePoint now);

 private:
  std::string event_text(const ReplicaStatus& status, TimePoint now) const;
  std::string draw(TimePoint now);
  std::string erase();
  std::string block_line(const ReplicaStatus& status, TimePoint now) const;
  std::string summary(TimePoint now) const;
  std::string coloured(ReplicaState state, std::string text) const;

  const LiveLinesOptions options_;
  bool is_settled_ = false;
  std::map<uint32_t, ReplicaStatus> replicas_;  // by index
  size_t drawn_ = 0;                            // lines of the block on the screen
  TimePoint last_summary_{};
  Duration summary_interval_ = std::chrono::seconds(10);
};

}  // namespace weir
