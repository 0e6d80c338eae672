// Every setting of the balancer as a plain value, with its default; lb/config fills it from a file,
// lb/cli from flags, lb/app consumes it. Durations carry their unit in the type and zero means "no
// limit" where the comment says so; sizes are bytes. Value type, any thread; immutable once the
// process serves.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "weir/address.h"
#include "weir/backend.h"
#include "weir/log.h"
#include "weir/policy_name.h"
#include "weir/subnet.h"
#include "weir/timer.h"

namespace weir {

inline constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

// The command that runs the balancer; it decides the defaults (default_config) and what the status
// shows.
enum class Command : uint8_t { serve, reverse_proxy, urls, launch };
std::string_view to_string(
    Command command) noexcept;  // "serve" (with URLs too), "reverse-proxy", "launch"

// Which request paths are forwarded.
enum class PathSet : uint8_t {
  inference,   // the known inference paths only
  all,         // everything but engine control and development
  unsafe_all,  // those too
};
std::string_view to_string(PathSet paths) noexcept;

enum class WhenNoneReady : uint8_t {
  refuse,              // 503 at once
  wait_while_pending,  // wait as long as the discovery says that backends may still come
};

enum class HalfClose : uint8_t {
  abort,   // a client's FIN means it left
  ignore,  // its answer is still sent
};
std::string_view to_string(HalfClose half_close) noexcept;

// What an answer with finish_reason "abort", which the client did not cause, becomes.
enum class AbortedAnswer : uint8_t { error, pass };
std::string_view to_string(AbortedAnswer aborted) noexcept;

struct ListenerConfig {
  Address address{"127.0.0.1", 8080, false};         // empty host: all addresses
  Duration request_head = std::chrono::seconds(10);  // from the first byte of a head to its end
  Duration request_body = std::chrono::seconds(30);  // between two reads of a request body
  Duration idle = std::chrono::seconds(75);          // of a connection between two requests
  size_t max_head = 32 * 1024;                       // bytes of a request head
  HalfClose client_half_close = HalfClose::abort;
  Duration write_stall = std::chrono::seconds(60);  // a client that takes nothing of its answer
  std::vector<Subnet> trusted_proxies;  // whose X-Forwarded-* are kept and extended, not replaced
  bool operator==(const ListenerConfig&) const = default;
};

struct AdminConfig {
  enum class Where : uint8_t { own_socket, address, off };
  Where where =
      Where::own_socket;  // own_socket: admin_socket_path() in this user's run-time directory
  Address address;        // when `address`
  std::string instance;   // names the own socket; empty = the pid
  std::string token;      // asked of a POST over TCP; empty = one is made at start
  bool operator==(const AdminConfig&) const = default;
};

struct QueueConfig {
  size_t limit = 2000;                          // waiting requests; kUnlimited = as memory allows
  Duration timeout = std::chrono::seconds(30);  // zero = none
  bool operator==(const QueueConfig&) const = default;
};

struct TimeoutConfig {
  Duration connect = std::chrono::seconds(2);
  Duration first_byte =
      std::chrono::minutes(10);  // from the request to the first byte of its answer; zero = none
  Duration between_bytes = std::chrono::minutes(2);  // of an answer; zero = none
  Duration request{};  // one deadline for all attempts, until the answer begins; zero = none
  Duration hold = std::chrono::seconds(60);  // of an event stream's head, for its first event
  Duration tunnel = std::chrono::hours(1);   // of an upgraded connection without traffic
  bool operator==(const TimeoutConfig&) const = default;
};

struct RetryConfig {
  uint32_t attempts = 2;  // sends of one request, the first included
  double budget = 0.2;    // second sends per request, in the long run; 0 = none but the reserve
  bool operator==(const RetryConfig&) const = default;
};

// When requests themselves show that a backend is ill.
struct EjectConfig {
  uint32_t failures = 5;  // gateway-class ones in a row that take it out; 0 = never
  Duration base = std::chrono::seconds(10);  // out for so long the first time, then twice that …
  Duration most = std::chrono::minutes(5);   // … up to this
  bool operator==(const EjectConfig&) const = default;
};

struct HealthConfig {
  std::string path = "/health";  // empty = no probes
  Duration interval = std::chrono::seconds(2);
  Duration timeout = std::chrono::seconds(1);
  uint32_t rise = 1;                                        // good probes in a row that make ready
  uint32_t fall = 3;                                        // bad probes in a row that make down
  Duration fast_interval = std::chrono::milliseconds(500);  // after trouble, and while not ready
  Duration slow_start = std::chrono::seconds(10);  // of a backend that comes back; zero = none
  Duration stuck_after = std::chrono::minutes(1);  // no byte while its peers send; zero = never
  EjectConfig eject;
  bool operator==(const HealthConfig&) const = default;
};

struct DiscoverConfig {
  std::string file;  // a launcher file, a pattern of them, or a directory
  Duration interval = std::chrono::seconds(2);  // between two looks at it
  std::vector<uint32_t> owners;                 // uids whose files are believed, beside our own
  bool operator==(const DiscoverConfig&) const = default;
};

// One change to a head: `name: value` is set, or all lines called `name` are removed; `add` keeps
// those that are there.
struct HeaderRule {
  enum class Kind : uint8_t { set, add, remove };
  Kind kind = Kind::set;
  std::string name;
  std::string value;
  bool operator==(const HeaderRule&) const = default;
};

struct PoolConfig {
  std::string name = "default";
  PolicyName policy = PolicyName::least_outstanding;
  uint32_t max_outstanding_per_backend = 256;  // requests at one backend at once; 0 = no bound
  QueueConfig queue;
  TimeoutConfig timeouts;
  RetryConfig retry;
  HealthConfig health;
  AbortedAnswer abort = AbortedAnswer::error;
  std::vector<BackendSpec> backends;     // written down; may be empty when something is discovered
  std::vector<DiscoverConfig> discover;  // followed while running
  std::vector<HeaderRule> header_up;     // to the request, on its way to the backend
  std::vector<HeaderRule> header_down;   // to the response, on its way to the client
  bool change_host_header = false;       // Host becomes the backend's address
  WhenNoneReady when_none_ready = WhenNoneReady::refuse;  // by the command; not a key
  bool operator==(const PoolConfig&) const = default;
};

struct ReplayConfig {
  size_t per_request = 8 * 1024 * 1024;  // bytes of a body kept so that it can be sent again
  size_t total = 256 * 1024 * 1024;      // of all requests of the process
  bool operator==(const ReplayConfig&) const = default;
};

struct AccessLogConfig {
  enum class Output : uint8_t { off, out, err, file };
  Output output = Output::off;
  std::string path;  // when `file`
  bool operator==(const AccessLogConfig&) const = default;
};

struct LogConfig {
  LogLevel level = LogLevel::info;
  AccessLogConfig access;
  bool operator==(const LogConfig&) const = default;
};

struct DrainConfig {
  Duration timeout =
      std::chrono::minutes(10);  // for running exchanges after SIGTERM; zero = end at once
  bool operator==(const DrainConfig&) const = default;
};

struct Config {
  Command command = Command::serve;
  std::string source;  // the file this was read from; empty = the command line alone
  std::vector<ListenerConfig> listen{ListenerConfig{}};
  AdminConfig admin;
  PathSet paths = PathSet::inference;
  uint32_t workers = 0;  // event loops; 0 = one for each CPU this process may use, 4 at most
  uint32_t max_connections = 0;  // of clients; 0 = what the descriptor limit allows
  bool via = false;              // "Via: 1.1 weir" in both directions
  PoolConfig pool;               // exactly one in this version
  ReplayConfig replay;
  LogConfig log;
  DrainConfig drain;
  bool operator==(const Config&) const = default;
};

// The defaults of a command. serve is a service that refuses in time; with the others nobody is
// refused for waiting.
Config default_config(Command command);

}  // namespace weir
