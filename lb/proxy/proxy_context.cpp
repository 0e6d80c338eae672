#include "lb/proxy/proxy_context.h"

#include "lb/proxy/exchange.h"

namespace weir {
namespace {

constexpr size_t kSpareExchanges = 256;
constexpr size_t kOutputLimit =
    size_t{1} << 30;  // of all clients of this worker; each is paused at kHighWater

}  // namespace

ProxyContext::ProxyContext(EventLoop& the_loop, Balancer& the_balancer, ConnectionPool& the_pool,
                           PlaceWaker& the_waker, ExchangeObserver& the_observer,
                           const ProxyOptions& the_options, size_t replay_total)
    : loop(the_loop),
      balancer(the_balancer),
      pool(the_pool),
      waker(the_waker),
      observer(the_observer),
      options(the_options),
      output_blocks(kOutputLimit),
      replay_blocks(replay_total) {}

ProxyContext::~ProxyContext() = default;

std::unique_ptr<Exchange> ProxyContext::take_exchange() {
  if (spare_.empty()) return std::make_unique<Exchange>(*this);
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void ProxyContext::give_back(std::unique_ptr<Exchange> exchange) {
  if (spare_.size() < kSpareExchanges) {
    spare_.push_back(std::move(exchange));
  } else {
    loop.retire(std::move(exchange));
  }
}

}  // namespace weir
