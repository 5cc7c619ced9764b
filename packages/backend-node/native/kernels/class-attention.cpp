#include "class-attention.h"

#include <initializer_list>

#include "../gemm/gemm.h"
#include "../runtime/lanes.h"
#include "../runtime/threads.h"
#include "column-sums.h"
#include "stock.h"

namespace vitral::VITRAL_ISA {
namespace {

// What the forward pass leaves, and of the same sizes what the backward pass holds: for each head, one row of the
// tokens' width and one of a number for each token.
template <class Float>
struct Parts {
  Float* queries;   // [B, C]
  Float* ofTokens;  // [B, H, C]: what a token is multiplied by for its score, q·Wk
  Float* weights;   // [B, H, N]: probabilities
  Float* sums;      // [B, H, C]: Σ pₙ·xₙ
  Parts(const ClassAttentionShape& shape, Float* at) {
    const int64_t rows = shape.B * shape.hiddenSize();
    queries = at;
    ofTokens = queries + rows;
    sums = ofTokens + rows * shape.H;
    weights = sums + rows * shape.H;
  }
};

// A matrix of which rows lie `stride` apart, and its transpose.
MatrixView rowsOf(const float* data, int64_t stride) { return {data, stride, 1}; }
MatrixView columnsOf(const float* data, int64_t stride) { return {data, 1, stride}; }

struct Sizes {
  int64_t M, N, K;
};
void product(const Sizes& sizes, MatrixView A, MatrixView B, float* C, int64_t ldc, bool accumulate = false,
             const float* bias = nullptr) {
  GemmEpilogue epilogue;
  epilogue.accumulate = accumulate;
  epilogue.bias = bias;
  gemm(sizes.M, sizes.N, sizes.K, A, B, C, ldc, epilogue, Precision::float32);
}

void scaleBy(float factor, int64_t count, const float* from, float* to) {
  eachOfRow(count, [&](int64_t i, int64_t some) { storeSome(to + i, loadSome(from + i, some) * factor, some); });
}

// dScores from dProbabilities, in their place: p·(dP − Σ p·dP).
void softmaxGradient(int64_t rows, int64_t n, const float* probabilities, float* gradients) {
  for (int64_t row = 0; row < rows; row++) {
    const float* p = probabilities + row * n;
    float* d = gradients + row * n;
    Vf sum = {};
    eachOfRow(n, [&](int64_t i, int64_t some) { sum += loadSome(p + i, some) * loadSome(d + i, some); });
    const float mean = reduceAdd(sum);
    eachOfRow(n, [&](int64_t i, int64_t some) {
      storeSome(d + i, loadSome(p + i, some) * (loadSome(d + i, some) - mean), some);
    });
  }
}

// Each image by itself, or each head of all images.
template <class Body>
void forEach(int64_t count, const ClassAttentionShape& shape, Body body) {
  const int64_t C = shape.hiddenSize();
  forEachTask(2.0 * shape.B * C * (shape.N * shape.H + C) < serialOperations, count, body);
}

}  // namespace

void classAttentionForward(const ClassAttentionShape& shape, const float* x, const ClassAttentionWeights& weights,
                           float scale, float* between, float* out) {
  const int64_t B = shape.B, N = shape.N, H = shape.H, D = shape.D, C = shape.hiddenSize();
  if (B == 0) return;
  const Parts<float> parts(shape, between);
  product({B, C, C}, rowsOf(x, N * C), columnsOf(weights.query, C), parts.queries, C, false, weights.queryBias);
  scaleBy(scale, B * C, parts.queries, parts.queries);
  forEach(H, shape, [&](int64_t h) {
    product({B, C, D}, rowsOf(parts.queries + h * D, C), rowsOf(weights.key + h * D * C, C), parts.ofTokens + h * C,
            H * C);
  });
  forEach(B, shape, [&](int64_t b) {
    const float* tokens = x + b * N * C;
    float* probabilities = parts.weights + b * H * N;
    product({H, N, C}, rowsOf(parts.ofTokens + b * H * C, C), columnsOf(tokens, C), probabilities, N);
    softmaxRows(H, N, probabilities, probabilities);
    product({H, C, N}, rowsOf(probabilities, N), rowsOf(tokens, C), parts.sums + b * H * C, C);
  });
  forEach(H, shape, [&](int64_t h) {
    product({B, D, C}, rowsOf(parts.sums + h * C, H * C), columnsOf(weights.value + h * D * C, C), out + h * D, C,
            false, weights.valueBias ? weights.valueBias + h * D : nullptr);
  });
}

void classAttentionBackward(const ClassAttentionShape& shape, const float* x, const ClassAttentionWeights& weights,
                            float scale, const float* between, const float* dOut,
                            const ClassAttentionGradients& gradients) {
  const int64_t B = shape.B, N = shape.N, H = shape.H, D = shape.D, C = shape.hiddenSize();
  if (B == 0) {  // sums over no images
    for (float* weight : {gradients.query, gradients.key, gradients.value})
      if (weight) std::memset(weight, 0, C * C * sizeof(float));
    for (float* bias : {gradients.queryBias, gradients.valueBias})
      if (bias) std::memset(bias, 0, C * sizeof(float));
    return;
  }
  const Parts<const float> parts(shape, between);
  // Gradients of the sums, of the queries before the scale, of the scores, and of q·Wk.
  const Parts<float> d(shape, scratch(Scratch::kernel, shape.workspaceFloats()));
  forEach(H, shape, [&](int64_t h) {
    product({B, C, D}, rowsOf(dOut + h * D, C), rowsOf(weights.value + h * D * C, C), d.sums + h * C, H * C);
    if (gradients.value)
      product({D, C, B}, columnsOf(dOut + h * D, C), rowsOf(parts.sums + h * C, H * C), gradients.value + h * D * C, C);
  });
  forEach(B, shape, [&](int64_t b) {
    const float *tokens = x + b * N * C, *probabilities = parts.weights + b * H * N;
    float *dScores = d.weights + b * H * N, *dSums = d.sums + b * H * C;
    product({H, N, C}, rowsOf(dSums, C), columnsOf(tokens, C), dScores, N);
    softmaxGradient(H, N, probabilities, dScores);
    product({H, C, N}, rowsOf(dScores, N), rowsOf(tokens, C), d.ofTokens + b * H * C, C);
    if (!gradients.x) return;
    float* dTokens = gradients.x + b * N * C;
    product({N, C, H}, columnsOf(probabilities, N), rowsOf(dSums, C), dTokens, C);
    product({N, C, H}, columnsOf(dScores, N), rowsOf(parts.ofTokens + b * H * C, C), dTokens, C, true);
  });
  forEach(H, shape, [&](int64_t h) {
    const float* dOfTokens = d.ofTokens + h * C;
    product({B, D, C}, rowsOf(dOfTokens, H * C), columnsOf(weights.key + h * D * C, C), d.queries + h * D, C);
    if (gradients.key)
      product({D, C, B}, columnsOf(parts.queries + h * D, C), rowsOf(dOfTokens, H * C), gradients.key + h * D * C, C);
  });
  scaleBy(scale, B * C, d.queries, d.queries);
  if (gradients.query) product({C, C, B}, columnsOf(d.queries, C), rowsOf(x, N * C), gradients.query, C);
  if (gradients.x) product({B, C, C}, rowsOf(d.queries, C), rowsOf(weights.query, C), gradients.x, N * C, true);
  const auto sumOverImages = [&](const float* rows, float* to) {
    if (to)
      columnSums(B, C, to, [&](int64_t b, int64_t c, int64_t count) { return loadSome(rows + b * C + c, count); });
  };
  sumOverImages(d.queries, gradients.queryBias);
  sumOverImages(dOut, gradients.valueBias);
}

}  // namespace vitral::VITRAL_ISA
