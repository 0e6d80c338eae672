#include "lb/config/config_load.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "lb/config/config_reader.h"
#include "lb/config/pool_reader.h"
#include "lb/config/secret_text.h"
#include "lb/config/setting_text.h"
#include "lb/config/small_file.h"
#include "lb/config/units.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kMostListeners = 64;
constexpr size_t kMostSubnets = 256;

void read_subnets(ConfigReader& in, std::string_view key, std::vector<Subnet>& out) {
  if (!in.has(key)) return;
  out.clear();
  for (const JsonNode* item : in.array(key)) {
    if (item->kind != JsonNode::Kind::string) {
      in.mistake_at(item->place, in.path_of(key) + ": expected a string, got " + kind_text(*item),
                    "write a range like \"10.0.0.0/8\"");
      continue;
    }
    const Result<Subnet, Problem> subnet = Subnet::parse(item->text);
    if (subnet) out.push_back(*subnet);
    if (!subnet)
      in.mistake_at(item->place, in.path_of(key) + ": " + subnet.error().what, subnet.error().help);
  }
  if (out.size() > kMostSubnets)
    in.mistake(key, "more than " + std::to_string(kMostSubnets) + " ranges");
}

void read_listener(ConfigReader in, ListenerConfig& out) {
  if (!in.has("address"))
    in.mistake_at(in.place(), in.path_of("address") + " is missing", "write \"127.0.0.1:8080\"");
  in.text(
      "address", out.address, +[](std::string_view text) { return parse_listen_address(text); });
  in.duration("request_head", out.request_head, milliseconds(100), hours(1));
  in.duration("request_body", out.request_body, milliseconds(100), hours(1));
  in.duration("idle", out.idle, milliseconds(100), hours(24));
  in.size("max_head", out.max_head, 1024, 1024 * 1024);
  in.text("client_half_close", out.client_half_close, &parse_half_close);
  in.duration("write_stall", out.write_stall, seconds(1), hours(24));
  read_subnets(in, "trusted_proxies", out.trusted_proxies);
  constexpr std::array<std::string_view, 1> kLater{"tls"};
  in.reject_unknown_keys(kLater);
}

void read_listeners(ConfigReader& root, std::vector<JsonMistake>& mistakes, Config& out) {
  if (!root.has("listen")) return;
  const std::vector<const JsonNode*> items = root.array("listen");
  std::vector<ListenerConfig> listeners;
  for (const JsonNode* item : items) {
    const std::string path = "listen[" + std::to_string(listeners.size()) + "]";
    ListenerConfig& listener = listeners.emplace_back(out.listen.front());
    listener.address = ListenerConfig{}.address;
    ConfigReader in(*item, path, mistakes);
    if (item->kind == JsonNode::Kind::object) {
      read_listener(std::move(in), listener);
    } else if (item->kind == JsonNode::Kind::string) {
      const Result<Address, Problem> address = parse_listen_address(item->text);
      if (address) listener.address = *address;
      if (!address)
        in.mistake_at(item->place, path + ": " + address.error().what, address.error().help);
    } else {
      in.mistake_at(item->place, path + ": expected an object, got " + kind_text(*item));
    }
    if (listeners.size() > kMostListeners) {
      root.mistake("listen", "more than " + std::to_string(kMostListeners) + " listeners");
      break;
    }
  }
  if (!listeners.empty()) out.listen = std::move(listeners);
}

constexpr std::array<std::string_view, 12> kPoolKeys{"policy",      "max_outstanding_per_backend",
                                                     "queue",       "timeouts",
                                                     "retry",       "health",
                                                     "abort",       "backends",
                                                     "discover",    "header_up",
                                                     "header_down", "change_host_header"};

void read_pools(ConfigReader& root, std::vector<JsonMistake>& mistakes, PoolConfig& out) {
  if (!root.has("pools")) {
    read_pool(root, mistakes, out);
    return;
  }
  for (const std::string_view key : kPoolKeys) {
    if (root.has(key))
      root.mistake(key, "this belongs into a pool when there is \"pools\"",
                   "move it into the pool");
  }
  std::optional<ConfigReader> pools = root.object("pools");
  if (!pools) return;
  const std::vector<const JsonMember*> members = pools->members();
  if (members.size() != 1) {
    root.mistake("pools",
                 std::to_string(members.size()) + " pools; this version serves exactly one",
                 members.empty() ? "write one pool, or \"backends\" at the top"
                                 : "run one weir for each pool");
    if (members.empty()) return;
  }
  for (const JsonMember* member : members) {
    PoolConfig pool = out;  // the mistakes of each are told, the first is taken
    pool.name = member->key;
    if (const Result<std::string, Problem> name = parse_name(member->key); !name) {
      root.mistake_at(member->place, "pools: " + name.error().what);
    }
    const std::string path = pools->path_of(member->key);
    ConfigReader in(member->value, path, mistakes);
    if (member->value.kind != JsonNode::Kind::object) {
      in.mistake_at(member->value.place,
                    path + ": expected an object, got " + kind_text(member->value));
      continue;
    }
    read_pool(in, mistakes, pool);
    constexpr std::array<std::string_view, 1> kLater{"models"};
    in.reject_unknown_keys(kLater);
    if (member == members.front()) out = std::move(pool);
  }
}

