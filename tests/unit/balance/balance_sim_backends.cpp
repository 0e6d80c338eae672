// The simulated world's backends, and the invariants.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/balance/balance_sim.h"

namespace weir::sim {

using namespace std::chrono_literals;

constexpr Duration kExpireEvery = 1s;

World::World(const Settings& settings)
    : settings_(settings),
      random_(settings.seed),
      options_(make_options(settings, random_)),
      is_prompt_(settings.seed % 4 != 0),
      timers_(TimePoint(1h)),
      balancer_(options_),
      trouble_(timers_, bind<&World::on_trouble>(this)),
      probe_(timers_, bind<&World::on_probe>(this)),
      expire_(timers_, bind<&World::on_expire>(this)) {
  for (auto& worker : workers_) worker = std::make_unique<Worker>(*this);
  for (uint64_t count = 2 + below(6); count > 0; --count) add_backend();
  publish();
  for (size_t i = 0; i < settings_.clients; ++i) {
    clients_.push_back(std::make_unique<Client>(*this, *workers_[i % workers_.size()]));
    clients_.back()->think();
  }
  trouble_.start(about(settings_.pace / 9));
  probe_.start(2s);
  expire_.start(kExpireEvery);
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
  options.health.rise = static_cast<int>(1 + random() % 2);
  options.health.fall = static_cast<int>(1 + random() % 4);
  options.seed = random();
  return options;
}

std::string World::describe() const {
  return "WEIR_SEED=" + std::to_string(settings_.seed) + " with " +
         std::to_string(settings_.clients) + " clients: policy " +
         std::to_string(static_cast<int>(options_.policy)) + ", cap " +
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
  backends_.emplace(backend.spec.id, backend);
}

void World::publish() {
  std::vector<BackendSpec> specs;
  for (const auto& [id, backend] : backends_) specs.push_back(backend.spec);
  balancer_.update(BackendSet(std::move(specs)), pending_, timers_.now());
}

void World::change_mode(Backend& backend) {
  using Mode = Backend::Mode;
  backend.mode = chance(0.5) ? Mode::up : static_cast<Mode>(below(6));
  if (!backend.refuses()) return;
  for (auto& client : clients_) client->on_backend_gone(backend.spec.id);
}

void World::on_trouble() {
  trouble_.start(about(settings_.pace / 9));
  if (backends_.empty() || (chance(0.1) && backends_.size() < 12)) add_backend();
  auto it = backends_.begin();
  std::advance(it, below(backends_.size()));
  Backend& backend = it->second;
  switch (below(10)) {
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
      change_mode(backend);
      return;
  }
  publish();
}

void World::on_probe() {
  probe_.start(5s);
  using Kind = ProbeResult::Kind;
  for (const BackendSnapshot& one : balancer_.snapshot().backends) {
    const Backend* backend = find(one.id);
    ProbeResult result{Kind::answered, 200, 0};
    if (backend == nullptr || backend->refuses())
      result = {Kind::refused, 0, 0};
    else if (backend->mode == Backend::Mode::hanging)
      result = {Kind::timed_out, 0, 0};
    else if (backend->mode == Backend::Mode::busy_loading)
      result.status = 503;
    balancer_.on_probe(one.serial, result, timers_.now());
  }
}

void World::on_expire() {
  expire_.start(kExpireEvery);
  balancer_.expire(timers_.now());
}

bool World::is_usable(const BackendSnapshot& one) const {
  return one.state == BackendStateName::ready || one.state == BackendStateName::suspect ||
         (one.state == BackendStateName::untried && options_.tries_unprobed);
}

bool World::is_free(const BackendSnapshot& one) const {
  return is_usable(one) && (one.max_outstanding == 0 || one.outstanding < one.max_outstanding);
}

namespace {

bool excludes(const Client& client, BackendSerial serial) {
  return std::ranges::find(client.wish().excluded, serial) != client.wish().excluded.end();
}

}  // namespace

void World::check() {
  const PoolSnapshot pool = balancer_.snapshot();
  check_counts(pool);
  if (is_prompt_) {
    check_line(pool);
    check_order();
  }
  served_.clear();
}

// Leases out = exchanges in flight = the sum of what the backends have, those that are gone
// included.
void World::check_counts(const PoolSnapshot& pool) {
  // Where workers collect late, some are still counted in line that have been answered.
  const size_t out = balancer_.outstanding();
  const size_t in_line = line_.size();
  const bool is_exact = is_prompt_;
  if (is_exact ? out != in_flight_ : out < in_flight_ || out > in_flight_ + in_line) {
    fail("leases drifted");
  }
  if (is_exact ? pool.waiting != in_line : pool.waiting > in_line) fail("somebody is lost");
  if (pool.waiting > pool.queue_limit) fail("the waiting room is over its limit");
  for (const BackendSnapshot& one : pool.backends) {
    const uint32_t mine = one.serial < held_.size() ? held_[one.serial] : 0;
    if (is_exact ? one.outstanding != mine : one.outstanding < mine) fail(one.id + " drifted");
  }
}

void World::check_line(const PoolSnapshot& pool) {
  if (line_.size() != pool.waiting) fail("the line is not who waits");
  if (line_.empty()) return;
  if (line_.front()->entered() != pool.oldest_wait) fail("the oldest is not in front");
  if (options_.queue_timeout != Duration::zero() &&
      pool.oldest_wait + options_.queue_timeout + kExpireEvery < timers_.now()) {
    fail("somebody waits past patience");
  }
  for (const BackendSnapshot& one : pool.backends) {
    if (!is_free(one)) continue;
    for (const Client* client : line_) {
      if (excludes(*client, one.serial)) continue;
      return fail("somebody waits though " + one.id + " is free");
    }
  }
  const bool has_usable =
      std::ranges::any_of(pool.backends, [this](const auto& one) { return is_usable(one); });
  if (!options_.waits_for_backends && !has_usable) fail("somebody waits for nothing");
}

void World::check_choice(const PoolSnapshot& before, const Client& client) {
  uint32_t fewest = ~uint32_t{0};
  const BackendSnapshot* chosen = nullptr;
  for (const BackendSnapshot& one : before.backends) {
    if (one.serial == client.lease().serial()) chosen = &one;
    if (is_free(one) && !excludes(client, one.serial)) fewest = std::min(fewest, one.outstanding);
  }
  if (chosen == nullptr || !is_free(*chosen)) return fail("the chosen backend was not free");
  if (excludes(client, chosen->serial)) fail("the chosen backend was excluded");
  if (options_.policy != PolicyName::least_outstanding) return;
  if (chosen->outstanding != fewest) fail(chosen->id + " was not one with the fewest");
}

void World::check_refusal(const PoolSnapshot& before, const Client& client, ErrorKind why) {
  bool has_usable = false;
  for (const BackendSnapshot& one : before.backends) {
    if (excludes(client, one.serial)) continue;
    if (is_free(one)) fail("refused though " + one.id + " was free");
    has_usable = has_usable || is_usable(one);
  }
  if (why == ErrorKind::queue_full) {
    if (before.waiting < before.queue_limit) fail("queue_full though there was room");
  } else if (has_usable) {
    fail("refused though a backend was only full");
  }
}

// Whoever came before one that was served, and waits still, will not take that backend.
void World::check_order() {
  for (const Served& served : served_) {
    for (const Client* other : line_) {
      if (other->number() > served.number) break;
      if (!excludes(*other, served.backend)) return fail("somebody was overtaken");
    }
  }
}

void World::fail(const std::string& what) {
  if (has_failed_) return;
  has_failed_ = true;
  const auto at = std::chrono::duration<double>(timers_.now() - TimePoint(1h)).count();
  ADD_FAILURE() << what << " at " << at << " s, step " << totals_.steps << "; " << describe();
}

}  // namespace weir::sim
