#include "lb/launch/publisher.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace weir {
namespace {

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest() {
    char name[] = "/tmp/weir_publisher_XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/run.json";
  }
  ~PublisherTest() override {
    ::unlink(path_.c_str());
    EXPECT_EQ(::rmdir(directory_.c_str()), 0) << "something was left in " << directory_;
  }
  LauncherFile read() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    auto file = read_launcher_file(text.str(), true);
    EXPECT_TRUE(file);
    return file ? file.value() : LauncherFile{};
  }
  unsigned mode() const {
    struct stat info {};
    EXPECT_EQ(::stat(path_.c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  static PublishedRun a_run() {
    PublishedRun run;
    run.api_key = "secret";
    run.replicas = {{"n01-0", "10.0.0.1", 61001, "n01", "0", "", "ready", 0}};
    return run;
  }

  std::string directory_;
  std::string path_;
};

TEST_F(PublisherTest, WritesAtOnceAndForItsOwnerOnly) {
  ::umask(0);
  Publisher publisher({path_, "", std::chrono::hours(1)});
  ASSERT_TRUE(publisher.start(a_run()));
  EXPECT_EQ(mode(), 0600U);
  EXPECT_EQ(read().backends.size(), 1U);
  EXPECT_EQ(read().backends[0].api_key, "secret");
  EXPECT_GT(read().run.heartbeat, 1'700'000'000);
}

TEST_F(PublisherTest, MarksTheRunAsEndedAndTakesItsKeyOut) {
  {
    Publisher publisher({path_, "", std::chrono::hours(1)});
    ASSERT_TRUE(publisher.start(a_run()));
    PublishedRun more = a_run();
    more.job = "77";
    publisher.update(std::move(more));
  }
  EXPECT_TRUE(read().run.has_ended);
  EXPECT_EQ(read().run.job, "77");
  EXPECT_EQ(read().run.api_key, "");
  EXPECT_TRUE(read().backends.empty());
}

TEST_F(PublisherTest, RefusesAPathThatCannotBeWritten) {
  Publisher publisher({directory_ + "/none/run.json", "", std::chrono::hours(1)});
  const auto started = publisher.start(a_run());
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().what.find("none/run.json"), std::string::npos);
}

TEST_F(PublisherTest, LetsOneGroupReadWhenAsked) {
  Publisher publisher({path_, "no-such-group-here", std::chrono::hours(1)});
  EXPECT_FALSE(publisher.start(a_run()));
  ASSERT_TRUE(write_private_file(path_, "", "x"));
  if (::getuid() != 0) GTEST_SKIP() << "needs to be in a known group";
  ASSERT_TRUE(write_private_file(path_, "root", "x"));
  EXPECT_EQ(mode(), 0640U);
}

}  // namespace
}  // namespace weir
