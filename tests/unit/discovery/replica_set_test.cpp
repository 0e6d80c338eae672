#include "discovery/replica_set.h"

#include <chrono>

#include <gtest/gtest.h>

#include "fake_starter.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

struct ReplicaSetTest : testing::Test, BackendSetSink, ReplicaObserver {
  ReplicaSetTest() {
    options.api_key = "key";
    for (const char* id : {"n01-0", "n01-1"}) {
      PlannedReplica planned;
      planned.id = id;
      planned.node = "n01";
      planned.index = static_cast<uint32_t>(plan.replicas.size());
      plan.replicas.push_back(planned);
    }
  }

  void publish(std::string_view, std::shared_ptr<const BackendSet> backends,
               size_t count) override {
    published = std::move(backends);
    pending = count;
    ++publications;
  }
  void on_replica_change(const ReplicaStatus& status) override {
    reasons[status.id] = status.reason;
  }
  void on_job_ending(const std::string& reason) override {
    job_end = reason;
    if (stops_at_job_end) set->stop_all(bind<&ReplicaSetTest::on_stopped>(this));
  }
  void on_all_failed() override { ++all_failed; }
  void on_stopped(const ReplicaSweep&) { ++stopped; }

  void begin() {
    set.emplace(timers, starter, plan, options, static_cast<ReplicaObserver&>(*this));
    set->start(*this);
    advance(0s);
  }
  void advance(Duration by) { timers.advance_to(timers.now() + by); }
  void is_ready(const char* id) {
    set->on_backend_event({id, BackendStateName::loading, BackendStateName::ready, ""});
  }
  void comes_up(const char* id) {
    starter[id].reports(61001);
    is_ready(id);
    advance(0s);
  }
  ReplicaState state(const char* id) const { return set->find(id)->state; }
  void stop_all() {
    set->stop_all(bind<&ReplicaSetTest::on_stopped>(this));
    advance(0s);
  }

  TimerQueue timers{TimePoint(1h)};
  FakeStarter starter;
  ReplicaPlan plan;
  ReplicaSetOptions options;
  std::shared_ptr<const BackendSet> published;
  size_t pending = 0;
  int publications = 0;
  std::map<std::string, std::string> reasons;
  std::string job_end;
  bool stops_at_job_end = false;
  int all_failed = 0;
  int stopped = 0;
  std::optional<ReplicaSet> set;
};

TEST_F(ReplicaSetTest, StartsNothingWithinTheCallToStart) {
  set.emplace(timers, starter, plan, options, static_cast<ReplicaObserver&>(*this));
  set->start(*this);
  EXPECT_EQ(starter.starts, 0);
  EXPECT_EQ(publications, 0);
  advance(0s);
  EXPECT_EQ(starter.starts, 2);
  EXPECT_EQ(pending, 2U);
}

TEST_F(ReplicaSetTest, PublishesEachReplicaOnceItsAddressIsKnown) {
  begin();
  starter["n01-1"].reports(61001);
  advance(0s);
  ASSERT_EQ(published->size(), 1U);
  const BackendSpec& spec = published->backends()[0];
  EXPECT_EQ(spec.id, "n01-1");
  EXPECT_EQ(to_string(spec.address), "10.0.0.1:61001");
  EXPECT_EQ(spec.api_key, "key");
  EXPECT_EQ(pending, 1U);
}

TEST_F(ReplicaSetTest, TellsWhenAReplicaIsReady) {
  begin();
  comes_up("n01-0");
  EXPECT_EQ(state("n01-0"), ReplicaState::ready);
  EXPECT_EQ(set->counts().ready, 1U);
  EXPECT_EQ(set->counts().loading, 1U);
}

TEST_F(ReplicaSetTest, IgnoresEventsOfOtherBackends) {
  begin();
  is_ready("other");
  EXPECT_EQ(set->counts().ready, 0U);
}

TEST_F(ReplicaSetTest, RestartsACrashedReplicaAfterItsBackoff) {
  begin();
  comes_up("n01-0");
  starter["n01-0"].exits(137);
  advance(0s);
  EXPECT_EQ(published->size(), 0U);
  EXPECT_EQ(pending, 2U);
  EXPECT_EQ(reasons["n01-0"], "exited with code 137; restart 1 of 3 in 1 s");
  advance(999ms);
  EXPECT_EQ(starter.starts, 2);
  advance(1ms);
  EXPECT_EQ(starter.starts, 3);
  starter["n01-0"].reports(61002);
  advance(0s);
  EXPECT_EQ(published->backends()[0].address.port, 61002);
}

