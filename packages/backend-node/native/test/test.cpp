// Checks the performance core against plain loops in double, for every instruction set of this machine.
//
//   test        prints one line for each check that fails, and a summary; exit status 1 when any failed
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "../kernels/dispatch.h"
#include "../runtime/threads.h"

namespace vitral {
#define VITRAL_PROBE(isa)                                                     \
  namespace isa {                                                             \
  void applyExp(int64_t count, const float* x, float* y);                     \
  void applyGelu(int64_t count, const float* x, float* y, float* slope);      \
  void applyKeep(double probability, uint32_t seed, int64_t count, float* y); \
  float reductionError();                                                     \
  }
VITRAL_PROBE(portable)
#if defined(__x86_64__)
VITRAL_PROBE(avx2)
VITRAL_PROBE(avx512)
VITRAL_PROBE(avx512bf16)
VITRAL_PROBE(amx)
#endif
}  // namespace vitral

using namespace vitral;

struct Probe {
  void (*exp)(int64_t, const float*, float*);
  void (*gelu)(int64_t, const float*, float*, float*);
  void (*keep)(double, uint32_t, int64_t, float*);
  float (*reductionError)();
};

static Probe probeOf([[maybe_unused]] const std::string& isa) {
#if defined(__x86_64__)
  if (isa == "avx2") return {avx2::applyExp, avx2::applyGelu, avx2::applyKeep, avx2::reductionError};
  if (isa == "avx512bf16")
    return {avx512bf16::applyExp, avx512bf16::applyGelu, avx512bf16::applyKeep, avx512bf16::reductionError};
  if (isa == "amx") return {amx::applyExp, amx::applyGelu, amx::applyKeep, amx::reductionError};
  if (isa == "avx512") return {avx512::applyExp, avx512::applyGelu, avx512::applyKeep, avx512::reductionError};
#endif
  return {portable::applyExp, portable::applyGelu, portable::applyKeep, portable::reductionError};
}

static int checks = 0, failures = 0;

static void check(bool passed, const std::string& what) {
  checks++;
  if (passed) return;
  failures++;
  std::printf("FAILED %s\n", what.c_str());
}

static uint32_t state = 1;
static float uniform() { return (float)((state = state * 1664525u + 1013904223u) >> 8) / 8388608.0f - 1.0f; }
static std::vector<float> noise(int64_t floats, float size = 1) {
  std::vector<float> values(floats);
  for (float& value : values) value = size * uniform();
  return values;
}

// Every element within `tolerance` of the expected one, relative to the larger of `scale` and its size.
static void checkClose(const std::vector<float>& given, const std::vector<double>& expected, double tolerance,
                       double scale, const std::string& what) {
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    const double error = std::fabs(given[i] - expected[i]) / std::fmax(scale, std::fabs(expected[i]));
    if (!(error <= worst)) worst = error, at = i;
  }
  char text[200];
  std::snprintf(text, sizeof text, "%s: element %zu is %.9g, expected %.9g (error %.2g, allowed %.2g)", what.c_str(),
                at, given.empty() ? 0.0 : given[at], expected.empty() ? 0.0 : expected[at], worst, tolerance);
  check(worst <= tolerance, text);
}

static double geluOf(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
static double geluGradientOf(double x) {
  return 0.5 * (1 + std::erf(x / std::sqrt(2.0))) + x * std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI);
}

