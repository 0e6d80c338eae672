// The running weirs of this user, found by their admin sockets, and what each says of itself. A
// process of its own: blocks. Main thread.
#pragma once

#include <string>
#include <vector>

#include "weir/address.h"
#include "weir/result.h"

#include "lb/admin/live_view.h"

namespace weir {

struct Instance {
  Address address;  // of its admin side
  InstanceView view;
};

struct Instances {
  std::vector<Instance> found;
  Problem problem;  // why there is none
};

Result<InstanceView, Problem> ask_instance(const Address& address);
Instances find_instance_at(const std::string& admin_address);
// `wanted` is a pid or an instance's name; empty = all.
Instances find_instances(const std::string& wanted);

// Tells that one has to be chosen, and from which. The exit code.
int tell_several(const std::vector<Instance>& instances);

}  // namespace weir
