#include "bench/engine/answer_reader.h"

#include <errno.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

const std::string kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    "Transfer-Encoding: chunked\r\nX-Weir-Backend: n01-0\r\nX-Weir-Attempts: 2\r\n\r\n";
const std::string kRole =
    R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})";
const std::string kWord =
    R"({"choices":[{"index":0,"delta":{"content":" river"},"finish_reason":null}]})";
const std::string kThought =
    R"({"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]})";
const std::string kEmpty =
    R"({"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}]})";
const std::string kStop = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
const std::string kAbort =
    R"({"choices":[{"index":0,"delta":{"content":""},"finish_reason":"abort"}]})";
const std::string kUsage =
    R"({"choices":[],"usage":{"prompt_tokens":9,"total_tokens":21,"completion_tokens":12,)"
    R"("prompt_tokens_details":{"cached_tokens":4}}})";
const std::string kError =
    R"({"error":{"message":"EngineCore encountered an issue","type":"x","code":500}})";
const std::string kDone = "[DONE]";

std::string event(const std::string& data) {
  const std::string text = "data: " + data + "\n\n";
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

// An answer arrives; each step a millisecond after the one before.
class AnswerReaderTest : public testing::Test {
 public:
  void begin(bool wants_stream = true, bool keeps_text = false) {
    record_ = RequestRecord{};
    now_ns_ = 0;
    status_ = AnswerReader::Status::more;
    reader_.start(record_, wants_stream, keeps_text);
  }
  AnswerReaderTest& gets(std::string_view bytes) {
    now_ns_ += 1'000'000;
    if (status_ == AnswerReader::Status::more) status_ = reader_.feed(bytes, now_ns_);
    return *this;
  }
  AnswerReaderTest& stream(const std::vector<std::string>& events) {
    begin();
    gets(kStreamHead);
    for (const std::string& data : events) gets(event(data));
    return *this;
  }
  AnswerReaderTest& end() { return gets("0\r\n\r\n"); }
  AnswerReaderTest& closes(int os_error = 0) {
    status_ = reader_.on_close(os_error);
    return *this;
  }
  std::string judged() {
    reader_.judge();
    return fmt::format("{} {}", to_string(record_.outcome), to_string(record_.fault));
  }

  http::HeadParser parser_;
  AnswerReader reader_{parser_};
  RequestRecord record_;
  AnswerReader::Status status_ = AnswerReader::Status::more;
  int64_t now_ns_ = 0;
};

TEST_F(AnswerReaderTest, AWholeStreamIsOkAndItsTokensAreThoseOfUsage) {
  stream({kRole, kWord, kWord, kStop, kUsage, kDone}).end();
  EXPECT_EQ(status_, AnswerReader::Status::done);
  EXPECT_EQ(judged(), "ok none");
  EXPECT_TRUE(reader_.keeps_alive());
  EXPECT_EQ(record_.output_tokens, 12);
  EXPECT_EQ(record_.prompt_tokens, 9);
  EXPECT_EQ(record_.cached_tokens, 4);
  EXPECT_EQ(record_.attempts, 2);
  EXPECT_EQ(reader_.texts().backend, "n01-0");
  EXPECT_EQ(reader_.texts().finish_reason, "stop");
}

TEST_F(AnswerReaderTest, TheFirstTokenIsTheFirstTextAndNeverTheRole) {
  stream({kRole, kEmpty, kWord, kEmpty, kWord, kStop, kDone}).end();
  EXPECT_EQ(record_.first_byte_ns, 1'000'000);
  EXPECT_EQ(record_.first_event_ns, 2'000'000);
  EXPECT_EQ(record_.first_token_ns, 4'000'000);
  EXPECT_EQ(record_.last_token_ns, 6'000'000);
  EXPECT_EQ(record_.token_events, 2U);
  EXPECT_EQ(reader_.gaps(), std::vector<uint32_t>{2'000'000 / kGapTick_ns});
}

TEST_F(AnswerReaderTest, ReasoningIsAFirstTokenButNotContent) {
  stream({kRole, kThought, kThought, kWord, kStop, kDone}).end();
  EXPECT_EQ(record_.first_token_ns, 3'000'000);
  EXPECT_EQ(record_.first_content_ns, 5'000'000);
  EXPECT_EQ(judged(), "ok none");
}

TEST_F(AnswerReaderTest, TokensThatCameTogetherAreCountedAsComingTogether) {
  begin();
  gets(kStreamHead + event(kWord) + event(kWord) + event(kWord));
  EXPECT_EQ(reader_.coalesced(), 2U);
  gets(event(kWord) + event(kStop));
  EXPECT_EQ(reader_.coalesced(), 0U);
  EXPECT_EQ(record_.token_events, 4U);
}

TEST_F(AnswerReaderTest, AnAnswerIsTheSameInWhateverPiecesItComes) {
  std::string all = kStreamHead;
  for (const std::string& data : {kRole, kWord, kThought, kWord, kStop, kUsage, kDone}) {
    all += event(data);
  }
  all += "0\r\n\r\n";
  for (size_t size = 1; size < 60; ++size) {
    begin();
    for (size_t at = 0; at < all.size(); at += size) gets(std::string_view(all).substr(at, size));
    EXPECT_EQ(judged(), "ok none") << size;
    EXPECT_EQ(record_.token_events, 3U) << size;
    EXPECT_EQ(record_.output_tokens, 12) << size;
    EXPECT_EQ(reader_.gaps().size(), 2U) << size;
  }
}

TEST_F(AnswerReaderTest, AnAbortIsTruncatedHoweverWellItEnds) {
  stream({kRole, kWord, kAbort, kDone}).end();
  EXPECT_EQ(judged(), "truncated aborted");
}

TEST_F(AnswerReaderTest, AnErrorEventIsTruncatedAfterTextAndFailedBeforeIt) {
  stream({kRole, kWord, kError, kDone}).end();
  EXPECT_EQ(judged(), "truncated error_event");
  EXPECT_EQ(reader_.texts().error, "EngineCore encountered an issue");
  stream({kRole, kError, kDone}).end();
  EXPECT_EQ(judged(), "failed error_event");
}

TEST_F(AnswerReaderTest, AFinishReasonOfErrorIsNoEnd) {
  const std::string bad = R"({"choices":[{"index":0,"delta":{},"finish_reason":"error"}]})";
  stream({kRole, kWord, bad, kDone}).end();
  EXPECT_EQ(judged(), "truncated error_event");
}

TEST_F(AnswerReaderTest, AProperHttpEndWithoutFinishReasonIsTruncated) {
  stream({kRole, kWord, kWord}).end();
  EXPECT_EQ(judged(), "truncated no_finish");
  stream({kRole, kWord, kWord, kDone}).end();
  EXPECT_EQ(judged(), "truncated no_finish");
}

TEST_F(AnswerReaderTest, AMissingDoneIsTruncated) {
  stream({kRole, kWord, kStop, kUsage}).end();
  EXPECT_EQ(judged(), "truncated no_done");
}

TEST_F(AnswerReaderTest, OnlyDoneIsFailedAsEmpty) {
  stream({kDone}).end();
  EXPECT_EQ(judged(), "failed empty");
}

TEST_F(AnswerReaderTest, ACutStreamIsTruncatedByFinAndByReset) {
  stream({kRole, kWord}).closes();
  EXPECT_EQ(judged(), "truncated cut");
  EXPECT_EQ(reader_.texts().error, "the connection was closed");
  stream({kRole, kWord}).closes(ECONNRESET);
  EXPECT_EQ(judged(), "truncated cut");
  stream({kRole, kWord, kStop, kDone}).closes();  // the last chunk is missing
  EXPECT_EQ(judged(), "truncated cut");
}

TEST_F(AnswerReaderTest, AChunkThatIsCutCountsNoTokenThatDidNotCome) {
  begin();
  gets(kStreamHead).gets(event(kWord)).gets(event(kWord).substr(0, 40)).closes();
  EXPECT_EQ(judged(), "truncated cut");
  EXPECT_EQ(record_.token_events, 1U);
}

TEST_F(AnswerReaderTest, BrokenFramingIsTruncatedAndBrokenHeadsAreFailed) {
  stream({kWord}).gets("zz\r\n");
  EXPECT_EQ(status_, AnswerReader::Status::broken);
  EXPECT_EQ(judged(), "truncated cut");
  begin();
  gets("HTTP/1.1 200\nOK\r\n\r\n");
  EXPECT_EQ(judged(), "failed bad_http");
}

TEST_F(AnswerReaderTest, NothingAtAllIsAnEarlyReset) {
  begin();
  closes(ECONNRESET);
  EXPECT_EQ(judged(), "failed reset_early");
}

TEST_F(AnswerReaderTest, BusyAnswersAreRejectedAndOthersFailed) {
  const auto answer = [this](const std::string& status) {
    begin();
    gets("HTTP/1.1 " + status + "\r\nContent-Length: 36\r\n\r\n" +
         R"({"error":{"message":"the queue..."}})");
    return judged();
  };
  EXPECT_EQ(answer("429 Too Many Requests"), "rejected busy");
  EXPECT_EQ(answer("503 Service Unavailable"), "rejected busy");
  EXPECT_EQ(answer("500 Internal Server Error"), "failed http_5xx");
  EXPECT_EQ(answer("404 Not Found"), "failed http_4xx");
  EXPECT_EQ(reader_.texts().error, "the queue...");
  EXPECT_EQ(record_.status, 404);
}

TEST_F(AnswerReaderTest, APlainAnswerIsWholeWithItsFinishReason) {
  const auto answer = [this](const std::string& body) {
    begin(false);
    gets(fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.size()));
    gets(body);
    return judged();
  };
  const std::string usage = R"(,"usage":{"prompt_tokens":3,"completion_tokens":5})";
  EXPECT_EQ(answer(R"({"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}])" +
                   usage + "}"),
            "ok none");
  EXPECT_EQ(record_.output_tokens, 5);
  EXPECT_EQ(record_.first_token_ns, kNoTime);
  EXPECT_EQ(answer(R"({"choices":[{"message":{"content":"he"},"finish_reason":"abort"}]})"),
            "truncated aborted");
  EXPECT_EQ(answer(R"({"choices":[{"message":{"content":"he"},"finish_reason":null}]})"),
            "truncated no_finish");
  EXPECT_EQ(answer(R"({"error":{"message":"no"}})"), "failed error_event");
}

