// The MPI that is installed, loaded when it is first asked for: Open MPI, or MPICH and what has its binary interface
// (Intel MPI, MVAPICH). Nothing is needed to compile this, since the two differ in the types of their handles, and
// which one runs is known only under its mpirun. MPI-3.1: https://www.mpi-forum.org/docs/mpi-3.1/mpi31-report.pdf
//
// All calls come from the thread that calls load(). Amounts are of bytes. What a call begins has ended once done() says
// so; until then its memory belongs to MPI.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vitral {

class MpiLibrary {
 public:
  using Request = uintptr_t;
  // Where each rank's part of an array lies.
  struct Parts {
    std::vector<int> sizes, offsets;
  };

  // Begins MPI, with a communicator of its own. `names` are files as dlopen finds them, of which the first that is
  // there is taken. Throws when none is, or when MPI has been ended in this process: it begins once.
  static std::unique_ptr<MpiLibrary> load(const std::vector<std::string>& names);
  virtual ~MpiLibrary() = default;

  virtual std::string version() const = 0;
  virtual int rank() const = 0;
  virtual int worldSize() const = 0;

  virtual Request beginBroadcast(void* bytes, int size, int root) = 0;
  // Everyone's bytes, of equal sizes, into all, by rank.
  virtual Request beginGather(const void* own, int size, void* all) = 0;
  // Everyone has its own part of `all`, and gets the others'.
  virtual Request beginGatherParts(void* all, const Parts& parts) = 0;
  // Sends each rank its part, and receives a part from each.
  virtual Request beginExchange(const void* sent, const Parts& sends, void* received, const Parts& receives) = 0;

  virtual Request beginSend(const void* bytes, int size, int to, int tag) = 0;
  // Whether a message of that tag had come, which is then received.
  virtual bool receive(void* bytes, int size, int tag) = 0;

  virtual bool done(Request& request) = 0;
  // Ends MPI in this process; all processes must come to it.
  virtual void finish() = 0;
};

}  // namespace vitral
