// The simulated world, and its backends.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/balance/balance_sim.h"

namespace weir::sim {

World::World(const Settings& settings)
    : settings_(settings),
      random_(settings.seed),
      options_(make_options(settings, random_)),
      is_prompt_(settings.seed % 4 != 0),
      timers_(TimePoint(1h)),
      balancer_(options_, this),
      trouble_(timers_, bind<&World::on_trouble>(this)),
      probe_(timers_, bind<&World::on_probe>(this)),
      watch_(timers_, bind<&World::on_watch>(this)),
      bytes_(timers_, bind<&World::on_bytes>(this)) {
  for (auto& worker : workers_) worker = std::make_unique<Worker>(*this);
  for (uint64_t count = 2 + below(6); count > 0; --count) add_backend();
  publish();
  for (size_t i = 0; i < settings_.clients; ++i) {
    clients_.push_back(std::make_unique<Client>(*this, *workers_[i % workers_.size()]));
    clients_.back()->think();
  }
  trouble_.start(about(settings_.pace / 9));
  probe_.start(2s);
  watch_.start(kWatchEvery);
  bytes_.start(settings_.pace / 60);
}

World::~World() {
  clients_.clear();
}

BalancerOptions World::make_options(const Settings& settings, std::mt19937_64& random) {
  BalancerOptions options;
  const auto one_in = [&random](uint64_t n) { return random() % n == 0; };
  if (one_in(4)) options.policy = static_cast<PolicyName>(random() % 4);
  const auto cap = static_cast<uint32_t>(1 + random() % (settings.clients / 6));
  options.max_outstanding = one_in(4) ? 0 : cap;
  if (one_in(2)) options.queue_limit = random() % settings.clients;
  const auto tenths = static_cast<Duration::rep>(1 + random() % 10);
  if (one_in(2)) options.queue_timeout = settings.pace * tenths / 10;
  options.waits_for_backends = one_in(2);
  options.tries_unprobed = one_in(2);
  HealthOptions& health = options.health;
  health.rise = static_cast<int>(1 + random() % 2);
  health.fall = static_cast<int>(1 + random() % 4);
  health.eject_failures = one_in(5) ? 0 : static_cast<uint32_t>(1 + random() % 5);
  health.eject_base = settings.pace / static_cast<Duration::rep>(1 + random() % 20);
  health.eject_most = health.eject_base * static_cast<Duration::rep>(1 + random() % 20);
  if (!one_in(4)) health.slow_start = settings.pace / static_cast<Duration::rep>(1 + random() % 9);
  if (!one_in(4)) health.stuck_after = settings.pace / static_cast<Duration::rep>(1 + random() % 9);
  options.retry_budget = 0.01 * static_cast<double>(random() % 30);
  options.seed = random();
  return options;
}

std::string World::describe() const {
  return "WEIR_SEED=" + std::to_string(settings_.seed) + " with " +
         std::to_string(settings_.clients) + " clients: policy " +
         std::string(to_string(options_.policy)) + ", cap " +
         std::to_string(options_.max_outstanding) + ", queue " +
         std::to_string(options_.queue_limit) +
         (options_.waits_for_backends ? ", waits for backends" : "") +
         (is_prompt_ ? "" : ", workers collect late");
}

void World::run() {
  const TimePoint end = timers_.now() + settings_.length;
  while (!has_failed_ && timers_.next_due() <= end) {
    timers_.advance_to(timers_.next_due());
    for (auto& worker : workers_) worker->settle();
    check();
    ++totals_.steps;
  }
}

void World::on_backend_event(const BackendEvent& event) noexcept {
  if (event.to == BackendStateName::ejected) ++totals_.ejected;
  if (event.reason.find("while others send") != std::string::npos) ++totals_.stuck;
}

// Exponential: many short ones, a few long ones.
Duration World::about(Duration mean) {
  const double length = std::exponential_distribution<double>(1.0)(random_);
  return std::chrono::duration_cast<Duration>(mean * length) + 1ms;
}

Backend* World::find(const BackendId& id) {
  const auto it = backends_.find(id);
  return it == backends_.end() ? nullptr : &it->second;
}

void World::add_backend() {
  Backend backend;
  backend.spec.id = "b" + std::to_string(next_name_++);
  backend.spec.address = {"127.0.0.1", static_cast<uint16_t>(1000 + next_name_), false};
  if (chance(0.3)) backend.mode = Backend::Mode::loading;
  if (chance(0.2)) backend.spec.weight = static_cast<uint32_t>(1 + below(3));
  backends_.emplace(backend.spec.id, backend);
}

void World::publish() {
  std::vector<BackendSpec> specs;
  for (const auto& [id, backend] : backends_) specs.push_back(backend.spec);
  balancer_.update(BackendSet(std::move(specs)), pending_, timers_.now());
}

void World::change_mode(Backend& backend, Backend::Mode mode) {
  backend.mode = mode;
  for (auto& client : clients_) {
    if (backend.refuses()) client->on_backend_gone(backend.spec.id);
    if (mode == Backend::Mode::hanging) client->on_backend_hangs(backend.spec.id);
  }
}

void World::on_trouble() {
  trouble_.start(about(settings_.pace / 9));
  if (backends_.empty() || (chance(0.1) && backends_.size() < 12)) add_backend();
  auto it = backends_.begin();
  std::advance(it, below(backends_.size()));
  Backend& backend = it->second;
  switch (below(12)) {
    case 0:
      backends_.erase(it);
      break;
    case 1:
      backend.spec.max_outstanding = static_cast<uint32_t>(below(settings_.clients / 10));
      break;
    case 2:
      backend.spec.address.port ^= 0x4000;
      break;
    case 3:
      pending_ = below(3);
      break;
    case 4:
    case 5:
      backend.is_draining = !backend.is_draining;
      balancer_.set_draining(backend.spec.id, backend.is_draining, timers_.now());
      return;
    default:
      change_mode(backend, chance(0.5) ? Backend::Mode::up
                                       : static_cast<Backend::Mode>(below(Backend::kModes)));
      return;
  }
  publish();
}

// One after the other, each every five seconds: so that after a step it is known what came of it.
void World::on_probe() {
  const std::vector<BackendSnapshot> all = balancer_.snapshot().backends;
  probe_.start(Duration(5s) / static_cast<Duration::rep>(all.size() + 1));
  if (all.empty()) return;
  const BackendSnapshot& one = all[next_probe_++ % all.size()];
  using Kind = ProbeResult::Kind;
  const Backend* backend = find(one.id);
  ProbeResult result{Kind::answered, 200, 0, timers_.now() - 1s};
  if (backend == nullptr || backend->refuses()) {
    result.kind = Kind::refused;
  } else if (backend->mode == Backend::Mode::frozen) {
    result.kind = Kind::timed_out;
  } else if (backend->mode == Backend::Mode::busy_loading) {
    result.status = 503;
  }
  balancer_.on_probe(one.serial, result, timers_.now());
}

void World::on_watch() {
  watch_.start(kWatchEvery);
  balancer_.expire(timers_.now());
  balancer_.watch(timers_.now());
}

void World::on_bytes() {
  bytes_.start(settings_.pace / 60);
  for (auto& client : clients_) client->send_bytes();
}

}  // namespace weir::sim
