// Blocks, packs and hands out the matrix product, whatever multiplies its tiles.
//
// The right operand is packed in slabs of a few MB that stay in the last-level cache; a task takes a block of rows,
// packs them k block by k block into its own L2 and multiplies them with every panel of the slab, so that its part of C
// stays in L2 too. When there are too few rows for all threads, they share the panels instead. What is read only a few times
// is not packed, but read where it lies.
#pragma once

#include <algorithm>
#include <utility>

#include "tile-scheduler.h"
#include "epilogue.h"
#include "in-place.h"
#include "packing.h"

namespace vitral::VITRAL_ISA {

constexpr int64_t slabFloats = 5 << 20;

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

  // A product of the whole A with a slab of B: columns [column, column + N), some k blocks.
  struct SlabProduct {
    int64_t M, N, column;
    MatrixView A;
    float* sums;           // of A's rows, [k block][M], or null
    MatrixView B;          // unless it was packed beforehand
    const float* packedB;  // the slab's first panel of its first k block; null where B is read in place
    InPlace inPlace;
    float* C;
    int64_t ldc;
    const GemmEpilogue& epilogue;

    // The right panels of some steps, of which the first k block begins with `firstStep`.
    RightPanels right(Range steps, int64_t firstStep) const {
      if (inPlace.right) return {B.data + steps.begin * B.rowStride + column, Panels::width};
      return {packedB + rightAt<Panels>(N, firstStep, steps, 0), rightPanelFloats<Panels>(steps.length())};
    }
  };

  static InPlace readInPlace(const MatrixView& A, const MatrixView* B, int64_t M, int64_t N) {
    if constexpr (Panels::mayReadInPlace) return Panels::readInPlace(A, B, M, N);
    else return {};
  }

  // The tile of `rows` rows from i on. left: their packed panel, or null to read them where they lie.
  static void multiplyPanel(const SlabProduct& product, Range steps, int64_t i, int64_t rows, const float* left,
                            const float* right, const TileOutput& output, Ahead ahead) {
    const int64_t K = steps.length();
    if constexpr (Panels::mayReadInPlace) {
      const MatrixView& A = product.A;
      if (product.inPlace.right) {
        const int64_t stride = left ? Panels::leftFloats(1) : A.colStride;
        return Panels::multiplyRightInPlace(rows, K, left ? left : A.data + i + steps.begin * stride, stride, right,
                                            product.B.rowStride, output);
      }
      if (!left)
        return Panels::multiplyRowsInPlace(rows, K, A.data + i * A.rowStride + steps.begin, A.rowStride, right, output, ahead);
    }
    Panels::multiply(rows, K, left, right, output, ahead);
  }

  // packedA: the left panels, or null to read the operand where it lies. after(): the right panel that will probably be
  // read next, or null.
  template <class After>
  static void multiplyBlock(const SlabProduct& product, Range steps, bool first, bool last, Range rowPanels,
                            Range columnPanels, const float* packedA, const RightPanels& panels, After after) {
    const int64_t K = steps.length(), panelFloats = rightPanelFloats<Panels>(K);
    const GemmEpilogue& epilogue = product.epilogue;
    const TileEnd end(epilogue, product.C, product.ldc);
    float* tile = epilogue.bf16 ? scratch(Scratch::gemmTile, Panels::mostLeftRows * Panels::width) : nullptr;
    [[maybe_unused]] const typename Panels::Registers registers;
    for (int64_t q = columnPanels.begin; q < columnPanels.end; q++) {
      const int64_t j = q * Panels::width;
      const int64_t columns = product.N - j < Panels::width ? product.N - j : Panels::width;
      const float* bias = last && epilogue.bias ? epilogue.bias + product.column + j : nullptr;
      const float *right = panels[q], *next = q + 1 < columnPanels.end ? panels[q + 1] : after();
      for (int64_t p = rowPanels.begin; p < rowPanels.end; p++) {
        const int64_t i = Panels::leftStart(product.M, p), rows = Panels::leftStart(product.M, p + 1) - i;
        const int64_t offset = i * product.ldc + product.column + j;
        const Range part = piece(panelFloats, rowPanels.length(), p - rowPanels.begin);  // of what is read next
        const Ahead ahead = next ? Ahead{next + part.begin, part.length()} : Ahead{};
        // The tile's rows lie on pages of their own: fetched now, they are there when the sums are done.
        if (!tile) prefetchTile(rows, columns, product.C + offset, product.ldc);
        if (last) end.prefetch(rows, columns, offset);
        const TileOutput output = {tile ? tile : product.C + offset, tile ? Panels::width : product.ldc, columns, bias,
                                   !first || epilogue.accumulate};
        const float* left = packedA ? packedA + (p - rowPanels.begin) * Panels::leftFloats(K) : nullptr;
        multiplyPanel(product, steps, i, rows, left, right, output, ahead);
        if (tile) roundTile(rows, columns, tile, epilogue.bf16 + offset, product.ldc);
        else if (last) end.apply(rows, columns, offset);
      }
    }
  }

