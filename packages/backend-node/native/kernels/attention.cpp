// Attention a panel of queries at a time: scores, probabilities and their gradients live in a tile of
// [keys][queries] that stays in L1 or L2, with the queries in the vector lanes.
//
// That orientation makes maximum, sum and exponential vertical, needs no mask for the keys, and lets every product run
// on the matrix product's own tiles: the scores are written as the right panel that the product with v (or k) reads.
// B batch, N tokens, C = H·D hidden size, H heads, D head size.
#include "attention.h"

#include "../gemm/pack.h"
#include "../random.h"
#include "../threads.h"

namespace vitral::VITRAL_ISA {
namespace {

constexpr int64_t keyTile = 512;             // keys whose scores against one panel of queries are held at a time
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

// Hands out consecutive pieces of one scratch buffer, each on a cache line of its own.
struct Carver {
  float* at;
  float* take(int64_t floats) {
    float* piece = at;
    at += (floats + 15) / 16 * 16;
    return piece;
  }
};
int64_t lines(int64_t floats) { return (floats + 15) / 16 * 16; }

// An operand of N rows and D columns as left panels. By rows: rows are the keys, steps the head's columns. By columns:
// rows are the head's columns, steps the keys, one group of panels for each tile of keys.
int64_t rowsPackedFloats(const Heads& heads) {
  return heads.tiles() * leftPanels(heads.longestTile()) * tileRows * heads.D;
}
int64_t columnsPackedFloats(const Heads& heads) { return leftPanels(heads.D) * tileRows * heads.N; }

void packLeft(int64_t M, int64_t K, const float* from, int64_t rowStride, int64_t stepStride, float* to) {
  const int64_t panels = leftPanels(M);
  for (int64_t p = 0; p < panels; p++, to += tileRows * K) {
    const int64_t i = leftPanelStart(M, panels, p);
    packLeftPanel(leftPanelStart(M, panels, p + 1) - i, K, from + i * rowStride, rowStride, stepStride, to);
  }
}
void packByRows(const Heads& heads, const float* from, float* to) {
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range keys = heads.tile(t);
    packLeft(keys.length(), heads.D, from + keys.begin * heads.rowStride(), heads.rowStride(), 1, to);
    to += leftPanels(keys.length()) * tileRows * heads.D;
  }
}
void packByColumns(const Heads& heads, const float* from, float* to) {
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range keys = heads.tile(t);
    packLeft(heads.D, keys.length(), from + keys.begin * heads.rowStride(), 1, heads.rowStride(), to);
    to += leftPanels(heads.D) * tileRows * keys.length();
  }
}

// C [M, columns] (+)= left panels · one right panel, C's rows ldc apart.
template <class Left = PackedLeft>
void multiplyPanels(int64_t M, int64_t K, const float* left, int64_t panelFloats, const float* right, float* C,
                    int64_t ldc, int64_t columns, bool accumulate) {
  const int64_t panels = leftPanels(M);
  for (int64_t p = 0; p < panels; p++, left += panelFloats) {
    const int64_t i = leftPanelStart(M, panels, p), rows = leftPanelStart(M, panels, p + 1) - i;
    multiplyTile<Left>(rows, K, left, 0, right, {C + i * ldc, ldc, columns, nullptr, accumulate});
  }
}

// dW [keys, D] (+)= weightsᵀ·rows over one panel of queries: weights [keys][width], rows packed as right panels.
template <int width>
void accumulateRows(int64_t keys, int64_t queries, int64_t D, const float* weights, const float* rows, float* dRows,
                    int64_t ldc, bool accumulate) {
  const int64_t panels = leftPanels(keys);
  for (int64_t d = 0; d < D; d += panelWidth)
    for (int64_t p = 0; p < panels; p++) {
      const int64_t i = leftPanelStart(keys, panels, p), height = leftPanelStart(keys, panels, p + 1) - i;
      const int64_t columns = D - d < panelWidth ? D - d : panelWidth;
      multiplyTile<PanelLeft<width>>(height, queries, weights + i * width, 0, rows + d * queries,
                                     {dRows + i * ldc + d, ldc, columns, nullptr, accumulate});
    }
}

