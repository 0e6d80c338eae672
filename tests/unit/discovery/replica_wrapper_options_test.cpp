#include "discovery/replica_wrapper_options.h"

#include <gtest/gtest.h>

#include "discovery/replica_wrapper_sh.h"

namespace weir {
namespace {

TEST(ReplicaWrapperOptionsTest, AreReadAsWritten) {
  ReplicaWrapperOptions options;
  options.serve = "a 'b' {port} --local";
  options.id = "n01-3";
  options.node = "n01";
  options.index = 7;
  options.first_gpu = 3;
  options.gpus = 1;
  options.grace_seconds = 2;
  options.is_local = true;
  const auto read = parse_replica_wrapper(replica_wrapper_arguments(options));
  ASSERT_TRUE(read);
  EXPECT_EQ(replica_wrapper_arguments(read.value()), replica_wrapper_arguments(options));
  EXPECT_EQ(read.value().serve, options.serve);
}

TEST(ReplicaWrapperOptionsTest, AreRefusedWhenWrong) {
  EXPECT_FALSE(parse_replica_wrapper({}));
  EXPECT_FALSE(parse_replica_wrapper({"--serve"}));
  EXPECT_FALSE(parse_replica_wrapper({"--serve", "x", "--gpus", "many"}));
  EXPECT_FALSE(parse_replica_wrapper({"--serve", "x", "--what"}));
  EXPECT_FALSE(parse_replica_wrapper({"--serve", "x", "--grace", "999999"}));
  EXPECT_TRUE(parse_replica_wrapper({"--try"}));
}

TEST(ReplicaWrapperOptionsTest, ScriptQuotesTheCommandAndFillsInOnTheNode) {
  ReplicaWrapperOptions options;
  options.serve = "echo 'it''s' {port} ${x} {other}";
  const std::string script = replica_wrapper_script(options);
  EXPECT_NE(script.find(R"('echo '\''it'\'''\''s'\'' '"$port"' ${x} {other}')"), std::string::npos);
}

TEST(ReplicaWrapperOptionsTest, CommandTriesTheBinaryFirst) {
  ReplicaWrapperOptions options;
  options.serve = "x";
  const auto argv = replica_wrapper_command("/opt/weir", options);
  ASSERT_GT(argv.size(), 4U);
  EXPECT_EQ(argv[3], "/opt/weir");
  EXPECT_EQ(argv.back(), "x");
}

}  // namespace
}  // namespace weir
