#include "encoder-layer.h"

#include <algorithm>

#include "../runtime/arena.h"
#include "encoder-layer-forward.h"

namespace vitral {
namespace {

// The activations that are saved, as the forward pass writes them and the backward pass reads them.
template <class Number>
EncoderLayerActivations<Number> savedActivations(const EncoderLayerShape& shape, Arena& arena) {
  const int64_t M = shape.rows(), C = shape.hiddenSize;
  EncoderLayerActivations<Number> saved;
  for (NormStatistics* norm : {&saved.before, &saved.after})
    norm->mean = arena.take<float>(M), norm->rstd = arena.take<float>(M);
  saved.logSumExp = arena.take<float>(M * shape.numHeads);
  saved.joined = arena.take<float>(M * C);
  saved.qkv = arena.take<Number>(M * 3 * C);
  saved.attended = arena.take<Number>(M * C);
  saved.hidden = arena.take<Number>(M * shape.intermediateSize);
  return saved;
}

struct BackwardWorkspace {
  float *normed, *narrow, *joined, *wide;  // a norm's output; rows of C; rows of C; rows of 3·C or I
  BackwardWorkspace(const EncoderLayerShape& shape, Arena& arena) {
    const int64_t M = shape.rows(), C = shape.hiddenSize;
    normed = arena.take<float>(M * C);
    narrow = arena.take<float>(M * C);
    joined = arena.take<float>(M * C);
    wide = arena.take<float>(M * std::max(3 * C, shape.intermediateSize));
  }
};

using Weights = EncoderLayerParameters::Pair;
using Gradients = EncoderLayerGradients::Pair;

template <class Number>
class EncoderLayerBackward {
  const EncoderLayerShape& shape;
  const EncoderLayerDrops& drops;
  const EncoderLayerParameters& parameters;
  const Precision precision;
  const float* x;
  const EncoderLayerGradients& gradients;
  const int64_t M = shape.rows(), C = shape.hiddenSize, I = shape.intermediateSize;
  const Kernels& kernel = kernels();
  Arena savedArena, workspaceArena;
  const EncoderLayerActivations<Number> saved;
  const BackwardWorkspace workspace;

  // A norm's output, computed again.
  const Number* norm(const Weights& parameters, const float* x) const {
    Number* normed = (Number*)workspace.normed;
    kernel.layerNormForward(
        {.M = M, .C = C, .x = x, .weight = parameters.weight, .bias = parameters.bias, .eps = shape.eps, .y = normed});
    return normed;
  }

  void normGradient(const Weights& parameters, const float* dy, const float* x, const NormStatistics& statistics,
                    const float* residualGradient, float* dx, const Gradients& gradients) const {
    kernel.layerNormBackward({.M = M,
                              .C = C,
                              .dy = dy,
                              .x = x,
                              .weight = parameters.weight,
                              .mean = statistics.mean,
                              .rstd = statistics.rstd,
                              .residualGradient = residualGradient,
                              .dx = dx,
                              .dWeight = gradients.weight,
                              .dBias = gradients.bias});
  }

  void linearGradient(LinearBackwardArguments call, const Weights& parameters, const Gradients& gradients) const {
    call.M = M;
    call.lddy = call.N;
    call.weight = parameters.weight;
    call.precision = precision;
    call.dWeight = gradients.weight;
    call.dBias = gradients.bias;
    kernel.linearBackward(call);
  }

  // The gradient of a branch: all of dy, or what was not dropped of it.
  const float* branchGradient(const float* dy, const Drops& drops, float* memory) const {
    if (!drops.any()) return dy;
    kernel.dropRows(M, C, dy, drops, memory);
    return memory;
  }

  static bool wants(const Gradients& gradients) { return gradients.weight || gradients.bias; }

 public:
  EncoderLayerBackward(const EncoderLayerShape& shape, const EncoderLayerDrops& drops,
                       const EncoderLayerParameters& parameters, Precision precision, const float* x,
                       const float* savedAt, float* workspaceAt, const EncoderLayerGradients& gradients)
      : shape(shape),
        drops(drops),
        parameters(parameters),
        precision(precision),
        x(x),
        gradients(gradients),
        savedArena((float*)savedAt),
        workspaceArena(workspaceAt),
        saved(savedActivations<Number>(shape, savedArena)),
        workspace(shape, workspaceArena) {}

