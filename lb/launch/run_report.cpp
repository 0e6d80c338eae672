#include "lb/launch/run_report.h"

#include <stdio.h>

#include <algorithm>

#include <fmt/core.h>

#include "weir/json_string.h"

#include "lb/launch/live_lines.h"

namespace weir {
namespace {

std::string_view reason_of(const ExchangeReport& report) {
  if (report.has_error) return name(report.error.kind);
  if (report.has_stream_error) return "backend_error_event";
  return report.status >= 500 ? std::string_view("backend_answered_5xx") : std::string_view();
}

double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// "12,345"
std::string grouped(uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string milliseconds(double ms) {
  return ms < 1000.0 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.1f} s", ms / 1000.0);
}

std::string spread_text(const Spread& spread) {
  return fmt::format("median {}, 99 % {}", milliseconds(spread.quantile_ms(0.5)),
                     milliseconds(spread.quantile_ms(0.99)));
}

std::string spread_json(const Spread& spread) {
  return fmt::format(R"({{"count": {}, "p50": {:.3f}, "p90": {:.3f}, "p99": {:.3f}}})",
                     spread.count(), spread.quantile_ms(0.5), spread.quantile_ms(0.9),
                     spread.quantile_ms(0.99));
}

}  // namespace

void RunReport::on_exchange(const ExchangeReport& report) noexcept {
  if (report.is_probe_path) return;
  const std::lock_guard lock(mutex_);
  count(report);
}

void RunReport::count(const ExchangeReport& report) {
  ++traffic_.requests;
  traffic_.streams += report.is_stream;
  traffic_.retried += report.attempts > 1;
  const std::string_view reason = reason_of(report);
  const bool has_left = report.has_error && report.error.kind == ErrorKind::client_gone;
  const bool is_refused = report.has_error ? blame(report.error.kind) == Blame::client && !has_left
                                           : report.status >= 400 && report.status < 500;
  const bool is_failed = !has_left && !is_refused && !reason.empty();
  traffic_.left += has_left;
  traffic_.refused += is_refused;
  if (is_failed) {
    ++traffic_.failed;
    ++traffic_.reasons[std::string(reason)];
  }
  const bool is_success = !has_left && !is_refused && !is_failed;
  const bool has_usage = report.tokens_out >= 0;
  const uint64_t tokens = has_usage ? static_cast<uint64_t>(report.tokens_out) : report.events;
  traffic_.succeeded += is_success;
  traffic_.without_usage += is_success && !has_usage;
  traffic_.tokens_in += report.tokens_in > 0 ? static_cast<uint64_t>(report.tokens_in) : 0;
  traffic_.tokens_out += tokens;
  if (report.leased != TimePoint{}) traffic_.waited.add(report.leased - report.accepted);
  if (report.first_event != TimePoint{})
    traffic_.first_token.add(report.first_event - report.accepted);
  if (is_success) traffic_.whole.add(report.ended - report.accepted);
  if (report.backend.empty()) return;
  auto share = shares_.find(report.backend);
  if (share == shares_.end()) {
    if (shares_.size() == kMaxShares) return;
    share = shares_.emplace(report.backend, Share{}).first;
  }
  ++share->second.requests;
  share->second.failed += is_failed;
  share->second.tokens_out += tokens;
}

void RunReport::on_replica(const ReplicaStatus& status, TimePoint now) {
  if (has_ended_) return;
  const auto [it, is_new] = replicas_.try_emplace(status.id);
  ReplicaLedger& ledger = it->second;
  if (is_new) ledger.since = begin_;
  settle(&ledger, now);
  ledger.state = status.state;
  ledger.was_ready |= status.state == ReplicaState::ready;
  ledger.restarts = status.restarts;
  ledger.node = status.node;
  if (!status.gpus.empty()) ledger.gpus = status.gpus;
}

// Books the time since the last change under the state it was spent in.
void RunReport::settle(ReplicaLedger* ledger, TimePoint now) {
  const Duration spent = now - ledger->since;
  ledger->since = now;
  if (ledger->state == ReplicaState::ready) {
    ledger->ready += spent;
  } else if (ledger->was_ready || ledger->state == ReplicaState::failed) {
    ledger->down += spent;
  } else {
    ledger->loading += spent;
  }
}

void RunReport::on_end(RunEnd end, TimePoint now) {
  if (!has_ended_) {
    for (auto& [id, ledger] : replicas_) settle(&ledger, now);
    ended_ = now;
  }
  has_ended_ = true;
  end_ = std::move(end);
}

RunReport::LostTime RunReport::lost_time() const {
  LostTime lost;
  for (const auto& [id, ledger] : replicas_) {
    lost.loading += ledger.loading;
    lost.down += ledger.down;
    lost.all += ledger.loading + ledger.down + ledger.ready;
  }
  return lost;
}

double RunReport::seconds() const {
  return std::max(to_seconds(ended_ - begin_), 1e-3);
}

std::string RunReport::shares_text() const {
  std::string out;
  for (const auto& [id, ledger] : replicas_) {
    const auto found = shares_.find(id);
    const Share share = found == shares_.end() ? Share{} : found->second;
    const double percent = traffic_.requests == 0 ? 0.0
                                                  : 100.0 * static_cast<double>(share.requests) /
                                                        static_cast<double>(traffic_.requests);
    out += fmt::format(
        "  {:<14} {:<14} {:>9} requests {:>5.1f} %  {:>11} tokens  {:>5} failed  ready {}{}\n", id,
        ledger.gpus.empty() ? ledger.node : fmt::format("{} GPU {}", ledger.node, ledger.gpus),
        grouped(share.requests), percent, grouped(share.tokens_out), share.failed,
        short_duration(ledger.ready),
        ledger.restarts == 0 ? "" : fmt::format("  {} restarts", ledger.restarts));
  }
  return out;
}

std::string RunReport::text() const {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("weir: {} after {}\n", end_.how, short_duration(ended_ - begin_));
  out += fmt::format("  requests       {} ({} streamed): {} succeeded, {} failed",
                     grouped(traffic_.requests), grouped(traffic_.streams),
                     grouped(traffic_.succeeded), grouped(traffic_.failed));
  if (traffic_.refused > 0) out += fmt::format(", {} refused (4xx)", grouped(traffic_.refused));
  if (traffic_.left > 0) out += fmt::format(", {} left by their client", grouped(traffic_.left));
  if (traffic_.retried > 0)
    out += fmt::format("; {} sent more than once", grouped(traffic_.retried));
  out += "\n";
  for (const auto& [reason, times] : traffic_.reasons) {
    out += fmt::format("    failed       {:>6}  {}\n", grouped(times), reason);
  }
  out += fmt::format(
      "  tokens         {} in, {} out ({:.0f} a second){}\n", grouped(traffic_.tokens_in),
      grouped(traffic_.tokens_out), static_cast<double>(traffic_.tokens_out) / seconds(),
      traffic_.without_usage == 0
          ? ""
          : fmt::format("; {} answers named no usage: their stream events are counted",
                        grouped(traffic_.without_usage)));
  if (traffic_.first_token.count() > 0) {
    out += fmt::format("  first token    {}\n", spread_text(traffic_.first_token));
  }
  if (traffic_.whole.count() > 0)
    out += fmt::format("  whole answer   {}\n", spread_text(traffic_.whole));
  out += shares_text();
  const LostTime lost = lost_time();
  const double percent = lost.all == Duration{}
                             ? 0.0
                             : 100.0 * to_seconds(lost.loading + lost.down) / to_seconds(lost.all);
  out += fmt::format("  time lost      {} loading, {} down, of {} of all replicas ({:.0f} %)\n",
                     short_duration(lost.loading), short_duration(lost.down),
                     short_duration(lost.all), percent);
  for (const std::string& problem : end_.left) out += fmt::format("  at the end     {}\n", problem);
  return out;
}

std::string RunReport::shares_json() const {
  std::string out;
  for (const auto& [id, ledger] : replicas_) {
    const auto found = shares_.find(id);
    const Share share = found == shares_.end() ? Share{} : found->second;
    out += fmt::format(
        "{}\n    {{\"id\": {}, \"node\": {}, \"gpus\": {}, \"requests\": {}, \"failed\": {}, "
        "\"tokens_out\": {}, "
        "\"restarts\": {}, \"loading_s\": {:.3f}, \"ready_s\": {:.3f}, \"down_s\": {:.3f}}}",
        out.empty() ? "" : ",", json_string(id), json_string(ledger.node), json_string(ledger.gpus),
        share.requests, share.failed, share.tokens_out, ledger.restarts, to_seconds(ledger.loading),
        to_seconds(ledger.ready), to_seconds(ledger.down));
  }
  return out;
}

std::string RunReport::json() const {
  const std::lock_guard lock(mutex_);
  std::string reasons;
  for (const auto& [reason, times] : traffic_.reasons) {
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : ", ", json_string(reason), times);
  }
  std::string left;
  for (const std::string& problem : end_.left)
    left += (left.empty() ? "" : ", ") + json_string(problem);
  const LostTime lost = lost_time();
  std::string out = "{\n";
  out += fmt::format("  \"end\": {{\"exit_code\": {}, \"how\": {}, \"problems\": [{}]}},\n",
                     end_.exit_code, json_string(end_.how), left);
  out += fmt::format("  \"duration_s\": {:.3f},\n", seconds());
  out += fmt::format(
      "  \"requests\": {{\"all\": {}, \"succeeded\": {}, \"failed\": {}, \"refused\": {}, "
      "\"left_by_client\": {}, "
      "\"streamed\": {}, \"retried\": {}, \"failures\": {{{}}}}},\n",
      traffic_.requests, traffic_.succeeded, traffic_.failed, traffic_.refused, traffic_.left,
      traffic_.streams, traffic_.retried, reasons);
  out += fmt::format("  \"tokens\": {{\"in\": {}, \"out\": {}, \"answers_without_usage\": {}}},\n",
                     traffic_.tokens_in, traffic_.tokens_out, traffic_.without_usage);
  out += fmt::format("  \"wait_ms\": {},\n  \"first_token_ms\": {},\n  \"duration_ms\": {},\n",
                     spread_json(traffic_.waited), spread_json(traffic_.first_token),
                     spread_json(traffic_.whole));
  out +=
      fmt::format("  \"time_lost_s\": {{\"loading\": {:.3f}, \"down\": {:.3f}, \"of\": {:.3f}}},\n",
                  to_seconds(lost.loading), to_seconds(lost.down), to_seconds(lost.all));
  out += fmt::format("  \"replicas\": [{}\n  ]\n}}\n", shares_json());
  return out;
}

bool write_report(const std::string& path, const std::string& json) {
  FILE* file = ::fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const bool is_written = ::fwrite(json.data(), 1, json.size(), file) == json.size();
  return ::fclose(file) == 0 && is_written;
}

}  // namespace weir
