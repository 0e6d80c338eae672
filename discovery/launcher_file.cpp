#include "discovery/launcher_file.h"

#include <algorithm>
#include <limits>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "discovery/backend_lines.h"

namespace weir {
namespace {

using Json = nlohmann::json;
using Read = Result<LauncherFile, LauncherFileProblem>;

constexpr int kFormatVersion = 1;

// One entry of a list went wrong: `where` is its JSON pointer.
LauncherFileProblem bad(std::string_view where, std::string_view why) {
  return {fmt::format("{}: {}", where.empty() ? "/" : where, why), 0, 0};
}

LauncherFileProblem with_position(std::string what, std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const size_t newline = before.rfind('\n');
  const size_t line = 1 + static_cast<size_t>(std::ranges::count(before, '\n'));
  const size_t column = 1 + before.size() - (newline == std::string_view::npos ? 0 : newline + 1);
  return {std::move(what), line, column};
}

// ---- values out of an object; one of the wrong type counts as absent

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

int64_t integer_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return 0;
  if (it->is_number_unsigned()) {
    const uint64_t value = it->get<uint64_t>();
    constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
    return static_cast<int64_t>(std::min(value, kMost));
  }
  return it->is_number_integer() ? it->get<int64_t>() : 0;
}

// A port as a number or a string of digits; 0 = none or bad.
uint16_t port_of(const Json& object) {
  const auto it = object.find("port");
  if (it == object.end()) return 0;
  if (it->is_number_integer()) {
    const int64_t value = integer_of(object, "port");
    return value >= 1 && value <= 65535 ? static_cast<uint16_t>(value) : uint16_t{0};
  }
  if (!it->is_string()) return 0;
  const Result<Address, Problem> address = parse_address("x:" + it->get<std::string>());
  return address ? address->port : uint16_t{0};
}

// host + port; IPv6 literals with or without brackets.
Result<Address, Problem> address_of(const std::string& host, uint16_t port) {
  const bool is_bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return parse_address(
      fmt::format("{}{}{}:{}", is_bare_ipv6 ? "[" : "", host, is_bare_ipv6 ? "]" : "", port));
}

// ---- lists found in the wild

struct ListDefaults {
  std::string model;
  std::string api_key;
};

// Reads JSON lists into `out`; the first bad entry ends it with `problem` filled.
class ListReader {
 public:
  explicit ListReader(LauncherFile* out) : out_(out) {}

  bool read_list(const Json& list, const std::string& where, const ListDefaults& defaults) {
    if (list.is_object()) return read_named(list, where, defaults);
    if (!list.is_array()) return fail(where, "expected an array of addresses");
    for (size_t i = 0; i < list.size(); ++i) {
      if (!read_entry(list[i], fmt::format("{}/{}", where, i), defaults)) return false;
    }
    return true;
  }

  bool read_entry(const Json& entry, const std::string& where, const ListDefaults& defaults) {
    if (entry.is_string()) return add(entry.get<std::string>(), where, Json::object(), defaults);
    if (!entry.is_object())
      return fail(where, "expected an address or an object with host and port");
    if (entry.contains("targets")) return read_targets(entry, where, defaults);
    for (const char* key : {"url", "base_url", "server_address", "address"}) {
      const std::string url = text_of(entry, key);
      if (!url.empty()) return add(url, where, entry, defaults);
    }
    const std::string host = text_of(entry, "host");
    const uint16_t port = port_of(entry);
    if (host.empty()) return fail(where, "no url and no host");
    if (port == 0) return fail(where, "port must be 1 to 65535");
    const Result<Address, Problem> address = address_of(host, port);
    if (!address) return fail(where, address.error().what);
    return add(to_string(*address), where, entry, defaults);
  }

  LauncherFileProblem problem;

 private:
  // {"r0": "host:8000", "r1": {"host": ..., "port": ...}}: the names are ids.
  bool read_named(const Json& object, const std::string& where, const ListDefaults& defaults) {
    for (auto it = object.begin(); it != object.end(); ++it) {
      Json entry = it->is_string() ? Json{{"url", *it}} : *it;
      if (entry.is_object() && !entry.contains("id")) entry["id"] = it.key();
      if (!read_entry(entry, fmt::format("{}/{}", where, it.key()), defaults)) return false;
    }
    return true;
  }

