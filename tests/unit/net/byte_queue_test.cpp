#include "lb/net/byte_queue.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr size_t kBlock = BlockPool::kBlockSize;

// Bytes that differ from place to place.
std::string bytes(size_t count, size_t from = 0) {
  std::string out(count, '\0');
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<char>((from + i) * 31 % 251);
  return out;
}

std::string content(const ByteQueue& queue, size_t offset = 0) {
  iovec pieces[64];
  const int count = queue.peek(pieces, 64, offset);
  std::string out;
  for (int i = 0; i < count; ++i) {
    out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return out;
}

TEST(ByteQueueTest, GivesBackWhatItWasGivenInOrder) {
  BlockPool pool;
  ByteQueue queue(pool);
  ASSERT_TRUE(queue.append("hello "));
  ASSERT_TRUE(queue.append("world"));
  EXPECT_EQ(content(queue), "hello world");
  EXPECT_EQ(queue.front(), "hello world");
  queue.consume(6);
  EXPECT_EQ(content(queue), "world");
  EXPECT_EQ(queue.size(), 5U);
}

TEST(ByteQueueTest, PeeksFromAnOffsetWithoutConsuming) {
  BlockPool pool;
  ByteQueue queue(pool);
  const std::string all = bytes(3 * kBlock + 7);
  ASSERT_TRUE(queue.append(all));
  for (const size_t offset : {size_t{0}, size_t{1}, kBlock - 1, kBlock, 3 * kBlock, all.size()}) {
    EXPECT_EQ(content(queue, offset), all.substr(offset)) << offset;
  }
  EXPECT_EQ(queue.size(), all.size());
}

TEST(ByteQueueTest, PeeksNoMorePiecesThanAsked) {
  BlockPool pool;
  ByteQueue queue(pool);
  ASSERT_TRUE(queue.append(bytes(4 * kBlock)));
  iovec pieces[2];
  EXPECT_EQ(queue.peek(pieces, 2), 2);
}

TEST(ByteQueueTest, AnEmptyOneCostsNoBlocks) {
  BlockPool pool;
  ByteQueue queue(pool);
  EXPECT_EQ(pool.blocks_out(), 0U);
  ASSERT_TRUE(queue.append(""));
  EXPECT_EQ(pool.blocks_out(), 0U);
  ASSERT_TRUE(queue.append("x"));
  EXPECT_EQ(pool.blocks_out(), 1U);
  queue.consume(1);
  EXPECT_EQ(pool.blocks_out(), 0U);
  EXPECT_EQ(queue.front(), "");
}

TEST(ByteQueueTest, GivesBlocksBackAsTheyAreUsedUp) {
  BlockPool pool;
  ByteQueue queue(pool);
  ASSERT_TRUE(queue.append(bytes(4 * kBlock)));
  EXPECT_EQ(pool.blocks_out(), 4U);
  queue.consume(2 * kBlock + 1);
  EXPECT_EQ(pool.blocks_out(), 2U);
}

TEST(ByteQueueTest, AtTheLimitItTakesAllOrNothing) {
  BlockBudget budget(3 * kBlock);
  BlockPool pool(budget);
  ByteQueue queue(pool);
  ASSERT_TRUE(queue.append(bytes(kBlock)));
  EXPECT_FALSE(queue.append(bytes(2 * kBlock + 1, kBlock)));
  EXPECT_EQ(pool.blocks_out(), 1U);
  EXPECT_EQ(content(queue), bytes(kBlock));
  EXPECT_TRUE(queue.append(bytes(2 * kBlock, kBlock)));
  EXPECT_EQ(content(queue), bytes(3 * kBlock));
}

TEST(ByteQueueTest, ADestroyedOrClearedQueueGivesItsBlocksBack) {
  BlockPool pool;
  {
    ByteQueue queue(pool);
    ASSERT_TRUE(queue.append(bytes(5 * kBlock)));
  }
  EXPECT_EQ(pool.blocks_out(), 0U);
}

TEST(ByteQueueTest, AMovedQueueTakesItsBytesAlong) {
  BlockPool pool;
  ByteQueue first(pool);
  ASSERT_TRUE(first.append("bytes"));
  const ByteQueue second(std::move(first));
  EXPECT_EQ(content(second), "bytes");
  EXPECT_TRUE(first.is_empty());  // NOLINT(bugprone-use-after-move)
  ASSERT_TRUE(first.append("new"));
  EXPECT_EQ(content(first), "new");
}

// Writes into the room it is given, as a read from a socket does.
size_t bring(ByteQueue* queue, std::string_view piece, size_t asked) {
  iovec room[4];
  const int count = queue->make_room(room, 4, asked);
  size_t brought = 0;
  for (int i = 0; i < count && brought < piece.size(); ++i) {
    const size_t n = std::min(room[i].iov_len, piece.size() - brought);
    piece.copy(static_cast<char*>(room[i].iov_base), n, brought);
    brought += n;
  }
  queue->grow(brought);
  return brought;
}

TEST(ByteQueueTest, WhatIsBroughtIntoItsRoomStandsBehindTheRest) {
  BlockPool pool;
  ByteQueue queue(pool);
  ASSERT_TRUE(queue.append("head"));
  EXPECT_EQ(bring(&queue, bytes(2 * kBlock), 3 * kBlock), 2 * kBlock);
  EXPECT_EQ(content(queue), "head" + bytes(2 * kBlock));
  EXPECT_EQ(pool.blocks_out(), 3U);
}

TEST(ByteQueueTest, RoomThatWasNotUsedIsGivenBack) {
  BlockPool pool;
  ByteQueue queue(pool);
  EXPECT_EQ(bring(&queue, "", 4 * kBlock), 0U);
  EXPECT_EQ(pool.blocks_out(), 0U);
  EXPECT_EQ(bring(&queue, "bytes", 4 * kBlock), 5U);
  EXPECT_EQ(pool.blocks_out(), 1U);
}

TEST(ByteQueueTest, EqualsAStringUnderAnyAppendsAndConsumes) {
  BlockPool pool;
  ByteQueue queue(pool);
  std::string model;
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::string piece = bytes(random() % 20'000, random());
    if (random() % 2 == 0 && model.size() < 500'000) {
      if (random() % 2 == 0) {
        ASSERT_TRUE(queue.append(piece));
        model += piece;
      } else {
        model += piece.substr(0, bring(&queue, piece, random() % 40'000 + 1));
      }
    } else {
      const size_t gone = std::min<size_t>(model.size(), random() % 30'000);
      queue.consume(gone);
      model.erase(0, gone);
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(content(queue), model);
    ASSERT_LE(pool.blocks_out(), model.size() / kBlock + 2);
  }
}

}  // namespace
}  // namespace weir
