#include "discovery/static_discovery.h"

namespace weir {

StaticDiscovery::StaticDiscovery(TimerQueue& timers, std::string source,
                                 std::vector<BackendSpec> backends)
    : source_(std::move(source)),
      set_(std::make_shared<const BackendSet>(std::move(backends))),
      turn_(timers, bind<&StaticDiscovery::on_due>(this)) {}

void StaticDiscovery::start(BackendSetSink& sink) {
  sink_ = &sink;
  turn_.start(Duration::zero());
}

void StaticDiscovery::on_due() {
  sink_->publish(source_, set_, 0);
}

}  // namespace weir
