#include <algorithm>

#include "lb/config/config_load.h"
#include "lb/config/units.h"

namespace weir {
namespace {

// Would a connection to `to` arrive at `listener`? By what is written, without resolving.
bool is_own_address(const Address& listener, const Address& to) {
  if (listener.is_unix || to.is_unix) return listener == to;
  const auto is_here = [](const std::string& host) {
    return host == "127.0.0.1" || host == "localhost" || host == "::1";
  };
  const bool is_everywhere =
      listener.host.empty() || listener.host == "0.0.0.0" || listener.host == "::";
  return listener.port == to.port && listener.port != 0 &&
         (listener.host == to.host ||
          (is_here(to.host) && (is_everywhere || is_here(listener.host))));
}

bool is_any_port(const Address& address) {
  return !address.is_unix && address.port == 0;
}

void check_listeners(const Config& config, std::vector<Problem>& problems) {
  for (size_t i = 0; i < config.listen.size(); ++i) {
    const Address& address = config.listen[i].address;
    for (size_t j = 0; j < i; ++j) {
      if (config.listen[j].address != address || is_any_port(address)) continue;
      problems.push_back({to_string(address) + " is listened on twice", "keep one of them"});
    }
    const AdminConfig& admin = config.admin;
    const bool is_admins = admin.where == AdminConfig::Where::address && admin.address == address;
    if (is_admins && !is_any_port(address)) {
      problems.push_back({to_string(address) + " is both the admin address and a listener",
                          "give the admin side its own port"});
    }
  }
}

std::string difference(const ListenerConfig& a, const ListenerConfig& b) {
  std::string keys;
  const auto add = [&keys](bool is_same, std::string_view key) {
    if (!is_same) keys += (keys.empty() ? "" : ", ") + std::string(key);
  };
  add(a.request_head == b.request_head, "request_head");
  add(a.request_body == b.request_body, "request_body");
  add(a.idle == b.idle, "idle");
  add(a.max_head == b.max_head, "max_head");
  add(a.client_half_close == b.client_half_close, "client_half_close");
  add(a.write_stall == b.write_stall, "write_stall");
  add(a.trusted_proxies == b.trusted_proxies, "trusted_proxies");
  return keys.empty() ? "more than their address" : keys;
}

// The limits of clients are one set for the process in this version.
void check_limits(const Config& config, std::vector<Problem>& problems) {
  const ListenerConfig& first = config.listen.front();
  for (const ListenerConfig& listener : config.listen) {
    ListenerConfig same = first;
    same.address = listener.address;
    if (listener == same) continue;
    problems.push_back({"listeners " + to_string(first.address) + " and " +
                            to_string(listener.address) + " differ in " +
                            difference(first, listener) + ", which this version cannot do",
                        "give both the same"});
  }
}

void check_backends(const Config& config, std::vector<Problem>& problems) {
  const PoolConfig& pool = config.pool;
  if (pool.backends.empty() && pool.discover.empty() && config.command != Command::launch) {
    problems.push_back(
        {"there is no backend",
         config.command == Command::reverse_proxy
             ? "name one with --to http://HOST:PORT"
             : "name one: weir http://HOST:PORT, \"backends\" in -c FILE, or --discover FILE"});
  }
  for (const BackendSpec& backend : pool.backends) {
    for (const ListenerConfig& listener : config.listen) {
      if (!is_own_address(listener.address, backend.address)) continue;
      problems.push_back(
          {"backend " + backend.id + " is weir's own listener " + to_string(listener.address),
           "listen elsewhere with --listen, or correct the backend"});
    }
  }
}

}  // namespace

std::vector<Problem> check_config(const Config& config) {
  std::vector<Problem> problems;
  check_listeners(config, problems);
  check_limits(config, problems);
  check_backends(config, problems);
  const EjectConfig& eject = config.pool.health.eject;
  if (eject.base > eject.most) {
    problems.push_back({"health.eject.base (" + duration_text(eject.base) +
                            ") is longer than health.eject.most (" + duration_text(eject.most) +
                            ")",
                        "raise the latter"});
  }
  const Duration request = config.pool.timeouts.request;
  if (request != Duration::zero() && request <= config.pool.timeouts.connect) {
    problems.push_back({"timeouts.request (" + duration_text(request) +
                            ") leaves nothing beyond timeouts.connect (" +
                            duration_text(config.pool.timeouts.connect) + ")",
                        "lengthen the first or shorten the second"});
  }
  if (config.replay.per_request > config.replay.total) {
    problems.push_back({"replay.per_request (" + size_text(config.replay.per_request) +
                            ") is more than replay.total (" + size_text(config.replay.total) + ")",
                        "raise the total"});
  }
  return problems;
}

}  // namespace weir
