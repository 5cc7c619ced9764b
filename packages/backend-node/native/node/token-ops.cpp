// The ops before and after the encoder, and their gradients. B batch, N patches, T tokens, C hidden size.
#include "../kernels.h"
#include "exports.h"

namespace vitral::exported {

namespace {
PatchShape patchShape(Arguments& a) {
  PatchShape s;
  s.B = a.sizeOrZero("batch");
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
  const Precision precision = a.precision("dtype");
  const float* pixels = a.floats("pixelValues", pixelCount(s));
  const float* weight = a.floats("weight", weightCount(s));
  const float* bias = a.floats("bias", s.C);
  kernels().patchEmbedForward(s, pixels, weight, bias, precision, a.floats("output", tokenCount(s)));
  return nullptr;
}

napi_value patchEmbedGrad(Arguments& a) {
  const PatchShape s = patchShape(a);
  const Precision precision = a.precision("dtype");
  const float* dy = a.floats("dy", tokenCount(s));
  const float* pixels = a.floats("pixelValues", pixelCount(s));
  const float* weight = a.floats("weight", weightCount(s));
  float* dPixels = a.floatsOrNull("dPixelValues", pixelCount(s));
  float* dWeight = a.floatsOrNull("dWeight", weightCount(s));
  float* dBias = a.floatsOrNull("dBias", s.C);
  kernels().patchEmbedBackward(s, dy, pixels, weight, precision, dPixels, dWeight, dBias);
  return nullptr;
}

napi_value embedTokens(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* patches = a.floats("patches", elements({B, N, C}));
  const float* clsToken = a.floats("clsToken", C);
  const float* positions = a.floats("positionEmbeddings", elements({1 + N, C}));
  kernels().embedTokensForward(B, N, C, patches, clsToken, positions, a.floats("output", elements({B, 1 + N, C})));
  return nullptr;
}

napi_value embedTokensGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({B, 1 + N, C}));
  float* dPatches = a.floatsOrNull("dPatches", elements({B, N, C}));
  float* dClsToken = a.floatsOrNull("dClsToken", C);
  float* dPositions = a.floatsOrNull("dPositionEmbeddings", elements({1 + N, C}));
  kernels().embedTokensBackward(B, N, C, dy, dPatches, dClsToken, dPositions);
  return nullptr;
}

napi_value maskTokens(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* patches = a.floats("patches", elements({B, N, C}));
  const float* maskToken = a.floats("maskToken", C);
  const float* mask = a.floats("mask", elements({B, N}));
  kernels().maskTokensForward(B, N, C, patches, maskToken, mask, a.floats("output", elements({B, N, C})));
  return nullptr;
}

napi_value maskTokensGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({B, N, C}));
  const float* mask = a.floats("mask", elements({B, N}));
  float* dPatches = a.floatsOrNull("dPatches", elements({B, N, C}));
  float* dMaskToken = a.floatsOrNull("dMaskToken", C);
  kernels().maskTokensBackward(B, N, C, dy, mask, dPatches, dMaskToken);
  return nullptr;
}

napi_value selectToken(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), T = a.size("tokens"), C = a.size("hiddenSize"), index = a.sizeOrZero("index");
  if (index >= T) throw ArgumentError("index is not one of the tokens");
  const float* x = a.floats("x", elements({B, T, C}));
  kernels().selectTokenForward(B, T, C, index, x, a.floats("output", elements({B, C})));
  return nullptr;
}

napi_value selectTokenGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), T = a.size("tokens"), C = a.size("hiddenSize"), index = a.sizeOrZero("index");
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

}  // namespace vitral::exported
