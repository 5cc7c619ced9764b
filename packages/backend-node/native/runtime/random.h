// Counter-based random bits of the dropout family: the multiplier of element i depends on seed and i alone, so the
// backward pass recomputes it and no mask is stored. The TypeScript twin is packages/core/src/tape/random.ts.
#pragma once

#include "simd.h"

namespace vitral::VITRAL_ISA {

// Works on uint32_t and on Vu: arithmetic modulo 2^32.
template <class U>
VITRAL_INLINE U mixBits(U x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  x ^= x >> 16;
  return x;
}

// keep(i) = 1/(1-p) with probability 1-p, else 0; p = 0 gives 1 everywhere.
class KeepMultiplier {
 public:
  KeepMultiplier(double probability, uint32_t seed)
      : seedBits_(mixBits<uint32_t>(seed ^ 0x85ebca6bU)),
        threshold_((uint32_t)(probability * 4294967296.0)),
        scale_((float)(1.0 / (1.0 - probability))) {}

  float operator()(uint32_t index) const { return bits(index) >= threshold_ ? scale_ : 0.0f; }
  Vf operator()(Vu index) const { return select((Vi)(bits(index) >= threshold_), splat(scale_), Vf{}); }

 private:
  template <class U>
  VITRAL_INLINE U bits(U index) const {
    return mixBits<U>(seedBits_ + mixBits<U>(index * 0x9E3779B1U + 0x7f4a7c15U));
  }
  uint32_t seedBits_, threshold_;
  float scale_;
};

}  // namespace vitral::VITRAL_ISA
