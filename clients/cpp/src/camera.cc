// The camera as programs see it.
#include "facewire/camera.h"

#include <utility>

#include "running.h"

namespace facewire {

Camera::Camera(Options options, Callbacks callbacks)
    : running_(std::make_shared<Running>(std::move(options), std::move(callbacks))) {
  running_->start();  // only now: a callback may use this camera
}

Camera::~Camera() { running_->abandon(); }

bool Camera::send(v1::Image image, std::int64_t captured_at_us) {
  return running_->send(std::move(image), captured_at_us == 0 ? monotonic_us() : captured_at_us);
}

std::optional<Error> Camera::finish(std::chrono::milliseconds within) { return running_->finish(within); }

void Camera::close() { running_->close(); }

std::optional<v1::Advice> Camera::advice() const { return running_->advice(); }

Statistics Camera::statistics() const { return running_->statistics(); }

std::int64_t monotonic_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace facewire