TEST_F(ReplicaSetTest, GivesUpWhenTheRestartsAreSpent) {
  begin();
  comes_up("n01-1");
  for (int i = 0; i < 4; ++i) {
    comes_up("n01-0");
    starter["n01-0"].exits(1);
    advance(60s);
  }
  EXPECT_EQ(state("n01-0"), ReplicaState::failed);
  EXPECT_EQ(reasons["n01-0"], "exited with code 1, after 3 restarts");
  EXPECT_EQ(pending, 0U);
  EXPECT_EQ(all_failed, 0);
}

TEST_F(ReplicaSetTest, DoublesTheBackoff) {
  begin();
  comes_up("n01-1");
  starter["n01-0"].exits(1);
  advance(1s);
  starter["n01-0"].exits(1);
  advance(1999ms);
  EXPECT_EQ(starter.starts, 3);
  advance(1ms);
  EXPECT_EQ(starter.starts, 4);
}

TEST_F(ReplicaSetTest, ForgivesAReplicaThatWasReadyForLong) {
  begin();
  for (int i = 0; i < 10; ++i) {
    comes_up("n01-0");
    advance(10min);
    starter["n01-0"].exits(1);
    advance(60s);
  }
  EXPECT_EQ(state("n01-0"), ReplicaState::starting);
}

TEST_F(ReplicaSetTest, FailsEarlyWhenNothingHasEverComeUp) {
  begin();
  for (int i = 0; i < 2; ++i) {
    starter["n01-0"].prints("ValueError: no such model");
    starter["n01-0"].exits(1);
    starter["n01-1"].exits(1);
    advance(1s);
  }
  EXPECT_EQ(all_failed, 1);
  EXPECT_EQ(set->find("n01-0")->last_lines, std::vector<std::string>{"ValueError: no such model"});
  EXPECT_EQ(reasons["n01-0"], "exited with code 1, after 1 restart");
}

TEST_F(ReplicaSetTest, DoesNotTryACommandThatIsNotThereAgain) {
  begin();
  starter["n01-0"].exits(127);
  EXPECT_EQ(state("n01-0"), ReplicaState::failed);
}

TEST_F(ReplicaSetTest, TriesAnotherPortAtOnceAndNotForEver) {
  begin();
  comes_up("n01-1");
  for (int i = 0; i < 5; ++i) {
    starter["n01-0"].prints("[Errno 98] error while attempting to bind: address already in use");
    starter["n01-0"].exits(1);
    advance(0s);
    EXPECT_EQ(starter.starts, 3 + i);
  }
  EXPECT_EQ(set->find("n01-0")->restarts, 0U);
  starter["n01-0"].prints("address already in use");
  starter["n01-0"].exits(1);
  advance(0s);
  EXPECT_EQ(starter.starts, 7);
  EXPECT_EQ(set->find("n01-0")->restarts, 1U);
}

TEST_F(ReplicaSetTest, StopsAndRestartsAReplicaThatHangsInItsStart) {
  options.replica.start_timeout = 60s;
  begin();
  comes_up("n01-1");
  starter["n01-0"].reports(61005);
  advance(60s);
  EXPECT_TRUE(starter["n01-0"].is_stopping);
  EXPECT_EQ(published->size(), 1U);
  EXPECT_EQ(pending, 1U);
  starter["n01-0"].stops();
  EXPECT_EQ(reasons["n01-0"], "not ready after 60 s; restart 1 of 3 in 1 s");
  advance(1s);
  EXPECT_EQ(state("n01-0"), ReplicaState::starting);
}

TEST_F(ReplicaSetTest, DoesNotTimeOutOnceReady) {
  options.replica.start_timeout = 60s;
  begin();
  comes_up("n01-0");
  advance(10h);
  EXPECT_EQ(state("n01-0"), ReplicaState::ready);
}

TEST_F(ReplicaSetTest, StartsNothingOnANodeThatFailed) {
  begin();
  comes_up("n01-0");
  starter["n01-0"].ends({ReplicaEndKind::node_failed, 0, "node n01 failed"});
  EXPECT_EQ(state("n01-0"), ReplicaState::failed);
  EXPECT_EQ(reasons["n01-0"], "node n01 failed");
}