static void testElementFunctions(const std::string& isa) {
  const Probe probe = probeOf(isa);
  std::vector<float> x, y;
  for (double at = -110; at <= 90; at += 0.00137) x.push_back((float)at);
  for (float special : {-INFINITY, -0.0f, 0.0f, INFINITY, NAN, 88.7f, 88.75f, -87.5f, -103.0f, 1e-30f})
    x.push_back(special);
  y.resize(x.size());
  const auto ulps = [](float given, double expected) {
    if (std::isnan(expected)) return std::isnan(given) ? 0.0 : INFINITY;
    const float rounded = (float)expected;
    if (std::isinf(rounded) || std::isinf(given)) return rounded == given ? 0.0 : INFINITY;
    const double unit = std::fmax((double)std::nextafter(std::fabs(rounded), INFINITY) - std::fabs(rounded), 1.4e-45);
    return std::fabs(given - expected) / unit;
  };
  double worst = 0, where = 0;
  probe.exp((int64_t)x.size(), x.data(), y.data());
  for (size_t i = 0; i < x.size(); i++) {
    const double error = ulps(y[i], x[i] < -87 ? 0.0 : std::exp((double)x[i]));
    if (!(error <= worst)) worst = error, where = x[i];
  }
  check(worst <= 1.0, isa + " exp: " + std::to_string(worst) + " ulp at " + std::to_string(where));
  std::vector<float> slope(x.size());
  probe.gelu((int64_t)x.size(), x.data(), y.data(), slope.data());
  worst = 0;
  for (size_t i = 0; i < x.size(); i++) {
    if (!std::isfinite(x[i])) continue;
    const double size = std::fmax(1, std::fabs(x[i]));
    const double error = std::fmax(std::fabs(y[i] - geluOf(x[i])), std::fabs(slope[i] - geluGradientOf(x[i]))) / size;
    if (!(error <= worst)) worst = error, where = x[i];
  }
  check(worst <= 1.5e-7, isa + " GELU: error " + std::to_string(worst * 1e7) + "e-7 at " + std::to_string(where));
  const float far[] = {-1e30f, -300, NAN, 1e30f};
  float farGelu[4], farSlope[4];
  probe.gelu(4, far, farGelu, farSlope);
  check(farGelu[0] == 0 && farGelu[1] == 0 && std::isnan(farGelu[2]) && farGelu[3] == 1e30f && farSlope[0] == 0 &&
            farSlope[1] == 0 && std::isnan(farSlope[2]) && farSlope[3] == 1,
        isa + " GELU far from zero");
  check(probe.reductionError() == 0, isa + " reductions");

  std::vector<float> keep(1003);
  const auto mix = [](uint32_t value) {
    value ^= value >> 16, value *= 0x7feb352dU, value ^= value >> 15, value *= 0x846ca68bU;
    return value ^ value >> 16;
  };
  for (double probability : {0.0, 0.1, 0.5}) {
    probe.keep(probability, 12345, (int64_t)keep.size(), keep.data());
    bool right = true;
    for (uint32_t i = 0; i < keep.size(); i++) {
      const uint32_t bits = mix(mix(12345u ^ 0x85ebca6bu) + mix(i * 0x9E3779B1u + 0x7f4a7c15u));
      const float expected = bits >= (uint32_t)(probability * 4294967296.0) ? (float)(1 / (1 - probability)) : 0.0f;
      right = right && keep[i] == expected;
    }
    check(right, isa + " keep multipliers at p = " + std::to_string(probability));
  }
}

// The nearest bfloat16, ties to even.
static float nearestBfloat16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t below = bits & 0xffff0000, rest = bits & 0xffff;
  const uint32_t chosen = below + (rest > 0x8000 || (rest == 0x8000 && (bits & 0x10000)) ? 0x10000 : 0);
  std::memcpy(&x, &chosen, 4);
  return x;
}

struct GemmCase {
  int64_t M, N, K;
};

