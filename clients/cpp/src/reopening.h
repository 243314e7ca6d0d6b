// When a stream is opened again.
#pragma once

#include <chrono>
#include <string>

#include "backoff.h"
#include "facewire/error.h"

namespace facewire {

/// Pauses until a result comes, and the token that the last server gave. docs/firmware.md has the rules.
class Reopening {
 public:
  /// Attempts that follow a busy worker's refusal at once: the contract's limit for WORKER_BUSY.
  static constexpr int kBusyAttempts = 4;

  /// The token of the next stream; empty: a new one.
  const std::string& token() const { return token_; }

  /// Notes a stream that is open, with its server's token.
  void opened(std::string token);

  /// Begins with short pauses again: a result has come.
  void progressed();

  /// Returns whether a new stream may follow an error.
  bool goes_on(const Error& error);

  /// Returns the pause before it.
  std::chrono::milliseconds pause(const Error& error);

 private:
  std::string token_;
  bool is_token_refused_ = false;
  bool is_renewed_ = false;
  int busy_attempts_ = kBusyAttempts;
  Backoff backoff_;
};

/// Whether the server ended the stream because it had no frame for long: another one is opened with the next frame.
bool lacked_frames(const Error& error);

}  // namespace facewire
