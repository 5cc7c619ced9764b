// The loops around the micro-kernel that blocks, packs and hands out a matrix product, whatever multiplies its tiles.
//
// The block sizes have the names of BLIS (Van Zee and van de Geijn, 2015), after Goto's algorithm; each `Panels` of
// micro/ says its own:
//   mr × nr  the micro-tile of C, which is held in registers; a left panel is mr rows tall, a right one nr columns wide
//   kc       steps of k in a block: a right panel of kc steps stays in L1 while the left panels go by
//   mc       rows of a left block, which stays in L2 while it meets every right panel; its part of C stays there too
//   nc       columns of a right block, which stays in the last-level cache: as many as rightBlockFloats holds
// A task takes mc rows, packs them k block by k block into its own L2 and multiplies them with every panel of the right
// block. When there are too few rows for all threads, they share the right panels instead. An operand that is read only
// a few times is not packed, but read where it lies.
#pragma once

#include <algorithm>
#include <utility>

#include "epilogue.h"
#include "in-place.h"
#include "packing.h"
#include "tile-scheduler.h"

namespace vitral::VITRAL_ISA {

// Floats of a right block, kc·nc: 20 MB, which is meant to stay in the last-level cache. The left operand is packed
// anew for each right block.
constexpr int64_t rightBlockFloats = 5 << 20;

// The product by way of `Panels` (fma.h tells what one has).
template <class Panels>
class Driver {
  using Steps = VITRAL_ISA::Steps<Panels>;
  using RightPacking = VITRAL_ISA::RightPacking<Panels>;

  // Right panels one after the other, or side by side where they are read in place.
  struct RightPanels {
    const float* first;
    int64_t apart;
    const float* operator[](int64_t panel) const { return first + panel * apart; }
  };

  // A product of the whole A with a right block: columns [column, column + N) of B, some k blocks.
  struct BlockProduct {
    int64_t M, N, column;
    MatrixView A;
    float* sums;           // of A's rows, [k block][M], or null
    MatrixView B;          // unless it was packed beforehand
    const float* packedB;  // the right block's first panel of its first k block; null where B is read in place
    InPlace inPlace;
    float* C;
    int64_t ldc;
    const GemmEpilogue& epilogue;

    // The right panels of some steps, of which the first k block begins with `firstStep`.
    RightPanels right(Range steps, int64_t firstStep) const {
      if (inPlace.right) return {B.data + steps.begin * B.rowStride + column, Panels::nr};
      return {packedB + rightAt<Panels>(N, firstStep, steps, 0), rightPanelFloats<Panels>(steps.length())};
    }
  };

  static InPlace readInPlace(const MatrixView& A, const MatrixView* B, int64_t M, int64_t N) {
    if constexpr (Panels::mayReadInPlace) return Panels::readInPlace(A, B, M, N);
    else return {};
  }

  // The tile of `rows` rows from i on. left: their packed panel, or null to read them where they lie.
  static void multiplyPanel(const BlockProduct& product, Range steps, int64_t i, int64_t rows, const float* left,
                            const float* right, const TileOutput& output, Prefetch prefetch) {
    const int64_t K = steps.length();
    if constexpr (Panels::mayReadInPlace) {
      const MatrixView& A = product.A;
      if (product.inPlace.right) {
        const int64_t stride = left ? Panels::leftFloats(1) : A.colStride;
        return Panels::multiplyRightInPlace(rows, K, left ? left : A.data + i + steps.begin * stride, stride, right,
                                            product.B.rowStride, output);
      }
      if (!left)
        return Panels::multiplyRowsInPlace(rows, K, A.data + i * A.rowStride + steps.begin, A.rowStride, right, output,
                                           prefetch);
    }
    Panels::multiply(rows, K, left, right, output, prefetch);
  }

