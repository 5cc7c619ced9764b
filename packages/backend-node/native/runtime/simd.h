// The vector vocabulary every kernel is written in, so that one text serves SSE2, NEON, AVX2, AVX-512 and
// WebAssembly.
//
// The build compiles each kernel file once per instruction set with -DVITRAL_ISA=portable|avx2|avx512|avx512bf16|amx,
// and for WebAssembly with simd128|relaxed,
// and everything in it lives in namespace vitral::VITRAL_ISA: no symbol of one instruction set can be linked into
// another. For the same reason such a file uses no standard container or algorithm that could be emitted as a shared
// weak symbol.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "inline.h"

#ifndef VITRAL_ISA
#error "compile kernel files with -DVITRAL_ISA=portable, avx2, avx512, avx512bf16, amx, simd128 or relaxed"
#endif
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__clang__)
#define VITRAL_UNROLL _Pragma("clang loop unroll(full)")
#if defined(__wasm__)
#define VITRAL_UNROLL_STEPS _Pragma("clang loop unroll(disable)")
#else
#define VITRAL_UNROLL_STEPS _Pragma("clang loop unroll_count(4)")
#endif
#else
#define VITRAL_UNROLL _Pragma("GCC unroll 32")
#define VITRAL_UNROLL_STEPS _Pragma("GCC unroll 4")
#endif

namespace vitral::VITRAL_ISA {

#if defined(__AVX512F__)
constexpr int vectorBytes = 64;
#elif defined(__AVX2__)
constexpr int vectorBytes = 32;
#else
constexpr int vectorBytes = 16;
#endif
constexpr int lanes = vectorBytes / 4;

typedef float Vf __attribute__((vector_size(vectorBytes)));     // `lanes` floats
typedef int32_t Vi __attribute__((vector_size(vectorBytes)));   // as many int32; also the result of comparing two Vf
typedef uint32_t Vu __attribute__((vector_size(vectorBytes)));  // as many uint32, arithmetic modulo 2^32

#if defined(__AVX512F__)
constexpr __mmask16 everyLane = 0xffff;  // GCC warns of uninitialised memory in the intrinsics that take no mask
#endif

VITRAL_INLINE Vf splat(float x) { return x - Vf{}; }
VITRAL_INLINE Vu splatBits(uint32_t x) { return x - Vu{}; }
VITRAL_INLINE Vi asInt(Vf x) { return (Vi)x; }
VITRAL_INLINE Vf asFloat(Vi x) { return (Vf)x; }

// 0, 1, 2, …: the number of each lane.
VITRAL_INLINE Vu laneIndex() {
  Vu index;
  for (int lane = 0; lane < lanes; lane++) index[lane] = lane;
  return index;
}

VITRAL_INLINE Vf load(const float* from) {
  Vf x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
VITRAL_INLINE void store(float* to, Vf x) { std::memcpy(to, &x, sizeof x); }

// The first `count` lanes (0 ≤ count ≤ lanes) from or to memory; nothing beyond them is touched, the other lanes read
// 0. Compilers do not let the address sanitizer see what the masked instructions touch: for it, VITRAL_LANE_BY_LANE.
VITRAL_INLINE Vf loadPartial(const float* from, int64_t count) {
#if defined(__AVX512F__) && !defined(VITRAL_LANE_BY_LANE)
  return (Vf)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#elif defined(__AVX2__) && !defined(VITRAL_LANE_BY_LANE)
  const Vi mask = (Vi)laneIndex() < (int32_t)count;
  return (Vf)_mm256_maskload_ps(from, (__m256i)mask);
#else
  Vf x = {};
  for (int lane = 0; lane < count; lane++) x[lane] = from[lane];
  return x;
#endif
}
VITRAL_INLINE void storePartial(float* to, Vf x, int64_t count) {
#if defined(__AVX512F__) && !defined(VITRAL_LANE_BY_LANE)
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)x);
#elif defined(__AVX2__) && !defined(VITRAL_LANE_BY_LANE)
  const Vi mask = (Vi)laneIndex() < (int32_t)count;
  _mm256_maskstore_ps(to, (__m256i)mask, (__m256)x);
#else
  for (int lane = 0; lane < count; lane++) to[lane] = x[lane];
#endif
}

