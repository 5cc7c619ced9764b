// Panels of bfloat16 for AMX, which multiplies pairs of them and sums in float32.
//
// A float32 is the exact sum of three bfloat16 (8 + 8 + 8 bits), its planes; the nearest bfloat16 alone is its one
// plane.
//
// A tile is 16 rows of 64 bytes. Left panels: [32 steps][plane][2 tiles][16 rows][32 steps]. Right panels the same, but
// a row holds two steps of 16 columns, interleaved. Steps are filled up with zeros to a multiple of 32.
#pragma once

#include "../../kernels/gelu-polynomial.h"
#include "../../runtime/lanes.h"
#include "tile.h"
#include "transpose.h"

namespace vitral::VITRAL_ISA {

constexpr int tileSide = 16;  // rows of a tile; also its columns of float32
constexpr int stepsOfTile = 32;
constexpr int64_t tileHalves = 512;  // bfloat16 in a tile

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

  // The same of an operand whose `count` rows (or columns) lie side by side and whose steps are `stride` apart: pairs
  // of steps come as rows, which is how the right operand wants them.
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

}  // namespace vitral::VITRAL_ISA
