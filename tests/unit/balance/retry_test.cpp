#include "lb/balance/retry.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// A completion whose backend died after the request had gone out.
RetrySituation died_after_send() {
  RetrySituation it;
  it.error = {ErrorKind::backend_closed};
  it.progress = Progress::sent;
  it.sends = 1;
  it.max_sends = 2;
  it.is_repeatable = true;
  it.is_body_held = true;
  return it;
}

RetrySituation refused_to_connect() {
  RetrySituation it;
  it.error = {ErrorKind::connect_refused};
  return it;
}

TEST(RetryTest, AConnectFailureIsNoSendAndAlwaysGoesElsewhere) {
  for (const ErrorKind kind :
       {ErrorKind::connect_refused, ErrorKind::connect_timeout, ErrorKind::connect_failed}) {
    RetrySituation it = refused_to_connect();
    it.error.kind = kind;
    it.sends = 2;
    EXPECT_EQ(judge_retry(it), RetryVerdict::elsewhere) << name(kind);
  }
}

TEST(RetryTest, ABackendThatDiedBeforeAnyByteIsReplacedByAnother) {
  EXPECT_EQ(judge_retry(died_after_send()), RetryVerdict::elsewhere);
}

TEST(RetryTest, BytesThatNobodySawDoNotPreventAnotherTry) {
  for (const ErrorKind kind :
       {ErrorKind::backend_closed, ErrorKind::stream_silent, ErrorKind::stream_interrupted,
        ErrorKind::stream_aborted, ErrorKind::bad_response}) {
    RetrySituation it = died_after_send();
    it.progress = Progress::response_begun;
    it.error.kind = kind;
    EXPECT_EQ(judge_retry(it), RetryVerdict::elsewhere) << name(kind);
  }
}

TEST(RetryTest, TwoSendsAreEnough) {
  RetrySituation it = died_after_send();
  it.sends = 2;
  EXPECT_EQ(judge_retry(it), RetryVerdict::give_up);
}

TEST(RetryTest, WhatMayHaveBeenDoneIsNotRepeatedUnlessThatIsSafe) {
  RetrySituation it = died_after_send();
  it.is_repeatable = false;
  EXPECT_EQ(judge_retry(it), RetryVerdict::give_up);
}

TEST(RetryTest, ABodyThatIsGoneCannotBeSentAgain) {
  RetrySituation it = died_after_send();
  it.is_body_held = false;
  EXPECT_EQ(judge_retry(it), RetryVerdict::give_up);
}

TEST(RetryTest, AStaleConnectionMayBeReplacedByAFreshOneToTheSameBackend) {
  RetrySituation it = died_after_send();
  it.error.on_reused_connection = true;
  EXPECT_EQ(judge_retry(it), RetryVerdict::same_or_other);
  it.is_repeatable = false;
  EXPECT_EQ(judge_retry(it), RetryVerdict::give_up);
}

TEST(RetryTest, AStaleConnectionFoundOutBeforeTheSendCostsNothing) {
  RetrySituation it;
  it.error = {ErrorKind::backend_closed, true};
  EXPECT_EQ(judge_retry(it), RetryVerdict::same_or_other);
}

TEST(RetryTest, AReusedConnectionThatBrokeInsideTheHeadIsNotStale) {
  RetrySituation it = died_after_send();
  it.error.on_reused_connection = true;
  it.progress = Progress::response_begun;
  EXPECT_EQ(judge_retry(it), RetryVerdict::elsewhere);
}

TEST(RetryTest, ARequestThatTwoBackendsDiedOfIsGivenToNoThird) {
  for (const ErrorKind kind : {ErrorKind::backend_closed, ErrorKind::stream_silent,
                               ErrorKind::stream_interrupted, ErrorKind::stream_aborted}) {
    RetrySituation it = died_after_send();
    it.error.kind = kind;
    it.max_sends = 10;  // a GET, say
    EXPECT_EQ(judge_retry(it), RetryVerdict::elsewhere) << name(kind);
    it.deaths = 1;
    it.sends = 2;
    EXPECT_EQ(judge_retry(it), RetryVerdict::give_up) << name(kind);
  }
}

TEST(RetryTest, AConnectionThatCannotBeMadeIsNoChanceForPoison) {
  RetrySituation it = refused_to_connect();
  it.deaths = 1;
  EXPECT_EQ(judge_retry(it), RetryVerdict::elsewhere);
  it.deaths = 2;
  EXPECT_EQ(judge_retry(it), RetryVerdict::give_up);
}

TEST(RetryTest, OnlyDyingWithTheRequestInHandIsADeath) {
  EXPECT_TRUE(is_death({ErrorKind::backend_closed}, Progress::sent));
  EXPECT_TRUE(is_death({ErrorKind::stream_interrupted}, Progress::response_begun));
  EXPECT_TRUE(is_death({ErrorKind::backend_closed, true}, Progress::response_begun));
  EXPECT_FALSE(is_death({ErrorKind::backend_closed, true}, Progress::sent));  // went stale
  EXPECT_FALSE(is_death({ErrorKind::backend_closed}, Progress::not_sent));
  for (const ErrorKind kind : {ErrorKind::connect_refused, ErrorKind::bad_response,
                               ErrorKind::backend_declined, ErrorKind::first_byte_timeout}) {
    EXPECT_FALSE(is_death({kind}, Progress::sent)) << name(kind);
  }
}

TEST(RetryTest, SlownessIsNoReasonToDoTheWorkTwice) {
  RetrySituation it = died_after_send();
  it.error.kind = ErrorKind::first_byte_timeout;
  EXPECT_EQ(judge_retry(it), RetryVerdict::give_up);
  it.error.kind = ErrorKind::between_bytes_timeout;
  it.progress = Progress::response_begun;
  EXPECT_EQ(judge_retry(it), RetryVerdict::give_up);
}

TEST(RetryTest, NothingIsTriedAgainOnceTheClientSawAPart) {
  for (int i = 0; i < kErrorKinds; ++i) {
    RetrySituation it = died_after_send();
    it.error.kind = static_cast<ErrorKind>(i);
    it.progress = Progress::committed;
    EXPECT_EQ(judge_retry(it), RetryVerdict::give_up) << name(it.error.kind);
  }
}

TEST(RetryTest, OnlyABackendsFailuresAreTriedAgain) {
  for (int i = 0; i < kErrorKinds; ++i) {
    RetrySituation it = died_after_send();
    it.error.kind = static_cast<ErrorKind>(i);
    it.progress = Progress::not_sent;
    const bool is_the_backends = blame(it.error.kind) == Blame::backend;
    EXPECT_EQ(judge_retry(it) != RetryVerdict::give_up, is_the_backends) << name(it.error.kind);
  }
}

}  // namespace
}  // namespace weir
