#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "discovery/file_scan.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

// A directory of its own with launcher files, and a clock that the test moves.
class FileScanTest : public ::testing::Test {
 protected:
  FileScanTest() {
    char name[] = "/tmp/weir_file_scan_XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~FileScanTest() override {
    for (const std::string& path : written_) ::unlink(path.c_str());
    ::rmdir(directory_.c_str());
  }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string temporary = path("." + name);
    std::ofstream(temporary) << text;
    ::chmod(temporary.c_str(), mode);
    ::rename(temporary.c_str(), path(name).c_str());
    written_.push_back(path(name));
  }
  void append(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::app) << text;
  }
  void follow(const std::string& what) { scan_.emplace(FileScanOptions{what, {}, ::getuid()}); }

  // The ids after another look, and what was said in it.
  std::string look(Duration later = 2s) {
    now_ += later;
    unix_now_ += std::chrono::duration_cast<std::chrono::seconds>(later).count();
    result_ = scan_->look(now_, unix_now_);
    std::string ids;
    for (const BackendSpec& spec : result_.set->backends())
      ids += (ids.empty() ? "" : " ") + spec.id;
    said_.clear();
    for (const ScanMessage& message : result_.messages) said_ += message.text + "\n";
    return ids;
  }

  std::string run_text(int64_t heartbeat) {
    PublishedRun run;
    run.heartbeat = heartbeat;
    run.heartbeat_interval = 10;
    run.replicas = {{"n01-0", "10.0.0.1", 61001, "n01", "0", "", "ready", 0}};
    return launcher_file_text(run);
  }

  std::string directory_;
  std::vector<std::string> written_;
  std::optional<FileScan> scan_;
  FileScanResult result_;
  std::string said_;
  TimePoint now_{};
  int64_t unix_now_ = ::time(nullptr);
};

TEST_F(FileScanTest, ReadsAFileAndNoticesWhenItIsReplaced) {
  write("list", "a:1\n");
  follow(path("list"));
  EXPECT_EQ(look(), "a:1");
  EXPECT_TRUE(result_.has_changed);
  EXPECT_EQ(look(), "a:1");
  EXPECT_FALSE(result_.has_changed);
  write("list", "a:1\nb:2\n");
  EXPECT_EQ(look(), "a:1 b:2");
}

TEST_F(FileScanTest, TakesAnUnendedLastLineOnceTheFileHasSettled) {
  write("list", "a:1\n");
  follow(path("list"));
  look();
  append("list", "b:8");
  EXPECT_EQ(look(), "a:1");
  append("list", "0");
  EXPECT_EQ(look(), "a:1");
  EXPECT_EQ(look(), "a:1");
  EXPECT_EQ(look(), "a:1");
  EXPECT_EQ(look(), "a:1 b:80");
}

TEST_F(FileScanTest, KeepsTheLastGoodSetOfABrokenFileAndSaysSoOnce) {
  write("list", "a:1\n");
  follow(path("list"));
  look();
  write("list", "[\"b:2\",");
  EXPECT_EQ(look(), "a:1");
  EXPECT_EQ(said_, "") << "it may be caught in the middle of writing";
  EXPECT_EQ(look(), "a:1");
  EXPECT_NE(said_.find(path("list") + ":1:"), std::string::npos) << said_;
  EXPECT_EQ(look(), "a:1");
  EXPECT_EQ(said_, "");
  write("list", "[\"b:2\"]");
  look();
  EXPECT_EQ(look(), "b:2");
}

TEST_F(FileScanTest, WaitsForAFileThatIsNotThereYet) {
  follow(path("list"));
  EXPECT_EQ(look(), "");
  EXPECT_NE(said_.find("not there yet"), std::string::npos);
  for (int i = 0; i < 5; ++i) look();
  EXPECT_EQ(said_, "");
  write("list", "a:1\n");
  EXPECT_EQ(look(), "a:1");
}

