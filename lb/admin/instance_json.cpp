#include "lb/admin/instance_json.h"

#include <array>
#include <chrono>

#include <nlohmann/json.hpp>

#include "lb/observe/version.h"

namespace weir {
namespace {

using json = nlohmann::ordered_json;

double seconds(Duration span) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(span).count()) /
         1000.0;
}

Duration span_of(const json& object, const char* key) {
  const double value = object.value(key, 0.0);
  return std::chrono::milliseconds(
      static_cast<int64_t>(std::min(std::max(value, 0.0), 1e9) * 1000.0));
}

json of_backend(const BackendView& view) {
  json out;
  out["id"] = view.id;
  out["address"] = view.address;
  out["state"] = to_string(view.state);
  out["reason"] = view.reason;
  out["state_seconds"] = seconds(view.in_state);
  out["outstanding"] = view.outstanding;
  out["answering"] = view.answering;
  out["max_outstanding"] = view.max_outstanding == 0 ? json() : json(view.max_outstanding);
  out["served"] = view.served;
  out["failures"] = view.failures;
  out["weight"] = view.weight;
  out["share_percent"] = view.share;
  out["ejections"] = view.ejections;
  out["on_trial"] = view.is_tried;
  out["declines"] = view.declines;
  return out;
}

json of_pool(const PoolView& view) {
  json out;
  out["name"] = view.name;
  out["policy"] = view.policy;
  size_t ready = 0;
  for (const BackendView& backend : view.backends)
    ready += backend.state == BackendStateName::ready ? 1 : 0;
  out["ready"] = ready;
  out["pending"] = view.pending;
  json& waiting = out["waiting"];
  waiting["length"] = view.waiting.length;
  waiting["limit"] =
      view.waiting.limit == WaitingRoomView::kNoLimit ? json() : json(view.waiting.limit);
  waiting["oldest_seconds"] = seconds(view.waiting.oldest);
  out["backends"] = json::array();
  for (const BackendView& backend : view.backends) out["backends"].push_back(of_backend(backend));
  return out;
}

json of_replica(const ReplicaView& view) {
  json out;
  out["id"] = view.id;
  out["node"] = view.node;
  out["gpus"] = view.gpus;
  out["state"] = view.state;
  out["note"] = view.note;
  out["log_file"] = view.log_file;
  out["state_seconds"] = seconds(view.in_state);
  out["restarts"] = view.restarts;
  return out;
}

BackendStateName state_of(const std::string& text) {
  constexpr std::array<BackendStateName, 9> kStates{
      BackendStateName::starting, BackendStateName::loading, BackendStateName::untried,
      BackendStateName::ready,    BackendStateName::suspect, BackendStateName::ejected,
      BackendStateName::draining, BackendStateName::down,    BackendStateName::failed};
  for (const BackendStateName state : kStates) {
    if (to_string(state) == text) return state;
  }
  return BackendStateName::untried;
}

// A number that may be null: no bound.
uint64_t bound_of(const json& object, const char* key, uint64_t none) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? none : found->get<uint64_t>();
}

BackendView to_backend(const json& in) {
  BackendView out;
  out.id = in.value("id", "");
  out.address = in.value("address", "");
  out.state = state_of(in.value("state", ""));
  out.reason = in.value("reason", "");
  out.in_state = span_of(in, "state_seconds");
  out.outstanding = in.value("outstanding", uint64_t{0});
  out.answering = in.value("answering", uint64_t{0});
  out.max_outstanding = bound_of(in, "max_outstanding", 0);
  out.served = in.value("served", uint64_t{0});
  out.failures = in.value("failures", uint64_t{0});
  out.weight = in.value("weight", 1U);
  out.share = in.value("share_percent", 100U);
  out.ejections = in.value("ejections", 0U);
  out.is_tried = in.value("on_trial", false);
  out.declines = in.value("declines", false);
  return out;
}

