// Random numbers of the tester: equal seeds give equal numbers on every machine and with every
// standard library, so that two runs make the same requests at the same times. Value type; one
// thread at a time.
#pragma once

#include <cstdint>

namespace weir {

class Dice {
 public:
  // Streams of one seed are independent of each other: arrivals, lengths and words have one each.
  explicit Dice(uint64_t seed, uint64_t stream = 0);

  uint64_t next();                 // 64 random bits (xoshiro256**)
  uint64_t below(uint64_t limit);  // 0 to limit - 1; limit is not 0
  double uniform();                // [0, 1)
  double exponential();            // mean 1
  double normal();                 // mean 0, deviation 1
  double gamma(double shape);      // mean `shape`; shape above 0

 private:
  uint64_t state_[4];
};

}  // namespace weir
