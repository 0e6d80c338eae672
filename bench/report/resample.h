// Bootstrap intervals: how far a difference between two runs could be chance. Whole requests are
// drawn, never single gaps, since the gaps of one request are alike. Seeded, and bounded in work:
// what is too large is thinned by requests first. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir {

// Values of one measure, each of a request; a request has one (TTFT) or many (gaps).
class Series {
 public:
  void add(uint32_t owner, double value) { rows_.push_back({value, owner}); }
  // Sorts. What is drawn from later are the values of every n-th owner, about `most_rows` of them.
  void finish(size_t most_rows);

  size_t count() const { return values_.size(); }
  size_t owners() const { return owners_; }
  double percentile(double percent) const;  // linear, as Samples has it

 private:
  friend class Resampler;
  struct Row {
    double value;
    uint32_t owner;
  };
  std::vector<double> values_;  // all of them
  std::vector<Row> rows_;
  size_t owners_ = 0;  // in rows_
};

struct Interval {
  double low = 0;
  double high = 0;
};

struct Difference {
  double a = 0;
  double b = 0;
  Interval absolute;  // of b - a
  Interval relative;  // of b / a - 1; 0 where a is 0
};

struct ResampleOptions {
  uint64_t seed = 0;
  uint32_t rounds = 1000;
  double confidence = 0.99;
  size_t most_rows = 100'000;  // of one series
};

Difference percentile_difference(const Series& a, const Series& b, double percent,
                                 const ResampleOptions& options);
// Means of values that follow each other in time (one a second), drawn in blocks, since a slow
// second is followed by another one.
Difference mean_difference(std::span<const double> a, std::span<const double> b,
                           const ResampleOptions& options);
// Shares of `hits` among `all`.
struct Share {
  uint64_t hits = 0;
  uint64_t all = 0;
};
Difference share_difference(Share a, Share b, const ResampleOptions& options);

}  // namespace weir
