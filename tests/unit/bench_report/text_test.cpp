#include "bench/report/text.h"

#include <gtest/gtest.h>

#include "bench/report/bench_report.h"
#include "bench/report/json_out.h"

namespace weir {
namespace {

TEST(ReportTextTest, NumbersAreRoundedAndGrouped) {
  EXPECT_EQ(count_text(1234567), "1,234,567");
  EXPECT_EQ(number_text(-1234.5, 1), "-1,234.5");
  EXPECT_EQ(ms_text(0.123), "0.12");
  EXPECT_EQ(ms_text(12.34), "12.3");
  EXPECT_EQ(ms_text(12345.6), "12,346");
  EXPECT_EQ(change_text(0.184), "+18 %");
  EXPECT_EQ(change_text(-0.004), "-0.4 %");
  EXPECT_EQ(in_percent(0.1234), "12.3 %");
  EXPECT_EQ(seconds_text(125), "2m 5s");
  EXPECT_EQ(counted(1, "request"), "1 request");
  EXPECT_EQ(counted(0, "request"), "0 requests");
}

TEST(ReportTextTest, KeysAreMasked) {
  EXPECT_EQ(scrubbed("Incorrect key: sk-abc123DEF456", {}), "Incorrect key: sk-***");
  EXPECT_EQ(scrubbed("Authorization: Bearer abc.def-ghi", {}), "Authorization: Bearer ***");
  EXPECT_EQ(scrubbed("http://me:pass@host:80/v1", {}), "http://***@host:80/v1");
  EXPECT_EQ(scrubbed("?api_key=abcdef&x=1", {}), "?api_key=***&x=1");
  EXPECT_EQ(scrubbed("got hunter22 from you", {"hunter22"}), "got *** from you");
}

TEST(ReportTextTest, WhatIsNoKeyStays) {
  EXPECT_EQ(scrubbed("ask-me and risk-averse, bearer of news", {}),
            "ask-me and risk-averse, bearer of news");
  EXPECT_EQ(scrubbed("mail@example.org http://a/b@c", {}), "mail@example.org http://a/b@c");
}

TEST(ReportTextTest, TextsFromOutsideBecomeValidUtf8OnOneLine) {
  EXPECT_EQ(fit("a\nb\tc", {}), "a b c");
  EXPECT_EQ(fit("\xff\xc0\xaf", {}), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(fit("\xed\xa0\x80", {}), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(fit("größe 水 🙂", {}), "größe 水 🙂");
  EXPECT_EQ(fit(std::string(5000, 'x'), {}, 10), "xxxxxxxxxx…");
}

TEST(ReportTextTest, HtmlAndMarkdownAreEscaped) {
  EXPECT_EQ(html_text("<b a=\"1\" c='2'>&\x01"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp; ");
  EXPECT_EQ(markdown_text("a|b <c> `d` *e*\nf"), "a\\|b \\<c\\> \\`d\\` \\*e\\* f");
  EXPECT_EQ(shell_text({"weir", "bench", "a b", "it's", ""}), "weir bench 'a b' 'it'\\''s' ''");
}

TEST(JsonOutTest, WritesWhatReadsBack) {
  JsonOut out(1);
  out.begin_object();
  out.put("text", "a\"b\\c\n</script>");
  out.put("number", 0.1);
  out.put("whole", 7u);
  out.put("yes", true);
  out.put("endless", std::numeric_limits<double>::infinity());
  out.put("none", std::numeric_limits<double>::quiet_NaN());
  out.key("list").begin_array();
  out.number(1);
  out.begin_object();
  out.put("a", 1);
  out.end_object();
  out.end_array();
  out.key("empty").begin_object();
  out.end_object();
  out.end_object();
  EXPECT_EQ(out.take(),
            "{\n \"text\": \"a\\\"b\\\\c\\n\\u003c/script\\u003e\",\n \"number\": 0.1,\n"
            " \"whole\": 7,\n \"yes\": true,\n \"endless\": \"inf\",\n \"none\": null,\n"
            " \"list\": [1, {\"a\": 1}],\n \"empty\": {}\n}");
}

}  // namespace
}  // namespace weir
