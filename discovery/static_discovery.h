// The backends written in the config, as a source: published once. Owned by lb/app. Loop thread
// only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "weir/discovery.h"
#include "weir/timer.h"

namespace weir {

class StaticDiscovery final : public Discovery {
 public:
  StaticDiscovery(TimerQueue& timers, std::string source, std::vector<BackendSpec> backends);

  void start(BackendSetSink& sink) override;

 private:
  void on_due();

  const std::string source_;
  const std::shared_ptr<const BackendSet> set_;
  BackendSetSink* sink_ = nullptr;
  Timer turn_;
};

}  // namespace weir
