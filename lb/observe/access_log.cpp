#include "lb/observe/access_log.h"

#include "lb/observe/json_text.h"

namespace weir {
namespace {

constexpr size_t kLongestPath = 1024;
constexpr size_t kLongestWord = 256;

bool has(TimePoint time) {
  return time != TimePoint{};
}

void key(std::string& out, std::string_view name) {
  out += ",\"";
  out += name;
  out += "\":";
}

void text(std::string& out, std::string_view name, std::string_view value,
          size_t most = kLongestWord) {
  key(out, name);
  if (value.empty()) {
    out += "null";
  } else {
    append_json_string(out, value, most);
  }
}

void number(std::string& out, std::string_view name, int64_t value) {
  key(out, name);
  append_number(out, value);
}

void tokens(std::string& out, std::string_view name, int64_t value) {
  key(out, name);
  if (value < 0) {
    out += "null";
  } else {
    append_number(out, value);
  }
}

void span(std::string& out, std::string_view name, bool is_known, Duration value) {
  key(out, name);
  if (is_known) {
    append_milliseconds(out, value);
  } else {
    out += "null";
  }
}

// From the first event to the last, by token after the first; by event when `usage` was not seen.
Duration per_token(const ExchangeReport& report) {
  const int64_t tokens =
      report.tokens_out > 0 ? report.tokens_out : static_cast<int64_t>(report.events);
  return tokens > 1 ? (report.last_event - report.first_event) / (tokens - 1) : Duration::zero();
}

void append_times(std::string& out, const ExchangeReport& report) {
  const bool is_leased = has(report.leased);
  const TimePoint sent = has(report.connected) ? report.connected : report.leased;
  const bool has_events = report.is_stream && has(report.first_event);
  span(out, "queue_ms", true, (is_leased ? report.leased : report.ended) - report.accepted);
  span(out, "connect_ms", is_leased && has(report.connected), report.connected - report.leased);
  span(out, "ttfb_ms", is_leased && has(report.first_byte), report.first_byte - sent);
  span(out, "ttft_ms", has_events, report.first_event - report.accepted);
  span(out, "tpot_ms", has_events && report.events > 1, per_token(report));
  span(out, "itl_max_ms", has_events && report.events > 1, report.longest_gap);
  span(out, "total_ms", true, report.ended - report.accepted);
}

std::string_view reason(const ExchangeReport& report) {
  if (report.has_error) return name(report.error.kind);
  return report.has_stream_error ? std::string_view("stream_error") : std::string_view();
}

}  // namespace

void append_access_line(std::string& out, const ExchangeReport& report, const WallTime& wall) {
  out += "{\"ts\":\"";
  wall.append_utc(out, report.accepted);
  out += '"';
  text(out, "id", report.request_id);
  text(out, "client", report.client);
  text(out, "method", report.method, 32);
  text(out, "path", report.path, kLongestPath);
  text(out, "pool", report.pool);
  text(out, "model", report.model);
  text(out, "backend", report.backend);
  number(out, "attempts", report.attempts);
  number(out, "status", report.status);
  out += report.is_stream ? ",\"stream\":true" : ",\"stream\":false";
  text(out, "finish", report.finish_reason, 64);
  append_times(out, report);
  tokens(out, "tok_in", report.tokens_in);
  tokens(out, "tok_out", report.tokens_out);
  number(out, "bytes_in", static_cast<int64_t>(report.bytes_in));
  number(out, "bytes_out", static_cast<int64_t>(report.bytes_out));
  text(out, "reason", reason(report));
  out += '}';
}

void AccessLog::on_exchange(const ExchangeReport& report) noexcept {
  if (report.is_probe_path) return;  // somebody's health check every second would bury the requests
  line_.clear();
  append_access_line(line_, report, wall_);
  output_.add(line_);
}

}  // namespace weir
