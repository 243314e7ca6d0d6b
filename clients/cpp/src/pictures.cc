// Makes pictures of bytes.
#include "facewire/pictures.h"

#include <utility>

namespace facewire {
namespace {

constexpr std::uint32_t kLargestSidePx = 65535;  // the contract's

}  // namespace

v1::Image jpeg(std::string bytes) {
  v1::Image image;
  image.set_format(v1::IMAGE_FORMAT_JPEG);
  image.set_data(std::move(bytes));
  return image;
}

v1::Image raw(v1::ImageFormat format, std::uint32_t width_px, std::uint32_t height_px, std::string bytes) {
  v1::Image image;
  image.set_format(format);
  image.set_width_px(width_px);
  image.set_height_px(height_px);
  image.set_data(std::move(bytes));
  return image;
}

std::size_t raw_bytes(v1::ImageFormat format, std::uint32_t width_px, std::uint32_t height_px) {
  if (width_px == 0 || height_px == 0 || width_px > kLargestSidePx || height_px > kLargestSidePx) return 0;
  const std::size_t pixels = static_cast<std::size_t>(width_px) * height_px;
  const bool is_width_even = width_px % 2 == 0;
  switch (format) {
    case v1::IMAGE_FORMAT_GRAY8:
      return pixels;
    case v1::IMAGE_FORMAT_RGB8:
    case v1::IMAGE_FORMAT_BGR8:
      return 3 * pixels;
    case v1::IMAGE_FORMAT_BGRA8:
      return 4 * pixels;
    case v1::IMAGE_FORMAT_YUYV:
    case v1::IMAGE_FORMAT_UYVY:
      return is_width_even ? 2 * pixels : 0;
    case v1::IMAGE_FORMAT_NV12:
    case v1::IMAGE_FORMAT_NV21:
    case v1::IMAGE_FORMAT_I420:
      return is_width_even && height_px % 2 == 0 ? pixels + pixels / 2 : 0;
    default:
      return 0;
  }
}

}  // namespace facewire
