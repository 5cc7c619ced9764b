// Attention of a few queries, one at a time: those that are left when panels are full. A panel
// takes as long for one query as for all it holds. Here vectors run along the head's columns, and nothing is packed.
#pragma once

#include "attention-tiles.h"

namespace vitral::VITRAL_ISA {

constexpr int64_t fewQueries = lanes / 2;  // of more a panel is as fast
inline bool isFew(Range queries) { return queries.length() <= fewQueries; }

// What one query has for each key comes in whole vectors: beyond the last key scores are -∞, whose exponential is 0.
inline int64_t keyFloats(const Heads& heads) { return rightWidth(heads.N); }
inline void endWith(float value, const Heads& heads, float* ofKeys) {
  for (int64_t j = heads.N; j < keyFloats(heads); j++) ofKeys[j] = value;
}

// rounded: operands of products count as bfloat16.
template <bool rounded>
VITRAL_INLINE Vf asOperand(Vf x) {
  return rounded ? nearestBfloat16(x) : x;
}

template <bool rounded>
VITRAL_INLINE float dot(int64_t D, const float* a, const float* b) {
  Vf sum = {};
  eachOfRow(D, [&](int64_t d, int64_t count) {
    sum += asOperand<rounded>(loadSome(a + d, count)) * asOperand<rounded>(loadSome(b + d, count));
  });
  return reduceAdd(sum);
}

// to = factor·Σ weights[j]·rows[j]
template <bool rounded>
void weightedSum(int64_t count, int64_t D, const float* weights, HeadRows rows, float factor, float* to) {
  constexpr int64_t vectors = 4;  // sums at a time: one would wait for itself
  for (int64_t d = 0; d < D; d += vectors * lanes) {
    Vf sum[vectors] = {};
    for (int64_t j = 0; j < count; j++)
      for (int64_t v = 0; v < vectors && d + v * lanes < D; v++) {
        const int64_t at = d + v * lanes, some = D - at < lanes ? D - at : (int64_t)lanes;
        sum[v] += splat(weights[j]) * asOperand<rounded>(loadSome(rows[j] + at, some));
      }
    for (int64_t v = 0; v < vectors && d + v * lanes < D; v++)
      storeSome(to + d + v * lanes, sum[v] * factor, D - d - v * lanes < lanes ? D - d - v * lanes : (int64_t)lanes);
  }
}

// rows[j] (+)= weights[j]·x, of rows that lie whole vectors apart.
template <bool rounded>
void addToRows(int64_t count, int64_t D, const float* weights, const float* x, float* rows, int64_t stride,
               bool accumulate) {
  eachOfRow(D, [&](int64_t d, int64_t some) {
    const Vf part = asOperand<rounded>(loadSome(x + d, some));
    for (int64_t j = 0; j < count; j++) {
      float* to = rows + j * stride + d;
      const Vf product = splat(weights[j]) * part;
      store(to, accumulate ? load(to) + product : product);
    }
  });
}

template <bool rounded>
void forwardQuery(const Heads& heads, int64_t head, int64_t query, const float* q, HeadRows k, HeadRows v,
                  FloatOrBf16Out out, int64_t corner, float* logSumExp) {
  const int64_t N = heads.N, D = heads.D, start = corner + query * heads.hiddenSize();
  float *scores = scratch(Scratch::attentionQuery, keyFloats(heads) + D), *row = scores + keyFloats(heads);
  for (int64_t j = 0; j < N; j++) scores[j] = heads.scale * dot<rounded>(D, q, k[j]);
  endWith(-INFINITY, heads, scores);
  Vf highest = splat(-INFINITY), sum = {};
  for (int64_t j = 0; j < N; j += lanes) highest = max(highest, load(scores + j));
  const float top = reduceMax(highest);
  const Vu index = dropoutKeys(heads, head, query);
  for (int64_t j = 0; j < N; j += lanes) {
    Vf weight = exp(load(scores + j) - top);
    sum += weight;
    if (heads.dropout) weight *= heads.keep(index + (uint32_t)j);
    store(scores + j, asOperand<rounded>(weight));
  }
  const float total = reduceAdd(sum);
  weightedSum<rounded>(N, D, scores, v, 1 / total, out.bf16 ? row : out.floats + start);
  if (out.bf16) roundToBfloat16(D, row, out.bf16 + start);
  if (logSumExp) logSumExp[query] = top + std::log(total);
}

// What one query adds to dKeys and dValues [N, ldc], and its whole dq.
template <bool rounded>
void backwardQuery(const Heads& heads, int64_t head, int64_t query, const float* q, HeadRows k, HeadRows v,
                   const float* out, const float* dOut, float logSumExp, bool accumulate, float* dKeys, float* dValues,
                   float* dq) {
  const int64_t N = heads.N, D = heads.D, ldc = rightWidth(D);
  float *probabilities = scratch(Scratch::attentionQuery, 2 * keyFloats(heads)),
        *dScores = probabilities + keyFloats(heads);
  for (int64_t j = 0; j < N; j++) {
    probabilities[j] = heads.scale * dot<rounded>(D, q, k[j]);
    dScores[j] = dot<rounded>(D, dOut, v[j]);
  }
  endWith(-INFINITY, heads, probabilities);
  endWith(0, heads, dScores);
  const float delta = dot<false>(D, out, dOut);  // Σ dP·P: what the normalisation takes from each dScore
  const Vu index = dropoutKeys(heads, head, query);
  for (int64_t j = 0; j < N; j += lanes) {
    const Vf probability = exp(load(probabilities + j) - logSumExp);
    Vf dropped = probability, dProbability = load(dScores + j);
    if (heads.dropout) {
      const Vf keep = heads.keep(index + (uint32_t)j);
      dropped *= keep;
      dProbability *= keep;
    }
    store(probabilities + j, asOperand<rounded>(dropped));
    store(dScores + j, asOperand<rounded>(probability * (dProbability - delta)));
  }
  weightedSum<rounded>(N, D, dScores, k, heads.scale, dq + query * heads.packedRow());
  addToRows<rounded>(N, D, probabilities, dOut, dValues, ldc, accumulate);
  addToRows<rounded>(N, D, dScores, q, dKeys, ldc, accumulate);
}

}  // namespace vitral::VITRAL_ISA