  static void roundTile(int64_t rows, int64_t columns, const float* tile, uint16_t* to, int64_t ld) {
    for (int64_t i = 0; i < rows; i++) roundToBfloat16(columns, tile + i * Panels::width, to + i * ld);
  }

  // k blocks [blocks.begin, blocks.end) of `steps`. right: packs the slab's B; null where it lies packed, or is read in place.
  static void multiplySlab(const SlabProduct& product, const Steps& steps, Range blocks, int64_t threads,
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
    Claims claims(sharing, threads);
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
          const int64_t unit = claims.next();
          return unit < sharing.units ? rightPanel(blocks.begin, sharing.byRows() ? 0 : unit % columnPanels) : nullptr;
        };
        multiplyBlock(product, of, block == 0, block == steps.blocks - 1, rows, columns, packedA,
                      product.right(of, firstStep), after);
      }
    };
    parallelTasks(threads, [&](int64_t) {
      for (Range claimed = claims.claim(); claimed.length(); claimed = claims.claim())
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
  static bool roundsLater(const GemmEpilogue& epilogue, const Steps& steps) { return epilogue.bf16 && steps.blocks > 1; }

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
      return roundLater(M, N, ldc, epilogue, [&](float* whole, const GemmEpilogue& rest) {
        multiply(M, N, K, A, B, whole, N, rest);
      });
    const int64_t threads = threadsFor(M, N, K), longest = steps[0].length();
    float* sums = A.sums ? scratch(Scratch::gemmSums, steps.blocks * M) : nullptr;
    const int64_t slabPanels = slabFloats / rightPanelFloats<Panels>(longest), slabColumns = slabPanels * Panels::width;
    for (int64_t column = 0; column < N; column += slabColumns) {
      const int64_t columns = N - column < slabColumns ? N - column : slabColumns;
      const int64_t slabBlocks = slabFloats / Panels::rightFloats(columns, longest);
      for (int64_t block = 0; block < steps.blocks; block += slabBlocks) {
        const Range blocks = {block, block + slabBlocks < steps.blocks ? block + slabBlocks : steps.blocks};
        const InPlace inPlace = readInPlace(A, &B, M, columns);
        const int64_t floats = inPlace.right ? 0 : Panels::rightFloats(columns, steps.spanOf(blocks).length());
        float* packed = floats ? scratch(Scratch::gemmRight, floats) : nullptr;
        const RightPacking right(B, columns, column, steps, blocks, packed);
        multiplySlab({M, columns, column, A, column == 0 ? sums : nullptr, B, packed, inPlace, C, ldc, epilogue}, steps, blocks,
                     threads, packed ? &right : nullptr);
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
    multiplySlab({M, N, 0, A, nullptr, {}, packedB, readInPlace(A, nullptr, M, N), C, ldc, epilogue}, steps, {0, steps.blocks},
                 threadsFor(M, N, K), nullptr);
  }
};

}  // namespace vitral::VITRAL_ISA
