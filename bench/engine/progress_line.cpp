#include "bench/engine/progress_line.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr double kBetweenLines_s = 10;
constexpr double kRatesOver_s = 2;  // of the redrawn line

double per_second(uint64_t now, uint64_t before, double between_s) {
  return between_s > 0 ? static_cast<double>(now - before) / between_s : 0;
}

double to_ms(int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

uint64_t ended(const LiveCounts& counts) {
  return counts.ok + counts.truncated + counts.failed + counts.rejected;
}

}  // namespace

std::string progress_line(const LiveCounts& counts, const LiveCounts& before, double now_s,
                          double between_s, double share) {
  const auto whole = static_cast<int64_t>(std::max(0.0, now_s));
  std::string line = fmt::format("{:2}:{:02}", whole / 60, whole % 60);
  if (share >= 0) line += fmt::format(" {:3.0f} %", std::min(1.0, share) * 100);
  line += fmt::format("  {} ok", counts.ok);
  if (counts.truncated > 0) line += fmt::format("  {} truncated", counts.truncated);
  if (counts.rejected > 0) line += fmt::format("  {} rejected", counts.rejected);
  line += fmt::format("  {} failed  in flight {}  {:.1f} req/s  {:.0f} events/s", counts.failed,
                      counts.in_flight, per_second(ended(counts), ended(before), between_s),
                      per_second(counts.output_tokens, before.output_tokens, between_s));
  if (counts.first_token.count() > 0) {
    line +=
        fmt::format("  TTFT p50 {:.1f} ms  p99 {:.1f} ms", to_ms(counts.first_token.percentile(50)),
                    to_ms(counts.first_token.percentile(99)));
  }
  return line;
}

ProgressLine::Kind ProgressLine::suitable() {
  const char* terminal = ::getenv("TERM");
  const bool can =
      ::isatty(STDERR_FILENO) != 0 && terminal != nullptr && std::string_view(terminal) != "dumb";
  return can ? Kind::redraw : Kind::lines;
}

void ProgressLine::wipe() {
  if (has_line_) std::fputs("\r\x1b[K", stderr);
  has_line_ = false;
}

void ProgressLine::say(std::string_view text) {
  if (kind_ == Kind::off) return;
  wipe();
  const std::string whole = std::string(text) + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void ProgressLine::begin(const LoadOptions& load) {
  duration_s_ = load.duration_s;
  requests_ = load.requests;
  next_line_s_ = kBetweenLines_s;
  seen_.assign(1, Seen{});
}

std::string ProgressLine::line(const LiveCounts& counts, double now_s) const {
  double share = -1;
  if (duration_s_ > 0) share = now_s / duration_s_;
  if (requests_ > 0) {
    const double done = static_cast<double>(ended(counts)) / static_cast<double>(requests_);
    share = std::max(share, done);
  }
  return progress_line(counts, seen_.front().counts, now_s, now_s - seen_.front().at_s, share);
}

void ProgressLine::show(const LiveCounts& counts, double now_s) {
  if (kind_ == Kind::off) return;
  if (kind_ == Kind::lines) {
    if (now_s < next_line_s_) return;
    next_line_s_ += kBetweenLines_s;
    say("weir: " + line(counts, now_s));
  } else {
    const std::string text = "\r" + line(counts, now_s) + "\x1b[K";
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    has_line_ = true;
  }
  seen_.push_back({counts, now_s});
  const double over_s = kind_ == Kind::lines ? 0 : kRatesOver_s;
  while (seen_.size() > 1 && seen_[1].at_s <= now_s - over_s) seen_.pop_front();
}

void ProgressLine::end() {
  wipe();
}

}  // namespace weir
