// What a V4L2 device's buffers hold.
#pragma once

#include <linux/videodev2.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "facewire/v1/face.pb.h"

namespace facewire::program {

struct DeviceFormat {
  std::uint32_t fourcc;
  v1::ImageFormat format;
};

/// What is asked for, the best first: a JPEG is the smallest on the way.
constexpr std::array<DeviceFormat, 10> kDeviceFormats{{{V4L2_PIX_FMT_MJPEG, v1::IMAGE_FORMAT_JPEG},
                                                       {V4L2_PIX_FMT_JPEG, v1::IMAGE_FORMAT_JPEG},
                                                       {V4L2_PIX_FMT_NV12, v1::IMAGE_FORMAT_NV12},
                                                       {V4L2_PIX_FMT_NV21, v1::IMAGE_FORMAT_NV21},
                                                       {V4L2_PIX_FMT_YUV420, v1::IMAGE_FORMAT_I420},
                                                       {V4L2_PIX_FMT_YUYV, v1::IMAGE_FORMAT_YUYV},
                                                       {V4L2_PIX_FMT_UYVY, v1::IMAGE_FORMAT_UYVY},
                                                       {V4L2_PIX_FMT_RGB24, v1::IMAGE_FORMAT_RGB8},
                                                       {V4L2_PIX_FMT_BGR24, v1::IMAGE_FORMAT_BGR8},
                                                       {v4l2_fourcc('G', 'R', 'E', 'Y'), v1::IMAGE_FORMAT_GRAY8}}};

/// Returns the picture in a buffer's bytes; nothing if it was cut short. Bytes after a raw picture are left out: a
/// driver's buffer may be whole pages, and a server takes no more than the rows.
std::optional<v1::Image> image_in(std::string bytes, v1::ImageFormat format, const v4l2_pix_format& layout);

}  // namespace facewire::program
