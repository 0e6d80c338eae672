// The balancer in a simulated world (balance_sim.h). WEIR_SEED=N runs that seed alone, WEIR_SEEDS=N
// as many seeds.
#include "tests/unit/balance/balance_sim.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What happened in all worlds together, to see that every path was taken.
Totals run_worlds(Settings settings, uint64_t seeds) {
  const uint64_t only = number_from("WEIR_SEED", 0);
  const uint64_t last = only != 0 ? only : number_from("WEIR_SEEDS", seeds);
  Totals all;
  for (uint64_t seed = only != 0 ? only : 1; seed <= last; ++seed) {
    settings.seed = seed;
    World world(settings);
    world.run();
    if (testing::Test::HasFailure()) break;  // it has named its seed
    all += world.totals();
  }
  return all;
}

TEST(BalanceSimulationTest, KeepsItsPromisesForAnHourWithAThousandClients) {
  run_worlds({.clients = 1000, .length = 1h}, 2);
}

TEST(BalanceSimulationTest, KeepsItsPromisesInFiftySmallWorldsInATurmoil) {
  const Totals all = run_worlds({.clients = 60, .length = 8min, .pace = 20s}, 50);
  if (HasFailure() || std::getenv("WEIR_SEED") != nullptr) return;
  for (const uint64_t count : {all.succeeded, all.retried, all.waited, all.served_late, all.refused,
                               all.timed_out, all.left}) {
    EXPECT_GT(count, 500U);
  }
  for (const uint64_t count :
       {all.ejected, all.tried, all.stuck, all.started_slowly, all.last_resorts, all.poisoned}) {
    EXPECT_GT(count, 20U);
  }
}

}  // namespace
}  // namespace weir::sim
