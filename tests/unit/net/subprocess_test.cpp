#include "lb/net/subprocess.h"

#include <errno.h>

#include <string>

#include <gtest/gtest.h>

namespace weir {
namespace {

class SubprocessTest : public testing::Test, public SubprocessUser {
 protected:
  void on_output(std::string_view bytes) override { output += bytes; }
  void on_exit(ExitStatus status) override {
    exit = status;
    ++exits;
  }

  SubprocessOptions shell(const std::string& script) {
    SubprocessOptions options;
    options.argv = {"sh", "-c", script};
    options.environment = {"PATH=/usr/bin:/bin", "COLOUR=blue"};
    return options;
  }
  // Runs it to its end.
  std::string run(const SubprocessOptions& options) {
    const Result<Ok, Problem> started = process.start(options);
    if (!started) return started.error().what;
    wait();
    return output;
  }
  void wait() {
    while (exits == 0) loop.run_once();
  }
  void wait_for(const std::string& text) {
    while (output.find(text) == std::string::npos && exits == 0) loop.run_once();
  }

  EventLoop loop;
  std::string output;
  ExitStatus exit{};
  int exits = 0;
  Subprocess process{loop, *this};
};

TEST_F(SubprocessTest, HandsOverOutputAndExitCode) {
  EXPECT_EQ(run(shell("echo out; echo err >&2; exit 7")), "out\nerr\n");
  EXPECT_EQ(exit.code, 7);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_EQ(exits, 1);
  EXPECT_FALSE(process.is_running());
}

TEST_F(SubprocessTest, GivesTheChildThisEnvironmentAndNoOther) {
  EXPECT_EQ(run(shell("echo $COLOUR$HOME")), "blue\n");
}

TEST_F(SubprocessTest, GivesArgumentsByteForByte) {
  SubprocessOptions options = shell("");
  options.argv = {"printf", "%s|", "", "[1,2]", "%%", "--x", "a b"};
  EXPECT_EQ(run(options), "|[1,2]|%%|--x|a b|");
}

TEST_F(SubprocessTest, StartsInTheDirectoryAskedFor) {
  SubprocessOptions options = shell("pwd");
  options.directory = "/";
  EXPECT_EQ(run(options), "/\n");
}

TEST_F(SubprocessTest, AProgramThatDoesNotExistIsAProblemAtOnce) {
  SubprocessOptions options = shell("");
  options.argv = {"weir-no-such-program"};
  const Result<Ok, Problem> started = process.start(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().what,
            "cannot start \"weir-no-such-program\": No such file or directory");
  EXPECT_FALSE(started.error().help.empty());
  EXPECT_FALSE(process.is_running());
}

TEST_F(SubprocessTest, AMissingDirectoryIsAProblemToo) {
  SubprocessOptions options = shell("true");
  options.directory = "/no/such/directory";
  EXPECT_FALSE(process.start(options));
}

TEST_F(SubprocessTest, AKilledProcessTellsTheSignal) {
  ASSERT_TRUE(process.start(shell("echo up; exec sleep 600")));
  wait_for("up");
  process.signal(SIGTERM);
  wait();
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_EQ(exit.code, 128 + SIGTERM);
}

TEST_F(SubprocessTest, ItsGroupIsReachedAsAWhole) {
  // The child waits for a grandchild; both must go for the trap to print.
  const char* script = "sleep 600 & trap 'wait; echo gone; exit 3' TERM; echo up; wait";
  ASSERT_TRUE(process.start(shell(script)));
  wait_for("up");
  process.signal_group(SIGTERM);
  wait();
  EXPECT_EQ(output, "up\ngone\n");
  EXPECT_EQ(exit.code, 3);
}

TEST_F(SubprocessTest, TheEndOfInputIsSeenByTheChild) {
  SubprocessOptions options = shell("cat; echo end");
  options.input = SubprocessOptions::Input::pipe;
  ASSERT_TRUE(process.start(options));
  process.close_input();
  wait();
  EXPECT_EQ(output, "end\n");
}

TEST_F(SubprocessTest, ReadsNothingFromOurInputUnlessToldTo) {
  EXPECT_EQ(run(shell("cat; echo end")), "end\n");
}

TEST_F(SubprocessTest, OutputThatADescendantHoldsOpenDoesNotDelayTheExit) {
  ASSERT_TRUE(process.start(shell("sleep 600 & echo $!; exit 4")));
  wait();
  EXPECT_EQ(exit.code, 4);
  ::kill(static_cast<pid_t>(std::stol(output)), SIGKILL);
}

TEST_F(SubprocessTest, MuchOutputArrivesWhole) {
  EXPECT_EQ(run(shell("head -c 3000000 /dev/zero")).size(), 3'000'000U);
}

TEST_F(SubprocessTest, MayBeStartedAgainAfterItsEnd) {
  EXPECT_EQ(run(shell("echo one")), "one\n");
  exits = 0;
  EXPECT_EQ(run(shell("echo two")), "one\ntwo\n");
}

}  // namespace
}  // namespace weir
