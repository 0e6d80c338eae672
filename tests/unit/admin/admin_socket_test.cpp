#include "lb/admin/admin_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <gtest/gtest.h>

namespace weir {
namespace {

class AdminSocketTest : public testing::Test {
 protected:
  AdminSocketTest() {
    std::filesystem::create_directory(base_);
    home_.temporary = base_;
    home_.services = base_ / "none";
    home_.uid = ::getuid();
  }
  ~AdminSocketTest() override { std::filesystem::remove_all(base_); }
  std::filesystem::path fallback() const { return base_ / ("weir-" + std::to_string(home_.uid)); }

  const std::filesystem::path base_ =
      std::filesystem::temp_directory_path() / ("weir_admin_" + std::to_string(::getpid()));
  AdminHome home_;
};

TEST_F(AdminSocketTest, WithoutARuntimeDirectoryItIsInOneOfOurOwn) {
  const auto address = own_admin_socket(home_, "");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, fallback() / (std::to_string(::getpid()) + ".sock"));
  struct stat status {};
  ASSERT_EQ(::stat(fallback().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(AdminSocketTest, TheUsersRuntimeDirectoryComesFirst) {
  home_.xdg_runtime_dir = base_;
  EXPECT_EQ(own_admin_socket(home_, "x")->host, base_ / "weir" / "x.sock");
  home_.runtime_directory = base_.string() + ":/other";
  EXPECT_EQ(own_admin_socket(home_, "x")->host, base_ / "x.sock");
}

TEST_F(AdminSocketTest, ARuntimeDirectoryThatIsNotThereIsPassedOver) {
  home_.xdg_runtime_dir = base_ / "no/such";
  EXPECT_EQ(own_admin_socket(home_, "x")->host, fallback() / "x.sock");
}

TEST_F(AdminSocketTest, ADirectoryThatOthersMayReadOrALinkIsRefused) {
  std::filesystem::create_directory(fallback());
  ::chmod(fallback().c_str(), 0755);
  EXPECT_FALSE(own_admin_socket(home_, ""));
  std::filesystem::remove(fallback());
  std::filesystem::create_directory(base_ / "elsewhere");
  std::filesystem::create_symlink(base_ / "elsewhere", fallback());
  EXPECT_FALSE(own_admin_socket(home_, ""));
}

TEST_F(AdminSocketTest, NamesCannotLeaveTheDirectory) {
  for (const char* name : {"../x", "a/b", ".hidden", "a b", "\n"})
    EXPECT_FALSE(own_admin_socket(home_, name)) << name;
  EXPECT_FALSE(own_admin_socket(home_, std::string(65, 'a')));
}

TEST_F(AdminSocketTest, OnlySocketsAreFound) {
  ASSERT_TRUE(own_admin_socket(home_, ""));
  std::filesystem::create_directory(fallback() / "directory.sock");
  EXPECT_TRUE(find_admin_sockets(home_).empty());
}

TEST_F(AdminSocketTest, APathTooLongForASocketIsAProblem) {
  home_.temporary = base_ / std::string(100, 'x');
  std::filesystem::create_directory(home_.temporary);
  const auto address = own_admin_socket(home_, "");
  ASSERT_FALSE(address);
  EXPECT_NE(address.error().what.find("too long"), std::string::npos);
}

}  // namespace
}  // namespace weir