VITRAL_INLINE Vf select(Vi condition, Vf whenTrue, Vf whenFalse) {
#if defined(__wasm__)
  // Clang 22 takes x < y ? y : x for relaxed_max where there is relaxed SIMD, and that loses NaN.
  return (Vf)__builtin_wasm_bitselect((Vi)whenTrue, (Vi)whenFalse, condition);
#else
  return condition ? whenTrue : whenFalse;
#endif
}
// Where either operand is NaN the second one is returned, as by the x86 instructions.
VITRAL_INLINE Vf max(Vf a, Vf b) {
#if defined(__AVX512F__)
  return (Vf)_mm512_maskz_max_ps(everyLane, (__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (Vf)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return select(a > b, a, b);
#endif
}
VITRAL_INLINE Vf min(Vf a, Vf b) {
#if defined(__AVX512F__)
  return (Vf)_mm512_maskz_min_ps(everyLane, (__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (Vf)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return select(a < b, a, b);
#endif
}
// a·b + c, in one instruction where there is one.
VITRAL_INLINE Vf multiplyAdd(Vf a, Vf b, Vf c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return a * b + c;
#endif
}
// x, rounded by itself: not joined with what is added to it next into one instruction of one rounding.
VITRAL_INLINE Vf alone(Vf x) {
#if defined(__AVX512F__)
  asm("" : "+v"(x));
#elif defined(__x86_64__)
  asm("" : "+x"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
}
VITRAL_INLINE Vf abs(Vf x) { return asFloat(asInt(x) & 0x7fffffff); }

VITRAL_INLINE Vf sqrt(Vf x) {
#if defined(__AVX512F__)
  return (Vf)_mm512_maskz_sqrt_ps(everyLane, (__m512)x);
#elif defined(__AVX2__)
  return (Vf)_mm256_sqrt_ps((__m256)x);
#else
  for (int lane = 0; lane < lanes; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
#endif
}
// Exact to one rounding of the root and one of the quotient; no estimate instruction, so equal on every machine.
VITRAL_INLINE Vf reciprocalSqrt(Vf x) { return 1.0f / sqrt(x); }

// Sum and maximum over the lanes, in a fixed pairwise order.
VITRAL_INLINE float reduceAdd(Vf x) {
  float part[lanes];
  store(part, x);
  VITRAL_UNROLL
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) part[lane] += part[lane + half];
  return part[0];
}
VITRAL_INLINE float reduceMax(Vf x) {
  float part[lanes];
  store(part, x);
  VITRAL_UNROLL
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++)
      part[lane] = part[lane] > part[lane + half] ? part[lane] : part[lane + half];
  return part[0];
}

constexpr float roundingMagic = 12582912.0f;  // 1.5·2^23: adding it rounds to the nearest integer, kept in the low bits

// e^x within 1 ulp; +inf above 88.72, NaN stays NaN, and 0 below -87: just above where results would be denormal
// numbers, on which arithmetic is a hundred times slower, and softmax does get there.
VITRAL_INLINE Vf exp(Vf x) {
  const Vi vanishes = x < -87.0f;
  x = max(splat(-87.0f), min(splat(89.0f), x));
  const Vf shifted = x * 1.44269504088896341f + roundingMagic;
  const Vf n = shifted - roundingMagic;
  Vf r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Vf p = splat(1.3820735e-3f);  // (e^r - 1 - r) / r² on ±ln2/2, a minimax fit
  p = p * r + 8.36867746e-3f;
  p = p * r + 4.16682661e-2f;
  p = p * r + 1.66665211e-1f;
  p = p * r + 4.9999994e-1f;
  p = p * (r * r) + r + 1.0f;
#if defined(__AVX512F__)
  const Vf result = (Vf)_mm512_maskz_scalef_ps(everyLane, (__m512)p, (__m512)n);
#else
  // 2^n as two factors: n runs up to 128, past the exponents of one float.
  const Vi exponent = asInt(shifted) - 0x4B400000;
  const Vi half = exponent >> 1;
  const Vf result = p * asFloat((half + 127) << 23) * asFloat((exponent - half + 127) << 23);
#endif
  return select(vanishes, Vf{}, result);
}

}  // namespace vitral::VITRAL_ISA
