// Blocks, packs and hands out the matrix product.
//
// The right operand is packed in slabs of a few MB that stay in the last-level cache; a task takes a block of rows,
// packs them k block by k block into its own L2 and multiplies them with every panel of the slab, so that its part of C
// stays in L2 too. When there are too few rows for all threads, the panels are split as well.
#include "../threads.h"
#include "pack.h"

namespace vitral::VITRAL_ISA {
namespace {

// Measured: long blocks of k win, since C is read and written once for each; the left block takes a third of L2.
#if defined(__AVX512F__)
constexpr int64_t blockSteps = 768, blockRows = 224;
#elif defined(__AVX2__)
constexpr int64_t blockSteps = 384, blockRows = 144;
#else
constexpr int64_t blockSteps = 256, blockRows = 96;
#endif
constexpr int64_t slabFloats = 5 << 20;
constexpr int64_t chunkSteps = 16;  // of a packed operand whose steps are contiguous: their rows stay in L1
constexpr double serialOperations = 3e5;  // below this, waking a thread costs more than it gains

struct Range {
  int64_t begin, end;
};
// Piece i of n, sizes differing by one at most.
Range piece(int64_t total, int64_t n, int64_t i) { return {i * total / n, (i + 1) * total / n}; }

// k in even blocks: first step and length of block i.
struct Steps {
  int64_t K, blocks;
  explicit Steps(int64_t K) : K(K), blocks((K + blockSteps - 1) / blockSteps) {}
  Range operator[](int64_t i) const { return piece(K, blocks, i); }
};

struct Split {
  int64_t rowBlocks, columnGroups;
};

// The split with the least work on the busiest thread; row blocks alone where possible, since column groups share a
// left operand packed beforehand.
Split chooseSplit(int64_t M, int64_t N, int64_t threads) {
  const int64_t rowPanels = leftPanels(M), columnPanels = rightPanels(N);
  const int64_t fewest = (M + blockRows - 1) / blockRows;
  Split best = {fewest, 1};
  if (threads == 1) return best;
  double bestCost = 1e300;
  for (int64_t groups = 1; groups <= columnPanels && groups <= 2 * threads; groups++) {
    for (int64_t extra = 0; extra < threads; extra++) {
      const int64_t blocks = fewest + extra;
      if (blocks > rowPanels) break;
      const int64_t rounds = (blocks * groups + threads - 1) / threads;
      const double rows = (double)((rowPanels + blocks - 1) / blocks) * M / rowPanels;
      const double cost = rounds * rows * ((columnPanels + groups - 1) / groups) * (groups > 1 ? 1.03 : 1.0);
      if (cost < bestCost * 0.999) bestCost = cost, best = {blocks, groups};
    }
  }
  return best;
}

VITRAL_INLINE Vf finish(Vf x, int64_t at, int64_t count, const GemmEpilogue& epilogue) {
  if (epilogue.preActivation) {
    if (count == lanes) store(epilogue.preActivation + at, x);
    else storePartial(epilogue.preActivation + at, x, count);
  }
  if (epilogue.gelu) x = gelu(x);
  if (epilogue.geluGradientOf) {
    const float* kept = epilogue.geluGradientOf + at;
    x *= geluGradient(count == lanes ? load(kept) : loadPartial(kept, count));
  }
  return x;
}

// What the registers could not do: the element-wise end of the epilogue, on a tile still in L1.
void finishTile(int64_t rows, int64_t columns, float* C, int64_t at, int64_t ldc, const GemmEpilogue& epilogue) {
  for (int64_t i = 0; i < rows; i++, at += ldc) {
    int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) store(C + at + j, finish(load(C + at + j), at + j, lanes, epilogue));
    if (const int64_t rest = columns - j)
      storePartial(C + at + j, finish(loadPartial(C + at + j, rest), at + j, rest, epilogue), rest);
  }
}

// A product of the whole A with a slab of B: columns [column, column + N), steps [first.begin, last.end) in k blocks.
struct SlabProduct {
  int64_t M, N, column;
  MatrixView A;
  const float* packedB;  // the slab's first panel of its first k block
  int64_t packedSteps;   // floats from one step to the next, summed over the panels of a k block
  float* C;
  int64_t ldc;
  const GemmEpilogue& epilogue;
};

VITRAL_INLINE void prefetchTile(int64_t rows, int64_t columns, const float* tile, int64_t ld) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t line = 0; line < columns; line += 16) __builtin_prefetch(tile + r * ld + line, 1);
}

// Every tile fetches its part of the panel that comes next. The processor's own prefetcher stops at each page, and a
// weight that was not used since the last forward pass is beyond the second-level cache.
VITRAL_INLINE void prefetchPart(const float* panel, Range part) {
  for (int64_t i = part.begin; i < part.end; i += 16) __builtin_prefetch(panel + i, 0, 2);
}

