#include "lb/cli/published_view.h"

#include <algorithm>
#include <chrono>

namespace weir {
namespace {

constexpr int64_t kMissedHeartbeats = 3;
constexpr int64_t kHeartbeatUnknown = 60;

Duration since(int64_t then, int64_t now) {
  return then <= 0 ? Duration::zero() : std::chrono::seconds(std::max<int64_t>(now - then, 0));
}

BackendStateName backend_state(const std::string& state) {
  if (state == "ready") return BackendStateName::ready;
  if (state == "loading") return BackendStateName::loading;
  if (state == "failed") return BackendStateName::failed;
  return BackendStateName::starting;
}

}  // namespace

InstanceView view_of(const PublishedRun& run, int64_t now) {
  InstanceView view;
  view.pid = static_cast<int>(run.pid);
  view.instance = run.job;
  view.command = "launch of " + run.owner + " at " + run.host;
  view.uptime = since(run.started, now);
  if (!run.url.empty()) view.listeners.push_back(run.url);
  PoolView pool;
  pool.name = run.model.empty() ? "default" : run.model;
  pool.policy =
      "as published " + std::to_string(std::max<int64_t>(now - run.heartbeat, 0)) + "s ago";
  for (const PublishedReplica& replica : run.replicas) {
    ReplicaView one;
    one.id = replica.id;
    one.node = replica.node;
    one.gpus = replica.gpus;
    one.state = replica.state;
    one.in_state = since(replica.since, now);
    view.replicas.push_back(std::move(one));
    BackendView backend;
    backend.id = replica.id;
    if (!replica.host.empty())
      backend.address = to_string(Address{replica.host, replica.port, false});
    backend.state = backend_state(replica.state);
    backend.reason = backend.address.empty() ? "no address yet" : backend.address;
    backend.in_state = since(replica.since, now);
    pool.backends.push_back(std::move(backend));
  }
  view.pools.push_back(std::move(pool));
  return view;
}

std::string ended_text(const PublishedRun& run, int64_t now) {
  if (run.has_ended) return "the run has ended";
  const int64_t interval = run.heartbeat_interval == 0 ? kHeartbeatUnknown : run.heartbeat_interval;
  const int64_t silence = now - run.heartbeat;
  if (silence <= kMissedHeartbeats * interval) return {};
  return "the file has not been written for " + std::to_string(silence) + " s: the run is gone";
}

}  // namespace weir
