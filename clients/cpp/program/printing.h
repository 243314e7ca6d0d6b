// What the program prints.
#pragma once

#include <cstdio>
#include <string>

#include "facewire/camera.h"

namespace facewire::program {

/// Returns a text without what would control a terminal.
std::string shown(const std::string& text);

/// Returns the name of a decision: the person's, or "unknown", "pending", ...
std::string name_of(const v1::Decision& decision);

/// Returns what to print about a result, a range of skipped frames, or an event; an empty text: nothing.
///
/// Args:
///   now_us: the clock of `captured_at_us`; 0: of a recording, whose frames have no age.
std::string line_of(const v1::FrameResult& result, std::int64_t now_us);
std::string line_of(const v1::FramesSkipped& skipped);
std::string line_of(const v1::TrackEvent& event);

/// Returns callbacks that print: results and events to the standard output, all else to the standard error.
///
/// Args:
///   prints_frames: results, too.
///   has_ages: frames are of now.
Callbacks printing(bool prints_frames, bool has_ages);

}  // namespace facewire::program