void scaleAll(float* x, int64_t floats, float factor) {
  for (int64_t i = 0; i < floats; i += lanes) store(x + i, load(x + i) * factor);
}

// The flat index of (head, query, key 0) in each lane, modulo 2^32.
Vu dropoutRow(const Heads& heads, int64_t head, int64_t query) {
  return (splatBits((uint32_t)(head * heads.N + query)) + laneIndex()) * (uint32_t)heads.N;
}

// How many parts each head's query panels are split into, so that the busiest thread has the least to do; packing k and
// v anew costs a part about as much as `packing` panels.
int64_t chooseParts(const Heads& heads, int64_t threads, double packing) {
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

// exp(score - top) in place of each score; raises top, rescales sum, and returns by which factor older results shrink.
template <int vectors>
void softmaxTile(const Heads& heads, int64_t head, int64_t query, Range keys, float* scores, Vf* top, Vf* sum,
                 Vf* shrink) {
  constexpr int width = vectors * lanes;
  Vf highest[vectors];
  for (int v = 0; v < vectors; v++) highest[v] = top[v];
  for (int64_t key = 0; key < keys.length(); key++)
    for (int v = 0; v < vectors; v++) highest[v] = max(highest[v], load(scores + key * width + v * lanes));
  for (int v = 0; v < vectors; v++) {
    shrink[v] = exp(top[v] - highest[v]);
    top[v] = highest[v];
    Vf total = sum[v] * shrink[v];
    const Vu index = dropoutRow(heads, head, query + v * lanes);
    for (int64_t key = 0; key < keys.length(); key++) {
      float* score = scores + key * width + v * lanes;
      Vf weight = exp(load(score) - highest[v]);
      total += weight;
      if (heads.dropout) weight *= heads.keep(index + (uint32_t)(keys.begin + key));
      store(score, weight);
    }
    sum[v] = total;
  }
}

struct ForwardScratch {
  float *keys, *values, *query, *scores, *result;
  static int64_t floats(const Heads& heads) {
    return lines(rowsPackedFloats(heads)) + lines(columnsPackedFloats(heads)) + 2 * lines(heads.D * panelWidth) +
           lines(heads.longestTile() * panelWidth);
  }
  explicit ForwardScratch(const Heads& heads) {
    Carver carver{scratch(Scratch::attention, floats(heads))};
    keys = carver.take(rowsPackedFloats(heads));
    values = carver.take(columnsPackedFloats(heads));
    query = carver.take(heads.D * panelWidth);
    scores = carver.take(heads.longestTile() * panelWidth);
    result = carver.take(heads.D * panelWidth);
  }
};

// One panel of queries against all keys.
template <int vectors>
void forwardPanel(const Heads& heads, int64_t head, Range queries, const ForwardScratch& memory, const float* q,
                  float* out, float* logSumExp) {
  constexpr int width = vectors * lanes;
  const int64_t D = heads.D, C = heads.hiddenSize();
  prefetchRows<true>(out + queries.begin * C, queries.length(), C, D);
  packRightPanel(queries.length(), D, q + queries.begin * heads.rowStride(), heads.rowStride(), 1, memory.query);
  scaleAll(memory.query, D * width, heads.scale);
  Vf top[vectors], sum[vectors] = {}, shrink[vectors];
  for (int v = 0; v < vectors; v++) top[v] = splat(-INFINITY);
  const float *keys = memory.keys, *values = memory.values;
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range tile = heads.tile(t);
    multiplyPanels(tile.length(), D, keys, tileRows * D, memory.query, memory.scores, width, width, false);
    softmaxTile<vectors>(heads, head, queries.begin, tile, memory.scores, top, sum, shrink);
    if (t > 0)
      for (int64_t i = 0; i < D * vectors; i++)
        store(memory.result + i * lanes, load(memory.result + i * lanes) * shrink[i % vectors]);
    multiplyPanels(D, tile.length(), values, tileRows * tile.length(), memory.scores, memory.result, width, width, t > 0);
    keys += leftPanels(tile.length()) * tileRows * D;
    values += leftPanels(D) * tileRows * tile.length();
  }
  for (int v = 0; v < vectors; v++) {
    const Vf inverse = 1.0f / sum[v];
    for (int64_t d = 0; d < D; d++) {
      float* at = memory.result + d * width + v * lanes;
      store(at, load(at) * inverse);
    }
    if (logSumExp)
      for (int lane = 0; lane < lanes && v * lanes + lane < queries.length(); lane++)
        logSumExp[queries.begin + v * lanes + lane] = top[v][lane] + std::log(sum[v][lane]);
  }
  transposeInto(D, queries.length(), memory.result, width, out + queries.begin * C, C);
}

}  // namespace

