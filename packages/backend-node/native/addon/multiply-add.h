// How long multiply-adds take that stay in registers.
#pragma once

#include "../kernels/dispatch.h"
#include "../runtime/threads.h"

namespace vitral {

// Milliseconds, by the clock `now`, of so many operations in `threads` threads, a multiply-add being two. They are in
// many pieces, as the kernels share their work: a thread that is held up gets fewer. One thread needs none.
template <class Now>
double multiplyAddMilliseconds(double operations, int threads, Now now) {
  const int64_t pieces = threads == 1 ? 1 : 32 * threads;
  const double each = kernels().spinFma(1) * (double)pieces;
  const int64_t rounds = (int64_t)(operations / each) + 1;
  const int before = threadCount();
  setThreadCount(threads);
  const double begin = now();
  parallelTasks(pieces, [&](int64_t) { kernels().spinFma(rounds); });
  const double milliseconds = now() - begin;
  setThreadCount(before);
  return milliseconds * operations / (each * (double)rounds);
}

}  // namespace vitral
