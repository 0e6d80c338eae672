#include "lb/config/pool_reader.h"

#include <pwd.h>

#include <algorithm>
#include <array>

#include "lb/config/backend_list.h"
#include "lb/config/header_rule.h"
#include "lb/config/secret_text.h"
#include "lb/config/setting_text.h"
#include "lb/config/units.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr size_t kMostRules = 64;
constexpr size_t kMostSources = 64;

void read_backend_object(ConfigReader in, std::vector<BackendSpec>& out) {
  std::vector<BackendSpec> specs;
  if (!in.has("url"))
    in.mistake_at(in.place(), in.path_of("url") + " is missing", "write \"http://host:port\"");
  in.text("url", specs, &expand_backends);
  BackendSpec like;
  in.text("name", like.id, &parse_name);
  in.count("weight", like.weight, 1, 1000);
  in.count("max_outstanding", like.max_outstanding, 1, 1'000'000);
  in.text("api_key", like.api_key, &read_secret);
  if (specs.size() > 1 && !like.id.empty()) {
    in.mistake("name", "one name for " + std::to_string(specs.size()) + " backends",
               "leave it out: each is called host:port");
  }
  for (BackendSpec& spec : specs) {
    if (!like.id.empty()) spec.id = like.id;
    spec.weight = like.weight;
    spec.max_outstanding = like.max_outstanding;
    spec.api_key = like.api_key;
    out.push_back(std::move(spec));
  }
  constexpr std::array<std::string_view, 1> kLater{"models"};
  in.reject_unknown_keys(kLater);
}

// One element: the string "http://a:8000", or an object with "url". Two of one name are a mistake
// at the second.
void read_backend(const JsonNode& item, const std::string& path, std::vector<JsonMistake>& mistakes,
                  std::vector<BackendSpec>& out) {
  ConfigReader in(item, path, mistakes);
  std::vector<BackendSpec> specs;
  if (item.kind == JsonNode::Kind::string) {
    Result<std::vector<BackendSpec>, Problem> expanded = expand_backends(item.text);
    if (expanded) specs = std::move(*expanded);
    if (!expanded)
      in.mistake_at(item.place, path + ": " + expanded.error().what, expanded.error().help);
  } else if (item.kind == JsonNode::Kind::object) {
    read_backend_object(in, specs);
  } else {
    in.mistake_at(item.place, path + ": expected a URL or an object, got " + kind_text(item));
  }
  for (BackendSpec& spec : specs) {
    const bool is_double = std::ranges::any_of(out, [&spec](const BackendSpec& other) {
      return other.id == spec.id || other.address == spec.address;
    });
    if (is_double) {
      in.mistake_at(item.place, path + ": backend " + spec.id + " is there twice",
                    "keep one of them; \"weight\" gives it more");
      continue;
    }
    out.push_back(std::move(spec));
  }
}

void read_backends(ConfigReader& in, std::vector<JsonMistake>& mistakes, PoolConfig& pool) {
  if (!in.has("backends")) return;
  pool.backends.clear();
  size_t index = 0;
  for (const JsonNode* item : in.array("backends")) {
    read_backend(*item, in.path_of("backends") + "[" + std::to_string(index++) + "]", mistakes,
                 pool.backends);
    if (pool.backends.size() > kMostBackends) {
      in.mistake("backends", "more than " + std::to_string(kMostBackends) + " backends");
      return;
    }
  }
}