  // From the output back, as far as a gradient is wanted.
  void run(const float* dy, float* dx) const {
    const auto& [normed, narrow, joined, wide] = workspace;
    const bool wantsQkv = wantsAny(gradients.qkv), wantsNormBefore = dx || wants(gradients.normBefore);
    const bool wantsAttention = wantsNormBefore || wantsQkv,
               wantsJoined = wantsAttention || wants(gradients.projection);
    const bool wantsNormAfter = wantsJoined || wants(gradients.normAfter),
               wantsMlp = wantsNormAfter || wants(gradients.up);
    linearGradient({.K = I,
                    .N = C,
                    .dy = branchGradient(dy, drops.afterMlp, narrow),
                    .x = saved.hidden,
                    .gelu = true,
                    .dx = wantsMlp ? wide : nullptr},
                   parameters.down, gradients.down);
    if (!wantsMlp) return;
    const Number* input = gradients.up.weight ? norm(parameters.normAfter, saved.joined) : (Number*)normed;
    linearGradient({.K = C, .N = I, .dy = wide, .x = input, .dx = wantsNormAfter ? narrow : nullptr}, parameters.up,
                   gradients.up);
    if (!wantsNormAfter) return;
    normGradient(parameters.normAfter, narrow, saved.joined, saved.after, dy, wantsJoined ? joined : nullptr,
                 gradients.normAfter);
    if (!wantsJoined) return;
    linearGradient({.K = C,
                    .N = C,
                    .dy = branchGradient(joined, drops.afterAttention, wide),
                    .x = saved.attended,
                    .dx = wantsAttention ? narrow : nullptr},
                   parameters.projection, gradients.projection);
    if (!wantsAttention) return;
    kernel.attentionBackward({.B = shape.batch,
                              .N = shape.tokens,
                              .H = shape.numHeads,
                              .D = shape.headSize(),
                              .scale = (float)shape.scale,
                              .dropoutProbability = drops.attentionProbability,
                              .seed = drops.attentionSeed,
                              .precision = precision},
                             saved.qkv, saved.attended, narrow, saved.logSumExp, wide);
    if (wantsQkv) input = norm(parameters.normBefore, x);
    qkvBackward(M, C, wide, input, parameters.qkv.weight, precision, wantsNormBefore ? narrow : nullptr, gradients.qkv);
    if (wantsNormBefore) normGradient(parameters.normBefore, narrow, x, saved.before, joined, dx, gradients.normBefore);
  }
};

template <class Number>
int64_t savedFloats(const EncoderLayerShape& shape) {
  Arena arena(nullptr);
  savedActivations<Number>(shape, arena);
  return arena.floats();
}

template <class Number>
void forward(const EncoderLayerShape& shape, const EncoderLayerDrops& drops, const EncoderLayerParameters& parameters,
             Precision precision, const float* x, float* saved, float* workspace, float* y) {
  Arena arena(saved);
  auto activations = savedActivations<Number>(shape, arena);
  activations.normed = (Number*)workspace;
  EncoderLayerForward<Number>(shape, drops, parameters, {}, precision, activations).allTokens(x, y);
}

}  // namespace

int64_t encoderLayerSavedFloats(const EncoderLayerShape& shape, Precision precision) {
  return precision == Precision::bfloat16 ? savedFloats<uint16_t>(shape) : savedFloats<float>(shape);
}
int64_t encoderLayerForwardFloats(const EncoderLayerShape& shape) { return shape.rows() * shape.hiddenSize; }
int64_t encoderLayerBackwardFloats(const EncoderLayerShape& shape) { return floatsOf<BackwardWorkspace>(shape); }

void encoderLayerForward(const EncoderLayerShape& shape, const EncoderLayerDrops& drops,
                         const EncoderLayerParameters& parameters, Precision precision, const float* x, float* saved,
                         float* workspace, float* y) {
  const auto run = precision == Precision::bfloat16 ? forward<uint16_t> : forward<float>;
  run(shape, drops, parameters, precision, x, saved, workspace, y);
}

void encoderLayerBackward(const EncoderLayerShape& shape, const EncoderLayerDrops& drops,
                          const EncoderLayerParameters& parameters, Precision precision, const float* dy,
                          const float* x, const float* saved, float* workspace, float* dx,
                          const EncoderLayerGradients& gradients) {
  const auto run = [&](auto backward) { backward.run(dy, dx); };
  if (precision == Precision::bfloat16)
    run(EncoderLayerBackward<uint16_t>(shape, drops, parameters, precision, x, saved, workspace, gradients));
  else run(EncoderLayerBackward<float>(shape, drops, parameters, precision, x, saved, workspace, gradients));
}

}  // namespace vitral
