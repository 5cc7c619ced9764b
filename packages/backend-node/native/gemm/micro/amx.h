// The matrix product's innermost loops on the tile registers of AMX.
//
// AMX multiplies bfloat16 and sums in float32, sixteen times as fast as the vector units multiply float32. With the
// operands split into three planes each, six of the nine products of planes, those above 2^-24 of the result, give a
// float32 product as accurate as one of fused multiply-adds. With one plane it is the product of bfloat16 autocast.
// An infinite operand gives NaN when split; numbers under 2^-126 count as zero.
#pragma once

#include "planes.h"

namespace vitral::VITRAL_ISA {

// While one lives, the calling thread's tile registers are eight of 16 × 64 bytes.
struct TileRegisters {
  TileRegisters() {
    alignas(64) struct {
      uint8_t palette = 1, startRow = 0, reserved[14] = {};
      uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const shape;
    asm volatile("" ::"m"(shape));  // GCC's intrinsic names its first bytes alone; the rest might never be stored
    _tile_loadconfig(&shape);
  }
  ~TileRegisters() { _tile_release(); }
  TileRegisters(const TileRegisters&) = delete;
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

// c (+)= left panel · right panel over `tiles` × 32 steps; c is as large as the tiles.
template <int planes, bool twoRows, bool twoColumns>
void multiplyTiles(int64_t tiles, const uint16_t* left, const uint16_t* right, Prefetch prefetch, bool accumulate,
                   float* c, int64_t ldc) {
  constexpr int64_t plane = 2 * tileHalves;
  const int64_t stride = ldc * (int64_t)sizeof(float);
  float* const lower = c + tileSide * ldc;
  if (accumulate) {
    _tile_loadd(0, c, stride);
    if (twoColumns) _tile_loadd(1, c + tileSide, stride);
    if (twoRows) _tile_loadd(2, lower, stride);
    if (twoRows && twoColumns) _tile_loadd(3, lower + tileSide, stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t t = 0; t < tiles; t++, left += planes * plane, right += planes * plane) {
    prefetch.fetch(t, tiles);
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
  _tile_stored(0, c, stride);
  if (twoColumns) _tile_stored(1, c + tileSide, stride);
  if (twoRows) _tile_stored(2, lower, stride);
  if (twoRows && twoColumns) _tile_stored(3, lower + tileSide, stride);
}

// What the driver needs to know (fma.h has the other kind).
template <int planes>
struct AmxPanels {
  using Registers = TileRegisters;
  using Packing = TilePacking<planes>;
  using Multiply = decltype(&multiplyTiles<planes, true, true>);

  // The left block and a right panel share the second-level cache. All rows in one block have the right operand read
  // once, which for few rows is what takes the time.
  static constexpr int64_t kc = 1024, mc = planes == 1 ? 448 : 192, soleMc = planes == 1 ? 448 : 256;
  static constexpr int64_t kUnit = stepsOfTile, kChunk = stepsOfTile, nr = 2 * tileSide;
  static constexpr bool mayReadInPlace = false;

  static constexpr int64_t mr = nr;
  static int64_t leftPanels(int64_t M) { return (M + nr - 1) / nr; }
  static int64_t leftStart(int64_t M, int64_t p) { return p * nr < M ? p * nr : M; }
  static int64_t leftFloats(int64_t K) { return tilesOf(K) * Packing::stepHalves / 2; }
  static int64_t rightFloats(int64_t N, int64_t K) { return leftPanels(N) * leftFloats(K); }
  static int64_t tilesOf(int64_t K) { return (K + kUnit - 1) / kUnit; }

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
                       Prefetch prefetch) {
    static constexpr Multiply kinds[2][2] = {{multiplyTiles<planes, false, false>, multiplyTiles<planes, false, true>},
                                             {multiplyTiles<planes, true, false>, multiplyTiles<planes, true, true>}};
    const Multiply run = kinds[rows > tileSide][output.columns > tileSide];
    const auto *a = (const uint16_t*)left, *b = (const uint16_t*)right;
    const bool whole = rows % tileSide == 0 && output.columns % tileSide == 0;
    if (whole && !output.bias) return run(tilesOf(K), a, b, prefetch, output.accumulate, output.c, output.ldc);
    alignas(64) float sums[nr * nr];
    run(tilesOf(K), a, b, prefetch, false, sums, nr);
    writeOut(rows, sums, output);
  }

  // What was summed in [rows][32] goes to C.
  static void writeOut(int64_t rows, const float* sums, const TileOutput& output) {
    for (int64_t j = 0; j < output.columns; j += lanes) {
      const int64_t count = output.columns - j < lanes ? output.columns - j : (int64_t)lanes;
      const Vf bias = output.bias ? loadSome(output.bias + j, count) : Vf{};
      for (int64_t i = 0; i < rows; i++) {
        float* c = output.c + i * output.ldc + j;
        const Vf sum = load(sums + i * nr + j) + bias;
        storeSome(c, output.accumulate ? sum + loadSome(c, count) : sum, count);
      }
    }
  }

  // Scores of attention, [keys][queries], as the right operand of a product over keys.
  static const float* scoresAsRight(int64_t keys, int64_t queries, float* scores, float* packed) {
    packRight(queries, 0, keys, scores, 1, queries, false, packed);
    return packed;
  }
  // The same, `stride` floats a key, as the left operand of a product over queries.
  template <int stride>
  static void multiplyScores(int64_t keys, int64_t queries, const float* scores, int64_t columns, const float* right,
                             float* c, int64_t ldc, bool accumulate) {
    alignas(64) float left[Packing::stepHalves / 2];
    packLeft(keys, 0, queries, scores, stride, 1, false, left);
    for (int64_t j = 0; j < columns; j += nr) {
      const int64_t some = columns - j < nr ? columns - j : nr;
      multiply(keys, queries, left, right + j / nr * leftFloats(queries), {c + j, ldc, some, nullptr, accumulate}, {});
    }
  }
};

}  // namespace vitral::VITRAL_ISA
