#include "mpi-library.h"

#include <dlfcn.h>

#include <algorithm>
#include <stdexcept>

namespace vitral {

namespace {

// Handles are addresses of variables of the library.
struct OpenMpi {
  using Handle = void*;
  static constexpr intptr_t inPlace = 1, ignoredStatus = 0;
  static constexpr int anySource = -1;
  static constexpr size_t longestText = 512;
  static Handle handle(void* library, const char* name) {
    void* address = dlsym(library, name);
    if (!address) throw std::runtime_error(std::string("the MPI that is installed lacks ") + name);
    return address;
  }
  static Handle world(void* library) { return handle(library, "ompi_mpi_comm_world"); }
  static Handle byte(void* library) { return handle(library, "ompi_mpi_byte"); }
  static Handle errorsReturn(void* library) { return handle(library, "ompi_mpi_errors_return"); }
};

// Handles are the numbers of the ABI that MPICH and its relatives agreed on: https://www.mpich.org/abi
struct Mpich {
  using Handle = int;
  static constexpr intptr_t inPlace = -1, ignoredStatus = 1;
  static constexpr int anySource = -2;
  static constexpr size_t longestText = 8192;
  static Handle world(void*) { return 0x44000000; }
  static Handle byte(void*) { return 0x4c00010d; }
  static Handle errorsReturn(void*) { return 0x54000001; }
};

template <class Abi>
class Library : public MpiLibrary {
 public:
  using Handle = typename Abi::Handle;

  explicit Library(void* library) : library_(library), byte_(Abi::byte(library)) {
    int done = 0;
    check(function<int(int*)>("MPI_Finalized")(&done));
    if (done) throw std::runtime_error("MPI has been ended in this process; it can be begun once");
    int begun = 0, level = 0;
    check(function<int(int*)>("MPI_Initialized")(&begun));
    constexpr int funneled = 1;  // MPI_THREAD_FUNNELED: in this thread alone
    if (!begun) check(function<int(int*, char***, int, int*)>("MPI_Init_thread")(nullptr, nullptr, funneled, &level));
    check(function<int(Handle, Handle*)>("MPI_Comm_dup")(Abi::world(library), &group_));
    check(function<int(Handle, Handle)>("MPI_Comm_set_errhandler")(group_, Abi::errorsReturn(library)));
    check(function<int(Handle, int*)>("MPI_Comm_rank")(group_, &rank_));
    check(function<int(Handle, int*)>("MPI_Comm_size")(group_, &worldSize_));
  }

  std::string version() const override {
    std::string text(Abi::longestText, '\0');
    int length = 0;
    check(function<int(char*, int*)>("MPI_Get_library_version")(text.data(), &length));
    return text.substr(0, std::min((size_t)length, text.find_first_of(",\n")));
  }

  int rank() const override { return rank_; }
  int worldSize() const override { return worldSize_; }

  Request beginBroadcast(void* bytes, int size, int root) override {
    return begin([&](Handle* request) { return broadcast_(bytes, size, byte_, root, group_, request); });
  }

  Request beginGather(const void* own, int size, void* all) override {
    return begin([&](Handle* request) { return gather_(own, size, byte_, all, size, byte_, group_, request); });
  }

  Request beginGatherParts(void* all, const Parts& parts) override {
    return begin([&](Handle* request) {
      return gatherParts_((const void*)Abi::inPlace, 0, byte_, all, parts.sizes.data(), parts.offsets.data(), byte_,
                          group_, request);
    });
  }

  Request beginExchange(const void* sent, const Parts& sends, void* received, const Parts& receives) override {
    return begin([&](Handle* request) {
      return exchange_(sent, sends.sizes.data(), sends.offsets.data(), byte_, received, receives.sizes.data(),
                       receives.offsets.data(), byte_, group_, request);
    });
  }

