#include <gtest/gtest.h>

#include "lb/config/backend_list.h"
#include "lb/config/config_load.h"

namespace weir {
namespace {

Config with_backend(std::string_view url) {
  Config config = default_config(Command::serve);
  config.pool.backends = *expand_backends(url);
  return config;
}

std::string first_problem(const Config& config) {
  const std::vector<Problem> problems = check_config(config);
  return problems.empty() ? "" : problems.front().what;
}

TEST(ConfigCheckTest, ABalancerWithoutBackendsIsAMistakeButALaunchIsNot) {
  EXPECT_EQ(first_problem(default_config(Command::serve)), "there is no backend");
  EXPECT_EQ(first_problem(default_config(Command::launch)), "");
  Config followed = default_config(Command::serve);
  followed.pool.discover.push_back({});
  EXPECT_EQ(first_problem(followed), "");
}

TEST(ConfigCheckTest, WeirIsNotItsOwnBackend) {
  EXPECT_EQ(first_problem(with_backend("http://localhost:8080")),
            "backend localhost:8080 is weir's own listener 127.0.0.1:8080");
  EXPECT_EQ(first_problem(with_backend("http://localhost:8081")), "");
  EXPECT_EQ(first_problem(with_backend("http://other:8080")), "");
}

TEST(ConfigCheckTest, AnAddressIsListenedOnOnce) {
  Config config = with_backend("a:1");
  config.listen.push_back(config.listen.front());
  EXPECT_EQ(first_problem(config), "127.0.0.1:8080 is listened on twice");
  config.listen.pop_back();
  config.admin.where = AdminConfig::Where::address;
  config.admin.address = config.listen.front().address;
  EXPECT_EQ(first_problem(config), "127.0.0.1:8080 is both the admin address and a listener");
}

TEST(ConfigCheckTest, ListenersDifferInTheirAddressOnly) {
  Config config = with_backend("a:1");
  config.listen.push_back(config.listen.front());
  config.listen.back().address.port = 8081;
  EXPECT_EQ(first_problem(config), "");
  config.listen.back().idle = std::chrono::seconds(1);
  EXPECT_EQ(first_problem(config),
            "listeners 127.0.0.1:8080 and 127.0.0.1:8081 differ in idle, which this version "
            "cannot do");
  config.listen.back() = config.listen.front();
  config.listen.back().address.port = 8081;
  config.listen.back().write_stall = std::chrono::seconds(1);
  config.listen.back().trusted_proxies.push_back(*Subnet::parse("::1"));
  EXPECT_EQ(first_problem(config),
            "listeners 127.0.0.1:8080 and 127.0.0.1:8081 differ in write_stall, trusted_proxies, "
            "which this version cannot do");
}

TEST(ConfigCheckTest, ABackendIsNotEjectedForLongerThanTheMost) {
  Config config = with_backend("a:1");
  config.pool.health.eject.most = std::chrono::seconds(1);
  EXPECT_EQ(first_problem(config), "health.eject.base (10s) is longer than health.eject.most (1s)");
}

TEST(ConfigCheckTest, ARequestHasTimeForMoreThanConnecting) {
  Config config = with_backend("a:1");
  config.pool.timeouts.request = config.pool.timeouts.connect;
  EXPECT_EQ(first_problem(config),
            "timeouts.request (2s) leaves nothing beyond timeouts.connect (2s)");
}

TEST(ConfigCheckTest, OneReplayBodyFitsIntoAllOfThem) {
  Config config = with_backend("a:1");
  config.replay.total = 1024;
  EXPECT_EQ(first_problem(config), "replay.per_request (8MiB) is more than replay.total (1KiB)");
}

TEST(DefaultConfigTest, OnlyAServiceRefusesForWaiting) {
  EXPECT_EQ(default_config(Command::serve).pool.queue.limit, 2000U);
  for (const Command command : {Command::urls, Command::reverse_proxy, Command::launch}) {
    const Config config = default_config(command);
    EXPECT_EQ(config.pool.queue.limit, kUnlimited);
    EXPECT_EQ(config.pool.queue.timeout, Duration::zero());
    EXPECT_EQ(config.pool.timeouts.first_byte, Duration::zero());
    EXPECT_EQ(config.pool.timeouts.request, Duration::zero());
    EXPECT_GT(config.listen.front().write_stall,
              default_config(Command::serve).listen.front().write_stall);
  }
  EXPECT_EQ(default_config(Command::launch).pool.when_none_ready,
            WhenNoneReady::wait_while_pending);
  EXPECT_EQ(default_config(Command::reverse_proxy).paths, PathSet::all);
  EXPECT_EQ(default_config(Command::urls).paths, PathSet::inference);
}

}  // namespace
}  // namespace weir
