// What an event is, in one piece and split at every byte.
#include "lb/http/event_scanner.h"

#include <gtest/gtest.h>

#include "tests/unit/http/feed.h"

namespace weir::http {
namespace {

// A look in words, to compare and to print.
std::string words(const EventLook& look) {
  std::string out;
  const auto add = [&](bool is, const char* word) {
    if (is) out += (out.empty() ? "" : " ") + std::string(word);
  };
  add(look.has_data, "data");
  add(look.is_done, "done");
  add(look.is_error, "error");
  add(look.is_abort, "abort");
  add(look.has_finish, "finish");
  add(look.has_text, "text");
  if (look.prompt_tokens >= 0) out += " in=" + std::to_string(look.prompt_tokens);
  if (look.completion_tokens >= 0) out += " out=" + std::to_string(look.completion_tokens);
  return out;
}

// The looks of all events, joined by " | ", and the finish reason behind "=".
std::string scan(std::string_view stream, const Cuts& cuts,
                 EventScanner::Depth depth = EventScanner::Depth::with_text) {
  EventScanner scanner(depth);
  std::string out;
  size_t at = 0;
  for (const size_t end : cuts) {
    while (at < end) {
      const size_t length = scanner.next_event_end(stream.substr(at, end - at));
      if (length == EventScanner::kNone) break;
      out += words(scanner.look()) + " | ";
      at += length;
    }
    at = end;
  }
  return out + "=" + std::string(scanner.finish_reason());
}

// What a look without text should say.
std::string without_text(std::string words) {
  for (const std::string text : {"text | ", "text "}) {
    for (size_t at; (at = words.find(text)) != words.npos;) {
      words.replace(at, text.size(), text.ends_with("| ") ? "| " : "");
    }
  }
  return words;
}

// In one piece; the same must come out in any others, and in a light look.
std::string looks(const std::string& stream) {
  const std::string expected = scan(stream, whole(stream.size()));
  for (const Cuts& cuts : all_cuts(stream.size())) {
    EXPECT_EQ(scan(stream, cuts), expected);
    EXPECT_EQ(scan(stream, cuts, EventScanner::Depth::without_text), without_text(expected));
  }
  for (size_t cut = 1; cut < stream.size() && stream.size() < 1000; ++cut) {
    EXPECT_EQ(scan(stream, {cut, stream.size()}), expected) << "cut at " << cut;
  }
  return expected;
}

// An event as vLLM sends it.
std::string chunk(const std::string& delta, const std::string& finish = "null",
                  const std::string& more = "") {
  return "data: {\"id\":\"chatcmpl-8a5d\",\"object\":\"chat.completion.chunk\",\"created\":1763,"
         "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" +
         delta + "},\"logprobs\":null,\"finish_reason\":" + finish + ",\"token_ids\":null}]" +
         more + "}\n\n";
}

TEST(EventScanner, TokenOfAChatHasText) {
  EXPECT_EQ(looks(chunk("\"content\":\" tok\"")), "data text | =");
  EXPECT_EQ(looks(chunk("\"reasoning_content\":\"hm\"")), "data text | =");
  EXPECT_EQ(looks(chunk("\"reasoning\":\"hm\"")), "data text | =");
  EXPECT_EQ(looks(chunk("\"tool_calls\":[{\"index\":0}]")), "data text | =");
}

TEST(EventScanner, RoleEventHasNoText) {
  EXPECT_EQ(looks(chunk("\"role\":\"assistant\",\"content\":\"\"")), "data | =");
  EXPECT_EQ(looks(chunk("\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]")), "data | =");
}

TEST(EventScanner, TokenOfACompletionHasText) {
  EXPECT_EQ(looks("data: {\"choices\":[{\"index\":0,\"text\":\" a\",\"finish_reason\":null}]}\n\n"),
            "data text | =");
}

TEST(EventScanner, FinishReasonIsSeenWithBlanksToo) {
  EXPECT_EQ(looks(chunk("\"content\":\"\"", "\"stop\"")), "data finish | =stop");
  EXPECT_EQ(looks(chunk("\"content\":\"\"", " \t\"length\"")), "data finish | =length");
}

TEST(EventScanner, AbortIsSeenAsStructure) {
  EXPECT_EQ(looks(chunk("\"content\":\"\"", "\"abort\"")), "data abort finish | =abort");
  EXPECT_EQ(looks(chunk("\"content\":\"\"", "  \"abort\"")), "data abort finish | =abort");
}

TEST(EventScanner, TextInsideAStringIsNoStructure) {
  const std::string inside =
      R"("content":"{\"finish_reason\":\"abort\",\"usage\":{\"prompt_tokens\":5}}")";
  EXPECT_EQ(looks(chunk(inside)), "data text | =");
  EXPECT_EQ(looks(chunk(R"("content":"data: [DONE]\n\n")")), "data text | =");
  EXPECT_EQ(looks(chunk(R"("content":"\\\"finish_reason\\\":\\\"abort\\\"")")), "data text | =");
}

TEST(EventScanner, BackslashBeforeTheClosingQuoteDoesNotConfuse) {
  EXPECT_EQ(looks(chunk(R"("content":"\\")", "\"abort\"")), "data abort finish text | =abort");
}

TEST(EventScanner, LongFinishReasonIsCut) {
  const std::string reason(40, 'r');
  EXPECT_EQ(looks(chunk("\"content\":\"\"", '"' + reason + '"')),
            "data finish | =" + reason.substr(0, 31));
  EXPECT_EQ(looks(chunk("\"content\":\"\"", '"' + std::string(31, 'r') + '"')),
            "data finish | =" + std::string(31, 'r'));
}

TEST(EventScanner, UsageIsReadFromLastAndFromContinuousEvents) {
  const std::string usage =
      "\"usage\":{\"prompt_tokens\":12,\"total_tokens\":46,\"completion_tokens\":34,"
      "\"prompt_tokens_details\":{\"cached_tokens\":3}}";
  EXPECT_EQ(looks("data: {\"choices\":[]," + usage + "}\n\n"), "data in=12 out=34 | =");
  EXPECT_EQ(looks(chunk("\"content\":\"a\"", "null", "," + usage)), "data text in=12 out=34 | =");
  EXPECT_EQ(looks(chunk("\"content\":\"a\"", "null", ",\"usage\":null")), "data text | =");
}

TEST(EventScanner, DoneIsAnEventOfItsOwnOnly) {
  EXPECT_EQ(looks("data: [DONE]\n\n"), "data done | =");
  EXPECT_EQ(looks("data:[DONE]\r\n\r\n"), "data done | =");
  EXPECT_EQ(looks("data: [DONE] \n\n"), "data | =");
  EXPECT_EQ(looks(": [DONE]\n\n"), " | =");
}

TEST(EventScanner, ErrorsOfBothShapes) {
  EXPECT_EQ(looks("data: {\"error\":{\"message\":\"x\"}}\n\n"), "data error | =");
  EXPECT_EQ(looks("data: {\"error\": {\"message\":\"x\"}}\n\n"), "data error | =");
  EXPECT_EQ(looks("data: {\"error\":null,\"x\":1}\n\n"), "data | =");
  EXPECT_EQ(looks("event: error\ndata: {}\n\n"), "data error | =");
}

TEST(EventScanner, CommentsHaveNoData) {
  EXPECT_EQ(looks(": keep-alive\n\n"), " | =");
  EXPECT_EQ(looks(":\n\n: ping\r\n\r\n"), " |  | =");
}

TEST(EventScanner, AnthropicEndsWithMessageStop) {
  const std::string delta =
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
      "\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n";
  EXPECT_EQ(looks(delta), "data out=7 | =end_turn");
  EXPECT_EQ(looks("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"), "data finish | =");
  EXPECT_EQ(looks("event: content_block_delta\ndata: {\"delta\":{\"type\":\"text_delta\","
                  "\"text\":\"hi\"}}\n\n"),
            "data text | =");
}

TEST(EventScanner, ResponsesEndWithTheirOwnEvent) {
  EXPECT_EQ(looks("event: response.output_text.delta\ndata: {\"delta\":\"hi\"}\n\n"),
            "data text | =");
  EXPECT_EQ(looks("event: response.completed\ndata: {\"response\":{\"usage\":{\"input_tokens\":1,"
                  "\"output_tokens\":2}}}\n\n"),
            "data finish in=1 out=2 | =");
}

TEST(EventScanner, EventsEndWithAnyKindOfLine) {
  EXPECT_EQ(looks("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n"),
            "data | data | data | data | =");
  EXPECT_EQ(looks("data: a\r\n\ndata: b\n\r\n"), "data | data | =");
  EXPECT_EQ(looks("data: a\ndata: b\n\n"), "data | =");
}

TEST(EventScanner, UnfinishedEventIsNotCounted) {
  EXPECT_EQ(looks("data: a\n\ndata: [DONE]\n"), "data | =");
}

TEST(EventScanner, LookDoesNotLeakIntoTheNextEvent) {
  EXPECT_EQ(looks("data: {\"usage\":{\"prompt_tokens\":1}}\n\ndata: {\"prompt_tokens\":2}\n\n"
                  ": c\n\n"),
            "data in=1 | data |  | =");
}

TEST(EventScanner, LongEventsAreSeenToTheEnd) {
  for (const size_t length : {3900U, 4000U, 4050U, 4096U, 8000U, 20000U}) {
    const std::string text(length, 'x');
    const std::string usage = ",\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34}";
    EXPECT_EQ(looks(chunk("\"content\":\"" + text + "\"", "\"abort\"", usage)),
              "data abort finish text in=12 out=34 | =abort");
  }
}

TEST(EventScanner, NeedlesAreFoundAcrossWindowsWhereverTheyLie) {
  for (size_t shift = 0; shift < 300; shift += 3) {
    const std::string text(3750 + shift, 'x');
    const std::string stream = chunk("\"content\":\"" + text + "\"", "\"abort\"",
                                     ",\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34}");
    EXPECT_EQ(scan(stream, bytewise(stream.size())), "data abort finish text in=12 out=34 | =abort")
        << shift;
  }
}

TEST(EventScanner, KeysAreFoundWhereverTheyLieInAWholeEvent) {
  for (size_t shift = 0; shift < 140; ++shift) {
    const std::string delta = "\"content\":\"_" + std::string(shift, '_') + "\"";
    const std::string usage = ",\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34}";
    const auto light = [](const std::string& stream) {
      return scan(stream, whole(stream.size()), EventScanner::Depth::without_text);
    };
    EXPECT_EQ(light(chunk(delta)), "data | =") << shift;
    EXPECT_EQ(light(chunk(delta, "\"stop\"")), "data finish | =stop") << shift;
    EXPECT_EQ(light(chunk(delta, "\t\"abort\"")), "data abort finish | =abort") << shift;
    EXPECT_EQ(light(chunk(delta, "null", usage)), "data in=12 out=34 | =") << shift;
  }
}

TEST(EventScanner, LongCommentIsNoData) {
  EXPECT_EQ(looks(": " + std::string(9000, 'x') + "\"finish_reason\":\"abort\"\n\n"), " | =");
}

TEST(EventScanner, BoundaryIsOnlyBetweenEvents) {
  EventScanner scanner;
  EXPECT_TRUE(scanner.is_at_event_boundary());
  scanner.next_event_end("d");
  EXPECT_FALSE(scanner.is_at_event_boundary());
  scanner.next_event_end("ata: x\n");
  EXPECT_FALSE(scanner.is_at_event_boundary());
  scanner.next_event_end("\r");
  EXPECT_TRUE(scanner.is_at_event_boundary());
  EXPECT_EQ(scanner.next_event_end("\n"), EventScanner::kNone) << "the LF belongs to the CR";
  EXPECT_TRUE(scanner.is_at_event_boundary());
}

TEST(EventScanner, OffsetIsJustBehindTheEvent) {
  EventScanner scanner;
  const std::string stream = "data: a\r\n\r\ndata: b\n\nrest";
  EXPECT_EQ(scanner.next_event_end(stream), 11U);
  EXPECT_EQ(scanner.next_event_end(stream.substr(11)), 9U);
  EXPECT_EQ(scanner.next_event_end(stream.substr(20)), EventScanner::kNone);
}

}  // namespace
}  // namespace weir::http