Result<uint32_t, Problem> owner(const JsonNode& item) {
  if (item.kind == JsonNode::Kind::integer) {
    const Result<uint64_t, Problem> uid = parse_count(item.text, 0, 4'294'967'294U);
    if (uid) return static_cast<uint32_t>(*uid);
    return uid.error();
  }
  const passwd* user =
      item.kind == JsonNode::Kind::string ? ::getpwnam(item.text.c_str()) : nullptr;
  if (user != nullptr) return static_cast<uint32_t>(user->pw_uid);
  return Problem{"no such user: " + kind_text(item), "write a user's name or uid"};
}

DiscoverConfig read_discover(ConfigReader in) {
  DiscoverConfig out;
  if (!in.has("file"))
    in.mistake_at(in.place(), in.path_of("file") + " is missing",
                  "write the path of a launcher file");
  in.text("file", out.file, &parse_discover);
  in.duration("interval", out.interval, milliseconds(100), hours(1));
  for (const JsonNode* item : in.array("owners")) {
    const Result<uint32_t, Problem> uid = owner(*item);
    if (uid) out.owners.push_back(*uid);
    if (!uid)
      in.mistake_at(item->place, in.path_of("owners") + ": " + uid.error().what, uid.error().help);
  }
  in.reject_unknown_keys();
  return out;
}

// One object, or an array of them.
void read_discovers(ConfigReader& in, std::vector<JsonMistake>& mistakes, PoolConfig& pool) {
  const JsonNode* node = in.value("discover");
  if (node == nullptr) return;
  pool.discover.clear();
  std::vector<const JsonNode*> items{node};
  if (node->kind == JsonNode::Kind::array) items = in.array("discover");
  for (const JsonNode* item : items) {
    if (item->kind != JsonNode::Kind::object) {
      in.mistake_at(item->place,
                    in.path_of("discover") + ": expected an object, got " + kind_text(*item),
                    "write {\"file\": PATH}");
      continue;
    }
    if (pool.discover.size() >= kMostSources) {
      in.mistake("discover", "more than " + std::to_string(kMostSources) + " sources");
      return;
    }
    pool.discover.push_back(read_discover(ConfigReader(*item, in.path_of("discover"), mistakes)));
  }
}

void read_rules(ConfigReader& in, std::string_view key, std::vector<HeaderRule>& rules) {
  if (!in.has(key)) return;
  rules.clear();
  for (const JsonNode* item : in.array(key)) {
    if (item->kind != JsonNode::Kind::string) {
      in.mistake_at(item->place, in.path_of(key) + ": expected a string, got " + kind_text(*item));
      continue;
    }
    const Result<HeaderRule, Problem> rule = parse_header_rule(item->text);
    if (rule) rules.push_back(*rule);
    if (!rule)
      in.mistake_at(item->place, in.path_of(key) + ": " + rule.error().what, rule.error().help);
  }
  if (rules.size() > kMostRules)
    in.mistake(key, "more than " + std::to_string(kMostRules) + " rules");
}

// "off", or {failures, base, most}.
void read_eject(ConfigReader& in, EjectConfig& out) {
  const JsonNode* node = in.value("eject");
  if (node == nullptr) return;
  if (node->kind == JsonNode::Kind::string && node->text == "off") {
    out = EjectConfig{};
    out.failures = 0;
    return;
  }
  if (node->kind != JsonNode::Kind::object) {
    in.mistake("eject", "expected an object, got " + kind_text(*node),
               "write {\"failures\": 5}, or \"off\"");
    return;
  }
  std::optional<ConfigReader> eject = in.object("eject");
  eject->count("failures", out.failures, 1, 1000);
  eject->duration("base", out.base, milliseconds(100), hours(24));
  eject->duration("most", out.most, milliseconds(100), hours(24));
  eject->reject_unknown_keys();
}

void read_health(ConfigReader& in, HealthConfig& out) {
  in.text("path", out.path, &parse_health_path);
  in.duration("interval", out.interval, milliseconds(50), hours(1));
  in.duration("timeout", out.timeout, milliseconds(10), minutes(10));
  in.count("rise", out.rise, 1, 1000);
  in.count("fall", out.fall, 1, 1000);
  in.duration("fast_interval", out.fast_interval, milliseconds(50), hours(1));
  in.text("slow_start", out.slow_start, &parse_time_limit);
  in.text("stuck_after", out.stuck_after, &parse_time_limit);
  read_eject(in, out.eject);
}

void read_parts(ConfigReader& in, PoolConfig& out) {
  if (std::optional<ConfigReader> queue = in.object("queue")) {
    queue->text_or_number("limit", out.queue.limit, &parse_queue_limit);
    queue->text("timeout", out.queue.timeout, &parse_time_limit);
    queue->reject_unknown_keys();
  }
  if (std::optional<ConfigReader> timeouts = in.object("timeouts")) {
    timeouts->duration("connect", out.timeouts.connect, milliseconds(10), minutes(10));
    timeouts->text("first_byte", out.timeouts.first_byte, &parse_time_limit);
    timeouts->text("between_bytes", out.timeouts.between_bytes, &parse_time_limit);
    timeouts->text("request", out.timeouts.request, &parse_time_limit);
    timeouts->duration("hold", out.timeouts.hold, Duration::zero(), hours(1));
    timeouts->text("tunnel", out.timeouts.tunnel, &parse_time_limit);
    timeouts->reject_unknown_keys();
  }
  if (std::optional<ConfigReader> retry = in.object("retry")) {
    retry->count("attempts", out.retry.attempts, 1, 10);
    retry->share("budget", out.retry.budget);
    retry->reject_unknown_keys();
  }
  if (std::optional<ConfigReader> health = in.object("health")) {
    read_health(*health, out.health);
    health->reject_unknown_keys();
  }
}

}  // namespace

void read_pool(ConfigReader& in, std::vector<JsonMistake>& mistakes, PoolConfig& out) {
  in.text("policy", out.policy, &parse_policy);
  in.text_or_number("max_outstanding_per_backend", out.max_outstanding_per_backend,
                    &parse_max_outstanding);
  read_parts(in, out);
  in.text("abort", out.abort, &parse_aborted_answer);
  read_backends(in, mistakes, out);
  read_discovers(in, mistakes, out);
  read_rules(in, "header_up", out.header_up);
  read_rules(in, "header_down", out.header_down);
  in.flag("change_host_header", out.change_host_header);
}

}  // namespace weir
