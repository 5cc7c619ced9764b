// Attention backward: each panel of queries computes its probabilities anew from the log-sum-exp, gives its dq, and
// adds to the head's dk and dv; panels follow each other in order, so the sums have the same bits in every run.
#include "attention.h"

#include "attention-few.h"

namespace vitral::VITRAL_ISA {
namespace {

// Heads are split as suits this many threads, whatever their number is: so the sums have the same order for any.
constexpr int64_t partsForThreads = 4;

// dRows [keys, D] (+)= weightsᵀ·rows over one panel of queries: weights [keys][width], rows packed as right panels.
template <int width, class Panels>
void accumulateRows(int64_t keys, int64_t queries, int64_t D, const float* weights, const float* rows, float* dRows,
                    int64_t ldc, bool accumulate) {
  for (int64_t p = 0; p < Panels::leftPanels(keys); p++) {
    const int64_t i = Panels::leftStart(keys, p), height = Panels::leftStart(keys, p + 1) - i;
    Panels::template multiplyScores<width>(height, queries, weights + i * width, D, rows, dRows + i * ldc, ldc,
                                           accumulate);
  }
}

template <class Panels>
struct BackwardScratch {
  float *keys, *values, *keyColumns;                    // packed for the whole head
  float *query, *dOut, *queryRows, *dOutRows, *dQuery;  // of one panel of queries
  float *probabilities, *dScores, *packedScores;        // of one panel of queries and one tile of keys
  static int64_t queryRowsFloats(const Heads& heads) { return rightPanels(heads.D) * Panels::rightFloats(nr, nr); }
  BackwardScratch(const Heads& heads, Arena& arena) {
    keys = arena.take<float>(byRowsFloats<Panels>(heads));
    values = arena.take<float>(byRowsFloats<Panels>(heads));
    keyColumns = arena.take<float>(byColumnsFloats<Panels>(heads));
    query = arena.take<float>(Panels::rightFloats(nr, heads.D));
    dOut = arena.take<float>(Panels::rightFloats(nr, heads.D));
    queryRows = arena.take<float>(queryRowsFloats(heads));
    dOutRows = arena.take<float>(queryRowsFloats(heads));
    dQuery = arena.take<float>(heads.D * nr);
    probabilities = arena.take<float>(heads.longestTile() * nr);
    dScores = arena.take<float>(heads.longestTile() * nr);
    packedScores = arena.take<float>(Panels::rightFloats(nr, heads.longestTile()));
  }
};

// From scores and dProbabilities: the (dropped) probabilities in place of the scores, dScores in place of the others.
template <int vectors>
void softmaxGradientTile(const Heads& heads, int64_t head, int64_t query, Range keys, const Vf* logSumExp,
                         const Vf* delta, float* scores, float* dScores) {
  for (int v = 0; v < vectors; v++) {
    const Vu index = dropoutRow(heads, head, query + v * lanes);
    for (int64_t key = 0; key < keys.length(); key++) {
      const int64_t at = (key * vectors + v) * lanes;
      const Vf probability = exp(load(scores + at) * heads.scale - logSumExp[v]);
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
template <int vectors, class Panels>
void backwardPanel(const Heads& heads, int64_t head, Range queries, const BackwardScratch<Panels>& memory, HeadRows q,
                   HeadRows out, HeadRows dOut, const float* logSumExp, bool accumulate, float* dKeys, float* dValues,
                   float* dq) {
  constexpr int width = vectors * lanes;
  const int64_t D = heads.D, C = heads.hiddenSize(), count = queries.length(), ldc = rightWidth(D);
  for (int64_t part = 0; part < 3; part++)
    prefetchRows<true>(dq + queries.begin * heads.packedRow() + part * C, count, heads.packedRow(), D);
  packQueries<Panels>(queries, D, q, memory.query);
  packQueries<Panels>(queries, D, dOut, memory.dOut);
  packQueryRows<Panels>(queries, D, q, memory.queryRows);
  packQueryRows<Panels>(queries, D, dOut, memory.dOutRows);

  // delta = Σ dOut·out = Σ dP·P: what the softmax's normalisation takes from each dScore of the row.
  float rowDelta[width] = {};
  for (int64_t i = 0; i < count; i++) {
    Vf sum = {};
    for (int64_t d = 0; d < D; d += lanes) {
      const int64_t rest = D - d < lanes ? D - d : lanes;
      sum += loadPartial(out[queries.begin + i] + d, rest) * loadPartial(dOut[queries.begin + i] + d, rest);
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
    multiplyPanels<Panels>(length, D, keys, memory.query, memory.probabilities, width, width, false);
    multiplyPanels<Panels>(length, D, values, memory.dOut, memory.dScores, width, width, false);
    softmaxGradientTile<vectors>(heads, head, queries.begin, tile, logSum, delta, memory.probabilities, memory.dScores);
    const float* dScores = Panels::scoresAsRight(length, width, memory.dScores, memory.packedScores);
    multiplyPanels<Panels>(D, length, keyColumns, dScores, memory.dQuery, width, width, t > 0);
    float *toValues = dValues + tile.begin * ldc, *toKeys = dKeys + tile.begin * ldc;
    accumulateRows<width, Panels>(length, count, D, memory.probabilities, memory.dOutRows, toValues, ldc, accumulate);
    accumulateRows<width, Panels>(length, count, D, memory.dScores, memory.queryRows, toKeys, ldc, accumulate);
    keys += leftOperandFloats<Panels>(length, D);
    values += leftOperandFloats<Panels>(length, D);
    keyColumns += leftOperandFloats<Panels>(D, length);
  }
  scaleAll(memory.dQuery, D * width, heads.scale);
  transposeInto(D, count, memory.dQuery, width, dq + queries.begin * heads.packedRow(), heads.packedRow());
}

// What is left of a head's gradient, which begins at dq: dk = scale·Σ parts, dv = Σ parts, in the order of the parts,
// `partFloats` from one to the next; and 0 for the tokens that are no queries.
void finishHead(const Heads& heads, int64_t parts, const float* dKeys, const float* dValues, int64_t partFloats,
                float* dq) {
  const int64_t D = heads.D, ldc = rightWidth(D);
  float *dk = dq + heads.hiddenSize(), *dv = dk + heads.hiddenSize();
  for (int64_t i = 0; i < heads.N; i++)
    for (int64_t d = 0; d < D; d += lanes) {
      Vf key = {}, value = {};
      for (int64_t part = 0; part < parts; part++) {
        key += load(dKeys + part * partFloats + i * ldc + d);
        value += load(dValues + part * partFloats + i * ldc + d);
      }
      const int64_t rest = D - d < lanes ? D - d : lanes;
      storePartial(dk + i * heads.packedRow() + d, key * heads.scale, rest);
      storePartial(dv + i * heads.packedRow() + d, value, rest);
    }
}

template <class Panels>
void backward(const Heads& heads, FloatOrBf16 qkv, FloatOrBf16 out, const float* dOut, const float* logSumExp,
              float* dQkv) {
  const int64_t B = heads.B, N = heads.N, H = heads.H, D = heads.D, C = heads.hiddenSize();
  const bool serial = 10.0 * B * H * N * N * D < serialOperations;
  const int64_t parts = chooseParts(heads, partsForThreads, 0.5);
  const int64_t sumFloats = wholeLines(N * rightWidth(D)), partFloats = 2 * sumFloats;
  float* partials = parts > 1 ? scratch(Scratch::attentionPartials, B * H * parts * partFloats) : nullptr;
  forEachTask(serial, B * H * parts, [&](int64_t task) {
    const int64_t head = task / parts, part = task % parts, b = head / H, h = head % H;
    const Range panels = {part * heads.queryPanels() / parts, (part + 1) * heads.queryPanels() / parts};
    float* dq = dQkv + b * N * heads.packedRow() + h * D;
    float* dKeys = partials ? partials + task * partFloats : scratch(Scratch::attentionPartials, partFloats);
    float* dValues = dKeys + sumFloats;
    const auto memory = scratchOf<BackwardScratch<Panels>>(heads);
    [[maybe_unused]] const typename Panels::Registers registers;
    const Range all = {0, N}, own = heads.queries(panels);
    const int64_t corner = b * N * C + h * D;
    const HeadRows k = packedRows(heads, Operand::key, qkv, b, h, all);
    const HeadRows v = packedRows(heads, Operand::value, qkv, b, h, all);
    const HeadRows q = packedRows(heads, Operand::query, qkv, b, h, own);
    const HeadRows ofOut = headRows(heads, Operand::out, out, corner, C, own), ofDOut = {dOut + corner, C};
    prefetchRows<false>(ofDOut[own.begin], own.length(), C, D);
    if (!isFew(own)) {
      packByRows<Panels>(heads, k, memory.keys);
      packByRows<Panels>(heads, v, memory.values);
      packByColumns<Panels>(heads, k, memory.keyColumns);
    }
    const float* sums = logSumExp + head * N;
    for (int64_t panel = panels.begin; panel < panels.end; panel++) {
      const Range queries = heads.queries(panel);
      if (isFew(queries)) {
        const auto run = heads.rounded ? backwardQuery<true> : backwardQuery<false>;
        for (int64_t i = queries.begin; i < queries.end; i++)
          run(heads, head, i, q[i], k, v, ofOut[i], ofDOut[i], sums[i], i > own.begin, dKeys, dValues, dq);
        continue;
      }
      const auto run = queries.length() <= lanes ? backwardPanel<1, Panels> : backwardPanel<tileVectors, Panels>;
      run(heads, head, queries, memory, q, ofOut, ofDOut, sums, panel > panels.begin, dKeys, dValues, dq);
    }
    if (!partials) finishHead(heads, 1, dKeys, dValues, partFloats, dq);
  });
  if (partials)
    parallelTasks(B * H, [&](int64_t head) {
      float* dq = dQkv + head / H * N * heads.packedRow() + head % H * D;
      const float* first = partials + head * parts * partFloats;
      finishHead(heads, parts, first, first + sumFloats, partFloats, dq);
    });
}

}  // namespace

void attentionBackward(const AttentionOptions& options, FloatOrBf16 qkv, FloatOrBf16 out, const float* dOut,
                       const float* logSumExp, float* dQkv) {
  const Heads heads = headsOf(options);
  withPanels(heads, [&](auto panels) { backward<decltype(panels)>(heads, qkv, out, dOut, logSumExp, dQkv); });
}

}  // namespace vitral::VITRAL_ISA
