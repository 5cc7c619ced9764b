// The innermost loops of the matrix product: a tile of C held in registers for a whole block of k.
//
// The left operand comes as `rows` values for each k, broadcast one by one; the right operand as `vectors` vectors, of
// a panel packed [k][nr] or of rows where they lie. The tile is as tall as the registers allow: each step loads so many
// vectors and scalars for rows·vectors fused multiply-adds, and both fit in cache, so the FMA units are what limits it.
#pragma once

#include "../../runtime/simd.h"

namespace vitral::VITRAL_ISA {

#if defined(__AVX512F__)
constexpr int mr = 14;  // 28 of 32 registers accumulate
#elif defined(__AVX2__)
constexpr int mr = 6;  // 12 of 16
#elif defined(__wasm__)
constexpr int mr = 3;  // 9 of 16, of which engines keep some for themselves: with more they spill sums
#else
constexpr int mr = 8;  // 16 of 32 on arm64; SSE spills a few and still runs faster than a lower tile
#endif
#if defined(__wasm__)
constexpr int tileVectors = 3;
#else
constexpr int tileVectors = 2;
#endif
constexpr int nr = tileVectors * lanes;

// Where the micro-kernel finds the left operand: element (row i, step k) is at i·rowStride + k·stepStride.
struct PackedLeft {  // panels packed [k][mr]
  static constexpr int64_t stepStride(int64_t) { return mr; }
  static constexpr int64_t rowStride(int64_t) { return 1; }
};
template <int width>
struct PanelLeft {  // [row][width], as attention keeps its scores
  static constexpr int64_t stepStride(int64_t) { return 1; }
  static constexpr int64_t rowStride(int64_t) { return width; }
};
struct RowsLeft {  // rows where they lie, `lda` floats apart
  static constexpr int64_t stepStride(int64_t) { return 1; }
  static constexpr int64_t rowStride(int64_t lda) { return lda; }
};
struct ColumnsLeft {  // columns where they lie, `lda` floats apart
  static constexpr int64_t stepStride(int64_t lda) { return lda; }
  static constexpr int64_t rowStride(int64_t) { return 1; }
};

// How far apart it finds the steps of the right operand, of which it reads `width` floats.
struct PackedRight {
  static constexpr int64_t stepStride(int64_t, int64_t width) { return width; }
};
struct RowsRight {  // rows where they lie, `ldb` floats apart
  static constexpr int64_t stepStride(int64_t ldb, int64_t) { return ldb; }
};

// A step's elements are words of 4 bytes: floats here, in pairs.h something else.
struct FloatWords {
  static VITRAL_INLINE Vf broadcast(const float* at) { return splat(*at); }
  static VITRAL_INLINE void addProduct(Vf& sum, Vf left, Vf right) { sum = multiplyAdd(left, right, sum); }
};

struct TileOutput {
  float* c;
  int64_t ldc;
  int64_t columns;    // of the tile's vectors·lanes columns, how many exist
  const float* bias;  // added to each row, or null
  bool accumulate;    // add to what c holds
};

// What the next tiles will read. Every tile fetches a part of it: the processor's own prefetcher stops at each page,
// and a weight that was not used since the last forward pass is beyond the second-level cache. Fetched all at once it
// would hold up the tile: a core has some twenty places for lines on their way.
struct Prefetch {
  const float* at = nullptr;
  int64_t floats = 0;
  VITRAL_INLINE void fetch(int64_t part, int64_t parts) const {
    for (int64_t i = floats * part / parts; i < floats * (part + 1) / parts; i += 16) __builtin_prefetch(at + i, 0, 2);
  }
};

// The same, of which each of the steps of a tile fetches its share without counting lines.
struct PrefetchByStep {
  const char* at;
  int64_t bytes;  // a step
  // `read` is what the tile reads anyhow: a prefetch of nothing has to go somewhere.
  VITRAL_INLINE PrefetchByStep(const Prefetch& prefetch, int64_t steps, const float* read)
      : at((const char*)(prefetch.floats ? prefetch.at : read)),
        bytes(prefetch.floats * (int64_t)sizeof(float) / steps) {}
  VITRAL_INLINE void fetch() {
    __builtin_prefetch(at, 0, 2);
    at += bytes;
  }
};

// Writes `rows` vectors of one column of the tile, `ldc` floats apart; `count` lanes of each exist.
template <int rows, int vectors, bool whole, bool accumulate>
VITRAL_INLINE void storeColumn(Vf (&sum)[rows][vectors], int v, float* c, int64_t ldc, int64_t count, Vf bias) {
  VITRAL_UNROLL
  for (int i = 0; i < rows; i++) {
    Vf value = sum[i][v] + bias;
    if (accumulate) value += whole ? load(c) : loadPartial(c, count);
    if (whole) store(c, value);
    else storePartial(c, value, count);
    c += ldc;
  }
}

template <int rows, int vectors, class Left, class Right, class Words>
void multiplyRows(int64_t K, const float* a, int64_t lda, const float* b, int64_t ldb, const TileOutput& output,
                  Prefetch prefetch) {
  // Three rows a base pointer: as many as x86 addresses with one index register and the factors 1 and 2.
  const int64_t rowStride = Left::rowStride(lda), stepStride = Left::stepStride(lda);
  const float* base[(rows + 2) / 3];
  for (int i = 0; i < rows; i += 3) base[i / 3] = a + i * rowStride;
  Vf sum[rows][vectors] = {};
  PrefetchByStep next(prefetch, K, b);
  VITRAL_UNROLL_STEPS  // six of a step's 26 instructions with AVX2 count steps: of four in a row most of those go
      for (int64_t k = 0; k < K; k++) {
    next.fetch();
    Vf right[vectors];
    VITRAL_UNROLL
    for (int v = 0; v < vectors; v++) right[v] = load(b + v * lanes);
    VITRAL_UNROLL
    for (int i = 0; i < rows; i++) {
      const Vf left = Words::broadcast(base[i / 3] + k * stepStride + i % 3 * rowStride);
      VITRAL_UNROLL
      for (int v = 0; v < vectors; v++) Words::addProduct(sum[i][v], left, right[v]);
    }
    b += Right::stepStride(ldb, vectors * lanes);
  }
  const int64_t ldc = output.ldc;
  const float* bias = output.bias;
  const bool accumulate = output.accumulate;
  VITRAL_UNROLL
  for (int v = 0; v < vectors; v++) {
    float* c = output.c + v * lanes;
    const int64_t count = output.columns - v * lanes;
    if (count >= lanes) {
      const Vf shift = bias ? load(bias + v * lanes) : Vf{};
      if (accumulate) storeColumn<rows, vectors, true, true>(sum, v, c, ldc, lanes, shift);
      else storeColumn<rows, vectors, true, false>(sum, v, c, ldc, lanes, shift);
    } else {
      const Vf shift = bias ? loadPartial(bias + v * lanes, count) : Vf{};
      if (accumulate) storeColumn<rows, vectors, false, true>(sum, v, c, ldc, count, shift);
      else storeColumn<rows, vectors, false, false>(sum, v, c, ldc, count, shift);
    }
  }
}

// The tiles of every height up to mr, as a table.
using Tile = void (*)(int64_t K, const float* a, int64_t lda, const float* b, int64_t ldb, const TileOutput& output,
                      Prefetch prefetch);
template <int vectors, class Left, class Right, class Words>
struct TileTable {
  Tile ofHeight[mr + 1] = {};
  constexpr TileTable() { fill<mr>(); }
  template <int rows>
  constexpr void fill() {
    ofHeight[rows] = multiplyRows<rows, vectors, Left, Right, Words>;
    if constexpr (rows > 1) fill<rows - 1>();
  }
};

// C tile [rows, output.columns] = A·B (+ bias) (+ C) for 1 ≤ rows ≤ mr. The panel of B is one vector wide when
// that holds all columns, else nr. Only RowsLeft heeds lda.
template <class Left, class Words = FloatWords>
void multiplyTile(int64_t rows, int64_t K, const float* a, int64_t lda, const float* b, const TileOutput& output,
                  Prefetch prefetch) {
  static constexpr TileTable<1, Left, PackedRight, Words> narrow;
  static constexpr TileTable<tileVectors, Left, PackedRight, Words> wide;
  (output.columns <= lanes ? narrow.ofHeight : wide.ofHeight)[rows](K, a, lda, b, 0, output, prefetch);
}

// The same of nr columns, with B's rows where they lie. A lies so, too, or is a packed panel with lda = mr.
inline void multiplyTileInPlace(int64_t rows, int64_t K, const float* a, int64_t lda, const float* b, int64_t ldb,
                                const TileOutput& output) {
  static constexpr TileTable<tileVectors, ColumnsLeft, RowsRight, FloatWords> tiles;
  tiles.ofHeight[rows](K, a, lda, b, ldb, output, {});
}

}  // namespace vitral::VITRAL_ISA
