// Rounding to 8 bits: what the integer products take, and how their sums become float32 again.
//
// A row of x becomes the bytes q of x ≈ base + step·q, 0 ≤ q ≤ 255, over its own range: base is its least element. A
// column of w becomes the signed bytes r of w ≈ step·r, |r| ≤ 64. Then
//   Σ x·w ≈ xStep·wStep·Σ q·r + xBase·wStep·Σ r,
// within wStep/2·Σ|x| + xStep/2·Σ|wStep·r| of Σ x·w, and the sum of bytes is exact.
//
// Why 64 and not 127: AVX2 multiplies unsigned by signed bytes, and adds two of these products in 16 bits that
// saturate: 2·255·64 fits, 2·255·127 does not. One side has to give up a bit, and it is the weights, which have no
// outliers, while a token has; widened to 16 bits beforehand, both could keep it, at three quarters of the speed.
// Instructions that sum in 32 bits at once could keep it too, but so the integers, and with them the model's answers,
// are the same everywhere but with WebAssembly's relaxed dot product. That takes signed bytes by bytes of seven bits,
// beyond which engines differ: q - 128 by r + 63, so |r| ≤ 63 there. A row or column with an element that is not finite
// becomes NaN.
#pragma once

#include "../../kernels/gelu-polynomial.h"
#include "../../runtime/lanes.h"
#include "../../runtime/threads.h"

namespace vitral::VITRAL_ISA {

constexpr float activationLevels = 255;
#if defined(__wasm_relaxed_simd__)
constexpr float weightLevels = 63;
#else
constexpr float weightLevels = 64;
#endif

typedef uint8_t Bytes __attribute__((vector_size(lanes)));

// to[k] = (x[k] - base)·perStep, rounded to the nearest integer, as a byte; it must be one.
VITRAL_INLINE void roundToBytes(int64_t K, const float* x, float base, float perStep, uint8_t* to) {
  const float roundingMagic = 12582912.0f;  // 1.5·2^23: adding it leaves the integer in the low bits
  eachOfRow(K, [&](int64_t k, int64_t count) {
    const Vf shifted = (loadSome(x + k, count) - base) * perStep + roundingMagic;
    const Bytes bytes = __builtin_convertvector(asInt(shifted) & 255, Bytes);
    std::memcpy(to + k, &bytes, count);
  });
}

struct RowRange {
  float least, greatest;
};
// NaN both when any element is not finite.
VITRAL_INLINE RowRange rangeOf(int64_t K, const float* x) {
  Vf least = splat(x[0]), greatest = least, poison = {};
  eachOfRow(K, [&](int64_t k, int64_t count) {
    const Vf some = loadSome(x + k, count);
    poison += some * 0.0f;
    if (count == lanes) {
      least = min(least, some), greatest = max(greatest, some);
    } else {
      const Vi exists = (Vi)laneIndex() < (int32_t)count;
      least = min(least, select(exists, some, least)), greatest = max(greatest, select(exists, some, greatest));
    }
  });
  const float none = reduceAdd(poison);
  return {none - reduceMax(-least), none + reduceMax(greatest)};
}

// 1/step, or 0 where the step is too small to have one.
inline float perStepOf(float step) { return step > 1e-37f ? 1 / step : 0; }

// The K elements, `stride` apart, side by side: where they lie, or as a copy in this thread's scratch memory.
inline const float* sideBySide(int64_t K, const float* from, int64_t stride, bool ofGelu) {
  if (stride == 1 && !ofGelu) return from;
  float* row = scratch(Scratch::gemmRow, K);
  for (int64_t k = 0; k < K && stride != 1; k++) row[k] = from[k * stride];
  const float* x = stride == 1 ? from : row;
  if (ofGelu) eachOfRow(K, [&](int64_t k, int64_t count) { storeSome(row + k, gelu(loadSome(x + k, count)), count); });
  return row;
}

// One row of the left operand.
inline void quantiseRow(int64_t K, const float* from, int64_t stride, bool ofGelu, uint8_t* to, float* step,
                        float* base) {
  const float* x = sideBySide(K, from, stride, ofGelu);
  const RowRange range = rangeOf(K, x);
  *step = (range.greatest - range.least) / activationLevels;
  *base = range.least;
  roundToBytes(K, x, range.least, perStepOf(*step), to);
}

// One column of the right operand; `total` is the sum of what the bytes stand for.
inline void quantiseColumn(int64_t K, const float* from, int64_t stride, bool ofGelu, int8_t* to, float* step,
                           float* total) {
  const float* w = sideBySide(K, from, stride, ofGelu);
  const RowRange range = rangeOf(K, w);
  const float largest = range.greatest > -range.least ? range.greatest : -range.least;
  *step = largest / weightLevels;
  roundToBytes(K, w, 0, perStepOf(*step), (uint8_t*)to);
  int32_t sum = 0;
  for (int64_t k = 0; k < K; k++) sum += to[k];
  *total = *step * (float)sum;
}

}  // namespace vitral::VITRAL_ISA
