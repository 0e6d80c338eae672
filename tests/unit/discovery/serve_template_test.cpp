#include "discovery/serve_template.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

const ServeValues kValues{"10.0.0.1", "61033", "2,3", "5", "n01", "secret"};

TEST(ServeTemplateTest, FillsInEveryPlaceholder) {
  EXPECT_EQ(fill_serve("a {host} {port} {gpu} {replica} {node} {api_key} {port}", kValues),
            "a 10.0.0.1 61033 2,3 5 n01 secret 61033");
}

TEST(ServeTemplateTest, LeavesEveryOtherBraceAlone) {
  const std::string json =
      R"(vllm --x '{"a": {"b": 1}, "{port": 2}' {} {ports} {{PORT}} {prot} ${port} ${HOME} {)";
  EXPECT_EQ(fill_serve(json, kValues), json);
}

TEST(ServeTemplateTest, FillsInInsideOtherBraces) {
  EXPECT_EQ(fill_serve("'{\"p\":{port}}' {{port}}", kValues), "'{\"p\":61033}' {61033}");
}

TEST(ServeTemplateTest, WarnsOfNearMisses) {
  const auto remarks = check_serve("vllm --port {port} --x {prot} --y {HOST} --z {gpus}");
  ASSERT_EQ(remarks.size(), 3U);
  EXPECT_EQ(remarks[0], "--serve: {prot} is left as it is; did you mean {port}?");
  EXPECT_NE(remarks[1].find("{host}"), std::string::npos);
  EXPECT_NE(remarks[2].find("{gpu}"), std::string::npos);
}

TEST(ServeTemplateTest, DoesNotWarnOfOtherWordsInBraces) {
  EXPECT_TRUE(check_serve("vllm --port {port} {model} {url} '{\"a\":1}' ${prot}").empty());
}

TEST(ServeTemplateTest, WarnsWhenThePortIsNowhere) {
  ASSERT_EQ(check_serve("vllm serve x").size(), 1U);
  EXPECT_TRUE(check_serve("./serve.sh --port $WEIR_PORT").empty());
}

TEST(ServeTemplateTest, WarnsOfAKeyThatIsNotTheRuns) {
  const auto remarks = check_serve("vllm serve x --port {port} --api-key mine");
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_NE(remarks[0].find("refuse"), std::string::npos);
}

TEST(ServeTemplateTest, WarnsOfAKeyOnTheCommandLine) {
  const auto remarks = check_serve("x {port} --api-key {api_key}");
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_NE(remarks[0].find("ps"), std::string::npos);
}

}  // namespace
}  // namespace weir
