#include "lb/net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

namespace weir {
namespace {

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &length), 0);
  return value;
}

TEST(Socket, WhatIsAcceptedSendsAtOnceAndLooksForHostsThatAreGone) {
  const auto any = numeric_address(Address{"127.0.0.1", 0});
  ASSERT_TRUE(any.has_value());
  const auto listener = listen_on(*any);
  ASSERT_TRUE(listener.has_value());
  const auto client = begin_connect(local_address(listener->get()));
  ASSERT_TRUE(client.has_value());
  pollfd waits{listener->get(), POLLIN, 0};
  ASSERT_EQ(::poll(&waits, 1, 60'000), 1);
  SocketAddress peer;
  const auto accepted = accept_from(listener->get(), &peer);
  ASSERT_TRUE(accepted.has_value());
  EXPECT_NE(option(accepted->get(), IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(option(accepted->get(), SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(accepted->get(), IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(accepted->get(), IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(accepted->get(), IPPROTO_TCP, TCP_KEEPCNT), 3);
}

}  // namespace
}  // namespace weir
