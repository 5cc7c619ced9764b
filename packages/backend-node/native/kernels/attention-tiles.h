// What attention and its gradient share: the head's operands as panels, and the products over one panel of queries.
//
// Attention runs a panel of queries at a time: scores, probabilities and their gradients live in a tile of
// [keys][queries] that stays in L1 or L2, with the queries in the vector lanes. That orientation makes maximum, sum and
// exponential vertical, needs no mask for the keys, and lets every product run on the matrix product's own tiles: the
// scores are written as the right panel that the product with v (or k) reads.
// B batch, N tokens, C = H·D hidden size, H heads, D head size.
#pragma once

#include "../gemm/bfloat16.h"
#include "../gemm/micro/pack.h"
#include "../gemm/micro/panels.h"
#include "../gemm/range.h"
#include "../runtime/arena.h"
#include "../runtime/random.h"
#include "../runtime/threads.h"
#include "attention.h"

namespace vitral::VITRAL_ISA {

constexpr int64_t keyTile = 512;  // keys whose scores against one panel of queries are held at a time

struct Heads {
  int64_t B, N, H, D;
  float scale;
  KeepMultiplier keep;
  bool dropout;
  bool rounded;  // operands of products count as bfloat16
  int64_t hiddenSize() const { return H * D; }
  int64_t packedRow() const { return 3 * H * D; }  // of qkv and dQkv
  int64_t tiles() const { return (N + keyTile - 1) / keyTile; }
  Range tile(int64_t i) const { return {i * N / tiles(), (i + 1) * N / tiles()}; }
  int64_t longestTile() const { return (N + tiles() - 1) / tiles(); }
  int64_t queryPanels() const { return rightPanels(N); }
  Range queries(Range panels) const { return {panels.begin * nr, panels.end * nr < N ? panels.end * nr : N}; }
  Range queries(int64_t panel) const { return queries({panel, panel + 1}); }
};

inline Heads headsOf(const AttentionOptions& options) {
  return {options.B,
          options.N,
          options.H,
          options.D,
          options.scale,
          KeepMultiplier(options.dropoutProbability, options.seed),
          options.dropoutProbability > 0,
          options.precision == Precision::bfloat16};
}

// Scratch memory of a thread, cut as Layout(heads, arena) says.
template <class Layout>
Layout scratchOf(const Heads& heads) {
  Arena arena(scratch(Scratch::attention, floatsOf<Layout>(heads)));
  return Layout(heads, arena);
}

// Asks for a head's rows ahead of their use: they lie a whole row of the matrix apart, each on a page of its own, where
// the hardware's own prefetching does not follow.
template <bool forWriting, class Number>
VITRAL_INLINE void prefetchRows(const Number* from, int64_t rows, int64_t rowStride, int64_t D) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t d = 0; d < D; d += 64 / (int64_t)sizeof(Number))
      __builtin_prefetch(from + i * rowStride + d, forWriting, 2);
}

// A head's part of a matrix's rows.
struct HeadRows {
  const float* first;
  int64_t stride;
  const float* operator[](int64_t row) const { return first + row * stride; }
};

// The wanted rows of an operand that begins at `corner`: where they lie, prefetched; or expanded, where it is bfloat16.
enum class Operand { query, key, value, out, operands };
inline HeadRows headRows(const Heads& heads, Operand operand, FloatOrBf16 matrix, int64_t corner, int64_t rowLength,
                         Range wanted) {
  const int64_t D = heads.D, start = corner + wanted.begin * rowLength;
  if (!matrix.bf16) {
    prefetchRows<false>(matrix.floats + start, wanted.length(), rowLength, D);
    return {matrix.floats + corner, rowLength};
  }
  prefetchRows<false>(matrix.bf16 + start, wanted.length(), rowLength, D);
  const int64_t floats = wholeLines(heads.N * D);
  float* to = scratch(Scratch::attentionRows, (int64_t)Operand::operands * floats) + (int64_t)operand * floats;
  for (int64_t i = wanted.begin; i < wanted.end; i++)
    expandBfloat16(D, matrix.bf16 + corner + i * rowLength, to + i * D);
  return {to, D};
}
// The same of query, key or value of head h of sample b.
inline HeadRows packedRows(const Heads& heads, Operand operand, FloatOrBf16 qkv, int64_t b, int64_t h, Range wanted) {
  const int64_t row = heads.packedRow(),
                corner = b * heads.N * row + (int64_t)operand * heads.hiddenSize() + h * heads.D;
  return headRows(heads, operand, qkv, corner, row, wanted);
}

