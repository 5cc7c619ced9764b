// How many CPUs this process may use: a machine shows all it has, a container or a taskset lets a process have fewer.
#pragma once

namespace vitral {

// The CPUs in the calling thread's affinity mask, cut down to cpuQuota(); at least 1.
int usableCpus();

// The CPU time that the control groups of this process grant, in CPUs and rounded up: the least of its own and of all
// above it, in version 1 and 2. 0 when nothing limits it. `root` stands before /proc and /sys, for tests.
int cpuQuota(const char* root = "");

}  // namespace vitral
