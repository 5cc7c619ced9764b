#include "patch-embed.h"

#include "../runtime/lanes.h"
#include "../runtime/threads.h"
#include "column-sums.h"

namespace vitral::VITRAL_ISA {

namespace {

// Images are gathered a few at a time, so that the patches stay in the outer cache and scratch memory is bounded.
constexpr int64_t chunkFloats = 1 << 20;

int64_t imagesPerChunk(const PatchShape& s) {
  const int64_t fitting = chunkFloats / (s.tokens() * s.patchFloats());
  return fitting < 1 ? 1 : (fitting < s.B ? fitting : s.B);
}

// Calls visit(pixel offset, patch offset) for each run of Q pixels of one image; patches are [N, c·P·Q].
template <class Visit>
void eachRun(const PatchShape& s, Visit visit) {
  const int64_t columns = s.width / s.Q;
  for (int64_t token = 0; token < s.tokens(); token++) {
    const int64_t top = token / columns * s.P, left = token % columns * s.Q;
    for (int64_t channel = 0; channel < s.channels; channel++)
      for (int64_t y = 0; y < s.P; y++)
        visit((channel * s.height + top + y) * s.width + left, token * s.patchFloats() + (channel * s.P + y) * s.Q);
  }
}

void gather(const PatchShape& s, int64_t images, const float* pixels, float* patches) {
  parallelFor(0, images, 1, [&](int64_t from, int64_t to) {
    for (int64_t image = from; image < to; image++) {
      const float* in = pixels + image * s.channels * s.height * s.width;
      float* out = patches + image * s.tokens() * s.patchFloats();
      eachRun(s, [&](int64_t pixel, int64_t patch) { std::memcpy(out + patch, in + pixel, s.Q * sizeof(float)); });
    }
  });
}

void scatter(const PatchShape& s, int64_t images, const float* patches, float* pixels) {
  parallelFor(0, images, 1, [&](int64_t from, int64_t to) {
    for (int64_t image = from; image < to; image++) {
      const float* in = patches + image * s.tokens() * s.patchFloats();
      float* out = pixels + image * s.channels * s.height * s.width;
      eachRun(s, [&](int64_t pixel, int64_t patch) { std::memcpy(out + pixel, in + patch, s.Q * sizeof(float)); });
    }
  });
}

}  // namespace

void patchEmbedForward(const PatchShape& s, const float* pixels, const float* weight, const float* bias,
                       Precision precision, float* tokens) {
  const int64_t chunk = imagesPerChunk(s), N = s.tokens(), K = s.patchFloats(), image = s.channels * s.height * s.width;
  float* patches = scratch(Scratch::kernel, chunk * N * K);
  GemmEpilogue epilogue;
  epilogue.bias = bias;
  for (int64_t first = 0; first < s.B; first += chunk) {
    const int64_t count = s.B - first < chunk ? s.B - first : chunk;
    gather(s, count, pixels + first * image, patches);
    gemm(count * N, s.C, K, {patches, K, 1}, {weight, 1, K}, tokens + first * N * s.C, s.C, epilogue, precision);
  }
}

void patchEmbedBackward(const PatchShape& s, const float* dy, const float* pixels, const float* weight,
                        Precision precision, float* dPixels, float* dWeight, float* dBias) {
  const int64_t chunk = imagesPerChunk(s), N = s.tokens(), K = s.patchFloats(), image = s.channels * s.height * s.width;
  float* patches = scratch(Scratch::kernel, chunk * N * K);
  if (dWeight && s.B == 0) std::memset(dWeight, 0, s.C * K * sizeof(float));
  for (int64_t first = 0; first < s.B; first += chunk) {
    const int64_t count = s.B - first < chunk ? s.B - first : chunk;
    const float* up = dy + first * N * s.C;
    if (dWeight) {
      gather(s, count, pixels + first * image, patches);
      GemmEpilogue epilogue;
      epilogue.accumulate = first > 0;
      gemm(s.C, K, count * N, {up, 1, s.C}, {patches, K, 1}, dWeight, K, epilogue, precision);
    }
    if (dPixels) {
      gemm(count * N, K, s.C, {up, s.C, 1}, {weight, K, 1}, patches, K, {}, precision);
      scatter(s, count, patches, dPixels + first * image);
    }
  }
  if (dBias)
    columnSums(s.B * N, s.C, dBias, [&](int64_t row, int64_t c, int64_t n) { return loadSome(dy + row * s.C + c, n); });
}

}  // namespace vitral::VITRAL_ISA