  Request beginSend(const void* bytes, int size, int to, int tag) override {
    return begin([&](Handle* request) { return send_(bytes, size, byte_, to, tag, group_, request); });
  }

  bool receive(void* bytes, int size, int tag) override {
    int there = 0;
    check(probe_(Abi::anySource, tag, group_, &there, (void*)Abi::ignoredStatus));
    if (there) check(receive_(bytes, size, byte_, Abi::anySource, tag, group_, (void*)Abi::ignoredStatus));
    return there != 0;
  }

  bool done(Request& request) override {
    Handle handle = (Handle)request;
    int ended = 0;
    check(test_(&handle, &ended, (void*)Abi::ignoredStatus));
    request = (Request)handle;
    return ended != 0;
  }

  void finish() override { check(function<int()>("MPI_Finalize")()); }

 private:
  template <class Signature>
  Signature* function(const char* name) const {
    void* address = dlsym(library_, name);
    if (!address) throw std::runtime_error(std::string("the MPI that is installed lacks ") + name);
    return reinterpret_cast<Signature*>(address);
  }

  template <class Call>
  Request begin(const Call& call) {
    Handle request{};
    check(call(&request));
    return (Request)request;
  }

  void check(int code) const {
    if (code == 0) return;
    std::string text(Abi::longestText, '\0');
    int length = 0;
    function<int(int, char*, int*)>("MPI_Error_string")(code, text.data(), &length);
    throw std::runtime_error("MPI failed: " + text.substr(0, (size_t)length));
  }

  void* library_;
  Handle byte_, group_{};
  int rank_ = 0, worldSize_ = 0;

  // Called again and again.
  int (*broadcast_)(void*, int, Handle, int, Handle,
                    Handle*) = function<int(void*, int, Handle, int, Handle, Handle*)>("MPI_Ibcast");
  int (*gather_)(const void*, int, Handle, void*, int, Handle, Handle, Handle*) =
      function<int(const void*, int, Handle, void*, int, Handle, Handle, Handle*)>("MPI_Iallgather");
  int (*gatherParts_)(const void*, int, Handle, void*, const int*, const int*, Handle, Handle, Handle*) =
      function<int(const void*, int, Handle, void*, const int*, const int*, Handle, Handle, Handle*)>(
          "MPI_Iallgatherv");
  int (*exchange_)(const void*, const int*, const int*, Handle, void*, const int*, const int*, Handle, Handle,
                   Handle*) = function<int(const void*, const int*, const int*, Handle, void*, const int*, const int*,
                                           Handle, Handle, Handle*)>("MPI_Ialltoallv");
  int (*send_)(const void*, int, Handle, int, int, Handle,
               Handle*) = function<int(const void*, int, Handle, int, int, Handle, Handle*)>("MPI_Isend");
  int (*receive_)(void*, int, Handle, int, int, Handle,
                  void*) = function<int(void*, int, Handle, int, int, Handle, void*)>("MPI_Recv");
  int (*probe_)(int, int, Handle, int*, void*) = function<int(int, int, Handle, int*, void*)>("MPI_Iprobe");
  int (*test_)(Handle*, int*, void*) = function<int(Handle*, int*, void*)>("MPI_Test");
};

}  // namespace

std::unique_ptr<MpiLibrary> MpiLibrary::load(const std::vector<std::string>& names) {
  std::string reasons;
  for (const std::string& name : names) {
    // Open MPI's own modules look for its symbols among all that are loaded.
    void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (library && dlsym(library, "ompi_mpi_comm_world")) return std::make_unique<Library<OpenMpi>>(library);
    if (library && dlsym(library, "MPI_Init_thread")) return std::make_unique<Library<Mpich>>(library);
    reasons += "\n  " + (library ? name + " is no MPI" : std::string(dlerror()));
  }
  throw std::runtime_error(
      "No MPI is installed here: on Debian, apt-get install openmpi-bin; VITRAL_MPI names another file" + reasons);
}

}  // namespace vitral
