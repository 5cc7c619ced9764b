// Waiting for what is moved only while it is asked whether it has ended; the processors are the kernels', which compute
// meanwhile.
#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace vitral {

// Between two looks, by one who has waited for so long.
inline void passTime(std::chrono::nanoseconds waited) {
  using std::chrono::microseconds;
  constexpr std::chrono::nanoseconds keenFor = microseconds(100), shortestNap = microseconds(50),
                                     longestNap = microseconds(1000);
  // A rank that waits long sleeps for a hundredth of that: it comes hardly later and leaves the processors alone.
  if (waited < keenFor) sched_yield();
  else std::this_thread::sleep_for(std::clamp(waited / 100, shortestNap, longestNap));
}

}  // namespace vitral
