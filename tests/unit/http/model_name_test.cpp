// The model and stream of a request body, held against nlohmann's parser.
#include "lb/http/model_name.h"

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace weir::http {
namespace {

using nlohmann::json;

std::string model(std::string_view body) {
  return scan_request_fields(body).model;
}
bool stream(std::string_view body) {
  return scan_request_fields(body).is_stream;
}

// What a whole parser says of a body it takes.
void expect_as_parsed(const std::string& body) {
  const json parsed = json::parse(body, nullptr, false);
  const RequestFields fields = scan_request_fields(body);
  if (!parsed.is_object()) return;
  const auto name = parsed.find("model");
  const bool has_name = name != parsed.end() && name->is_string();
  EXPECT_EQ(fields.model, has_name ? name->get<std::string>().substr(0, 256) : "") << body;
  const auto flag = parsed.find("stream");
  EXPECT_EQ(fields.is_stream, flag != parsed.end() && *flag == true) << body;
  EXPECT_TRUE(fields.is_complete) << body;
}

TEST(ModelName, IsFoundWhereverItStands) {
  EXPECT_EQ(model(R"({"model":"m"})"), "m");
  EXPECT_EQ(model(R"( { "messages" : [ {"role":"user","content":"hi"} ] , "model" : "m" } )"), "m");
  EXPECT_TRUE(stream(R"({"model":"m","stream":true})"));
  EXPECT_FALSE(stream(R"({"model":"m","stream":false})"));
  EXPECT_FALSE(stream(R"({"model":"m","stream":"true"})"));
}

TEST(ModelName, OnlyTheTopLevelCounts) {
  EXPECT_EQ(model(R"({"a":{"model":"x"},"b":[{"model":"y"}]})"), "");
  EXPECT_EQ(model(R"({"a":"\"model\":\"x\"","b":"{\"model\":\"y\"}"})"), "");
}

TEST(ModelName, LastDuplicateWins) {
  EXPECT_EQ(model(R"({"model":"a","model":"b"})"), "b");
  EXPECT_EQ(model(R"({"model":"a","model":7})"), "");
  EXPECT_FALSE(stream(R"({"stream":true,"stream":null})"));
}

TEST(ModelName, EscapesAreUndone) {
  EXPECT_EQ(model(R"({"\u006dodel":"a\/b\u00e9\ud83d\ude00\n"})"), "a/b\xc3\xa9\xf0\x9f\x98\x80\n");
  EXPECT_EQ(model(R"({"model\u0000":"x"})"), "");
}

TEST(ModelName, IsBounded) {
  EXPECT_EQ(model("{\"model\":\"" + std::string(1000, 'm') + "\"}").size(), 256U);
}

TEST(ModelName, PrefixOfABodyIsEnoughForWhatIsInIt) {
  const RequestFields fields =
      scan_request_fields(R"({"model":"m","stream":true,"messages":[{"ro)");
  EXPECT_EQ(fields.model, "m");
  EXPECT_TRUE(fields.is_stream);
  EXPECT_FALSE(fields.is_complete);
  EXPECT_EQ(model(R"({"model":"half a na)"), "");
  EXPECT_FALSE(stream(R"({"stream":true)")) << "it might go on";
}

TEST(ModelName, NonsenseIsNothing) {
  for (const char* body : {"", "null", "[1]", "\"model\"", "{", "{\"model\"", "{\"model\":", "{]}",
                           "{\"model\":}", "{\"a\" \"b\"}", "{,}", "{\"\\", "{\"model\":\"\\"}) {
    EXPECT_EQ(model(body), "") << body;
  }
}

TEST(ModelName, EveryCutOfABodyIsSafe) {
  const std::string body =
      R"({"messages":[{"content":"a \"b\" \\ {[é"}],"x":1.5e3,"model":"m\u00e9","stream":true})";
  expect_as_parsed(body);
  for (size_t cut = 0; cut < body.size(); ++cut) {
    EXPECT_FALSE(scan_request_fields(std::string(body, 0, cut)).is_complete) << cut;
  }
}

// Random JSON with keys and texts that like to be mistaken.
class RandomJson {
 public:
  explicit RandomJson(uint32_t seed) : random_(seed) {}

  std::string object(int depth) {
    std::string out = "{" + space();
    for (int i = pick(5); i > 0; --i) {
      out += string() + space() + ":" + space() + value(depth) + space();
      if (i > 1) out += "," + space();
    }
    return out + "}";
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<uint32_t>(count)); }
  std::string space() { return std::string(pick(4) == 0 ? static_cast<size_t>(pick(20)) : 0, ' '); }
  std::string string() {
    static const std::vector<std::string> kPieces{"model",
                                                  "stream",
                                                  "\\\"",
                                                  "\\\\",
                                                  "{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ":",
                                                  ",",
                                                  "\\u006d",
                                                  "\\ud83d\\ude00",
                                                  "\\n",
                                                  "é",
                                                  "odel",
                                                  " ",
                                                  std::string(17, 'x'),
                                                  "true",
                                                  "\\/"};
    if (pick(3) == 0) return pick(2) == 0 ? "\"model\"" : "\"stream\"";
    std::string out = "\"";
    for (int i = pick(6); i > 0; --i)
      out += kPieces[static_cast<size_t>(pick(static_cast<int>(kPieces.size())))];
    return out + "\"";
  }
  std::string value(int depth) {
    switch (pick(depth > 3 ? 5 : 7)) {
      case 0:
        return "true";
      case 1:
        return "false";
      case 2:
        return "null";
      case 3:
        return "-1.5e3";
      case 4:
        return string();
      case 5:
        return object(depth + 1);
      default: {
        std::string out = "[" + space();
        for (int i = pick(4); i > 0; --i) out += value(depth + 1) + (i > 1 ? "," + space() : "");
        return out + "]";
      }
    }
  }
  std::mt19937 random_;
};

TEST(ModelName, AgreesWithAWholeParserOnRandomObjects) {
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    const std::string body = RandomJson(seed).object(0);
    ASSERT_TRUE(json::accept(body)) << body;
    expect_as_parsed(body);
  }
}

}  // namespace
}  // namespace weir::http
