// The file of a segment while processes meet in it: who of them is there, and whether it is still the one of its name.
#pragma once

#include <fcntl.h>

#include <string>

namespace vitral {

// A lock on the byte of a rank, or on those of all.
struct flock lockOf(int rank = -1);

// Whether the path still names the file.
bool isCurrent(int file, const std::string& path);

// Whether a process holds the byte of its rank, or may.
bool anyoneThere(int file);

}  // namespace vitral
