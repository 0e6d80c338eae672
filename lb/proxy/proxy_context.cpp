#include "lb/proxy/proxy_context.h"

#include "lb/proxy/exchange.h"

namespace weir {
namespace {

constexpr size_t kSpareExchanges = 256;

}  // namespace

ProxyContext::ProxyContext(EventLoop& the_loop, Balancer& the_balancer, ConnectionPool& the_pool,
                           PlaceWaker& the_waker, ExchangeObserver& the_observer,
                           const ProxyOptions& the_options, BlockBudget& replay,
                           BlockBudget& output)
    : loop(the_loop),
      balancer(the_balancer),
      pool(the_pool),
      waker(the_waker),
      observer(the_observer),
      options(the_options),
      output_blocks(output),
      replay_blocks(replay),
      sweep_(the_loop.timers(), bind<&ProxyContext::on_sweep>(this)) {}

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

size_t ProxyContext::enter(Exchange& exchange) {
  active.push_back(&exchange);
  exchanges.store(static_cast<uint32_t>(active.size()), std::memory_order_relaxed);
  if (!sweep_.is_armed()) sweep_.start(kSweepEvery);
  return active.size() - 1;
}

Exchange* ProxyContext::leave(size_t place) {
  Exchange* const last = active.back();
  Exchange* const moved = place + 1 < active.size() ? last : nullptr;
  active[place] = last;
  active.pop_back();
  exchanges.store(static_cast<uint32_t>(active.size()), std::memory_order_relaxed);
  return moved;
}

void ProxyContext::on_sweep() {
  if (on_lag) on_lag(loop.refresh_now() - sweep_.due());
  // Backwards: an exchange that ends takes itself off the list.
  for (size_t i = active.size(); i-- > 0;) {
    if (i < active.size()) active[i]->check_silence();
  }
  if (!active.empty()) sweep_.start(kSweepEvery);
}

}  // namespace weir
