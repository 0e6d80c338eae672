// A run made by hand, for the tests of bench/report.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "bench/record/run_record.h"

namespace weir {

inline constexpr int64_t kMs = 1'000'000;

// The request's answer streams: a first token after `ttft`, then gaps.
struct MadeRequest {
  int64_t planned = 0;  // ms from the start of the run
  int64_t sent = -1;    // -1 = as planned
  int64_t ttft = 100;   // from the plan
  std::vector<int64_t> gaps{20, 20, 20};
  int tokens = -1;  // by usage; -1 = as many as events
  RequestOutcome outcome = RequestOutcome::ok;
  RequestFault fault = RequestFault::none;
  bool is_warm_up = false;
  uint16_t backend = kNoBackend;
};

class MadeRun {
 public:
  MadeRun() {
    run.model = "mock";
    run.endpoint = "/v1/chat/completions";
    run.started_at = "2026-11-22T18:00:00+00:00";
    run.date = "20261122-180000";
    run.version = "0.1.0";
    run.load.text = "20 req/s Poisson";
    run.load.rate = 20;
    run.work = "512 tokens in, 128 out";
    run.targets.push_back({TargetRecord::Role::proxy, "127.0.0.1:8080", "http://127.0.0.1:8080"});
    run.workers.emplace_back();
    run.workers[0].wall_ns = 1000 * kMs;
    run.workers[0].cpu_ns = 100 * kMs;
  }

  RequestRecord& add(const MadeRequest& made) {
    RequestRecord& request = run.requests.emplace_back();
    request.index = static_cast<uint32_t>(run.requests.size() - 1);
    request.planned_ns = made.planned * kMs;
    request.sent_ns = (made.sent < 0 ? made.planned : made.sent) * kMs;
    request.first_byte_ns = request.sent_ns + kMs;
    request.first_token_ns = request.planned_ns + made.ttft * kMs;
    request.first_content_ns = request.first_token_ns;
    request.last_token_ns = request.first_token_ns;
    request.gap_begin = run.gaps.size();
    for (const int64_t gap : made.gaps) {
      run.gaps.push_back(static_cast<uint32_t>(gap * kMs / kGapTick_ns));
      request.last_token_ns += gap * kMs;
    }
    request.gap_count = static_cast<uint32_t>(made.gaps.size());
    request.token_events = request.gap_count + 1;
    request.ended_ns = request.last_token_ns;
    request.prompt_tokens = 512;
    request.output_tokens = made.tokens < 0 ? static_cast<int>(request.token_events) : made.tokens;
    request.status = 200;
    request.outcome = made.outcome;
    request.fault = made.fault;
    request.is_warm_up = made.is_warm_up;
    request.backend = made.backend;
    run.ended_ns = std::max(run.ended_ns, request.ended_ns);
    run.steady_end_ns = std::max(run.steady_end_ns, request.planned_ns);
    return request;
  }

  // So many alike, `distance` ms apart.
  MadeRun& add_many(int count, int64_t distance, const MadeRequest& like) {
    for (int i = 0; i < count; ++i) {
      MadeRequest one = like;
      one.planned += i * distance;
      if (like.sent >= 0) one.sent += i * distance;
      add(one);
    }
    return *this;
  }

  uint16_t text(const std::string& text) {
    run.texts.push_back(text);
    return static_cast<uint16_t>(run.texts.size() - 1);
  }

  RunRecord run;
};

}  // namespace weir
