#include "discovery/hostlist.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace weir {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

std::string problem(std::string_view expression) {
  const auto names = expand_hostlist(expression);
  return names ? "none" : names.error().what;
}

// Returns what is wrong, or nothing.
std::string check(const std::string& expression, const std::string& expected) {
  const auto names = expand_hostlist(expression);
  if (expected == "!") return names ? "taken: " + expression : "";
  if (!names) return names.error().what;
  if (expected.front() == '*') {
    return names.value().size() == std::stoul(expected.substr(1)) ? "" : "count: " + expression;
  }
  return sorted(names.value()) == sorted(words(expected)) ? "" : "differs: " + expression;
}

TEST(HostlistTest, GivesTheNamesOfTheVectors) {
  std::ifstream file(WEIR_FIXTURES "/slurm/hostlist_vectors.tsv");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const size_t tab = line.find('\t');
    const std::string rest = line.substr(tab + 1);
    EXPECT_EQ(check(line.substr(0, tab), rest.substr(0, rest.find('\t'))), "");
    ++count;
  }
  EXPECT_GE(count, 38);
}

TEST(HostlistTest, KeepsTheOrderOfTheItems) {
  EXPECT_EQ(expand_hostlist("b[2,1],a").value(), (std::vector<std::string>{"b2", "b1", "a"}));
}

TEST(HostlistTest, TakesNewlinesAsSeparators) {
  EXPECT_EQ(expand_hostlist("a\nb\n").value(), (std::vector<std::string>{"a", "b"}));
}

TEST(HostlistTest, GivesNothingForNothing) {
  EXPECT_TRUE(expand_hostlist("").value().empty());
}

TEST(HostlistTest, SaysWhichItemIsBadAndWhy) {
  EXPECT_EQ(problem("a,gpu[2-1],b"), "bad host list item \"gpu[2-1]\": range \"2-1\" runs down");
  EXPECT_EQ(problem("gpu[1-2"), "bad host list item \"gpu[1-2\": a \"[\" without its \"]\"");
  EXPECT_NE(problem("gpu[x]").find("\"x\" is not a number"), std::string::npos);
}

TEST(HostlistTest, RefusesMoreNamesThanTheBoundAlsoInSum) {
  EXPECT_NE(problem("a[1-65535],b,c").find("more than 65536 names"), std::string::npos);
}

TEST(HostlistTest, RefusesProductsWithoutBuildingThem) {
  EXPECT_NE(problem("a[1-60000][1-60000][1-60000]").find("more than"), std::string::npos);
}

}  // namespace
}  // namespace weir
