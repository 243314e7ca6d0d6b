// A camera's stream to a facewire server, which is opened again for as long as the camera runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "facewire/credentials.h"
#include "facewire/error.h"
#include "facewire/pictures.h"
#include "facewire/v1/recognition.pb.h"

namespace facewire {

/// What happens to a frame that finds the queue full.
enum class WhenFull {
  kDropOldest,  ///< The oldest of the queue is dropped: for live cameras.
  kDropNewest,  ///< The frame itself is dropped. After a break the queue is as old as the break was long.
  kWait,        ///< `Camera::send` waits for room: for recordings, of which every frame is wanted.
};

/// Where a camera's frames go, and how.
struct Options {
  /// The server, "host:port".
  std::string target = "127.0.0.1:50051";

  /// The first message of each stream: camera, gallery, frame policy, ... `resume_token` is the library's own.
  /// With FRAME_POLICY_EVERY_FRAME frames that a stream left without a result are sent again on the next one; else
  /// they are reported as skipped, CONNECTION_LOST.
  v1::StreamConfig config;

  /// Token and certificates; null: none.
  CredentialSource credentials;

  /// Frames that wait for the server's credit, >= 1.
  std::size_t queue_frames = 2;

  /// What happens to a frame that finds them waiting.
  WhenFull when_full = WhenFull::kDropOldest;
};

/// What a camera reports, in the server's order, from a thread of its own, one at a time. Any may be null. While one
/// runs no response is read: a server ends a stream whose responses are not read for long. They may call all of the camera
/// (but a `send` that waits, WhenFull::kWait, never returns), and destroy it. What one throws ends the process.
struct Callbacks {
  /// A stream is open; the limits of it.
  std::function<void(const v1::StreamStarted&)> on_started;

  /// The result of one frame.
  std::function<void(const v1::FrameResult&)> on_result;

  /// Frames without a result. With those of `on_result` every numbered frame is accounted for once, in order.
  std::function<void(const v1::FramesSkipped&)> on_skipped;

  /// Someone came, was recognized, or left. Right before the result of the frame that caused it.
  std::function<void(const v1::TrackEvent&)> on_event;

  /// How the camera could make better use of the server, for the next 30 s.
  std::function<void(const v1::Advice&)> on_advice;

  /// The stream ended, and another one is opened after this pause.
  std::function<void(const Error&, std::chrono::milliseconds)> on_reopen;

  /// The last call: all frames are accounted for, or an error ended the camera that does not pass by itself.
  std::function<void(const std::optional<Error>&)> on_end;
};

/// What a camera has counted since it was made.
struct Statistics {
  std::uint64_t sent = 0;       ///< Frames with a number; the number of the last one.
  std::uint64_t results = 0;    ///< Frames with a result.
  std::uint64_t skipped = 0;    ///< Frames without one, for whatever reason.
  std::uint64_t dropped = 0;    ///< Frames that the full queue dropped; they have no number.
  std::uint64_t reopened = 0;   ///< Streams after the first.
};

/// One camera. Safe for threads; it has two of its own.
///
/// Frames are numbered 1, 2, 3, ... as they leave the queue, over all streams. An absent server is waited for,
/// also at the start: after a power cut cameras and servers return in any order.
class Camera {
 public:
  /// Begins to connect.
  Camera(Options options, Callbacks callbacks);

  /// Closes the camera, and waits for a callback that runs, unless that is what destroys it.
  ~Camera();

  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  /// Puts a frame into the queue, and returns whether it was taken: not by a full queue with `kDropNewest`, nor
  /// after `finish`, `close` or the end.
  ///
  /// Args:
  ///   image: see pictures.h.
  ///   captured_at_us: a monotonic clock at exposure, microseconds; 0: now. `FrameResult` has it unchanged.
  bool send(v1::Image image, std::int64_t captured_at_us = 0);

  /// Takes no further frame, and waits until all are accounted for. Returns the error that ended the camera, or
  /// DEADLINE_EXCEEDED if not all were within this time; the camera is closed then. A callback's call does not wait.
  std::optional<Error> finish(std::chrono::milliseconds within);

  /// Ends at once; frames on their way are not reported. No callback begins after it has returned, unless it
  /// was called by one.
  void close();

  /// Returns the server's last advice; none if it is older than 30 s.
  std::optional<v1::Advice> advice() const;

  /// Returns what was counted.
  Statistics statistics() const;

 private:
  class Running;
  const std::shared_ptr<Running> running_;  // with the camera's thread
};

/// Returns the clock of frames, microseconds: CLOCK_MONOTONIC on Linux, as V4L2 stamps its buffers.
std::int64_t monotonic_us();

}  // namespace facewire
