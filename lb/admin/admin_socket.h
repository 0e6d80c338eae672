// Where the admin sockets of this user's instances are: $RUNTIME_DIRECTORY (systemd), else
// $XDG_RUNTIME_DIR/weir if that is ours, else /tmp/weir-UID; mode 0700 and the owner checked, so
// that nobody else can put a socket there. Touches the file system; main thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "weir/address.h"
#include "weir/result.h"

namespace weir {

// What decides about the place; of_process() unless a test says otherwise.
struct AdminHome {
  std::string runtime_directory;   // $RUNTIME_DIRECTORY
  std::string xdg_runtime_dir;     // $XDG_RUNTIME_DIR
  std::string temporary = "/tmp";  // never TMPDIR: too long, and another one in each job
  std::string services = "/run/weir";
  uid_t uid = 0;

  static AdminHome of_process();
};

// Makes the directory if need be and sweeps sockets of instances that were killed. `instance` names
// the socket: 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot; empty = the pid.
Result<Address, Problem> own_admin_socket(const AdminHome& home, std::string_view instance);

struct FoundInstance {
  std::string name;  // of the socket's file, without ".sock"
  Address address;
};
// All sockets of this user, sorted by name; of an instance that died, one may be left.
std::vector<FoundInstance> find_admin_sockets(const AdminHome& home);

}  // namespace weir
