#include "lb/cli/serve_flags.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "lb/config/backend_list.h"
#include "lb/config/header_rule.h"
#include "lb/config/setting_text.h"
#include "lb/config/units.h"

namespace weir {
namespace {

using Row = FlagRow<ServeFlags>;

constexpr std::array<Row, 9> kServeRows{{
    {"--policy", "least_outstanding|round_robin|random|two_choices", &ServeFlags::policy,
     "who is chosen; default least_outstanding"},
    {"--max-outstanding", "N|unlimited", &ServeFlags::max_outstanding,
     "requests at one backend at once; default 256"},
    {"--queue-limit", "N|unlimited", &ServeFlags::queue_limit,
     "requests that may wait for a backend"},
    {"--queue-timeout", "D|off", &ServeFlags::queue_timeout, "how long a request may wait"},
    {"--workers", "N|auto", &ServeFlags::workers, "threads; default auto, one a CPU, 4 at most"},
    {"--paths", "inference|all|unsafe-all", &ServeFlags::paths,
     "which request paths are forwarded"},
    {"--health-path", "P|off", &ServeFlags::health_path, "what probes ask for; default /health"},
    {"--admin", "ADDR|off", &ServeFlags::admin,
     "where status and metrics are; default a unix socket"},
    {"--log-level", "debug|info|warning|error", &ServeFlags::log_level, "default info"},
}};
constexpr std::array<Row, 3> kHeaderRows{{
    {"-H,--header-up", "'NAME: VALUE'", &ServeFlags::header_up,
     "set, +add or -remove a request header (repeatable)"},
    {"-d,--header-down", "'NAME: VALUE'", &ServeFlags::header_down,
     "the same for response headers"},
    {"-c,--change-host-header", &ServeFlags::change_host_header, "Host becomes the backend's"},
}};

bool is_ip_literal(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  const std::string bare = host.substr(0, host.find('%'));
  return inet_pton(AF_INET, bare.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, bare.c_str(), bytes.data()) == 1;
}

// Collects mistakes; each names its flag.
class Applier {
 public:
  explicit Applier(std::vector<Problem>& problems) : problems_(problems) {}

  template <typename T>
  void take(std::string_view flag, Result<T, Problem> result, T* target) {
    if (result) {
      *target = std::move(*result);
    } else {
      blame(flag, result.error());
    }
  }

  void blame(std::string_view flag, const Problem& problem) {
    problems_.push_back({std::string(flag) + ": " + problem.what, problem.help});
  }

 private:
  std::vector<Problem>& problems_;
};

void apply_listen(const ServeFlags& flags, Config* config, Applier& applier) {
  if (flags.listen.empty()) return;
  const ListenerConfig like = config->listen.empty() ? ListenerConfig{} : config->listen.front();
  config->listen.clear();
  for (const std::string& text : flags.listen) {
    ListenerConfig listener = like;
    applier.take("--listen", parse_listen_address(text), &listener.address);
    config->listen.push_back(listener);
  }
}

void apply_backends(const ServeFlags& flags, Config* config, Applier& applier) {
  if (!flags.backends.empty()) config->pool.backends.clear();
  for (const std::string& text : flags.backends) {
    Result<std::vector<BackendSpec>, Problem> specs = expand_backends(text);
    if (!specs) {
      applier.blame("backend", specs.error());
      continue;
    }
    for (BackendSpec& spec : *specs) {
      // The same one twice is a slip, not a weight.
      const bool is_known = std::ranges::find(config->pool.backends, spec.id, &BackendSpec::id) !=
                            config->pool.backends.end();
      if (!is_known) config->pool.backends.push_back(std::move(spec));
    }
  }
}

void apply_discover(const ServeFlags& flags, Config* config, Applier& applier) {
  if (!flags.discover.empty()) config->pool.discover.clear();
  for (const std::string& text : flags.discover) {
    DiscoverConfig discover;
    applier.take("--discover", parse_discover(text), &discover.file);
    config->pool.discover.push_back(std::move(discover));
  }
}

void apply_headers(const std::vector<std::string>& texts, std::string_view flag,
                   std::vector<HeaderRule>* rules, Applier& applier) {
  for (const std::string& text : texts) {
    HeaderRule rule;
    applier.take(flag, parse_header_rule(text), &rule);
    rules->push_back(std::move(rule));
  }
}

void apply_pool(const ServeFlags& flags, PoolConfig* pool, Applier& applier) {
  if (flags.policy) applier.take("--policy", parse_policy(*flags.policy), &pool->policy);
  if (flags.max_outstanding) {
    applier.take("--max-outstanding", parse_max_outstanding(*flags.max_outstanding),
                 &pool->max_outstanding_per_backend);
  }
  if (flags.queue_limit) {
    applier.take("--queue-limit", parse_queue_limit(*flags.queue_limit), &pool->queue.limit);
  }
  if (flags.queue_timeout) {
    applier.take("--queue-timeout", parse_time_limit(*flags.queue_timeout), &pool->queue.timeout);
  }
  if (flags.health_path) {
    applier.take("--health-path", parse_health_path(*flags.health_path), &pool->health.path);
  }
  if (flags.change_host_header) pool->change_host_header = true;
  apply_headers(flags.header_up, "--header-up", &pool->header_up, applier);
  apply_headers(flags.header_down, "--header-down", &pool->header_down, applier);
}

}  // namespace

std::span<const FlagRow<ServeFlags>> serve_flag_rows() {
  return kServeRows;
}
std::span<const FlagRow<ServeFlags>> header_flag_rows() {
  return kHeaderRows;
}

std::vector<Problem> apply_flags(const ServeFlags& flags, Config* config) {
  std::vector<Problem> problems;
  Applier applier(problems);
  apply_listen(flags, config, applier);
  apply_backends(flags, config, applier);
  apply_discover(flags, config, applier);
  apply_pool(flags, &config->pool, applier);
  if (flags.admin) {
    const AdminConfig before = config->admin;
    applier.take("--admin", parse_admin(*flags.admin), &config->admin);
    config->admin.instance = before.instance;
    config->admin.token = before.token;
  }
  if (flags.workers) applier.take("--workers", parse_workers(*flags.workers), &config->workers);
  if (flags.access_log) {
    applier.take("--access-log", parse_access_output(*flags.access_log), &config->log.access);
  }
  if (flags.paths) applier.take("--paths", parse_paths(*flags.paths), &config->paths);
  if (flags.log_level) {
    applier.take("--log-level", parse_log_level(*flags.log_level), &config->log.level);
  }
  if (flags.debug) config->log.level = LogLevel::debug;
  return problems;
}

Result<Address, Problem> parse_from(std::string_view text, std::vector<std::string>* notes) {
  std::string_view rest = text;
  const bool is_http = rest.starts_with("http://");
  if (rest.starts_with("https://")) {
    return Problem{"--from " + std::string(text) + ": this version serves plain HTTP only",
                   "write --from http://HOST:PORT"};
  }
  if (is_http) rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  Result<Address, Problem> address = parse_listen_address(rest, is_http ? 80 : 0);
  if (!address) {
    return Problem{"--from: " + address.error().what,
                   "write --from http://HOST:PORT or --from :PORT"};
  }
  if (address->is_unix || is_ip_literal(address->host) || address->host == "localhost") {
    if (address->host == "localhost") address->host = "127.0.0.1";
    return address;
  }
  if (!is_http && !address->host.empty()) {
    notes->push_back("--from " + std::string(text) +
                     " serves plain HTTP: there is no TLS in this version");
  }
  address->host.clear();
  return address;
}

}  // namespace weir
