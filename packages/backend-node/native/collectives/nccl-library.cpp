#include "nccl-library.h"

#include <dlfcn.h>

#include <stdexcept>

namespace vitral {

LoadedLibrary::LoadedLibrary(const std::vector<std::string>& names, const std::string& missing) {
  std::string reasons;
  for (const std::string& name : names) {
    library_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    name_ = name;
    if (library_) return;
    reasons += "\n  " + std::string(dlerror());
  }
  throw std::runtime_error(missing + reasons);
}

void* LoadedLibrary::symbol(const char* name) const {
  void* address = dlsym(library_, name);
  if (!address) throw std::runtime_error(name_ + " lacks " + name + "; another version of it is needed");
  return address;
}

Cuda::Cuda(const std::vector<std::string>& names) {
  const LoadedLibrary library(
      names,
      "No CUDA runtime is installed here: it comes with NVIDIA's CUDA toolkit, 11 to 13 (on Debian, apt-get install "
      "libcudart11.0); VITRAL_CUDART names another file");
  library.bind(getDeviceCount, "cudaGetDeviceCount");
  library.bind(setDevice, "cudaSetDevice");
  library.bind(getBusId, "cudaDeviceGetPCIBusId");
  library.bind(allocate, "cudaMalloc");
  library.bind(release, "cudaFree");
  library.bind(allocateHost, "cudaMallocHost");
  library.bind(releaseHost, "cudaFreeHost");
  library.bind(createStream, "cudaStreamCreateWithFlags");
  library.bind(destroyStream, "cudaStreamDestroy");
  library.bind(queryStream, "cudaStreamQuery");
  library.bind(copyAsync, "cudaMemcpyAsync");
  library.bind(errorText, "cudaGetErrorString");
}

void Cuda::check(int code, const char* what) const {
  if (code != 0) throw std::runtime_error(std::string("CUDA could not ") + what + ": " + errorText(code));
}

NcclLibrary::NcclLibrary(const std::vector<std::string>& names) {
  const LoadedLibrary library(
      names,
      "No NCCL is installed here: NVIDIA's package libnccl2 has it (https://developer.nvidia.com/nccl); VITRAL_NCCL "
      "names another file");
  int (*getVersion)(int*);
  library.bind(getVersion, "ncclGetVersion");
  library.bind(errorText, "ncclGetErrorString");
  check(getVersion(&version), "say its version");
  if (version < oldest)
    throw std::runtime_error("The NCCL that is installed has the version code " + std::to_string(version) +
                             "; expected " + std::to_string(oldest) + " (2.14.0) or later");
  library.bind(getUniqueId, "ncclGetUniqueId");
  library.bind(create, "ncclCommInitRankConfig");
  library.bind(allReduce, "ncclAllReduce");
  library.bind(asyncError, "ncclCommGetAsyncError");
  library.bind(finalize, "ncclCommFinalize");
  library.bind(destroy, "ncclCommDestroy");
  library.bind(abort, "ncclCommAbort");
}

void NcclLibrary::check(int code, const char* what) const {
  if (code != success && code != inProgress)
    throw std::runtime_error(std::string("NCCL could not ") + what + ": " + errorText(code));
}

}  // namespace vitral
