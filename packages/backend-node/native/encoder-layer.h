// A pre-norm encoder layer where no gradient is wanted: the kernels of its ops, one after the other.
#pragma once

#include "kernels.h"

namespace vitral {

struct EncoderLayerShape {
  int64_t batch, tokens, hiddenSize, numHeads, intermediateSize;
  double scale, eps;  // of the attention scores, and of both norms
  int64_t outputTokens;  // the first of the tokens: what is computed beyond keys and values
};

struct NormWeights {
  const float *weight, *bias;
};

// A linear layer's weight as packLinear wrote it; the bias may be null.
struct PackedLinear {
  const float *weight, *bias;
};

struct EncoderLayerWeights {
  NormWeights normBefore;
  PackedLinear qkv;  // query, key and value as one layer of 3·C outputs
  PackedLinear projection;
  NormWeights normAfter;
  PackedLinear up, down;
};

// Floats of memory between the ops: x's norm, what attention reads and what the feed-forward network reads.
int64_t encoderLayerFloats(const EncoderLayerShape& shape);

// x [B, N, C] → y [B, outputTokens, C], which may be x. `between` is lost.
void encoderLayer(const EncoderLayerShape& shape, const EncoderLayerWeights& weights, Precision precision, const float* x,
                  float* between, float* y);

}  // namespace vitral
