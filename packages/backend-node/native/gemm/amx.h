// The matrix product's panels and innermost loops on the tile registers of AMX.
//
// AMX multiplies bfloat16 and sums in float32, sixteen times as fast as the vector units multiply float32. A float32 is
// the exact sum of three bfloat16 (8 + 8 + 8 bits): with the operands split into three planes each, six of the nine
// products, those above 2^-24 of the result, give a float32 product as accurate as one of fused multiply-adds. With one
// plane, rounded to nearest even, it is the product of bfloat16 autocast. An infinite operand gives NaN when split;
// numbers under 2^-126 count as zero.
//
// A tile is 16 rows of 64 bytes. Left panels: [32 steps][plane][2 tiles][16 rows][32 steps]. Right panels the same, but
// a row holds two steps of 16 columns, interleaved. Steps are filled up with zeros to a multiple of 32.
#pragma once

#include "../simd.h"
#include "../kernels/lanes.h"
#include "micro.h"

namespace vitral::VITRAL_ISA {

constexpr int tileSide = 16;  // rows of a tile; also its columns of float32
constexpr int stepsOfTile = 32;
constexpr int64_t tileHalves = 512;  // bfloat16 in a tile

// While one lives, the calling thread's tile registers are eight of 16 × 64 bytes.
struct TileRegisters {
  TileRegisters() {
    alignas(64) struct {
      uint8_t palette = 1, startRow = 0, reserved[14] = {};
      uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const shape;
    _tile_loadconfig(&shape);
  }
  ~TileRegisters() { _tile_release(); }
  TileRegisters(const TileRegisters&) = delete;
};

// The planes of 16 floats, each in the upper half of a lane, the lower half not cleared.
template <int planes>
VITRAL_INLINE void split(Vf x, Vu (&plane)[planes]) {
  constexpr uint32_t upper = 0xffff0000;
  if constexpr (planes == 1) {
    const Vu bits = (Vu)x;
    const Vu even = bits + 0x7fff + ((bits >> 16) & 1);
    plane[0] = (Vu)select(x == x, (Vf)even, (Vf)(bits | 0x400000));  // NaN stays NaN
  } else {
    const Vf high = (Vf)(((Vu)x + 0x8000) & upper);
    const Vf rest = x - high;
    const Vf middle = (Vf)(((Vu)rest + 0x8000) & upper);
    plane[0] = (Vu)high;
    plane[1] = (Vu)middle;
    plane[2] = (Vu)(rest - middle);
  }
}

// Lane i becomes the pair (upper half of a[i], upper half of b[i]), a's first in memory.
VITRAL_INLINE Vu pairUp(Vu a, Vu b) { return (a >> 16) | (b & 0xffff0000); }

// The upper halves of a, then those of b.
VITRAL_INLINE __m512i upperHalves(Vu a, Vu b) {
  const __m512i odd = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33,  //
                                       31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  return _mm512_permutex2var_epi16((__m512i)a, odd, (__m512i)b);
}

// row[i] lane j ↔ row[j] lane i.
VITRAL_INLINE void transpose16(__m512i (&row)[16]) {
  __m512i t[16];
  VITRAL_UNROLL
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_maskz_unpacklo_epi32(everyLane, row[i], row[i + 1]);
    t[i + 1] = _mm512_maskz_unpackhi_epi32(everyLane, row[i], row[i + 1]);
  }
  VITRAL_UNROLL
  for (int i = 0; i < 16; i += 4)
    for (int half = 0; half < 2; half++) {
      row[i + 2 * half] = _mm512_maskz_unpacklo_epi64((__mmask8)everyLane, t[i + half], t[i + 2 + half]);
      row[i + 2 * half + 1] = _mm512_maskz_unpackhi_epi64((__mmask8)everyLane, t[i + half], t[i + 2 + half]);
    }
  VITRAL_UNROLL
  for (int j = 0; j < 4; j++)
    for (int i = 0; i < 16; i += 8) {
      t[i + j] = _mm512_maskz_shuffle_i32x4(everyLane, row[i + j], row[i + 4 + j], 0x88);
      t[i + 4 + j] = _mm512_maskz_shuffle_i32x4(everyLane, row[i + j], row[i + 4 + j], 0xdd);
    }
  VITRAL_UNROLL
  for (int j = 0; j < 8; j++) {
    row[j] = _mm512_maskz_shuffle_i32x4(everyLane, t[j], t[8 + j], 0x88);
    row[8 + j] = _mm512_maskz_shuffle_i32x4(everyLane, t[j], t[8 + j], 0xdd);
  }
}

// Packs panels of `planes` planes, 32 rows or columns wide.
template <int planes>
struct TilePacking {
  static constexpr int64_t stepHalves = planes * 2 * tileHalves;  // of 32 steps

