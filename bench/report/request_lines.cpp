#include "bench/report/request_times.h"
#include "bench/report/run_json.h"

namespace weir {
namespace {

class Line {
 public:
  Line(const BenchReport& report, const RequestRecord& request)
      : report_(report), request_(request) {}

  std::string text() {
    out_.begin_object();
    write_what();
    write_times();
    write_counts();
    out_.key("gaps_ms").begin_array();
    for (const uint32_t gap : report_.run->gaps_of(request_)) out_.number(gap_ms(gap));
    out_.end_array();
    out_.end_object();
    return out_.take();
  }

 private:
  void time(std::string_view name, int64_t ns) {
    if (ns != kNoTime) out_.put(name, static_cast<double>(ns / 1000) / 1e6);
  }
  void ms(std::string_view name, double value) {
    if (value >= 0) out_.put(name, value);
  }
  void named(std::string_view name, const std::vector<std::string>& names, size_t index) {
    if (index < names.size() && !names[index].empty()) out_.put(name, names[index]);
  }

  void write_what() {
    out_.put("index", request_.index);
    out_.put("outcome", to_string(request_.outcome));
    if (request_.fault != RequestFault::none) out_.put("fault", to_string(request_.fault));
    named("error", report_.words.texts, request_.error);
    if (request_.is_warm_up) out_.put("warm_up", true);
    out_.put("status", request_.status);
    named("backend", report_.words.backends, request_.backend);
    if (report_.words.targets.size() > 1) named("target", report_.words.targets, request_.target);
    named("finish_reason", report_.words.texts, request_.finish_reason);
    if (request_.session != request_.index || request_.turn > 0) {
      out_.put("session", request_.session);
      out_.put("turn", request_.turn);
    }
    if (request_.attempts > 0) out_.put("attempts", request_.attempts);
    if (request_.is_resent) out_.put("resent", true);
    out_.put("reused_connection", request_.reused_connection);
    out_.put("kernel_times", request_.has_kernel_times);
  }

  // Seconds from the start of the run, to the microsecond; then what follows from them.
  void write_times() {
    time("planned_s", request_.planned_ns);
    time("sent_s", request_.sent_ns);
    time("connected_s", request_.connected_ns);
    time("first_byte_s", request_.first_byte_ns);
    time("first_event_s", request_.first_event_ns);
    time("first_token_s", request_.first_token_ns);
    time("first_content_s", request_.first_content_ns);
    time("last_token_s", request_.last_token_ns);
    time("ended_s", request_.ended_ns);
    ms("ttft_ms", ttft_ms(request_));
    ms("ttft_from_send_ms", ttft_from_send_ms(request_));
    ms("tpot_ms", tpot_ms(request_));
    ms("e2el_ms", e2el_ms(request_));
  }

  void write_counts() {
    if (request_.prompt_tokens >= 0) out_.put("prompt_tokens", request_.prompt_tokens);
    if (request_.output_tokens >= 0) out_.put("output_tokens", request_.output_tokens);
    if (request_.cached_tokens >= 0) out_.put("cached_tokens", request_.cached_tokens);
    if (request_.wanted_prompt_tokens >= 0) {
      out_.put("wanted_prompt_tokens", request_.wanted_prompt_tokens);
    }
    if (request_.wanted_output_tokens >= 0) {
      out_.put("wanted_output_tokens", request_.wanted_output_tokens);
    }
    out_.put("token_events", request_.token_events);
    out_.put("bytes_out", request_.bytes_out);
    out_.put("bytes_in", request_.bytes_in);
  }

  const BenchReport& report_;
  const RequestRecord& request_;
  JsonOut out_{0};
};

}  // namespace

std::string request_lines(const BenchReport& report) {
  std::string lines;
  for (const RequestRecord& request : report.run->requests) {
    lines += Line(report, request).text();
    lines += '\n';
  }
  return lines;
}

}  // namespace weir
