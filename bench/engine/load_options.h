// One run of load: how much, for how long, at whom. Value types; shared read-only by all workers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/address.h"
#include "weir/policy_name.h"
#include "weir/timer.h"

#include "bench/engine/arrivals.h"
#include "bench/record/run_record.h"
#include "lb/backend/backend_connection.h"

namespace weir {

class Balancer;
class Work;

struct LoadOptions {
  LoadRecord::Kind kind = LoadRecord::Kind::open;
  ArrivalOptions arrivals;
  uint32_t concurrency = 0;  // closed loop: places; users
  double think_s = 0;        // users: mean of an exponential pause between sessions and turns
  double speed = 1;          // trace
  uint32_t requests = 0;     // 0 = no bound
  double duration_s = 0;     // 0 = no bound; one of the two bounds is there
  double warm_up_s = 0;
  double grace_s = 30;           // for what is in flight when --duration is over
  uint32_t max_in_flight = 0;    // of all workers together
  uint32_t asked_in_flight = 0;  // --max-inflight; 0 = as descriptors allow
  uint64_t seed = 0;
  uint32_t workers = 1;
  Duration request_timeout = std::chrono::minutes(10);
  Duration connect_timeout = std::chrono::seconds(5);
  bool kernel_times = true;
  bool stops_when_saturated = false;  // a step of a search

  std::string to_string() const;  // "64 in flight"
};

LoadRecord to_record(const LoadOptions& load);

// Somebody to send to. Direct ones are chosen among by a policy.
struct BenchTarget {
  TargetRecord::Role role = TargetRecord::Role::proxy;
  std::string name;
  std::string url;
  Address address;
  SocketAddresses addresses;
};

struct RunPlan {
  LoadOptions load;
  const Work* work = nullptr;
  std::vector<BenchTarget> targets;  // proxies, then direct ones
  Balancer* balancer = nullptr;      // of the direct ones; nullptr if there are none
  std::string id;                    // X-Request-Id is this and the request's index
  std::string fields;                // of each request's head: "Name: value\r\n"...

  size_t proxies() const;
};

}  // namespace weir
