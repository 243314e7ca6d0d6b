// Makes lines of messages.
#include "printing.h"

namespace facewire::program {
namespace {

void print(std::FILE* into, const std::string& line) {
  if (line.empty()) return;
  std::fprintf(into, "%s\n", line.c_str());
  std::fflush(into);
}

/// Returns the name of a value of an enumeration without its prefix.
std::string without(const char* prefix, const std::string& name) {
  const std::string start = prefix;
  return name.compare(0, start.size(), start) == 0 ? name.substr(start.size()) : name;
}

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

std::string shown(const std::string& text) {
  std::string result = text;
  for (char& letter : result) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < ' ' || code == 0x7f) letter = '?';
  }
  return result;
}

std::string name_of(const v1::Decision& decision) {
  switch (decision.outcome()) {
    case v1::OUTCOME_KNOWN:
      return shown(decision.display_name());
    case v1::OUTCOME_UNKNOWN:
      return "unknown";
    case v1::OUTCOME_AMBIGUOUS:
      return "ambiguous";
    case v1::OUTCOME_TOO_POOR:
      return "too poor";
    default:
      return "pending";
  }
}

std::string line_of(const v1::FrameResult& result, std::int64_t now_us) {
  std::string line = "frame " + std::to_string(result.sequence()) + " " +
                     without("FRAME_STATUS_", v1::FrameStatus_Name(result.status()));
  if (now_us != 0) line += " " + number((static_cast<double>(now_us) - static_cast<double>(result.captured_at_us())) / 1000, 1) + " ms";
  const char* before = ": ";
  for (const auto& face : result.faces()) {
    line += before + name_of(face.decision());
    before = ", ";
  }
  if (result.status() != v1::FRAME_STATUS_OK) line += ": " + shown(result.detail());
  return line;
}

std::string line_of(const v1::FramesSkipped& skipped) {
  return "skipped " + std::to_string(skipped.first_sequence()) + "-" + std::to_string(skipped.last_sequence()) +
         " " + without("SKIP_REASON_", v1::SkipReason_Name(skipped.reason())) + ": " +
         std::to_string(skipped.frame_count());
}

std::string line_of(const v1::TrackEvent& event) {
  const std::string track = " (track " + std::to_string(event.track_id()) + ")";
  switch (event.state()) {
    case v1::TRACK_STATE_CONFIRMED:
      return "came: " + name_of(event.decision()) + track;
    case v1::TRACK_STATE_RETRACTED:
      return "was not: " + shown(event.previous_identity_id()) + track;
    case v1::TRACK_STATE_ENDED:
      return "left: " + name_of(event.decision()) + track;
    default:
      return "";  // who it is has not been decided
  }
}

Callbacks printing(bool prints_frames, bool has_ages) {
  Callbacks callbacks;
  callbacks.on_event = [](const v1::TrackEvent& event) { print(stdout, line_of(event)); };
  if (prints_frames) {
    callbacks.on_result = [has_ages](const v1::FrameResult& result) {
      print(stdout, line_of(result, has_ages ? monotonic_us() : 0));
    };
    callbacks.on_skipped = [](const v1::FramesSkipped& skipped) { print(stdout, line_of(skipped)); };
  }
  callbacks.on_started = [](const v1::StreamStarted& started) {
    print(stderr, "the stream is open; credit: " + std::to_string(started.max_in_flight()) + " frames");
  };
  callbacks.on_reopen = [](const Error& error, std::chrono::milliseconds pause) {
    const std::string reason = without("ERROR_REASON_", v1::ErrorReason_Name(error.reason));
    print(stderr, "again in " + number(static_cast<double>(pause.count()) / 1000, 3) + " s: " + reason + ": " +
                      shown(error.detail));
  };
  return callbacks;
}

}  // namespace facewire::program
