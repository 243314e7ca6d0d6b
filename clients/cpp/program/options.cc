// Reads flags.
#include "options.h"

#include <getopt.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <vector>

#include "pace.h"

namespace facewire::program {

const char kHelp[] =
    R"(camera [flags] SOURCE

Streams a folder of JPEGs, or a V4L2 device (/dev/video0), to a facewire server, and prints who comes and goes.

  --server HOST:PORT           default: 127.0.0.1:50051
  --camera NAME                names the camera in events; default: camera
  --gallery ID                 whom to recognize; default: the server's "default"
  --fps N                      frames a second at most, 0.1 to 240; default: 10
  --every-frame                wait for the server rather than drop frames: a recording at N frames a second
  --repeat                     begin with the folder again after its last picture
  --size WIDTHxHEIGHT          of a device, pixels; default: 1280x720
  --frames                     print a line for each frame, too
  --token-file FILE            the server's token
  --tls-ca FILE                PEM; turns TLS on
  --tls                        turns TLS on with the roots of this machine
  --client-cert FILE           PEM, shown to a server that asks for one
  --client-key FILE            its key
)";

namespace {

constexpr unsigned long kLargestSidePx = 65535;

bool read_fps(const char* text, double& fps) {
  char* end = nullptr;
  fps = std::strtod(text, &end);
  return end != text && *end == '\0' && std::isfinite(fps) && fps >= kLeastFps && fps <= kMostFps;
}

bool read_size(const char* text, CommandLine& into) {
  char* end = nullptr;
  const unsigned long width_px = std::strtoul(text, &end, 10);
  if (end == text || *end != 'x') return false;
  const char* rest = end + 1;
  const unsigned long height_px = std::strtoul(rest, &end, 10);
  if (end == rest || *end != '\0') return false;
  if (width_px < 1 || height_px < 1 || width_px > kLargestSidePx || height_px > kLargestSidePx) return false;
  into.width_px = static_cast<std::uint32_t>(width_px);
  into.height_px = static_cast<std::uint32_t>(height_px);
  return true;
}

/// Reads the value of one flag. Returns whether it is one.
using Reader = std::function<bool(const char*)>;

std::map<std::string, Reader> readers(CommandLine& into) {
  const auto text = [](std::string& field) {
    return [&field](const char* value) {
      field = value;
      return !field.empty();
    };
  };
  return {
      {"server", text(into.server)},
      {"camera", text(into.camera)},
      {"gallery", text(into.gallery)},
      {"token-file", text(into.credentials.token)},
      {"tls-ca", text(into.credentials.root_certificates)},
      {"client-cert", text(into.credentials.client_certificate)},
      {"client-key", text(into.credentials.client_key)},
      {"fps", [&into](const char* value) { return read_fps(value, into.fps); }},
      {"size", [&into](const char* value) { return read_size(value, into); }},
  };
}

std::map<std::string, bool*> switches(CommandLine& into) {
  return {{"every-frame", &into.every_frame},
          {"repeat", &into.is_repeated},
          {"frames", &into.prints_frames},
          {"tls", &into.credentials.tls}};
}

}  // namespace

Parsed parse(int count, char** words, CommandLine& into, std::string& fault) {
  const auto with_value = readers(into);
  const auto without = switches(into);
  std::vector<option> known{{"help", no_argument, nullptr, 0}};
  for (const auto& [name, reader] : with_value) known.push_back({name.c_str(), required_argument, nullptr, 0});
  for (const auto& [name, field] : without) known.push_back({name.c_str(), no_argument, nullptr, 0});
  known.push_back({nullptr, 0, nullptr, 0});
  optind = 0;  // glibc: from the beginning
  opterr = 0;
  int index = 0;
  int found = 0;
  while ((found = getopt_long(count, words, "", known.data(), &index)) != -1) {
    if (found != 0) {
      fault = "no such flag, or its value is missing: " + std::string(words[optind - 1]);
      return Parsed::kFault;
    }
    const std::string name = known[static_cast<std::size_t>(index)].name;
    if (name == "help") return Parsed::kHelp;
    if (const auto field = without.find(name); field != without.end()) {
      *field->second = true;
    } else if (!with_value.at(name)(optarg)) {
      fault = "--" + name + ": this is not a value of it: " + optarg;
      return Parsed::kFault;
    }
  }
  if (optind + 1 != count) {
    fault = optind < count ? "there is one SOURCE only" : "SOURCE is missing: a folder of JPEGs, or /dev/video0";
    return Parsed::kFault;
  }
  into.source = words[optind];
  return Parsed::kRun;
}

}  // namespace facewire::program
