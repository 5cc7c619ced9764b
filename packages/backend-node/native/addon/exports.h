// What JavaScript can call. Each function takes its arguments in the order of the kernel it calls, and returns undefined
// unless it says otherwise. Outputs are arguments, allocated by the caller.
#pragma once

#include "arguments.h"

// X(name) for each of them: declared here, and made a property of the addon in addon.cpp.
#define VITRAL_EXPORTS(X) \
  X(allocate)  /* bytes → ArrayBuffer of at least that, 64-byte aligned, contents undefined */ \
  X(discard)  /* ArrayBuffer: gives its pages back to the system, and its contents up */ \
  X(threads)  /* → number */ \
  X(setThreads)  /* number */ \
  X(instructionSet)  /* → 'amx', 'avx512bf16', 'avx512', 'avx2' or 'portable' */ \
  X(multiplyAdd)  /* operations, threads → ms that so many take from registers */ \
  X(patchEmbed) X(patchEmbedGrad) \
  X(embedTokens) X(embedTokensGrad) \
  X(maskTokens) X(maskTokensGrad) \
  X(selectToken) X(selectTokenGrad) \
  X(interpolatePositions) X(interpolatePositionsGrad) \
  X(layerNorm) X(layerNormGrad) \
  X(packedLinearFloats) X(packLinear)  /* the first → number */ \
  X(linear) X(linearGrad) \
  X(packQkv) X(qkv) X(qkvGrad) \
  X(attention) X(attentionGrad) \
  X(classAttentionFloats)  /* → number */ \
  X(classAttention) X(classAttentionGrad) \
  X(encoderFloats) X(encoder)  /* the first → number */ \
  X(encoderLayerFloats)  /* → three numbers */ \
  X(encoderLayer) X(encoderLayerGrad) \
  X(gelu) X(geluGrad) \
  X(dropRows)  /* its own gradient */ \
  X(crossEntropy)  /* → the loss */ \
  X(crossEntropyGrad) \
  X(gradNorm)  /* → the norm */ \
  X(unscale)  /* → whether all were finite */ \
  X(adamStep) X(sgdStep) X(lionStep) \
  X(add) X(subtract) X(multiply) X(softmax) X(matMul) \
  /* Of images: bytes row by row, the channels of a pixel together. */ \
  X(resizeImage) X(flipRows) \
  X(projectNearest) X(projectNearestInFloat) X(projectBilinear) \
  X(blendWithGrey) X(blendWithLuma) X(adjustHue) X(luma) \
  X(lumaSum)  /* → the sum */ \
  X(applyLut) \
  X(hasJpegDecoder)  /* → whether the system has one */ \
  X(decodeJpeg)  /* → whether it could */ \
  /* Of several processes. What is begun in a group runs after what was begun before it, and settles a promise. */ \
  X(connectLocal)  /* → the group, which connects as the first thing it does */ \
  X(connectMpi)  /* → the same */ \
  X(connectNcclLocally)  /* → the same */ \
  X(connectNcclByMpi)  /* → the same */ \
  X(connected)  /* group → promise */ \
  X(allReduce) X(broadcast) X(barrier)  /* group, … → promise */ \
  X(allGather)  /* group, … → promise of Uint8Array[] */ \
  X(interruptCollectives)  /* group: what waits has failed after it */ \
  X(closeCollectives)  /* group, reason → promise */ \
  X(removeLeftSegments)  /* prefix of their names */ \
  X(endWithParent)  /* seconds → whether it will */

namespace vitral::exported {

#define VITRAL_DECLARE(name) napi_value name(Arguments&);
VITRAL_EXPORTS(VITRAL_DECLARE)
#undef VITRAL_DECLARE

}  // namespace vitral::exported
