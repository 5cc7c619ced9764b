#include "layer-norm.h"

#include "../gemm/bfloat16.h"
#include "../runtime/lanes.h"
#include "../runtime/threads.h"

namespace vitral::VITRAL_ISA {

namespace {

// Sum over a row of value(vector of x, offset); lanes beyond the row contribute what value gives for zeros times 0.
template <class Value>
VITRAL_INLINE float sumRow(int64_t C, Value value) {
  Vf sum = {};
  int64_t c = 0;
  for (; c + lanes <= C; c += lanes) sum += value(c, lanes);
  if (c < C) {
    float part[lanes];
    store(part, value(c, C - c));
    for (int64_t lane = C - c; lane < lanes; lane++) part[lane] = 0;
    sum += load(part);
  }
  return reduceAdd(sum);
}

}  // namespace

void layerNormForward(const LayerNormForwardArguments& given) {
  const int64_t M = given.M, C = given.C;
  const float *x = given.x, *weight = given.weight, *bias = given.bias;
  const double eps = given.eps;
  const FloatOrBf16Out y = given.y;
  float *mean = given.mean, *rstd = given.rstd;
  parallelFor(0, M, 16384 / C + 1, [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const float* in = x + row * C;
      const float average = sumRow(C, [&](int64_t c, int64_t n) { return loadSome(in + c, n); }) / (float)C;
      // A second pass over the row, which is in cache: the variance as the mean of squares minus the square of the mean
      // would lose all digits where the mean is large.
      const float variance = sumRow(C,
                                    [&](int64_t c, int64_t n) {
                                      const Vf centered = loadSome(in + c, n) - average;
                                      return centered * centered;
                                    }) /
                             (float)C;
      const float scale = (float)(1.0 / std::sqrt((double)variance + eps));
      eachOfRow(C, [&](int64_t c, int64_t n) {
        const Vf normed = (loadSome(in + c, n) - average) * scale;
        const Vf result = normed * loadSome(weight + c, n) + loadSome(bias + c, n);
        if (y.bf16) storeSomeBfloat16(y.bf16 + row * C + c, result, n);
        else storeSome(y.floats + row * C + c, result, n);
      });
      if (mean) mean[row] = average;
      if (rstd) rstd[row] = scale;
    }
  });
}

// Rows are taken in blocks of a fixed length: a block's part of the sums over rows is made while its rows are in cache,
// and the parts are added in their order, so that the bits do not depend on the threads.
void layerNormBackward(const LayerNormBackwardArguments& given) {
  const int64_t M = given.M, C = given.C;
  const float *dy = given.dy, *x = given.x, *weight = given.weight, *mean = given.mean, *rstd = given.rstd;
  const float* residualGradient = given.residualGradient;
  float *dx = given.dx, *dWeight = given.dWeight, *dBias = given.dBias;
  constexpr int64_t blockRows = 64;
  const int64_t blocks = (M + blockRows - 1) / blockRows;
  float* parts = scratch(Scratch::kernel, blocks * 2 * C);
  parallelFor(0, blocks, 16384 / (C * blockRows) + 1, [&](int64_t from, int64_t to) {
    for (int64_t block = from; block < to; block++) {
      float *weightPart = parts + block * 2 * C, *biasPart = weightPart + C;
      std::memset(weightPart, 0, 2 * C * sizeof(float));
      for (int64_t row = block * blockRows; row < M && row < (block + 1) * blockRows; row++) {
        const float* in = x + row * C;
        const float* up = dy + row * C;
        const float average = mean[row], scale = rstd[row];
        const auto gradient = [&](int64_t c, int64_t n) { return loadSome(up + c, n) * loadSome(weight + c, n); };
        const auto normed = [&](int64_t c, int64_t n) { return (loadSome(in + c, n) - average) * scale; };
        if (dWeight || dBias)
          eachOfRow(C, [&](int64_t c, int64_t n) {
            const Vf upstream = loadSome(up + c, n);
            storeSome(weightPart + c, loadSome(weightPart + c, n) + upstream * normed(c, n), n);
            storeSome(biasPart + c, loadSome(biasPart + c, n) + upstream, n);
          });
        if (!dx) continue;
        const float meanGradient = sumRow(C, gradient) / (float)C;
        const float meanProduct =
            sumRow(C, [&](int64_t c, int64_t n) { return gradient(c, n) * normed(c, n); }) / (float)C;
        eachOfRow(C, [&](int64_t c, int64_t n) {
          Vf result = scale * (gradient(c, n) - meanGradient - normed(c, n) * meanProduct);
          if (residualGradient) result = alone(result) + loadSome(residualGradient + row * C + c, n);
          storeSome(dx + row * C + c, result, n);
        });
      }
    }
  });
  const auto total = [&](float* out, const float* first) {
    if (out)
      eachOfRow(C, [&](int64_t c, int64_t n) {
        Vf sum = {};
        for (int64_t block = 0; block < blocks; block++) sum += loadSome(first + block * 2 * C + c, n);
        storeSome(out + c, sum, n);
      });
  };
  total(dWeight, parts);
  total(dBias, parts + C);
}

}  // namespace vitral::VITRAL_ISA
