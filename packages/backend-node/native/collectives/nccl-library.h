// NVIDIA's NCCL and CUDA runtime that are installed, loaded when they are first asked for; nothing of them is needed to
// compile this. What is called is of NCCL 2.14, whose binary interface later ones keep, and of CUDA 11 to 13:
// https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/api.html, https://docs.nvidia.com/cuda/cuda-runtime-api
//
// A communicator does not block: what returns `inProgress` has ended once asyncError() says something else.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vitral {

// A shared library that has been opened.
class LoadedLibrary {
 public:
  // `names` are files as dlopen finds them, of which the first that is there is taken. Throws `missing` and why each is
  // not.
  LoadedLibrary(const std::vector<std::string>& names, const std::string& missing);

  template <class Signature>
  void bind(Signature*& function, const char* name) const {
    function = reinterpret_cast<Signature*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;
  void* library_ = nullptr;
  std::string name_;
};

struct Cuda {
  enum Copy : int { toDevice = 1, toHost = 2 };
  using Stream = void*;
  static constexpr int notReady = 600;
  static constexpr unsigned ownOrder = 1;  // cudaStreamNonBlocking: it waits for no other stream

  explicit Cuda(const std::vector<std::string>& names);
  // Throws where the code is an error.
  void check(int code, const char* what) const;

  int (*getDeviceCount)(int* count);
  int (*setDevice)(int device);
  int (*getBusId)(char* id, int length, int device);  // the same in every process, whatever devices it may see
  int (*allocate)(void** memory, size_t bytes);
  int (*release)(void* memory);
  int (*allocateHost)(void** memory, size_t bytes);
  int (*releaseHost)(void* memory);
  int (*createStream)(Stream* stream, unsigned flags);
  int (*destroyStream)(Stream stream);
  int (*queryStream)(Stream stream);
  int (*copyAsync)(void* to, const void* from, size_t bytes, int kind, Stream stream);
  const char* (*errorText)(int code);
};

struct NcclLibrary {
  using Communicator = void*;
  enum Result : int { success = 0, inProgress = 7 };
  static constexpr int float32 = 7, sum = 0;
  static constexpr int oldest = 21400;  // the first whose communicators need not block
  struct UniqueId {
    char bytes[128];
  };
  // As 2.14 had it; later ones know by its size and version what it lacks.
  struct Config {
    size_t size = sizeof(Config);
    unsigned magic = 0xcafebeef, version = oldest;
    int blocking = 0;
  };

  explicit NcclLibrary(const std::vector<std::string>& names);
  void check(int code, const char* what) const;

  int version = 0;
  int (*getUniqueId)(UniqueId* id);
  int (*create)(Communicator* communicator, int worldSize, UniqueId id, int rank, Config* config);
  int (*allReduce)(const void* from, void* to, size_t count, int type, int operation, Communicator, Cuda::Stream);
  int (*asyncError)(Communicator, int* code);
  int (*finalize)(Communicator);
  int (*destroy)(Communicator);
  int (*abort)(Communicator);
  const char* (*errorText)(int code);
};

}  // namespace vitral