// One product: the left or right operand stored transposed or with gaps, each epilogue, C wider than N.
static void testGemm(const Kernels& kernel, GemmCase shape, int layout, int epilogueKind, bool packed,
                     Precision precision) {
  const auto [M, N, K] = shape;
  const int64_t ldc = N + (layout == 2 ? 5 : 0);
  const MatrixView viewsA[] = {{nullptr, K, 1}, {nullptr, 1, M}, {nullptr, K + 3, 1}, {nullptr, 2 * K, 2}};
  const MatrixView viewsB[] = {{nullptr, N, 1}, {nullptr, 1, K}, {nullptr, 1, K + 1}, {nullptr, 2 * N, 2}};
  MatrixView A = viewsA[layout], B = viewsB[(layout + epilogueKind) % 4];
  const auto a = noise((M - 1) * A.rowStride + (K - 1) * A.colStride + 1);
  const auto b = noise((K - 1) * B.rowStride + (N - 1) * B.colStride + 1);
  A.data = a.data();
  B.data = b.data();
  const auto bias = noise(N), kept = noise((M - 1) * ldc + N, 3);
  std::vector<float> c = noise((M - 1) * ldc + N);
  const std::vector<float> before = c;
  GemmEpilogue epilogue;
  if (epilogueKind & 1) epilogue.bias = bias.data();
  if (epilogueKind == 1) (layout % 2 ? A : B).gelu = true;
  if (epilogueKind == 2) epilogue.geluGradientOf = kept.data();
  if (epilogueKind == 3) epilogue.accumulate = true;
  const auto factor = [&](const MatrixView& view, int64_t i, int64_t j) {
    const float x = view.data[i * view.rowStride + j * view.colStride];
    const double value = view.gelu ? geluOf(x) : x;
    return precision == Precision::bfloat16 ? (double)nearestBfloat16((float)value) : value;
  };
  std::vector<double> expected(c.begin(), c.end());
  for (int64_t i = 0; i < M; i++)
    for (int64_t j = 0; j < N; j++) {
      double sum = epilogue.accumulate ? before[i * ldc + j] : 0;
      for (int64_t k = 0; k < K; k++) sum += factor(A, i, k) * factor(B, k, j);
      if (epilogue.bias) sum += bias[j];
      if (epilogue.geluGradientOf) sum *= geluGradientOf(kept[i * ldc + j]);
      expected[i * ldc + j] = sum;
    }
  if (packed) {
    std::vector<float> weight(kernel.packedWeightFloats(K, N, precision));
    kernel.packWeight(K, N, B, weight.data(), precision);
    kernel.gemmPacked(M, N, K, A, weight.data(), c.data(), ldc, epilogue, precision);
  } else {
    kernel.gemm(M, N, K, A, B, c.data(), ldc, epilogue, precision);
  }
  const std::string what = std::string(kernel.isa) + " gemm " + std::to_string(M) + "x" + std::to_string(N) + "x" +
                           std::to_string(K) + " layout " + std::to_string(layout) + " epilogue " +
                           std::to_string(epilogueKind) + (packed ? " packed" : "") +
                           (precision == Precision::bfloat16 ? " bfloat16" : "");
  const double scale = std::sqrt((double)K);
  // A GELU that falls between two bfloat16 may be rounded the other way by a computation that differs in the last bit.
  const bool ambiguous = precision == Precision::bfloat16 && (A.gelu || B.gelu);
  checkClose(c, expected, ambiguous ? 4e-3 : 1e-6 + 1e-8 * K, scale, what);
}

static std::vector<float> rounded(std::vector<float> numbers) {
  for (float& number : numbers) number = nearestBfloat16(number);
  return numbers;
}
static std::vector<uint16_t> bf16Of(const std::vector<float>& numbers) {
  std::vector<uint16_t> words(numbers.size());
  for (size_t i = 0; i < numbers.size(); i++) std::memcpy(&words[i], (const char*)&numbers[i] + 2, 2);
  return words;
}

