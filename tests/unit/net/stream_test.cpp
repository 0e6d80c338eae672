// Stream over socket pairs, and sockets over loopback.
#include "lb/net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace weir {
namespace {

using WriteStatus = Stream::WriteStatus;
using ReadStatus = Stream::ReadStatus;

class StreamTest : public testing::Test {
 public:
  void nothing() {}

 protected:
  StreamTest() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    other.reset(fds[1]);
    EXPECT_TRUE(stream.open(UniqueFd(fds[0]), bind<&StreamTest::on_ready>(this)));
  }
  void on_ready(Readiness readiness) {
    ++edges;
    if (readiness.writable && stream.queued() > 0) last_flush = stream.flush();
  }

  void other_writes(std::string_view text) {
    EXPECT_EQ(::write(other.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string other_reads(size_t most = 1 << 20) {
    std::string out(most, '\0');
    const ssize_t n = ::read(other.get(), out.data(), out.size());
    out.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return out;
  }
  void wait_readable() {
    while (!stream.is_readable()) loop.run_once();
  }
  // Writes until the kernel takes no more; returns all that was written.
  std::string fill() {
    std::string all;
    while (stream.queued() == 0) {
      const std::string piece(50'000, static_cast<char>('a' + all.size() / 50'000 % 26));
      EXPECT_NE(stream.write(piece), WriteStatus::failed);
      all += piece;
    }
    return all;
  }

  EventLoop loop;
  BlockPool pool{256 * 1024};
  UniqueFd other;
  Stream stream{loop, pool};
  int edges = 0;
  WriteStatus last_flush = WriteStatus::failed;
  char buffer[1024];
};

TEST_F(StreamTest, ReadsWhatTheOtherSideWroteAndThenWouldBlock) {
  other_writes("hello");
  wait_readable();
  const Stream::ReadResult result = stream.read(buffer, sizeof buffer);
  EXPECT_EQ(result.status, ReadStatus::data);
  EXPECT_EQ(std::string_view(buffer, result.bytes), "hello");
  EXPECT_FALSE(stream.is_readable());
  EXPECT_EQ(stream.read(buffer, sizeof buffer).status, ReadStatus::would_block);
}

TEST_F(StreamTest, StaysReadableWhileAReadWasFull) {
  other_writes("hello");
  wait_readable();
  EXPECT_EQ(stream.read(buffer, 5).bytes, 5U);
  EXPECT_TRUE(stream.is_readable());
}

TEST_F(StreamTest, ReadsIntoSeveralPiecesAndKnowsWhenTheyWereNotFilled) {
  other_writes("1234567");
  wait_readable();
  char first[4];
  char second[8];
  const iovec pieces[2] = {{first, sizeof first}, {second, sizeof second}};
  const Stream::ReadResult result = stream.read(pieces, 2);
  EXPECT_EQ(result.status, ReadStatus::data);
  ASSERT_EQ(result.bytes, 7U);
  EXPECT_EQ(std::string(first, 4) + std::string(second, 3), "1234567");
  EXPECT_FALSE(stream.is_readable());
}

TEST_F(StreamTest, BytesAndEndThatCameTogetherAreBothRead) {
  other_writes("bye");
  other.reset();
  while (!stream.has_hangup()) loop.run_once();
  EXPECT_EQ(stream.read(buffer, sizeof buffer).bytes, 3U);
  EXPECT_TRUE(stream.is_readable());
  EXPECT_EQ(stream.read(buffer, sizeof buffer).status, ReadStatus::end);
  EXPECT_FALSE(stream.is_readable());
}

TEST_F(StreamTest, WritesTwoPiecesAsOne) {
  EXPECT_EQ(stream.write("head ", "body"), WriteStatus::sent);
  EXPECT_EQ(other_reads(), "head body");
  EXPECT_EQ(stream.write("head", ""), WriteStatus::sent);
  EXPECT_EQ(other_reads(), "head");
}

TEST_F(StreamTest, QueuesWhatTheKernelDoesNotTakeAndSendsItInOrder) {
  const std::string all = fill() + "the end";
  EXPECT_EQ(stream.write("the ", "end"), WriteStatus::queued);
  std::string got;
  while (got.size() < all.size()) {
    got += other_reads();
    loop.run_once();
  }
  EXPECT_TRUE(got == all);
  EXPECT_EQ(stream.queued(), 0U);
  EXPECT_EQ(last_flush, WriteStatus::sent);
  EXPECT_EQ(pool.blocks_out(), 0U);
}

TEST_F(StreamTest, AWriteBeyondTheMemoryLimitFails) {
  fill();
  EXPECT_EQ(stream.write(std::string(300 * 1024, 'x')), WriteStatus::failed);
  EXPECT_EQ(stream.os_error(), ENOBUFS);
}

TEST_F(StreamTest, AWriteToAClosedSideFailsWithoutASignal) {
  other.reset();
  EXPECT_EQ(stream.write("x"), WriteStatus::failed);
  EXPECT_EQ(stream.os_error(), EPIPE);
}

TEST_F(StreamTest, IsSilentAfterCloseAndGivesItsMemoryBack) {
  fill();
  stream.close();
  edges = 0;
  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(pool.blocks_out(), 0U);
  Task wake(loop, bind<&StreamTest::nothing>(this));
  wake.post();
  loop.run_once();
  EXPECT_EQ(edges, 0);
}

class SocketTest : public testing::Test {
 protected:
  // Connects to the address; the errno why not, or 0.
  static int connect_to(const SocketAddress& address) {
    const Result<UniqueFd> fd = begin_connect(address);
    if (!fd) return fd.error().os_error;
    pollfd_wait(fd.value().get());
    return connect_result(fd.value().get());
  }
  static void pollfd_wait(int fd) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    ::select(fd + 1, nullptr, &set, nullptr, nullptr);
  }
  static SocketAddress any_port(const std::string& host) {
    SocketAddress address = numeric_address({host, 1, false}).value();
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);  // the port is where IPv6 has it
    in->sin_port = 0;
    return address;
  }
};

