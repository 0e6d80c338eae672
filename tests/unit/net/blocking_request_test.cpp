#include "lb/net/blocking_request.h"

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kLong{60};

// A server that answers "whole" to what comes first and then closes, or never does.
class Peer {
 public:
  explicit Peer(bool closes)
      : listener_(listen_on(numeric_address({"127.0.0.1", 0, false}).value()).value()),
        where_(local_address(listener_.get())),
        thread_([this, closes] { serve(closes); }) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { thread_.join(); }

  const SocketAddress& where() const { return where_; }

 private:
  static void wait_for(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    ::poll(&waiting, 1, std::chrono::milliseconds(kLong).count());
  }

  void serve(bool closes) const {
    wait_for(listener_.get());
    SocketAddress client;
    const UniqueFd fd = accept_from(listener_.get(), &client).value();
    char bytes[100];
    wait_for(fd.get());
    ::recv(fd.get(), bytes, sizeof bytes, 0);
    ::send(fd.get(), "whole", 5, MSG_NOSIGNAL);
    if (!closes) wait_for(fd.get());  // until the client has left
  }

  UniqueFd listener_;
  SocketAddress where_;
  std::thread thread_;
};

TEST(BlockingRequestTest, ReadsUntilTheOtherSideCloses) {
  const Peer peer(true);
  const auto reply = blocking_request({&peer.where(), 1}, "ask", 1000, Clock::now() + kLong);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->bytes, "whole");
  EXPECT_TRUE(reply->has_ended);
}

TEST(BlockingRequestTest, DoesNotWaitForTheEndOfWhatIsEnough) {
  const Peer peer(false);
  const TimePoint until = Clock::now() + kLong;
  const auto reply = blocking_request({&peer.where(), 1}, "ask", 1000, until,
                                      [](std::string_view bytes) { return bytes == "whole"; });
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->bytes, "whole");
  EXPECT_FALSE(reply->has_ended);
  EXPECT_LT(Clock::now(), until);
}

TEST(BlockingRequestTest, NobodyThereIsAReason) {
  UniqueFd taken = listen_on(numeric_address({"127.0.0.1", 0, false}).value()).value();
  const SocketAddress where = local_address(taken.get());
  taken.reset();
  const auto reply = blocking_request({&where, 1}, "ask", 1000, Clock::now() + kLong);
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().what, "");
}

}  // namespace
}  // namespace weir