PoolView to_pool(const json& in) {
  PoolView out;
  out.name = in.value("name", "");
  out.policy = in.value("policy", "");
  out.pending = in.value("pending", size_t{0});
  const json waiting = in.value("waiting", json::object());
  out.waiting.length = waiting.value("length", size_t{0});
  out.waiting.limit = bound_of(waiting, "limit", WaitingRoomView::kNoLimit);
  out.waiting.oldest = span_of(waiting, "oldest_seconds");
  for (const json& backend : in.value("backends", json::array()))
    out.backends.push_back(to_backend(backend));
  return out;
}

ReplicaView to_replica(const json& in) {
  ReplicaView out;
  out.id = in.value("id", "");
  out.node = in.value("node", "");
  out.gpus = in.value("gpus", "");
  out.state = in.value("state", "");
  out.note = in.value("note", "");
  out.log_file = in.value("log_file", "");
  out.in_state = span_of(in, "state_seconds");
  out.restarts = in.value("restarts", 0U);
  return out;
}

InstanceView to_instance(const json& in) {
  InstanceView out;
  out.pid = in.value("pid", 0);
  out.instance = in.value("instance", "");
  out.command = in.value("command", "");
  const json config = in.value("config", json::object());
  out.config_source = config.value("source", "");
  out.config_generation = config.value("generation", uint64_t{1});
  out.listeners = in.value("listeners", std::vector<std::string>());
  out.uptime = span_of(in, "uptime_seconds");
  out.is_draining = in.value("draining", false);
  out.client_connections = in.value("client_connections", uint64_t{0});
  out.idle_backend_connections = in.value("idle_backend_connections", uint64_t{0});
  out.in_flight = in.value("in_flight", uint64_t{0});
  for (const json& worker : in.value("workers", json::array())) {
    out.workers.push_back(
        {worker.value("clients", uint64_t{0}), worker.value("exchanges", uint64_t{0})});
  }
  for (const json& pool : in.value("pools", json::array())) out.pools.push_back(to_pool(pool));
  for (const json& replica : in.value("replicas", json::array()))
    out.replicas.push_back(to_replica(replica));
  return out;
}

}  // namespace

std::string instance_json(const InstanceView& view) {
  json out;
  out["version"] = version();
  out["pid"] = view.pid;
  out["instance"] = view.instance;
  out["command"] = view.command;
  out["config"] = {{"source", view.config_source}, {"generation", view.config_generation}};
  out["listeners"] = view.listeners;
  out["uptime_seconds"] = seconds(view.uptime);
  out["draining"] = view.is_draining;
  out["client_connections"] = view.client_connections;
  out["idle_backend_connections"] = view.idle_backend_connections;
  out["in_flight"] = view.in_flight;
  out["workers"] = json::array();
  for (const WorkerView& worker : view.workers)
    out["workers"].push_back({{"clients", worker.clients}, {"exchanges", worker.exchanges}});
  out["pools"] = json::array();
  for (const PoolView& pool : view.pools) out["pools"].push_back(of_pool(pool));
  out["replicas"] = json::array();
  for (const ReplicaView& replica : view.replicas) out["replicas"].push_back(of_replica(replica));
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Problem parse_refusal(std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  const json error = answer.is_object() ? answer.value("error", json()) : json();
  const auto text = [&error](const char* key) {
    const auto found = error.is_object() ? error.find(key) : error.end();
    return found != error.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (const std::string message = text("message"); !message.empty()) return {message, text("help")};
  return {std::string(body.substr(0, std::min(body.find('\n'), size_t{200}))), ""};
}

Result<InstanceView, Problem> parse_instance(std::string_view text) {
  try {
    return to_instance(json::parse(text));
  } catch (const json::exception& error) {
    return Problem{std::string("the answer is not weir's status: ") + error.what(),
                   "check that a weir listens at that address"};
  }
}

}  // namespace weir
