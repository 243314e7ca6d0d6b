// The frames of a camera: a bounded queue, the server's credit, and every numbered frame accounted for once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "facewire/camera.h"
#include "facewire/v1/recognition.pb.h"

namespace facewire {

using Request = std::shared_ptr<const v1::StreamRecognizeRequest>;

/// A camera has several streams, one after the other, and one ledger. Frames have a number from the moment when they
/// leave the queue: what the queue drops was never sent. What a stream left without a result is sent again on
/// the next one, or reported as lost. Not safe for threads: `Camera` guards it.
class Ledger {
 public:
  /// Args:
  ///   capacity: of the queue, frames, >= 1.
  ///   when_full: what happens to a frame that finds it full.
  ///   resends: send the frames that a stream left without a result again on the next one; else they are lost.
  Ledger(std::size_t capacity, WhenFull when_full, bool resends);

  /// Whether `put` would take a frame now, or drop one as it is meant to.
  bool has_room() const { return when_full_ != WhenFull::kWait || queue_.size() < capacity_; }

  /// Puts a frame into the queue. Returns whether it was taken.
  bool put(v1::Image image, std::int64_t captured_at_us);

  /// No frame follows.
  void finish() { is_finished_ = true; }

  /// Begins a stream, and returns the frames that are not sent again: their results were lost on their way.
  std::optional<v1::FramesSkipped> begin(const v1::StreamStarted& started);

  /// Whether a frame may be sent, or the sending has come to its end.
  bool may_send() const;

  /// Returns the next frame, as sent from now on; null if the sending has come to its end. Only if `may_send()`.
  Request next();

  /// Counts the frames up to a number as accounted for.
  void account(std::uint64_t last_sequence);

  /// Ends a stream, and returns the frames that are lost with it.
  std::optional<v1::FramesSkipped> break_off();

  /// Whether there is a frame to send.
  bool has_frame() const { return !again_.empty() || !queue_.empty(); }

  /// Whether there is nothing to send or to receive, and no frame follows.
  bool is_done() const { return is_finished_ && !has_frame() && sent_.empty(); }

  /// Frames that the full queue dropped.
  std::uint64_t dropped_count() const { return dropped_count_; }

  /// The number of the last frame that was sent; 0 before the first.
  std::uint64_t last_sequence() const { return sequence_; }

 private:
  /// A frame on its way; without its message if it is not sent again.
  struct Sent {
    std::uint64_t sequence;
    Request request;
  };

  /// A frame without a number.
  struct Waiting {
    v1::Image image;
    std::int64_t captured_at_us;
  };

  const std::size_t capacity_;
  const WhenFull when_full_;
  const bool resends_;
  bool is_finished_ = false;
  std::size_t credit_ = 0;  // nothing is sent before the server has named it
  std::size_t max_frame_bytes_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t dropped_count_ = 0;
  std::deque<Waiting> queue_;
  std::deque<Sent> again_;
  std::deque<Sent> sent_;
};

}  // namespace facewire