TEST_F(SocketTest, ListensConnectsAndAcceptsOnLoopback) {
  const Result<UniqueFd, Problem> listener = listen_on(any_port("127.0.0.1"));
  ASSERT_TRUE(listener);
  const SocketAddress bound = local_address(listener.value().get());
  EXPECT_GT(bound.port(), 0);
  EXPECT_EQ(connect_to(bound), 0);
  SocketAddress peer;
  EXPECT_TRUE(accept_from(listener.value().get(), &peer));
  EXPECT_TRUE(peer.is_loopback());
  EXPECT_EQ(peer.host(), "127.0.0.1");
  EXPECT_EQ(accept_from(listener.value().get(), &peer).error().os_error, EAGAIN);
}

TEST_F(SocketTest, APortThatNobodyListensOnRefuses) {
  SocketAddress bound;
  {
    const Result<UniqueFd, Problem> listener = listen_on(any_port("127.0.0.1"));
    ASSERT_TRUE(listener);
    bound = local_address(listener.value().get());
  }
  EXPECT_EQ(connect_to(bound), ECONNREFUSED);
}

TEST_F(SocketTest, AnAddressInUseIsSaidWithHelp) {
  const Result<UniqueFd, Problem> first = listen_on(any_port("127.0.0.1"));
  ASSERT_TRUE(first);
  const SocketAddress bound = local_address(first.value().get());
  const Result<UniqueFd, Problem> second = listen_on(bound);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what,
            "cannot listen on " + bound.to_string() + ": Address already in use");
  EXPECT_FALSE(second.error().help.empty());
}

TEST_F(SocketTest, AStaleUnixSocketIsReplacedAndALivingOneIsNot) {
  const std::string path = testing::TempDir() + "weir-stale-" + std::to_string(::getpid());
  const SocketAddress address = numeric_address({path, 0, true}).value();
  { ASSERT_TRUE(listen_on(address)); }
  ASSERT_TRUE(std::filesystem::exists(path));
  const Result<UniqueFd, Problem> listener = listen_on(address);
  ASSERT_TRUE(listener);
  EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::group_all,
            std::filesystem::perms::none);
  EXPECT_FALSE(listen_on(address));
  EXPECT_EQ(connect_to(address), 0);
  std::filesystem::remove(path);
  EXPECT_EQ(begin_connect(address).error().kind, ErrorKind::connect_refused);
}

TEST_F(SocketTest, AFileThatIsNoSocketIsNotRemoved) {
  const std::string path = testing::TempDir() + "weir-file-" + std::to_string(::getpid());
  { const UniqueFd file(::creat(path.c_str(), 0600)); }
  EXPECT_FALSE(listen_on(numeric_address({path, 0, true}).value()));
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

TEST_F(SocketTest, NumericAddressesAreNotLookedUp) {
  EXPECT_FALSE(numeric_address({"localhost", 80, false}));
  EXPECT_EQ(numeric_address({"127.1.2.3", 80, false}).value().to_string(), "127.1.2.3:80");
  EXPECT_EQ(numeric_address({"::1", 80, false}).value().to_string(), "[::1]:80");
  EXPECT_TRUE(numeric_address({"127.9.9.9", 80, false}).value().is_loopback());
  EXPECT_FALSE(numeric_address({"128.0.0.1", 80, false}).value().is_loopback());
  EXPECT_EQ(numeric_address({"/x.sock", 0, true}).value().to_string(), "unix:/x.sock");
}

TEST_F(SocketTest, AnAddressMappedIntoIpv6IsShownAsWhatItIs) {
  const SocketAddress address = numeric_address({"::ffff:127.0.0.1", 80, false}).value();
  EXPECT_TRUE(address.is_loopback());
  EXPECT_EQ(address.host(), "127.0.0.1");
}

}  // namespace
}  // namespace weir