// Calls run with the panels that suit: packing for tile registers pays where heads are wide enough to fill the tiles
// (measured), and splitting into planes only where there are also many tokens.
template <class Run>
void withPanels(const Heads& heads, Run run) {
  if (heads.rounded) {
    heads.D >= 32 ? run(Bfloat16Panels{}) : run(FmaPanels<true>{});
  } else {
    heads.D >= 32 && heads.N >= 512 ? run(Float32Panels{}) : run(FmaPanels<false>{});
  }
}

// An operand of M rows as left panels, of all rows.
template <class Panels>
int64_t leftOperandFloats(int64_t M, int64_t K) {
  return Panels::leftPanels(M) * Panels::leftFloats(K);
}
template <class Panels>
void packLeftOperand(int64_t M, int64_t K, const float* from, int64_t rowStride, int64_t stepStride, float* to) {
  for (int64_t p = 0; p < Panels::leftPanels(M); p++, to += Panels::leftFloats(K)) {
    const int64_t i = Panels::leftStart(M, p), rows = Panels::leftStart(M, p + 1) - i;
    Panels::packLeft(rows, 0, K, from + i * rowStride, rowStride, stepStride, false, to);
  }
}

// A head's operand as left panels, one group of them for each tile of keys. By rows: rows are the keys, steps the
// head's columns. By columns: rows are the head's columns, steps the keys.
template <class Panels>
int64_t byRowsFloats(const Heads& heads) {
  return heads.tiles() * leftOperandFloats<Panels>(heads.longestTile(), heads.D);
}
template <class Panels>
int64_t byColumnsFloats(const Heads& heads) {
  return heads.tiles() * leftOperandFloats<Panels>(heads.D, heads.longestTile());
}
template <class Panels>
void packByRows(const Heads& heads, HeadRows from, float* to) {
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range keys = heads.tile(t);
    packLeftOperand<Panels>(keys.length(), heads.D, from[keys.begin], from.stride, 1, to);
    to += leftOperandFloats<Panels>(keys.length(), heads.D);
  }
}
template <class Panels>
void packByColumns(const Heads& heads, HeadRows from, float* to) {
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range keys = heads.tile(t);
    packLeftOperand<Panels>(heads.D, keys.length(), from[keys.begin], 1, from.stride, to);
    to += leftOperandFloats<Panels>(heads.D, keys.length());
  }
}

// The queries of a panel, D steps each, as a right operand; and their rows as right panels, for sums over queries.
template <class Panels>
void packQueries(Range queries, int64_t D, HeadRows from, float* to) {
  Panels::packRight(queries.length(), 0, D, from[queries.begin], from.stride, 1, false, to);
}
template <class Panels>
void packQueryRows(Range queries, int64_t D, HeadRows from, float* to) {
  for (int64_t d = 0; d < D; d += nr, to += Panels::rightFloats(nr, queries.length()))
    Panels::packRight(D - d < nr ? D - d : nr, 0, queries.length(), from[queries.begin] + d, 1, from.stride, false, to);
}

// C [M, columns] (+)= left operand · one right panel, C's rows ldc apart.
template <class Panels>
void multiplyPanels(int64_t M, int64_t K, const float* left, const float* right, float* C, int64_t ldc, int64_t columns,
                    bool accumulate) {
  for (int64_t p = 0; p < Panels::leftPanels(M); p++, left += Panels::leftFloats(K)) {
    const int64_t i = Panels::leftStart(M, p), rows = Panels::leftStart(M, p + 1) - i;
    Panels::multiply(rows, K, left, right, {C + i * ldc, ldc, columns, nullptr, accumulate}, {});
  }
}

inline void scaleAll(float* x, int64_t floats, float factor) {
  for (int64_t i = 0; i < floats; i += lanes) store(x + i, load(x + i) * factor);
}

// The flat index of (head, query, key 0) in each lane, modulo 2^32.
inline Vu dropoutRow(const Heads& heads, int64_t head, int64_t query) {
  return (splatBits((uint32_t)(head * heads.N + query)) + laneIndex()) * (uint32_t)heads.N;
}
// The flat index of (head, query, key = lane).
inline Vu dropoutKeys(const Heads& heads, int64_t head, int64_t query) {
  return splatBits((uint32_t)((head * heads.N + query) * heads.N)) + laneIndex();
}

// How many parts each head's query panels are split into, so that the busiest thread has the least to do; packing k and
// v anew costs a part about as much as `packing` panels.
inline int64_t chooseParts(const Heads& heads, int64_t threads, double packing) {
  const int64_t panels = heads.queryPanels();
  int64_t best = 1;
  double bestCost = 1e300;
  for (int64_t parts = 1; parts <= panels && parts <= 2 * threads; parts++) {
    const int64_t rounds = (heads.B * heads.H * parts + threads - 1) / threads;
    const double cost = rounds * ((panels + parts - 1) / parts + packing);
    if (cost < bestCost) bestCost = cost, best = parts;
  }
  return best;
}

}  // namespace vitral::VITRAL_ISA
