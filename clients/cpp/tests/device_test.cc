// A V4L2 device: its calls are answered by a driver in this file, since a machine of tests has no camera.
#include <gtest/gtest.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

#include "source.h"

namespace facewire::program {
namespace {

constexpr std::size_t kPage = 4096;

/// A driver whose buffers are the pages of a file: `ioctl` below hands it the calls on that file.
class Driver {
 public:
  explicit Driver(std::string bytes, std::uint32_t fourcc = V4L2_PIX_FMT_MJPEG)
      : fourcc_(fourcc), path_(testing::TempDir() + "facewire-device") {
    bytes.resize(4 * kPage);
    std::ofstream(path_, std::ios::binary) << bytes;
    present = this;
  }
  ~Driver() { present = nullptr; }

  /// A buffer that is ready.
  struct Filled {
    std::uint32_t bytes;
    std::uint32_t flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  };

  static Driver* present;
  v4l2_pix_format layout{};     ///< what the device makes of the format that is asked for, if a side is set
  std::deque<Filled> filled;    ///< in the buffer 0, one after the other
  int when_empty = EAGAIN;      ///< of a call for a filled buffer when there is none
  Filled* repeated = nullptr;   ///< ready again and again
  bool takes_back = true;       ///< empty buffers
  const std::string& path() const { return path_; }

  bool owns(int descriptor) const {
    struct stat ours {};
    struct stat theirs {};
    return stat(path_.c_str(), &ours) == 0 && fstat(descriptor, &theirs) == 0 && ours.st_ino == theirs.st_ino;
  }

  int answer(unsigned long request, void* argument) {
    switch (request) {
      case VIDIOC_QUERYCAP:
        static_cast<v4l2_capability*>(argument)->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
      case VIDIOC_S_FMT: {
        auto& asked = static_cast<v4l2_format*>(argument)->fmt.pix;
        if (layout.width != 0) asked = layout;
        asked.pixelformat = fourcc_;
        return 0;
      }
      case VIDIOC_REQBUFS:
        static_cast<v4l2_requestbuffers*>(argument)->count = 1;
        return 0;
      case VIDIOC_QUERYBUF:
        static_cast<v4l2_buffer*>(argument)->length = 4 * kPage;
        return 0;
      case VIDIOC_QBUF:
        return takes_back ? 0 : failed(ENODEV);
      case VIDIOC_STREAMON:
        return 0;
      case VIDIOC_DQBUF:
        return dequeue(*static_cast<v4l2_buffer*>(argument));
      default:
        return failed(ENOTTY);
    }
  }

 private:
  static int failed(int error) {
    errno = error;
    return -1;
  }

  int dequeue(v4l2_buffer& buffer) {
    if (repeated != nullptr && (is_turn_ = !is_turn_)) filled.push_back(*repeated);
    if (filled.empty()) return failed(when_empty);
    buffer.index = 0;
    buffer.bytesused = filled.front().bytes;
    buffer.flags = filled.front().flags;
    buffer.timestamp.tv_sec = 7;
    filled.pop_front();
    return 0;
  }

