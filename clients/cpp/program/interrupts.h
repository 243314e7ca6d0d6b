// Ctrl-C and SIGTERM, as an event that can be waited for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace facewire::program {

/// To be made before any other thread: the signals are blocked in all of them, and one waits for them.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// Calls something at the first signal, in a thread of its own. The second one ends the process.
  void then(std::function<void()> what);

  /// Waits for no further signal. What `then` was given has returned.
  void end();

  /// Waits until a time. Returns whether no signal came.
  bool wait_until(std::chrono::steady_clock::time_point time);

 private:
  void wait_for_signals();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> what_;
  bool has_come_ = false;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace facewire::program
