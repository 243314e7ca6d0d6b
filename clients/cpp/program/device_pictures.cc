// Cuts pictures out of buffers.
#include "device_pictures.h"

#include <algorithm>
#include <utility>

#include "facewire/pictures.h"

namespace facewire::program {

std::optional<v1::Image> image_in(std::string bytes, v1::ImageFormat format, const v4l2_pix_format& layout) {
  if (format == v1::IMAGE_FORMAT_JPEG) {
    if (bytes.empty()) return std::nullopt;
    return jpeg(std::move(bytes));
  }
  const bool is_planar =
      format == v1::IMAGE_FORMAT_NV12 || format == v1::IMAGE_FORMAT_NV21 || format == v1::IMAGE_FORMAT_I420;
  const std::size_t row = is_planar ? layout.width : raw_bytes(format, layout.width, 1);
  const std::size_t stride = std::max<std::size_t>(layout.bytesperline, row);
  const std::size_t whole = is_planar ? stride * layout.height * 3 / 2 : stride * layout.height;
  if (bytes.size() < whole) return std::nullopt;
  bytes.resize(whole);
  auto image = raw(format, layout.width, layout.height, std::move(bytes));
  image.set_stride_bytes(static_cast<std::uint32_t>(stride));
  return image;
}

}  // namespace facewire::program