  const std::uint32_t fourcc_;
  const std::string path_;
  bool is_turn_ = false;
};

Driver* Driver::present = nullptr;

std::unique_ptr<Source> opened(const Driver& driver) {
  std::string fault;
  auto source = open_device(driver.path(), 64, 32, fault);
  EXPECT_TRUE(source) << fault;
  return source;
}

TEST(Device, WhatIsNoneIsAFault) {
  std::string fault;
  EXPECT_FALSE(open_device("/dev/null", 640, 480, fault));
  EXPECT_EQ(fault, "/dev/null: this is not a V4L2 device");
  EXPECT_FALSE(open_device("/dev/facewire-absent", 640, 480, fault));
  EXPECT_NE(fault.find("No such file"), std::string::npos) << fault;
}

TEST(Device, TheNewestPictureIsTakenWithItsTime) {
  Driver driver("older newer");
  const auto source = opened(driver);
  driver.filled = {{3}, {5}};
  std::string fault;
  const auto picture = source->next(fault);
  ASSERT_TRUE(picture) << fault;
  EXPECT_EQ(picture->image.data(), "older");
  EXPECT_EQ(picture->image.format(), v1::IMAGE_FORMAT_JPEG);
  EXPECT_EQ(picture->captured_at_us, 7'000'000);
}

TEST(Device, DamagedAndEmptyPicturesAreLeftOut) {
  Driver driver("picture");
  const auto source = opened(driver);
  driver.filled = {{7}, {0}, {3, V4L2_BUF_FLAG_ERROR}};
  std::string fault;
  EXPECT_EQ(source->next(fault)->image.data(), "picture");
}

TEST(Device, ARawPictureIsItsRowsWithoutTheRestOfTheBuffer) {
  Driver driver(std::string(4 * kPage, 'x'), V4L2_PIX_FMT_NV12);
  driver.layout.width = 60;
  driver.layout.height = 32;
  driver.layout.bytesperline = 64;
  const auto source = opened(driver);
  driver.filled = {{kPage}};
  std::string fault;
  const auto image = source->next(fault)->image;
  EXPECT_EQ(image.format(), v1::IMAGE_FORMAT_NV12);
  EXPECT_EQ(image.data().size(), 64U * 32 * 3 / 2);
  EXPECT_EQ(image.stride_bytes(), 64U);
  EXPECT_EQ(image.width_px(), 60U);
}

TEST(Device, OfRawPicturesThoseThatWereCutShortAreLeftOut) {
  Driver driver(std::string(4 * kPage, 'x'), V4L2_PIX_FMT_YUYV);
  const auto source = opened(driver);
  driver.filled = {{64 * 32 * 2}, {64 * 32 * 2 - 1}};
  std::string fault;
  const auto image = source->next(fault)->image;
  EXPECT_EQ(image.data().size(), 64U * 32 * 2);
  EXPECT_EQ(image.stride_bytes(), 128U);
}

TEST(Device, OneThatIsUnpluggedIsAFault) {
  Driver driver("picture");
  const auto source = opened(driver);
  driver.when_empty = ENODEV;
  std::string fault;
  EXPECT_FALSE(source->next(fault));
  EXPECT_EQ(fault, "the device has gone: No such device");
}

TEST(Device, OneThatTakesNoBufferBackIsAFault) {
  Driver driver("picture");
  const auto source = opened(driver);
  driver.takes_back = false;
  driver.filled = {{7}, {7}};
  std::string fault;
  EXPECT_FALSE(source->next(fault));
  EXPECT_EQ(fault, "the device has gone: No such device");
}

TEST(Device, OneThatGivesDamagedPicturesAloneIsAFault) {
  Driver driver("picture");
  const auto source = opened(driver);
  Driver::Filled damaged{7, V4L2_BUF_FLAG_ERROR};
  driver.repeated = &damaged;
  std::string fault;
  EXPECT_FALSE(source->next(fault));
  EXPECT_EQ(fault, "the device gives no whole picture");
}

TEST(Device, WithSidesThatNoPictureOfItsFormatHasItIsRefused) {
  Driver driver("picture", V4L2_PIX_FMT_NV12);
  driver.layout.width = 63;
  driver.layout.height = 32;
  std::string fault;
  EXPECT_FALSE(open_device(driver.path(), 64, 32, fault));
  EXPECT_NE(fault.find("no format"), std::string::npos) << fault;
}

}  // namespace
}  // namespace facewire::program

/// In place of the C library's, of which the name is: calls on the driver's file are answered here.
extern "C" int ioctl(int descriptor, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  using facewire::program::Driver;
  if (Driver::present != nullptr && Driver::present->owns(descriptor)) {
    return Driver::present->answer(request, argument);
  }
  return static_cast<int>(syscall(SYS_ioctl, descriptor, request, argument));
}