  // Prometheus: {"targets": ["host:8000"], "labels": {"model": "x"}}
  bool read_targets(const Json& entry, const std::string& where, ListDefaults defaults) {
    const auto labels = entry.find("labels");
    if (labels != entry.end() && labels->is_object()) {
      const std::string model = text_of(*labels, "model");
      if (!model.empty()) defaults.model = model;
    }
    const Json& targets = entry["targets"];
    if (!targets.is_array()) return fail(where + "/targets", "expected an array of addresses");
    for (size_t i = 0; i < targets.size(); ++i) {
      const std::string place = fmt::format("{}/targets/{}", where, i);
      if (!targets[i].is_string()) return fail(place, "expected host:port");
      if (!add(targets[i].get<std::string>(), place, Json::object(), defaults)) return false;
    }
    return true;
  }

  bool add(const std::string& url, const std::string& where, const Json& entry,
           const ListDefaults& defaults) {
    Result<std::vector<BackendSpec>, Problem> backends = expand_backend_url(url);
    if (!backends) return fail(where, backends.error().what);
    const std::string id =
        text_of(entry, "id").empty() ? text_of(entry, "name") : text_of(entry, "id");
    if (!id.empty() && backends->size() > 1) return fail(where, "an id for several backends");
    const std::string model =
        text_of(entry, "model").empty() ? defaults.model : text_of(entry, "model");
    const std::string key =
        text_of(entry, "api_key").empty() ? defaults.api_key : text_of(entry, "api_key");
    const int64_t weight = entry.contains("weight") ? integer_of(entry, "weight") : 1;
    if (weight < 1 || weight > 1000) return fail(where, "weight must be 1 to 1000");
    for (BackendSpec& spec : *backends) {
      if (!id.empty()) spec.id = id;
      if (!model.empty()) spec.models = {model};
      spec.api_key = key;
      spec.weight = static_cast<uint32_t>(weight);
      out_->backends.push_back(std::move(spec));
    }
    if (out_->backends.size() > kMaxListedBackends) {
      return fail("", fmt::format("more than {} backends", kMaxListedBackends));
    }
    return true;
  }

  bool fail(std::string_view where, std::string_view why) {
    problem = bad(where, why);
    return false;
  }

