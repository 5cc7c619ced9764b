// The matrix product's panels for the integer units: bytes times bytes, summed in 32 bits (quantise.h tells of what).
//
// A left panel: a step and a base for each row, then the rows' bytes, one row after the other. A right panel: a step
// and a total for each column, then the bytes as [k/4][column][4], four of a column side by side as the instructions
// sum them. One block of k has all of it: what is rounded over its range has to be seen whole.
#pragma once

#include "quantise.h"
#include "tile.h"

namespace vitral::VITRAL_ISA {

#if defined(__AVX512F__)
constexpr int byteMr = 12;  // 24 of 32 registers accumulate
#elif defined(__AVX2__)
constexpr int byteMr = 5;  // 10 of 16
#else
constexpr int byteMr = 4;
#endif
#if defined(__wasm_relaxed_simd__)
constexpr int byteVectors = 4;  // one instruction a vector: spilled sums cost less than more loads
#else
constexpr int byteVectors = tileVectors;
#endif
constexpr int byteNr = byteVectors * lanes;

// Bytes of each row in a left panel: whole cache lines, an odd number of them, so that rows do not share the sets of
// L1.
inline int64_t byteStride(int64_t K) { return ((K + 63) / 64 | 1) * 64; }

#if defined(__wasm_relaxed_simd__)
typedef signed char SignedBytes __attribute__((vector_size(vectorBytes)));
// The dot product's bytes are q - 128 and r + weightShift: the base of a row has the 128 in it, and its sums begin with
// what the shift adds to them.
constexpr bool shifted = true;
#else
constexpr bool shifted = false;
#endif
constexpr int32_t weightShift = 63;

// Lane j gains the sum of the products of its four bytes in a, unsigned, and b, signed.
template <bool fused>
VITRAL_INLINE Vi addProducts(Vi sum, Vi a, Vi b) {
#if defined(__AVX512F__)
  if constexpr (fused) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));  // AVX512_VNNI, which is not among this set's flags
    return sum;
  }
  const __m512i pairs = _mm512_maddubs_epi16((__m512i)a, (__m512i)b);
  return sum + (Vi)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#elif defined(__AVX2__)
  const __m256i pairs = _mm256_maddubs_epi16((__m256i)a, (__m256i)b);
  return sum + (Vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#elif defined(__wasm_relaxed_simd__)
  return (Vi)__builtin_wasm_relaxed_dot_i8x16_i7x16_add_s_i32x4((SignedBytes)a, (SignedBytes)b, sum);
#else
  typedef int16_t Halves __attribute__((vector_size(vectorBytes)));
  const Halves evenA = (Halves)(a & 0x00ff00ff), oddA = (Halves)(((Vu)a >> 8) & 0x00ff00ff);
  const Halves evenB = ((Halves)b << 8) >> 8, oddB = (Halves)b >> 8;
#if defined(__wasm__)
  return sum + (Vi)__builtin_wasm_dot_s_i32x4_i16x8(evenA, evenB) + (Vi)__builtin_wasm_dot_s_i32x4_i16x8(oddA, oddB);
#else
  const Halves even = evenA * evenB, odd = oddA * oddB;
  const Vi low = (((Vi)even << 16) >> 16) + (((Vi)odd << 16) >> 16);
  return sum + low + ((Vi)even >> 16) + ((Vi)odd >> 16);
#endif
#endif
}

// A row of sums as float32: `lanes` columns of them, `count` of which exist.
struct Dequantiser {
  const TileOutput& output;
  const float *rowSteps, *rowBases, *columnSteps, *columnTotals;
  const int32_t* rowStarts;  // of sums that are shifted

  VITRAL_INLINE void write(int64_t i, int64_t j, Vi sum) const {
    const int64_t left = output.columns - j, count = left < lanes ? left : (int64_t)lanes;
    if (count <= 0) return;
    float* c = output.c + i * output.ldc + j;
    Vf y =
        __builtin_convertvector(sum, Vf) * load(columnSteps + j) * rowSteps[i] + load(columnTotals + j) * rowBases[i];
    if (output.bias) y += loadSome(output.bias + j, count);
    if (output.accumulate) y += loadSome(c, count);
    storeSome(c, y, count);
  }
};

template <int rows, bool fused>
void multiplyBytes(int64_t quads, const uint8_t* a, int64_t stride, const float* b, const Dequantiser& dequantiser,
                   Prefetch prefetch) {
  const uint8_t* base[(rows + 2) / 3];  // three rows a base pointer, as in micro.h
  for (int i = 0; i < rows; i += 3) base[i / 3] = a + i * stride;
  Vi sum[rows][byteVectors] = {};
  if constexpr (shifted)
    for (int i = 0; i < rows; i++)
      for (int v = 0; v < byteVectors; v++) sum[i][v] = dequantiser.rowStarts[i] - Vi{};
  PrefetchByStep next(prefetch, quads, b);
  for (int64_t k = 0; k < quads; k++) {
    next.fetch();
    Vi right[byteVectors];
    VITRAL_UNROLL
    for (int v = 0; v < byteVectors; v++) right[v] = asInt(load(b + v * lanes));
    VITRAL_UNROLL
    for (int i = 0; i < rows; i++) {
      int32_t quad;
      std::memcpy(&quad, base[i / 3] + 4 * k + i % 3 * stride, 4);
      const Vi left = quad - Vi{};
      VITRAL_UNROLL
      for (int v = 0; v < byteVectors; v++) sum[i][v] = addProducts<fused>(sum[i][v], left, right[v]);
    }
    b += byteNr;
  }
  VITRAL_UNROLL
  for (int i = 0; i < rows; i++) {
    VITRAL_UNROLL
    for (int v = 0; v < byteVectors; v++) dequantiser.write(i, v * lanes, sum[i][v]);
  }
}

