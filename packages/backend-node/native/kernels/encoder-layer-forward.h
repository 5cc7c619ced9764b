// The forward pass of a pre-norm encoder layer, for training and for inference:
//   h = x + projection(attention(qkv(norm(x))))
//   y = h + down(gelu(up(norm(h))))
#pragma once

#include "encoder-layer.h"

namespace vitral {

struct NormStatistics {
  float *mean = nullptr, *rstd = nullptr;
};

// Where a layer's activations lie. Number is float, or uint16_t for bf16, of what products alone read. Where nothing is
// saved for a backward pass, the statistics are null and places may coincide: `normed` with `attended`, `qkv` with
// `hidden`.
template <class Number>
struct EncoderLayerActivations {
  NormStatistics before, after;
  float* logSumExp = nullptr;  // [B, H, N]
  float* joined;               // [M, C]: the residual stream between attention and MLP
  Number *normed, *attended;   // [M, C]
  Number* qkv;                 // [M, 3·C]
  Number* hidden;              // [M, I]
};

template <class Number>
class EncoderLayerForward {
 public:
  EncoderLayerForward(const EncoderLayerShape& shape, const EncoderLayerDrops& drops,
                      const EncoderLayerParameters& parameters, const PackedEncoderLayer& packed, Precision precision,
                      const EncoderLayerActivations<Number>& activations)
      : shape(shape), drops(drops), parameters(parameters), packed(packed), precision(precision), at(activations) {}

  // y may be x.
  void allTokens(const float* x, float* y) const {
    const int64_t M = shape.rows();
    norm(M, parameters.normBefore, x, at.before, at.normed);
    qkvForward(M, C, at.normed, parameters.qkv, packed.qkv, precision, at.qkv);
    kernel.attentionForward({.B = shape.batch,
                             .N = shape.tokens,
                             .H = shape.numHeads,
                             .D = shape.headSize(),
                             .scale = (float)shape.scale,
                             .dropoutProbability = drops.attentionProbability,
                             .seed = drops.attentionSeed,
                             .precision = precision == Precision::int8 ? Precision::float32 : precision},
                            at.qkv, at.attended, at.logSumExp);
    projectionAndMlp(M, at.attended, x, y);
  }

  // The class token's output alone, y [B, C], from all tokens of x. Its attention is float32 in any precision and lies
  // where `normed` and `qkv` do, each as large as float32 needs. y may not be x.
  void classToken(const float* x, float* y) const {
    const auto& [weight, bias] = parameters.qkv;
    float *normed = (float*)at.normed, *workspace = (float*)at.qkv;
    norm(shape.rows(), parameters.normBefore, x, {}, normed);
    kernel.classAttentionForward({shape.batch, shape.tokens, shape.numHeads, shape.headSize()}, normed,
                                 {weight[0], weight[1], weight[2], bias[0], bias[2]}, (float)shape.scale, workspace,
                                 normed);
    kernel.selectTokenForward(shape.batch, shape.tokens, C, 0, x, y);
    projectionAndMlp(shape.batch, normed, y, y);
  }

 private:
  using Pair = EncoderLayerParameters::Pair;

  // What follows attention, for some rows.
  void projectionAndMlp(int64_t rows, FloatOrBf16 attended, const float* residual, float* y) const {
    const int64_t I = shape.intermediateSize;
    linear(
        {.M = rows, .K = C, .N = C, .x = attended, .drops = drops.afterAttention, .residual = residual, .y = at.joined},
        parameters.projection, packed.projection);
    norm(rows, parameters.normAfter, at.joined, at.after, at.normed);
    linear({.M = rows, .K = C, .N = I, .x = at.normed, .y = at.hidden}, parameters.up, packed.up);
    linear({.M = rows,
            .K = I,
            .N = C,
            .x = at.hidden,
            .gelu = true,
            .drops = drops.afterMlp,
            .residual = at.joined,
            .y = y},
           parameters.down, packed.down);
  }

  void norm(int64_t rows, const Pair& parameters, const float* x, const NormStatistics& statistics,
            FloatOrBf16Out y) const {
    kernel.layerNormForward({.M = rows,
                             .C = C,
                             .x = x,
                             .weight = parameters.weight,
                             .bias = parameters.bias,
                             .eps = shape.eps,
                             .y = y,
                             .mean = statistics.mean,
                             .rstd = statistics.rstd});
  }

  void linear(LinearForwardArguments call, const Pair& parameters, const float* packedWeight) const {
    call.weight = parameters.weight;
    call.packed = packedWeight;
    call.bias = parameters.bias;
    call.precision = precision;
    kernel.linearForward(call);
  }

  const EncoderLayerShape& shape;
  const EncoderLayerDrops& drops;
  const EncoderLayerParameters& parameters;
  const PackedEncoderLayer packed;
  const Precision precision;
  const EncoderLayerActivations<Number>& at;
  const Kernels& kernel = kernels();
  const int64_t C = shape.hiddenSize;
};

}  // namespace vitral
