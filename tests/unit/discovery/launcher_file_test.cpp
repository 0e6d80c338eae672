#include "discovery/launcher_file.h"

#include <string>

#include <gtest/gtest.h>

#include "discovery/backend_lines.h"

namespace weir {
namespace {

// "id=host:port" of each backend, blanks between; or "error LINE:COLUMN what".
std::string read(std::string_view text, bool is_settled = false) {
  const auto file = read_launcher_file(text, is_settled);
  if (!file) {
    return "error " + std::to_string(file.error().line) + ":" +
           std::to_string(file.error().column) + " " + file.error().what;
  }
  std::string out;
  for (const BackendSpec& spec : file.value().backends) {
    out += (out.empty() ? "" : " ") + spec.id + "=" + to_string(spec.address);
  }
  return out;
}

std::string expand(std::string_view url) {
  const auto backends = expand_backend_url(url);
  if (!backends) return "error " + backends.error().what;
  std::string out;
  for (const BackendSpec& spec : backends.value()) out += (out.empty() ? "" : " ") + spec.id;
  return out;
}

TEST(BackendUrlTest, ExpandsHostListsAndPortRanges) {
  EXPECT_EQ(expand("http://n[01-02]:8000-8001/v1"), "n01:8000 n01:8001 n02:8000 n02:8001");
  EXPECT_EQ(expand("host:8000-8002"), "host:8000 host:8001 host:8002");
  EXPECT_EQ(expand("http://gpu-a-1:8000"), "gpu-a-1:8000");
}

TEST(BackendUrlTest, TakesIpv6AndUnixAddressesAsTheyAre) {
  EXPECT_EQ(expand("http://[fe80::1]:8000/"), "[fe80::1]:8000");
  EXPECT_EQ(expand("[::1]:80"), "[::1]:80");
  EXPECT_EQ(expand("unix:/run/a-b[1]:2-3.sock"), "unix:/run/a-b[1]:2-3.sock");
}

TEST(BackendUrlTest, RefusesRangesThatMakeNoSense) {
  EXPECT_TRUE(expand("h:8010-8000").starts_with("error")) << expand("h:8010-8000");
  EXPECT_TRUE(expand("h:0-3").starts_with("error"));
  EXPECT_TRUE(expand("h:65535-65536").starts_with("error"));
  EXPECT_TRUE(expand("n[1-5000]:80").starts_with("error"));
  EXPECT_TRUE(expand("n[1-3:80").starts_with("error"));
  EXPECT_TRUE(expand("http://n[1-3]/x:80").starts_with("error"));
}

TEST(LauncherFileTest, ReadsOneAddressALineWithComments) {
  EXPECT_EQ(read("# servers\nhttp://a:1/v1\n\n  b:2  # second\nc 3\r\n"),
            "a:1=a:1 b:2=b:2 c:3=c:3");
}

TEST(LauncherFileTest, LeavesOutALastLineUntilItsNewlineComesOrTheFileHasSettled) {
  EXPECT_EQ(read("a:1\nb:80"), "a:1=a:1");
  EXPECT_TRUE(read_launcher_file("a:1\nb:80", false).value().has_partial_line);
  EXPECT_EQ(read("a:1\nb:80", true), "a:1=a:1 b:80=b:80");
}

TEST(LauncherFileTest, ReadsWordsBehindAnAddress) {
  const auto file = read_launcher_file("a:1 weight=2 model=m id=r3 max_outstanding=9\n", false);
  ASSERT_TRUE(file);
  const BackendSpec& spec = file.value().backends.at(0);
  EXPECT_EQ(spec.id, "r3");
  EXPECT_EQ(spec.weight, 2U);
  EXPECT_EQ(spec.max_outstanding, 9U);
  EXPECT_EQ(spec.models, std::vector<std::string>{"m"});
}

TEST(LauncherFileTest, SaysInWhichLineAndColumnAnAddressIsBad) {
  EXPECT_TRUE(read("a:1\n  b:x\n").starts_with("error 2:3 ")) << read("a:1\n  b:x\n");
  EXPECT_TRUE(read("a:1 wieght=2\n").starts_with("error 1:1 bad word"));
}

TEST(LauncherFileTest, ReadsJsonListsOfStringsAndObjects) {
  EXPECT_EQ(read(R"(["http://a:1/v1", "b:2"])"), "a:1=a:1 b:2=b:2");
  EXPECT_EQ(read(R"([{"host": "a", "port": 1, "id": "x"}, {"url": "http://b:2"}])"),
            "x=a:1 b:2=b:2");
  EXPECT_EQ(read(R"([{"host": "::1", "port": "8000"}])"), "[::1]:8000=[::1]:8000");
  EXPECT_EQ(read("[::1]:8000\n"), "[::1]:8000=[::1]:8000") << "this is no JSON";
  EXPECT_EQ(read("[]"), "");
}

TEST(LauncherFileTest, ReadsListsUnderTheNamesPeopleGiveThem) {
  for (const std::string key : {"backends", "servers", "endpoints", "urls"}) {
    EXPECT_EQ(read("{\"" + key + "\": [\"a:1\", {\"url\": \"b:2\"}]}"), "a:1=a:1 b:2=b:2") << key;
  }
  EXPECT_EQ(read(R"({"backends": {"r0": "a:1", "r1": {"host": "b", "port": 2}}})"),
            "r0=a:1 r1=b:2");
}

TEST(LauncherFileTest, ReadsASingleServersObjectAndPrometheusTargets) {
  EXPECT_EQ(read(R"({"server_address": "http://a:1/v1", "model": "m"})"), "a:1=a:1");
  EXPECT_EQ(read(R"([{"targets": ["a:1", "b:2"], "labels": {"model": "m"}}])"), "a:1=a:1 b:2=b:2");
}

TEST(LauncherFileTest, GivesAModelAndAKeyOfTheFileToItsEntriesUnlessTheyHaveTheirOwn) {
  const auto file = read_launcher_file(
      R"({"model": "m", "api_key": "k",
          "backends": ["a:1", {"url": "b:2", "model": "n", "weight": 3}]})",
      false);
  ASSERT_TRUE(file);
  EXPECT_EQ(file.value().backends[0].models[0], "m");
  EXPECT_EQ(file.value().backends[0].api_key, "k");
  EXPECT_EQ(file.value().backends[1].models[0], "n");
  EXPECT_EQ(file.value().backends[1].weight, 3U);
}

TEST(LauncherFileTest, SaysWhereJsonIsBroken) {
  EXPECT_TRUE(read("{\"backends\":\n  [\"a:1\",,]}").starts_with("error 2:10 syntax error"))
      << read("{\"backends\":\n  [\"a:1\",,]}");
  EXPECT_EQ(read(R"({"backends": ["a:1", {"host": "b"}]})"),
            "error 0:0 /backends/1: port must be 1 to 65535");
  EXPECT_EQ(read("[17]\n"), "error 1:1 \"[17]\": the port is missing");
  EXPECT_TRUE(read(R"({"backend": []})").starts_with("error 0:0 /: no backends"));
}

TEST(LauncherFileTest, RefusesOneIdForTwoAddresses) {
  EXPECT_TRUE(read("a:1 id=x\nb:2 id=x\n").starts_with("error")) << read("a:1 id=x\nb:2 id=x\n");
  EXPECT_EQ(read("a:1\na:1\n"), "a:1=a:1 a:1=a:1") << "the same twice is harmless";
}

TEST(LauncherFileTest, RefusesWhatIsTooLarge) {
  EXPECT_TRUE(read(std::string(kLargestLauncherFile + 1, '#')).starts_with("error"));
  EXPECT_TRUE(read("h:1-4096\nh2:1\n").starts_with("error 2:"));
  EXPECT_TRUE(read(std::string(5000, 'a') + "\n").starts_with("error 1:"));
}

TEST(LauncherFileTest, SurvivesJsonNestedADozenThousandTimes) {
  EXPECT_TRUE(read(std::string(20'000, '[')).starts_with("error"));
  EXPECT_TRUE(read("[\"" + std::string("\xff\xfe") + "\"]").starts_with("error"));
}

PublishedRun a_run() {
  PublishedRun run;
  run.job = "1234";
  run.owner = "ada";
  run.model = "m";
  run.api_key = "secret";
  run.heartbeat = 1'700'000'000;
  run.heartbeat_interval = 10;
  run.replicas = {{"n01-0", "10.0.0.1", 61001, "n01", "0", "1234.1", "ready", 1'699'999'000},
                  {"n01-1", "10.0.0.1", 61002, "n01", "1", "1234.2", "loading", 0},
                  {"n02-0", "", 0, "n02", "", "", "starting", 0},
                  {"n02-1", "10.0.0.2", 61001, "n02", "1", "", "failed", 0}};
  return run;
}

TEST(LauncherFileTest, ReadsBackWhatWePublish) {
  const auto file = read_launcher_file(launcher_file_text(a_run()), false);
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_TRUE(file.value().is_published);
  EXPECT_EQ(file.value().run.job, "1234");
  EXPECT_EQ(file.value().run.heartbeat, 1'700'000'000);
  EXPECT_EQ(file.value().run.replicas.size(), 4U);
  EXPECT_EQ(file.value().run.replicas[0].step, "1234.1");
  EXPECT_EQ(file.value().backends[0].api_key, "secret");
  EXPECT_EQ(file.value().backends[0].models, std::vector<std::string>{"m"});
}

TEST(LauncherFileTest, TakesReplicasThatHaveAnAddressAndCountsThoseThatMayStillCome) {
  const auto file = read_launcher_file(launcher_file_text(a_run()), false);
  EXPECT_EQ(file.value().backends.size(), 2U) << "ready and loading; not starting, not failed";
  EXPECT_EQ(file.value().pending, 1U);
}

TEST(LauncherFileTest, FindsNoBackendInARunThatHasEnded) {
  PublishedRun run = a_run();
  run.has_ended = true;
  const auto file = read_launcher_file(launcher_file_text(run), false);
  EXPECT_TRUE(file.value().backends.empty());
  EXPECT_EQ(file.value().pending, 0U);
}

TEST(LauncherFileTest, RefusesAPublishedFileOfAnotherFormat) {
  EXPECT_TRUE(read(R"({"weir_launch": 2, "replicas": []})").starts_with("error"));
}

TEST(LauncherFileTest, WritesBytesThatAreNoTextWithoutFailing) {
  PublishedRun run = a_run();
  run.model = "\xff";
  EXPECT_TRUE(read_launcher_file(launcher_file_text(run), false));
}

}  // namespace
}  // namespace weir
