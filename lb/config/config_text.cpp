#include "lb/config/config_text.h"

#include <vector>

#include "lb/config/backend_list.h"
#include "lb/config/header_rule.h"
#include "lb/config/secret_text.h"
#include "lb/config/setting_table.h"
#include "lb/config/setting_text.h"
#include "lb/config/units.h"

namespace weir {
namespace {

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string duration(Duration value) {
  return quoted(duration_text(value));
}
std::string limit(Duration value) {
  return quoted(time_limit_text(value));
}

std::string bound(size_t value, size_t none) {
  return value == none ? quoted("unlimited") : std::to_string(value);
}

std::string count_or_auto(uint32_t value) {
  return value == 0 ? quoted("auto") : std::to_string(value);
}

// Writes JSON line by line and knows the path it is at.
class ConfigWriter {
 public:
  explicit ConfigWriter(ConfigTextStyle style) : style_(style) {}

  void open(std::string_view key, char bracket) {
    begin(key);
    text_ += bracket;
    levels_.push_back({std::string(key), bracket, true});
  }
  void close() {
    const char bracket = levels_.back().bracket;
    const bool is_empty = levels_.back().is_empty;
    levels_.pop_back();
    if (!is_empty) new_line();
    text_ += bracket == '{' ? '}' : ']';
  }
  void value(std::string_view key, const std::string& json) {
    begin(key);
    text_ += json;
    const Setting* setting = style_.has_comments ? find_setting(path_of(key)) : nullptr;
    if (setting != nullptr) comment_ = setting->meaning;
  }
  std::string take() {
    flush_comment();
    return text_ + "\n";
  }

 private:
  struct Level {
    std::string key;
    char bracket;
    bool is_empty;
  };

  void begin(std::string_view key) {
    if (!levels_.empty()) {
      if (!levels_.back().is_empty) text_ += ',';
      new_line();
      levels_.back().is_empty = false;
    }
    if (!key.empty()) text_ += quoted(key) + ": ";
  }
  void new_line() {
    flush_comment();
    text_ += '\n';
    text_.append(levels_.size() * 2, ' ');
  }
  void flush_comment() {
    if (!comment_.empty()) text_ += "  // " + comment_;
    comment_.clear();
  }
  // "listen[].idle": the name of the pool is not part of it.
  std::string path_of(std::string_view key) const {
    std::string path;
    for (size_t i = 1; i < levels_.size(); ++i) {
      if (levels_[i].key.empty()) continue;
      if (!path.empty()) path += '.';
      path += levels_[i].key;
      if (levels_[i].bracket == '[') path += "[]";
    }
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }

