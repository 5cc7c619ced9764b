// What JavaScript can call; src/native/addon-calls.ts and collectives-addon.ts say with what. Outputs are arguments,
// allocated by the caller.
#pragma once

#include "arguments.h"

// X(name) for each of them: declared here, and made a property of the addon in addon.cpp, of the WebAssembly module in
// ../wasm/exports.cpp.
// clang-format off
#define VITRAL_OPS(X) \
  X(patchEmbed) X(patchEmbedGrad) \
  X(embedTokens) X(embedTokensGrad) \
  X(maskTokens) X(maskTokensGrad) \
  X(selectToken) X(selectTokenGrad) \
  X(interpolatePositions) X(interpolatePositionsGrad) \
  X(layerNorm) X(layerNormGrad) \
  X(packedLinearFloats) X(packLinear) X(linear) X(linearGrad) \
  X(packQkv) X(qkv) X(qkvGrad) \
  X(attention) X(attentionGrad) \
  X(classAttentionFloats) X(classAttention) X(classAttentionGrad) \
  X(encoderFloats) X(encoder) \
  X(encoderLayerFloats) X(encoderLayer) X(encoderLayerGrad) \
  X(gelu) X(geluGrad) \
  X(dropRows) \
  X(crossEntropy) X(crossEntropyGrad) \
  X(gradNorm) X(unscale) X(adamStep) X(sgdStep) X(lionStep) \
  X(add) X(subtract) X(multiply) X(softmax) X(matMul)

// What WebAssembly has no use for, or does in its host.
#define VITRAL_NODE_EXPORTS(X) \
  X(allocate) X(discard) X(threads) X(setThreads) X(instructionSet) X(multiplyAdd) \
  X(resizeImage) X(flipRows) X(projectNearest) X(projectNearestInFloat) X(projectBilinear) \
  X(blendWithGrey) X(blendWithLuma) X(adjustHue) X(luma) X(lumaSum) X(applyLut) \
  X(hasJpegDecoder) X(decodeJpeg) \
  X(connectLocal) X(connectMpi) X(connectNcclLocally) X(connectNcclByMpi) X(connected) \
  X(allReduce) X(broadcast) X(barrier) X(allGather) X(interruptCollectives) X(closeCollectives) \
  X(removeLeftSegments) X(endWithParent)
// clang-format on

namespace vitral::exported {

#define VITRAL_DECLARE(name) JsValue name(Arguments&);
VITRAL_OPS(VITRAL_DECLARE)
VITRAL_NODE_EXPORTS(VITRAL_DECLARE)
#undef VITRAL_DECLARE

}  // namespace vitral::exported