  // packedA: the left panels, or null to read the operand where it lies. after(): the right panel that will probably be
  // read next, or null.
  template <class After>
  static void multiplyBlock(const BlockProduct& product, Range steps, bool first, bool last, Range rowPanels,
                            Range columnPanels, const float* packedA, const RightPanels& panels, After after) {
    const int64_t K = steps.length(), panelFloats = rightPanelFloats<Panels>(K);
    const GemmEpilogue& epilogue = product.epilogue;
    const TileEnd end(epilogue, product.C, product.ldc);
    float* tile = epilogue.bf16 ? scratch(Scratch::gemmTile, Panels::mr * Panels::nr) : nullptr;
    [[maybe_unused]] const typename Panels::Registers registers;
    for (int64_t q = columnPanels.begin; q < columnPanels.end; q++) {
      const int64_t j = q * Panels::nr;
      const int64_t columns = product.N - j < Panels::nr ? product.N - j : Panels::nr;
      const float* bias = last && epilogue.bias ? epilogue.bias + product.column + j : nullptr;
      const float *right = panels[q], *next = q + 1 < columnPanels.end ? panels[q + 1] : after();
      for (int64_t p = rowPanels.begin; p < rowPanels.end; p++) {
        const int64_t i = Panels::leftStart(product.M, p), rows = Panels::leftStart(product.M, p + 1) - i;
        const int64_t offset = i * product.ldc + product.column + j;
        const Range part = piece(panelFloats, rowPanels.length(), p - rowPanels.begin);  // of what is read next
        const Prefetch prefetch = next ? Prefetch{next + part.begin, part.length()} : Prefetch{};
        // The tile's rows lie on pages of their own: fetched now, they are there when the sums are done.
        if (!tile) prefetchTile(rows, columns, product.C + offset, product.ldc);
        if (last) end.prefetch(rows, columns, offset);
        const TileOutput output = {tile ? tile : product.C + offset, tile ? Panels::nr : product.ldc, columns, bias,
                                   !first || epilogue.accumulate};
        const float* left = packedA ? packedA + (p - rowPanels.begin) * Panels::leftFloats(K) : nullptr;
        multiplyPanel(product, steps, i, rows, left, right, output, prefetch);
        if (tile) roundTile(rows, columns, tile, epilogue.bf16 + offset, product.ldc);
        else if (last) end.apply(rows, columns, offset);
      }
    }
  }

  static void roundTile(int64_t rows, int64_t columns, const float* tile, uint16_t* to, int64_t ld) {
    for (int64_t i = 0; i < rows; i++) roundToBfloat16(columns, tile + i * Panels::nr, to + i * ld);
  }

  // k blocks [blocks.begin, blocks.end) of `steps`. right: packs the right block; null where it lies packed, or is read
  // in place.
  static void multiplyRightBlock(const BlockProduct& product, const Steps& steps, Range blocks, int64_t threads,
                                 const RightPacking* right) {
    const bool leftInPlace = product.inPlace.left;
    const Sharing sharing = chooseSharing<Panels>(product.M, product.N, threads, leftInPlace);
    const int64_t rowPanels = Panels::leftPanels(product.M), columnPanels = rightPanelsOf<Panels>(product.N);
    const int64_t firstStep = steps[blocks.begin].begin;
    const LeftPacking<Panels> left(product.A, product.M, steps, blocks, product.sums,
                                   sharing.byRows() || leftInPlace ? 0 : 4 * threads);
    const float* shared = left.to;
    const int64_t rightTasks = right ? right->tasks() : 0;
    forEachTask(threads == 1, rightTasks + left.tasks(),
                [&](int64_t task) { task < rightTasks ? (*right)(task) : left(task - rightTasks); });
    TileScheduler scheduler(sharing, threads);
    const auto rightPanel = [&](int64_t block, int64_t panel) { return product.right(steps[block], firstStep)[panel]; };
    const auto multiply = [&](Range rows, Range columns) {
      for (int64_t block = blocks.begin; block < blocks.end; block++) {
        const Range of = steps[block];
        const float* packedA = nullptr;
        float* sums = product.sums ? product.sums + block * product.M : nullptr;
        if (shared) {
          packedA = shared + leftAt<Panels>(product.M, firstStep, of, rows.begin);
        } else if (!leftInPlace) {
          float* own = scratch(Scratch::gemmLeft, rows.length() * Panels::leftFloats(of.length()));
          packLeftPanels<Panels>(product.A, product.M, of, rows, own, sums);
          packedA = own;
        } else if (sums && columns.begin == 0) {
          const MatrixView& A = product.A;
          const int64_t i = Panels::leftStart(product.M, rows.begin), end = Panels::leftStart(product.M, rows.end);
          addSteps(end - i, of.length(), A.data + i + of.begin * A.colStride, A.colStride, false, sums + i);
        }
        const auto after = [&] {
          if (block + 1 < blocks.end) return rightPanel(block + 1, columns.begin);
          const int64_t unit = scheduler.next();
          return unit < sharing.units ? rightPanel(blocks.begin, sharing.byRows() ? 0 : unit % columnPanels) : nullptr;
        };
        multiplyBlock(product, of, block == 0, block == steps.blocks - 1, rows, columns, packedA,
                      product.right(of, firstStep), after);
      }
    };
    parallelTasks(threads, [&](int64_t) {
      for (Range claimed = scheduler.claim(); claimed.length(); claimed = scheduler.claim())
        if (sharing.byRows()) {
          multiply(claimed, {0, columnPanels});
        } else {
          for (int64_t unit = claimed.begin; unit < claimed.end;) {
            const int64_t column = unit % columnPanels, some = std::min(claimed.end - unit, columnPanels - column);
            multiply(piece(rowPanels, sharing.rowBlocks, unit / columnPanels), {column, column + some});
            unit += some;
          }
        }
    });
  }