  ConfigTextStyle style_;
  std::string text_;
  std::string comment_;
  std::vector<Level> levels_;
};

void write_listeners(ConfigWriter& out, const Config& config) {
  out.open("listen", '[');
  for (const ListenerConfig& listener : config.listen) {
    out.open("", '{');
    out.value("address", quoted(to_string(listener.address)));
    out.value("request_head", duration(listener.request_head));
    out.value("request_body", duration(listener.request_body));
    out.value("idle", duration(listener.idle));
    out.value("max_head", quoted(size_text(listener.max_head)));
    out.value("client_half_close", quoted(to_string(listener.client_half_close)));
    out.value("write_stall", duration(listener.write_stall));
    std::string subnets;
    for (const Subnet& subnet : listener.trusted_proxies)
      subnets += (subnets.empty() ? "" : ", ") + quoted(subnet.to_string());
    out.value("trusted_proxies", "[" + subnets + "]");
    out.close();
  }
  out.close();
}

void write_backends(ConfigWriter& out, const PoolConfig& pool) {
  out.open("backends", '[');
  for (const BackendSpec& backend : pool.backends) {
    out.open("", '{');
    const bool is_unix = backend.address.is_unix;
    out.value("name", quoted(backend.id));
    out.value("url", quoted((is_unix ? "" : "http://") + to_string(backend.address)));
    out.value("weight", std::to_string(backend.weight));
    if (backend.max_outstanding != 0)
      out.value("max_outstanding", std::to_string(backend.max_outstanding));
    if (!backend.api_key.empty()) out.value("api_key", quoted(kMaskedSecret));
    out.close();
  }
  out.close();
  out.open("discover", '[');
  for (const DiscoverConfig& discover : pool.discover) {
    out.open("", '{');
    out.value("file", quoted(discover.file));
    out.value("interval", duration(discover.interval));
    std::string owners;
    for (const uint32_t uid : discover.owners)
      owners += (owners.empty() ? "" : ", ") + std::to_string(uid);
    out.value("owners", "[" + owners + "]");
    out.close();
  }
  out.close();
}

std::string rules(const std::vector<HeaderRule>& list) {
  std::string out;
  for (const HeaderRule& rule : list) out += (out.empty() ? "" : ", ") + quoted(to_string(rule));
  return "[" + out + "]";
}

void write_health(ConfigWriter& out, const HealthConfig& health) {
  out.open("health", '{');
  out.value("path", quoted(health.path.empty() ? "off" : health.path));
  out.value("interval", duration(health.interval));
  out.value("timeout", duration(health.timeout));
  out.value("rise", std::to_string(health.rise));
  out.value("fall", std::to_string(health.fall));
  out.value("fast_interval", duration(health.fast_interval));
  out.value("slow_start", limit(health.slow_start));
  out.value("stuck_after", limit(health.stuck_after));
  if (health.eject.failures == 0) {
    out.value("eject", quoted("off"));
  } else {
    out.open("eject", '{');
    out.value("failures", std::to_string(health.eject.failures));
    out.value("base", duration(health.eject.base));
    out.value("most", duration(health.eject.most));
    out.close();
  }
  out.close();
}

void write_pool(ConfigWriter& out, const PoolConfig& pool) {
  out.value("policy", quoted(to_string(pool.policy)));
  out.value("max_outstanding_per_backend", bound(pool.max_outstanding_per_backend, 0));
  out.open("queue", '{');
  out.value("limit", bound(pool.queue.limit, kUnlimited));
  out.value("timeout", limit(pool.queue.timeout));
  out.close();
  out.open("timeouts", '{');
  out.value("connect", duration(pool.timeouts.connect));
  out.value("first_byte", limit(pool.timeouts.first_byte));
  out.value("between_bytes", limit(pool.timeouts.between_bytes));
  out.value("request", limit(pool.timeouts.request));
  out.value("hold", duration(pool.timeouts.hold));
  out.value("tunnel", limit(pool.timeouts.tunnel));
  out.close();
  out.open("retry", '{');
  out.value("attempts", std::to_string(pool.retry.attempts));
  out.value("budget", share_text(pool.retry.budget));
  out.close();
  write_health(out, pool.health);
  out.value("abort", quoted(to_string(pool.abort)));
  write_backends(out, pool);
  out.value("header_up", rules(pool.header_up));
  out.value("header_down", rules(pool.header_down));
  out.value("change_host_header", pool.change_host_header ? "true" : "false");
}

void write_process(ConfigWriter& out, const Config& config) {
  out.open("replay", '{');
  out.value("per_request", quoted(size_text(config.replay.per_request)));
  out.value("total", quoted(size_text(config.replay.total)));
  out.close();
  out.open("log", '{');
  out.value("level", quoted(to_string(config.log.level)));
  out.open("access", '{');
  out.value("format", quoted("json"));
  out.value("output", quoted(access_output_text(config.log.access)));
  out.close();
  out.close();
  out.open("drain", '{');
  out.value("timeout", duration(config.drain.timeout));
  out.close();
}

}  // namespace

std::string config_text(const Config& config, ConfigTextStyle style) {
  ConfigWriter out(style);
  out.open("", '{');
  write_listeners(out, config);
  out.open("admin", '{');
  out.value("address", quoted(admin_text(config.admin)));
  if (!config.admin.token.empty()) out.value("token", quoted(kMaskedSecret));
  out.close();
  out.value("workers", count_or_auto(config.workers));
  out.value("max_connections", count_or_auto(config.max_connections));
  out.value("via", config.via ? "true" : "false");
  out.value("paths", quoted(to_string(config.paths)));
  const bool has_name = config.pool.name != PoolConfig{}.name;
  if (has_name) {
    out.open("pools", '{');
    out.open(config.pool.name, '{');
  }
  write_pool(out, config.pool);
  if (has_name) {
    out.close();
    out.close();
  }
  write_process(out, config);
  out.close();
  return out.take();
}

std::string example_config_text() {
  Config config = default_config(Command::serve);
  BackendSpec first;
  first.id = "n01-0";
  first.address = Address{"node01", 8000, false};
  BackendSpec second;
  second.id = "n01-1";
  second.address = Address{"node01", 8001, false};
  second.max_outstanding = 192;
  config.pool.backends = {first, second};
  DiscoverConfig discover;
  discover.file = "/shared/weir/*.json";
  config.pool.discover = {discover};
  return config_text(config, ConfigTextStyle{true});
}

}  // namespace weir
