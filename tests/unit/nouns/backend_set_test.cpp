#include "weir/backend_set.h"

#include <set>

#include <gtest/gtest.h>

namespace weir {
namespace {

BackendSpec backend(const std::string& id, uint16_t port = 1) {
  BackendSpec spec;
  spec.id = id;
  spec.address = {"host", port, false};
  return spec;
}

TEST(BackendSetTest, IsSortedByIdAndTheFirstOfDoublesStays) {
  const BackendSet set({backend("c"), backend("a", 1), backend("b"), backend("a", 2)});
  ASSERT_EQ(set.size(), 3U);
  EXPECT_EQ(set.backends()[0].id, "a");
  EXPECT_EQ(set.backends()[0].address.port, 1);
  EXPECT_EQ(set.backends()[2].id, "c");
}

TEST(BackendSetTest, FindsById) {
  const BackendSet set({backend("a"), backend("c")});
  ASSERT_NE(set.find("c"), nullptr);
  EXPECT_EQ(set.find("c")->id, "c");
  EXPECT_EQ(set.find("b"), nullptr);
  EXPECT_EQ(set.find("d"), nullptr);
  EXPECT_EQ(BackendSet().find("a"), nullptr);
  EXPECT_TRUE(BackendSet().is_empty());
}

TEST(BackendSetTest, TheOrderOfWritingMakesNoDifference) {
  EXPECT_EQ(BackendSet({backend("a"), backend("b")}), BackendSet({backend("b"), backend("a")}));
  EXPECT_FALSE(BackendSet({backend("a", 1)}) == BackendSet({backend("a", 2)}));
}

TEST(BackendSetTest, TheDifferenceNamesWhatCameWentAndChanged) {
  const BackendSet before({backend("gone"), backend("moved", 1), backend("same")});
  const BackendSet after({backend("came"), backend("moved", 2), backend("same")});
  const BackendSetChange change = difference(before, after);
  ASSERT_EQ(change.added.size(), 1U);
  EXPECT_EQ(change.added[0].id, "came");
  ASSERT_EQ(change.changed.size(), 1U);
  EXPECT_EQ(change.changed[0].address.port, 2);
  EXPECT_EQ(change.removed, std::vector<BackendId>{"gone"});
}

TEST(BackendSetTest, EqualSetsDifferInNothing) {
  const BackendSet set({backend("a"), backend("b")});
  const BackendSetChange change = difference(set, set);
  EXPECT_TRUE(change.added.empty() && change.removed.empty() && change.changed.empty());
}

TEST(BackendStateNameTest, EveryStateHasAWordOfItsOwn) {
  constexpr int kStates = static_cast<int>(BackendStateName::failed) + 1;
  std::set<std::string_view> words;
  for (int i = 0; i < kStates; ++i) {
    words.insert(to_string(static_cast<BackendStateName>(i)));
  }
  EXPECT_EQ(words.size(), static_cast<size_t>(kStates));
  EXPECT_FALSE(words.contains("unknown"));
}

}  // namespace
}  // namespace weir