  template <bool ofGelu>
  static VITRAL_INLINE Vf element(const float* from, int64_t count) {
    const Vf x = loadSome(from, count);
    return ofGelu ? gelu(x) : x;
  }

  // A tile with a row for each of `count` rows of the operand, whose `steps` ≤ 32 steps lie side by side.
  // Transposed: a row for each pair of steps, holding the pairs of 16 columns.
  template <bool transposed, bool ofGelu>
  static VITRAL_INLINE void packContiguous(int64_t count, int64_t steps, const float* from, int64_t stride,
                                           uint16_t* to) {
    __m512i rows[planes][16];
    const int64_t first = steps < lanes ? steps : lanes, second = steps - first;
    for (int r = 0; r < tileSide; r++) {
      Vu a[planes] = {}, b[planes] = {};
      if (r < count) {
        const float* row = from + r * stride;
        split<planes>(element<ofGelu>(row, first), a);
        if (second > 0) split<planes>(element<ofGelu>(row + lanes, second), b);
      }
      VITRAL_UNROLL
      for (int p = 0; p < planes; p++) {
        const __m512i line = upperHalves(a[p], b[p]);
        if (transposed) rows[p][r] = line;
        else _mm512_storeu_si512(to + p * 2 * tileHalves + r * stepsOfTile, line);
      }
    }
    if (transposed) storeTransposed(rows, to);
  }

  // The same of an operand whose `count` rows (or columns) lie side by side and whose steps are `stride` apart: pairs of
  // steps come as rows, which is how the right operand wants them.
  template <bool transposed, bool ofGelu>
  static VITRAL_INLINE void packStrided(int64_t count, int64_t steps, const float* from, int64_t stride, uint16_t* to) {
    __m512i rows[planes][16];
    for (int pair = 0; pair < tileSide; pair++) {
      Vu a[planes] = {}, b[planes] = {};
      const float* step = from + 2 * pair * stride;
      if (2 * pair < steps) split<planes>(element<ofGelu>(step, count), a);
      if (2 * pair + 1 < steps) split<planes>(element<ofGelu>(step + stride, count), b);
      VITRAL_UNROLL
      for (int p = 0; p < planes; p++) {
        const __m512i line = (__m512i)pairUp(a[p], b[p]);
        if (transposed) rows[p][pair] = line;
        else _mm512_storeu_si512(to + p * 2 * tileHalves + pair * stepsOfTile, line);
      }
    }
    if (transposed) storeTransposed(rows, to);
  }

  static VITRAL_INLINE void storeTransposed(__m512i (&rows)[planes][16], uint16_t* to) {
    for (int p = 0; p < planes; p++) {
      transpose16(rows[p]);
      for (int r = 0; r < 16; r++) _mm512_storeu_si512(to + p * 2 * tileHalves + r * stepsOfTile, rows[p][r]);
    }
  }

