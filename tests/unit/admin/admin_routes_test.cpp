#include "lb/admin/admin_routes.h"

#include <gtest/gtest.h>

#include "lb/admin/instance_json.h"
#include "lb/admin/status_table.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

BackendView backend(std::string id, BackendStateName state, std::string reason = "") {
  BackendView out;
  out.id = std::move(id);
  out.address = "10.0.0.1:8000";
  out.state = state;
  out.reason = std::move(reason);
  out.in_state = 72s;
  out.outstanding = 3;
  out.max_outstanding = 256;
  out.served = 12034;
  return out;
}

InstanceView instance() {
  InstanceView view;
  view.pid = 42;
  view.command = "serve";
  view.config_source = "weir.json";
  view.listeners = {"127.0.0.1:8080"};
  view.uptime = 3h;
  view.in_flight = 4;
  view.client_connections = 10;
  view.idle_backend_connections = 7;
  PoolView pool;
  pool.name = "llama";
  pool.policy = "least_outstanding";
  pool.waiting.length = 2;
  pool.waiting.limit = 2000;
  pool.waiting.oldest = 5s;
  pool.backends = {backend("a", BackendStateName::ready, "probe: answered 200"),
                   backend("b", BackendStateName::down, "probe: connection refused")};
  view.pools.push_back(pool);
  return view;
}

class FixedView final : public LiveView {
 public:
  explicit FixedView(InstanceView view) : view_(std::move(view)) {}
  InstanceView look() const override { return view_; }

 private:
  InstanceView view_;
};

class NoMetrics final : public MetricsSource {
 public:
  Metrics metrics() const override { return Metrics("llama"); }
};

AdminAnswer ask(std::string_view path, const InstanceView& view = instance()) {
  const FixedView live(view);
  return answer_admin(path, live, NoMetrics());
}

TEST(AdminRoutesTest, LivezAnswersAlways) {
  EXPECT_EQ(ask("/livez").status, 200);
  EXPECT_EQ(ask("/livez", InstanceView{}).status, 200);
}

TEST(AdminRoutesTest, ReadyzWantsAReadyBackendInEveryPoolAndSaysWhyNot) {
  EXPECT_EQ(ask("/readyz").status, 200);
  InstanceView view = instance();
  view.pools[0].backends.erase(view.pools[0].backends.begin());
  EXPECT_EQ(ask("/readyz", view).status, 503);
  EXPECT_EQ(ask("/readyz", view).body,
            "pool llama: no backend is ready\n  b down: probe: connection refused\n");
}

TEST(AdminRoutesTest, ReadyzIsNotReadyWhileDraining) {
  InstanceView view = instance();
  view.is_draining = true;
  EXPECT_EQ(ask("/readyz", view).status, 503);
}