void read_process(ConfigReader& root, Config& out) {
  root.text("paths", out.paths, &parse_paths);
  root.text_or_number("workers", out.workers, &parse_workers);
  root.text_or_number("max_connections", out.max_connections, &parse_max_connections);
  root.flag("via", out.via);
  if (std::optional<ConfigReader> admin = root.object("admin")) {
    constexpr std::array<std::string_view, 1> kLater{"status_page"};
    admin->text("address", out.admin, &parse_admin);
    admin->text("token", out.admin.token, &read_secret);
    admin->reject_unknown_keys(kLater);
  }
  if (std::optional<ConfigReader> replay = root.object("replay")) {
    replay->size("per_request", out.replay.per_request, 0, size_t{1} << 30);
    replay->size("total", out.replay.total, 0, size_t{1} << 36);
    replay->reject_unknown_keys();
  }
  if (std::optional<ConfigReader> log = root.object("log")) {
    log->text("level", out.log.level, &parse_log_level);
    if (std::optional<ConfigReader> access = log->object("access")) {
      std::string format;
      access->text(
          "format", format, +[](std::string_view text) -> Result<std::string, Problem> {
            if (text == "json") return std::string(text);
            return Problem{"unknown format \"" + std::string(text.substr(0, 40)) + "\"",
                           "\"json\" is the only one"};
          });
      access->text("output", out.log.access, &parse_access_output);
      access->reject_unknown_keys();
    }
    log->reject_unknown_keys();
  }
  if (std::optional<ConfigReader> drain = root.object("drain")) {
    drain->duration("timeout", out.drain.timeout, Duration::zero(), hours(24));
    drain->reject_unknown_keys();
  }
}

std::vector<ConfigMistake> in_order(std::vector<JsonMistake> mistakes) {
  std::ranges::stable_sort(mistakes, {}, [](const JsonMistake& mistake) {
    return std::tuple(mistake.place.line, mistake.place.column);
  });
  std::vector<ConfigMistake> out;
  for (JsonMistake& mistake : mistakes) {
    out.push_back({std::move(mistake.what), std::move(mistake.help), mistake.place.line,
                   mistake.place.column});
  }
  return out;
}

}  // namespace

std::string where_text(std::string_view file, const ConfigMistake& mistake) {
  std::string text(file);
  if (mistake.line > 0)
    text += ":" + std::to_string(mistake.line) + ":" + std::to_string(mistake.column);
  return text;
}

Result<Config, std::vector<ConfigMistake>> parse_config(std::string_view text,
                                                        const Config& defaults) {
  JsonDocument document = parse_json(text);
  if (!document.is_whole) return in_order(std::move(document.mistakes));
  Config config = defaults;
  std::vector<JsonMistake>& mistakes = document.mistakes;
  ConfigReader root(document.root, "", mistakes);
  if (document.root.kind != JsonNode::Kind::object) {
    root.mistake_at(document.root.place, "expected an object, got " + kind_text(document.root),
                    "the smallest config is {\"backends\": [\"http://host:8000\"]}");
    return in_order(std::move(mistakes));
  }
  std::string schema;  // for editors; not ours to judge
  root.text(
      "$schema", schema,
      +[](std::string_view) -> Result<std::string, Problem> { return std::string(); });
  read_listeners(root, mistakes, config);
  read_pools(root, mistakes, config.pool);
  read_process(root, config);
  constexpr std::array<std::string_view, 5> kLater{"auth", "tls", "models", "version", "defaults"};
  root.reject_unknown_keys(kLater);
  if (!mistakes.empty()) return in_order(std::move(mistakes));
  return config;
}

Result<Config, std::vector<ConfigMistake>> load_config(const std::string& file,
                                                       const Config& defaults) {
  const Result<std::string, Problem> text = read_small_file(file, kLargestJson);
  if (!text) return std::vector<ConfigMistake>{{text.error().what, text.error().help, 0, 0}};
  Result<Config, std::vector<ConfigMistake>> config = parse_config(*text, defaults);
  if (config) config->source = file;
  return config;
}

}  // namespace weir
