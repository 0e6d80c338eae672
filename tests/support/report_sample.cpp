// Writes the outputs of `weir bench` for a run that is made up: the same every time, with events, a
// slow backend, lost requests and texts that try to break out of the page.
//
//   report_sample FOLDER [--not-trusted | --search | --slower]
#include <cmath>
#include <cstdio>
#include <random>
#include <string>

#include "bench/report/make_report.h"

namespace weir {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int kSeconds = 60;
constexpr std::string_view kHostile =
    "</script><img src=x onerror=\"document.title='broken'\">&'`|";

class SampleRun {
 public:
  SampleRun(double rate, double slowness) : rate_(rate), slowness_(slowness) {}

  RunRecord make() {
    describe();
    run_.timeline.resize(kSeconds + 8);
    double at = 0;
    for (uint32_t i = 0; at < kSeconds; ++i, at += -std::log(1 - uniform()) / rate_) {
      add_request(i, static_cast<int64_t>(at * 1000) * kMs);
    }
    add_events();
    add_tester();
    return std::move(run_);
  }

 private:
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.2832 * uniform()); }

  void describe() {
    run_.arguments = {"weir",
                      "bench",
                      "http://127.0.0.1:8080",
                      "--rate",
                      "20",
                      "--duration",
                      "60s",
                      "--slo",
                      "ttft_p99<500ms",
                      "-H",
                      "Authorization: Bearer sample-secret-key"};
    run_.started_at = "2026-11-22T18:00:00+00:00";
    run_.date = "20261122-180000";
    run_.version = "0.1.0";
    run_.model = "sample/model <b>";
    run_.endpoint = "/v1/chat/completions";
    run_.load.rate = rate_;
    run_.load.text = std::to_string(static_cast<int>(rate_)) + " req/s Poisson for 60 s";
    run_.load.warm_up_s = 5;
    run_.work = "512 tokens in, 64 out";
    run_.length_check = "prompt lengths by usage";
    run_.targets.push_back({TargetRecord::Role::proxy, "127.0.0.1:8080", "http://127.0.0.1:8080"});
    run_.backends = {"n01-0", "n01-1", "n02-0", "n02-1" + std::string(kHostile)};
    run_.texts = {"", "length", "reset by the other side", std::string(kHostile)};
    run_.steady_begin_ns = 5000 * kMs;
    run_.steady_end_ns = int64_t{kSeconds} * 1000 * kMs;
    run_.has_kernel_times = true;
  }

  TimelineSecond& second(int64_t ns) {
    const size_t index = static_cast<size_t>(std::max<int64_t>(0, ns / (1000 * kMs)));
    return run_.timeline[std::min(index, run_.timeline.size() - 1)];
  }

  void add_request(uint32_t index, int64_t planned) {
    RequestRecord request;
    request.index = index;
    request.session = index;
    request.planned_ns = planned;
    request.sent_ns = planned + static_cast<int64_t>(uniform() * 200'000);
    request.backend = static_cast<uint16_t>(random_() % 4);
    // n01-0 is drained from 20 s to 35 s, n02-0 dies at 40 s.
    const bool is_drained = planned > 20000 * kMs && planned < 35000 * kMs;
    const bool is_dead = planned > 40000 * kMs;
    if (request.backend == 0 && is_drained) request.backend = 1;
    if (request.backend == 2 && is_dead) request.backend = 3;
    const double load = is_drained ? 1.5 : is_dead ? 1.7 : 1;
    const double slow = (request.backend == 3 ? 1.25 : 1) * slowness_;
    const double ttft = 90 * slow * load * std::exp(0.25 * normal());
    request.first_byte_ns = request.sent_ns + 3 * kMs;
    request.first_token_ns = request.sent_ns + static_cast<int64_t>(ttft * 1e6);
    request.first_event_ns = request.first_byte_ns;
    request.first_content_ns = request.first_token_ns;
    stream(&request, 12 * slow);
    finish(&request);
    request.is_warm_up = planned < run_.steady_begin_ns;
    run_.ended_ns = std::max(run_.ended_ns, request.ended_ns);
    run_.requests.push_back(request);
    count(request);
  }

  void stream(RequestRecord* request, double itl) {
    request->gap_begin = run_.gaps.size();
    request->last_token_ns = request->first_token_ns;
    const int64_t dies = 40000 * kMs;
    for (int i = 1; i < 64; ++i) {
      const double gap = itl * std::exp(0.15 * normal()) + (uniform() < 0.004 ? 90 : 0);
      const int64_t ns = static_cast<int64_t>(gap * 1e6);
      const bool is_cut = request->backend == 2 && request->last_token_ns + ns > dies;
      if (is_cut && request->planned_ns < dies) {
        request->outcome = RequestOutcome::truncated;
        request->fault = RequestFault::cut;
        request->error = random_() % 4 == 0 ? 3 : 2;
        request->ended_ns = dies + 5 * kMs;
        break;
      }
      run_.gaps.push_back(static_cast<uint32_t>(ns / kGapTick_ns));
      request->last_token_ns += ns;
      ++request->gap_count;
    }
    request->token_events = request->gap_count + 1;
  }

  static void finish(RequestRecord* request) {
    if (request->ended_ns == kNoTime) request->ended_ns = request->last_token_ns + kMs / 10;
    request->status = 200;
    request->has_kernel_times = true;
    request->wanted_output_tokens = 64;
    if (request->fault != RequestFault::none) return;
    request->outcome = RequestOutcome::ok;
    request->finish_reason = 1;
    request->prompt_tokens = 512;
    request->output_tokens = static_cast<int32_t>(request->token_events);
    request->cached_tokens = 256;
    request->has_done = true;
  }

  void count(const RequestRecord& request) {
    ++second(request.planned_ns).planned;
    ++second(request.sent_ns).sent;
    ++second(request.first_token_ns).first_tokens;
    int64_t at = request.first_token_ns;
    ++second(at).token_events;
    for (const uint32_t gap : run_.gaps_of(request)) {
      at += int64_t{gap} * kGapTick_ns;
      ++second(at).token_events;
    }
    const bool is_ok = request.outcome == RequestOutcome::ok;
    ++(is_ok ? second(request.ended_ns).ok : second(request.ended_ns).truncated);
    for (int64_t s = request.sent_ns / (1000 * kMs); s < request.ended_ns / (1000 * kMs); ++s) {
      ++second(s * 1000 * kMs).in_flight;
    }
  }

  void add_events() {
    const auto add = [&](std::string action, int64_t at_s, std::string result) {
      run_.chaos.push_back({std::move(action), at_s * 1000 * kMs, at_s * 1000 * kMs + kMs,
                            at_s * 1000 * kMs + 2 * kMs, true, std::move(result)});
    };
    add("drain n01-0", 20, "200");
    add("undrain n01-0", 35, "200");
    add("exec kill -9 n02-0 " + std::string(kHostile), 40, "exit 0");
  }

  void add_tester() {
    WorkerRecord& worker = run_.workers.emplace_back();
    worker.wall_ns = run_.ended_ns;
    worker.cpu_ns = run_.ended_ns / 20;
    worker.busy_most = 0.09;
    worker.events = run_.gaps.size() + run_.requests.size();
    for (int i = 0; i < 1000; ++i) {
      worker.loop_lag.add(static_cast<int64_t>(uniform() * 300'000));
      worker.start_lag.add(static_cast<int64_t>(uniform() * 200'000));
      worker.read_lag.add(static_cast<int64_t>(uniform() * 50'000));
    }
  }

  double rate_;
  double slowness_;
  std::mt19937_64 random_{7};
  RunRecord run_;
};

int write(const std::string& folder, const std::string& kind) {
  ReportOptions options;
  options.out = folder;
  options.slo = {"ttft_p99<500ms,itl_p99<100ms"};
  options.goodput = {"ttft:300ms,tpot:50ms"};
  options.percentiles = "50,90,99,99.9";
  options.metadata = {"site=" + std::string(kHostile)};
  options.detailed = true;
  const Result<std::unique_ptr<RunSink>, Problem> sink = make_report(options);
  if (!sink) {
    fprintf(stderr, "%s\n", sink.error().what.c_str());
    return 2;
  }
  BenchRecord bench;
  bench.runs.push_back(SampleRun(20, kind == "--slower" ? 1.3 : 1).make());
  RunRecord& run = bench.runs.front();
  for (int i = 0; kind == "--not-trusted" && i < 1000; ++i) run.workers[0].start_lag.add(90 * kMs);
  if (kind == "--search") {
    bench.kind = BenchRecord::Kind::search;
    bench.load_unit = "req/s";
    bench.highest_good = 20;
    bench.lowest_bad = 40;
    bench.runs.push_back(SampleRun(40, 2.5).make());
    bench.runs.push_back(SampleRun(10, 0.9).make());
  }
  return (*sink)->finish(bench);
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: report_sample FOLDER [--not-trusted | --search | --slower]\n");
    return 2;
  }
  return weir::write(argv[1], argc > 2 ? argv[2] : "");
}
