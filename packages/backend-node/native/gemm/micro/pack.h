// Copies blocks of an operand into the panels the micro-kernel reads front to back: [panel][k][width].
//
// A left panel is mr wide; its rows are the operand's, spread evenly over the panels so that no panel is a thin
// rest. A right panel is nr wide, the last one a single vector when that suffices, filled up with zeros.
#pragma once

#include "../gemm.h"
#include "tile.h"

namespace vitral::VITRAL_ISA {

typedef float V4 __attribute__((vector_size(16)));

#if defined(__clang__)
VITRAL_INLINE V4 interleaveLow(V4 a, V4 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
VITRAL_INLINE V4 interleaveHigh(V4 a, V4 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#else
typedef int32_t Lanes4 __attribute__((vector_size(16)));
VITRAL_INLINE V4 interleaveLow(V4 a, V4 b) { return __builtin_shuffle(a, b, Lanes4{0, 4, 1, 5}); }
VITRAL_INLINE V4 interleaveHigh(V4 a, V4 b) { return __builtin_shuffle(a, b, Lanes4{2, 6, 3, 7}); }
#endif

// to[j·toStride + i] = from[i·fromStride + j] for i, j in 0…3.
VITRAL_INLINE void transpose4(const float* from, int64_t fromStride, float* to, int64_t toStride) {
  V4 row[4];
  for (int i = 0; i < 4; i++) std::memcpy(&row[i], from + i * fromStride, 16);
  const V4 a = interleaveLow(row[0], row[2]), b = interleaveLow(row[1], row[3]);
  const V4 c = interleaveHigh(row[0], row[2]), d = interleaveHigh(row[1], row[3]);
  const V4 column[4] = {interleaveLow(a, b), interleaveHigh(a, b), interleaveLow(c, d), interleaveHigh(c, d)};
  for (int j = 0; j < 4; j++) std::memcpy(to + j * toStride, &column[j], 16);
}

// to[j·toStride + i] = from[i·fromStride + j] for i < rows, j < columns. Sixteen columns at a time: a cache line of
// each row is used up at once, whatever the stride.
inline void transposeInto(int64_t rows, int64_t columns, const float* from, int64_t fromStride, float* to,
                          int64_t toStride) {
  int64_t j = 0;
  if (rows >= 4) {
    for (; j + 4 <= columns;) {
      const int64_t stop = j + 16 <= columns ? j + 16 : columns & ~(int64_t)3;
      for (int64_t i = 0; i < rows; i += 4) {
        const int64_t top = i + 4 <= rows ? i : rows - 4;  // the last four rows may overlap those before
        for (int64_t at = j; at < stop; at += 4)
          transpose4(from + top * fromStride + at, fromStride, to + at * toStride + top, toStride);
      }
      j = stop;
    }
  }
  for (; j < columns; j++)
    for (int64_t i = 0; i < rows; i++) to[j * toStride + i] = from[i * fromStride + j];
}

// One panel of which a step's elements lie side by side. Whole vectors are copied wherever what they carry beyond the
// panel is overwritten by the next step and what they read is still inside the operand.
template <int width>
void copyPanel(int64_t count, int64_t K, const float* from, int64_t stepStride, float* to) {
  constexpr int vectors = (width + lanes - 1) / lanes;
  int64_t k = 0;
  if (vectors * lanes <= stepStride + count)
    for (; k < K - 1; k++)
      for (int v = 0; v < vectors; v++) store(to + k * width + v * lanes, load(from + k * stepStride + v * lanes));
  for (; k < K; k++)
    for (int64_t i = 0; i < count; i++) to[k * width + i] = from[k * stepStride + i];
}

// One panel: to[k·width + i] = element (i, k), i < count; with zeroFill also zeros for count ≤ i < width.
template <int width, bool zeroFill>
void packPanel(int64_t count, int64_t K, const float* from, int64_t stride, int64_t stepStride, float* to) {
  if (stride == 1) {
    copyPanel<width>(count, K, from, stepStride, to);
  } else if (stepStride == 1) {
    transposeInto(count, K, from, stride, to, width);
  } else {
    for (int64_t k = 0; k < K; k++)
      for (int64_t i = 0; i < count; i++) to[k * width + i] = from[i * stride + k * stepStride];
  }
  if (zeroFill && count < width)
    for (int64_t k = 0; k < K; k++)
      for (int64_t i = count; i < width; i++) to[k * width + i] = 0;
}

inline int64_t leftPanels(int64_t M) { return (M + mr - 1) / mr; }
// First row of panel p of an operand of M rows; the panel ends where the next begins.
inline int64_t leftPanelStart(int64_t M, int64_t panels, int64_t p) { return p * M / panels; }

inline void packLeftPanel(int64_t rows, int64_t K, const float* from, int64_t rowStride, int64_t stepStride,
                          float* to) {
  packPanel<mr, false>(rows, K, from, rowStride, stepStride, to);
}

inline int64_t rightPanels(int64_t N) { return (N + nr - 1) / nr; }
// Width of the panel that begins where `columns` columns are left.
inline int64_t rightPanelWidth(int64_t columns) { return columns <= lanes ? lanes : nr; }
// Floats of all panels of N columns for each k.
inline int64_t rightWidth(int64_t N) { return N / nr * nr + (N % nr ? rightPanelWidth(N % nr) : 0); }

inline void packRightPanel(int64_t columns, int64_t K, const float* from, int64_t columnStride, int64_t stepStride,
                           float* to) {
  if (columns <= lanes) packPanel<lanes, true>(columns, K, from, columnStride, stepStride, to);
  else packPanel<nr, true>(columns, K, from, columnStride, stepStride, to);
}

}  // namespace vitral::VITRAL_ISA
