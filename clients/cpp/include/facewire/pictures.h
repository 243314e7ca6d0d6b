// Pictures as a frame carries them: a file, or the rows of a raw picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "facewire/v1/face.pb.h"

namespace facewire {

/// Returns a JPEG as a picture. The bytes are moved.
v1::Image jpeg(std::string bytes);

/// Returns a raw picture whose rows lie close together. The bytes are moved. For padded rows set `stride_bytes`
/// of what this returns; the contract says which fields each format has.
v1::Image raw(v1::ImageFormat format, std::uint32_t width_px, std::uint32_t height_px, std::string bytes);

/// Returns the bytes of a raw picture whose rows lie close together; 0 if the format is not raw, or the
/// contract takes no picture of this size in it: sides of 1 to 65535 pixels, even if pixels share colors.
std::size_t raw_bytes(v1::ImageFormat format, std::uint32_t width_px, std::uint32_t height_px);

}  // namespace facewire
