// A folder of JPEGs as a camera.
#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "facewire/camera.h"
#include "files.h"
#include "source.h"

namespace facewire::program {
namespace {

class FolderSource : public Source {
 public:
  FolderSource(std::vector<std::filesystem::path> paths, bool is_repeated)
      : paths_(std::move(paths)), is_repeated_(is_repeated) {}

  std::optional<Picture> next(std::string&) override {
    if (at_ == paths_.size()) {
      if (!is_repeated_) return std::nullopt;
      at_ = 0;
    }
    // A file that cannot be read is an empty picture: the server reports it, and the stream goes on.
    return Picture{jpeg(contents_of(paths_[at_++].string()).value_or("")), monotonic_us()};
  }

 private:
  const std::vector<std::filesystem::path> paths_;
  const bool is_repeated_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_folder(const std::string& path, bool is_repeated, std::string& fault) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto suffix = entry->path().extension();
    if (suffix == ".jpg" || suffix == ".jpeg" || suffix == ".JPG") found.push_back(entry->path());
  }
  if (error) {
    fault = path + ": " + error.message();
    return nullptr;
  }
  if (found.empty()) {
    fault = path + ": there is no JPEG in this folder";
    return nullptr;
  }
  std::sort(found.begin(), found.end());
  return std::make_unique<FolderSource>(std::move(found), is_repeated);
}

}  // namespace facewire::program
