// Small bodies in a string, larger ones in blocks, and nobody sees the difference.
#include "lb/proxy/body_store.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string content(const BodyStore& store, size_t offset = 0) {
  iovec pieces[16];
  const int count = store.peek(pieces, 16, offset);
  std::string out;
  for (int i = 0; i < count; ++i) {
    out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return out;
}

class BodyStoreTest : public testing::Test {
 protected:
  BodyStoreTest() { store_.set_small(&small_); }

  BlockPool pool_{4 * BlockPool::kBlockSize};
  std::string small_;
  BodyStore store_{pool_};
};

TEST_F(BodyStoreTest, ASmallBodyTakesNoBlock) {
  const std::string body(BodyStore::kSmall, 'a');
  EXPECT_TRUE(store_.append(body.substr(0, 10)));
  EXPECT_TRUE(store_.append(body.substr(10)));
  EXPECT_EQ(content(store_), body);
  EXPECT_EQ(store_.size(), body.size());
  EXPECT_EQ(pool_.blocks_out(), 0U);
}

TEST_F(BodyStoreTest, ABodyThatGrowsMovesIntoBlocksWhole) {
  std::string body;
  for (int i = 0; i < 30; ++i) {
    const std::string piece(777, static_cast<char>('a' + i));
    EXPECT_TRUE(store_.append(piece));
    body += piece;
    EXPECT_EQ(content(store_), body);
    EXPECT_EQ(content(store_, 700), body.substr(700));
  }
  EXPECT_EQ(small_, "");
  EXPECT_EQ(pool_.blocks_out(), 2U);
}

TEST_F(BodyStoreTest, WhatIsConsumedIsGoneWhereverItWas) {
  for (const size_t size : {size_t{100}, 3 * BlockPool::kBlockSize}) {
    EXPECT_TRUE(store_.append(std::string(size, 'a') + "rest"));
    store_.consume(size);
    EXPECT_EQ(content(store_), "rest");
    store_.consume(4);
    EXPECT_TRUE(store_.is_empty());
    EXPECT_EQ(pool_.blocks_out(), 0U);
  }
}

TEST_F(BodyStoreTest, RoomToReadIntoComesBehindASmallBeginning) {
  EXPECT_TRUE(store_.append("begin "));
  iovec piece{};
  ASSERT_EQ(store_.make_room(&piece, 1, 3), 1);
  std::string_view("end").copy(static_cast<char*>(piece.iov_base), 3);
  store_.grow(3);
  EXPECT_EQ(content(store_), "begin end");
}

TEST_F(BodyStoreTest, ASpentPoolIsToldAndNothingIsLost) {
  EXPECT_TRUE(store_.append("small"));
  EXPECT_FALSE(store_.append(std::string(5 * BlockPool::kBlockSize, 'a')));
  EXPECT_EQ(content(store_), "small");
}

TEST_F(BodyStoreTest, WithoutAStringEverythingGoesIntoBlocks) {
  store_.set_small(nullptr);
  EXPECT_TRUE(store_.append("small"));
  EXPECT_EQ(pool_.blocks_out(), 1U);
  EXPECT_EQ(content(store_), "small");
  store_.clear();
}

}  // namespace
}  // namespace weir
