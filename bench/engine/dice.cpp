#include "bench/engine/dice.h"

#include <bit>
#include <cmath>

#include "weir/split_mix.h"

namespace weir {
Dice::Dice(uint64_t seed, uint64_t stream) {
  SplitMix words(SplitMix(seed).next() ^ (stream * 0xd1342543de82ef95U));
  for (uint64_t& word : state_) word = words.next();
}

uint64_t Dice::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// The bias of the remainder is below limit / 2^64: nothing that a load could show.
uint64_t Dice::below(uint64_t limit) {
  return next() % limit;
}

double Dice::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

double Dice::exponential() {
  return -std::log1p(-uniform());
}

// Box and Muller, one of the two: no state beyond the generator's.
double Dice::normal() {
  const double radius = std::sqrt(2 * exponential());
  return radius * std::cos(6.283185307179586 * uniform());
}

// Marsaglia and Tsang 2000; below 1 by their boost.
double Dice::gamma(double shape) {
  if (shape < 1) {
    const double boosted = gamma(shape + 1);
    return boosted * std::exp(-exponential() / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double base = 1 + c * x;
    if (base <= 0) continue;
    const double v = base * base * base;
    const double u = 1 - uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace weir
