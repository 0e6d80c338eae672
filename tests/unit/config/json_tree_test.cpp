#include "lb/config/json_tree.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

JsonPlace place_of(const JsonDocument& document, std::string_view key) {
  for (const JsonMember& member : document.root.members) {
    if (member.key == key) return member.value.place;
  }
  return {};
}

TEST(JsonTreeTest, KnowsWhereEveryValueBegins) {
  const JsonDocument document = parse_json(
      "{ // a comment\n"
      "  \"text\": \"a \\\"quoted\\\" \\\\\",\n"
      "  \"number\": 12,\n"
      "  \"real\" : -1.5e3 ,\n"
      "  \"list\": [true, null],\n"
      "  \"object\": {}\n"
      "}\n");
  ASSERT_TRUE(document.is_whole);
  EXPECT_EQ(place_of(document, "text"), (JsonPlace{2, 11}));
  EXPECT_EQ(place_of(document, "number"), (JsonPlace{3, 13}));
  EXPECT_EQ(place_of(document, "real"), (JsonPlace{4, 12}));
  EXPECT_EQ(place_of(document, "list"), (JsonPlace{5, 11}));
  EXPECT_EQ(place_of(document, "object"), (JsonPlace{6, 13}));
  EXPECT_EQ(document.root.members[3].value.items[0].place, (JsonPlace{5, 12}));
  EXPECT_EQ(document.root.members[3].value.items[1].place, (JsonPlace{5, 18}));
  EXPECT_EQ(document.root.members[3].place, (JsonPlace{5, 3}));
  EXPECT_EQ(document.root.members[0].value.text, "a \"quoted\" \\");
}

TEST(JsonTreeTest, TellsOfAKeyThatIsThereTwice) {
  const JsonDocument document = parse_json("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}");
  ASSERT_EQ(document.mistakes.size(), 1U);
  EXPECT_EQ(document.mistakes[0].what, "duplicate key \"a\"");
  EXPECT_EQ(document.mistakes[0].help, "it is also at line 1; keep one of them");
  EXPECT_EQ(document.mistakes[0].place, (JsonPlace{3, 2}));
}

TEST(JsonTreeTest, TellsWhereTheSyntaxIsWrong) {
  const JsonDocument document = parse_json("{\n  \"a\" 1\n}");
  EXPECT_FALSE(document.is_whole);
  ASSERT_EQ(document.mistakes.size(), 1U);
  EXPECT_EQ(document.mistakes[0].place.line, 2U);
}

TEST(JsonTreeTest, AdvisesOnACommaTooMany) {
  const JsonDocument document = parse_json("[1,\n 2,\n]");
  ASSERT_EQ(document.mistakes.size(), 1U);
  EXPECT_EQ(document.mistakes[0].help, "remove the comma before it");
  EXPECT_EQ(document.mistakes[0].place, (JsonPlace{3, 1}));
}

TEST(JsonTreeTest, RefusesWhatIsNotOneWholeDocument) {
  for (const std::string_view text : {"", " ", "{", "[1", "{}{}", "\"abc", "{\"a\":}", "nul", "01",
                                      "\"\xff\"", "/* open", "1e999"}) {
    EXPECT_FALSE(parse_json(text).is_whole) << text;
  }
}

TEST(JsonTreeTest, IsBoundedInDepthAndSize) {
  EXPECT_FALSE(parse_json(std::string(100000, '[')).is_whole);
  EXPECT_EQ(parse_json(std::string(100000, '[')).mistakes[0].what, "nested deeper than 32 levels");
  EXPECT_EQ(parse_json(std::string(kLargestJson + 1, ' ')).mistakes[0].what,
            "the file is larger than 4 MiB");
}

}  // namespace
}  // namespace weir
