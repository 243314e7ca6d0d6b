// A camera from its making to its end, before a server in this process.
#include "facewire/camera.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "reopening.h"
#include "scripted_server.h"
#include "statuses.h"

namespace facewire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPatience{60};  // for what a busy machine does in seconds

Options options_for(const std::string& target, v1::FramePolicy policy = v1::FRAME_POLICY_EVERY_FRAME) {
  Options options;
  options.target = target;
  options.config.set_frame_policy(policy);
  if (policy == v1::FRAME_POLICY_EVERY_FRAME) options.when_full = WhenFull::kWait;
  return options;
}

/// A port of this machine that takes connections and says nothing.
class SilentPort {
 public:
  SilentPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(socket_, 8) != 0 ||
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      ADD_FAILURE() << "there is no port";
    }
    target_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentPort() { ::close(socket_); }
  const std::string& target() const { return target_; }

 private:
  const int socket_;
  std::string target_;
};

TEST(Camera, EachFrameHasItsResultAndTheEndIsReportedOnce) {
  ScriptedServer server;
  std::vector<std::int64_t> results;
  int ends = 0;
  Callbacks callbacks;
  callbacks.on_result = [&](const v1::FrameResult& result) { results.push_back(result.captured_at_us()); };
  callbacks.on_end = [&](const std::optional<Error>& error) { ends += error ? 100 : 1; };
  Camera camera(options_for(server.target()), callbacks);
  std::vector<std::int64_t> sent;
  for (std::int64_t number = 1; number <= 20; ++number) {
    EXPECT_TRUE(camera.send(jpeg("picture"), number));
    sent.push_back(number);
  }
  EXPECT_FALSE(camera.finish(kPatience));
  EXPECT_EQ(results, sent);
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(camera.statistics().results, 20U);
  EXPECT_FALSE(camera.send(jpeg("picture"), 21)) << "after the end";
}

