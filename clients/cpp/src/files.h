// Reads a file whole.
#pragma once

#include <optional>
#include <string>

namespace facewire {

/// Returns the bytes of a file; nothing if it cannot be opened, or not be read to its end.
std::optional<std::string> contents_of(const std::string& path);

}  // namespace facewire
