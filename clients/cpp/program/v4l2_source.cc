// A V4L2 device as a camera: its driver's buffers, mapped; the newest picture of those that wait.
//
// Source: https://docs.kernel.org/userspace-api/media/v4l/capture.c.html and the pages of the calls below.
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "facewire/camera.h"
#include "source.h"

namespace facewire::program {
namespace {

constexpr std::uint32_t kBuffers = 4;  // of the driver. Chosen, not measured.
constexpr int kPatienceMs = 5'000;     // for a picture; then the device counts as gone. Chosen, not measured.

struct Format {
  std::uint32_t fourcc;
  v1::ImageFormat format;
};

/// What is asked for, the best first: a JPEG is the smallest on the way.
constexpr std::array<Format, 10> kFormats{{{V4L2_PIX_FMT_MJPEG, v1::IMAGE_FORMAT_JPEG},
                                           {V4L2_PIX_FMT_JPEG, v1::IMAGE_FORMAT_JPEG},
                                           {V4L2_PIX_FMT_NV12, v1::IMAGE_FORMAT_NV12},
                                           {V4L2_PIX_FMT_NV21, v1::IMAGE_FORMAT_NV21},
                                           {V4L2_PIX_FMT_YUV420, v1::IMAGE_FORMAT_I420},
                                           {V4L2_PIX_FMT_YUYV, v1::IMAGE_FORMAT_YUYV},
                                           {V4L2_PIX_FMT_UYVY, v1::IMAGE_FORMAT_UYVY},
                                           {V4L2_PIX_FMT_RGB24, v1::IMAGE_FORMAT_RGB8},
                                           {V4L2_PIX_FMT_BGR24, v1::IMAGE_FORMAT_BGR8},
                                           {v4l2_fourcc('G', 'R', 'E', 'Y'), v1::IMAGE_FORMAT_GRAY8}}};

/// One mapped buffer of the driver.
struct Mapped {
  void* start = MAP_FAILED;
  std::size_t size = 0;
};

class DeviceSource : public Source {
 public:
  ~DeviceSource() override {
    for (const auto& buffer : buffers_) munmap(buffer.start, buffer.size);
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Opens the device and starts it. Returns what went wrong; an empty text: nothing.
  std::string open(const std::string& path, std::uint32_t width_px, std::uint32_t height_px) {
    descriptor_ = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (descriptor_ < 0) return last_fault("open");
    v4l2_capability capability{};
    if (!control(VIDIOC_QUERYCAP, &capability)) return "this is not a V4L2 device";
    const auto flags =
        (capability.capabilities & V4L2_CAP_DEVICE_CAPS) ? capability.device_caps : capability.capabilities;
    if (!(flags & V4L2_CAP_VIDEO_CAPTURE) || !(flags & V4L2_CAP_STREAMING)) return "the device takes no pictures";
    if (!choose(width_px, height_px)) return "the device has no format that a facewire server takes";
    return map_buffers();
  }

  std::optional<Picture> next() override {
    std::optional<Picture> newest;
    pollfd waiting{descriptor_, POLLIN, 0};
    while (!newest) {
      if (poll(&waiting, 1, kPatienceMs) <= 0) return std::nullopt;
      v4l2_buffer buffer{};
      while (take(buffer)) {
        if (!(buffer.flags & V4L2_BUF_FLAG_ERROR)) newest = picture_in(buffer);
        if (!control(VIDIOC_QBUF, &buffer)) return std::nullopt;
      }
      if (errno != EAGAIN) return std::nullopt;  // unplugged
    }
    return newest;
  }

 private:
  bool control(unsigned long request, void* argument) const {
    int result = 0;
    do {
      result = ioctl(descriptor_, request, argument);
    } while (result < 0 && errno == EINTR);
    return result >= 0;
  }

  static std::string last_fault(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

  bool choose(std::uint32_t width_px, std::uint32_t height_px) {
    for (const auto& wanted : kFormats) {
      v4l2_format asked{};
      asked.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
      asked.fmt.pix.width = width_px;
      asked.fmt.pix.height = height_px;
      asked.fmt.pix.pixelformat = wanted.fourcc;
      asked.fmt.pix.field = V4L2_FIELD_NONE;
      if (!control(VIDIOC_S_FMT, &asked) || asked.fmt.pix.pixelformat != wanted.fourcc) continue;
      format_ = wanted.format;
      layout_ = asked.fmt.pix;
      return true;
    }
    return false;
  }

  std::string map_buffers() {
    v4l2_requestbuffers asked{};
    asked.count = kBuffers;
    asked.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    asked.memory = V4L2_MEMORY_MMAP;
    if (!control(VIDIOC_REQBUFS, &asked) || asked.count == 0) return last_fault("buffers");
    for (std::uint32_t index = 0; index < asked.count; ++index) {
      v4l2_buffer buffer = numbered(index);
      if (!control(VIDIOC_QUERYBUF, &buffer)) return last_fault("buffers");
      Mapped mapped;
      mapped.size = buffer.length;
      mapped.start = mmap(nullptr, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, buffer.m.offset);
      if (mapped.start == MAP_FAILED) return last_fault("mmap");
      buffers_.push_back(mapped);
      if (!control(VIDIOC_QBUF, &buffer)) return last_fault("buffers");
    }
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    return control(VIDIOC_STREAMON, &type) ? "" : last_fault("start");
  }

  static v4l2_buffer numbered(std::uint32_t index) {
    v4l2_buffer buffer{};
    buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer.memory = V4L2_MEMORY_MMAP;
    buffer.index = index;
    return buffer;
  }

  /// Takes a filled buffer from the driver. Returns whether there was one; `errno` is EAGAIN if not.
  bool take(v4l2_buffer& buffer) const {
    buffer = numbered(0);
    return control(VIDIOC_DQBUF, &buffer);
  }

  Picture picture_in(const v4l2_buffer& buffer) const {
    const auto& mapped = buffers_[buffer.index];
    std::string bytes(static_cast<const char*>(mapped.start), std::min<std::size_t>(buffer.bytesused, mapped.size));
    const bool is_monotonic =
        (buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    const auto stamp_us =
        static_cast<std::int64_t>(buffer.timestamp.tv_sec) * 1'000'000 + buffer.timestamp.tv_usec;
    const auto captured_at_us = is_monotonic ? stamp_us : monotonic_us();
    if (format_ == v1::IMAGE_FORMAT_JPEG) return {jpeg(std::move(bytes)), captured_at_us};
    auto image = raw(format_, layout_.width, layout_.height, std::move(bytes));
    image.set_stride_bytes(layout_.bytesperline);
    return {std::move(image), captured_at_us};
  }

  int descriptor_ = -1;
  v1::ImageFormat format_ = v1::IMAGE_FORMAT_UNSPECIFIED;
  v4l2_pix_format layout_{};
  std::vector<Mapped> buffers_;
};

}  // namespace

std::unique_ptr<Source> open_device(const std::string& path, std::uint32_t width_px, std::uint32_t height_px,
                                    std::string& fault) {
  auto source = std::make_unique<DeviceSource>();
  fault = source->open(path, width_px, height_px);
  if (fault.empty()) return source;
  fault = path + ": " + fault;
  return nullptr;
}

}  // namespace facewire::program