// Operands and a result stored as bfloat16 give the bits that the same numbers give as float32.
static void testHalves(const Kernels& kernel, GemmCase shape, bool gelu, Precision precision) {
  const auto [M, N, K] = shape;
  const std::string what = std::string(kernel.isa) + " bf16 " + std::to_string(M) + "x" + std::to_string(N) + "x" +
                           std::to_string(K) + (gelu ? " GELU" : "") +
                           (precision == Precision::bfloat16 ? " bfloat16" : "");
  const int64_t ldc = N + 3;
  const auto left = rounded(noise(M * K)), right = rounded(noise(K * N)), kept = rounded(noise(M * ldc, 3));
  const auto leftHalves = bf16Of(left), rightHalves = bf16Of(right), keptHalves = bf16Of(kept);
  const auto bias = noise(N);
  GemmEpilogue withBias;
  withBias.bias = bias.data();
  const auto product = [&](MatrixView A, MatrixView B, GemmEpilogue epilogue) {
    std::vector<float> c(M * ldc, 0.0f);
    kernel.gemm(M, N, K, A, B, c.data(), ldc, epilogue, precision);
    return c;
  };
  const auto expected = product({left.data(), K, 1, gelu}, {right.data(), N, 1}, withBias);
  check(product({nullptr, K, 1, gelu, leftHalves.data()}, {right.data(), N, 1}, withBias) == expected, what + " left");
  check(product({left.data(), K, 1}, {right.data(), N, 1, gelu}, {}) ==
            product({left.data(), K, 1}, {nullptr, N, 1, gelu, rightHalves.data()}, {}),
        what + " right");
  // Transposed: the left operand lies step by step, the right one column by column.
  check(product({left.data(), 1, M, gelu}, {right.data(), 1, K}, {}) ==
            product({nullptr, 1, M, gelu, leftHalves.data()}, {nullptr, 1, K, false, rightHalves.data()}, {}),
        what + " transposed");
  GemmEpilogue slope, slopeOfHalves;
  slope.geluGradientOf = kept.data();
  slopeOfHalves.geluGradientOfBf16 = keptHalves.data();
  check(product({left.data(), K, 1}, {right.data(), N, 1}, slope) ==
            product({left.data(), K, 1}, {right.data(), N, 1}, slopeOfHalves),
        what + " GELU'");
  std::vector<uint16_t> c(M * ldc, 0), again(M * ldc, 0);
  GemmEpilogue toHalves = withBias;
  toHalves.bf16 = c.data();
  kernel.gemm(M, N, K, {left.data(), K, 1, gelu}, {right.data(), N, 1}, nullptr, ldc, toHalves, precision);
  check(c == bf16Of(rounded(expected)), what + " result");
  std::vector<float> packed(kernel.packedWeightFloats(K, N, precision));
  kernel.packWeight(K, N, {right.data(), N, 1}, packed.data(), precision);
  toHalves.bf16 = again.data();
  kernel.gemmPacked(M, N, K, {left.data(), K, 1, gelu}, packed.data(), nullptr, ldc, toHalves, precision);
  check(c == again, what + " result of a packed weight");
}

// Steps of exactly 1: the product is the sum of the bytes' products, rounded once.
static void testInt8(const Kernels& kernel, GemmCase shape, bool extreme) {
  const auto [M, N, K] = shape;
  std::vector<float> x(M * K), weight(N * K), bias(N), c(M * N, NAN);
  std::vector<float> packed(kernel.packedWeightFloats(K, N, Precision::int8));
  const auto integer = [&](int from, int to) {
    state = state * 1664525u + 1013904223u;
    return (float)(from + (int)(state >> 8) % (to - from + 1));
  };
  for (float& value : x) value = extreme ? 255 : integer(0, 255);
  for (float& value : weight) value = extreme ? 64 : integer(-64, 64);
  for (float& value : bias) value = integer(-9, 9);
  for (int64_t i = 0; i < M; i++) x[i * K] = 0, x[i * K + K - 1] = 255;
  for (int64_t j = 0; j < N; j++) weight[j * K + K - 1] = j % 2 ? 64 : -64;
  GemmEpilogue epilogue;
  epilogue.bias = bias.data();
  kernel.packWeight(K, N, {weight.data(), 1, K}, packed.data(), Precision::int8);
  kernel.gemmPacked(M, N, K, {x.data(), K, 1}, packed.data(), c.data(), N, epilogue, Precision::int8);
  int64_t wrong = 0;
  for (int64_t i = 0; i < M; i++)
    for (int64_t j = 0; j < N; j++) {
      int32_t sum = 0;
      for (int64_t k = 0; k < K; k++) sum += (int32_t)x[i * K + k] * (int32_t)weight[j * K + k];
      wrong += c[i * N + j] != (float)sum + bias[j];
    }
  check(wrong == 0, std::string(kernel.isa) + " int8 " + std::to_string(M) + "x" + std::to_string(N) + "x" +
                        std::to_string(K) + ": " + std::to_string(wrong) + " elements are not those of a plain loop");
}

