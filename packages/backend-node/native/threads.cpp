// The pool behind threads.h.
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vitral {
namespace {

constexpr int maxThreads = 256;
// About a millisecond: longer than the gap between two kernels of a pass. A worker that falls asleep in a pass is often
// woken on the processor of the thread that wakes it, and the two then share it for the length of the job.
constexpr int spinsBeforeSleep = 80000;
constexpr int spinsBeforeYield = 2000;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

#if defined(__linux__)
// A cgroup limits CPU time by quota/period; a quota of 2.5 CPUs is served by 3 threads.
int cpuQuota() {
  double quota = -1, period = -1;
  if (FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    if (std::fscanf(file, "%lf %lf", &quota, &period) != 2) quota = -1;  // "max 100000": no limit
    std::fclose(file);
  } else {
    const auto read = [](const char* path) {
      double value = -1;
      if (FILE* file = std::fopen(path, "r")) {
        if (std::fscanf(file, "%lf", &value) != 1) value = -1;
        std::fclose(file);
      }
      return value;
    };
    quota = read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    period = read("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  }
  return quota > 0 && period > 0 ? (int)std::ceil(quota / period) : maxThreads;
}
#endif

int usableCpus() {
  int cpus = (int)std::thread::hardware_concurrency();
#if defined(__linux__)
  cpu_set_t mask;
  if (!sched_getaffinity(0, sizeof mask, &mask)) cpus = CPU_COUNT(&mask);
  const int quota = cpuQuota();
  if (quota < cpus) cpus = quota;
#endif
  return cpus < 1 ? 1 : cpus > maxThreads ? maxThreads : cpus;
}

struct Pool {
  // A job may be joined while bit 0 of `state` is set; bits 1-15 count the workers that joined it, the rest counts jobs.
  static constexpr uint64_t open = 1, joinedUnit = 2, joinedMask = 0xfffe, jobUnit = 0x10000;
  std::atomic<uint64_t> state{0};
  std::atomic<int64_t> nextTask{0};
  std::atomic<int> finished{0};
  std::atomic<int> sleepers{0};
  TaskFunction function = nullptr;
  void* context = nullptr;
  int64_t count = 0;
  std::atomic<int> helperLimit{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;

  std::mutex owner;  // held by the thread whose job runs
  std::mutex sleep;
  std::condition_variable wake;
  int workers = 0;

  void drain() {
    for (;;) {
      const int64_t task = nextTask.fetch_add(1, std::memory_order_relaxed);
      if (task >= count) return;
      try {
        function(context, task);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
  }
  void run(int64_t tasks, TaskFunction taskFunction, void* taskContext, int helpers);
  void work();
};

std::atomic<Pool*> pool{nullptr};
std::atomic<int> wantedThreads{0};
thread_local bool insideTask = false;

void Pool::work() {
  insideTask = true;
  uint64_t lastJob = ~(uint64_t)0;
  const auto waiting = [&](uint64_t now) { return !(now & open) || (now & ~(jobUnit - 1)) == lastJob; };
  for (;;) {
    uint64_t now = state.load(std::memory_order_acquire);
    for (int spin = 0; waiting(now) && spin < spinsBeforeSleep; spin++) {
      relax();
      now = state.load(std::memory_order_acquire);
    }
    if (waiting(now)) {
      std::unique_lock<std::mutex> lock(sleep);
      sleepers.fetch_add(1);
      wake.wait(lock, [&] { return !waiting(now = state.load()); });
      sleepers.fetch_sub(1);
    }
    lastJob = now & ~(jobUnit - 1);
    // Joining and closing are one atomic word, so a worker that wakes late finds the job closed and touches nothing.
    while ((now & open) && (now & ~(jobUnit - 1)) == lastJob &&
           (int)((now & joinedMask) / joinedUnit) < helperLimit.load(std::memory_order_relaxed)) {
      if (!state.compare_exchange_weak(now, now + joinedUnit, std::memory_order_acq_rel)) continue;
      drain();
      finished.fetch_add(1, std::memory_order_release);
      break;
    }
  }
}

void Pool::run(int64_t tasks, TaskFunction taskFunction, void* taskContext, int helpers) {
  while (workers < helpers) {
    try {
      std::thread([this] { work(); }).detach();
    } catch (...) {
      break;  // the system refuses more threads: fewer carry out the same tasks
    }
    workers++;
  }
  function = taskFunction;
  context = taskContext;
  count = tasks;
  nextTask.store(0, std::memory_order_relaxed);
  finished.store(0, std::memory_order_relaxed);
  helperLimit.store(helpers, std::memory_order_relaxed);
  state.store((state.load(std::memory_order_relaxed) & ~(jobUnit - 1)) + jobUnit + open);
  if (sleepers.load() > 0) {
    std::lock_guard<std::mutex> lock(sleep);
    wake.notify_all();
  }
  insideTask = true;
  drain();
  insideTask = false;
  const int joined = (int)((state.fetch_and(~open) & joinedMask) / joinedUnit);
  for (int spin = 0; finished.load(std::memory_order_acquire) != joined; spin++) {
    if (spin < spinsBeforeYield) relax();
    else sched_yield();
  }
  if (failed.exchange(false)) std::rethrow_exception(std::exchange(failure, nullptr));
}

Pool* thePool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current) return current;
  Pool* made = new Pool;  // never deleted: workers may sleep in it while the process ends
  if (pool.compare_exchange_strong(current, made)) {
    static const int registered =
        pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); });  // the child has no workers: it starts anew
    (void)registered;
    return made;
  }
  delete made;
  return current;
}

}  // namespace

int threadCount() {
  int wanted = wantedThreads.load(std::memory_order_relaxed);
  if (wanted) return wanted;
  static const int cpus = usableCpus();
  return cpus;
}

void setThreadCount(int count) { wantedThreads.store(count < 1 ? 1 : count > maxThreads ? maxThreads : count); }

void runTasks(int64_t count, TaskFunction function, void* context) {
  const int64_t threads = threadCount() < count ? threadCount() : count;
  if (threads > 1 && !insideTask) {
    Pool* current = thePool();
    std::unique_lock<std::mutex> owner(current->owner, std::try_to_lock);
    if (owner.owns_lock()) return current->run(count, function, context, (int)threads - 1);
  }
  for (int64_t task = 0; task < count; task++) function(context, task);
}

namespace {
struct ScratchBuffers {
  float* data[(int)Scratch::slots] = {};
  int64_t floats[(int)Scratch::slots] = {};
  ~ScratchBuffers() {
    for (float* buffer : data) std::free(buffer);
  }
};
}  // namespace

float* scratch(Scratch slot, int64_t floats) {
  thread_local ScratchBuffers buffers;
  const int i = (int)slot;
  if (buffers.floats[i] < floats) {
    std::free(buffers.data[i]);
    buffers.data[i] = nullptr;
    buffers.floats[i] = 0;
    void* fresh = nullptr;
    if (posix_memalign(&fresh, 64, (size_t)floats * sizeof(float))) throw std::bad_alloc();
    buffers.data[i] = static_cast<float*>(fresh);
    buffers.floats[i] = floats;
  }
  return buffers.data[i];
}

}  // namespace vitral