TEST(Camera, AStreamThatBreaksIsOpenedAgainAndNumbersGoOn) {
  ScriptedServer server;
  server.end_after = 5;
  std::vector<std::uint64_t> results;
  std::vector<milliseconds> pauses;
  Callbacks callbacks;
  callbacks.on_result = [&](const v1::FrameResult& result) { results.push_back(result.sequence()); };
  callbacks.on_reopen = [&](const Error&, milliseconds pause) { pauses.push_back(pause); };
  Camera camera(options_for(server.target()), callbacks);
  for (int number = 1; number <= 12; ++number) camera.send(jpeg("picture"));
  EXPECT_FALSE(camera.finish(kPatience));
  EXPECT_EQ(results, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  ASSERT_EQ(pauses.size(), 1U);
  EXPECT_LE(pauses[0], seconds{1});
  EXPECT_EQ(camera.statistics().reopened, 1U);
}

TEST(Camera, ACallbackMayCloseItAndNoneFollows) {
  ScriptedServer server;
  std::promise<void> closed;
  int calls = 0;
  Camera* self = nullptr;
  Callbacks callbacks;
  callbacks.on_result = [&](const v1::FrameResult&) {
    ++calls;
    self->close();
    closed.set_value();
  };
  callbacks.on_end = [&](const std::optional<Error>&) { ++calls; };
  auto options = options_for(server.target());
  options.queue_frames = 8;
  Camera camera(options, callbacks);
  self = &camera;
  for (int number = 0; number < 8; ++number) camera.send(jpeg("picture"));
  ASSERT_EQ(closed.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(camera.finish(kPatience));
  EXPECT_EQ(calls, 1);
}

TEST(Camera, ACallbackThatReportsABreakMayCloseItAndNoneFollows) {
  ScriptedServer server;
  server.answers = false;
  server.end_after = 1;
  int calls = 0;
  std::promise<void> closed;
  Camera* self = nullptr;
  Callbacks callbacks;
  callbacks.on_skipped = [&](const v1::FramesSkipped&) {
    ++calls;
    self->close();
    closed.set_value();
  };
  callbacks.on_reopen = [&](const Error&, milliseconds) { ++calls; };
  callbacks.on_end = [&](const std::optional<Error>&) { ++calls; };
  Camera camera(options_for(server.target(), v1::FRAME_POLICY_NEWEST_WINS), callbacks);
  self = &camera;
  camera.send(jpeg("picture"));
  ASSERT_EQ(closed.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(camera.finish(kPatience));
  EXPECT_EQ(calls, 1);
}

TEST(Camera, ACallbackMayDestroyIt) {
  ScriptedServer server;
  std::promise<void> gone;
  auto uses = std::make_shared<int>(0);  // what the callbacks hold is let go of when the thread has ended
  const std::weak_ptr<int> held = uses;
  auto camera = std::make_unique<std::unique_ptr<Camera>>();
  Callbacks callbacks;
  callbacks.on_result = [&, uses](const v1::FrameResult&) {
    ++*uses;
    camera->reset();
    gone.set_value();
  };
  uses.reset();
  auto made = std::make_unique<Camera>(options_for(server.target()), std::exchange(callbacks, {}));
  *camera = std::move(made);
  (*camera)->send(jpeg("picture"));
  ASSERT_EQ(gone.get_future().wait_for(kPatience), std::future_status::ready);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!held.expired() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(milliseconds{1});
  EXPECT_TRUE(held.expired());
}

TEST(Camera, TheLastCallbackMayDestroyIt) {
  ScriptedServer server;
  std::unique_ptr<Camera> camera;
  std::promise<void> gone;
  Callbacks callbacks;
  callbacks.on_end = [&](const std::optional<Error>&) {
    camera.reset();
    gone.set_value();
  };
  callbacks.on_result = [&](const v1::FrameResult&) { EXPECT_FALSE(camera->finish(kPatience)) << "it does not wait"; };
  camera = std::make_unique<Camera>(options_for(server.target()), callbacks);
  camera->send(jpeg("picture"));
  EXPECT_EQ(gone.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(Camera, WhatACallbackThrowsEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        ScriptedServer server;
        Callbacks callbacks;
        callbacks.on_started = [](const v1::StreamStarted&) { throw std::runtime_error("of the program"); };
        Camera camera(options_for(server.target()), callbacks);
        std::this_thread::sleep_for(kPatience);
      },
      "of the program");
}

TEST(Camera, TheEndDoesNotWaitForAServerIfThereIsNothingToSendToIt) {
  ScriptedServer server;
  server.refusal = status(grpc::StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 3600);
  std::promise<void> waits;
  Callbacks callbacks;
  callbacks.on_reopen = [&](const Error&, milliseconds) { waits.set_value(); };
  Camera camera(options_for(server.target()), callbacks);
  ASSERT_EQ(waits.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(camera.finish(kPatience)) << "the pause is an hour";
}

TEST(Camera, ACameraThatWasClosedHasNoError) {
  ScriptedServer server;
  server.refusal = status(grpc::StatusCode::UNAUTHENTICATED, "TOKEN_REQUIRED");
  Camera* self = nullptr;
  std::promise<void> closed;
  std::promise<void> made;
  Callbacks callbacks;
  callbacks.on_reopen = [&](const Error&, milliseconds) {
    made.get_future().wait();
    self->close();
    closed.set_value();
  };
  Camera camera(options_for(server.target()), callbacks);
  self = &camera;
  made.set_value();
  camera.send(jpeg("picture"));
  ASSERT_EQ(closed.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(camera.finish(kPatience));
}

TEST(Camera, ACallbackMaySend) {
  ScriptedServer server;
  std::promise<void> third;
  Camera* self = nullptr;
  Callbacks callbacks;
  callbacks.on_result = [&](const v1::FrameResult& result) {
    if (result.sequence() == 3) third.set_value();
    if (result.sequence() < 3) self->send(jpeg("next"));
  };
  Camera camera(options_for(server.target(), v1::FRAME_POLICY_NEWEST_WINS), callbacks);
  self = &camera;
  camera.send(jpeg("first"));
  EXPECT_EQ(third.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(Camera, WhatIsNotAccountedForInTimeIsAnError) {
  ScriptedServer server;
  server.answers = false;
  Camera camera(options_for(server.target()), {});
  camera.send(jpeg("picture"));
  const auto error = camera.finish(milliseconds{200});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(Camera, AnyTimeMayBeGivenForTheEnd) {
  ScriptedServer server;
  server.answers = false;
  for (const auto within : {milliseconds::min(), milliseconds{-1}}) {
    Camera camera(options_for(server.target()), {});
    camera.send(jpeg("picture"));
    ASSERT_TRUE(camera.finish(within));
  }
  Camera camera(options_for(server.target()), {});
  EXPECT_FALSE(camera.finish(milliseconds::max()));
}

TEST(Camera, AFullQueueRefusesTheNewestIfItIsAskedTo) {
  SilentPort nowhere;
  auto options = options_for(nowhere.target(), v1::FRAME_POLICY_NEWEST_WINS);
  options.when_full = WhenFull::kDropNewest;
  options.queue_frames = 2;
  Camera camera(options, {});
  EXPECT_TRUE(camera.send(jpeg("a")));
  EXPECT_TRUE(camera.send(jpeg("b")));
  EXPECT_FALSE(camera.send(jpeg("c")));
  EXPECT_EQ(camera.statistics().dropped, 1U);
}

TEST(Camera, ItEndsWhileItConnectsToAPortThatIsSilent) {
  SilentPort nowhere;
  auto ended = std::async(std::launch::async, [&] { Camera camera(options_for(nowhere.target()), {}); });
  EXPECT_EQ(ended.wait_for(kPatience), std::future_status::ready);
}

TEST(Camera, ASenderThatWaitsForRoomIsLetGoAtTheEnd) {
  SilentPort nowhere;
  Camera camera(options_for(nowhere.target()), {});
  auto sender = std::async(std::launch::async, [&] {
    while (camera.send(jpeg("picture"))) {
    }
  });
  camera.close();
  EXPECT_EQ(sender.wait_for(kPatience), std::future_status::ready);
}

TEST(Camera, AdviceIsKept) {
  ScriptedServer server;
  server.advised_fps = 7.5F;
  std::promise<void> advised;
  Callbacks callbacks;
  callbacks.on_advice = [&](const v1::Advice&) { advised.set_value(); };
  Camera camera(options_for(server.target()), callbacks);
  ASSERT_EQ(advised.get_future().wait_for(kPatience), std::future_status::ready);
  ASSERT_TRUE(camera.advice());
  EXPECT_EQ(camera.advice()->target_fps(), 7.5F);
}

TEST(Camera, AServerThatOpensEachStreamAndEndsItIsNotAskedWithoutPauses) {
  ScriptedServer server;
  server.reconnects = true;
  std::vector<milliseconds> pauses;
  std::promise<void> seen;
  Callbacks callbacks;
  callbacks.on_reopen = [&](const Error&, milliseconds pause) {
    pauses.push_back(pause);
    if (pauses.size() == Reopening::kBusyAttempts + 1) seen.set_value();
  };
  Camera camera(options_for(server.target()), callbacks);
  ASSERT_EQ(seen.get_future().wait_for(kPatience), std::future_status::ready);
  camera.close();
  EXPECT_GE(pauses.back(), milliseconds{500});
}

TEST(Camera, ACertificateThatIsWrittenInPartIsReadAgain) {
  ScriptedServer server;
  std::string texts;
  std::promise<void> refused;
  int tries = 0;
  auto options = options_for(server.target());
  options.credentials = [] {
    Credentials credentials;
    credentials.root_certificates = credentials.client_certificate = credentials.client_key =
        "-----BEGIN CERTIFICATE-----\nMIIB";
    return credentials;
  };
  Callbacks callbacks;
  callbacks.on_reopen = [&](const Error& error, milliseconds) {
    texts += error.detail;
    if (++tries == 2) refused.set_value();
  };
  Camera camera(options, callbacks);
  EXPECT_EQ(refused.get_future().wait_for(kPatience), std::future_status::ready);
  camera.close();
  EXPECT_EQ(texts.find("MIIB"), std::string::npos);
}

TEST(Camera, ManyAreMadeAndDestroyedAtAnyMoment) {
  ScriptedServer server;
  for (int round = 0; round < 40; ++round) {
    Camera camera(options_for(server.target(), v1::FRAME_POLICY_NEWEST_WINS), {});
    for (int number = 0; number < round; ++number) camera.send(jpeg(std::string(10'000, 'x')));
  }
}

}  // namespace
}  // namespace facewire
