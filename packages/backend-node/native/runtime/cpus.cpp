#include "cpus.h"

#include <sched.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

namespace vitral {
namespace {

// The numbers at the start of a file; they keep their values where there are none.
void readNumbers(const std::string& path, double* first, double* second = nullptr) {
  FILE* file = std::fopen(path.c_str(), "r");
  if (!file) return;
  if (std::fscanf(file, "%lf", first) == 1 && second) (void)!std::fscanf(file, "%lf", second);
  std::fclose(file);
}

// What one group grants in CPUs, or infinity.
double quotaOf(const std::string& group) {
  double quota = -1, period = -1;
  readNumbers(group + "/cpu.max", &quota, &period);  // version 2; "max 100000" is no limit
  readNumbers(group + "/cpu.cfs_quota_us", &quota);  // version 1; -1 is no limit
  readNumbers(group + "/cpu.cfs_period_us", &period);
  return quota > 0 && period > 0 ? quota / period : INFINITY;
}

// Whether one of the controllers in a comma-separated list is `cpu`.
bool hasCpu(const std::string& controllers) { return ("," + controllers + ",").find(",cpu,") != std::string::npos; }

}  // namespace

int cpuQuota(const char* root) {
  const std::string mount = std::string(root) + "/sys/fs/cgroup";
  // A container may be told a path of the host that it does not see; what it does see, at the mount, is then its own.
  double least = std::fmin(quotaOf(mount), quotaOf(mount + "/cpu"));
  FILE* file = std::fopen((std::string(root) + "/proc/self/cgroup").c_str(), "r");
  char line[4096];
  while (file && std::fgets(line, sizeof line, file)) {  // "hierarchy:controllers:/path", no controllers in version 2
    line[std::strcspn(line, "\n")] = 0;
    char* controllers = std::strchr(line, ':');
    char* path = controllers ? std::strchr(controllers + 1, ':') : nullptr;
    if (!path || path[1] != '/' || std::strstr(path, "/..")) continue;
    *path++ = 0;
    const bool versionTwo = !*++controllers;
    if (!versionTwo && !hasCpu(controllers)) continue;
    const std::string base = versionTwo ? mount : mount + "/cpu";
    for (std::string group = path; !group.empty(); group.erase(group.rfind('/')))
      least = std::fmin(least, quotaOf(base + group));
  }
  if (file) std::fclose(file);
  return std::isfinite(least) ? (int)std::ceil(least) : 0;
}

int usableCpus() {
  int cpus = (int)std::thread::hardware_concurrency();
#if defined(__linux__)
  cpu_set_t mask;
  if (!sched_getaffinity(0, sizeof mask, &mask)) cpus = CPU_COUNT(&mask);
  const int quota = cpuQuota();
  if (quota > 0 && quota < cpus) cpus = quota;
#endif
  return cpus < 1 ? 1 : cpus;
}

}  // namespace vitral
