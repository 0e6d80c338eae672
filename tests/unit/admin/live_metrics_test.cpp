#include "lb/admin/live_metrics.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string text_of(const InstanceView& view) {
  PrometheusText out;
  write_live_metrics(out, view);
  return out.text();
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

TEST(LiveMetricsTest, EachRequestIsInOnePhase) {
  PoolView pool;
  pool.name = "p";
  pool.waiting.length = 7;
  BackendView backend;
  backend.id = "a";
  backend.outstanding = 5;
  backend.answering = 3;
  pool.backends.push_back(backend);
  InstanceView view;
  view.pools.push_back(pool);
  const std::string text = text_of(view);
  EXPECT_TRUE(
      has_line(text, R"(weir_requests_in_flight{pool="p",backend="none",phase="waiting"} 7)"))
      << text;
  EXPECT_TRUE(has_line(text, R"(weir_requests_in_flight{pool="p",backend="a",phase="sent"} 2)"));
  EXPECT_TRUE(
      has_line(text, R"(weir_requests_in_flight{pool="p",backend="a",phase="answering"} 3)"));
}

}  // namespace
}  // namespace weir