// The sums of the left operand's rows, taken on the way: right, of every row, with the bits of one thread, and the
// product's own bits as they are without them.
static void testRowSums(const Kernels& kernel, GemmCase shape, Precision precision) {
  const auto [M, N, K] = shape;
  const int64_t ld = M + 3;
  const auto left = noise(K * ld), right = noise(K * N);
  std::vector<double> expected(M);
  for (int64_t k = 0; k < K; k++)
    for (int64_t i = 0; i < M; i++) expected[i] += left[k * ld + i];
  const auto product = [&](float* sums) {
    std::vector<float> c(M * N, NAN);
    kernel.gemm(M, N, K, {left.data(), 1, ld, false, nullptr, sums}, {right.data(), N, 1}, c.data(), N, {}, precision);
    return c;
  };
  const std::string what = std::string(kernel.isa) + " row sums " + std::to_string(M) + "x" + std::to_string(N) + "x" +
                           std::to_string(K) + (precision == Precision::bfloat16 ? " bfloat16" : "");
  const int threads = threadCount();
  std::vector<float> first;
  for (const int count : {1, 2, 5}) {
    setThreadCount(count);
    std::vector<float> sums(M, NAN);
    check(product(sums.data()) == product(nullptr), what + " change the product");
    checkClose(sums, expected, 1e-6, std::sqrt((double)K), what);
    if (first.empty()) first = sums;
    check(sums == first, what + " give other bits with " + std::to_string(count) + " threads");
  }
  setThreadCount(threads);
}

