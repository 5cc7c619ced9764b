#include "encoder.h"

#include <algorithm>

#include "../runtime/arena.h"
#include "encoder-layer-forward.h"

namespace vitral {

namespace {

// The hidden states between layers, and activations of which nothing is saved: those of C values a row share one place,
// and so do the wider ones, since attention has used up q, k and v when the MLP begins. Each place is as large as
// float32 needs, which the class token's attention computes in.
template <class Number>
struct Workspace {
  float* hidden;
  EncoderLayerActivations<Number> activations;
  Workspace(const EncoderShape& shape, Arena& arena) {
    const int64_t M = shape.rows(), C = shape.hiddenSize;
    const ClassAttentionShape classAttention = {shape.batch, shape.tokens, shape.numHeads, shape.headSize()};
    hidden = arena.take<float>(M * C);
    activations.joined = arena.take<float>(M * C);
    activations.normed = activations.attended = (Number*)arena.take<float>(M * C);
    activations.qkv = activations.hidden =
        (Number*)arena.take<float>(std::max({M * 3 * C, M * shape.intermediateSize, classAttention.workspaceFloats()}));
  }
};

template <class Number>
void run(const EncoderShape& shape, const EncoderLayerWeights* layers, int64_t count, Precision precision,
         const float* x, float* memory, float* y) {
  Arena arena(memory);
  const Workspace<Number> workspace(shape, arena);
  const EncoderLayerDrops none;
  for (int64_t i = 0; i < count; i++) {
    const auto& [parameters, packed] = layers[i];
    const EncoderLayerForward<Number> layer(shape, none, parameters, packed, precision, workspace.activations);
    const bool isLast = i + 1 == count;
    float* to = isLast ? y : workspace.hidden;
    isLast&& shape.classTokenOnly ? layer.classToken(x, to) : layer.allTokens(x, to);
    x = to;
  }
}

}  // namespace

int64_t encoderFloats(const EncoderShape& shape) { return floatsOf<Workspace<float>>(shape); }

void encoder(const EncoderShape& shape, const EncoderLayerWeights* layers, int64_t count, Precision precision,
             const float* x, float* workspace, float* y) {
  (precision == Precision::bfloat16 ? run<uint16_t> : run<float>)(shape, layers, count, precision, x, workspace, y);
}

}  // namespace vitral
