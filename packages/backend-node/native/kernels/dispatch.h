// The kernels as one table per instruction set, chosen once when the process starts to compute.
#pragma once

#include "../gemm/gemm.h"
#if !defined(__wasm__)
#include "../images/apply-lut.h"
#include "../images/color.h"
#include "../images/flip.h"
#include "../images/project.h"
#include "../images/resize.h"
#endif
#include "attention.h"
#include "class-attention.h"
#include "cross-entropy.h"
#include "dropout.h"
#include "embed-tokens.h"
#include "gelu.h"
#include "grad-norm.h"
#include "interpolate-positions.h"
#include "layer-norm.h"
#include "linear.h"
#include "mask-tokens.h"
#include "optimizer-step.h"
#include "patch-embed.h"
#include "peak.h"
#include "select-token.h"
#include "stock.h"
#include "unscale.h"

namespace vitral {

struct Kernels {
  const char* isa;
  Gemm* gemm;
  PackedWeightFloats* packedWeightFloats;
  PackWeight* packWeight;
  GemmPacked* gemmPacked;
  AttentionForward* attentionForward;
  AttentionBackward* attentionBackward;
  ClassAttentionForward* classAttentionForward;
  ClassAttentionBackward* classAttentionBackward;
  PatchEmbedForward* patchEmbedForward;
  PatchEmbedBackward* patchEmbedBackward;
  EmbedTokensForward* embedTokensForward;
  EmbedTokensBackward* embedTokensBackward;
  MaskTokensForward* maskTokensForward;
  MaskTokensBackward* maskTokensBackward;
  SelectTokenForward* selectTokenForward;
  SelectTokenBackward* selectTokenBackward;
  InterpolatePositionsForward* interpolatePositionsForward;
  InterpolatePositionsBackward* interpolatePositionsBackward;
  LayerNormForward* layerNormForward;
  LayerNormBackward* layerNormBackward;
  LinearForward* linearForward;
  LinearBackward* linearBackward;
  PackedLinearFloats* packedLinearFloats;
  PackLinear* packLinear;
  GeluForward* geluForward;
  GeluBackward* geluBackward;
  DropRows* dropRows;
  BinaryOperation *add, *subtract, *multiply;
  SoftmaxRows* softmaxRows;
  CrossEntropyForward* crossEntropyForward;
  CrossEntropyBackward* crossEntropyBackward;
  SumOfSquares* sumOfSquares;
  UnscaleGradient* unscaleGradient;
  AdamStep* adamStep;
  SgdStep* sgdStep;
  LionStep* lionStep;
  SpinFma* spinFma;
#if !defined(__wasm__)  // where TypeScript has images
  ResizeImage* resizeImage;
  FlipRows* flipRows;
  ProjectImage *projectNearest, *projectNearestInFloat, *projectBilinear;
  BlendWithGrey* blendWithGrey;
  BlendWithLuma* blendWithLuma;
  Luma* luma;
  LumaSum* lumaSum;
  AdjustHue* adjustHue;
  ApplyLut* applyLut;
#endif
};

// The widest instruction set this CPU has, or the one the environment variable VITRAL_ISA names
// (portable, avx2, avx512, avx512bf16, amx; ignored when the CPU lacks it or the name is unknown).
const Kernels& kernels();

// The table of a named instruction set, or null when this build or CPU lacks it.
const Kernels* kernelsOf(const char* isa);

}  // namespace vitral
