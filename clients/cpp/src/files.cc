// Reads by `read`, which notes a fault of the medium; the iterators of a stream throw it.
#include "files.h"

#include <array>
#include <fstream>

namespace facewire {
namespace {

constexpr std::size_t kPartBytes = 16 << 10;  // Chosen, not measured.

}  // namespace

std::optional<std::string> contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kPartBytes> part;
  std::string bytes;
  while (file.read(part.data(), part.size()), file.gcount() > 0) {
    bytes.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) return std::nullopt;
  return bytes;
}

}  // namespace facewire
