// Streams pictures to a facewire server and prints names.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "facewire/camera.h"
#include "interrupts.h"
#include "options.h"
#include "pace.h"
#include "printing.h"
#include "source.h"

namespace facewire::program {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{60};  // for the results of the last frames. Chosen, not measured.
constexpr std::chrono::seconds kShortPatience{5};  // the same after Ctrl-C. Chosen, not measured.
constexpr int kUsageStatus = 2;
constexpr double kUsPerS = 1e6;

std::unique_ptr<Source> open(const CommandLine& asked, std::string& fault) {
  std::error_code error;
  if (std::filesystem::is_directory(asked.source, error)) {
    return open_folder(asked.source, asked.is_repeated, fault);
  }
  return open_device(asked.source, asked.width_px, asked.height_px, fault);
}

Options options_of(const CommandLine& asked) {
  Options options;
  options.target = asked.server;
  options.config.set_camera_id(asked.camera);
  options.config.set_gallery_id(asked.gallery);
  options.config.set_frame_policy(asked.every_frame ? v1::FRAME_POLICY_EVERY_FRAME
                                                    : v1::FRAME_POLICY_NEWEST_WINS);
  options.credentials = from_files(asked.credentials);
  if (asked.every_frame) options.when_full = WhenFull::kWait;
  return options;
}

/// Sends pictures until there is none, or a signal comes; a live camera as fast as the server advises. Returns what is
/// wrong with the source, an empty text if nothing is.
std::string stream(const CommandLine& asked, Source& source, Camera& camera, Interrupts& interrupts) {
  std::string fault;
  auto due = steady_clock::now();
  for (std::int64_t number = 0; interrupts.wait_until(due); ++number) {
    auto picture = source.next(fault);
    if (!picture) break;
    if (asked.every_frame) {  // by the recording's own clock; 0 would be now
      picture->captured_at_us = 1 + static_cast<std::int64_t>(static_cast<double>(number) * kUsPerS / asked.fps);
      camera.send(std::move(picture->image), picture->captured_at_us);
      continue;
    }
    camera.send(std::move(picture->image), picture->captured_at_us);
    const auto advice = camera.advice();
    due = std::max(due + between_pictures(asked.fps, advice ? advice->target_fps() : 0), steady_clock::now());
  }
  return fault;
}

int run(const CommandLine& asked) {
  Interrupts interrupts;
  std::string fault;
  const auto source = open(asked, fault);
  if (!source) {
    std::fprintf(stderr, "%s\n", fault.c_str());
    return kUsageStatus;
  }
  Camera camera(options_of(asked), printing(asked.prints_frames, !asked.every_frame));
  interrupts.then([&camera] { camera.finish(kShortPatience); });
  fault = stream(asked, *source, camera, interrupts);
  const auto error = camera.finish(kPatience);
  interrupts.end();
  const auto counted = camera.statistics();
  std::fprintf(stderr, "%llu frames: %llu results, %llu skipped; %llu dropped here; the stream was opened again %llu times\n",
               static_cast<unsigned long long>(counted.sent), static_cast<unsigned long long>(counted.results),
               static_cast<unsigned long long>(counted.skipped), static_cast<unsigned long long>(counted.dropped),
               static_cast<unsigned long long>(counted.reopened));
  if (!fault.empty()) std::fprintf(stderr, "%s: %s\n", asked.source.c_str(), fault.c_str());
  if (!error) return fault.empty() ? 0 : 1;
  std::fprintf(stderr, "%s: %s\n", v1::ErrorReason_Name(error->reason).c_str(), shown(error->detail).c_str());
  return 1;
}

}  // namespace
}  // namespace facewire::program

int main(int count, char** words) {
  using namespace facewire::program;
  CommandLine asked;
  std::string fault;
  switch (parse(count, words, asked, fault)) {
    case Parsed::kHelp:
      std::fputs(kHelp, stdout);
      return 0;
    case Parsed::kFault:
      std::fprintf(stderr, "%s\n\n%s", fault.c_str(), kHelp);
      return kUsageStatus;
    case Parsed::kRun:
      return run(asked);
  }
  return kUsageStatus;
}
