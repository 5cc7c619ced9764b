// Attention forward: softmax over the keys in one pass, tile by tile, whatever the number of tokens.
#include "attention.h"

#include "attention-few.h"

namespace vitral::VITRAL_ISA {
namespace {

// exp(scale·score - top) in place of each score; raises top, rescales sum, and returns by which factor older results
// shrink.
template <int vectors>
void softmaxTile(const Heads& heads, int64_t head, int64_t query, Range keys, float* scores, Vf* top, Vf* sum,
                 Vf* shrink) {
  constexpr int width = vectors * lanes;
  Vf highest[vectors];
  for (int v = 0; v < vectors; v++) highest[v] = top[v];
  for (int64_t key = 0; key < keys.length(); key++)
    for (int v = 0; v < vectors; v++)
      highest[v] = max(highest[v], load(scores + key * width + v * lanes) * heads.scale);
  for (int v = 0; v < vectors; v++) {
    shrink[v] = exp(top[v] - highest[v]);
    top[v] = highest[v];
    Vf total = sum[v] * shrink[v];
    const Vu index = dropoutRow(heads, head, query + v * lanes);
    for (int64_t key = 0; key < keys.length(); key++) {
      float* score = scores + key * width + v * lanes;
      Vf weight = exp(load(score) * heads.scale - highest[v]);
      total += weight;
      if (heads.dropout) weight *= heads.keep(index + (uint32_t)(keys.begin + key));
      store(score, weight);
    }
    sum[v] = total;
  }
}

template <class Panels>
struct ForwardScratch {
  float *keys, *values, *query, *scores, *packedScores, *result, *outRows;
  ForwardScratch(const Heads& heads, Arena& arena) {
    keys = arena.take<float>(byRowsFloats<Panels>(heads));
    values = arena.take<float>(byColumnsFloats<Panels>(heads));
    query = arena.take<float>(Panels::rightFloats(nr, heads.D));
    scores = arena.take<float>(heads.longestTile() * nr);
    packedScores = arena.take<float>(Panels::rightFloats(nr, heads.longestTile()));
    result = arena.take<float>(heads.D * nr);
    outRows = arena.take<float>(heads.D * nr);
  }
};

// One panel of queries against all keys.
template <int vectors, class Panels>
void forwardPanel(const Heads& heads, int64_t head, Range queries, const ForwardScratch<Panels>& memory, HeadRows q,
                  FloatOrBf16Out out, int64_t corner, float* logSumExp) {
  constexpr int width = vectors * lanes;
  const int64_t D = heads.D, C = heads.hiddenSize(), start = corner + queries.begin * C;
  if (out.bf16) prefetchRows<true>(out.bf16 + start, queries.length(), C, D);
  else prefetchRows<true>(out.floats + start, queries.length(), C, D);
  packQueries<Panels>(queries, D, q, memory.query);
  Vf top[vectors], sum[vectors] = {}, shrink[vectors];
  for (int v = 0; v < vectors; v++) top[v] = splat(-INFINITY);
  const float *keys = memory.keys, *values = memory.values;
  for (int64_t t = 0; t < heads.tiles(); t++) {
    const Range tile = heads.tile(t);
    multiplyPanels<Panels>(tile.length(), D, keys, memory.query, memory.scores, width, width, false);
    softmaxTile<vectors>(heads, head, queries.begin, tile, memory.scores, top, sum, shrink);
    if (t > 0)
      for (int64_t i = 0; i < D * vectors; i++)
        store(memory.result + i * lanes, load(memory.result + i * lanes) * shrink[i % vectors]);
    const float* weights = Panels::scoresAsRight(tile.length(), width, memory.scores, memory.packedScores);
    multiplyPanels<Panels>(D, tile.length(), values, weights, memory.result, width, width, t > 0);
    keys += leftOperandFloats<Panels>(tile.length(), D);
    values += leftOperandFloats<Panels>(D, tile.length());
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
  if (out.bf16) {
    transposeInto(D, queries.length(), memory.result, width, memory.outRows, D);
    for (int64_t i = 0; i < queries.length(); i++) roundToBfloat16(D, memory.outRows + i * D, out.bf16 + start + i * C);
  } else {
    transposeInto(D, queries.length(), memory.result, width, out.floats + start, C);
  }
}

template <class Panels>
void forward(const Heads& heads, FloatOrBf16 qkv, FloatOrBf16Out out, float* logSumExp) {
  const int64_t B = heads.B, N = heads.N, H = heads.H, D = heads.D;
  const bool serial = 4.0 * B * H * N * N * D < serialOperations;
  const int64_t C = heads.hiddenSize(), parts = chooseParts(heads, serial ? 1 : threadCount(), 0.7);
  forEachTask(serial, B * H * parts, [&](int64_t task) {
    const int64_t head = task / parts, part = task % parts, b = head / H, h = head % H;
    const Range panels = {part * heads.queryPanels() / parts, (part + 1) * heads.queryPanels() / parts};
    const auto memory = scratchOf<ForwardScratch<Panels>>(heads);
    [[maybe_unused]] const typename Panels::Registers registers;
    const Range all = {0, N};
    const HeadRows k = packedRows(heads, Operand::key, qkv, b, h, all);
    const HeadRows v = packedRows(heads, Operand::value, qkv, b, h, all);
    const HeadRows q = packedRows(heads, Operand::query, qkv, b, h, heads.queries(panels));
    if (!isFew(heads.queries(panels))) {
      packByRows<Panels>(heads, k, memory.keys);
      packByColumns<Panels>(heads, v, memory.values);
    }
    const int64_t corner = b * N * C + h * D;
    float* sums = logSumExp ? logSumExp + head * N : nullptr;
    for (int64_t panel = panels.begin; panel < panels.end; panel++) {
      const Range queries = heads.queries(panel);
      if (isFew(queries)) {
        const auto run = heads.rounded ? forwardQuery<true> : forwardQuery<false>;
        for (int64_t i = queries.begin; i < queries.end; i++) run(heads, head, i, q[i], k, v, out, corner, sums);
        continue;
      }
      const auto run = queries.length() <= lanes ? forwardPanel<1, Panels> : forwardPanel<tileVectors, Panels>;
      run(heads, head, queries, memory, q, out, corner, sums);
    }
  });
}

}  // namespace

void attentionForward(const AttentionOptions& options, FloatOrBf16 qkv, FloatOrBf16Out out, float* logSumExp) {
  const Heads heads = headsOf(options);
  withPanels(heads, [&](auto panels) { forward<decltype(panels)>(heads, qkv, out, logSumExp); });
}

}  // namespace vitral::VITRAL_ISA
