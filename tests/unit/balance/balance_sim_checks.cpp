// What must be true in the simulated world after every step.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/balance/balance_sim.h"

namespace weir::sim {
namespace {

bool excludes(const Client& client, BackendSerial serial) {
  return std::ranges::find(client.wish().excluded, serial) != client.wish().excluded.end();
}

bool has_room(const BackendSnapshot& one) {
  return one.max_outstanding == 0 || one.outstanding < one.max_outstanding;
}

uint64_t load_of(const BackendSnapshot& one) {
  return uint64_t{one.outstanding} * 100 / (uint64_t{one.weight} * one.share);
}

}  // namespace

bool World::is_usable(const BackendSnapshot& one) const {
  return one.state == BackendStateName::ready || one.state == BackendStateName::suspect ||
         one.state == BackendStateName::ejected ||
         (one.state == BackendStateName::untried && options_.tries_unprobed);
}

bool World::is_fit(const BackendSnapshot& one) const {
  return is_usable(one) && !one.is_held_back;
}

bool World::is_eager(const BackendSnapshot& one) const {
  return is_fit(one) && !one.is_reluctant;
}

bool World::has_trial_out(const BackendSnapshot& one) const {
  return std::ranges::any_of(clients_,
                             [&one](const auto& client) { return client->is_trial_of(one); });
}

// Full or not.
bool World::has_fit_for(const PoolSnapshot& pool, const Client& client) const {
  return std::ranges::any_of(pool.backends, [this, &client](const auto& one) {
    return is_fit(one) && !excludes(client, one.serial);
  });
}

bool World::has_eager_for(const PoolSnapshot& pool, const Client& client) const {
  return std::ranges::any_of(pool.backends, [this, &client](const auto& one) {
    return is_eager(one) && !excludes(client, one.serial);
  });
}

// May the client be given it? An eager one with room, always. Another one: when the client may go
// to none that is better, full or not; or as the one request that tries it.
bool World::is_free_for(const PoolSnapshot& pool, const BackendSnapshot& one,
                        const Client& client) const {
  if (!is_usable(one) || !has_room(one) || excludes(client, one.serial)) return false;
  if (is_eager(one) || is_open_to_one(one)) return true;
  return !(is_fit(one) ? has_eager_for(pool, client) : has_fit_for(pool, client));
}

bool World::is_open_to_one(const BackendSnapshot& one) const {
  if (one.state == BackendStateName::ejected) return one.is_tried && !has_trial_out(one);
  if (one.is_reluctant) return one.is_asked;
  return one.outstanding == 0;
}

void World::check() {
  const PoolSnapshot pool = balancer_.snapshot();
  check_counts(pool);
  check_held_back(pool);
  check_budget();
  if (is_prompt_) {
    check_line(pool);
    check_order(pool);
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

// At most half of the pool is ejected, and never the last; one that sends is not held to be stuck.
void World::check_held_back(const PoolSnapshot& pool) {
  size_t ejected = 0;
  bool has_fit = false;
  for (const BackendSnapshot& one : pool.backends) {
    if (one.state == BackendStateName::ejected) ++ejected;
    has_fit = has_fit || is_fit(one);
    if (one.state == BackendStateName::ejected && !one.is_held_back) fail("ejected, and chosen");
    if (one.share < 10 || one.share > 100) fail("a share of " + std::to_string(one.share));
    if (one.share < 100 && !is_fit(one)) fail("starts slowly, and is not there");
    if (one.is_reluctant && one.is_held_back) fail("reluctant, and not there");
    const bool is_stuck = one.is_held_back && one.state == BackendStateName::suspect;
    if (!is_stuck) continue;
    const TimePoint last = one.serial < last_byte_.size() ? last_byte_[one.serial] : TimePoint{};
    if (last > one.since && timers_.now() - last > 2 * kWatchEvery) fail("stuck, and sends");
  }
  if (2 * ejected > pool.backends.size()) fail("more than half of the pool is ejected");
  if (ejected > 0 && !has_fit) fail("the last usable backend is ejected");
}

void World::check_line(const PoolSnapshot& pool) {
  if (line_.size() != pool.waiting) fail("the line is not who waits");
  if (line_.empty()) return;
  if (line_.front()->entered() != pool.oldest_wait) fail("the oldest is not in front");
  if (options_.queue_timeout != Duration::zero() &&
      pool.oldest_wait + options_.queue_timeout + kWatchEvery < timers_.now()) {
    fail("somebody waits past patience");
  }
  const bool has_fit =
      std::ranges::any_of(pool.backends, [this](const auto& one) { return is_fit(one); });
  const bool has_eager =
      std::ranges::any_of(pool.backends, [this](const auto& one) { return is_eager(one); });
  for (const BackendSnapshot& one : pool.backends) {
    if (!is_usable(one) || !has_room(one)) continue;
    const bool is_open = is_eager(one) || is_open_to_one(one);
    for (const Client* client : line_) {
      if (excludes(*client, one.serial)) continue;
      const bool is_picky = client->wish().excluded[0] != 0;
      const bool has_better = is_fit(one) ? (is_picky ? has_eager_for(pool, *client) : has_eager)
                                          : (is_picky ? has_fit_for(pool, *client) : has_fit);
      if (!is_open && has_better) continue;
      return fail("somebody waits though " + one.id + " is free");
    }
  }
  const bool has_usable =
      std::ranges::any_of(pool.backends, [this](const auto& one) { return is_usable(one); });
  if (!options_.waits_for_backends && !has_usable) fail("somebody waits for nothing");
}

void World::check_choice(const PoolSnapshot& before, const Client& client) {
  uint64_t fewest = ~uint64_t{0};
  const BackendSnapshot* chosen = nullptr;
  for (const BackendSnapshot& one : before.backends) {
    if (one.serial == client.lease().serial()) chosen = &one;
    if (is_free_for(before, one, client)) fewest = std::min(fewest, load_of(one));
  }
  if (chosen == nullptr || !has_room(*chosen)) return fail("the chosen backend was not free");
  if (excludes(client, chosen->serial)) fail("the chosen backend was excluded");
  if (is_prompt_ && !is_free_for(before, *chosen, client)) fail(chosen->id + " is held back");
  if (!is_prompt_ || options_.policy != PolicyName::least_outstanding) return;
  if (!has_eager_for(before, client)) return;  // the last resort is chosen more simply
  if (load_of(*chosen) != fewest) fail(chosen->id + " was not one with the fewest");
}

void World::check_refusal(const PoolSnapshot& before, const Client& client, ErrorKind why) {
  bool has_usable = false;
  for (const BackendSnapshot& one : before.backends) {
    if (excludes(client, one.serial)) continue;
    if (is_prompt_ && is_free_for(before, one, client)) fail("refused though there was room");
    has_usable = has_usable || is_usable(one);
  }
  if (why == ErrorKind::queue_full) {
    if (before.waiting < before.queue_limit) fail("queue_full though there was room in line");
  } else if (has_usable) {
    fail("refused though a backend was only full");
  }
}

// Whoever came before one that was served, and waits still, will not take that backend; or may not,
// because it is held back for those that have no other.
void World::check_order(const PoolSnapshot& pool) {
  for (const Served& served : served_) {
    const auto one = std::ranges::find(pool.backends, served.backend, &BackendSnapshot::serial);
    const bool is_held_back = one != pool.backends.end() && one->is_held_back;
    const bool is_reluctant = one != pool.backends.end() && one->is_reluctant;
    for (const Client* other : line_) {
      if (other->number() > served.number) break;
      if (excludes(*other, served.backend)) continue;
      if (is_held_back && has_fit_for(pool, *other)) continue;
      if (is_reluctant && has_eager_for(pool, *other)) continue;
      return fail("somebody was overtaken");
    }
  }
}

// The share of the first sends, and the reserve: what it was at the beginning, what it grew to, and
// once more in each minute.
void World::check_budget() {
  const double reserve = std::max(64U, most_held_);
  const double minutes = std::chrono::duration<double>(timers_.now() - TimePoint(1h)) / 1min;
  const double first = static_cast<double>(first_leases_);
  const double most = options_.retry_budget * first + reserve * (2 + 2 * minutes);
  if (static_cast<double>(second_sends_) > most) fail("the retry budget is overdrawn");
}

void World::fail(const std::string& what) {
  if (has_failed_) return;
  has_failed_ = true;
  const auto at = std::chrono::duration<double>(timers_.now() - TimePoint(1h)).count();
  ADD_FAILURE() << what << " at " << at << " s, step " << totals_.steps << "; " << describe();
}

}  // namespace weir::sim
