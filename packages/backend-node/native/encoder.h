// Pre-norm encoder layers where no gradient is wanted: the kernels of their ops, one after the other.
#pragma once

#include "kernels.h"

namespace vitral {

struct EncoderShape {
  int64_t batch, tokens, hiddenSize, numHeads, intermediateSize;
  double scale, eps;  // of the attention scores, and of all norms
  bool classTokenOnly;  // of the last layer: of the other tokens nothing comes out
  int64_t outputTokens() const { return classTokenOnly ? 1 : tokens; }
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
  PackedLinear qkv;  // query, key and value as one layer of 3·C outputs; of a layer for the class token only not read
  ClassAttentionWeights classAttention;  // of such a layer
  PackedLinear projection;
  NormWeights normAfter;
  PackedLinear up, down;
};

// Floats of memory between the ops: the hidden states of layers but the last, and what ops leave for the next.
int64_t encoderFloats(const EncoderShape& shape);

// x [B, N, C] through `count` layers → y [B, outputTokens, C]. `between` is lost.
void encoder(const EncoderShape& shape, const EncoderLayerWeights* layers, int64_t count, Precision precision, const float* x,
             float* between, float* y);

}  // namespace vitral