  // One panel: `count` ≤ 32 rows (left) or columns (right), `stride` apart, K steps `stepStride` apart.
  template <bool right, bool ofGelu>
  static void pack(int64_t count, int64_t K, const float* from, int64_t stride, int64_t stepStride, float* panel) {
    uint16_t* to = (uint16_t*)panel;
    for (int64_t k = 0; k < K; k += stepsOfTile, to += stepHalves) {
      const int64_t steps = K - k < stepsOfTile ? K - k : stepsOfTile;
      for (int64_t i = 0; i < count; i += tileSide) {
        const int64_t some = count - i < tileSide ? count - i : tileSide;
        const float* corner = from + i * stride + k * stepStride;
        uint16_t* tile = to + i / tileSide * tileHalves;
        if (stepStride == 1) {
          packContiguous<right, ofGelu>(some, steps, corner, stride, tile);
        } else if (stride == 1) {
          packStrided<!right, ofGelu>(some, steps, corner, stepStride, tile);
        } else {
          float gathered[tileSide * stepsOfTile];
          for (int64_t r = 0; r < some; r++)
            for (int64_t s = 0; s < steps; s++) gathered[r * stepsOfTile + s] = corner[r * stride + s * stepStride];
          packContiguous<right, ofGelu>(some, steps, gathered, stepsOfTile, tile);
        }
      }
    }
  }
};

// Products of tiles: registers 0-3 hold the sums, 4 and 5 the left operand, 6 and 7 the right one.
template <bool twoRows, bool twoColumns>
VITRAL_INLINE void tileProducts() {
  _tile_dpbf16ps(0, 4, 6);
  if (twoColumns) _tile_dpbf16ps(1, 4, 7);
  if (twoRows) _tile_dpbf16ps(2, 5, 6);
  if (twoRows && twoColumns) _tile_dpbf16ps(3, 5, 7);
}
template <bool twoRows>
VITRAL_INLINE void loadLeft(const uint16_t* tiles) {
  _tile_loadd(4, tiles, 64);
  if (twoRows) _tile_loadd(5, tiles + tileHalves, 64);
}
template <bool twoColumns>
VITRAL_INLINE void loadRight(const uint16_t* tiles) {
  _tile_loadd(6, tiles, 64);
  if (twoColumns) _tile_loadd(7, tiles + tileHalves, 64);
}

// A tile of the next 32 steps, to L1: the tile registers' own loads reach too few steps ahead to hide the way from L2.
VITRAL_INLINE void fetchTile(const uint16_t* tile) {
  VITRAL_UNROLL
  for (int64_t i = 0; i < tileHalves; i += 32) __builtin_prefetch(tile + i, 0, 3);
}

// sums [32][32] = left panel · right panel over `tiles` × 32 steps.
template <int planes, bool twoRows, bool twoColumns>
void multiplyTiles(int64_t tiles, const uint16_t* left, const uint16_t* right, Ahead ahead, float* sums) {
  constexpr int64_t stride = 2 * tileSide * sizeof(float), plane = 2 * tileHalves;
  float* const lower = sums + tileSide * 2 * tileSide;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t t = 0; t < tiles; t++, left += planes * plane, right += planes * plane) {
    ahead.fetch(t, tiles);
    const uint16_t *nextLeft = left + planes * plane, *nextRight = right + planes * plane;
    if constexpr (planes == 1) {
      loadLeft<twoRows>(left);
      loadRight<twoColumns>(right);
      tileProducts<twoRows, twoColumns>();
      fetchTile(nextLeft), fetchTile(nextLeft + tileHalves), fetchTile(nextRight), fetchTile(nextRight + tileHalves);
    } else {  // small products first; each step changes one operand
      loadLeft<twoRows>(left);
      loadRight<twoColumns>(right + 2 * plane);
      tileProducts<twoRows, twoColumns>();  // high · low
      fetchTile(nextLeft), fetchTile(nextRight + 2 * plane);
      loadRight<twoColumns>(right + plane);
      loadLeft<twoRows>(left + plane);
      tileProducts<twoRows, twoColumns>();  // middle · middle
      fetchTile(nextLeft + tileHalves), fetchTile(nextRight + 2 * plane + tileHalves);
      loadRight<twoColumns>(right);
      tileProducts<twoRows, twoColumns>();  // middle · high
      fetchTile(nextLeft + plane), fetchTile(nextRight + plane);
      loadLeft<twoRows>(left + 2 * plane);
      tileProducts<twoRows, twoColumns>();  // low · high
      fetchTile(nextLeft + plane + tileHalves), fetchTile(nextRight + plane + tileHalves);
      loadLeft<twoRows>(left);
      tileProducts<twoRows, twoColumns>();  // high · high
      fetchTile(nextLeft + 2 * plane), fetchTile(nextRight);
      loadRight<twoColumns>(right + plane);
      tileProducts<twoRows, twoColumns>();  // high · middle
      fetchTile(nextLeft + 2 * plane + tileHalves), fetchTile(nextRight + tileHalves);
    }
  }
  _tile_stored(0, sums, stride);
  if (twoColumns) _tile_stored(1, sums + tileSide, stride);
  if (twoRows) _tile_stored(2, lower, stride);
  if (twoRows && twoColumns) _tile_stored(3, lower + tileSide, stride);
}

