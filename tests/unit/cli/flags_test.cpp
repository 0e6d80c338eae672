#include <gtest/gtest.h>

#include "lb/cli/explain.h"
#include "lb/cli/launch_flags.h"
#include "lb/cli/mock_flags.h"
#include "lb/cli/published_view.h"
#include "lb/cli/serve_flags.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(ServeFlagsTest, AFlagWinsOverTheFile) {
  Config config = default_config(Command::serve);
  config.pool.backends.push_back({});
  config.listen[0].idle = 5s;
  ServeFlags flags;
  flags.listen = {":1", "127.0.0.1:2"};
  flags.backends = {"n[1-2]:80", "n1:80"};
  flags.queue_limit = "unlimited";
  flags.queue_timeout = "off";
  flags.workers = "4";
  flags.admin = "off";
  config.admin.token = "sesame";
  EXPECT_TRUE(apply_flags(flags, &config).empty());
  EXPECT_EQ(config.workers, 4U);
  EXPECT_EQ(config.admin.token, "sesame");
  EXPECT_EQ(config.pool.backends.size(), 2U);  // the one that is there twice once
  EXPECT_EQ(config.listen.size(), 2U);
  EXPECT_EQ(config.listen[1].idle, Duration(5s));
  EXPECT_EQ(config.pool.queue.limit, kUnlimited);
  EXPECT_EQ(config.admin.where, AdminConfig::Where::off);
}

TEST(ServeFlagsTest, AllMistakesAreToldEachWithItsFlag) {
  Config config;
  ServeFlags flags;
  flags.policy = "x";
  flags.queue_timeout = "30";
  flags.max_outstanding = "0";
  flags.backends = {"https://a"};
  flags.header_up = {"x"};
  flags.workers = "65";
  const std::vector<Problem> problems = apply_flags(flags, &config);
  ASSERT_EQ(problems.size(), 6U);
  EXPECT_EQ(problems[5].what, "--workers: expected a whole number from 1 to 64, got \"65\"");
  EXPECT_EQ(problems[5].help, "write a number, or \"auto\"");
  EXPECT_EQ(problems[1].what, "--policy: unknown policy \"x\"");
  EXPECT_EQ(problems[3].what, "--queue-timeout: \"30\" has no unit");
}

TEST(LaunchFlagsTest, AreReadWithTheirUnits) {
  LaunchFlags flags;
  flags.serve = "vllm serve";
  flags.wait_ready = "all";
  flags.gpus_per_replica = "2";
  flags.start_timeout = "1h";
  flags.client_env = "off";
  flags.binding = "slurm";
  LaunchOptions options;
  EXPECT_TRUE(apply_launch_flags(flags, &options).empty());
  EXPECT_EQ(options.wait_ready, LaunchOptions::kAll);
  EXPECT_EQ(options.gpus_per_replica, 2U);
  EXPECT_EQ(options.start_timeout, Duration(1h));
  EXPECT_EQ(options.client_environment, ClientEnvironment::off);
  EXPECT_EQ(options.binding, GpuBinding::slurm);
}

TEST(LaunchFlagsTest, MistakesAreTold) {
  LaunchFlags flags;
  flags.replicas = "0";
  flags.wait_ready = "some";
  flags.client_env = "x";
  flags.publish_group = "g";
  LaunchOptions options;
  const std::vector<Problem> problems = apply_launch_flags(flags, &options);
  ASSERT_EQ(problems.size(), 5U);
  EXPECT_EQ(problems[0].what, "launch needs --serve");
}

TEST(MockFlagsTest, AreReadWithTheirUnits) {
  MockFlags flags;
  flags.listen = {"127.0.0.1:1,127.0.0.1:2", "127.0.0.1:3"};
  flags.ttft = "80ms";
  flags.max_seqs = "4";
  flags.batch_slowdown = "0.5";
  flags.faults = {"die_mid_stream:20"};
  flags.on_term = "hang";
  MockOptions options;
  EXPECT_TRUE(apply_mock_flags(flags, &options).empty());
  EXPECT_EQ(options.listen.size(), 3U);
  EXPECT_EQ(options.ttft, Duration(80ms));
  EXPECT_EQ(options.max_seqs, 4U);
  EXPECT_EQ(options.faults.size(), 1U);
  EXPECT_EQ(options.on_term, OnTerm::hang);
}

TEST(MockFlagsTest, MistakesAreTold) {
  MockFlags flags;
  flags.listen = {"x,127.0.0.1:2"};
  flags.faults = {"x"};
  flags.batch_slowdown = "x";
  flags.max_seqs = "0";
  flags.ttft = "x";
  MockOptions options;
  EXPECT_EQ(apply_mock_flags(flags, &options).size(), 5U);
}

TEST(ExplainTest, KnowsEveryErrorItsCodesAndEveryState) {
  for (int i = 0; i < kErrorKinds; ++i) {
    const ErrorTraits& of = traits(static_cast<ErrorKind>(i));
    const auto text = explain(std::string(of.name));
    ASSERT_TRUE(text) << of.name;
    EXPECT_NE(text->find(std::string(of.name) + ": " + std::string(of.message)), std::string::npos);
    EXPECT_NE(text->find("what to do: "), std::string::npos) << of.name;
    EXPECT_TRUE(explain(std::string(of.code))) << of.code;
  }
  for (size_t i = 0; i <= static_cast<size_t>(BackendStateName::failed); ++i) {
    const std::string state(to_string(static_cast<BackendStateName>(i)));
    const auto text = explain(state);
    ASSERT_TRUE(text) << state;
    EXPECT_TRUE(text->starts_with("a backend is " + state + ": ")) << *text;
  }
  // A word of both kinds is explained as both.
  EXPECT_NE(explain("draining")->find("code draining"), std::string::npos);
  EXPECT_TRUE(explain("stream_error"));
  EXPECT_EQ(explain("quue_full").error().help, "did you mean queue_full?");
  EXPECT_NE(explain("")->find("  queue_full\n"), std::string::npos);
}

PublishedRun run_of(std::string state) {
  PublishedRun run;
  run.job = "1234";
  run.started = 1000;
  run.heartbeat = 1990;
  run.heartbeat_interval = 10;
  PublishedReplica replica;
  replica.id = "n01-0";
  replica.host = "10.0.0.1";
  replica.port = 8000;
  replica.state = std::move(state);
  run.replicas.push_back(replica);
  return run;
}

TEST(PublishedViewTest, ShowsWhatTheFileSays) {
  const InstanceView view = view_of(run_of("ready"), 2000);
  EXPECT_EQ(view.pools[0].backends[0].state, BackendStateName::ready);
  EXPECT_EQ(view.pools[0].backends[0].address, "10.0.0.1:8000");
  EXPECT_EQ(view.uptime, Duration(1000s));
  EXPECT_EQ(view_of(run_of("loading"), 2000).pools[0].backends[0].state, BackendStateName::loading);
}

TEST(PublishedViewTest, AFileThatIsNoLongerWrittenIsARunThatIsGone) {
  EXPECT_EQ(ended_text(run_of("ready"), 2000), "");
  EXPECT_EQ(ended_text(run_of("ready"), 2100),
            "the file has not been written for 110 s: the run is gone");
  PublishedRun run = run_of("ready");
  run.has_ended = true;
  EXPECT_EQ(ended_text(run, 2000), "the run has ended");
}

}  // namespace
}  // namespace weir
