// A camera while it runs: its state, its two threads, and what they share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "call.h"
#include "facewire/camera.h"
#include "ledger.h"
#include "reopening.h"

namespace facewire {

/// One thread opens streams, one after the other, and reads them; for each, another one writes.
class Camera::Running : public std::enable_shared_from_this<Camera::Running> {
 public:
  Running(Options options, Callbacks callbacks);

  void start();

  /// Closes, and lets go of the camera's thread: it has ended, or it is the one that calls.
  void abandon();

  // As of `Camera`.
  bool send(v1::Image image, std::int64_t captured_at_us);
  std::optional<Error> finish(std::chrono::milliseconds within);
  void close();
  std::optional<v1::Advice> advice() const;
  Statistics statistics() const;

 private:
  /// Opens streams until nothing is left to do. The camera's thread, as all below but `write`.
  void run();

  /// Opens one stream and reads it to its end. Returns why it ended; nothing if nothing is left to do.
  std::optional<Error> stream();

  /// Returns the credentials of a new connection, or why there are none.
  std::optional<Error> read_credentials(Credentials& into) const;

  /// Lets `close` see a call. Returns whether the camera is open.
  bool begin(Call& call);

  /// Reads responses until there is none. Returns the error that the server announced, if it did.
  std::optional<Error> read(Call& call);

  void note_started(const v1::StreamStarted& started);
  void note_advice(const v1::Advice& advice);
  void note(const v1::StreamRecognizeResponse& response);
  void account(std::uint64_t last_sequence, std::uint64_t results, std::uint64_t skipped);

  /// Writes frames for as long as there is credit for them. The thread of one call.
  void write(Call& call);

  /// Lets go of a call, and reports what is lost with it. Returns why there is to be another one.
  std::optional<Error> ended(std::optional<Error> error);

  /// Waits before the next stream. Returns whether there is one.
  bool pause(const Error& error);

  /// All is accounted for, but the tracks may not have ended: one stream without a frame ends them. Returns whether
  /// there is to be one. Under the lock.
  bool ends_tracks();

  /// Calls a callback unless the camera was closed, perhaps by the callback before.
  template <typename Callback, typename... Values>
  void report(const Callback& callback, const Values&... values);

  /// The last thing that the camera's thread does.
  void leave(std::optional<Error> error);

  /// Cancels, and waits for the camera's thread unless it is the one that calls.
  void end(std::unique_lock<std::mutex>& lock);

  /// Whether a callback calls. Under the lock, or when the thread has ended.
  bool is_own_thread() const { return std::this_thread::get_id() == own_; }

  const Options options_;
  const Callbacks callbacks_;
  Reopening reopening_;        // the camera's thread alone
  bool is_ending_ = false;     // the same: the present stream is opened for the end of the tracks alone
  bool was_open_ = false;      // the same: some stream

  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable changed_;
  Ledger ledger_;
  Statistics counted_;
  Call* call_ = nullptr;
  bool is_started_ = false;    // the present stream
  bool is_broken_ = false;     // the present stream: no further frame is written on it
  bool is_finishing_ = false;  // no further frame is taken
  bool is_ended_ = false;      // no further stream is opened
  bool has_left_ = false;      // no further callback is called
  std::optional<v1::Advice> advice_;
  std::chrono::steady_clock::time_point advised_at_;
  std::optional<Error> error_;
  std::thread::id own_;

  std::thread thread_;
};

}  // namespace facewire
