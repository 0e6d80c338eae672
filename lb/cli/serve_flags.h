// The flags of serve, reverse-proxy and launch that set the balancer, as typed, and how they change
// a Config. A flag wins over the file. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/result.h"

#include "lb/cli/flag_row.h"
#include "lb/config/config.h"

namespace weir {

struct ServeFlags {
  std::vector<std::string> listen;    // --listen, of reverse-proxy --from
  std::vector<std::string> backends;  // URLs and --to, ranges not expanded
  std::vector<std::string> discover;
  std::vector<std::string> header_up;
  std::vector<std::string> header_down;
  std::optional<std::string> policy;
  std::optional<std::string> max_outstanding;
  std::optional<std::string> queue_limit;
  std::optional<std::string> queue_timeout;
  std::optional<std::string> workers;
  std::optional<std::string> admin;
  std::optional<std::string> access_log;
  std::optional<std::string> paths;
  std::optional<std::string> health_path;
  std::optional<std::string> log_level;
  bool change_host_header = false;
  bool debug = false;
};

// Of serve, reverse-proxy and launch; without --access-log, whose value is optional.
std::span<const FlagRow<ServeFlags>> serve_flag_rows();
// What changes heads: of reverse-proxy and launch.
std::span<const FlagRow<ServeFlags>> header_flag_rows();

// Every mistake, each with the flag it is in; empty when all of them were taken.
std::vector<Problem> apply_flags(const ServeFlags& flags, Config* config);

// Where Caddy binds for a --from: a name means that port on all addresses, an IP literal or
// "localhost" only that one. What a user of Caddy would not expect is put into notes.
Result<Address, Problem> parse_from(std::string_view text, std::vector<std::string>* notes);

}  // namespace weir