TEST(AdminRoutesTest, MetricsHaveTheGaugesOfThisMoment) {
  const std::string text = ask("/metrics").body;
  EXPECT_NE(text.find("weir_backend_state{pool=\"llama\",backend=\"b\",state=\"down\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("weir_backend_state{pool=\"llama\",backend=\"b\",state=\"ready\"} 0\n"),
            std::string::npos);
  EXPECT_NE(text.find("weir_queue_length{pool=\"llama\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("weir_build_info{version="), std::string::npos);
  EXPECT_NE(text.find("weir_connections{side=\"client\",state=\"idle\"} 6\n"), std::string::npos);
  EXPECT_NE(text.find("weir_connections{side=\"client\",state=\"active\"} 4\n"), std::string::npos);
  EXPECT_NE(text.find("weir_connections{side=\"backend\",state=\"active\"} 6\n"),
            std::string::npos);
  EXPECT_NE(text.find("weir_connections{side=\"backend\",state=\"idle\"} 7\n"), std::string::npos);
}

TEST(AdminRoutesTest, AnUnknownPathListsTheKnownOnes) {
  EXPECT_EQ(ask("/nope").status, 404);
  EXPECT_NE(ask("/nope").body.find("/api/v1/status"), std::string::npos);
  EXPECT_EQ(ask("/").status, 200);
}

TEST(AdminRoutesTest, AnUnknownPathOfTheApiIsAnsweredAsTheApiAnswers) {
  const AdminAnswer answer = ask("/api/v1/nope");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body,
            "{\"error\":{\"code\":\"no_such_path\",\"message\":\"there is nothing here\","
            "\"help\":\"GET / lists the paths\"}}\n");
  EXPECT_EQ(parse_refusal(answer.body).what, "there is nothing here");
  EXPECT_EQ(parse_refusal(answer.body).help, "GET / lists the paths");
}

TEST(AdminRoutesTest, APostToWhatIsReadSaysSo) {
  EXPECT_EQ(refuse_post("/api/v1/status").status, 405);
  EXPECT_EQ(refuse_post("/api/v1/status").allow, "GET, HEAD");
  EXPECT_EQ(refuse_post("/api/v1/nope").status, 404);
  EXPECT_EQ(refuse_post("/livez").status, 405);
}

TEST(RefusalTest, IsReadFromWhateverAnswers) {
  EXPECT_EQ(parse_refusal("only text\nmore").what, "only text");
  for (const char* text : {"", "{", "[]", R"({"error": 1})", R"({"error": {"message": 1}})",
                           R"({"error": {"message": "", "help": []}})"}) {
    static_cast<void>(parse_refusal(text));  // never an exception
  }
  EXPECT_EQ(parse_refusal(R"({"error": {"message": "m", "help": 3}})").what, "m");
}

TEST(InstanceJsonTest, IsReadBackToTheSame) {
  InstanceView view = instance();
  view.replicas.push_back({"n01-0", "n01", "0,1", "loading", "a \"note\"", "x.log", 12s, 2});
  const auto back = parse_instance(instance_json(view));
  ASSERT_TRUE(back);
  EXPECT_EQ(instance_json(*back), instance_json(view));
  EXPECT_EQ(back->pools[0].backends[1].state, BackendStateName::down);
  EXPECT_EQ(back->pools[0].waiting.limit, 2000U);
  EXPECT_EQ(back->replicas[0].restarts, 2U);
}

TEST(InstanceJsonTest, AnUnboundedRoomHasANullLimit) {
  InstanceView view = instance();
  view.pools[0].waiting.limit = WaitingRoomView::kNoLimit;
  EXPECT_NE(instance_json(view).find("\"limit\":null"), std::string::npos);
  EXPECT_EQ(parse_instance(instance_json(view))->pools[0].waiting.limit, WaitingRoomView::kNoLimit);
}

TEST(InstanceJsonTest, AnotherVersionsAnswerIsTakenAsFarAsItGoes) {
  EXPECT_TRUE(
      parse_instance(R"({"pid": 1, "new": {}, "pools": [{"backends": [{"state": "new"}]}]})"));
  for (const char* text :
       {"", "{", "[]x", R"({"pid": "x"})", R"({"pools": 3})", R"({"pools": [1]})",
        R"({"pools": [{"waiting": {"limit": -1.5e300}}], "uptime_seconds": 1e300})"}) {
    static_cast<void>(parse_instance(text));  // a Problem or a view, never an exception
  }
  EXPECT_FALSE(parse_instance("{"));
  EXPECT_FALSE(parse_instance(R"({"pid": "x"})"));
}

TEST(StatusTableTest, AlignsItsColumns) {
  EXPECT_EQ(status_table(instance(), {}),
            "weir serve  pid 42  up 3h  on 127.0.0.1:8080\n"
            "4 requests in flight, 10 client connections, config weir.json (generation 1)\n"
            "\n"
            "pool llama  policy least_outstanding  1 of 2 ready  waiting 2 of 2000 (oldest 5s)\n"
            "  backend  state    for  outstanding  served  failures  reason\n"
            "  a        ready  1m12s        3/256   12034         0  probe: answered 200\n"
            "  b        down   1m12s        3/256   12034         0  probe: connection refused\n");
}

TEST(StatusTableTest, SaysWhoStartsSlowlyAndWhoIsTried) {
  InstanceView view = instance();
  view.workers.resize(2);
  view.pools[0].backends[0].share = 40;
  view.pools[0].backends[1].state = BackendStateName::ejected;
  view.pools[0].backends[1].reason = "5 failures in a row";
  view.pools[0].backends[1].ejections = 3;
  view.pools[0].backends[1].is_tried = true;
  const std::string text = status_table(view, {});
  EXPECT_NE(text.find("probe: answered 200; slow start, 40 % of its share\n"), std::string::npos);
  EXPECT_NE(text.find("  5 failures in a row; on trial; for the 3. time\n"), std::string::npos);
  EXPECT_NE(text.find(", 2 workers, config"), std::string::npos);
  EXPECT_EQ(instance_json(*parse_instance(instance_json(view))), instance_json(view));
}

TEST(StatusTableTest, ColourIsOnlyWhereItIsWanted) {
  EXPECT_EQ(status_table(instance(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(status_table(instance(), {.has_colour = true}).find("\x1b[31mdown\x1b[0m"),
            std::string::npos);
}

TEST(StatusTableTest, WhatABackendSaysCannotMoveTheCursor) {
  InstanceView view = instance();
  view.pools[0].backends[0].reason = "\x1b[2J\nx";
  EXPECT_EQ(status_table(view, {}).find('\x1b'), std::string::npos);
}

TEST(SpanTextTest, HasAtMostTwoUnits) {
  EXPECT_EQ(span_text(400ms), "0s");
  EXPECT_EQ(span_text(22s), "22s");
  EXPECT_EQ(span_text(72s), "1m12s");
  EXPECT_EQ(span_text(3h + 12min + 5s), "3h12m");
  EXPECT_EQ(span_text(51h), "2d3h");
  EXPECT_EQ(span_text(1h + 5s), "1h");
}

}  // namespace
}  // namespace weir
