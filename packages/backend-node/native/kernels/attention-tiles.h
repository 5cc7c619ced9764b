// What attention and its gradient share: the head's operands as panels, and the products over one panel of queries.
//
// Attention runs a panel of queries at a time: scores, probabilities and their gradients live in a tile of
// [keys][queries] that stays in L1 or L2, with the queries in the vector lanes. That orientation makes maximum, sum and
// exponential vertical, needs no mask for the keys, and lets every product run on the matrix product's own tiles: the
// scores are written as the right panel that the product with v (or k) reads.
// B batch, N tokens, C = H·D hidden size, H heads, D head size.
#pragma once

#include "../gemm/pack.h"
#include "../gemm/panels.h"
#include "../random.h"
#include "../threads.h"

namespace vitral::VITRAL_ISA {

constexpr int64_t keyTile = 512;          // keys whose scores against one panel of queries are held at a time
constexpr double serialOperations = 3e5;  // below this, waking a thread costs more than it gains

struct Range {
  int64_t begin, end;
  int64_t length() const { return end - begin; }
};

struct Heads {
  int64_t B, N, H, D;
  float scale;
  KeepMultiplier keep;
  bool dropout;
  int64_t hiddenSize() const { return H * D; }
  int64_t rowStride() const { return 3 * H * D; }  // of qkv and dQkv
  int64_t tiles() const { return (N + keyTile - 1) / keyTile; }
  Range tile(int64_t i) const { return {i * N / tiles(), (i + 1) * N / tiles()}; }
  int64_t longestTile() const { return (N + tiles() - 1) / tiles(); }
  int64_t queryPanels() const { return rightPanels(N); }
  Range queries(int64_t panel) const {
    return {panel * panelWidth, (panel + 1) * panelWidth < N ? (panel + 1) * panelWidth : N};
  }
};

// Calls run with the panels that suit: packing for tile registers pays where heads are wide enough to fill the tiles
// (measured), and splitting into planes only where there are also many tokens.
template <class Run>
void withPanels(const Heads& heads, Precision precision, Run run) {
  if (precision == Precision::bfloat16) {
    heads.D >= 32 ? run(Bfloat16Panels{}) : run(FmaPanels<true>{});
  } else {
    heads.D >= 32 && heads.N >= 512 ? run(Float32Panels{}) : run(FmaPanels<false>{});
  }
}

// Hands out consecutive pieces of one scratch buffer, each on a cache line of its own.
struct Carver {
  float* at;
  float* take(int64_t floats) {
    float* piece = at;
    at += (floats + 15) / 16 * 16;
    return piece;
  }
};
inline int64_t lines(int64_t floats) { return (floats + 15) / 16 * 16; }

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

// A head's operand as left panels, one group of them for each tile of keys. By rows: rows are the keys, steps the head's
// columns. By columns: rows are the head's columns, steps the keys.
template <class Panels>
int64_t byRowsFloats(const Heads& heads) {
  return heads.tiles() * leftOperandFloats<Panels>(heads.longestTile(), heads.D);
}
template <class Panels>
int64_t byColumnsFloats(const Heads& heads) {
  return heads.tiles() * leftOperandFloats<Panels>(heads.D, heads.longestTile());
}
template <class Panels>
void packByRows(const Heads& heads, const float* from, float* to) {
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range keys = heads.tile(t);
    packLeftOperand<Panels>(keys.length(), heads.D, from + keys.begin * heads.rowStride(), heads.rowStride(), 1, to);
    to += leftOperandFloats<Panels>(keys.length(), heads.D);
  }
}
template <class Panels>
void packByColumns(const Heads& heads, const float* from, float* to) {
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range keys = heads.tile(t);
    packLeftOperand<Panels>(heads.D, keys.length(), from + keys.begin * heads.rowStride(), 1, heads.rowStride(), to);
    to += leftOperandFloats<Panels>(heads.D, keys.length());
  }
}

// The queries of a panel, D steps each, as a right operand; and their rows as right panels, for sums over queries.
template <class Panels>
void packQueries(int64_t queries, int64_t D, const float* from, int64_t rowStride, float* to) {
  Panels::packRight(queries, 0, D, from, rowStride, 1, false, to);
}
template <class Panels>
void packQueryRows(int64_t queries, int64_t D, const float* from, int64_t rowStride, float* to) {
  for (int64_t d = 0; d < D; d += panelWidth, to += Panels::rightFloats(panelWidth, queries))
    Panels::packRight(D - d < panelWidth ? D - d : panelWidth, 0, queries, from + d, 1, rowStride, false, to);
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

// Asks for a head's rows ahead of their use: they lie a whole qkv row apart, each on a page of its own, where the
// hardware's own prefetching does not follow.
template <bool forWriting>
void prefetchRows(const float* from, int64_t rows, int64_t rowStride, int64_t D) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t d = 0; d < D; d += 16) __builtin_prefetch(from + i * rowStride + d, forWriting, 2);
}

template <class Body>
void forEachTask(bool serial, int64_t count, Body&& body) {
  if (!serial) return parallelTasks(count, body);
  for (int64_t task = 0; task < count; task++) body(task);
}

}  // namespace vitral::VITRAL_ISA