static void testAttention(const Kernels& kernel, int64_t B, int64_t N, int64_t H, int64_t D, double dropout,
                          float size) {
  const int64_t C = H * D;
  const uint32_t seed = 99;
  const float scale = 1 / std::sqrt((float)D);
  const auto qkv = noise(B * N * 3 * C, size), dOut = noise(B * N * C);
  std::vector<double> out(B * N * C), logSumExp(B * H * N), dQkv(B * N * 3 * C);
  std::vector<float> keep(B * H * N * N);
  probeOf(kernel.isa).keep(dropout, seed, (int64_t)keep.size(), keep.data());
  std::vector<double> P(N);
  for (int64_t b = 0; b < B; b++)
    for (int64_t h = 0; h < H; h++)
      for (int64_t i = 0; i < N; i++) {
        const int64_t row = (b * H + h) * N + i, qi = (b * N + i) * 3 * C + h * D, oi = (b * N + i) * C + h * D;
        double top = -INFINITY, sum = 0, total = 0;
        for (int64_t j = 0; j < N; j++) {
          P[j] = 0;
          for (int64_t d = 0; d < D; d++)
            P[j] += (double)scale * qkv[qi + d] * qkv[(b * N + j) * 3 * C + C + h * D + d];
          top = std::fmax(top, P[j]);
        }
        for (int64_t j = 0; j < N; j++) sum += P[j] = std::exp(P[j] - top);
        logSumExp[row] = top + std::log(sum);
        for (int64_t j = 0; j < N; j++) {
          P[j] /= sum;
          for (int64_t d = 0; d < D; d++)
            out[oi + d] += P[j] * keep[row * N + j] * qkv[(b * N + j) * 3 * C + 2 * C + h * D + d];
        }
        for (int64_t d = 0; d < D; d++) total += out[oi + d] * dOut[oi + d];
        for (int64_t j = 0; j < N; j++) {
          const int64_t kj = (b * N + j) * 3 * C + C + h * D, vj = kj + C;
          double dP = 0;
          for (int64_t d = 0; d < D; d++) dP += (double)dOut[oi + d] * qkv[vj + d];
          const double dS = P[j] * (dP * keep[row * N + j] - total) * scale;
          for (int64_t d = 0; d < D; d++) {
            dQkv[vj + d] += P[j] * keep[row * N + j] * dOut[oi + d];
            dQkv[qi + d] += dS * qkv[kj + d];
            dQkv[kj + d] += dS * qkv[qi + d];
          }
        }
      }
  std::vector<float> outGiven(out.size(), NAN), lseGiven(logSumExp.size(), NAN), dQkvGiven(dQkv.size(), NAN);
  const auto in = [&](Precision precision) -> AttentionOptions {
    return {.B = B,
            .N = N,
            .H = H,
            .D = D,
            .scale = scale,
            .dropoutProbability = dropout,
            .seed = seed,
            .precision = precision};
  };
  kernel.attentionForward(in(Precision::float32), qkv.data(), outGiven.data(), lseGiven.data());
  const std::string what = std::string(kernel.isa) + " attention B" + std::to_string(B) + " N" + std::to_string(N) +
                           " H" + std::to_string(H) + " D" + std::to_string(D) + " p" + std::to_string(dropout) +
                           " threads " + std::to_string(threadCount());
  checkClose(outGiven, out, 2e-6 * std::fmax(1, size * size), 1, what + " out");
  checkClose(lseGiven, logSumExp, 2e-6, 1, what + " logSumExp");
  std::vector<float> again(out.size(), NAN);
  kernel.attentionForward(in(Precision::float32), qkv.data(), again.data(), nullptr);
  check(again == outGiven, what + " gives other bits without logSumExp");
  kernel.attentionBackward(in(Precision::float32), qkv.data(), outGiven.data(), dOut.data(), lseGiven.data(),
                           dQkvGiven.data());
  checkClose(dQkvGiven, dQkv, 1e-5 * std::fmax(1, size * size), 1, what + " dQkv");
  const int threads = threadCount();
  for (const int others : {threads, 1, 3, 8}) {
    setThreadCount(others);
    std::vector<float> dAgain(dQkv.size(), NAN);
    kernel.attentionBackward(in(Precision::float32), qkv.data(), outGiven.data(), dOut.data(), lseGiven.data(),
                             dAgain.data());
    check(dAgain == dQkvGiven, what + " backward gives other bits with " + std::to_string(others) + " threads");
  }
  setThreadCount(threads);

  kernel.attentionForward(in(Precision::bfloat16), qkv.data(), outGiven.data(), nullptr);
  checkClose(outGiven, out, 2e-2 * std::fmax(1, size * size), 1, what + " out in bfloat16");
  kernel.attentionBackward(in(Precision::bfloat16), qkv.data(), outGiven.data(), dOut.data(), lseGiven.data(),
                           dQkvGiven.data());
  checkClose(dQkvGiven, dQkv, 5e-2 * std::fmax(1, size * size), 1, what + " dQkv in bfloat16");

  // Stored as bfloat16, operands and result give the bits that the same numbers give as float32.
  const auto roundedQkv = rounded(qkv);
  const auto bf16Qkv = bf16Of(roundedQkv);
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    std::vector<uint16_t> outBf16(out.size());
    std::vector<float> dBf16(dQkv.size(), NAN);
    kernel.attentionForward(in(precision), roundedQkv.data(), outGiven.data(), lseGiven.data());
    kernel.attentionForward(in(precision), bf16Qkv.data(), outBf16.data(), nullptr);
    check(outBf16 == bf16Of(rounded(outGiven)), what + " out stored as bfloat16");
    kernel.attentionBackward(in(precision), roundedQkv.data(), rounded(outGiven).data(), dOut.data(), lseGiven.data(),
                             dQkvGiven.data());
    kernel.attentionBackward(in(precision), bf16Qkv.data(), outBf16.data(), dOut.data(), lseGiven.data(), dBf16.data());
    check(dBf16 == dQkvGiven, what + " dQkv of what is stored as bfloat16");
  }
}

