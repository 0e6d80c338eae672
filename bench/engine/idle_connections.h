// A worker's connections to the targets: idle ones, last in first out, kept for less time than
// uvicorn keeps them (5 s), and the making of new ones. Owned by its worker; loop thread only.
#pragma once

#include <memory>
#include <vector>

#include "bench/engine/load_options.h"
#include "lb/backend/backend_connection.h"

namespace weir {

class IdleConnections {
 public:
  IdleConnections(EventLoop& loop, const RunPlan& plan);
  ~IdleConnections();

  // An idle one (busy already) if there is one and `may_reuse`, else one that is connecting.
  std::unique_ptr<BackendConnection> get(uint16_t target, bool may_reuse,
                                         BackendConnectionUser& user);
  void give_back(std::unique_ptr<BackendConnection> connection);
  void discard(std::unique_ptr<BackendConnection> connection);
  void close_old();  // now and then

 private:
  void on_idle_event(BackendConnection* connection);

  EventLoop& loop_;
  const RunPlan& plan_;
  BlockPool blocks_;  // what is in flight bounds it
  std::vector<std::vector<std::unique_ptr<BackendConnection>>> idle_;  // by target, oldest first
};

}  // namespace weir
