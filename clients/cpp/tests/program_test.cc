// The program's flags, its folder, its device and its lines.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <vector>

#include "options.h"
#include "pace.h"
#include "printing.h"
#include "source.h"

namespace facewire::program {
namespace {

Parsed parsed(std::vector<std::string> words, CommandLine& into, std::string& fault) {
  words.insert(words.begin(), "camera");
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return parse(static_cast<int>(words.size()), pointers.data(), into, fault);
}

TEST(Options, FlagsAreRead) {
  CommandLine found;
  std::string fault;
  ASSERT_EQ(parsed({"--server", "door:1", "--fps=2.5", "--every-frame", "folder", "--size", "640x480", "--token-file", "t"},
                   found, fault),
            Parsed::kRun)
      << fault;
  EXPECT_EQ(found.server, "door:1");
  EXPECT_EQ(found.fps, 2.5);
  EXPECT_TRUE(found.every_frame);
  EXPECT_FALSE(found.is_repeated);
  EXPECT_EQ(found.width_px, 640U);
  EXPECT_EQ(found.height_px, 480U);
  EXPECT_EQ(found.credentials.token, "t");
  EXPECT_EQ(found.source, "folder");
}

TEST(Options, WhatIsWrongIsSaid) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"one", "two"},
      {"--fps", "0", "folder"},
      {"--fps", "nan", "folder"},
      {"--fps", "10x", "folder"},
      {"--size", "640", "folder"},
      {"--size", "640x", "folder"},
      {"--size", "640x70000", "folder"},
      {"--fsp", "10", "folder"},
      {"folder", "--gallery"},
      {"--camera=", "folder"}};
  for (const auto& words : wrong) {
    CommandLine found;
    std::string fault;
    EXPECT_EQ(parsed(words, found, fault), Parsed::kFault) << testing::PrintToString(words);
    EXPECT_NE(fault, "");
  }
}

std::string folder_with(const std::vector<std::string>& names) {
  const auto path = std::filesystem::path(testing::TempDir()) / "facewire-folder";
  std::filesystem::remove_all(path);
  std::filesystem::create_directory(path);
  for (const auto& name : names) std::ofstream(path / name) << name;
  return path.string();
}

TEST(Folder, PicturesComeInTheOrderOfTheirNames) {
  std::string fault;
  const auto source = open_folder(folder_with({"2.jpg", "1.jpeg", "notes.txt", "3.JPG"}), false, fault);
  ASSERT_TRUE(source) << fault;
  EXPECT_EQ(source->next(fault)->image.data(), "1.jpeg");
  EXPECT_EQ(source->next(fault)->image.data(), "2.jpg");
  EXPECT_EQ(source->next(fault)->image.data(), "3.JPG");
  EXPECT_FALSE(source->next(fault));
}

TEST(Folder, OrAgainAndAgain) {
  std::string fault;
  const auto source = open_folder(folder_with({"1.jpg", "2.jpg"}), true, fault);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(source->next(fault)->image.data(), "1.jpg");
    EXPECT_EQ(source->next(fault)->image.data(), "2.jpg");
  }
}

TEST(Folder, APictureThatCannotBeReadIsEmptyAndTheNextOneFollows) {
  const auto folder = folder_with({"2.jpg"});
  std::filesystem::create_directory(std::filesystem::path(folder) / "1.jpg");
  std::string fault;
  const auto source = open_folder(folder, false, fault);
  ASSERT_TRUE(source) << fault;
  EXPECT_EQ(source->next(fault)->image.data(), "");
  EXPECT_EQ(source->next(fault)->image.data(), "2.jpg");
}

TEST(Folder, WithoutAJpegIsAFault) {
  std::string fault;
  EXPECT_FALSE(open_folder(folder_with({"notes.txt"}), false, fault));
  EXPECT_NE(fault.find("no JPEG"), std::string::npos);
}

TEST(Lines, AResultNamesItsFaces) {
  v1::FrameResult result;
  result.set_sequence(12);
  result.set_status(v1::FRAME_STATUS_OK);
  result.set_captured_at_us(1'000'000);
  EXPECT_EQ(line_of(result, 0), "frame 12 OK");
  auto* known = result.add_faces()->mutable_decision();
  known->set_outcome(v1::OUTCOME_KNOWN);
  known->set_display_name("Ada");
  result.add_faces()->mutable_decision()->set_outcome(v1::OUTCOME_UNKNOWN);
  EXPECT_EQ(line_of(result, 1'043'120), "frame 12 OK 43.1 ms: Ada, unknown");
}

TEST(Lines, AnyNumberOfAServerHasALine) {
  v1::FrameResult result;
  result.set_captured_at_us(std::numeric_limits<std::int64_t>::min());
  result.set_status(static_cast<v1::FrameStatus>(99));
  EXPECT_EQ(line_of(result, 1'000'000), "frame 0  9223372036855776.0 ms: ");
}

TEST(Pace, ALiveCameraIsAsFastAsTheServerAdvises) {
  using std::chrono::milliseconds;
  EXPECT_EQ(between_pictures(10, 0), milliseconds{100}) << "no advice";
  EXPECT_EQ(between_pictures(10, 20), milliseconds{100}) << "at most as asked for";
  EXPECT_EQ(between_pictures(10, 4), milliseconds{250});
}

TEST(Pace, AnyAdviceIsATime) {
  using std::chrono::seconds;
  for (const float fps : {1e-38F, std::numeric_limits<float>::denorm_min()}) {
    EXPECT_EQ(between_pictures(10, fps), seconds{10});
  }
  for (const float fps : {-1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(between_pictures(10, fps), std::chrono::milliseconds{100});
  }
}

TEST(Lines, AFrameThatCannotBeUsedSaysWhy) {
  v1::FrameResult result;
  result.set_sequence(3);
  result.set_status(v1::FRAME_STATUS_INVALID);
  result.set_detail("cut short");
  EXPECT_EQ(line_of(result, 0), "frame 3 INVALID: cut short");
}

TEST(Lines, ANameDoesNotControlTheTerminal) { EXPECT_EQ(shown("Ada\x1b[2J\n\x7f"), "Ada?[2J??"); }

TEST(Lines, AnEventSaysWhoCameAndWhoLeft) {
  v1::TrackEvent event;
  event.set_track_id(9);
  event.set_state(v1::TRACK_STATE_TENTATIVE);
  EXPECT_EQ(line_of(event), "");
  event.set_state(v1::TRACK_STATE_CONFIRMED);
  event.mutable_decision()->set_outcome(v1::OUTCOME_KNOWN);
  event.mutable_decision()->set_display_name("Ada");
  EXPECT_EQ(line_of(event), "came: Ada (track 9)");
  event.set_state(v1::TRACK_STATE_ENDED);
  EXPECT_EQ(line_of(event), "left: Ada (track 9)");
}

}  // namespace
}  // namespace facewire::program