// packedA: the left panels, or null to read the operand's rows where they lie.
void multiplyBlock(const SlabProduct& product, Range steps, bool first, bool last, Range rowPanels, Range columnPanels,
                   const float* packedA, const float* packedB) {
  const int64_t K = steps.end - steps.begin, panels = leftPanels(product.M);
  const GemmEpilogue& epilogue = product.epilogue;
  const int64_t tiles = rowPanels.end - rowPanels.begin;
  const bool elementwise = last && (epilogue.gelu || epilogue.preActivation || epilogue.geluGradientOf);
  for (int64_t q = columnPanels.begin; q < columnPanels.end; q++) {
    const int64_t j = q * panelWidth;
    const int64_t columns = product.N - j < panelWidth ? product.N - j : panelWidth;
    const float* bias = last && epilogue.bias ? epilogue.bias + product.column + j : nullptr;
    for (int64_t p = rowPanels.begin; p < rowPanels.end; p++) {
      const int64_t i = leftPanelStart(product.M, panels, p), rows = leftPanelStart(product.M, panels, p + 1) - i;
      const int64_t offset = i * product.ldc + product.column + j;
      if (q + 1 < columnPanels.end)
        prefetchPart(packedB + (j + panelWidth) * K, piece(K * panelWidth, tiles, p - rowPanels.begin));
      // The tile's rows lie on pages of their own: fetched now, they are there when the sums are done.
      prefetchTile(rows, columns, product.C + offset, product.ldc);
      if (last && epilogue.preActivation) prefetchTile(rows, columns, epilogue.preActivation + offset, product.ldc);
      if (last && epilogue.geluGradientOf) prefetchTile(rows, columns, epilogue.geluGradientOf + offset, product.ldc);
      const TileOutput output = {product.C + offset, product.ldc, columns, bias, !first || epilogue.accumulate};
      if (packedA) {
        multiplyTile<PackedLeft>(rows, K, packedA + (p - rowPanels.begin) * tileRows * K, 0, packedB + j * K, output);
      } else {
        const float* a = product.A.data + i * product.A.rowStride + steps.begin;
        multiplyTile<RowsLeft>(rows, K, a, product.A.rowStride, packedB + j * K, output);
      }
      if (elementwise) finishTile(rows, columns, product.C, offset, product.ldc, epilogue);
    }
  }
}

void packLeftPanels(const SlabProduct& product, Range steps, Range panels, float* to) {
  const int64_t K = steps.end - steps.begin, all = leftPanels(product.M);
  // Where a step's elements lie side by side, all panels take their part of a few steps before the next ones are read.
  const int64_t chunk = product.A.rowStride == 1 && K > chunkSteps ? chunkSteps : K;
  for (int64_t k = 0; k < K; k += chunk)
    for (int64_t p = panels.begin; p < panels.end; p++) {
      const int64_t i = leftPanelStart(product.M, all, p);
      packLeftPanel(leftPanelStart(product.M, all, p + 1) - i, K - k < chunk ? K - k : chunk,
                    product.A.data + i * product.A.rowStride + (steps.begin + k) * product.A.colStride,
                    product.A.rowStride, product.A.colStride, to + ((p - panels.begin) * K + k) * tileRows);
    }
}

// Whether the micro-kernel reads A's rows where they lie. With few columns packing them costs a tenth of the product;
// a tile's rows must not fall on the same few sets of L1, though.
bool readInPlace(MatrixView A, int64_t N) { return N <= 512 && A.colStride == 1 && A.rowStride % 512 != 0; }

// k blocks [blocks.begin, blocks.end) of `steps`, the slab's B lying packed.
void multiplySlab(const SlabProduct& product, const Steps& steps, Range blocks, int64_t threads) {
  const Split split = chooseSplit(product.M, product.N, threads);
  const int64_t rowPanels = leftPanels(product.M), columnPanels = rightPanels(product.N);
  const int64_t firstStep = steps[blocks.begin].begin;
  const bool inPlace = readInPlace(product.A, product.N), sharedLeft = !inPlace && split.columnGroups > 1;
  float* shared = nullptr;
  if (sharedLeft) {
    const int64_t span = steps[blocks.end - 1].end - firstStep;
    shared = scratch(Scratch::gemmLeft, rowPanels * tileRows * span);
    parallelTasks((blocks.end - blocks.begin) * split.rowBlocks, [&](int64_t task) {
      const Range of = steps[blocks.begin + task / split.rowBlocks];
      const Range panels = piece(rowPanels, split.rowBlocks, task % split.rowBlocks);
      packLeftPanels(product, of, panels,
                     shared + ((of.begin - firstStep) * rowPanels + panels.begin * (of.end - of.begin)) * tileRows);
    });
  }
  parallelTasks(split.rowBlocks * split.columnGroups, [&](int64_t task) {
    const Range rows = piece(rowPanels, split.rowBlocks, task / split.columnGroups);
    const Range columns = piece(columnPanels, split.columnGroups, task % split.columnGroups);
    for (int64_t block = blocks.begin; block < blocks.end; block++) {
      const Range of = steps[block];
      const int64_t length = of.end - of.begin;
      const float* packedA = nullptr;
      if (sharedLeft) {
        packedA = shared + ((of.begin - firstStep) * rowPanels + rows.begin * length) * tileRows;
      } else if (!inPlace) {
        float* own = scratch(Scratch::gemmLeft, (rows.end - rows.begin) * tileRows * length);
        packLeftPanels(product, of, rows, own);
        packedA = own;
      }
      multiplyBlock(product, of, block == 0, block == steps.blocks - 1, rows, columns, packedA,
                    product.packedB + (of.begin - firstStep) * product.packedSteps);
    }
  });
}

