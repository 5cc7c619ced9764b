// Attention forward: softmax over the keys in one pass, tile by tile, whatever the number of tokens.
#include "attention.h"

#include "attention-tiles.h"

namespace vitral::VITRAL_ISA {
namespace {

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
    multiplyPanels(D, tile.length(), values, tileRows * tile.length(), memory.scores, memory.result, width, width,
                   t > 0);
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

}  // namespace vitral::VITRAL_ISA
