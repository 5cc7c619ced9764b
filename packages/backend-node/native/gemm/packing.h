// Both operands of a matrix product as panels, k block by k block: [k block][panel]. `Panels` packs one (fma.h tells
// how).
#pragma once

#include <algorithm>

#include "../runtime/lanes.h"
#include "../runtime/threads.h"
#include "bfloat16.h"
#include "micro/tile.h"
#include "range.h"

namespace vitral::VITRAL_ISA {

// k in even blocks, each but the last a multiple of the panels' unit.
template <class Panels>
struct Steps {
  int64_t K, blocks;
  explicit Steps(int64_t K) : K(K), blocks((K + Panels::kc - 1) / Panels::kc) {}
  Range operator[](int64_t i) const {
    const Range units = piece((K + Panels::kUnit - 1) / Panels::kUnit, blocks, i);
    const int64_t end = units.end * Panels::kUnit;
    return {units.begin * Panels::kUnit, end < K ? end : K};
  }
  Range spanOf(Range some) const { return {(*this)[some.begin].begin, (*this)[some.end - 1].end}; }
};

template <class Panels>
int64_t rightPanelsOf(int64_t N) {
  return (N + Panels::nr - 1) / Panels::nr;
}
template <class Panels>
int64_t rightPanelFloats(int64_t K) {
  return Panels::rightFloats(Panels::nr, K);
}

// Where a k block's panel lies among the panels of M rows, or of N columns, from `firstStep` on.
template <class Panels>
int64_t leftAt(int64_t M, int64_t firstStep, Range block, int64_t panel) {
  return Panels::leftPanels(M) * Panels::leftFloats(block.begin - firstStep) +
         panel * Panels::leftFloats(block.length());
}
template <class Panels>
int64_t rightAt(int64_t N, int64_t firstStep, Range block, int64_t panel) {
  return Panels::rightFloats(N, block.begin - firstStep) + panel * rightPanelFloats<Panels>(block.length());
}

// bfloat16 as the panels are packed of it: [rows][columns] of float32, in L1.
inline const float* expand(int64_t rows, int64_t columns, const uint16_t* from, int64_t rowStride, int64_t colStride) {
  float* to = scratch(Scratch::gemmTile, rows * columns);
  for (int64_t i = 0; i < rows; i++)
    if (colStride == 1) expandBfloat16(columns, from + i * rowStride, to + i * columns);
    else
      for (int64_t j = 0; j < columns; j++)
        expandBfloat16(1, from + i * rowStride + j * colStride, to + i * columns + j);
  return to;
}

// sums[i] (+)= the sum of row i over some steps, of which the elements lie side by side.
inline void addSteps(int64_t rows, int64_t steps, const float* from, int64_t stepStride, bool accumulate, float* sums) {
  eachOfRow(rows, [&](int64_t i, int64_t count) {
    Vf several[4] = {};  // a sum waits for the one before
    int64_t k = 0;
    for (; k + 4 <= steps; k += 4) {
      VITRAL_UNROLL
      for (int s = 0; s < 4; s++) several[s] += loadSome(from + (k + s) * stepStride + i, count);
    }
    for (; k < steps; k++) several[0] += loadSome(from + k * stepStride + i, count);
    const Vf sum = (several[0] + several[1]) + (several[2] + several[3]);
    storeSome(sums + i, accumulate ? loadSome(sums + i, count) + sum : sum, count);
  });
}

// Some panels of an operand of M rows, in a few steps. Where a step's elements lie side by side, all panels take their
// part of a few steps before the next ones are read, so that these stay in L1; of bfloat16 those that are expanded at a
// time do. sums: where A.sums of these steps go, or null.
template <class Panels>
void packLeftPanels(const MatrixView& A, int64_t M, Range steps, Range panels, float* to, float* sums) {
  const int64_t K = steps.length();
  const int64_t longest = A.bf16 ? 8 * Panels::kChunk : Panels::kChunk;
  const int64_t chunk = (A.bf16 || A.rowStride == 1) && K > longest ? longest : K;
  for (int64_t k = 0; k < K; k += chunk)
    for (int64_t p = panels.begin; p < panels.end; p++) {
      const int64_t i = Panels::leftStart(M, p), rows = Panels::leftStart(M, p + 1) - i;
      const int64_t length = K - k < chunk ? K - k : chunk;
      const int64_t at = i * A.rowStride + (steps.begin + k) * A.colStride;
      float* panel = to + (p - panels.begin) * Panels::leftFloats(K);
      if (A.bf16) {
        const float* expanded = expand(rows, length, A.bf16 + at, A.rowStride, A.colStride);
        Panels::packLeft(rows, k, length, expanded, length, 1, A.gelu, panel);
      } else {
        Panels::packLeft(rows, k, length, A.data + at, A.rowStride, A.colStride, A.gelu, panel);
        if (sums) addSteps(rows, length, A.data + at, A.colStride, k > 0, sums + i);
      }
    }
}

constexpr int64_t packingGrain = 65536;  // floats that are worth a task of their own

// The left panels of some k blocks, for all threads: tasks that any of them can take, in `pieces` of each block;
// with `pieces == 0` nothing is packed or allocated.
template <class Panels>
struct LeftPacking {
  const MatrixView& A;
  int64_t M;
  const Steps<Panels>& steps;
  Range blocks;
  float* sums;  // [k block of all][M], or null
  int64_t pieces;
  float* to = nullptr;