void attentionForward(int64_t B, int64_t N, int64_t H, int64_t D, const float* qkv, float scale,
                      double dropoutProbability, uint32_t seed, float* out, float* logSumExp) {
  const Heads heads = {B, N, H, D, scale, KeepMultiplier(dropoutProbability, seed), dropoutProbability > 0};
  const bool serial = 4.0 * B * H * N * N * D < serialOperations;
  const int64_t C = heads.hiddenSize(), parts = chooseParts(heads, serial ? 1 : threadCount(), 0.7);
  forEachTask(serial, B * H * parts, [&](int64_t task) {
    const int64_t head = task / parts, part = task % parts, b = head / H, h = head % H;
    const float* q = qkv + b * N * heads.rowStride() + h * D;
    const ForwardScratch memory(heads);
    for (int64_t part = 0; part < 3; part++) prefetchRows<false>(q + (part + 1) % 3 * C, N, heads.rowStride(), D);
    packByRows(heads, q + C, memory.keys);
    packByColumns(heads, q + 2 * C, memory.values);
    const int64_t end = (part + 1) * heads.queryPanels() / parts;
    for (int64_t panel = part * heads.queryPanels() / parts; panel < end; panel++) {
      const Range queries = heads.queries(panel);
      float* to = out + b * N * C + h * D;
      float* rows = logSumExp ? logSumExp + head * N : nullptr;
      if (queries.length() <= lanes) forwardPanel<1>(heads, head, queries, memory, q, to, rows);
      else forwardPanel<tileVectors>(heads, head, queries, memory, q, to, rows);
    }
  });
}

