// Opens streams, reads and writes them, and ends.
#include "running.h"

#include <algorithm>
#include <utility>

#include "status.h"

namespace facewire {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kOpeningLimit{30'000};  // for `started`. As the Python client's.
constexpr milliseconds kAdviceHolds{30'000};   // A busy server repeats its advice; an idle one may send none.
constexpr std::chrono::hours kLongestWait{24 * 365};  // A clock overflows if much longer times are added to it.

}  // namespace

Camera::Running::Running(Options options, Callbacks callbacks)
    : options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      ledger_(options_.queue_frames, options_.when_full,
              options_.config.frame_policy() == v1::FRAME_POLICY_EVERY_FRAME) {}

void Camera::Running::start() {
  thread_ = std::thread([self = shared_from_this()] { self->run(); });
}

void Camera::Running::abandon() {
  close();
  if (is_own_thread()) {
    thread_.detach();  // it holds what it still needs, and is about to end
  } else {
    thread_.join();
  }
}

bool Camera::Running::send(v1::Image image, std::int64_t captured_at_us) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_ended_ || is_finishing_ || ledger_.has_room(); });
  if (is_ended_ || is_finishing_ || !ledger_.put(std::move(image), captured_at_us)) return false;
  changed_.notify_all();
  return true;
}

std::optional<Error> Camera::Running::finish(milliseconds within) {
  std::unique_lock lock(mutex_);
  is_finishing_ = true;
  ledger_.finish();
  changed_.notify_all();
  if (is_own_thread()) return error_;
  const auto waited = std::clamp<milliseconds>(within, milliseconds::zero(), kLongestWait);
  if (changed_.wait_for(lock, waited, [&] { return has_left_; })) return error_;
  end(lock);
  Error error;
  error.code = grpc::StatusCode::DEADLINE_EXCEEDED;
  error.detail = "not all frames were accounted for in time";
  return error;
}

void Camera::Running::close() {
  std::unique_lock lock(mutex_);
  end(lock);
}

std::optional<v1::Advice> Camera::Running::advice() const {
  const std::lock_guard lock(mutex_);
  if (!advice_ || steady_clock::now() - advised_at_ > kAdviceHolds) return std::nullopt;
  return advice_;
}

Statistics Camera::Running::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics counted = counted_;
  counted.sent = ledger_.last_sequence();
  counted.dropped = ledger_.dropped_count();
  return counted;
}

template <typename Callback, typename... Values>
void Camera::Running::report(const Callback& callback, const Values&... values) {
  if (!callback) return;
  {
    const std::lock_guard lock(mutex_);
    if (is_ended_) return;
  }
  callback(values...);
}

void Camera::Running::run() {
  {
    const std::lock_guard lock(mutex_);
    own_ = std::this_thread::get_id();
  }
  std::optional<Error> why = stream();
  while (why && pause(*why)) why = stream();
  leave(std::move(why));
}

std::optional<Error> Camera::Running::stream() {
  Credentials credentials;
  if (auto fault = read_credentials(credentials)) return ended(std::move(fault));
  Call call(options_.target, credentials);
  if (!begin(call)) return std::nullopt;
  v1::StreamRecognizeRequest first;
  *first.mutable_config() = options_.config;
  first.mutable_config()->set_resume_token(reopening_.token());
  std::optional<Error> error;
  if (call.write(first)) {
    std::thread writer([&] { write(call); });
    error = read(call);
    {
      const std::lock_guard lock(mutex_);
      is_broken_ = true;
      changed_.notify_all();
    }
    writer.join();
  }
  const grpc::Status status = call.finish();
  if (!status.ok()) error = error_of(status);
  return ended(std::move(error));
}

std::optional<Error> Camera::Running::read_credentials(Credentials& into) const {
  if (!options_.credentials) return std::nullopt;
  auto read = options_.credentials();
  if (!read) return without_credentials("the token, or a certificate, cannot be read");
  const std::string fault = fault_of(*read);
  if (!fault.empty()) return without_credentials(fault);
  into = *std::move(read);
  return std::nullopt;
}

bool Camera::Running::begin(Call& call) {
  const std::lock_guard lock(mutex_);
  if (is_ended_) return false;
  call_ = &call;
  is_started_ = false;
  is_broken_ = false;
  return true;
}

std::optional<Error> Camera::Running::read(Call& call) {
  std::optional<Error> announced;
  v1::StreamRecognizeResponse response;
  while (call.read(response)) {
    if (response.has_started()) {
      note_started(response.started());
    } else if (response.has_reconnect()) {
      announced = error_of(response.reconnect());
    } else if (response.has_advice()) {
      note_advice(response.advice());
    } else {
      note(response);
    }
    const std::lock_guard lock(mutex_);
    if (is_ended_) break;
  }
  return announced;
}

