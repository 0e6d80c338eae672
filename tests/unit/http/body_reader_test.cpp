// Bodies of every framing, whole, byte by byte and in random pieces.
#include <array>
#include <ostream>

#include <gtest/gtest.h>

#include "lb/http/limits.h"
#include "tests/unit/http/feed.h"

namespace weir::http {
namespace {

constexpr Framing kChunked{BodyKind::chunked, 0};

struct Row {
  const char* rule;
  std::string bytes;
  std::string end;      // "end", "more" or "bad"
  std::string data;     // when not bad
  std::string framing;  // what is forwarded raw; empty = the bytes themselves
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.rule;
}

const std::string kLast = "0\r\n\r\n";
const std::string kNul(1, '\0');

const std::vector<Row> kRows{
    {"OneChunk", "5\r\nhello\r\n" + kLast, "end", "hello", ""},
    {"TwoChunks", "5\r\nhello\r\n1\r\n!\r\n" + kLast, "end", "hello!", ""},
    {"HexOfEitherCase", "a\r\n0123456789\r\nB\r\n0123456789a\r\n" + kLast, "end",
     "01234567890123456789a", ""},
    {"DataMayBeLines", "4\r\n\r\n\r\n\r\n" + kLast, "end", "\r\n\r\n", ""},
    {"NoChunkAtAll", kLast, "end", "", ""},
    {"SeveralZerosAreTheLastChunk", "000\r\n\r\n", "end", "", ""},
    {"SixteenDigits", "0000000000000001\r\na\r\n" + kLast, "end", "a", ""},
    {"SeventeenDigits", "00000000000000001\r\na\r\n" + kLast, "bad", "", ""},
    {"NoDigits", "\r\na\r\n" + kLast, "bad", "", ""},
    {"NotADigit", "g\r\na\r\n" + kLast, "bad", "", ""},
    {"SizeWithPlus", "+1\r\na\r\n" + kLast, "bad", "", ""},
    {"SizeWithMinus", "-1\r\na\r\n" + kLast, "bad", "", ""},
    {"SizeWith0x", "0x1\r\na\r\n" + kLast, "bad", "", ""},
    {"SizeWithUnderscore", "1_0\r\na\r\n" + kLast, "bad", "", ""},
    {"BlankBeforeSize", " 1\r\na\r\n" + kLast, "bad", "", ""},
    {"BlankBehindSize", "1 \r\na\r\n" + kLast, "bad", "", ""},
    {"BareLfBehindSize", "1\na\r\n" + kLast, "bad", "", ""},
    {"BareCrBehindSize", "1\rXa\r\n" + kLast, "bad", "", ""},
    {"DataPastItsSize", "1\r\nab\r\n" + kLast, "bad", "", ""},
    {"DataEndsWithLfOnly", "1\r\na\n" + kLast, "bad", "", ""},
    {"DataEndsWithCrAndAByte", "1\r\na\rX" + kLast, "bad", "", ""},
    {"DataEndsWithAnyTwoBytes", "1\r\naXX" + kLast, "bad", "", ""},
    {"DataWithoutLineEnd", "1\r\na" + kLast, "bad", "", ""},
    {"ExtensionIsStripped", "1;a=b\r\na\r\n" + kLast, "end", "a", "1\r\na\r\n" + kLast},
    {"QuotedExtensionIsStripped", "1;a=\"b;c\"\r\na\r\n" + kLast, "end", "a", "1\r\na\r\n" + kLast},
    {"ExtensionBehindBlanksIsStripped", "1 \t;a\r\na\r\n" + kLast, "end", "a",
     "1\r\na\r\n" + kLast},
    {"ExtensionOfTheLastChunkIsStripped", "0;a\r\n\r\n", "end", "", kLast},
    {"ExtensionOf256Bytes", "1;" + std::string(255, 'x') + "\r\na\r\n" + kLast, "end", "a",
     "1\r\na\r\n" + kLast},
    {"ExtensionOf257Bytes", "1;" + std::string(256, 'x') + "\r\na\r\n" + kLast, "bad", "", ""},
    {"BareLfInExtension", "1;a\nb\r\na\r\n" + kLast, "bad", "", ""},
    {"BareCrInExtension", "1;a\rb\r\na\r\n" + kLast, "bad", "", ""},
    {"NulInExtension", "1;" + kNul + "\r\na\r\n" + kLast, "bad", "", ""},
    {"TrailersAreStripped", "0\r\nX-A: b\r\nX-C:\r\n\r\n", "end", "", kLast},
    {"LengthInTrailersIsStripped", "0\r\nContent-Length: 5\r\n\r\n", "end", "", kLast},
    {"CodingInTrailersIsStripped", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "end", "", kLast},
    {"TrailersUpToTheLimit", "0\r\nX:" + std::string(kMaxTrailerBytes - 4, 'a') + "\r\n\r\n", "end",
     "", kLast},
    {"TrailersOverTheLimit", "0\r\nX:" + std::string(kMaxTrailerBytes - 3, 'a') + "\r\n\r\n", "bad",
     "", ""},
    {"FoldedTrailer", "0\r\nX: a\r\n b\r\n\r\n", "bad", "", ""},
    {"TrailerWithoutName", "0\r\n: a\r\n\r\n", "bad", "", ""},
    {"TrailerWithoutColon", "0\r\nnonsense\r\n\r\n", "bad", "", ""},
    {"BlankBeforeColonOfTrailer", "0\r\nX : a\r\n\r\n", "bad", "", ""},
    {"BareLfInTrailer", "0\r\nX: a\nY: b\r\n\r\n", "bad", "", ""},
    {"BareCrInTrailer", "0\r\nX: a\rb\r\n\r\n", "bad", "", ""},
    {"BareLfAsEnd", "0\r\n\n", "bad", "", ""},
    {"CrAndAByteAsEnd", "0\r\n\rX", "bad", "", ""},
    {"CutInTheSize", "5", "more", "", ""},
    {"CutInTheData", "5\r\nhel", "more", "hel", ""},
    {"CutBehindTheData", "5\r\nhello", "more", "hello", ""},
    {"CutBeforeTheLastChunk", "5\r\nhello\r\n", "more", "hello", ""},
    {"CutInTheEnd", "5\r\nhello\r\n0\r\n", "more", "hello", ""},
};

class ChunkedRules : public testing::TestWithParam<Row> {};

TEST_P(ChunkedRules, HoldWholeByteByByteAndInRandomPieces) {
  const Row& row = GetParam();
  const std::string bytes = row.bytes + (row.end == "end" ? "GET / HTTP/1.1" : "");
  for (const Cuts& cuts : all_cuts(bytes.size())) {
    const ReadBody body = read_body(bytes, kChunked, cuts);
    ASSERT_EQ(body.end, row.end) << cuts.size() << " pieces";
    if (row.end == "bad") continue;
    EXPECT_EQ(body.data, row.data);
    EXPECT_EQ(body.framing, row.framing.empty() ? row.bytes : row.framing);
    EXPECT_EQ(body.used, row.bytes.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Http, ChunkedRules, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.rule; });

TEST(BodyReaderTest, LengthEndsAfterItsBytes) {
  const std::string bytes = "helloNEXT";
  for (const Cuts& cuts : all_cuts(bytes.size())) {
    const ReadBody body = read_body(bytes, {BodyKind::length, 5}, cuts);
    EXPECT_EQ(body.data, "hello");
    EXPECT_EQ(body.end, "end");
    EXPECT_EQ(body.used, 5U);
  }
}

TEST(BodyReaderTest, WhatWentElsewhereCountsAsRead) {
  BodyReader reader;
  reader.start({BodyKind::length, 10});
  reader.skip(4);
  EXPECT_EQ(reader.remaining(), 6U);
  EXPECT_FALSE(reader.is_done());
  reader.skip(6);
  EXPECT_TRUE(reader.is_done());
}

TEST(BodyReaderTest, NothingIsDoneAtOnce) {
  EXPECT_EQ(read_body("NEXT", {BodyKind::none, 0}, whole(4)).end, "end");
  EXPECT_EQ(read_body("NEXT", {BodyKind::length, 0}, whole(4)).used, 0U);
}

TEST(BodyReaderTest, UntilCloseTakesEverythingAndEndsWellOnlyThere) {
  BodyReader reader;
  reader.start({BodyKind::until_close, 0});
  EXPECT_EQ(reader.next("abc").length, 3U);
  EXPECT_FALSE(reader.is_done());
  EXPECT_TRUE(reader.ends_well_at_close());
}

TEST(BodyReaderTest, CutBodyDoesNotEndWell) {
  BodyReader reader;
  reader.start({BodyKind::length, 5});
  reader.next("hell");
  EXPECT_FALSE(reader.ends_well_at_close());
  EXPECT_EQ(reader.remaining(), 1U);
  reader.next("o");
  EXPECT_TRUE(reader.ends_well_at_close());
  reader.start(kChunked);
  reader.next("0\r\n");
  EXPECT_FALSE(reader.ends_well_at_close());
}

TEST(BodyReaderTest, ChunkBoundaryIsWhereAChunkOfOursFits) {
  BodyReader reader;
  reader.start(kChunked);
  EXPECT_TRUE(reader.is_at_chunk_boundary());
  std::string boundaries;
  for (const char c : std::string("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")) {
    reader.next({&c, 1});
    boundaries += reader.is_at_chunk_boundary() ? '|' : '.';
  }
  EXPECT_EQ(boundaries, ".....|......|.....");
}

TEST(BodyReaderTest, OneWholeChunkIsTakenAtOnce) {
  BodyReader reader;
  reader.start(kChunked);
  EXPECT_EQ(reader.whole_chunk("1\r\na\r\n"), "a");
  EXPECT_EQ(reader.whole_chunk("00A\r\n0123456789\r\n"), "0123456789");
  const std::string large(0x12f, 'x');
  EXPECT_EQ(reader.whole_chunk("12f\r\n" + large + "\r\n").size(), large.size());
  EXPECT_TRUE(reader.is_at_chunk_boundary());
}

TEST(BodyReaderTest, WhatIsNotOneWholeChunkIsNotTakenAtOnce) {
  BodyReader reader;
  reader.start(kChunked);
  for (const char* bytes :
       {"", "1", "1\r\n", "1\r\na", "1\r\na\r", "2\r\na\r\n", "1\r\nab\r\n", "1\r\na\r\n0\r\n",
        "0\r\n\r\n\r\n", "0\r\n\r\n", "1;a\r\na\r\n", "\r\na\r\n\r\n", "00001\r\na\r\n",
        "1\n\na\r\n", "1\r\na\n\n", "g\r\na\r\n"}) {
    EXPECT_EQ(reader.whole_chunk(bytes), "") << bytes;
  }
  reader.next("2\r\n");
  EXPECT_EQ(reader.whole_chunk("1\r\na\r\n"), "") << "within a chunk";
  reader.start({BodyKind::length, 6});
  EXPECT_EQ(reader.whole_chunk("1\r\na\r\n"), "") << "of a body that is not chunked";
}

TEST(BodyReaderTest, BadStaysBad) {
  BodyReader reader;
  reader.start(kChunked);
  EXPECT_EQ(reader.next("zz").kind, BodyReader::PieceKind::bad);
  EXPECT_EQ(reader.next("5\r\n").kind, BodyReader::PieceKind::bad);
  EXPECT_FALSE(reader.ends_well_at_close());
}

TEST(BodyReaderTest, ChunkOfOursIsOneThatIsReadBack) {
  for (const uint64_t size :
       {uint64_t{1}, uint64_t{15}, uint64_t{16}, uint64_t{0x1a2b}, ~uint64_t{0}}) {
    std::array<char, 18> line{};
    const size_t length = write_chunk_size(size, line.data());
    BodyReader reader;
    reader.start(kChunked);
    EXPECT_EQ(reader.next({line.data(), length}).length, length);
    EXPECT_EQ(reader.remaining(), size);
  }
}

}  // namespace
}  // namespace weir::http
