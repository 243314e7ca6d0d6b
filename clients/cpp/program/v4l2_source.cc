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
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "device_pictures.h"
#include "facewire/camera.h"
#include "source.h"

namespace facewire::program {
namespace {

constexpr std::uint32_t kBuffers = 4;  // of the driver. Chosen, not measured.
constexpr std::chrono::seconds kPatience{5};  // for a picture; then the device counts as gone. Chosen, not measured.
constexpr int kLookMs = 100;  // between two looks at the time. Chosen, not measured.

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

  std::optional<Picture> next(std::string& fault) override {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < end) {
      pollfd waiting{descriptor_, POLLIN, 0};
      if (poll(&waiting, 1, kLookMs) < 0 && errno != EINTR) break;
      std::optional<Picture> newest;
      v4l2_buffer buffer{};
      while (take(buffer)) {
        if (auto picture = picture_in(buffer)) newest = std::move(picture);
        if (!control(VIDIOC_QBUF, &buffer)) break;
      }
      if (errno != EAGAIN) break;
      if (newest) return newest;
    }
    fault = errno == EAGAIN ? "the device gives no whole picture" : last_fault("the device has gone");
    return std::nullopt;
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
    for (const auto& wanted : kDeviceFormats) {
      v4l2_format asked{};
      asked.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
      asked.fmt.pix.width = width_px;
      asked.fmt.pix.height = height_px;
      asked.fmt.pix.pixelformat = wanted.fourcc;
      asked.fmt.pix.field = V4L2_FIELD_NONE;
      if (!control(VIDIOC_S_FMT, &asked) || asked.fmt.pix.pixelformat != wanted.fourcc) continue;
      const bool is_raw = wanted.format != v1::IMAGE_FORMAT_JPEG;
      if (is_raw && raw_bytes(wanted.format, asked.fmt.pix.width, asked.fmt.pix.height) == 0) continue;
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

  /// Returns the picture in a buffer; nothing if it is damaged or cut short.
  std::optional<Picture> picture_in(const v4l2_buffer& buffer) const {
    if (buffer.flags & V4L2_BUF_FLAG_ERROR || buffer.index >= buffers_.size()) return std::nullopt;
    const auto& mapped = buffers_[buffer.index];
    std::string bytes(static_cast<const char*>(mapped.start), std::min<std::size_t>(buffer.bytesused, mapped.size));
    auto image = image_in(std::move(bytes), format_, layout_);
    if (!image) return std::nullopt;
    const bool is_monotonic =
        (buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    const auto stamp_us =
        static_cast<std::int64_t>(buffer.timestamp.tv_sec) * 1'000'000 + buffer.timestamp.tv_usec;
    return Picture{*std::move(image), is_monotonic ? stamp_us : monotonic_us()};
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
