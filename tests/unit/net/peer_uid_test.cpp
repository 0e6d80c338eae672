#include "lb/net/peer_uid.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "lb/net/socket.h"

namespace weir {
namespace {

struct Pair {
  UniqueFd client;
  UniqueFd accepted;
};

// A connection to ourselves.
Pair connect_to(const std::string& host, int client_family, const std::string& client_target) {
  const auto where = numeric_address({host, 0, false});
  auto listener = listen_on(where.value(), 1);
  const uint16_t port = local_address(listener.value().get()).port();
  Pair pair;
  SocketAddress target = numeric_address({client_target, port, false}).value();
  pair.client.reset(::socket(client_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(pair.client.get(), target.get(), target.length), 0);
  pair.accepted.reset(::accept(listener.value().get(), nullptr, nullptr));
  return pair;
}

TEST(PeerUidTest, FindsOurselvesAtTheOtherEndOfLoopback) {
  Pair pair = connect_to("127.0.0.1", AF_INET, "127.0.0.1");
  EXPECT_EQ(peer_uid(pair.accepted.get()), std::optional<uint32_t>(::getuid()));
}

TEST(PeerUidTest, FindsNobodyWhenTheClientHasClosed) {
  Pair pair = connect_to("127.0.0.1", AF_INET, "127.0.0.1");
  pair.client.reset();
  EXPECT_EQ(peer_uid(pair.accepted.get()), std::nullopt);
}

TEST(PeerUidTest, FindsTheOwnerOfAUnixConnection) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  const UniqueFd one(fds[0]);
  const UniqueFd two(fds[1]);
  EXPECT_EQ(peer_uid(one.get()), std::optional<uint32_t>(::getuid()));
}

TEST(PeerUidTest, FindsADualStackClientOfAnIpv4Listener) {
  const UniqueFd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) GTEST_SKIP() << "no IPv6 here";
  Pair pair = connect_to("127.0.0.1", AF_INET6, "::ffff:127.0.0.1");
  EXPECT_EQ(peer_uid(pair.accepted.get()), std::optional<uint32_t>(::getuid()));
}

TEST(PeerUidTest, FindsOurselvesOverIpv6) {
  const auto where = numeric_address({"::1", 0, false});
  if (!where || !listen_on(where.value(), 1)) GTEST_SKIP() << "no IPv6 here";
  Pair pair = connect_to("::1", AF_INET6, "::1");
  EXPECT_EQ(peer_uid(pair.accepted.get()), std::optional<uint32_t>(::getuid()));
}

}  // namespace
}  // namespace weir
