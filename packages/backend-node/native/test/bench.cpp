// Speed of the matrix product and of attention, as GFLOP/s and as a share of the FMA peak measured between the runs.
//
//   bench [isa…] [text]      default: every instruction set this machine has, and every case whose name holds the text
//
// The clock moves with the instructions in use and with the machine's other work: the share is the figure to compare.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "../kernels/dispatch.h"
#include "../runtime/memory.h"
#include "../runtime/threads.h"

using namespace vitral;

// One thread is timed by its own CPU time, which other programs do not lengthen; several by the wall clock.
static double seconds() {
  timespec now;
  clock_gettime(threadCount() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

static std::string wanted;

static void measure(const Kernels& kernel, const std::string& name, double operations,
                    const std::function<void()>& body) {
  if (name.find(wanted) == std::string::npos) return;
  const auto peak = [&] {
    std::vector<double> done(threadCount());
    const double start = seconds();
    parallelTasks(threadCount(), [&](int64_t task) { done[task] = kernel.spinFma(100000); });
    double all = 0;
    for (double d : done) all += d;
    return all / (seconds() - start) * 1e-9;
  };
  body();
  std::vector<double> rates, shares;
  const double begin = seconds();
  while (rates.size() < 7 || (seconds() - begin < 0.4 && rates.size() < 200)) {
    const double before = peak();
    const double start = seconds();
    int repeats = 0;
    do body(), repeats++;
    while (seconds() - start < 2e-3);
    const double rate = operations * repeats / (seconds() - start) * 1e-9;
    rates.push_back(rate);
    shares.push_back(2 * rate / (before + peak()));
  }
  std::printf("%-9s %d thr %8.1f GFLOP/s  %5.1f %% of FMA peak  %s\n", kernel.isa, threadCount(), median(rates),
              100 * median(shares), name.c_str());
  std::fflush(stdout);
}

// On large pages, as tensors are.
template <class Value>
struct Aligned {
  using value_type = Value;
  Value* allocate(size_t count) { return (Value*)allocateAligned(count * sizeof(Value)); }
  void deallocate(Value* values, size_t) { std::free(values); }
  bool operator==(const Aligned&) const { return true; }
  bool operator!=(const Aligned&) const { return false; }
};
using Floats = std::vector<float, Aligned<float>>;

static Floats noise(int64_t floats) {
  Floats values(floats);
  uint32_t state = 1;
  for (float& value : values) value = (float)((state = state * 1664525u + 1013904223u) >> 8) / 8388608.0f - 1.0f;
  return values;
}

static void benchLinear(const Kernels& kernel, Precision precision, int64_t M, int64_t N, int64_t K) {
  const auto x = noise(M * K), weight = noise(N * K), bias = noise(N), dy = noise(M * N);
  Floats y(M * N), dx(M * K), dWeight(N * K), memory(kernel.packedWeightFloats(K, N, precision));
  float* packed = memory.data();
  const double operations = 2.0 * M * N * K;
  const auto label = [&](const char* what) {
    return what + std::string(precision == Precision::bfloat16 ? " bfloat16" : "") +
           (" " + std::to_string(M) + " x " + std::to_string(N) + " x " + std::to_string(K));
  };
  GemmEpilogue none, withBias, gradient;
  withBias.bias = bias.data();
  gradient.geluGradientOf = x.data();
  measure(kernel, label("x·Wᵀ + bias"), operations,
          [&] { kernel.gemm(M, N, K, {x.data(), K, 1}, {weight.data(), 1, K}, y.data(), N, withBias, precision); });
  kernel.packWeight(K, N, {weight.data(), 1, K}, packed, precision);
  measure(kernel, label("x·packed W + bias"), operations,
          [&] { kernel.gemmPacked(M, N, K, {x.data(), K, 1}, packed, y.data(), N, withBias, precision); });
  measure(kernel, label("GELU(x)·packed W + bias"), operations,
          [&] { kernel.gemmPacked(M, N, K, {x.data(), K, 1, true}, packed, y.data(), N, withBias, precision); });
  measure(kernel, label("dx = dy·W × GELU'"), operations,
          [&] { kernel.gemm(M, K, N, {dy.data(), N, 1}, {weight.data(), K, 1}, dx.data(), K, gradient, precision); });
  measure(kernel, label("dW = dyᵀ·GELU(x)"), operations,
          [&] { kernel.gemm(N, K, M, {dy.data(), 1, N}, {x.data(), K, 1, true}, dWeight.data(), K, none, precision); });
  measure(kernel, label("dx = dy·W"), operations,
          [&] { kernel.gemm(M, K, N, {dy.data(), N, 1}, {weight.data(), K, 1}, dx.data(), K, none, precision); });
  measure(kernel, label("dW = dyᵀ·x"), operations,
          [&] { kernel.gemm(N, K, M, {dy.data(), 1, N}, {x.data(), K, 1}, dWeight.data(), K, none, precision); });
}

static void benchAttention(const Kernels& kernel, Precision precision, int64_t B, int64_t N, int64_t H, int64_t D,
                           double dropout) {
  const int64_t C = H * D;
  const auto qkv = noise(B * N * 3 * C), dOut = noise(B * N * C);
  Floats out(B * N * C), logSumExp(B * H * N), dQkv(B * N * 3 * C);
  const AttentionOptions options = {.B = B,
                                    .N = N,
                                    .H = H,
                                    .D = D,
                                    .scale = 1 / std::sqrt((float)D),
                                    .dropoutProbability = dropout,
                                    .seed = 7,
                                    .precision = precision};
  const double operations = 4.0 * B * H * N * N * D;
  const std::string label = "attention B" + std::to_string(B) + " N" + std::to_string(N) + " H" + std::to_string(H) +
                            " D" + std::to_string(D) + (dropout > 0 ? " dropout" : "") +
                            (precision == Precision::bfloat16 ? " bfloat16" : "");
  measure(kernel, label, operations,
          [&] { kernel.attentionForward(options, qkv.data(), out.data(), logSumExp.data()); });
  measure(kernel, label + " backward", 2.5 * operations, [&] {
    kernel.attentionBackward(options, qkv.data(), out.data(), dOut.data(), logSumExp.data(), dQkv.data());
  });
}

int main(int argc, char** argv) {
  const std::vector<std::string> all = {"amx", "avx512bf16", "avx512", "avx2", "portable"};
  std::vector<std::string> names;
  for (int i = 1; i < argc; i++) {
    const std::string given = argv[i];
    if (std::find(all.begin(), all.end(), given) != all.end()) names.push_back(given);
    else wanted = given;
  }
  if (names.empty()) names = all;
  const int mostThreads = threadCount();
  for (const std::string& name : names) {
    const Kernels* kernel = kernelsOf(name.c_str());
    if (!kernel) {
      std::printf("%s: not on this machine\n", name.c_str());
      continue;
    }
    for (int threads = 1; threads <= mostThreads; threads += threads < mostThreads - 1 ? mostThreads - 1 : 1) {
      setThreadCount(threads);
      const int64_t shapes[][3] = {{1576, 768, 768}, {1576, 3072, 768}, {1576, 768, 3072}, {197, 768, 768},
                                   {197, 3072, 768}, {4160, 192, 192},  {4160, 768, 192},  {4160, 192, 768}};
      for (const Precision precision : {Precision::float32, Precision::bfloat16})
        for (const auto& shape : shapes) benchLinear(*kernel, precision, shape[0], shape[1], shape[2]);
      for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        benchAttention(*kernel, precision, 8, 197, 12, 64, 0);
        benchAttention(*kernel, precision, 8, 197, 12, 64, 0.1);
        benchAttention(*kernel, precision, 1, 197, 12, 64, 0);
        benchAttention(*kernel, precision, 64, 65, 3, 64, 0);
        benchAttention(*kernel, precision, 64, 65, 12, 16, 0);
        benchAttention(*kernel, precision, 1, 1025, 12, 64, 0);
      }
    }
  }
}
