// What each output position takes of the inputs, in double precision as PIL computes it.
#pragma once

#include <cmath>
#include <cstdint>

#include "../runtime/simd.h"
#include "resize.h"

namespace vitral::VITRAL_ISA {

constexpr int weightBits = 22;  // what 32 leave when 8 are the pixel's and 2 are kept for overshoot

// For each output position: where its inputs begin, how many there are, and their weights in fixed point.
struct Taps {
  int64_t size, stride;
  int32_t *first, *count, *weights;  // [size], [size], [size, stride]

  const int32_t* weightsOf(int64_t i) const { return weights + i * stride; }
};

VITRAL_INLINE double sinc(double x) {
  constexpr double pi = 3.14159265358979323846;
  const double angle = x * pi;
  return x == 0 ? 1 : std::sin(angle) / angle;
}

// Keys' cubic with a = −0.5.
VITRAL_INLINE double cubicWeight(double x) {
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

// A sinc under a Hamming window, whose two numbers PIL has in single precision.
VITRAL_INLINE double hammingWeight(double x) {
  constexpr double pi = 3.14159265358979323846;
  if (x == 0) return 1;
  return x < 1 ? sinc(x) * (0.54f + 0.46f * std::cos(x * pi)) : 0;
}

inline double filterWeight(Filter filter, double distance) {
  const double x = std::fabs(distance);
  switch (filter) {
    case Filter::box: return distance > -0.5 && distance <= 0.5;
    case Filter::bilinear: return x < 1 ? 1 - x : 0;
    case Filter::hamming: return hammingWeight(x);
    case Filter::bicubic: return cubicWeight(x);
    case Filter::lanczos: return distance >= -3 && distance < 3 ? sinc(distance) * sinc(distance / 3) : 0;
  }
  return 0;
}

VITRAL_INLINE double filterSupport(Filter filter) {
  constexpr double supports[] = {0, 3, 1, 2, 0.5, 1};
  return supports[(int)filter];
}

struct TapsLayout {
  int64_t size, stride;
  double scale, narrowed, reach;  // inputs for each output, and how far the filter reaches to either side

  TapsLayout(int64_t oldSize, int64_t newSize, Filter filter)
      : size(newSize), scale((double)oldSize / (double)newSize) {
    const double widened = scale > 1 ? scale : 1;
    narrowed = 1 / widened;  // PIL multiplies by it: a division rounds otherwise, and shows in a byte now and then
    reach = filterSupport(filter) * widened;
    stride = (int64_t)std::ceil(reach) * 2 + 1;
  }
  int64_t ints() const { return size * (2 + stride) + 2 * stride; }
};

// `memory` has layout.ints() ints, 8-byte aligned; the first of them hold the weights of the position at hand.
inline Taps fillTaps(const TapsLayout& layout, int64_t oldSize, Filter filter, int32_t* memory) {
  const auto [size, stride, scale, narrowed, reach] = layout;
  double* exact = (double*)memory;
  int32_t* first = memory + 2 * stride;
  const Taps taps = {size, stride, first, first + size, first + 2 * size};
  for (int64_t i = 0; i < size; i++) {
    const double center = ((double)i + 0.5) * scale;
    const int64_t low = (int64_t)(center - reach + 0.5), high = (int64_t)(center + reach + 0.5);
    const int64_t begin = low > 0 ? low : 0, end = high < oldSize ? high : oldSize;
    double total = 0;
    for (int64_t k = 0; k < end - begin; k++) {
      exact[k] = filterWeight(filter, ((double)(begin + k) - center + 0.5) * narrowed);
      total += exact[k];
    }
    for (int64_t k = 0; k < end - begin; k++) {
      const double weight = (total == 0 ? exact[k] : exact[k] / total) * (1 << weightBits);
      taps.weights[i * stride + k] = (int32_t)(weight + (weight < 0 ? -0.5 : 0.5));
    }
    taps.first[i] = (int32_t)begin;
    taps.count[i] = (int32_t)(end - begin);
  }
  return taps;
}

}  // namespace vitral::VITRAL_ISA
