// The matrix product's panels for AVX512_BF16, which multiplies two pairs of bfloat16 a lane and sums in float32: on
// AMD twice as fast as fused multiply-adds of float32, on Intel, where who has it mostly has AMX, as fast, from half
// the bytes.
//
// A word is a pair: steps 2p and 2p + 1 of a row or column. Panels of words lie as those of floats (pack.h), so the
// tiles are those of micro.h. FloatOrBf16 under 2^-126 count as zero, as on AMX.
#pragma once

#include "../../kernels/gelu-polynomial.h"
#include "../../runtime/lanes.h"
#include "pack.h"
#include "transpose.h"

namespace vitral::VITRAL_ISA {

struct PairWords {
  static VITRAL_INLINE Vf broadcast(const float* at) {
    uint32_t pair;
    std::memcpy(&pair, at, sizeof pair);
    return (Vf)splatBits(pair);
  }
  static VITRAL_INLINE void addProduct(Vf& sum, Vf left, Vf right) {
    sum = (Vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)left, (__m512bh)right);
  }
};

// The nearest bfloat16 of a's lanes, then of b's: ties to even, NaN stays NaN.
VITRAL_INLINE __m512i roundBoth(Vf a, Vf b) { return (__m512i)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a); }

// The pair (a[i], b[i]) in lane i.
VITRAL_INLINE __m512i roundToPairs(Vf a, Vf b) {
  const __m512i alternate = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,  //
                                             23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(alternate, roundBoth(a, b));
}

struct PairPanels {
  struct Registers {};

  static constexpr int64_t kc = 1536, mc = 224, soleMc = mc;  // as many bytes as of floats
  static constexpr int64_t kUnit = 2, kChunk = 32, nr = VITRAL_ISA::nr;
  static constexpr bool mayReadInPlace = false;

  static constexpr int64_t mr = VITRAL_ISA::mr;
  static int64_t leftPanels(int64_t M) { return VITRAL_ISA::leftPanels(M); }
  static int64_t leftStart(int64_t M, int64_t p) { return leftPanelStart(M, VITRAL_ISA::leftPanels(M), p); }
  static int64_t pairsOf(int64_t K) { return (K + 1) / 2; }
  static int64_t leftFloats(int64_t K) { return mr * pairsOf(K); }
  static int64_t rightFloats(int64_t N, int64_t K) { return rightWidth(N) * pairsOf(K); }

  static void packLeft(int64_t rows, int64_t k, int64_t K, const float* from, int64_t rowStride, int64_t stepStride,
                       bool ofGelu, float* panel) {
    (ofGelu ? pack<true> : pack<false>)(rows, rows, K, from, rowStride, stepStride, mr, panel + leftFloats(k));
  }
  static void packRight(int64_t columns, int64_t k, int64_t K, const float* from, int64_t columnStride,
                        int64_t stepStride, bool ofGelu, float* panel) {
    const int64_t wide = rightPanelWidth(columns);
    (ofGelu ? pack<true> : pack<false>)(columns, wide, K, from, columnStride, stepStride, wide,
                                        panel + pairsOf(k) * wide);
  }

  static void multiply(int64_t rows, int64_t K, const float* left, const float* right, const TileOutput& output,
                       Prefetch prefetch) {
    multiplyTile<PackedLeft, PairWords>(rows, pairsOf(K), left, 0, right, output, prefetch);
  }

  // Scores of attention, [keys][queries], as the right operand of a product over keys.
  static const float* scoresAsRight(int64_t keys, int64_t queries, float* scores, float* packed) {
    packRight(queries, 0, keys, scores, 1, queries, false, packed);
    return packed;
  }
  // The same, `stride` floats a key, as the left operand of a product over queries: its rows need no transposing.
  template <int stride>
  static void multiplyScores(int64_t keys, int64_t queries, const float* scores, int64_t columns, const float* right,
                             float* c, int64_t ldc, bool accumulate) {
    alignas(64) float left[mr * lanes];
    for (int64_t i = 0; i < keys; i++)
      storeWords(left + i * lanes, rowOfPairs<false>(scores + i * stride, queries), lanes);
    for (int64_t j = 0; j < columns; j += nr) {
      const int64_t some = columns - j < nr ? columns - j : nr;
      multiplyTile<PanelLeft<lanes>, PairWords>(keys, pairsOf(queries), left, 0, right + j * pairsOf(queries),
                                                {c + j, ldc, some, nullptr, accumulate}, {});
    }
  }

 private:
  static VITRAL_INLINE void storeWords(float* to, __m512i words, int64_t count) { storeSome(to, (Vf)words, count); }

  template <bool ofGelu>
  static VITRAL_INLINE Vf element(const float* from, int64_t count) {
    if (count <= 0) return Vf{};
    const Vf x = loadSome(from, count < lanes ? count : (int64_t)lanes);
    return ofGelu ? gelu(x) : x;
  }

  // Up to 32 elements side by side, as pairs.
  template <bool ofGelu>
  static VITRAL_INLINE __m512i rowOfPairs(const float* from, int64_t count) {
    return roundBoth(element<ofGelu>(from, count), element<ofGelu>(from + lanes, count - lanes));
  }

  // One panel: to[p·width + i] = (element (i, 2p), element (i, 2p + 1)) for i < count, and zero for count ≤ i < filled.
  // Rows are `stride` apart, steps `stepStride`.
  template <bool ofGelu>
  static void pack(int64_t count, int64_t filled, int64_t K, const float* from, int64_t stride, int64_t stepStride,
                   int64_t width, float* to) {
    for (int64_t i = 0; i < filled; i += lanes) {
      const int64_t rows = count - i, kept = filled - i < lanes ? filled - i : (int64_t)lanes;
      const float* corner = from + i * stride;
      if (stride == 1) packSteps<ofGelu>(rows, kept, K, corner, stepStride, width, to + i);
      else packRows<ofGelu>(rows, kept, K, corner, stride, stepStride, width, to + i);
    }
  }

  // Rows that lie side by side.
  template <bool ofGelu>
  static VITRAL_INLINE void packSteps(int64_t rows, int64_t kept, int64_t K, const float* from, int64_t stepStride,
                                      int64_t width, float* to) {
    for (int64_t k = 0; k < K; k += 2, to += width) {
      const float* step = from + k * stepStride;
      const Vf odd = k + 1 < K ? element<ofGelu>(step + stepStride, rows) : Vf{};
      storeWords(to, roundToPairs(element<ofGelu>(step, rows), odd), kept);
    }
  }

  // Rows apart from each other, 32 of their steps at a time.
  template <bool ofGelu>
  static VITRAL_INLINE void packRows(int64_t rows, int64_t kept, int64_t K, const float* from, int64_t stride,
                                     int64_t stepStride, int64_t width, float* to) {
    for (int64_t k = 0; k < K; k += 2 * lanes) {
      const int64_t steps = K - k < 2 * lanes ? K - k : 2 * lanes;
      __m512i line[lanes];
      for (int64_t r = 0; r < lanes; r++) {
        const float* row = from + r * stride + k * stepStride;
        float gathered[2 * lanes];
        if (r < rows && stepStride != 1) {
          for (int64_t s = 0; s < steps; s++) gathered[s] = row[s * stepStride];
          row = gathered;
        }
        line[r] = r < rows ? rowOfPairs<ofGelu>(row, steps) : __m512i{};
      }
      transpose16(line);
      for (int64_t p = 0; p < pairsOf(steps); p++, to += width) storeWords(to, line[p], kept);
    }
  }
};

}  // namespace vitral::VITRAL_ISA
