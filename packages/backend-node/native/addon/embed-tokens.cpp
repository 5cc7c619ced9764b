// embed-tokens. B images, N patches, C hidden size.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue embedTokens(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* patches = a.floats("patchEmbeddings", elements({B, N, C}));
  const float* clsToken = a.floats("clsToken", C);
  const float* positions = a.floats("positionEmbeddings", elements({1 + N, C}));
  kernels().embedTokensForward(B, N, C, patches, clsToken, positions, a.floats("output", elements({B, 1 + N, C})));
  return nullptr;
}

JsValue embedTokensGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("patches"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({B, 1 + N, C}));
  float* dPatches = a.floatsOrNull("dPatchEmbeddings", elements({B, N, C}));
  float* dClsToken = a.floatsOrNull("dClsToken", C);
  float* dPositions = a.floatsOrNull("dPositionEmbeddings", elements({1 + N, C}));
  kernels().embedTokensBackward(B, N, C, dy, dPatches, dClsToken, dPositions);
  return nullptr;
}

}  // namespace vitral::exported
