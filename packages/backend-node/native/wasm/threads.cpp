// The pool behind threads.h, where the host starts the workers and one thread alone gives jobs.
//
// The host's thread may be a browser's main one, which must not sleep: while it waits for the last tasks it spins.
#include "../runtime/threads.h"

#include <atomic>

#include "../runtime/job-state.h"
#include "host.h"

namespace vitral {
namespace {

// About a millisecond, as in ../runtime/threads.cpp.
constexpr int spinsBeforeSleep = 200000;

struct {
  alignas(64) JobState state;
  TaskFunction function = nullptr;
  void* context = nullptr;
  int64_t count = 0;
  std::atomic<int> helperLimit{0};
  std::atomic<double> failedBytes{0};  // what a worker could not have, or 0
  alignas(64) std::atomic<int64_t> nextTask{0};
  std::atomic<int> finished{0};
  alignas(64) std::atomic<int32_t> posted{0};  // counts the jobs: what idle workers watch
  std::atomic<int> sleepers{0};
  std::atomic<int32_t> tasksOfWorkers{0};
} job;

std::atomic<int> wantedThreads{1};
thread_local bool insideTask = false, isWorker = false;

// Returns how many tasks it has carried out.
int32_t drain() {
  int32_t tasks = 0;
  for (;; tasks++) {
    const int64_t task = job.nextTask.fetch_add(1, std::memory_order_relaxed);
    if (task >= job.count) break;
    job.function(job.context, task);
  }
  job.state.close();
  return tasks;
}

void waitForHelpers() {
  const int helpers = job.state.closeForAll();
  while (job.finished.load(std::memory_order_acquire) != helpers) {}
}

bool join() {
  uint64_t state = job.state.load();
  do
    if (!JobState::isOpen(state) || JobState::joined(state) >= job.helperLimit.load(std::memory_order_relaxed))
      return false;
  while (!job.state.join(state));
  return true;
}

void waitForPost(int32_t seen) {
  for (int spin = 0; spin < spinsBeforeSleep; spin++)
    if (job.posted.load(std::memory_order_acquire) != seen) return;
  job.sleepers.fetch_add(1);
  __builtin_wasm_memory_atomic_wait32((int32_t*)&job.posted, seen, -1);
  job.sleepers.fetch_sub(1);
}

}  // namespace

int threadCount() { return wantedThreads.load(std::memory_order_relaxed); }

void setThreadCount(int count) { wantedThreads.store(count < 1 ? 1 : count); }

void runTasks(int64_t count, TaskFunction function, void* context) {
  const int64_t threads = threadCount() < count ? threadCount() : count;
  if (threads <= 1 || insideTask) {
    for (int64_t task = 0; task < count; task++) function(context, task);
    return;
  }
  job.function = function;
  job.context = context;
  job.count = count;
  job.nextTask.store(0, std::memory_order_relaxed);
  job.finished.store(0, std::memory_order_relaxed);
  job.helperLimit.store((int)threads - 1, std::memory_order_relaxed);
  job.state.open();
  job.posted.fetch_add(1);
  if (job.sleepers.load() > 0) __builtin_wasm_memory_atomic_notify((int32_t*)&job.posted, (uint32_t)threads - 1);
  insideTask = true;
  drain();
  insideTask = false;
  waitForHelpers();
  if (const double bytes = job.failedBytes.exchange(0); bytes > 0) hostOutOfMemory(bytes);
}

void outOfMemory(size_t bytes) {
  if (isWorker) {
    job.failedBytes.store((double)bytes);
    job.finished.fetch_add(1, std::memory_order_release);
    __builtin_trap();  // the host begins this worker's loop anew
  }
  if (insideTask) {
    // The other tasks read this thread's stack: it stays until they are done.
    insideTask = false;
    job.nextTask.store(job.count, std::memory_order_relaxed);
    waitForHelpers();
    job.failedBytes.store(0);
  }
  hostOutOfMemory((double)bytes);
}

}  // namespace vitral

extern "C" __attribute__((export_name("work"))) void vitralWork() {
  vitral::insideTask = vitral::isWorker = true;
  for (;;) {
    const int32_t seen = vitral::job.posted.load();
    if (vitral::join()) {
      vitral::job.tasksOfWorkers.fetch_add(vitral::drain(), std::memory_order_relaxed);
      vitral::job.finished.fetch_add(1, std::memory_order_release);
    } else {
      vitral::waitForPost(seen);
    }
  }
}

// How many tasks workers have carried out so far: 0 for as long as none of them runs.
extern "C" __attribute__((export_name("tasksOfWorkers"))) int32_t vitralTasksOfWorkers() {
  return vitral::job.tasksOfWorkers.load();
}