void Camera::Running::note_started(const v1::StreamStarted& started) {
  reopening_.opened(started.resume_token());
  std::optional<v1::FramesSkipped> lost;
  {
    const std::lock_guard lock(mutex_);
    lost = ledger_.begin(started);
    is_started_ = true;
    counted_.reopened += was_open_;
    if (lost) counted_.skipped += lost->frame_count();
    changed_.notify_all();
  }
  was_open_ = true;
  report(callbacks_.on_started, started);
  if (lost) report(callbacks_.on_skipped, *lost);
}

void Camera::Running::note_advice(const v1::Advice& advice) {
  {
    const std::lock_guard lock(mutex_);
    advice_ = advice;
    advised_at_ = steady_clock::now();
  }
  report(callbacks_.on_advice, advice);
}

void Camera::Running::note(const v1::StreamRecognizeResponse& response) {
  if (response.message_case() == v1::StreamRecognizeResponse::MESSAGE_NOT_SET) return;  // of a newer contract
  reopening_.progressed();
  if (response.has_track()) {
    report(callbacks_.on_event, response.track());
  } else if (response.has_frame()) {
    account(response.frame().sequence(), 1, 0);
    report(callbacks_.on_result, response.frame());
  } else if (response.has_skipped()) {
    account(response.skipped().last_sequence(), 0, response.skipped().frame_count());
    report(callbacks_.on_skipped, response.skipped());
  }
}

void Camera::Running::account(std::uint64_t last_sequence, std::uint64_t results, std::uint64_t skipped) {
  const std::lock_guard lock(mutex_);
  ledger_.account(last_sequence);
  counted_.results += results;
  counted_.skipped += skipped;
  changed_.notify_all();
}

void Camera::Running::write(Call& call) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kOpeningLimit, [&] { return is_started_ || is_broken_; })) {
    call.cancel();
    return;
  }
  while (true) {
    changed_.wait(lock, [&] { return is_broken_ || ledger_.may_send(); });
    if (is_broken_) return;
    const Request request = ledger_.next();
    changed_.notify_all();  // there is room in the queue
    lock.unlock();
    const bool is_written = request ? call.write(*request) : call.half_close();
    if (!request || !is_written) return;  // the reader sees the end
    lock.lock();
  }
}

std::optional<Error> Camera::Running::ended(std::optional<Error> error) {
  std::optional<v1::FramesSkipped> lost;
  {
    const std::lock_guard lock(mutex_);
    call_ = nullptr;
    if (is_ended_ || is_ending_) return std::nullopt;  // perhaps without the events of the end
    if (ledger_.is_done() && (!error || error->code == grpc::StatusCode::OK)) return std::nullopt;
    lost = ledger_.break_off();
    if (lost) counted_.skipped += lost->frame_count();
  }
  if (lost) report(callbacks_.on_skipped, *lost);
  return error ? error : ended_early();
}

bool Camera::Running::pause(const Error& error) {
  if (!reopening_.goes_on(error)) return false;
  std::unique_lock lock(mutex_);
  if (ledger_.is_done()) return ends_tracks();
  lock.unlock();
  const milliseconds pause = reopening_.pause(error);
  report(callbacks_.on_reopen, error, pause);
  lock.lock();
  changed_.wait_for(lock, pause, [&] { return is_ended_ || ledger_.is_done(); });
  if (was_open_ && lacked_frames(error)) {
    changed_.wait(lock, [&] { return is_ended_ || is_finishing_ || ledger_.has_frame(); });
  }
  if (ledger_.is_done()) return ends_tracks();
  return !is_ended_;
}

bool Camera::Running::ends_tracks() {
  is_ending_ = !is_ended_ && !reopening_.token().empty();
  return is_ending_;
}

void Camera::Running::leave(std::optional<Error> error) {
  if (error && error->retryable) error.reset();  // there was nothing left to do
  bool is_closed = false;
  {
    const std::lock_guard lock(mutex_);
    is_closed = std::exchange(is_ended_, true);
    if (is_closed) error.reset();
    error_ = error;
    changed_.notify_all();
  }
  if (!is_closed && callbacks_.on_end) callbacks_.on_end(error);
  const std::lock_guard lock(mutex_);
  has_left_ = true;
  changed_.notify_all();
}

void Camera::Running::end(std::unique_lock<std::mutex>& lock) {
  is_ended_ = true;
  is_broken_ = true;
  if (call_ != nullptr) call_->cancel();
  changed_.notify_all();
  if (!is_own_thread()) changed_.wait(lock, [&] { return has_left_; });
}

}  // namespace facewire
