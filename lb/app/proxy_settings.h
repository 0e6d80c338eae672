// The Config in the words of the layers that carry it out. Pure.
#pragma once

#include "lb/backend/connection_pool.h"
#include "lb/backend/prober.h"
#include "lb/balance/balancer.h"
#include "lb/config/config.h"
#include "lb/proxy/proxy_options.h"

namespace weir {

ProxyOptions proxy_options(const Config& config, const std::string& required_key);
BalancerOptions balancer_options(const Config& config);
ConnectionPoolOptions pool_options(const Config& config);
ProberOptions prober_options(const Config& config);

}  // namespace weir
