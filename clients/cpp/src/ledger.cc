// Keeps the books of a camera's frames.
#include "ledger.h"

#include <algorithm>
#include <utility>

namespace facewire {
namespace {

v1::FramesSkipped lost(std::uint64_t first, std::uint64_t last, std::size_t count) {
  v1::FramesSkipped skipped;
  skipped.set_first_sequence(first);
  skipped.set_last_sequence(last);
  skipped.set_reason(v1::SKIP_REASON_CONNECTION_LOST);
  skipped.set_frame_count(static_cast<std::uint32_t>(count));
  return skipped;
}

}  // namespace

Ledger::Ledger(std::size_t capacity, WhenFull when_full, bool resends)
    : capacity_(std::max<std::size_t>(1, capacity)), when_full_(when_full), resends_(resends) {}

bool Ledger::put(v1::Image image, std::int64_t captured_at_us) {
  if (queue_.size() >= capacity_) {
    if (when_full_ == WhenFull::kWait) return false;
    ++dropped_count_;
    if (when_full_ == WhenFull::kDropNewest) return false;
    queue_.pop_front();
  }
  queue_.push_back({std::move(image), captured_at_us});
  return true;
}

std::optional<v1::FramesSkipped> Ledger::begin(const v1::StreamStarted& started) {
  credit_ = std::max<std::size_t>(1, started.max_in_flight());
  max_frame_bytes_ = started.max_frame_bytes();
  const auto after = started.resume_after_sequence();
  std::size_t count = 0;
  while (count < again_.size() && again_[count].sequence <= after) ++count;
  if (count == 0) return std::nullopt;
  const auto skipped = lost(again_.front().sequence, again_[count - 1].sequence, count);
  again_.erase(again_.begin(), again_.begin() + static_cast<std::ptrdiff_t>(count));
  return skipped;
}

bool Ledger::may_send() const {
  if (credit_ == 0 || sent_.size() >= credit_) return false;
  return has_frame() || is_finished_;
}

Request Ledger::next() {
  if (!again_.empty()) {
    sent_.push_back(std::move(again_.front()));
    again_.pop_front();
    return sent_.back().request;
  }
  if (queue_.empty()) return nullptr;
  auto request = std::make_shared<v1::StreamRecognizeRequest>();
  auto& frame = *request->mutable_frame();
  frame.set_sequence(++sequence_);
  frame.set_captured_at_us(queue_.front().captured_at_us);
  *frame.mutable_image() = std::move(queue_.front().image);
  queue_.pop_front();
  if (max_frame_bytes_ != 0 && frame.image().data().size() > max_frame_bytes_) {
    // Enough bytes for the server to refuse the frame; all of them might exceed gRPC's limit of a message,
    // which would end the stream.
    frame.mutable_image()->mutable_data()->resize(max_frame_bytes_ + 1);
  }
  sent_.push_back({sequence_, resends_ ? request : nullptr});
  return request;
}

void Ledger::account(std::uint64_t last_sequence) {
  while (!sent_.empty() && sent_.front().sequence <= last_sequence) sent_.pop_front();
}

std::optional<v1::FramesSkipped> Ledger::break_off() {
  credit_ = 0;
  if (resends_) {
    again_.insert(again_.begin(), std::make_move_iterator(sent_.begin()), std::make_move_iterator(sent_.end()));
    sent_.clear();
    return std::nullopt;
  }
  if (sent_.empty()) return std::nullopt;
  const auto skipped = lost(sent_.front().sequence, sent_.back().sequence, sent_.size());
  sent_.clear();
  return skipped;
}

}  // namespace facewire
