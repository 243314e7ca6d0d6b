// Where pictures come from: a folder of files, or a device.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "facewire/pictures.h"

namespace facewire::program {

struct Picture {
  v1::Image image;
  std::int64_t captured_at_us = 0;  ///< CLOCK_MONOTONIC
};

class Source {
 public:
  virtual ~Source() = default;

  /// Returns the next picture, of a device the newest; nothing after the last one, or with a text if a device has gone.
  virtual std::optional<Picture> next(std::string& fault) = 0;
};

/// Opens a folder of JPEGs, in the order of their names. Null with a text if there is none.
std::unique_ptr<Source> open_folder(const std::string& path, bool is_repeated, std::string& fault);

/// Opens a V4L2 device. Null with a text if it cannot be used.
std::unique_ptr<Source> open_device(const std::string& path, std::uint32_t width_px, std::uint32_t height_px,
                                    std::string& fault);

}  // namespace facewire::program
