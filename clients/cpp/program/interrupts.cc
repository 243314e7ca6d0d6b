// Waits for signals in a thread.
#include "interrupts.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace facewire::program {
namespace {

sigset_t ours() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

Interrupts::Interrupts() {
  const sigset_t signals = ours();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { wait_for_signals(); });
}

Interrupts::~Interrupts() { end(); }

void Interrupts::end() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    if (!has_come_) pthread_kill(thread_.native_handle(), SIGTERM);  // ends its wait
  }
  thread_.join();
}

void Interrupts::then(std::function<void()> what) {
  const std::lock_guard lock(mutex_);
  what_ = std::move(what);
}

bool Interrupts::wait_until(std::chrono::steady_clock::time_point time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, time, [&] { return has_come_; });
}

void Interrupts::wait_for_signals() {
  const sigset_t signals = ours();
  int signal = 0;
  sigwait(&signals, &signal);
  std::function<void()> what;
  {
    const std::lock_guard lock(mutex_);
    if (is_over_) return;
    has_come_ = true;
    what = what_;
    changed_.notify_all();
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // the second one ends the process
  if (what) what();
}

}  // namespace facewire::program
