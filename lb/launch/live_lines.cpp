#include "lb/launch/live_lines.h"

#include <algorithm>

#include <fmt/core.h>

namespace weir {
namespace {

constexpr size_t kMaxLogLines = 20;
constexpr Duration kLongestSummaryInterval = std::chrono::minutes(5);

bool is_coming(ReplicaState state) {
  return state == ReplicaState::waiting || state == ReplicaState::starting ||
         state == ReplicaState::loading;
}

// Output of servers may carry escape sequences and carriage returns.
std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else if (c == '\t') {
      out += ' ';
    }
  }
  return out;
}

std::string place(const ReplicaStatus& status) {
  std::string out;
  if (!status.host.empty()) out += fmt::format("{}:{}", status.host, status.port);
  if (!status.gpus.empty()) out += fmt::format(" GPU {}", status.gpus);
  if (!status.step.empty()) out += fmt::format(" step {}", status.step);
  return out;
}

}  // namespace

std::string short_duration(Duration duration) {
  using namespace std::chrono;
  const auto ms = std::max<int64_t>(0, duration_cast<milliseconds>(duration).count());
  if (ms < 1000) return fmt::format("{}ms", ms);
  const int64_t s = ms / 1000;
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
}

std::string LiveLines::on_change(const ReplicaStatus& status, TimePoint now) {
  const auto [it, is_new] = replicas_.try_emplace(status.index);
  const bool is_same = !is_new && it->second.state == status.state &&
                       it->second.reason == status.reason && it->second.port == status.port;
  it->second = status;
  if (is_same) return {};
  const std::string event = event_text(status, now);
  if (!options_.redraws || is_settled_) return event;
  const bool is_failure = !status.last_lines.empty() || status.state == ReplicaState::failed;
  return erase() + (is_failure ? event : std::string()) + draw(now);
}

std::string LiveLines::on_tick(TimePoint now) {
  if (is_settled_) return {};
  if (options_.redraws) return erase() + draw(now);
  const bool any =
      std::ranges::any_of(replicas_, [](const auto& r) { return is_coming(r.second.state); });
  if (!any) return {};
  if (last_summary_ == TimePoint{}) last_summary_ = now;
  if (now - last_summary_ < summary_interval_) return {};
  last_summary_ = now;
  summary_interval_ = std::min(summary_interval_ * 2, kLongestSummaryInterval);
  return summary(now) + "\n";
}

std::string LiveLines::note(const std::string& text, TimePoint now) {
  if (!options_.redraws || is_settled_) return text + "\n";
  return erase() + text + "\n" + draw(now);
}

std::string LiveLines::settle(TimePoint now) {
  if (is_settled_) return {};
  std::string text = options_.redraws ? erase() + draw(now) : std::string();
  is_settled_ = true;
  drawn_ = 0;
  return text;
}

std::string LiveLines::event_text(const ReplicaStatus& status, TimePoint now) const {
  const std::string age = short_duration(now - status.started);
  std::string what;
  switch (status.state) {
    case ReplicaState::waiting:
      what = "waiting";
      break;
    case ReplicaState::starting:
      what = fmt::format("starting on {}", status.node);
      break;
    case ReplicaState::loading:
      what = fmt::format("loading at {}", place(status));
      break;
    case ReplicaState::ready:
      what = fmt::format("ready after {} at {}", age, place(status));
      break;
    case ReplicaState::stopping:
      what = "stopping";
      break;
    case ReplicaState::stopped:
      what = "stopped";
      break;
    case ReplicaState::failed:
      what = "failed";
      break;
  }
  // Of these the reason says nothing new.
  const bool speaks_for_itself = status.state == ReplicaState::starting ||
                                 status.state == ReplicaState::loading ||
                                 status.state == ReplicaState::ready;
  const bool has_reason = !status.reason.empty() && !speaks_for_itself;
  std::string text =
      fmt::format("weir: replica {}: {}{}{}\n", status.id, coloured(status.state, what),
                  has_reason ? ": " : "", has_reason ? harmless(status.reason) : "");
  if (status.last_lines.empty()) return text;
  const size_t first = status.last_lines.size() - std::min(kMaxLogLines, status.last_lines.size());
  text += fmt::format("  its last lines{}{}:\n", status.log_path.empty() ? "" : ", of ",
                      status.log_path);
  for (size_t i = first; i < status.last_lines.size(); ++i) {
    text += fmt::format("  | {}\n", harmless(status.last_lines[i]));
  }
  return text;
}

std::string LiveLines::block_line(const ReplicaStatus& status, TimePoint now) const {
  const bool is_running = is_coming(status.state) && status.state != ReplicaState::waiting;
  std::string state(to_string(status.state));
  if (is_running) state += " " + short_duration(now - status.started);
  const std::string detail =
      is_running || status.state == ReplicaState::ready ? place(status) : status.reason;
  std::string line =
      fmt::format("  {:<12} {:<16} {:<16} {}", status.id, status.node, state, harmless(detail));
  if (line.size() > options_.width - 1) line.resize(options_.width - 1);
  return coloured(status.state, line);
}

std::string LiveLines::summary(TimePoint now) const {
  size_t ready = 0;
  size_t coming = 0;
  Duration longest{};
  for (const auto& [index, status] : replicas_) {
    ready += status.state == ReplicaState::ready;
    if (!is_coming(status.state)) continue;
    ++coming;
    if (status.state != ReplicaState::waiting) longest = std::max(longest, now - status.started);
  }
  return fmt::format("weir: {} of {} replicas ready, {} coming (longest {})", ready,
                     replicas_.size(), coming, short_duration(longest));
}

std::string LiveLines::draw(TimePoint now) {
  std::string out;
  drawn_ = 0;
  const size_t room = options_.height > 4 ? options_.height - 3 : 1;
  for (const auto& [index, status] : replicas_) {
    if (drawn_ == room) break;
    out += block_line(status, now) + "\n";
    ++drawn_;
  }
  if (replicas_.size() > drawn_ || replicas_.size() > 1) {
    out += summary(now) + "\n";
    ++drawn_;
  }
  return out;
}

// Up to the block's first line, and everything below it cleared.
std::string LiveLines::erase() {
  if (drawn_ == 0) return {};
  std::string out = fmt::format("\x1b[{}F\x1b[J", drawn_);
  drawn_ = 0;
  return out;
}

std::string LiveLines::coloured(ReplicaState state, std::string text) const {
  if (!options_.has_colour) return text;
  if (state == ReplicaState::ready) return "\x1b[32m" + text + "\x1b[0m";
  if (state == ReplicaState::failed) return "\x1b[31m" + text + "\x1b[0m";
  if (is_coming(state)) return "\x1b[33m" + text + "\x1b[0m";
  return text;
}

}  // namespace weir
