// Asks each backend now and then, always over a fresh connection (only that tells whether its port
// still accepts), and tells the balancer what it found. Owned by the app, on one loop. A backend
// that is not well, or that failed an exchange, is asked more often; one that drains or is ejected
// goes on being asked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lb/backend/backend_connection.h"
#include "lb/balance/balancer.h"
#include "lb/http/head_parser.h"
#include "lb/http/head_scanner.h"

namespace weir {

struct ProberOptions {
  std::string path = "/health";  // empty: connecting is enough
  Duration interval = std::chrono::seconds(2);
  Duration fast_interval =
      std::chrono::milliseconds(500);  // until it is well again; refused is the face of loading
  Duration timeout = std::chrono::seconds(1);
};

struct ProbeTarget {
  BackendSerial serial = 0;
  uint32_t slot = 0;
  std::string host;           // for the Host field
  SocketAddresses addresses;  // none: its name does not resolve
};

class Prober {
 public:
  Prober(EventLoop& loop, Balancer& balancer, const ProberOptions& options);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober();

  // The targets from now on; new ones are asked at once, known serials keep their rhythm.
  void set_targets(std::vector<ProbeTarget> targets);
  // Trouble was seen: ask now, and fast for a while. May be called for every exchange that fails.
  void hurry(BackendSerial serial);

 private:
  class Probe;
  EventLoop& loop_;
  Balancer& balancer_;
  ProberOptions options_;
  BlockPool blocks_;
  http::HeadParser parser_;
  std::vector<std::unique_ptr<Probe>> probes_;
};

}  // namespace weir
