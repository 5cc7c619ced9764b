// Attention backward: each panel of queries computes its probabilities anew from the log-sum-exp, gives its dq, and adds
// to the head's dk and dv; panels follow each other in order, so the sums have the same bits in every run.
#include "attention.h"

#include "attention-tiles.h"

namespace vitral::VITRAL_ISA {
namespace {

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