TEST_F(ReplicaSetTest, KeepsAReplicaInPlaceThatDoesNotAnswer) {
  begin();
  comes_up("n01-0");
  set->on_backend_event(
      {"n01-0", BackendStateName::ready, BackendStateName::down, "probe: timeout"});
  advance(0s);
  EXPECT_EQ(published->size(), 1U);
  EXPECT_EQ(reasons["n01-0"], "probe: timeout");
  is_ready("n01-0");
  EXPECT_EQ(reasons["n01-0"], "");
}

TEST_F(ReplicaSetTest, TakesSigtermToAllAtOnceAsTheJobsEnd) {
  begin();
  comes_up("n01-0");
  comes_up("n01-1");
  starter["n01-0"].gets_sigterm();
  EXPECT_EQ(job_end, "");
  starter["n01-1"].gets_sigterm();
  EXPECT_NE(job_end.find("scancel"), std::string::npos);
  starter["n01-0"].exits(0);
  advance(60s);
  EXPECT_EQ(starter.starts, 2);
}

TEST_F(ReplicaSetTest, DoesNotTakeSigtermToOneAsTheJobsEnd) {
  begin();
  starter["n01-0"].gets_sigterm();
  advance(10s);
  starter["n01-1"].gets_sigterm();
  EXPECT_EQ(job_end, "");
}

TEST_F(ReplicaSetTest, TakesALostAllocationAsTheJobsEnd) {
  begin();
  starter["n01-0"].ends({ReplicaEndKind::job_over, 1, "the job is over"});
  EXPECT_NE(job_end, "");
}

TEST_F(ReplicaSetTest, MayBeStoppedFromWithinTheWordOfTheJobsEnd) {
  stops_at_job_end = true;
  begin();
  starter["n01-0"].ends({ReplicaEndKind::job_over, 1, "the job is over"});
  EXPECT_EQ(state("n01-0"), ReplicaState::stopped);
  starter["n01-1"].stops();
  advance(0s);
  EXPECT_EQ(stopped, 1);
}

TEST_F(ReplicaSetTest, TakesAllOutOfServiceThenDownThenSweeps) {
  begin();
  comes_up("n01-0");
  starter["n01-1"].reports(61002);
  stop_all();
  EXPECT_EQ(published->size(), 0U);
  EXPECT_EQ(pending, 0U);
  EXPECT_TRUE(starter["n01-0"].is_stopping);
  starter["n01-0"].stops();
  advance(0s);
  EXPECT_EQ(stopped, 0);
  starter["n01-1"].stops();
  advance(0s);
  EXPECT_EQ(starter.sweeps, 1);
  EXPECT_EQ(stopped, 1);
  EXPECT_EQ(all_failed, 0);
}

TEST_F(ReplicaSetTest, StopsWhileAReplicaWaitsForItsRestart) {
  begin();
  starter["n01-0"].exits(1);
  stop_all();
  starter["n01-1"].stops();
  advance(60s);
  EXPECT_EQ(starter.starts, 2);
  EXPECT_EQ(stopped, 1);
}

TEST_F(ReplicaSetTest, StopsBeforeItHasBegun) {
  set.emplace(timers, starter, plan, options, static_cast<ReplicaObserver&>(*this));
  set->start(*this);
  stop_all();
  EXPECT_EQ(starter.starts, 0);
  EXPECT_EQ(stopped, 1);
}

TEST_F(ReplicaSetTest, RetriesWhenAProcessCannotBeMade) {
  starter.refusal = "fork: Resource temporarily unavailable";
  begin();
  EXPECT_EQ(reasons["n01-0"], "fork: Resource temporarily unavailable; restart 1 of 1 in 1 s");
  starter.refusal = "";
  advance(1s);
  EXPECT_EQ(state("n01-0"), ReplicaState::starting);
}

TEST_F(ReplicaSetTest, FallsBackToSlurmsAddressOfTheNode) {
  plan.replicas[0].node_address = "10.9.9.9";
  begin();
  starter["n01-0"].user_.on_replica_report({"host", "", 61001, "", ""});
  EXPECT_EQ(set->find("n01-0")->host, "10.9.9.9");
  starter["n01-1"].user_.on_replica_report({"host", "", 61001, "", ""});
  EXPECT_EQ(set->find("n01-1")->host, "host");
}

}  // namespace
}  // namespace weir
