// A launch with everything known that can be known before something is started, and what follows
// from it: how replicas are started, what the terminal can do, what the world is told. Value type;
// main thread.
#pragma once

#include <memory>
#include <string>

#include "discovery/launcher_file.h"
#include "discovery/replica_set.h"
#include "lb/launch/launch_layout.h"
#include "lb/launch/launch_options.h"
#include "lb/launch/live_lines.h"

namespace weir {

class EventLoop;

struct LaunchSetting {
  LaunchOptions options;  // its Config with listeners filled in
  RunLayout layout;
  Environment environment;      // ours
  std::string key;              // of the run
  std::string own_host;         // the address by which other nodes reach us; may be empty
  bool ignores_hangup = false;  // started by nohup
};

std::unique_ptr<ReplicaStarter> make_starter(EventLoop& loop, const LaunchSetting& setting);
ReplicaSetOptions replica_set_options(const LaunchSetting& setting);
LiveLinesOptions live_lines_options(const Environment& environment);  // of our standard error
std::string host_name();

// What clients on this host are given: ends in /v1.
std::string base_url(Address address);

PublishedRun published_run(const LaunchSetting& setting, const ReplicaSet& replicas,
                           const std::string& url, TimePoint now);

}  // namespace weir