// What the driver needs to know (fma.h has the other kind).
template <int planes>
struct AmxPanels {
  using Registers = TileRegisters;
  using Packing = TilePacking<planes>;
  using Multiply = void (*)(int64_t tiles, const uint16_t* left, const uint16_t* right, Ahead ahead, float* sums);

  // The left block and a right panel share the second-level cache.
  static constexpr int64_t blockSteps = 1024, blockRows = planes == 1 ? 448 : 192;
  static constexpr int64_t stepUnit = stepsOfTile, chunkSteps = stepsOfTile, width = 2 * tileSide;
  static constexpr bool mayReadInPlace = false;

  static int64_t leftPanels(int64_t M) { return (M + width - 1) / width; }
  static int64_t leftStart(int64_t M, int64_t p) { return p * width < M ? p * width : M; }
  static int64_t leftFloats(int64_t K) { return (K + stepUnit - 1) / stepUnit * Packing::stepHalves / 2; }
  static int64_t rightFloats(int64_t N, int64_t K) { return leftPanels(N) * leftFloats(K); }

  static void packLeft(int64_t rows, int64_t k, int64_t K, const float* from, int64_t rowStride, int64_t stepStride,
                       bool ofGelu, float* panel) {
    const auto pack = ofGelu ? Packing::template pack<false, true> : Packing::template pack<false, false>;
    pack(rows, K, from, rowStride, stepStride, panel + leftFloats(k));
  }
  static void packRight(int64_t columns, int64_t k, int64_t K, const float* from, int64_t columnStride,
                        int64_t stepStride, bool ofGelu, float* panel) {
    const auto pack = ofGelu ? Packing::template pack<true, true> : Packing::template pack<true, false>;
    pack(columns, K, from, columnStride, stepStride, panel + leftFloats(k));
  }

  static void multiply(int64_t rows, int64_t K, const float* left, const float* right, const TileOutput& output,
                       Ahead ahead) {
    static constexpr Multiply kinds[2][2] = {
        {multiplyTiles<planes, false, false>, multiplyTiles<planes, false, true>},
        {multiplyTiles<planes, true, false>, multiplyTiles<planes, true, true>}};
    alignas(64) float sums[width * width];
    kinds[rows > tileSide][output.columns > tileSide]((K + stepUnit - 1) / stepUnit, (const uint16_t*)left,
                                                      (const uint16_t*)right, ahead, sums);
    for (int64_t j = 0; j < output.columns; j += lanes) {
      const int64_t count = output.columns - j < lanes ? output.columns - j : (int64_t)lanes;
      const Vf bias = output.bias ? loadSome(output.bias + j, count) : Vf{};
      for (int64_t i = 0; i < rows; i++) {
        float* c = output.c + i * output.ldc + j;
        const Vf sum = load(sums + i * width + j) + bias;
        storeSome(c, output.accumulate ? sum + loadSome(c, count) : sum, count);
      }
    }
  }
};

}  // namespace vitral::VITRAL_ISA
