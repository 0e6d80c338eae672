#include "bench/mock/metrics_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr double kCacheTokens = 400'000;  // of a KV cache that is never really full

struct Page {
  std::string text;
  std::string labels;  // engine and model

  void family(std::string_view name, std::string_view type, std::string_view help) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void sample(std::string_view name, std::string_view more_labels, double value) {
    text += fmt::format("{}{{{}{}}} {}\n", name, labels, more_labels, value);
  }
  void one(std::string_view name, std::string_view type, std::string_view help, double value) {
    family(name, type, help);
    sample(name, {}, value);
  }
  // Ours: without labels.
  void own(std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
    family(name, type, help);
    text += fmt::format("{} {}\n", name, value);
  }
};

void append_vllm(Page& page, const MockCounters& counters, const EngineGauges& engine) {
  const double cache = std::min(1.0, static_cast<double>(engine.held_tokens) / kCacheTokens);
  page.one("vllm:num_requests_running", "gauge", "Number of requests in model execution batches.",
           static_cast<double>(engine.running));
  page.one("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.",
           static_cast<double>(engine.waiting));
  page.family("vllm:num_requests_waiting_by_reason", "gauge",
              "Number of waiting requests by reason.");
  page.sample("vllm:num_requests_waiting_by_reason", R"(,reason="capacity")",
              static_cast<double>(engine.waiting));
  page.sample("vllm:num_requests_waiting_by_reason", R"(,reason="deferred")", 0);
  page.one("vllm:kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.",
           cache);
  page.one("vllm:prompt_tokens_total", "counter", "Number of prefill tokens processed.",
           static_cast<double>(engine.prompt_tokens));
  page.one("vllm:generation_tokens_total", "counter", "Number of generation tokens processed.",
           static_cast<double>(engine.generated_tokens));
  page.family("vllm:request_success_total", "counter", "Count of successfully processed requests.");
  page.sample("vllm:request_success_total", R"(,finished_reason="stop")",
              static_cast<double>(counters.ended_stop));
  page.sample("vllm:request_success_total", R"(,finished_reason="length")",
              static_cast<double>(counters.ended_length));
  page.sample("vllm:request_success_total", R"(,finished_reason="abort")",
              static_cast<double>(counters.ended_abort));
  page.sample("vllm:request_success_total", R"(,finished_reason="error")", 0);
  page.family("vllm:admission_rejections_total", "counter", "Requests refused by the queue limit.");
  page.sample("vllm:admission_rejections_total", R"(,reason="max_num_queued_reqs")",
              static_cast<double>(counters.rejected));
}

}  // namespace

std::string metrics_text(std::string_view model, const MockCounters& counters,
                         const EngineGauges& engine) {
  Page page;
  page.labels = fmt::format(R"(engine="0",model_name="{}")", model);
  append_vllm(page, counters, engine);
  page.own("weir_mock_requests_total", "counter", "Requests for inference, refused ones too.",
           counters.requests);
  page.own("weir_mock_http_requests_total", "counter", "Requests of any kind.",
           counters.http_requests);
  page.own("weir_mock_aborted_total", "counter", "Requests whose client left before the end.",
           counters.aborted);
  page.own("weir_mock_generated_tokens_total", "counter", "Tokens generated.",
           engine.generated_tokens);
  page.own("weir_mock_connections_total", "counter", "Connections accepted.", counters.connections);
  page.own("weir_mock_open_connections", "gauge", "Connections open now.", engine.open_connections);
  return page.text;
}

}  // namespace weir
