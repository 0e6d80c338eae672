#include "lb/admin/admin_socket.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include <dirent.h>

#include "lb/net/socket.h"

namespace weir {
namespace {

constexpr size_t kLongestSocketPath = 107;
constexpr size_t kMostFound = 256;
constexpr time_t kYoungSeconds = 60;
constexpr std::string_view kSuffix = ".sock";

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}

// A directory, not a link to one, that belongs to `uid`.
bool is_own_directory(const std::string& path, uid_t uid) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == uid;
}

// With DynamicUser= systemd's directories are links to private ones; nobody but root makes links in
// /run.
std::string resolved(const std::string& path) {
  std::array<char, PATH_MAX> buffer{};
  return ::realpath(path.c_str(), buffer.data()) == nullptr ? path : std::string(buffer.data());
}

bool is_instance_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

std::string fallback_directory(const AdminHome& home) {
  return home.temporary + "/weir-" + std::to_string(home.uid);
}

Result<std::string, Problem> make_own_directory(const std::string& path, uid_t uid) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Problem{"cannot make " + path + ": " + ::strerror(errno),
                   "choose an address with --admin, or --admin off"};
  }
  struct stat status {};
  const bool is_ours = ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
                       status.st_uid == uid && (status.st_mode & 077) == 0;
  if (is_ours) return path;
  return Problem{path + " is not a directory of this user with mode 0700",
                 "remove it, or choose an address with --admin"};
}

Result<std::string, Problem> own_directory(const AdminHome& home) {
  // systemd made it and set its mode; the first of a list with colons.
  if (!home.runtime_directory.empty()) {
    const std::string path = home.runtime_directory.substr(0, home.runtime_directory.find(':'));
    if (is_own_directory(resolved(path), home.uid)) return path;
  }
  if (!home.xdg_runtime_dir.empty() && is_own_directory(home.xdg_runtime_dir, home.uid)) {
    Result<std::string, Problem> made =
        make_own_directory(home.xdg_runtime_dir + "/weir", home.uid);
    if (made) return made;
  }
  return make_own_directory(fallback_directory(home), home.uid);
}

void find_in(const std::string& path, const AdminHome& home, std::vector<FoundInstance>& out) {
  struct stat status {};
  const bool is_directory = ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (!is_directory || (status.st_uid != home.uid && home.uid != 0)) return;
  const std::unique_ptr<DIR, DirectoryCloser> directory(::opendir(path.c_str()));
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view file = entry->d_name;
    if (!file.ends_with(kSuffix) || out.size() >= kMostFound) continue;
    const std::string socket = path + "/" + std::string(file);
    if (::lstat(socket.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
    if (status.st_uid != home.uid && home.uid != 0) continue;
    if (socket.size() > kLongestSocketPath) continue;
    out.push_back(
        {std::string(file.substr(0, file.size() - kSuffix.size())), Address{socket, 0, true}});
  }
}

// Sockets of instances that were killed: nobody listens there. A young one may be about to be
// listened on.
void sweep(const std::string& path, const AdminHome& home) {
  std::vector<FoundInstance> found;
  find_in(path, home, found);
  for (const FoundInstance& one : found) {
    struct stat status {};
    const char* file = one.address.host.c_str();
    if (::lstat(file, &status) != 0 || ::time(nullptr) - status.st_mtime < kYoungSeconds) continue;
    const Result<SocketAddress, Problem> address = numeric_address(one.address);
    if (!address) continue;
    const Result<UniqueFd> connection = begin_connect(*address);
    if (!connection && connection.error().os_error == ECONNREFUSED) ::unlink(file);
  }
}

}  // namespace

AdminHome AdminHome::of_process() {
  AdminHome home;
  home.runtime_directory = variable("RUNTIME_DIRECTORY");
  home.xdg_runtime_dir = variable("XDG_RUNTIME_DIR");
  home.uid = ::getuid();
  return home;
}

Result<Address, Problem> own_admin_socket(const AdminHome& home, std::string_view instance) {
  const std::string name = instance.empty() ? std::to_string(::getpid()) : std::string(instance);
  if (!is_instance_name(name)) {
    return Problem{"\"" + name.substr(0, 80) + "\" cannot name an instance",
                   "use letters, digits, dots and dashes"};
  }
  const Result<std::string, Problem> directory = own_directory(home);
  if (!directory) return directory.error();
  sweep(*directory, home);
  const std::string path = *directory + "/" + name + std::string(kSuffix);
  if (path.size() > kLongestSocketPath) {
    return Problem{path + " is too long for a unix socket", "choose an address with --admin"};
  }
  return Address{path, 0, true};
}

std::vector<FoundInstance> find_admin_sockets(const AdminHome& home) {
  std::vector<FoundInstance> found;
  if (!home.xdg_runtime_dir.empty()) find_in(home.xdg_runtime_dir + "/weir", home, found);
  find_in(fallback_directory(home), home, found);
  find_in(resolved(home.services), home, found);
  std::ranges::sort(found,
                    [](const FoundInstance& a, const FoundInstance& b) { return a.name < b.name; });
  return found;
}

}  // namespace weir
