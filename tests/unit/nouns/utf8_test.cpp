#include "weir/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Utf8, WellFormedCharactersHaveTheirLength) {
  EXPECT_EQ(utf8_length("a\xC3\xA9"), 1u);
  EXPECT_EQ(utf8_length("\xC3\xA9"), 2u);
  EXPECT_EQ(utf8_length("\xE2\x82\xAC."), 3u);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80"), 4u);
  EXPECT_EQ(utf8_length(kReplacementCharacter), 3u);
  EXPECT_EQ(utf8_length(std::string(1, '\0')), 1u);
}

TEST(Utf8, TheEndsOfEachRangeBelongToIt) {
  for (const char* text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(utf8_length(text), std::string_view(text).size()) << text;
  }
}

TEST(Utf8, OverlongFormsSurrogatesAndStrayBytesAreNone) {
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3(", "\xE2\x82(", "\xF0\x9F\x98("}) {
    EXPECT_EQ(utf8_length(text), 0u) << text;
  }
}

TEST(Utf8, ACharacterThatIsCutOffIsNone) {
  const std::string text = "\xF0\x9F\x98\x80";
  for (size_t length = 1; length < text.size(); ++length) {
    EXPECT_EQ(utf8_length(text.substr(0, length)), 0u);
  }
}

}  // namespace
}  // namespace weir
