// The command line of the program.
#pragma once

#include <cstdint>
#include <string>

#include "facewire/credentials.h"

namespace facewire::program {

struct CommandLine {
  std::string source;
  std::string server = "127.0.0.1:50051";
  std::string camera = "camera";
  std::string gallery;
  CredentialFiles credentials;
  double fps = 10.0;
  std::uint32_t width_px = 1280;
  std::uint32_t height_px = 720;
  bool every_frame = false;
  bool is_repeated = false;
  bool prints_frames = false;
};

/// The outcome of reading a command line.
enum class Parsed { kRun, kHelp, kFault };

/// Reads the command line; `fault` says what is wrong with it.
Parsed parse(int count, char** words, CommandLine& into, std::string& fault);

/// The text of --help.
extern const char kHelp[];

}  // namespace facewire::program
