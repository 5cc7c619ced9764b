// The matrix product's panels for the vector units' fused multiply-adds: float32 as it is, or rounded to bfloat16.
#pragma once

#include "../../kernels/gelu-polynomial.h"
#include "../../runtime/lanes.h"
#include "../bfloat16.h"
#include "../in-place.h"
#include "pack.h"

namespace vitral::VITRAL_ISA {

// The driver's view of a way to multiply: how operands are cut into panels, packed, and multiplied.
template <bool rounded>
struct FmaPanels {
  struct Registers {};  // what a thread sets up before it multiplies: nothing

// Measured with test/bench.cpp: long k blocks win, since C is read and written once for each. The left block of mc·kc
// floats takes about a third of a large L2: 688 KB with AVX-512, 216 KB with AVX2, 96 KB otherwise.
#if defined(__AVX512F__)
  static constexpr int64_t kc = 768, mc = 224;
#elif defined(__AVX2__)
  static constexpr int64_t kc = 384, mc = 144;
#else
  static constexpr int64_t kc = 256, mc = 96;
#endif
  static constexpr int64_t soleMc = mc;
  static constexpr int64_t kUnit = 1, kChunk = 16, nr = VITRAL_ISA::nr;
  static constexpr bool mayReadInPlace = !rounded;

  static constexpr int64_t mr = VITRAL_ISA::mr;
  static int64_t leftPanels(int64_t M) { return VITRAL_ISA::leftPanels(M); }
  static int64_t leftStart(int64_t M, int64_t p) { return leftPanelStart(M, VITRAL_ISA::leftPanels(M), p); }
  static int64_t leftFloats(int64_t K) { return mr * K; }
  static int64_t rightFloats(int64_t N, int64_t K) { return rightWidth(N) * K; }

  // `k` is the first of K steps among those of the panel.
  static void packLeft(int64_t rows, int64_t k, int64_t K, const float* from, int64_t rowStride, int64_t stepStride,
                       bool ofGelu, float* panel) {
    float* to = panel + k * mr;
    packLeftPanel(rows, K, from, rowStride, stepStride, to);
    finishPacking(to, K * mr, ofGelu);
  }
  static void packRight(int64_t columns, int64_t k, int64_t K, const float* from, int64_t columnStride,
                        int64_t stepStride, bool ofGelu, float* panel) {
    float* to = panel + k * rightPanelWidth(columns);
    packRightPanel(columns, K, from, columnStride, stepStride, to);
    finishPacking(to, K * rightPanelWidth(columns), ofGelu);
  }

  // On a panel still in cache.
  static void finishPacking(float* panel, int64_t floats, bool ofGelu) {
    if (!ofGelu && !rounded) return;
    eachOfRow(floats, [&](int64_t i, int64_t count) {
      Vf x = loadSome(panel + i, count);
      if (ofGelu) x = gelu(x);
      storeSome(panel + i, rounded ? nearestBfloat16(x) : x, count);
    });
  }

  // With few columns, packing the left operand costs a tenth of the product; with few rows, packing the right one does.
  // Such an operand is read where it lies: a right one with up to 1,280 rows of A, a left one with up to 512 columns of
  // B. Rows whose stride is a multiple of 512 floats fall on the same few sets of the caches, which made them up to 9 %
  // slower than packed ones: those are packed. B: null where it is packed already.
  static InPlace readInPlace(const MatrixView& A, const MatrixView* B, int64_t M, int64_t N) {
    const auto spread = [](int64_t stride) { return stride % 512 != 0; };
    InPlace read;
    read.right = B && !B->gelu && !B->bf16 && B->colStride == 1 && spread(B->rowStride) && M <= 1280 && N % nr == 0;
    const bool leftOnce = !A.gelu && !A.bf16 && N <= 512;
    read.left = leftOnce && (read.right ? A.rowStride == 1 && spread(A.colStride)
                                        : A.colStride == 1 && spread(A.rowStride) && !A.sums);
    return read;
  }
  static void multiplyRowsInPlace(int64_t rows, int64_t K, const float* left, int64_t rowStride, const float* right,
                                  const TileOutput& output, Prefetch prefetch) {
    multiplyTile<RowsLeft>(rows, K, left, rowStride, right, output, prefetch);
  }
  static void multiplyRightInPlace(int64_t rows, int64_t K, const float* left, int64_t colStride, const float* right,
                                   int64_t rowStride, const TileOutput& output) {
    multiplyTileInPlace(rows, K, left, colStride, right, rowStride, output);
  }
  static void multiply(int64_t rows, int64_t K, const float* left, const float* right, const TileOutput& output,
                       Prefetch prefetch) {
    multiplyTile<PackedLeft>(rows, K, left, 0, right, output, prefetch);
  }

  // Scores of attention, [keys][queries] with `stride` floats a key, as operands: of a product over keys, and of one
  // over queries. They lie as the micro-kernel reads them.
  static const float* scoresAsRight(int64_t keys, int64_t queries, float* scores, float*) {
    finishPacking(scores, keys * queries, false);
    return scores;
  }
  template <int stride>
  static void multiplyScores(int64_t keys, int64_t queries, const float* scores, int64_t columns, const float* right,
                             float* c, int64_t ldc, bool accumulate) {
    for (int64_t j = 0; j < columns; j += nr) {
      const int64_t some = columns - j < nr ? columns - j : nr;
      multiplyTile<PanelLeft<stride>>(keys, queries, scores, 0, right + j * queries,
                                      {c + j, ldc, some, nullptr, accumulate}, {});
    }
  }
};

}  // namespace vitral::VITRAL_ISA
