// One pool of threads for the process. The calling thread takes part in its job; workers join the jobs that are open,
// of several callers at once, spin for some microseconds after the last one, and then sleep. A caller never waits for
// another's job: with several, each gets its share of the threads, and at worst carries out its tasks alone, as it does
// with a call from inside a task. Tasks are claimed in any order, but where they begin and end depends on the arguments
// and threadCount() only: a kernel whose tasks write apart from each other gives the same bits in every run.
//
// Workers run until the process ends, so the library must never be unloaded: link it with -Wl,-z,nodelete. The child of
// a fork has none of them, and starts its own.
#pragma once

#include <cstdint>
#include <type_traits>

namespace vitral {

// Defaults to the CPUs that the process may use when it is first asked for: usableCpus() of cpus.h.
int threadCount();
// Takes effect with the next call; at least 1, at most 256.
void setThreadCount(int count);

// The least operations of a job for threads: below it, waking a thread costs more than it gains.
constexpr double serialOperations = 3e5;

using TaskFunction = void (*)(void* context, int64_t task);
void runTasks(int64_t count, TaskFunction function, void* context);

// body(task) for each task in [0, count).
template <class Body>
void parallelTasks(int64_t count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  runTasks(count, [](void* context, int64_t task) { (*static_cast<Plain*>(context))(task); }, (void*)&body);
}

// The same; with serial, one after the other on the calling thread.
template <class Body>
void forEachTask(bool serial, int64_t count, Body&& body) {
  if (!serial) return parallelTasks(count, body);
  for (int64_t task = 0; task < count; task++) body(task);
}

// body(from, to) over pieces that cover [begin, end), each of at least `grain` elements but for the last.
template <class Body>
void parallelFor(int64_t begin, int64_t end, int64_t grain, Body&& body) {
  if (end <= begin) return;
  const int64_t length = end - begin;
  // Four pieces a thread: a thread that is held up by other work on the machine delays the rest by an eighth at most.
  const int64_t even = (length + 4 * threadCount() - 1) / (4 * threadCount());
  const int64_t piece = even > grain ? even : (grain > 1 ? grain : 1);
  const int64_t count = (length + piece - 1) / piece;
  if (count == 1) return body(begin, end);
  parallelTasks(count, [&](int64_t task) {
    const int64_t from = begin + task * piece;
    body(from, from + piece < end ? from + piece : end);
  });
}

// Scratch memory of the calling thread, 64-byte aligned, kept for its next call: memory stays at the largest request.
// Contents are undefined, and each slot is one buffer: a nested use of the same slot would overwrite the outer one's.
enum class Scratch {
  gemmLeft,
  gemmRight,
  gemmRow,
  gemmColumn,
  gemmTile,
  gemmWhole,
  gemmSums,
  attention,
  attentionRows,
  attentionPartials,
  attentionQuery,
  kernel,
  slots,
};
float* scratch(Scratch slot, int64_t floats);

}  // namespace vitral
