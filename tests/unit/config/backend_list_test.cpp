#include "lb/config/backend_list.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::vector<std::string> ids(std::string_view text) {
  const auto specs = expand_backends(text);
  if (!specs) return {"error: " + specs.error().what};
  std::vector<std::string> out;
  for (const BackendSpec& spec : *specs) out.push_back(spec.id);
  return out;
}

using Ids = std::vector<std::string>;

TEST(BackendListTest, OneUrlIsOneBackendCalledHostAndPort) {
  EXPECT_EQ(ids("http://a:8000"), Ids{"a:8000"});
  EXPECT_EQ(ids("http://a:8000/v1"), Ids{"a:8000"});
  EXPECT_EQ(ids("a:8000"), Ids{"a:8000"});
  EXPECT_EQ(ids("http://[::1]:8000"), Ids{"[::1]:8000"});
  EXPECT_EQ(ids("my-host-2:8000"), Ids{"my-host-2:8000"});
  EXPECT_EQ(ids("unix:/run/x.sock"), Ids{"unix:/run/x.sock"});
}

TEST(BackendListTest, APortAloneIsOfThisMachine) {
  EXPECT_EQ(ids(":8000"), Ids{"127.0.0.1:8000"});
}

TEST(BackendListTest, NumbersInBracketsBecomeOneHostEach) {
  EXPECT_EQ(ids("http://node[08-10,12]:8000"),
            (Ids{"node08:8000", "node09:8000", "node10:8000", "node12:8000"}));
  EXPECT_EQ(ids("r[1-2]n[1-2]:80"), (Ids{"r1n1:80", "r1n2:80", "r2n1:80", "r2n2:80"}));
}

TEST(BackendListTest, ARangeOfPortsBecomesOneBackendEach) {
  EXPECT_EQ(ids("host:8000-8002"), (Ids{"host:8000", "host:8001", "host:8002"}));
  EXPECT_EQ(ids("http://n[1-2]:80-81/v1"), (Ids{"n1:80", "n1:81", "n2:80", "n2:81"}));
  EXPECT_EQ(ids("[::1]:80-81"), (Ids{"[::1]:80", "[::1]:81"}));
}

TEST(BackendListTest, RefusesWhatIsNoRange) {
  for (const char* text : {"", "node[3-1]:80", "node[1-]:80", "node[,]:80", "h:80-70", "h:0-3",
                           "h:1-99999", "h:-", "https://a:1", "a", "node[1-2:80", "ftp://x:1"}) {
    EXPECT_FALSE(expand_backends(text)) << text;
  }
}

TEST(BackendListTest, RefusesMoreThanItsBoundBeforeMakingThem) {
  EXPECT_EQ(expand_backends("n[1-4096]:80")->size(), kMostBackends);
  EXPECT_EQ(expand_backends("n[1-4097]:80").error().what,
            "bad backend \"n[1-4097]:80\": that is more than 4096 backends");
  EXPECT_FALSE(expand_backends("n[0-999999999]:80"));
  EXPECT_FALSE(expand_backends("a[1-99]b[1-99]c[1-99]:80"));
  EXPECT_FALSE(expand_backends("n[1-100]:1-100"));
  EXPECT_FALSE(expand_backends(std::string(2000, 'a') + ":80"));
}

}  // namespace
}  // namespace weir