template <bool fused>
struct ByteTiles {
  using Tile = decltype(&multiplyBytes<1, fused>);
  Tile ofHeight[byteMr + 1] = {};
  constexpr ByteTiles() { fill<byteMr>(); }
  template <int rows>
  constexpr void fill() {
    ofHeight[rows] = multiplyBytes<rows, fused>;
    if constexpr (rows > 1) fill<rows - 1>();
  }
};

// The layout, for panels `height` and `columns` wide and steps filled up to a multiple of `unit`.
template <int height, int columns, int unit>
struct BytePanels {
  static constexpr int64_t kc = mostInt8Steps, kUnit = unit, kChunk = kc, nr = columns;
  static constexpr int64_t leftHeader = ((shifted ? 3 : 2) * height + 15) / 16 * 16, rightHeader = 2 * nr;  // floats
  static constexpr bool mayReadInPlace = false;

  static constexpr int64_t mr = height;
  static int64_t leftPanels(int64_t M) { return (M + height - 1) / height; }
  static int64_t leftStart(int64_t M, int64_t p) { return p * M / leftPanels(M); }
  static int64_t quadsOf(int64_t K) { return (K + unit - 1) / unit * (unit / 4); }
  // The driver asks where a block of k begins: the only one at 0.
  static int64_t leftFloats(int64_t K) { return K == 0 ? 0 : leftHeader + height * byteStride(K) / 4; }
  static int64_t rightFloats(int64_t N, int64_t K) {
    return K == 0 ? 0 : (N + nr - 1) / nr * (rightHeader + quadsOf(K) * nr);
  }

  static void packLeft(int64_t rows, int64_t, int64_t K, const float* from, int64_t rowStride, int64_t stepStride,
                       bool ofGelu, float* panel) {
    const int64_t stride = byteStride(K);
    auto* bytes = (uint8_t*)(panel + leftHeader);
    for (int64_t i = 0; i < rows; i++, bytes += stride) {
      quantiseRow(K, from + i * rowStride, stepStride, ofGelu, bytes, panel + i, panel + height + i);
      if constexpr (shifted) {
        int32_t total = 0;
        for (int64_t k = 0; k < K; k++) total += (int8_t)(bytes[k] ^= 128);
        panel[height + i] += 128 * panel[i];
        const int32_t start = -weightShift * total;
        std::memcpy(panel + 2 * height + i, &start, 4);
      }
      std::memset(bytes + K, 0, stride - K);
    }
  }
  static void packRight(int64_t count, int64_t, int64_t K, const float* from, int64_t columnStride, int64_t stepStride,
                        bool ofGelu, float* panel) {
    float* quads = panel + rightHeader;
    std::memset(panel, 0, rightFloats(1, K) * sizeof(float));
    auto* column = (int8_t*)scratch(Scratch::gemmColumn, quadsOf(K));
    std::memset(column, 0, 4 * quadsOf(K));
    for (int64_t j = 0; j < count; j++) {
      quantiseColumn(K, from + j * columnStride, stepStride, ofGelu, column, panel + j, panel + nr + j);
      if constexpr (shifted)
        for (int64_t k = 0; k < K; k++) column[k] = (int8_t)(column[k] + weightShift);
      for (int64_t k = 0; k < quadsOf(K); k++) std::memcpy(quads + k * nr + j, column + 4 * k, 4);
    }
  }
  static Dequantiser dequantiser(const TileOutput& output, const float* left, const float* right) {
    return {output, left, left + height, right, right + nr, (const int32_t*)(left + 2 * height)};
  }
};

struct Int8VectorPanels : BytePanels<byteMr, byteNr, 4> {
  struct Registers {};
  static constexpr int64_t mc = 12 * byteMr;  // with all their steps, a part of the second-level cache
  static constexpr int64_t soleMc = mc;

  static bool hasFused() {
#if defined(__AVX512F__)
    static const bool known = __builtin_cpu_supports("avx512vnni");
    return known;
#else
    return false;
#endif
  }
  static void multiply(int64_t rows, int64_t K, const float* left, const float* right, const TileOutput& output,
                       Prefetch prefetch) {
    static constexpr ByteTiles<false> apart;
    static constexpr ByteTiles<true> fused;
    (hasFused() ? fused.ofHeight : apart.ofHeight)[rows](quadsOf(K), (const uint8_t*)(left + leftHeader), byteStride(K),
                                                         right + rightHeader, dequantiser(output, left, right),
                                                         prefetch);
  }
};

}  // namespace vitral::VITRAL_ISA
