// A pre-norm encoder layer as one kernel, the kernels of its ops one after the other; and its gradient.
// B images of N tokens are M = B·N rows; C hidden size, I intermediate size of the MLP.
#pragma once

#include "dispatch.h"
#include "qkv.h"

namespace vitral {

struct EncoderLayerShape {
  int64_t batch, tokens, hiddenSize, numHeads, intermediateSize;
  double scale, eps;  // of the attention scores, and of both norms

  int64_t rows() const { return batch * tokens; }
  int64_t headSize() const { return hiddenSize / numHeads; }
};

// The sixteen parameters of a layer, as `const float`, or their gradients. In JavaScript they come in this order:
// layerParameters of src/native/kernels/layer-parameters.ts. Biases may be null; of gradients any may.
template <class Float>
struct EncoderLayerTensors {
  struct Pair {
    Float *weight, *bias;
  };
  Pair normBefore;
  QkvTensors<Float> qkv;
  Pair projection, normAfter, up, down;
};
using EncoderLayerParameters = EncoderLayerTensors<const float>;
using EncoderLayerGradients = EncoderLayerTensors<float>;

// Four of its weights as packQkv and packLinear wrote them, each read in place of its parameter unless it is null.
struct PackedEncoderLayer {
  const float *qkv = nullptr, *projection = nullptr, *up = nullptr, *down = nullptr;
};

// What is dropped while the layer trains.
struct EncoderLayerDrops {
  double attentionProbability = 0;  // of the attention probabilities, with its seed
  uint32_t attentionSeed = 0;
  Drops afterAttention, afterMlp;  // of each branch, before the residual is added
};

// Floats of the activations that the forward pass saves for the backward pass: mean and deviation of both norms, q, k
// and v, attention's output and log-sum-exp, the residual stream between attention and MLP, and the MLP's hidden state.
// The norms' outputs are computed again.
int64_t encoderLayerSavedFloats(const EncoderLayerShape& shape, Precision precision);
// Workspace sizes in floats; a workspace's contents are undefined afterwards.
int64_t encoderLayerForwardFloats(const EncoderLayerShape& shape);
int64_t encoderLayerBackwardFloats(const EncoderLayerShape& shape);

// x [B, N, C] → y [B, N, C], saving the activations.
void encoderLayerForward(const EncoderLayerShape& shape, const EncoderLayerDrops& drops,
                         const EncoderLayerParameters& parameters, Precision precision, const float* x, float* saved,
                         float* workspace, float* y);
// dy → dx, which may be null, and the gradients of the parameters.
void encoderLayerBackward(const EncoderLayerShape& shape, const EncoderLayerDrops& drops,
                          const EncoderLayerParameters& parameters, Precision precision, const float* dy,
                          const float* x, const float* saved, float* workspace, float* dx,
                          const EncoderLayerGradients& gradients);

}  // namespace vitral
