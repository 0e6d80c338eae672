// The walks that take 16 bytes a step find what a walk byte by byte finds.
#include "lb/http/byte_search.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weir::http {
namespace {

struct Walk {
  std::vector<size_t> marks;
  size_t end = 0;
  bool operator==(const Walk&) const = default;
};

Walk byte_by_byte(const std::string& text, size_t at) {
  Walk walk;
  for (; at < text.size() && static_cast<unsigned char>(text[at]) > '\r'; ++at) {
    if (text[at] == '_') walk.marks.push_back(at);
  }
  walk.end = at;
  return walk;
}

Walk by_steps(const std::string& text, size_t at) {
  Walk walk;
  walk.end = for_each_mark_of_line(text, '_', at, [&](size_t mark) { walk.marks.push_back(mark); });
  return walk;
}

TEST(MarksOfALine, AreFoundAtEveryPlaceOfTextsOfEveryLength) {
  for (size_t length = 1; length < 150; ++length) {
    for (size_t place = 0; place < length; ++place) {
      std::string text(length, 'x');
      text[place] = '_';
      ASSERT_EQ(by_steps(text, 0), byte_by_byte(text, 0)) << length << " at " << place;
      text[place] = place % 2 == 0 ? '\n' : '\r';
      ASSERT_EQ(by_steps(text, 0), byte_by_byte(text, 0)) << length << " ends at " << place;
    }
  }
}

TEST(MarksOfALine, AreTheSameInRandomTexts) {
  std::mt19937 random(1);
  const std::string letters = "ab_\x0e\x20\x7f\x80\xff___\"";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t length = random() % 300; text.size() < length;) {
      const bool ends = random() % 200 == 0;
      text += ends ? '\n' : letters[random() % letters.size()];
    }
    const size_t at = random() % (text.size() + 1);
    ASSERT_EQ(by_steps(text, at), byte_by_byte(text, at)) << "from " << at << " of: " << text;
  }
}

}  // namespace
}  // namespace weir::http