  LeftPacking(const MatrixView& A, int64_t M, const Steps<Panels>& steps, Range blocks, float* sums, int64_t pieces)
      : A(A), M(M), steps(steps), blocks(blocks), sums(sums), pieces(std::min(Panels::leftPanels(M), pieces)) {
    const int64_t floats = Panels::leftPanels(M) * Panels::leftFloats(steps.spanOf(blocks).length());
    if (pieces > 0) to = scratch(Scratch::gemmLeft, floats);
  }

  int64_t tasks() const { return blocks.length() * pieces; }
  void operator()(int64_t task) const {
    const int64_t number = blocks.begin + task / pieces;
    const Range block = steps[number], panels = piece(Panels::leftPanels(M), pieces, task % pieces);
    packLeftPanels<Panels>(A, M, block, panels, to + leftAt<Panels>(M, steps[blocks.begin].begin, block, panels.begin),
                           sums ? sums + number * M : nullptr);
  }
};

// Columns [column, column + N) of B in some k blocks as right panels: tasks that any thread can take.
template <class Panels>
struct RightPacking {
  const MatrixView& B;
  int64_t N, column;
  const Steps<Panels>& steps;
  Range blocks;
  float* to;
  int64_t pieces;  // of each block

  RightPacking(const MatrixView& B, int64_t N, int64_t column, const Steps<Panels>& steps, Range blocks, float* to)
      : B(B), N(N), column(column), steps(steps), blocks(blocks), to(to) {
    const int64_t K = steps[blocks.begin].length(), units = byChunks() ? K / Panels::kChunk : rightPanelsOf<Panels>(N);
    pieces = std::max<int64_t>(1, std::min(units, K * N / packingGrain));
  }

  int64_t tasks() const { return blocks.length() * pieces; }
  void operator()(int64_t task) const {
    const Range block = steps[blocks.begin + task / pieces];
    const int64_t K = block.length(), panels = rightPanelsOf<Panels>(N);
    if (byChunks()) {
      constexpr int64_t chunk = Panels::kChunk;
      const Range chunks = piece((K + chunk - 1) / chunk, pieces, task % pieces);
      for (int64_t k = chunks.begin * chunk; k < chunks.end * chunk && k < K; k += chunk)
        for (int64_t panel = 0; panel < panels; panel++) pack(block, k, K - k < chunk ? K - k : chunk, panel);
    } else {
      const Range some = piece(panels, pieces, task % pieces);
      for (int64_t panel = some.begin; panel < some.end; panel++) pack(block, 0, K, panel);
    }
  }

 private:
  // Where a step's elements lie side by side, all panels take theirs of a few steps before the next ones are read.
  bool byChunks() const { return B.colStride == 1; }

  void pack(Range block, int64_t k, int64_t length, int64_t panel) const {
    const int64_t j = panel * Panels::nr, columns = N - j < Panels::nr ? N - j : Panels::nr;
    float* start = to + rightAt<Panels>(N, steps[blocks.begin].begin, block, panel);
    const int64_t at = (block.begin + k) * B.rowStride + (column + j) * B.colStride;
    if (B.bf16) {
      const float* expanded = expand(length, columns, B.bf16 + at, B.rowStride, B.colStride);
      Panels::packRight(columns, k, length, expanded, 1, columns, B.gelu, start);
    } else {
      Panels::packRight(columns, k, length, B.data + at, B.colStride, B.rowStride, B.gelu, start);
    }
  }
};

}  // namespace vitral::VITRAL_ISA
