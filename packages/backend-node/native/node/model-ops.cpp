// The ops of a forward pass and their gradients. B batch, N tokens, C hidden size, H heads, D head size, K classes.
#include <algorithm>

#include "../kernels.h"
#include "../threads.h"
#include "exports.h"

namespace vitral::exported {

namespace {
PatchShape patchShape(Arguments& a) {
  PatchShape s;
  s.B = a.size("batch");
  s.channels = a.size("channels");
  s.height = a.size("height");
  s.width = a.size("width");
  s.P = a.size("patchHeight");
  s.Q = a.size("patchWidth");
  s.C = a.size("hiddenSize");
  if (s.height % s.P || s.width % s.Q) throw ArgumentError("the image is not a whole number of patches");
  return s;
}
int64_t pixelCount(const PatchShape& s) { return elements({s.B, s.channels, s.height, s.width}); }
int64_t weightCount(const PatchShape& s) { return elements({s.C, s.channels, s.P, s.Q}); }
int64_t tokenCount(const PatchShape& s) { return elements({s.B, s.height / s.P, s.width / s.Q, s.C}); }
}  // namespace

napi_value patchEmbed(Arguments& a) {
  const PatchShape s = patchShape(a);
  const float* pixels = a.floats("pixelValues", pixelCount(s));
  const float* weight = a.floats("weight", weightCount(s));
  const float* bias = a.floats("bias", s.C);
  kernels().patchEmbedForward(s, pixels, weight, bias, a.floats("output", tokenCount(s)));
  return nullptr;
}

napi_value patchEmbedGrad(Arguments& a) {
  const PatchShape s = patchShape(a);
  const float* dy = a.floats("dy", tokenCount(s));
  const float* pixels = a.floats("pixelValues", pixelCount(s));
  const float* weight = a.floats("weight", weightCount(s));
  float* dPixels = a.floatsOrNull("dPixelValues", pixelCount(s));
  float* dWeight = a.floatsOrNull("dWeight", weightCount(s));
  float* dBias = a.floatsOrNull("dBias", s.C);
  kernels().patchEmbedBackward(s, dy, pixels, weight, dPixels, dWeight, dBias);
  return nullptr;
}

napi_value embedTokens(Arguments& a) {
  const int64_t B = a.size("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* patches = a.floats("patches", elements({B, N, C}));
  const float* clsToken = a.floats("clsToken", C);
  const float* positions = a.floats("positionEmbeddings", elements({1 + N, C}));
  kernels().embedTokensForward(B, N, C, patches, clsToken, positions, a.floats("output", elements({B, 1 + N, C})));
  return nullptr;
}

napi_value embedTokensGrad(Arguments& a) {
  const int64_t B = a.size("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({B, 1 + N, C}));
  float* dPatches = a.floatsOrNull("dPatches", elements({B, N, C}));
  float* dClsToken = a.floatsOrNull("dClsToken", C);
  float* dPositions = a.floatsOrNull("dPositionEmbeddings", elements({1 + N, C}));
  kernels().embedTokensBackward(B, N, C, dy, dPatches, dClsToken, dPositions);
  return nullptr;
}

napi_value maskTokens(Arguments& a) {
  const int64_t B = a.size("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* patches = a.floats("patches", elements({B, N, C}));
  const float* maskToken = a.floats("maskToken", C);
  const float* mask = a.floats("mask", elements({B, N}));
  kernels().maskTokensForward(B, N, C, patches, maskToken, mask, a.floats("output", elements({B, N, C})));
  return nullptr;
}

napi_value maskTokensGrad(Arguments& a) {
  const int64_t B = a.size("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({B, N, C}));
  const float* mask = a.floats("mask", elements({B, N}));
  float* dPatches = a.floatsOrNull("dPatches", elements({B, N, C}));
  float* dMaskToken = a.floatsOrNull("dMaskToken", C);
  kernels().maskTokensBackward(B, N, C, dy, mask, dPatches, dMaskToken);
  return nullptr;
}

napi_value selectToken(Arguments& a) {
  const int64_t B = a.size("batch"), T = a.size("tokens"), C = a.size("hiddenSize"), index = a.sizeOrZero("index");
  if (index >= T) throw ArgumentError("index is not one of the tokens");
  const float* x = a.floats("x", elements({B, T, C}));
  kernels().selectTokenForward(B, T, C, index, x, a.floats("output", elements({B, C})));
  return nullptr;
}

napi_value selectTokenGrad(Arguments& a) {
  const int64_t B = a.size("batch"), T = a.size("tokens"), C = a.size("hiddenSize"), index = a.sizeOrZero("index");
  if (index >= T) throw ArgumentError("index is not one of the tokens");
  const float* dy = a.floats("dy", elements({B, C}));
  kernels().selectTokenBackward(B, T, C, index, dy, a.floats("dx", elements({B, T, C})));
  return nullptr;
}

napi_value interpolatePositions(Arguments& a) {
  const int64_t h = a.size("rows"), w = a.size("columns"), h2 = a.size("newRows"), w2 = a.size("newColumns");
  const int64_t C = a.size("hiddenSize"), from = 1 + elements({h, w}), to = 1 + elements({h2, w2});
  const float* x = a.floats("positionEmbeddings", elements({from, C}));
  kernels().interpolatePositionsForward(h, w, h2, w2, C, x, a.floats("output", elements({to, C})));
  return nullptr;
}

napi_value interpolatePositionsGrad(Arguments& a) {
  const int64_t h = a.size("rows"), w = a.size("columns"), h2 = a.size("newRows"), w2 = a.size("newColumns");
  const int64_t C = a.size("hiddenSize"), from = 1 + elements({h, w}), to = 1 + elements({h2, w2});
  const float* dy = a.floats("dy", elements({to, C}));
  kernels().interpolatePositionsBackward(h, w, h2, w2, C, dy, a.floats("dx", elements({from, C})));
  return nullptr;
}

napi_value layerNorm(Arguments& a) {
  const int64_t M = a.size("rows"), C = a.size("hiddenSize");
  const float* x = a.floats("x", elements({M, C}));
  const float* weight = a.floats("weight", C);
  const float* bias = a.floats("bias", C);
  const double eps = a.number("eps");
  float* y = a.floats("output", elements({M, C}));
  float* mean = a.floatsOrNull("mean", M);
  float* rstd = a.floatsOrNull("rstd", M);
  kernels().layerNormForward(M, C, x, weight, bias, eps, y, mean, rstd);
  return nullptr;
}

napi_value layerNormGrad(Arguments& a) {
  const int64_t M = a.size("rows"), C = a.size("hiddenSize");
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

napi_value packedLinearFloats(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  return toJs(a.env(), (double)kernels().packedLinearFloats(K, N));
}

napi_value packLinear(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  const float* weight = a.floats("weight", elements({N, K}));
  kernels().packLinear(K, N, weight, a.floats("packed", kernels().packedLinearFloats(K, N)));
  return nullptr;
}

napi_value linear(Arguments& a) {
  const int64_t M = a.size("rows"), K = a.size("inputs"), N = a.size("outputs");
  const float* x = a.floats("x", elements({M, K}));
  const float* weight = a.floats("weight", elements({N, K}));
  const float* packed = a.floatsOrNull("packed", kernels().packedLinearFloats(K, N));
  const float* bias = a.floatsOrNull("bias", N);
  const bool gelu = a.flag("gelu");
  float* y = a.floats("output", elements({M, N}));
  float* preActivation = a.floatsOrNull("preActivation", elements({M, N}));
  kernels().linearForward(M, K, N, x, weight, packed, bias, gelu, y, N, preActivation);
  return nullptr;
}

napi_value linearGrad(Arguments& a) {
  const int64_t M = a.size("rows"), K = a.size("inputs"), N = a.size("outputs");
  const float* dy = a.floats("dy", elements({M, N}));
  const float* x = a.floats("x", elements({M, K}));
  const float* weight = a.floats("weight", elements({N, K}));
  const float* preActivation = a.floatsOrNull("preActivation", elements({M, N}));
  float* dx = a.floatsOrNull("dx", elements({M, K}));
  float* dWeight = a.floatsOrNull("dWeight", elements({N, K}));
  float* dBias = a.floatsOrNull("dBias", N);
  if (preActivation) {
    float* through = scratch(Scratch::kernel, elements({M, N}));
    kernels().geluBackward(M * N, dy, preActivation, through);
    dy = through;
  }
  kernels().linearBackward(M, K, N, dy, N, x, weight, false, dx, dWeight, dBias);
  return nullptr;
}

napi_value packQkv(Arguments& a) {
  const int64_t C = a.size("hiddenSize");
  float* rows = scratch(Scratch::kernel, elements({3, C, C}));
  for (int i = 0; i < 3; i++) std::copy_n(a.floats("weights", elements({C, C})), C * C, rows + i * C * C);
  kernels().packLinear(C, 3 * C, rows, a.floats("packed", kernels().packedLinearFloats(C, 3 * C)));
  return nullptr;
}

// The three projections write side by side into rows of 3·C: as one product where the weights are packed as one.
napi_value qkv(Arguments& a) {
  const int64_t M = a.size("rows"), C = a.size("hiddenSize");
  const float* x = a.floats("x", elements({M, C}));
  const float *weight[3], *bias[3];
  for (const float*& w : weight) w = a.floats("weights", elements({C, C}));
  const float* packed = a.floatsOrNull("packed", kernels().packedLinearFloats(C, 3 * C));
  for (const float*& b : bias) b = a.floatsOrNull("biases", C);
  float* y = a.floats("output", elements({M, 3, C}));
  if (packed) {
    float* biases = scratch(Scratch::kernel, 3 * C);
    for (int i = 0; i < 3; i++)
      if (bias[i]) std::copy_n(bias[i], C, biases + i * C);
      else std::fill_n(biases + i * C, C, 0.0f);
    kernels().linearForward(M, C, 3 * C, x, nullptr, packed, biases, false, y, 3 * C, nullptr);
  } else {
    for (int i = 0; i < 3; i++)
      kernels().linearForward(M, C, C, x, weight[i], nullptr, bias[i], false, y + i * C, 3 * C, nullptr);
  }
  return nullptr;
}

napi_value qkvGrad(Arguments& a) {
  const int64_t M = a.size("rows"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({M, 3, C}));
  const float* x = a.floats("x", elements({M, C}));
  const float* weight[3];
  for (const float*& w : weight) w = a.floats("weights", elements({C, C}));
  float* dx = a.floatsOrNull("dx", elements({M, C}));
  float *dWeight[3], *dBias[3];
  for (float*& w : dWeight) w = a.floatsOrNull("dWeights", elements({C, C}));
  for (float*& b : dBias) b = a.floatsOrNull("dBiases", C);
  for (int i = 0; i < 3; i++)
    kernels().linearBackward(M, C, C, dy + i * C, 3 * C, x, weight[i], i > 0, dx, dWeight[i], dBias[i]);
  return nullptr;
}

napi_value attention(Arguments& a) {
  const int64_t B = a.size("batch"), N = a.size("tokens"), H = a.size("numHeads"), D = a.size("headSize");
  const float* packed = a.floats("qkv", elements({B, N, 3, H, D}));
  const double scale = a.number("scale"), dropoutProbability = a.number("dropoutProbability");
  const uint32_t seed = a.bits("seed");
  float* out = a.floats("output", elements({B, N, H, D}));
  float* logSumExp = a.floatsOrNull("logSumExp", elements({B, H, N}));
  kernels().attentionForward(B, N, H, D, packed, (float)scale, dropoutProbability, seed, out, logSumExp);
  return nullptr;
}

napi_value attentionGrad(Arguments& a) {
  const int64_t B = a.size("batch"), N = a.size("tokens"), H = a.size("numHeads"), D = a.size("headSize");
  const float* dy = a.floats("dy", elements({B, N, H, D}));
  const float* packed = a.floats("qkv", elements({B, N, 3, H, D}));
  const float* out = a.floats("output", elements({B, N, H, D}));
  const float* logSumExp = a.floats("logSumExp", elements({B, H, N}));
  const double scale = a.number("scale"), dropoutProbability = a.number("dropoutProbability");
  const uint32_t seed = a.bits("seed");
  float* dQkv = a.floats("dQkv", elements({B, N, 3, H, D}));
  kernels().attentionBackward(B, N, H, D, packed, out, dy, logSumExp, (float)scale, dropoutProbability, seed, dQkv);
  return nullptr;
}

}  // namespace vitral::exported
