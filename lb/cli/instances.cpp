#include "lb/cli/instances.h"

#include "lb/admin/admin_client.h"
#include "lb/admin/admin_socket.h"
#include "lb/admin/instance_json.h"
#include "lb/admin/status_table.h"
#include "lb/cli/messages.h"

namespace weir {
namespace {

constexpr Duration kForAnswer = std::chrono::seconds(5);
constexpr int kUsage = 2;

bool is_chosen(const InstanceView& view, const std::string& name, const std::string& wanted) {
  return wanted.empty() || wanted == name || wanted == view.instance ||
         wanted == std::to_string(view.pid);
}

}  // namespace

Result<InstanceView, Problem> ask_instance(const Address& address) {
  const Result<AdminReply, Problem> reply = admin_get(address, "/api/v1/status", kForAnswer);
  if (!reply) return reply.error();
  if (reply->status != 200) {
    const Problem refused = parse_refusal(reply->body);
    return Problem{
        to_string(address) + " answered " + std::to_string(reply->status) + ": " + refused.what,
        refused.help};
  }
  return parse_instance(reply->body);
}

Instances find_instance_at(const std::string& admin_address) {
  Instances out;
  const Result<Address, Problem> address = parse_address(admin_address);
  if (!address) {
    out.problem = address.error();
    return out;
  }
  Result<InstanceView, Problem> view = ask_instance(*address);
  if (view) out.found.push_back({*address, std::move(*view)});
  if (!view) out.problem = view.error();
  return out;
}

Instances find_instances(const std::string& wanted) {
  Instances out;
  for (const FoundInstance& found : find_admin_sockets(AdminHome::of_process())) {
    Result<InstanceView, Problem> view = ask_instance(found.address);
    if (!view) continue;  // of one that died
    if (is_chosen(*view, found.name, wanted))
      out.found.push_back({found.address, std::move(*view)});
  }
  out.problem = wanted.empty() ? Problem{"no running weir of this user was found on this machine",
                                         "start one, or give --admin ADDR or --file PUBLISHED"}
                               : Problem{"no running weir is called \"" + wanted + "\"",
                                         "weir status lists them"};
  return out;
}

int tell_several(const std::vector<Instance>& instances) {
  std::string list;
  for (const Instance& instance : instances) list += instance_line(instance.view) + "\n";
  print_error(
      {std::to_string(instances.size()) + " instances run", "choose one with --instance PID"});
  return print_result(list) ? kUsage : 1;
}

}  // namespace weir
