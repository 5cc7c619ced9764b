// Checks the thread pool and the count of CPUs: pool CHECK [ROOT], each in a process of its own. One that hangs is
// ended.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../runtime/cpus.h"
#include "../runtime/threads.h"

using namespace vitral;

static void require(bool holds, const char* what) {
  if (holds) return;
  std::printf("FAILED: %s\n", what);
  std::fflush(stdout);
  _exit(1);
}

static void waitUntil(const std::atomic<bool>& flag) {
  while (!flag) sched_yield();
}

// A job of two tasks that end only when both are being carried out: it takes two threads.
static void meet() {
  std::atomic<int> present{0};
  parallelTasks(2, [&](int64_t) {
    present++;
    while (present < 2) sched_yield();
  });
}

static int64_t sumOfTasks(int64_t tasks) {
  std::atomic<int64_t> sum{0};
  parallelTasks(tasks, [&](int64_t task) { sum += task; });
  return sum;
}

static void covers() {
  setThreadCount(4);
  for (int64_t length : {0, 1, 7, 1000}) {
    std::vector<std::atomic<int>> hits(length);
    parallelFor(0, length, 3, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) hits[i]++;
    });
    require(std::all_of(hits.begin(), hits.end(), [](const auto& hit) { return hit == 1; }), "each element comes once");
  }
  std::atomic<int64_t> sum{0};
  parallelTasks(10, [&](int64_t) { sum += sumOfTasks(10); });
  require(sum == 450, "a job inside a task is carried out");
}

static void exceptions() {
  setThreadCount(4);
  for (int round = 0; round < 100; round++) {
    bool caught = false;
    try {
      parallelTasks(8, [](int64_t task) {
        if (task % 2) throw std::runtime_error("from a task");
      });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    require(caught, "an exception in a task reaches the caller");
    require(sumOfTasks(8) == 28, "and the next job has none");
  }
}

// More callers than the pool has places, and threads that end while others compute.
static void callers() {
  setThreadCount(4);
  std::atomic<int64_t> sum{0};
  for (int generation = 0; generation < 20; generation++) {
    std::vector<std::thread> threads;
    for (int caller = 0; caller < 20; caller++)
      threads.emplace_back([&sum, caller] {
        for (int round = 0; round < 5 * caller; round++) {
          parallelTasks(5, [&](int64_t task) {
            float* memory = scratch(Scratch::kernel, 100 + 10 * task);
            memory[99] = (float)task;
            sum += (int64_t)memory[99];
          });
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
  require(sum == 20 * 5 * 190 * 10, "every task of every caller is carried out once");
}

// One caller's job holds its threads for as long as it takes another one to have a helper too.
static void share() {
  setThreadCount(4);
  std::atomic<bool> holding{false}, met{false};
  std::thread first([&] {
    parallelTasks(2, [&](int64_t) {
      holding = true;
      waitUntil(met);
    });
  });
  waitUntil(holding);
  meet();
  met = true;
  first.join();
}

// One caller's job holds every thread there is for as long as it takes another one to get through.
static void progress() {
  setThreadCount(2);
  meet();
  std::atomic<int> held{0};
  std::atomic<bool> through{false};
  std::thread first([&] {
    parallelTasks(2, [&](int64_t) {
      held++;
      waitUntil(through);
    });
  });
  while (held < 2) sched_yield();
  for (int round = 0; round < 1000; round++) require(sumOfTasks(5) == 10, "a caller without helpers computes");
  through = true;
  first.join();
}

static void forks() {
  setThreadCount(3);
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) sumOfTasks(20);
  });
  for (int round = 0; round < 100; round++) {
    if (round % 10 == 0) meet();
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);
      meet();
      _exit(sumOfTasks(100) == 4950 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child of a fork computes, with threads of its own");
  }
  done = true;
  other.join();
}

static void idle() {
  setThreadCount(4);
  for (int round = 0; round < 100; round++) meet();
  usleep(200000);
  const std::clock_t before = std::clock();
  usleep(500000);
  const double used = (double)(std::clock() - before) / CLOCKS_PER_SEC;
  require(used < 0.05, "idle workers sleep");
}

static void affinity() {
#if defined(__linux__)
  cpu_set_t mask;
  require(!sched_getaffinity(0, sizeof mask, &mask), "sched_getaffinity");
  int first = 0;
  while (!CPU_ISSET(first, &mask)) first++;
  CPU_ZERO(&mask);
  CPU_SET(first, &mask);
  require(!sched_setaffinity(0, sizeof mask, &mask), "sched_setaffinity");
  require(threadCount() == 1, "one CPU in the mask is one thread");
#endif
}

int main(int count, char** arguments) {
  const struct {
    const char* name;
    void (*run)();
  } checks[] = {{"covers", covers},     {"exceptions", exceptions}, {"callers", callers}, {"share", share},
                {"progress", progress}, {"forks", forks},           {"idle", idle},       {"affinity", affinity}};
  if (count == 3 && !std::strcmp(arguments[1], "quota")) return std::printf("%d\n", cpuQuota(arguments[2])) < 0;
  for (const auto& check : checks) {
    if (count != 2 || std::strcmp(check.name, arguments[1])) continue;
    alarm(30);
    check.run();
    return 0;
  }
  std::printf("usage: pool CHECK | pool quota ROOT\n");
  return 2;
}