  LauncherFile* out_;
};

// ---- our own format

bool is_gone(std::string_view state) {
  return state == "failed" || state == "stopped" || state == "stopping";
}

PublishedReplica read_replica(const Json& in) {
  PublishedReplica out;
  out.id = text_of(in, "id");
  out.host = text_of(in, "host");
  out.port = port_of(in);
  out.node = text_of(in, "node");
  out.gpus = text_of(in, "gpus");
  out.step = text_of(in, "step");
  out.state = text_of(in, "state");
  out.since = integer_of(in, "since");
  return out;
}

PublishedRun read_run(const Json& in) {
  PublishedRun out;
  out.job = text_of(in, "job");
  out.owner = text_of(in, "owner");
  out.host = text_of(in, "host");
  out.pid = integer_of(in, "pid");
  out.started = integer_of(in, "started");
  out.end_time = integer_of(in, "end_time");
  out.heartbeat = integer_of(in, "heartbeat");
  const int64_t interval = integer_of(in, "heartbeat_interval");
  out.heartbeat_interval = static_cast<uint32_t>(std::clamp<int64_t>(interval, 0, 3600));
  const auto ended = in.find("ended");
  out.has_ended = ended != in.end() && ended->is_boolean() && ended->get<bool>();
  out.model = text_of(in, "model");
  out.url = text_of(in, "url");
  out.api_key = text_of(in, "api_key");
  return out;
}

Read read_published(const Json& in) {
  const int64_t version = integer_of(in, "weir_launch");
  if (version != kFormatVersion) {
    return bad("/weir_launch", fmt::format("format {} is unknown; this weir reads format {}",
                                           version, kFormatVersion));
  }
  LauncherFile out;
  out.is_published = true;
  out.run = read_run(in);
  const auto replicas = in.find("replicas");
  if (replicas == in.end() || !replicas->is_array()) return bad("/replicas", "expected an array");
  if (replicas->size() > kMaxListedBackends) {
    return bad("/replicas", fmt::format("more than {} replicas", kMaxListedBackends));
  }
  for (size_t i = 0; i < replicas->size(); ++i) {
    const Json& entry = (*replicas)[i];
    const std::string where = fmt::format("/replicas/{}", i);
    if (!entry.is_object()) return bad(where, "expected an object");
    PublishedReplica replica = read_replica(entry);
    if (replica.id.empty()) return bad(where, "no id");
    const bool has_address = !replica.host.empty() && replica.port != 0;
    const bool may_come = replica.state == "waiting" || replica.state == "starting";
    if (!out.run.has_ended && may_come) ++out.pending;
    if (!out.run.has_ended && has_address && !is_gone(replica.state)) {
      Result<Address, Problem> address = address_of(replica.host, replica.port);
      if (!address) return bad(where, address.error().what);
      BackendSpec spec;
      spec.id = replica.id;
      spec.address = std::move(*address);
      if (!out.run.model.empty()) spec.models = {out.run.model};
      spec.api_key = out.run.api_key;
      out.backends.push_back(std::move(spec));
    }
    out.run.replicas.push_back(std::move(replica));
  }
  return out;
}

Read read_object(const Json& in) {
  if (in.contains("weir_launch")) return read_published(in);
  LauncherFile out;
  ListReader reader(&out);
  const ListDefaults defaults{text_of(in, "model"), text_of(in, "api_key")};
  for (const char* key : {"backends", "servers", "endpoints", "urls"}) {
    const auto list = in.find(key);
    if (list == in.end()) continue;
    if (!reader.read_list(*list, fmt::format("/{}", key), defaults)) return reader.problem;
    return out;
  }
  const bool is_one = in.contains("url") || in.contains("base_url") ||
                      in.contains("server_address") || in.contains("host") ||
                      in.contains("targets");
  if (!is_one) return bad("", "no backends, servers, endpoints, urls, url or host in this object");
  if (!reader.read_entry(in, "", defaults)) return reader.problem;
  return out;
}

// nlohmann's own wording begins with its id and position: kept is what follows the last ": ".
std::string syntax_error(const Json::parse_error& error) {
  std::string_view what = error.what();
  const size_t begin = what.find("syntax error");
  if (begin != std::string_view::npos) what.remove_prefix(begin);
  return std::string(what.substr(0, 200));
}

Read read_json(std::string_view text) {
  try {
    const Json in = Json::parse(text, nullptr, true, /*ignore_comments=*/true);
    if (in.is_object()) return read_object(in);
    LauncherFile out;
    ListReader reader(&out);
    if (!reader.read_list(in, "", {})) return reader.problem;
    return out;
  } catch (const Json::parse_error& error) {
    return with_position(syntax_error(error), text, error.byte == 0 ? 0 : error.byte - 1);
  } catch (const Json::exception& error) {
    return bad("", error.what());
  }
}

// "[1]" is JSON, "[::1]:8000" is an address.
bool looks_like_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  text.remove_prefix(first);
  if (text[0] == '{' || text.starts_with("//") || text.starts_with("/*")) return true;
  if (text[0] != '[') return false;
  const size_t next = text.find_first_not_of(" \t\r\n", 1);
  return next == std::string_view::npos ||
         std::string_view("\"{[]/").find(text[next]) != std::string_view::npos;
}

}  // namespace

Result<LauncherFile, LauncherFileProblem> read_launcher_file(std::string_view text,
                                                             bool is_settled) {
  if (text.size() > kLargestLauncherFile) {
    return LauncherFileProblem{fmt::format("larger than {} bytes", kLargestLauncherFile), 0, 0};
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Read read = looks_like_json(text) ? read_json(text) : read_backend_lines(text, is_settled);
  if (!read) return read;
  if (std::string clash = describe_clash(read->backends); !clash.empty()) {
    return LauncherFileProblem{std::move(clash), 0, 0};
  }
  return read;
}

std::string launcher_file_text(const PublishedRun& run) {
  nlohmann::ordered_json out;
  out["weir_launch"] = kFormatVersion;
  out["job"] = run.job;
  out["owner"] = run.owner;
  out["host"] = run.host;
  out["pid"] = run.pid;
  out["started"] = run.started;
  out["end_time"] = run.end_time;
  out["heartbeat"] = run.heartbeat;
  out["heartbeat_interval"] = run.heartbeat_interval;
  out["ended"] = run.has_ended;
  out["model"] = run.model;
  out["url"] = run.url;
  out["api_key"] = run.api_key;
  out["replicas"] = nlohmann::ordered_json::array();
  for (const PublishedReplica& replica : run.replicas) {
    out["replicas"].push_back({{"id", replica.id},
                               {"host", replica.host},
                               {"port", replica.port},
                               {"node", replica.node},
                               {"gpus", replica.gpus},
                               {"step", replica.step},
                               {"state", replica.state},
                               {"since", replica.since}});
  }
  // Bytes that are no UTF-8 (a user's odd model name) are replaced, never thrown about.
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir
