// The pool behind threads.h.
#include "threads.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <climits>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "cpus.h"
#include "job-state.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vitral {
namespace {

constexpr int maxThreads = 256;
// Jobs that can run at once; the tasks of any more callers are carried out by those alone.
constexpr int maxJobs = 16;
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

// One call of runTasks, or a place for one.
struct alignas(64) Job {
  JobState state;
  std::atomic<int> helperLimit{0};
  std::atomic<bool> taken{false};  // by the caller whose job it is
  TaskFunction function = nullptr;
  void* context = nullptr;
  int64_t count = 0;
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
  alignas(64) std::atomic<int64_t> nextTask{0};
  std::atomic<int> finished{0};

  void post(int64_t tasks, TaskFunction taskFunction, void* taskContext, int helpers) {
    function = taskFunction;
    context = taskContext;
    count = tasks;
    nextTask.store(0, std::memory_order_relaxed);
    finished.store(0, std::memory_order_relaxed);
    helperLimit.store(helpers, std::memory_order_relaxed);
    state.open();
  }

  void drain() {
    for (;;) {
      const int64_t task = nextTask.fetch_add(1, std::memory_order_relaxed);
      if (task >= count) break;
      try {
        function(context, task);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
    state.close();  // its place has no other job before all have finished
  }

  // For the caller, after drain().
  void waitForHelpers() {
    const int helpers = state.closeForAll();
    for (int spin = 0; finished.load(std::memory_order_acquire) != helpers; spin++) {
      if (spin < spinsBeforeYield) relax();
      else sched_yield();
    }
  }
};

struct Pool {
  Job jobs[maxJobs];
  alignas(64) std::atomic<uint64_t> posted{0};  // counts the jobs of all places: what idle workers watch
  alignas(64) std::atomic<int> callers{0};      // whose jobs run now
  std::atomic<int> sleepers{0};
  std::atomic<int> workers{0};
  std::mutex starting;
  std::mutex sleep;
  std::condition_variable wake;

  Job* takePlace() {
    for (Job& job : jobs)
      if (!job.taken.load(std::memory_order_relaxed) && !job.taken.exchange(true, std::memory_order_acquire))
        return &job;
    return nullptr;
  }
  void run(Job& job, int64_t tasks, TaskFunction function, void* context, int helpers);
  void startWorkers(int wanted);
  void work();
  Job* join();
  void waitForPost(uint64_t seen);
};

std::atomic<Pool*> pool{nullptr};
std::atomic<int> wantedThreads{0};
thread_local bool insideTask = false;

// Before any thread is started or any lock is taken, so that there is no moment at which a fork would copy them.
[[maybe_unused]] const int childStartsAnew = pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); });

void Pool::run(Job& job, int64_t tasks, TaskFunction function, void* context, int helpers) {
  const bool alone = callers.fetch_add(1, std::memory_order_relaxed) == 0;
  const int wanted = alone ? helpers : threadCount() - 1;
  if (workers.load(std::memory_order_relaxed) < wanted) startWorkers(wanted);
  job.post(tasks, function, context, helpers);
  posted.fetch_add(1);
  if (sleepers.load() > 0) {
    std::lock_guard<std::mutex> lock(sleep);
    wake.notify_all();
  }
  insideTask = true;
  job.drain();
  insideTask = false;
  job.waitForHelpers();
  callers.fetch_sub(1, std::memory_order_relaxed);
  const bool failed = job.failed.exchange(false);
  const std::exception_ptr failure = failed ? std::exchange(job.failure, nullptr) : nullptr;
  job.taken.store(false, std::memory_order_release);
  if (failed) std::rethrow_exception(failure);
}

void Pool::startWorkers(int wanted) {
  std::lock_guard<std::mutex> lock(starting);
  while (workers.load() < wanted) {
    try {
      std::thread([this] { work(); }).detach();
    } catch (...) {
      return;  // the system refuses more threads: fewer carry out the same tasks
    }
    workers.fetch_add(1);
  }
}

void Pool::work() {
  insideTask = true;
  for (;;) {
    const uint64_t seen = posted.load();
    if (Job* job = join()) {
      job->drain();
      job->finished.fetch_add(1, std::memory_order_release);
    } else {
      waitForPost(seen);
    }
  }
}

// The open job that has the fewest helpers, and fewer than its share of the threads; null when there is none.
Job* Pool::join() {
  for (;;) {
    const int running = callers.load(std::memory_order_relaxed);
    const int share = running > 1 ? (threadCount() + running - 1) / running - 1 : maxThreads;
    Job* chosen = nullptr;
    uint64_t chosenState = 0;
    int fewest = INT_MAX;
    for (Job& job : jobs) {
      const uint64_t state = job.state.load();
      const int helpers = JobState::joined(state);
      if (!JobState::isOpen(state) || helpers >= fewest || helpers >= share) continue;
      if (helpers >= job.helperLimit.load(std::memory_order_relaxed)) continue;
      fewest = helpers;
      chosen = &job;
      chosenState = state;
    }
    if (!chosen) return nullptr;
    if (chosen->state.join(chosenState)) return chosen;
  }
}

void Pool::waitForPost(uint64_t seen) {
  for (int spin = 0; spin < spinsBeforeSleep; spin++) {
    if (posted.load(std::memory_order_acquire) != seen) return;
    relax();
  }
  std::unique_lock<std::mutex> lock(sleep);
  sleepers.fetch_add(1);
  wake.wait(lock, [&] { return posted.load() != seen; });
  sleepers.fetch_sub(1);
}

Pool* thePool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current) return current;
  Pool* made = new Pool;  // never deleted: workers may sleep in it while the process ends
  if (pool.compare_exchange_strong(current, made)) return made;
  delete made;
  return current;
}

}  // namespace

int threadCount() {
  if (const int wanted = wantedThreads.load(std::memory_order_relaxed)) return wanted;
  const int cpus = usableCpus();
  int none = 0;
  wantedThreads.compare_exchange_strong(none, cpus > maxThreads ? maxThreads : cpus);
  return wantedThreads.load(std::memory_order_relaxed);
}

void setThreadCount(int count) { wantedThreads.store(count < 1 ? 1 : count > maxThreads ? maxThreads : count); }

void runTasks(int64_t count, TaskFunction function, void* context) {
  const int64_t threads = threadCount() < count ? threadCount() : count;
  if (threads > 1 && !insideTask) {
    Pool* current = thePool();
    if (Job* job = current->takePlace()) return current->run(*job, count, function, context, (int)threads - 1);
  }
  for (int64_t task = 0; task < count; task++) function(context, task);
}

}  // namespace vitral