int main() {
  const int cpus = threadCount();
  check(cpus >= 1, "threadCount");
  for (const char* isa : {"amx", "avx512bf16", "avx512", "avx2", "portable"}) {
    const Kernels* kernel = kernelsOf(isa);
    if (!kernel) {
      std::printf("%s: not on this machine, skipped\n", isa);
      continue;
    }
    testElementFunctions(isa);
    for (int threads : {1, 2, 5}) {
      setThreadCount(threads);
      const GemmCase shapes[] = {{1, 1, 1},    {1, 17, 5},    {2, 3, 700},    {5, 33, 9},    {13, 16, 3},
                                 {14, 32, 64}, {15, 31, 65},  {28, 48, 1},    {29, 65, 97},  {65, 192, 48},
                                 {197, 10, 5}, {3, 1000, 33}, {170, 96, 400}, {7, 70, 1000}, {400, 40, 30}};
      for (const GemmCase& shape : shapes)
        for (int layout = 0; layout < 4; layout++)
          for (int epilogue = 0; epilogue < 4; epilogue++)
            for (bool packed : {false, true})
              for (const Precision precision : {Precision::float32, Precision::bfloat16})
                testGemm(*kernel, shape, layout, epilogue, packed, precision);
      for (const GemmCase& shape : shapes)
        for (bool gelu : {false, true})
          for (const Precision precision : {Precision::float32, Precision::bfloat16})
            testHalves(*kernel, shape, gelu, precision);
      testHalves(*kernel, {65, 40, 3300}, true, Precision::bfloat16);  // sums of several blocks
      for (const GemmCase& shape : shapes)
        for (bool extreme : {false, true})
          if (shape.K > 1) testInt8(*kernel, shape, extreme);
      for (double dropout : {0.0, 0.3})
        for (const auto& [B, N, H, D] : {std::array<int64_t, 4>{1, 1, 1, 1},
                                         {2, 5, 3, 3},
                                         {1, 17, 2, 16},
                                         {2, 65, 3, 8},
                                         {1, 50, 1, 33},
                                         {1, 197, 1, 64},
                                         {1, 33, 4, 80},
                                         {1, 600, 1, 5}})
          testAttention(*kernel, B, N, H, D, dropout, 1);
      testAttention(*kernel, 1, 40, 2, 16, 0, 8);
    }
    // Rows that threads claim and columns that they claim, steps of several blocks, more than one slab, one row,
    // operands that are read where they lie.
    for (const GemmCase& shape : {GemmCase{1, 1, 1},
                                  {1, 40, 70},
                                  {17, 33, 2},
                                  {48, 20, 1700},
                                  {1500, 16, 40},
                                  {1500, 70, 900},
                                  {5, 14000, 400},
                                  {6, 500, 13000},
                                  {170, 64, 1700},
                                  {65, 576, 1700},
                                  {1, 64, 9}})
      for (const Precision precision : {Precision::float32, Precision::bfloat16})
        testRowSums(*kernel, shape, precision);
    setThreadCount(cpus);
    testGemm(*kernel, {3, 14000, 400}, 1, 1, false, Precision::float32);  // more than one slab
    testGemm(*kernel, {3, 500, 13000}, 0, 3, false, Precision::float32);
    // Both operands where they lie; the right one alone, of many columns, and of rows that are packed.
    testGemm(*kernel, {170, 192, 1700}, 1, 3, false, Precision::float32);
    testGemm(*kernel, {65, 576, 1700}, 1, 3, false, Precision::float32);
    testGemm(*kernel, {197, 576, 1700}, 2, 2, false, Precision::float32);
  }
  std::printf("%d checks, %d failed\n", checks, failures);
  return failures ? 1 : 0;
}
