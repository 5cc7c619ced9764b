// mask-tokens. B images, N patches, C hidden size.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue maskTokens(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* patches = a.floats("patchEmbeddings", elements({B, N, C}));
  const float* maskToken = a.floats("maskToken", C);
  const float* mask = a.floats("mask", elements({B, N}));
  kernels().maskTokensForward(B, N, C, patches, maskToken, mask, a.floats("output", elements({B, N, C})));
  return nullptr;
}

JsValue maskTokensGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({B, N, C}));
  const float* mask = a.floats("mask", elements({B, N}));
  float* dPatches = a.floatsOrNull("dPatchEmbeddings", elements({B, N, C}));
  float* dMaskToken = a.floatsOrNull("dMaskToken", C);
  kernels().maskTokensBackward(B, N, C, dy, mask, dPatches, dMaskToken);
  return nullptr;
}

}  // namespace vitral::exported
