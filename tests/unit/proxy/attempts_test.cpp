// When a request is tried again, and what that costs.
#include "lb/proxy/attempts.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weir/backend_set.h"

namespace weir {
namespace {

class AttemptsTest : public testing::Test {
 protected:
  // Backends with the serials 1, 2, …; the balancer gives them out in this order.
  void backends(int count) {
    std::vector<BackendSpec> specs;
    for (int i = 0; i < count; ++i) {
      BackendSpec spec;
      spec.id = "b" + std::to_string(i);
      spec.address = Address{"127.0.0.1", static_cast<uint16_t>(1000 + i), false};
      specs.push_back(spec);
    }
    balancer_->update(BackendSet(specs), 0, now_);
    serials_.clear();
    for (const BackendSnapshot& backend : balancer_->snapshot().backends) {
      serials_.push_back(backend.serial);
    }
  }
  void start(http::Method method = http::Method::post) { attempts_.start(method, true); }
  // The request was sent to this backend, which failed it.
  bool goes_on(size_t backend, ErrorKind kind, Progress progress = Progress::sent,
               bool on_reused_connection = false) {
    if (progress != Progress::not_sent) attempts_.note_send();
    return attempts_.tries_again(
        {Error{kind, on_reused_connection, 0}, progress, serials_[backend], true}, now_);
  }

  TimePoint now_{std::chrono::hours(1)};
  BalancerOptions balancer_options_;
  std::unique_ptr<Balancer> balancer_ = std::make_unique<Balancer>(balancer_options_);
  ProxyOptions options_;
  Attempts attempts_{*balancer_, options_};
  std::vector<BackendSerial> serials_;
};

TEST_F(AttemptsTest, ADeathIsRepairedOnceAndNoMore) {
  backends(3);
  start();
  EXPECT_TRUE(attempts_.may_reuse());
  EXPECT_TRUE(goes_on(0, ErrorKind::backend_closed));
  EXPECT_FALSE(attempts_.may_reuse());
  EXPECT_EQ(attempts_.wish().excluded[0], serials_[0]);
  EXPECT_FALSE(goes_on(1, ErrorKind::backend_closed));
  EXPECT_EQ(attempts_.sends(), 2);
}

TEST_F(AttemptsTest, NoPostIsSentMoreThanTwiceWhateverTheSetting) {
  options_.max_sends = 4;
  backends(5);
  start();
  EXPECT_TRUE(goes_on(0, ErrorKind::bad_response));
  EXPECT_FALSE(goes_on(1, ErrorKind::bad_response));
  start(http::Method::get);
  EXPECT_TRUE(goes_on(0, ErrorKind::bad_response));
  EXPECT_TRUE(goes_on(1, ErrorKind::bad_response));
  EXPECT_TRUE(goes_on(2, ErrorKind::bad_response));
  EXPECT_FALSE(goes_on(3, ErrorKind::bad_response));
}

TEST_F(AttemptsTest, WhatTwoBackendsDiedOfIsGivenToNoThird) {
  options_.max_sends = 4;
  backends(5);
  start(http::Method::get);
  EXPECT_TRUE(goes_on(0, ErrorKind::backend_closed));
  EXPECT_FALSE(goes_on(1, ErrorKind::backend_closed));
}

TEST_F(AttemptsTest, FailedConnectsCostNothingAndTryEveryBackend) {
  while (balancer_->take_retry(now_)) {
  }
  backends(4);
  start();
  EXPECT_TRUE(goes_on(0, ErrorKind::connect_refused, Progress::not_sent));
  EXPECT_TRUE(goes_on(1, ErrorKind::connect_refused, Progress::not_sent));
  EXPECT_TRUE(goes_on(2, ErrorKind::connect_timeout, Progress::not_sent));
  EXPECT_EQ(attempts_.sends(), 0);
}

TEST_F(AttemptsTest, ASecondSendIsPaidForAndASpentBudgetGivesUp) {
  backends(3);
  start();
  while (balancer_->take_retry(now_)) {
  }
  EXPECT_FALSE(goes_on(0, ErrorKind::backend_closed));
  EXPECT_FALSE(attempts_.reason());
}

TEST_F(AttemptsTest, AConnectThatFailsOnTheWayToAPaidSendIsNotPaidAgain) {
  backends(4);
  start();
  EXPECT_TRUE(goes_on(0, ErrorKind::backend_closed));
  while (balancer_->take_retry(now_)) {
  }
  EXPECT_TRUE(goes_on(1, ErrorKind::connect_refused, Progress::not_sent));
}

TEST_F(AttemptsTest, AStaleConnectionCostsNothingAndMayGoToTheSameBackend) {
  backends(1);
  start();
  while (balancer_->take_retry(now_)) {
  }
  EXPECT_TRUE(goes_on(0, ErrorKind::backend_closed, Progress::sent, true));
  EXPECT_EQ(attempts_.wish().excluded[0], 0U);
}

TEST_F(AttemptsTest, ADeclineIsAnAnswerUnlessThereIsABetterPlace) {
  backends(1);
  start();
  EXPECT_FALSE(goes_on(0, ErrorKind::backend_declined, Progress::response_begun));
  backends(2);
  start();
  EXPECT_TRUE(goes_on(0, ErrorKind::backend_declined, Progress::response_begun));
}

TEST_F(AttemptsTest, SlownessAndWhatTheClientSawAreFinal) {
  backends(3);
  for (const ErrorKind kind : {ErrorKind::first_byte_timeout, ErrorKind::between_bytes_timeout}) {
    start();
    EXPECT_FALSE(goes_on(0, kind, Progress::response_begun));
  }
  start();
  EXPECT_FALSE(goes_on(0, ErrorKind::stream_interrupted, Progress::committed));
}

}  // namespace
}  // namespace weir