namespace {

struct BackwardScratch {
  float *keys, *values, *keyColumns;                    // packed for the whole head
  float *query, *dOut, *queryRows, *dOutRows, *dQuery;  // of one panel of queries
  float *probabilities, *dScores;                       // of one panel of queries and one tile of keys
  static int64_t floats(const Heads& heads) {
    return 2 * lines(rowsPackedFloats(heads)) + lines(columnsPackedFloats(heads)) + 3 * lines(heads.D * panelWidth) +
           2 * lines(rightWidth(heads.D) * panelWidth) + 2 * lines(heads.longestTile() * panelWidth);
  }
  explicit BackwardScratch(const Heads& heads) {
    Carver carver{scratch(Scratch::attention, floats(heads))};
    keys = carver.take(rowsPackedFloats(heads));
    values = carver.take(rowsPackedFloats(heads));
    keyColumns = carver.take(columnsPackedFloats(heads));
    query = carver.take(heads.D * panelWidth);
    dOut = carver.take(heads.D * panelWidth);
    dQuery = carver.take(heads.D * panelWidth);
    queryRows = carver.take(rightWidth(heads.D) * panelWidth);
    dOutRows = carver.take(rightWidth(heads.D) * panelWidth);
    probabilities = carver.take(heads.longestTile() * panelWidth);
    dScores = carver.take(heads.longestTile() * panelWidth);
  }
};

// Queries' rows as right panels [D panel][query][width], for the products that sum over queries.
void packQueryRows(int64_t queries, int64_t D, const float* from, int64_t rowStride, float* to) {
  for (int64_t d = 0; d < D; d += panelWidth)
    packRightPanel(D - d < panelWidth ? D - d : panelWidth, queries, from + d, 1, rowStride, to + d * queries);
}

// From scores and dProbabilities: the (dropped) probabilities in place of the scores, dScores in place of the others.
template <int vectors>
void softmaxGradientTile(const Heads& heads, int64_t head, int64_t query, Range keys, const Vf* logSumExp,
                         const Vf* delta, float* scores, float* dScores) {
  for (int v = 0; v < vectors; v++) {
    const Vu index = dropoutRow(heads, head, query + v * lanes);
    for (int64_t key = 0; key < keys.length(); key++) {
      const int64_t at = (key * vectors + v) * lanes;
      const Vf probability = exp(load(scores + at) - logSumExp[v]);
      Vf dropped = probability, dProbability = load(dScores + at);
      if (heads.dropout) {
        const Vf keep = heads.keep(index + (uint32_t)(keys.begin + key));
        dropped *= keep;
        dProbability *= keep;
      }
      store(scores + at, dropped);
      store(dScores + at, probability * (dProbability - delta[v]));
    }
  }
}

// What one panel of queries adds to dKeys and dValues [N, ldc], and its whole dq.
template <int vectors>
void backwardPanel(const Heads& heads, int64_t head, Range queries, const BackwardScratch& memory, const float* q,
                   const float* out, const float* dOut, const float* logSumExp, bool accumulate, float* dKeys,
                   float* dValues, float* dq) {
  constexpr int width = vectors * lanes;
  const int64_t D = heads.D, C = heads.hiddenSize(), count = queries.length(), ldc = rightWidth(D);
  const float* firstQuery = q + queries.begin * heads.rowStride();
  const float *firstOut = out + queries.begin * C, *firstDOut = dOut + queries.begin * C;
  for (int64_t part = 0; part < 3; part++)
    prefetchRows<true>(dq + queries.begin * heads.rowStride() + part * C, count, heads.rowStride(), D);
  packRightPanel(count, D, firstQuery, heads.rowStride(), 1, memory.query);
  scaleAll(memory.query, D * width, heads.scale);
  packRightPanel(count, D, firstDOut, C, 1, memory.dOut);
  packQueryRows(count, D, firstQuery, heads.rowStride(), memory.queryRows);
  packQueryRows(count, D, firstDOut, C, memory.dOutRows);

  // delta = Σ dOut·out = Σ dP·P: what the softmax's normalisation takes from each dScore of the row.
  float rowDelta[width] = {};
  for (int64_t i = 0; i < count; i++) {
    Vf sum = {};
    for (int64_t d = 0; d < D; d += lanes) {
      const int64_t rest = D - d < lanes ? D - d : lanes;
      sum += loadPartial(firstOut + i * C + d, rest) * loadPartial(firstDOut + i * C + d, rest);
    }
    rowDelta[i] = reduceAdd(sum);
  }
  Vf delta[vectors], logSum[vectors];
  for (int v = 0; v < vectors; v++) {
    const int64_t rest = count - v * lanes < lanes ? count - v * lanes : lanes;
    delta[v] = load(rowDelta + v * lanes);
    logSum[v] = loadPartial(logSumExp + queries.begin + v * lanes, rest);
  }

  const float *keys = memory.keys, *values = memory.values, *keyColumns = memory.keyColumns;
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range tile = heads.tile(t);
    const int64_t length = tile.length();
    multiplyPanels(length, D, keys, tileRows * D, memory.query, memory.probabilities, width, width, false);
    multiplyPanels(length, D, values, tileRows * D, memory.dOut, memory.dScores, width, width, false);
    softmaxGradientTile<vectors>(heads, head, queries.begin, tile, logSum, delta, memory.probabilities, memory.dScores);
    multiplyPanels(D, length, keyColumns, tileRows * length, memory.dScores, memory.dQuery, width, width, t > 0);
    accumulateRows<width>(length, count, D, memory.probabilities, memory.dOutRows, dValues + tile.begin * ldc, ldc,
                          accumulate);
    accumulateRows<width>(length, count, D, memory.dScores, memory.queryRows, dKeys + tile.begin * ldc, ldc, accumulate);
    keys += leftPanels(length) * tileRows * D;
    values += leftPanels(length) * tileRows * D;
    keyColumns += leftPanels(D) * tileRows * length;
  }
  scaleAll(memory.dQuery, D * width, heads.scale);
  transposeInto(D, count, memory.dQuery, width, dq + queries.begin * heads.rowStride(), heads.rowStride());
}

