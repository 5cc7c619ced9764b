// Attention of the class token, the first of an image, from the tokens themselves: nobody's query but its own is
// wanted, and so the keys and values of the others need never be computed. Products are associative:
//
//   score of token n   q·(Wk·xₙ) = (q·Wk)·xₙ       with q = Wq·x₀ + bq; the key's bias adds the same to each, and
//   softmax
//                                                  takes it away again
//   result             Σ pₙ·(Wv·xₙ) = Wv·(Σ pₙ·xₙ)  plus the value's bias, as the probabilities' sum is 1
//
// That is 6·B·C² + 4·B·H·N·C operations forward, where the projections of all tokens take 6·B·N·C² and more.
// B batch, N tokens, C = H·D hidden size, H heads, D head size. Weights are [C, C], of which head h has rows h·D to (h
// + 1)·D.
#pragma once

#include <cstdint>

namespace vitral {

struct ClassAttentionShape {
  int64_t B, N, H, D;
  int64_t hiddenSize() const { return H * D; }
  // What the forward pass leaves for the backward pass: queries, q·Wk, Σ pₙ·xₙ and the probabilities.
  int64_t workspaceFloats() const { return B * (hiddenSize() + H * (2 * hiddenSize() + N)); }
};

struct ClassAttentionWeights {
  const float *query, *key, *value;
  const float *queryBias, *valueBias;  // may be null
};

// The gradients that the backward pass gives; each may be null, dQueryBias and dValueBias too where there is no bias.
struct ClassAttentionGradients {
  float *x, *query, *key, *value, *queryBias, *valueBias;
};

// x [B, N, C] → out [B, C], which may lie where x begins.
using ClassAttentionForward = void(const ClassAttentionShape& shape, const float* x,
                                   const ClassAttentionWeights& weights, float scale, float* between, float* out);
// Sums have a fixed order, whatever the thread count.
using ClassAttentionBackward = void(const ClassAttentionShape& shape, const float* x,
                                    const ClassAttentionWeights& weights, float scale, const float* between,
                                    const float* dOut, const ClassAttentionGradients& gradients);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
ClassAttentionForward classAttentionForward;
ClassAttentionBackward classAttentionBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