TEST_F(FileScanTest, DropsTheBackendsOfAFileThatStaysAway) {
  write("list", "a:1\n");
  follow(path("list"));
  look();
  ::unlink(path("list").c_str());
  EXPECT_EQ(look(), "a:1") << "a rename may look like this for a moment";
  EXPECT_EQ(look(), "");
}

TEST_F(FileScanTest, RefusesFilesThatOthersMayWrite) {
  write("list", "a:1\n", 0666);
  follow(path("list"));
  EXPECT_EQ(look(), "");
  EXPECT_NE(said_.find("chmod go-w"), std::string::npos) << said_;
  ::chmod(path("list").c_str(), 0644);
  EXPECT_EQ(look(), "a:1");
}

TEST_F(FileScanTest, RefusesFilesInADirectoryThatOthersMayWrite) {
  write("list", "a:1\n");
  ::chmod(directory_.c_str(), 0777);
  follow(path("list"));
  EXPECT_EQ(look(), "");
  EXPECT_NE(said_.find("directory"), std::string::npos) << said_;
}

TEST_F(FileScanTest, RefusesFilesOfStrangersUnlessTheyAreNamedAsOwners) {
  write("list", "a:1\n");
  scan_.emplace(FileScanOptions{path("list"), {}, ::getuid() + 1});
  EXPECT_EQ(look(), "");
  EXPECT_NE(said_.find("owners"), std::string::npos) << said_;
  scan_.emplace(FileScanOptions{path("list"), {::getuid()}, ::getuid() + 1});
  EXPECT_EQ(look(), "a:1");
}

TEST_F(FileScanTest, ReadsNoFifoAndDoesNotHangOnIt) {
  ASSERT_EQ(::mkfifo(path("list").c_str(), 0600), 0);
  written_.push_back(path("list"));
  follow(path("list"));
  EXPECT_EQ(look(), "");
  EXPECT_NE(said_.find("regular"), std::string::npos) << said_;
}

TEST_F(FileScanTest, MergesTheFilesOfADirectoryAndPutsTheirNamesInFrontOfIds) {
  write("one.json", run_text(unix_now_));
  write("two.json", run_text(unix_now_));
  write("three.txt", "c:3\n");
  follow(directory_);
  EXPECT_EQ(look(), "c:3 one.n01-0 two.n01-0");
  follow(path("*.json"));
  EXPECT_EQ(look(), "one.n01-0 two.n01-0");
  ::unlink(path("two.json").c_str());
  look();
  EXPECT_EQ(look(), "one.n01-0");
}

TEST_F(FileScanTest, ForgetsARunWhoseHeartHasStoppedUntilItBeatsAgain) {
  write("run.json", run_text(unix_now_));
  follow(path("run.json"));
  EXPECT_EQ(look(), "n01-0");
  EXPECT_EQ(look(59s), "n01-0");
  EXPECT_EQ(look(59s), "");
  EXPECT_NE(said_.find("heartbeat"), std::string::npos) << said_;
  write("run.json", run_text(unix_now_));
  EXPECT_EQ(look(), "n01-0");
}

TEST_F(FileScanTest, DoesNotBelieveARunThatDiedBeforeWeCameUntilItBeats) {
  write("run.json", run_text(unix_now_ - 3600));
  follow(path("run.json"));
  EXPECT_EQ(look(), "");
  write("run.json", run_text(unix_now_ - 3590));
  EXPECT_EQ(look(), "n01-0") << "its clock is an hour off, but it is alive";
}

TEST_F(FileScanTest, FindsNothingInARunThatHasEnded) {
  PublishedRun run;
  run.has_ended = true;
  run.replicas = {{"n01-0", "10.0.0.1", 61001, "n01", "0", "", "ready", 0}};
  write("run.json", launcher_file_text(run));
  follow(path("run.json"));
  EXPECT_EQ(look(), "");
}

}  // namespace
}  // namespace weir