  static int64_t threadsFor(int64_t M, int64_t N, int64_t K) {
    return 2.0 * M * N * K < serialOperations ? 1 : threadCount();
  }

  // Sums of several k blocks stay float32 between them: rounded are those of the whole product.
  static bool roundsLater(const GemmEpilogue& epilogue, const Steps& steps) {
    return epilogue.bf16 && steps.blocks > 1;
  }

  template <class Multiply>
  static void roundLater(int64_t M, int64_t N, int64_t ldc, GemmEpilogue epilogue, Multiply multiply) {
    uint16_t* to = std::exchange(epilogue.bf16, nullptr);
    float* whole = scratch(Scratch::gemmWhole, M * N);
    multiply(whole, epilogue);
    parallelFor(0, M, 65536 / N + 1, [&](int64_t from, int64_t end) {
      for (int64_t i = from; i < end; i++) roundToBfloat16(N, whole + i * N, to + i * ldc);
    });
  }

 public:
  static void multiply(int64_t M, int64_t N, int64_t K, MatrixView A, MatrixView B, float* C, int64_t ldc,
                       const GemmEpilogue& epilogue) {
    const Steps steps(K);
    if (roundsLater(epilogue, steps))
      return roundLater(M, N, ldc, epilogue,
                        [&](float* whole, const GemmEpilogue& rest) { multiply(M, N, K, A, B, whole, N, rest); });
    const int64_t threads = threadsFor(M, N, K), longest = steps[0].length();
    float* sums = A.sums ? scratch(Scratch::gemmSums, steps.blocks * M) : nullptr;
    const int64_t ncPanels = rightBlockFloats / rightPanelFloats<Panels>(longest), nc = ncPanels * Panels::nr;
    for (int64_t column = 0; column < N; column += nc) {
      const int64_t columns = N - column < nc ? N - column : nc;
      const int64_t someBlocks = rightBlockFloats / Panels::rightFloats(columns, longest);
      for (int64_t block = 0; block < steps.blocks; block += someBlocks) {
        const Range blocks = {block, block + someBlocks < steps.blocks ? block + someBlocks : steps.blocks};
        const InPlace inPlace = readInPlace(A, &B, M, columns);
        const int64_t floats = inPlace.right ? 0 : Panels::rightFloats(columns, steps.spanOf(blocks).length());
        float* packed = floats ? scratch(Scratch::gemmRight, floats) : nullptr;
        const RightPacking right(B, columns, column, steps, blocks, packed);
        multiplyRightBlock({M, columns, column, A, column == 0 ? sums : nullptr, B, packed, inPlace, C, ldc, epilogue},
                           steps, blocks, threads, packed ? &right : nullptr);
      }
    }
    if (sums) addSteps(M, steps.blocks, sums, M, false, A.sums);
  }

  static int64_t packedFloats(int64_t K, int64_t N) { return Panels::rightFloats(N, K); }

  static void pack(int64_t K, int64_t N, MatrixView B, float* packed) {
    const Steps steps(K);
    const RightPacking right(B, N, 0, steps, {0, steps.blocks}, packed);
    parallelTasks(right.tasks(), right);
  }

  static void multiplyPacked(int64_t M, int64_t N, int64_t K, MatrixView A, const float* packedB, float* C, int64_t ldc,
                             const GemmEpilogue& epilogue) {
    const Steps steps(K);
    if (roundsLater(epilogue, steps))
      return roundLater(M, N, ldc, epilogue, [&](float* whole, const GemmEpilogue& rest) {
        multiplyPacked(M, N, K, A, packedB, whole, N, rest);
      });
    multiplyRightBlock({M, N, 0, A, nullptr, {}, packedB, readInPlace(A, nullptr, M, N), C, ldc, epilogue}, steps,
                       {0, steps.blocks}, threadsFor(M, N, K), nullptr);
  }
};

}  // namespace vitral::VITRAL_ISA
