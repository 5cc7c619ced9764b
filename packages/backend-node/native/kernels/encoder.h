// All pre-norm encoder layers as one kernel, where no gradient is wanted.
#pragma once

#include "encoder-layer.h"

namespace vitral {

struct EncoderShape : EncoderLayerShape {
  bool classTokenOnly;  // the last layer gives the class token alone
  int64_t outputTokens() const { return classTokenOnly ? 1 : tokens; }
};

// A layer for the class token alone reads the weights of query, key and value; any other reads what is packed where it
// is.
struct EncoderLayerWeights {
  EncoderLayerParameters parameters;
  PackedEncoderLayer packed;
};

// Workspace size in floats: the hidden states of all layers but the last, and what ops leave for the next.
int64_t encoderFloats(const EncoderShape& shape);

// x [B, N, C] through `count` layers → y [B, outputTokens, C].
void encoder(const EncoderShape& shape, const EncoderLayerWeights* layers, int64_t count, Precision precision,
             const float* x, float* workspace, float* y);

}  // namespace vitral
