// The ops of the encoder and their gradients. B batch, N tokens, C hidden size, H heads, D head size; M rows, K inputs,
// N outputs of a linear layer.
#include <algorithm>

#include "../encoder-layer.h"
#include "../kernels.h"
#include "../threads.h"
#include "exports.h"

namespace vitral::exported {

napi_value layerNorm(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const float* x = a.floats("x", elements({M, C}));
  const float* weight = a.floats("weight", C);
  const float* bias = a.floats("bias", C);
  const double eps = a.number("eps");
  const NumbersOut y = a.numbersOut("output", elements({M, C}));
  float* mean = a.floatsOrNull("mean", M);
  float* rstd = a.floatsOrNull("rstd", M);
  kernels().layerNormForward(M, C, x, weight, bias, eps, y, mean, rstd);
  return nullptr;
}

napi_value layerNormGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({M, C}));
  const float* x = a.floats("x", elements({M, C}));
  const float* weight = a.floats("weight", C);
  const float* mean = a.floats("mean", M);
  const float* rstd = a.floats("rstd", M);
  float* dx = a.floatsOrNull("dx", elements({M, C}));
  float* dWeight = a.floatsOrNull("dWeight", C);
  float* dBias = a.floatsOrNull("dBias", C);
  kernels().layerNormBackward(M, C, dy, x, weight, mean, rstd, dx, dWeight, dBias);
  return nullptr;
}

// Floats of a packed weight; throws when its products have more terms than int8 sums.
static int64_t packedFloats(int64_t K, int64_t N, Precision precision) {
  if (precision == Precision::int8 && K > mostInt8Steps)
    throw ArgumentError("a layer of more than " + std::to_string(mostInt8Steps) + " inputs cannot be multiplied in int8");
  return kernels().packedLinearFloats(K, N, precision);
}

napi_value packedLinearFloats(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  elements({K, N, 16});  // more than padding and the planes of bfloat16 make of it: the sum below does not overflow
  return toJs(a.env(), (double)packedFloats(K, N, a.precision("dtype")));
}

napi_value packLinear(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const float* weight = a.floats("weight", elements({N, K}));
  kernels().packLinear(K, N, weight, a.floats("packed", packedFloats(K, N, precision)), precision);
  return nullptr;
}

napi_value linear(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const bool ofGelu = a.flag("gelu");
  const Numbers x = a.numbers("x", elements({M, K}));
  const float* weight = a.floats("weight", elements({N, K}));
  const float* packed = a.floatsOrNull("packed", packedFloats(K, N, precision));
  const float* bias = a.floatsOrNull("bias", N);
  const float* residual = a.floatsOrNull("residual", elements({M, N}));
  const Drops drops = a.drops(M);
  const NumbersOut y = a.numbersOut("output", elements({M, N}));
  if (y.halves && (drops.any() || residual)) throw ArgumentError("an output of bfloat16 has neither drops nor a residual");
  kernels().linearForward(M, K, N, x, ofGelu, weight, packed, bias, drops, residual, precision, y, N);
  return nullptr;
}

napi_value linearGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const bool ofGelu = a.flag("gelu");
  const float* dy = a.floats("dy", elements({M, N}));
  const Numbers x = a.numbers("x", elements({M, K}));
  const float* weight = a.floats("weight", elements({N, K}));
  float* dx = a.floatsOrNull("dx", elements({M, K}));
  float* dWeight = a.floatsOrNull("dWeight", elements({N, K}));
  float* dBias = a.floatsOrNull("dBias", N);
  kernels().linearBackward(M, K, N, dy, N, x, ofGelu, weight, precision, false, dx, dWeight, dBias);
  return nullptr;
}

napi_value packQkv(Arguments& a) {
  const int64_t C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  float* rows = scratch(Scratch::kernel, elements({3, C, C}));
  for (int i = 0; i < 3; i++) std::copy_n(a.floats("weights", elements({C, C})), C * C, rows + i * C * C);
  kernels().packLinear(C, 3 * C, rows, a.floats("packed", packedFloats(C, 3 * C, precision)),
                       precision);
  return nullptr;
}

// The three of query, key and value as one, zero where there is none.
static const float* joinedBiases(const float* const bias[3], int64_t C) {
  float* joined = scratch(Scratch::kernel, 3 * C);
  for (int i = 0; i < 3; i++)
    if (bias[i]) std::copy_n(bias[i], C, joined + i * C);
    else std::fill_n(joined + i * C, C, 0.0f);
  return joined;
}

// The three projections write side by side into rows of 3·C: as one product where the weights are packed as one.
napi_value qkv(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  const Numbers x = a.numbers("x", elements({M, C}));
  const float *weight[3], *bias[3];
  for (const float*& w : weight) w = a.floats("weights", elements({C, C}));
  const float* packed = a.floatsOrNull("packed", packedFloats(C, 3 * C, precision));
  for (const float*& b : bias) b = a.floatsOrNull("biases", C);
  const NumbersOut y = a.numbersOut("output", elements({M, 3, C}));
  if (packed) {
    const float* joined = joinedBiases(bias, C);
    kernels().linearForward(M, C, 3 * C, x, false, nullptr, packed, joined, {}, nullptr, precision, y, 3 * C);
  } else {
    for (int i = 0; i < 3; i++)
      kernels().linearForward(M, C, C, x, false, weight[i], nullptr, bias[i], {}, nullptr, precision, y.from(i * C),
                              3 * C);
  }
  return nullptr;
}

