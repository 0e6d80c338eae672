// How a run is going, on stderr: one line that is redrawn on a terminal, a line every ten seconds
// elsewhere. Main thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "bench/engine/load_options.h"
#include "bench/engine/load_worker.h"

namespace weir {

class ProgressLine {
 public:
  enum class Kind : uint8_t { off, lines, redraw };
  explicit ProgressLine(Kind kind) : kind_(kind) {}

  // redraw when stderr is a terminal that can, else lines.
  static Kind suitable();

  void say(std::string_view line);  // a line of its own
  void begin(const LoadOptions& load);
  void show(const LiveCounts& counts, double now_s);
  void end();  // takes the redrawn line away

 private:
  std::string line(const LiveCounts& counts, double now_s) const;
  void wipe();

  Kind kind_;
  double duration_s_ = 0;
  uint64_t requests_ = 0;
  double next_line_s_ = 0;
  // What rates are counted from: some seconds ago at most, else they would jump with each redraw.
  struct Seen {
    LiveCounts counts;
    double at_s = 0;
  };
  std::deque<Seen> seen_;
  bool has_line_ = false;
};

// "0:47 939 ok 0 err ..."; pure.
std::string progress_line(const LiveCounts& counts, const LiveCounts& before, double now_s,
                          double between_s, double share);

}  // namespace weir