// dk = scale·Σ parts, dv = Σ parts, in the order of the parts; `partFloats` from one part to the next.
void writeKeyValueGradients(const Heads& heads, int64_t parts, const float* dKeys, const float* dValues,
                            int64_t partFloats, float* dk, float* dv) {
  const int64_t D = heads.D, ldc = rightWidth(D);
  for (int64_t i = 0; i < heads.N; i++)
    for (int64_t d = 0; d < D; d += lanes) {
      Vf key = {}, value = {};
      for (int64_t part = 0; part < parts; part++) {
        key += load(dKeys + part * partFloats + i * ldc + d);
        value += load(dValues + part * partFloats + i * ldc + d);
      }
      const int64_t rest = D - d < lanes ? D - d : lanes;
      storePartial(dk + i * heads.rowStride() + d, key * heads.scale, rest);
      storePartial(dv + i * heads.rowStride() + d, value, rest);
    }
}

}  // namespace

void attentionBackward(int64_t B, int64_t N, int64_t H, int64_t D, const float* qkv, const float* out,
                       const float* dOut, const float* logSumExp, float scale, double dropoutProbability,
                       uint32_t seed, float* dQkv) {
  const Heads heads = {B, N, H, D, scale, KeepMultiplier(dropoutProbability, seed), dropoutProbability > 0};
  const bool serial = 10.0 * B * H * N * N * D < serialOperations;
  const int64_t C = heads.hiddenSize(), parts = chooseParts(heads, serial ? 1 : threadCount(), 0.5);
  const int64_t sumFloats = lines(N * rightWidth(D)), partFloats = 2 * sumFloats;
  float* partials = parts > 1 ? scratch(Scratch::attentionPartials, B * H * parts * partFloats) : nullptr;
  forEachTask(serial, B * H * parts, [&](int64_t task) {
    const int64_t head = task / parts, part = task % parts, b = head / H, h = head % H;
    const float* q = qkv + b * N * heads.rowStride() + h * D;
    float* dq = dQkv + b * N * heads.rowStride() + h * D;
    float* dKeys = partials ? partials + task * partFloats : scratch(Scratch::attentionPartials, partFloats);
    float* dValues = dKeys + sumFloats;
    const BackwardScratch memory(heads);
    for (int64_t part = 0; part < 3; part++) prefetchRows<false>(q + (part + 1) % 3 * C, N, heads.rowStride(), D);
    prefetchRows<false>(dOut + b * N * C + h * D, N, C, D);
    prefetchRows<false>(out + b * N * C + h * D, N, C, D);
    packByRows(heads, q + C, memory.keys);
    packByRows(heads, q + 2 * C, memory.values);
    packByColumns(heads, q + C, memory.keyColumns);
    const int64_t begin = part * heads.queryPanels() / parts, end = (part + 1) * heads.queryPanels() / parts;
    for (int64_t panel = begin; panel < end; panel++) {
      const Range queries = heads.queries(panel);
      const int64_t row = b * N * C + h * D;
      const auto run = queries.length() <= lanes ? backwardPanel<1> : backwardPanel<tileVectors>;
      run(heads, head, queries, memory, q, out + row, dOut + row, logSumExp + head * N, panel > begin, dKeys, dValues,
          dq);
    }
    if (!partials) writeKeyValueGradients(heads, 1, dKeys, dValues, partFloats, dq + C, dq + 2 * C);
  });
  if (partials)
    parallelTasks(B * H, [&](int64_t head) {
      float* dq = dQkv + head / H * N * heads.rowStride() + head % H * D;
      const float* first = partials + head * parts * partFloats;
      writeKeyValueGradients(heads, parts, first, first + sumFloats, partFloats, dq + C, dq + 2 * C);
    });
}

}  // namespace vitral::VITRAL_ISA
