// A pre-norm encoder layer that trains, and its gradient: the kernels of its ops, one after the other.
#pragma once

#include "kernels.h"

namespace vitral {

struct EncoderLayerShape {
  int64_t batch, tokens, hiddenSize, numHeads, intermediateSize;
  double scale, eps;  // of the attention scores, and of both norms
  double attentionDropout;
  uint32_t attentionSeed;
  Drops afterAttention, afterNetwork;  // before the residual is added

  int64_t rows() const { return batch * tokens; }
  int64_t headSize() const { return hiddenSize / numHeads; }
};

// The layer's parameters as `const float`, or where their gradients go. Of weights biases may be null, of gradients any.
template <class Float>
struct EncoderLayerTensors {
  struct Pair {
    Float *weight, *bias;
  };
  Pair normBefore;
  Float *qkvWeights[3], *qkvBiases[3];
  Pair projection, normAfter, up, down;
};
using EncoderLayerParameters = EncoderLayerTensors<const float>;
using EncoderLayerGradients = EncoderLayerTensors<float>;

// Floats of what the forward pass leaves for the backward pass: of both norms mean and deviation, q, k and v, what attention
// gives, its log-sum-exp, the hidden states between attention and network and in the network. Norms are computed again.
int64_t encoderLayerKeptFloats(const EncoderLayerShape& shape, Precision precision);
// Floats of memory that a forward, or a backward pass loses.
int64_t encoderLayerForwardFloats(const EncoderLayerShape& shape);
int64_t encoderLayerBackwardFloats(const EncoderLayerShape& shape);

// x [B, N, C] → y [B, N, C].
void encoderLayerForward(const EncoderLayerShape& shape, const EncoderLayerParameters& parameters, Precision precision,
                         const float* x, float* kept, float* between, float* y);
// dy → dx, which may be null, and the gradients of the parameters.
void encoderLayerBackward(const EncoderLayerShape& shape, const EncoderLayerParameters& parameters, Precision precision,
                          const float* dy, const float* x, const float* kept, float* between, float* dx,
                          const EncoderLayerGradients& gradients);

}  // namespace vitral