napi_value qkvGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  const float* dy = a.floats("dy", elements({M, 3, C}));
  const Numbers x = a.numbers("x", elements({M, C}));
  const float* weight[3];
  for (const float*& w : weight) w = a.floats("weights", elements({C, C}));
  float* dx = a.floatsOrNull("dx", elements({M, C}));
  float *dWeight[3], *dBias[3];
  for (float*& w : dWeight) w = a.floatsOrNull("dWeights", elements({C, C}));
  for (float*& b : dBias) b = a.floatsOrNull("dBiases", C);
  for (int i = 0; i < 3; i++)
    kernels().linearBackward(M, C, C, dy + i * C, 3 * C, x, false, weight[i], precision, i > 0, dx, dWeight[i],
                             dBias[i]);
  return nullptr;
}

// How many of the tokens are queries.
static int64_t queriesOf(Arguments& a, int64_t tokens) {
  const int64_t queries = a.size("queries");
  if (queries > tokens) throw ArgumentError("queries is more than tokens");
  return queries;
}

napi_value attention(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("tokens"), Q = queriesOf(a, N);
  const int64_t H = a.size("numHeads"), D = a.size("headSize");
  const Precision precision = a.precision("dtype");
  const Numbers packed = a.numbers("qkv", elements({B, N, 3, H, D}));
  const double scale = a.number("scale"), dropoutProbability = a.number("dropoutProbability");
  const uint32_t seed = a.bits("seed");
  const NumbersOut out = a.numbersOut("output", elements({B, Q, H, D}));
  float* logSumExp = a.floatsOrNull("logSumExp", elements({B, H, Q}));
  kernels().attentionForward(B, N, Q, H, D, packed, (float)scale, dropoutProbability, seed, precision, out, logSumExp);
  return nullptr;
}

napi_value attentionGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("tokens"), Q = queriesOf(a, N);
  const int64_t H = a.size("numHeads"), D = a.size("headSize");
  const Precision precision = a.precision("dtype");
  const float* dy = a.floats("dy", elements({B, Q, H, D}));
  const Numbers packed = a.numbers("qkv", elements({B, N, 3, H, D}));
  const Numbers out = a.numbers("output", elements({B, Q, H, D}));
  const float* logSumExp = a.floats("logSumExp", elements({B, H, Q}));
  const double scale = a.number("scale"), dropoutProbability = a.number("dropoutProbability");
  const uint32_t seed = a.bits("seed");
  float* dQkv = a.floats("dQkv", elements({B, N, 3, H, D}));
  kernels().attentionBackward(B, N, Q, H, D, packed, out, dy, logSumExp, (float)scale, dropoutProbability, seed, precision,
                              dQkv);
  return nullptr;
}

static int64_t betweenFloats(const EncoderLayerShape& shape) {
  // More than is needed: its sum does not overflow.
  elements({shape.batch, shape.tokens, 5, shape.hiddenSize + shape.intermediateSize});
  return vitral::encoderLayerFloats(shape);
}

napi_value encoderLayer(Arguments& a) {
  EncoderLayerShape shape;
  shape.batch = a.sizeOrZero("batch"), shape.tokens = a.size("tokens"), shape.outputTokens = queriesOf(a, shape.tokens);
  shape.hiddenSize = a.size("hiddenSize");
  shape.numHeads = a.size("numHeads"), shape.intermediateSize = a.size("intermediateSize");
  shape.scale = a.number("scale"), shape.eps = a.number("eps");
  const int64_t C = shape.hiddenSize, I = shape.intermediateSize;
  if (C % shape.numHeads) throw ArgumentError("numHeads does not divide hiddenSize");
  const Precision precision = a.precision("dtype");
  const float* x = a.floats("x", elements({shape.batch, shape.tokens, C}));
  const auto norm = [&]() -> NormWeights {
    const float* weight = a.floats("norm's weight", C);
    return {weight, a.floats("norm's bias", C)};
  };
  const auto packed = [&](int64_t K, int64_t N) { return a.floats("packed", packedFloats(K, N, precision)); };
  const auto linear = [&](int64_t K, int64_t N) -> PackedLinear {
    const float* weight = packed(K, N);
    return {weight, a.floatsOrNull("bias", N)};
  };
  EncoderLayerWeights weights;
  weights.normBefore = norm();
  weights.qkv.weight = packed(C, 3 * C);
  const float* bias[3];
  for (const float*& b : bias) b = a.floatsOrNull("bias", C);
  weights.projection = linear(C, C);
  weights.normAfter = norm();
  weights.up = linear(C, I);
  weights.down = linear(I, C);
  float* between = a.floats("between", betweenFloats(shape));
  float* y = a.floats("output", elements({shape.batch, shape.outputTokens, C}));
  weights.qkv.bias = joinedBiases(bias, C);
  vitral::encoderLayer(shape, weights, precision, x, between, y);
  return nullptr;
}

napi_value encoderLayerFloats(Arguments& a) {
  EncoderLayerShape shape{};
  shape.batch = a.sizeOrZero("batch"), shape.tokens = a.size("tokens"), shape.hiddenSize = a.size("hiddenSize");
  shape.intermediateSize = a.size("intermediateSize");
  return toJs(a.env(), (double)betweenFloats(shape));
}

}  // namespace vitral::exported
