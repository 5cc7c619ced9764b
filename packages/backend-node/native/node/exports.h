// What JavaScript can call: each function takes its arguments in the order of the kernel it calls, and returns undefined
// unless it says otherwise. Outputs are arguments, allocated by the caller.
#pragma once

#include "arguments.h"

namespace vitral::exported {

napi_value allocate(Arguments&);        // bytes → ArrayBuffer of at least that, 64-byte aligned, contents undefined
napi_value discard(Arguments&);         // ArrayBuffer: gives its pages back to the system, and its contents up
napi_value threads(Arguments&);         // → number
napi_value setThreads(Arguments&);      // number
napi_value instructionSet(Arguments&);  // → 'amx', 'avx512bf16', 'avx512', 'avx2' or 'portable'
napi_value multiplyAdd(Arguments&);     // operations, threads → ms that so many take from registers

napi_value patchEmbed(Arguments&), patchEmbedGrad(Arguments&);
napi_value embedTokens(Arguments&), embedTokensGrad(Arguments&);
napi_value maskTokens(Arguments&), maskTokensGrad(Arguments&);
napi_value selectToken(Arguments&), selectTokenGrad(Arguments&);
napi_value interpolatePositions(Arguments&), interpolatePositionsGrad(Arguments&);
napi_value layerNorm(Arguments&), layerNormGrad(Arguments&);
napi_value packedLinearFloats(Arguments&), packLinear(Arguments&);  // the first → number
napi_value linear(Arguments&), linearGrad(Arguments&);
napi_value packQkv(Arguments&), qkv(Arguments&), qkvGrad(Arguments&);
napi_value attention(Arguments&), attentionGrad(Arguments&);
napi_value classAttentionFloats(Arguments&);  // → number
napi_value classAttention(Arguments&), classAttentionGrad(Arguments&);
napi_value encoderFloats(Arguments&), encoder(Arguments&);  // the first → number
napi_value encoderLayerFloats(Arguments&);  // → three numbers
napi_value encoderLayer(Arguments&), encoderLayerGrad(Arguments&);
napi_value gelu(Arguments&), geluGrad(Arguments&);
napi_value dropRows(Arguments&);  // its own gradient
napi_value crossEntropy(Arguments&);  // → the loss
napi_value crossEntropyGrad(Arguments&);
napi_value gradNorm(Arguments&);  // → the norm
napi_value unscale(Arguments&);   // → whether all were finite
napi_value adamStep(Arguments&), sgdStep(Arguments&), lionStep(Arguments&);
napi_value add(Arguments&), subtract(Arguments&), multiply(Arguments&), softmax(Arguments&), matMul(Arguments&);

// Of images: bytes row by row, the channels of a pixel together.
napi_value resizeImage(Arguments&), flipRows(Arguments&);
napi_value projectNearest(Arguments&), projectNearestInFloat(Arguments&), projectBilinear(Arguments&);
napi_value blendWithGrey(Arguments&), blendWithLuma(Arguments&), turnHue(Arguments&), luma(Arguments&);
napi_value lumaSum(Arguments&);  // → the sum
napi_value lookUpPlanes(Arguments&);
napi_value hasJpegDecoder(Arguments&);  // → whether the system has one
napi_value decodeJpeg(Arguments&);      // → whether it could

// Of several processes. What is begun in a group runs after what was begun before it, and settles a promise.
napi_value connectLocal(Arguments&);      // → the group, which connects as the first thing it does
napi_value connectMpi(Arguments&);        // → the same
napi_value connectNcclLocally(Arguments&);  // → the same
napi_value connectNcclByMpi(Arguments&);    // → the same
napi_value connected(Arguments&);         // group → promise
napi_value allReduce(Arguments&), broadcast(Arguments&), barrier(Arguments&);  // group, … → promise
napi_value allGather(Arguments&);         // group, … → promise of Uint8Array[]
napi_value interruptCollectives(Arguments&);  // group: what waits has failed after it
napi_value closeCollectives(Arguments&);  // group, reason → promise
napi_value removeLeftSegments(Arguments&);  // prefix of their names
napi_value endWithParent(Arguments&);  // seconds → whether it will

}  // namespace vitral::exported