// Packs columns [column, column + N) of k blocks [blocks.begin, blocks.end): [k block][panel][k][width].
void packRight(MatrixView B, int64_t N, int64_t column, const Steps& steps, Range blocks, float* to) {
  const int64_t panels = rightPanels(N), width = rightWidth(N), firstStep = steps[blocks.begin].begin;
  const auto pack = [&](Range of, int64_t k, int64_t length, int64_t panel) {
    const int64_t j = panel * panelWidth, columns = N - j < panelWidth ? N - j : panelWidth;
    float* panelStart = to + (of.begin - firstStep) * width + j * (of.end - of.begin);
    packRightPanel(columns, length, B.data + (of.begin + k) * B.rowStride + (column + j) * B.colStride, B.colStride,
                   B.rowStride, panelStart + k * rightPanelWidth(columns));
  };
  for (int64_t block = blocks.begin; block < blocks.end; block++) {
    const Range of = steps[block];
    const int64_t K = of.end - of.begin;
    if (B.colStride == 1) {
      const int64_t chunks = (K + chunkSteps - 1) / chunkSteps, grain = 65536 / (chunkSteps * width) + 1;
      parallelFor(0, chunks, grain, [&](int64_t from, int64_t end) {
        for (int64_t k = from * chunkSteps; k < end * chunkSteps && k < K; k += chunkSteps)
          for (int64_t panel = 0; panel < panels; panel++) pack(of, k, K - k < chunkSteps ? K - k : chunkSteps, panel);
      });
    } else {
      parallelFor(0, panels, 65536 / (K * panelWidth) + 1, [&](int64_t from, int64_t end) {
        for (int64_t panel = from; panel < end; panel++) pack(of, 0, K, panel);
      });
    }
  }
}

int64_t threadsFor(int64_t M, int64_t N, int64_t K) { return 2.0 * M * N * K < serialOperations ? 1 : threadCount(); }

}  // namespace

void gemm(int64_t M, int64_t N, int64_t K, MatrixView A, MatrixView B, float* C, int64_t ldc,
          const GemmEpilogue& epilogue) {
  const Steps steps(K);
  const int64_t threads = threadsFor(M, N, K);
  const int64_t slabColumns = slabFloats / blockSteps / panelWidth * panelWidth;
  for (int64_t column = 0; column < N; column += slabColumns) {
    const int64_t columns = N - column < slabColumns ? N - column : slabColumns;
    const int64_t slabBlocks = slabFloats / (rightWidth(columns) * (blockSteps < K ? blockSteps : K));
    for (int64_t block = 0; block < steps.blocks; block += slabBlocks) {
      const Range blocks = {block, block + slabBlocks < steps.blocks ? block + slabBlocks : steps.blocks};
      const int64_t span = steps[blocks.end - 1].end - steps[block].begin;
      float* packed = scratch(Scratch::gemmRight, rightWidth(columns) * span);
      packRight(B, columns, column, steps, blocks, packed);
      multiplySlab({M, columns, column, A, packed, rightWidth(columns), C, ldc, epilogue}, steps, blocks, threads);
    }
  }
}

int64_t packedWeightFloats(int64_t K, int64_t N) { return K * rightWidth(N); }

void packWeight(int64_t K, int64_t N, MatrixView B, float* packed) {
  const Steps steps(K);
  packRight(B, N, 0, steps, {0, steps.blocks}, packed);
}

void gemmPacked(int64_t M, int64_t N, int64_t K, MatrixView A, const float* packedB, float* C, int64_t ldc,
                const GemmEpilogue& epilogue) {
  const Steps steps(K);
  multiplySlab({M, N, 0, A, packedB, rightWidth(N), C, ldc, epilogue}, steps, {0, steps.blocks}, threadsFor(M, N, K));
}

}  // namespace vitral::VITRAL_ISA