TEST_F(AnswerReaderTest, APlainAnswerWhereAStreamWasAskedForIsFailed) {
  begin(true);
  gets("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(judged(), "failed no_event_stream");
}

TEST_F(AnswerReaderTest, AnInterimHeadIsNotTheAnswer) {
  begin();
  gets("HTTP/1.1 100 Continue\r\n\r\n" + kStreamHead);
  for (const std::string& data : {kWord, kStop, kDone}) gets(event(data));
  end();
  EXPECT_EQ(judged(), "ok none");
}

TEST_F(AnswerReaderTest, TheTextIsKeptWhenItIsWanted) {
  begin(true, true);
  gets(kStreamHead);
  for (const std::string& data : {kRole, kWord, kThought, kWord, kStop, kDone}) gets(event(data));
  end();
  EXPECT_EQ(judged(), "ok none");
  EXPECT_EQ(reader_.texts().text, " river river");
}

TEST_F(AnswerReaderTest, BytesBehindTheAnswerForbidToUseTheConnectionAgain) {
  stream({kWord, kStop, kDone}).gets("0\r\n\r\nHTTP/1.1 200");
  EXPECT_EQ(judged(), "ok none");
  EXPECT_FALSE(reader_.keeps_alive());
}

}  // namespace
}  // namespace weir
