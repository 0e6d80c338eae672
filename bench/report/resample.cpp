#include "bench/report/resample.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <unordered_map>

#include "bench/report/samples.h"

namespace weir {

namespace {

// How many seconds are drawn together.
size_t block_of(size_t count) {
  return std::max<size_t>(1, static_cast<size_t>(std::cbrt(count) * 2));
}

// The point of the normal distribution beyond which a share of `tail` lies, below 0.5; to 0.0005.
double normal_point(double tail) {
  const double t = std::sqrt(-2 * std::log(tail));
  return t - (2.515517 + 0.802853 * t + 0.010328 * t * t) /
                 (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
}

// Of so few blocks the spread among them is itself uncertain, and draws of them are too much alike:
// by what share an interval has to be wider. Student's t to the normal distribution, expanded by
// degrees of freedom.
double widening(size_t count_a, size_t count_b, double confidence) {
  const auto blocks = [](size_t count) {
    return std::max(1.5, static_cast<double>(count) / static_cast<double>(block_of(count)));
  };
  const double fewer = std::min(blocks(count_a), blocks(count_b));
  const double freedom = std::max(2.0, blocks(count_a) + blocks(count_b) - 2);
  const double z = normal_point((1 - confidence) / 2);
  const double z2 = z * z;
  const double students =
      1 + (z2 + 1) / (4 * freedom) + (5 * z2 * z2 + 16 * z2 + 3) / (96 * freedom * freedom) +
      (3 * z2 * z2 * z2 + 19 * z2 * z2 + 17 * z2 - 15) / (384 * freedom * freedom * freedom);
  return students * std::sqrt(fewer / (fewer - 1));
}

Interval widened(Interval interval, double centre, double factor) {
  return {centre - factor * (centre - interval.low), centre + factor * (interval.high - centre)};
}

}  // namespace

// The standard's distributions differ between libraries; a result has to be the same everywhere.
class Resampler {
 public:
  explicit Resampler(const ResampleOptions& options) : options_(options), random_(options.seed) {}

  double percentile(const Series& series, double percent) {
    weights_.assign(series.owners_, 0);
    for (size_t i = 0; i < series.owners_; ++i) ++weights_[below(series.owners_)];
    uint64_t total = 0;
    for (const Series::Row& row : series.rows_) total += weights_[row.owner];
    if (total == 0) return 0;
    const double position = percent / 100 * static_cast<double>(total - 1);
    const uint64_t whole = static_cast<uint64_t>(position);
    const double part = position - static_cast<double>(whole);
    const double low = value_at(series, whole);
    if (part == 0 || whole + 1 >= total) return low;
    return low + (value_at(series, whole + 1) - low) * part;
  }

  double mean_of_blocks(std::span<const double> values) {
    const size_t count = values.size();
    const size_t block = block_of(count);
    double sum = 0;
    for (size_t drawn = 0; drawn < count;) {
      const size_t begin = below(count);
      for (size_t i = 0; i < block && drawn < count; ++i, ++drawn)
        sum += values[(begin + i) % count];
    }
    return sum / static_cast<double>(count);
  }

  double share(Share share) {
    uint64_t hits = 0;
    for (uint64_t i = 0; i < share.all; ++i) hits += below(share.all) < share.hits ? 1 : 0;
    return static_cast<double>(hits) / static_cast<double>(share.all);
  }

  template <typename DrawA, typename DrawB>
  Difference difference(double a, double b, DrawA draw_a, DrawB draw_b) {
    std::vector<double> absolute;
    std::vector<double> relative;
    for (uint32_t i = 0; i < options_.rounds; ++i) {
      const double drawn_a = draw_a();
      const double drawn_b = draw_b();
      absolute.push_back(drawn_b - drawn_a);
      relative.push_back(drawn_a > 0 ? drawn_b / drawn_a - 1 : 0);
    }
    return {a, b, interval(std::move(absolute)), interval(std::move(relative))};
  }

 private:
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(random_()) * bound) >> 64);
  }

  double value_at(const Series& series, uint64_t rank) const {
    uint64_t seen = 0;
    for (const Series::Row& row : series.rows_) {
      seen += weights_[row.owner];
      if (seen > rank) return row.value;
    }
    return series.rows_.back().value;
  }

  Interval interval(std::vector<double> values) const {
    const Samples sorted(std::move(values));
    const double tail = (1 - options_.confidence) * 50;
    return {sorted.percentile(tail), sorted.percentile(100 - tail)};
  }

  const ResampleOptions& options_;
  std::mt19937_64 random_;
  std::vector<uint32_t> weights_;
};

void Series::finish(size_t most_rows) {
  values_.reserve(rows_.size());
  for (const Row& row : rows_) values_.push_back(row.value);
  std::ranges::sort(values_);
  std::unordered_map<uint32_t, uint32_t> names;  // owners as 0, 1, 2, ...
  for (const Row& row : rows_) names.try_emplace(row.owner, static_cast<uint32_t>(names.size()));
  const size_t step = rows_.size() / std::max<size_t>(1, most_rows) + 1;
  std::vector<Row> kept;
  for (const Row& row : rows_) {
    const uint32_t owner = names.at(row.owner);
    if (owner % step == 0) kept.push_back({row.value, owner / static_cast<uint32_t>(step)});
  }
  owners_ = (names.size() + step - 1) / step;
  rows_ = std::move(kept);
  std::ranges::sort(rows_, {}, &Row::value);
}

double Series::percentile(double percent) const {
  return percentile_of_sorted(values_, percent);
}

Difference percentile_difference(const Series& a, const Series& b, double percent,
                                 const ResampleOptions& options) {
  Resampler resampler(options);
  return resampler.difference(
      a.percentile(percent), b.percentile(percent),
      [&] { return resampler.percentile(a, percent); },
      [&] { return resampler.percentile(b, percent); });
}

Difference mean_difference(std::span<const double> a, std::span<const double> b,
                           const ResampleOptions& options) {
  const auto mean = [](std::span<const double> values) {
    return Samples({values.begin(), values.end()}).mean();
  };
  if (a.empty() || b.empty()) return {mean(a), mean(b), {}, {}};
  Resampler resampler(options);
  Difference difference = resampler.difference(
      mean(a), mean(b), [&] { return resampler.mean_of_blocks(a); },
      [&] { return resampler.mean_of_blocks(b); });
  const double factor = widening(a.size(), b.size(), options.confidence);
  const double change = difference.b - difference.a;
  difference.absolute = widened(difference.absolute, change, factor);
  if (difference.a > 0) {
    difference.relative = widened(difference.relative, change / difference.a, factor);
  }
  return difference;
}

Difference share_difference(Share a, Share b, const ResampleOptions& options) {
  const auto share = [](Share of) {
    return of.all == 0 ? 0 : static_cast<double>(of.hits) / static_cast<double>(of.all);
  };
  if (a.all == 0 || b.all == 0) return {share(a), share(b), {}, {}};
  Resampler resampler(options);
  return resampler.difference(
      share(a), share(b), [&] { return resampler.share(a); }, [&] { return resampler.share(b); });
}

}  // namespace weir
