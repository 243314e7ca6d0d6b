// Raw pictures have the bytes that the contract says.
#include "facewire/pictures.h"

#include <gtest/gtest.h>

namespace facewire {
namespace {

TEST(Pictures, ARawPictureHasTheBytesOfItsFormat) {
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_GRAY8, 3, 5), 15U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_RGB8, 3, 5), 45U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_BGRA8, 3, 5), 60U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_YUYV, 4, 5), 40U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_NV12, 640, 480), 460800U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_I420, 640, 480), 460800U);
}

TEST(Pictures, SizesThatTheContractDoesNotTakeHaveNone) {
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_YUYV, 3, 5), 0U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_NV12, 640, 481), 0U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_RGB8, 0, 5), 0U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_RGB8, 65536, 1), 0U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_JPEG, 640, 480), 0U);
  EXPECT_EQ(raw_bytes(v1::IMAGE_FORMAT_RGB8, 65535, 65535), 12884508675U) << "more than 32 bits";
}

TEST(Pictures, APictureKeepsItsBytes) {
  EXPECT_EQ(jpeg("bytes").data(), "bytes");
  const auto image = raw(v1::IMAGE_FORMAT_GRAY8, 2, 3, "pixels");
  EXPECT_EQ(image.width_px(), 2U);
  EXPECT_EQ(image.height_px(), 3U);
  EXPECT_EQ(image.format(), v1::IMAGE_FORMAT_GRAY8);
}

}  // namespace
}  // namespace facewire
