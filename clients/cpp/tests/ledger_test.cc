// Every numbered frame is accounted for once, in order, over all streams.
#include "ledger.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace facewire {
namespace {

v1::StreamStarted started(std::uint32_t credit, std::uint64_t resume_after = 0, std::uint32_t max_bytes = 1 << 20) {
  v1::StreamStarted limits;
  limits.set_max_in_flight(credit);
  limits.set_max_frame_bytes(max_bytes);
  limits.set_resume_after_sequence(resume_after);
  return limits;
}

void fill(Ledger& ledger, int first, int last) {
  for (int number = first; number <= last; ++number) ledger.put(jpeg("picture"), number);
}

std::vector<std::uint64_t> sent(Ledger& ledger) {
  std::vector<std::uint64_t> numbers;
  while (ledger.may_send()) {
    const auto request = ledger.next();
    if (!request) break;
    numbers.push_back(request->frame().sequence());
  }
  return numbers;
}

using Numbers = std::vector<std::uint64_t>;

TEST(Ledger, NothingIsSentBeforeTheServerHasNamedTheCredit) {
  Ledger ledger(4, WhenFull::kDropOldest, false);
  fill(ledger, 1, 2);
  EXPECT_FALSE(ledger.may_send());
  EXPECT_FALSE(ledger.begin(started(2)));
  EXPECT_EQ(sent(ledger), (Numbers{1, 2}));
}

TEST(Ledger, TheCreditIsKept) {
  Ledger ledger(8, WhenFull::kDropOldest, false);
  fill(ledger, 1, 6);
  ledger.begin(started(2));
  EXPECT_EQ(sent(ledger), (Numbers{1, 2}));
  ledger.account(1);
  EXPECT_EQ(sent(ledger), (Numbers{3}));
  ledger.account(3);
  EXPECT_EQ(sent(ledger), (Numbers{4, 5}));
}

TEST(Ledger, AFullQueueDropsItsOldestFrame) {
  Ledger ledger(2, WhenFull::kDropOldest, false);
  fill(ledger, 1, 5);
  ledger.begin(started(4));
  EXPECT_EQ(ledger.next()->frame().captured_at_us(), 4);
  EXPECT_EQ(ledger.next()->frame().captured_at_us(), 5);
  EXPECT_EQ(ledger.dropped_count(), 3U);
  EXPECT_EQ(ledger.last_sequence(), 2U) << "what was dropped has no number";
}

TEST(Ledger, OrTheFrameThatComes) {
  Ledger ledger(2, WhenFull::kDropNewest, false);
  EXPECT_TRUE(ledger.put(jpeg("a"), 1));
  EXPECT_TRUE(ledger.put(jpeg("b"), 2));
  EXPECT_FALSE(ledger.put(jpeg("c"), 3));
  ledger.begin(started(4));
  EXPECT_EQ(ledger.next()->frame().captured_at_us(), 1);
  EXPECT_EQ(ledger.dropped_count(), 1U);
}

TEST(Ledger, OrHasNoRoom) {
  Ledger ledger(1, WhenFull::kWait, true);
  EXPECT_TRUE(ledger.has_room());
  EXPECT_TRUE(ledger.put(jpeg("a"), 1));
  EXPECT_FALSE(ledger.has_room());
  EXPECT_FALSE(ledger.put(jpeg("b"), 2));
  EXPECT_EQ(ledger.dropped_count(), 0U);
}

TEST(Ledger, ALiveCameraSendsNoFrameAgain) {
  Ledger ledger(8, WhenFull::kDropOldest, false);
  fill(ledger, 1, 6);
  ledger.begin(started(4));
  sent(ledger);
  ledger.account(1);
  const auto lost = ledger.break_off();
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->first_sequence(), 2U);
  EXPECT_EQ(lost->last_sequence(), 4U);
  EXPECT_EQ(lost->frame_count(), 3U);
  EXPECT_EQ(lost->reason(), v1::SKIP_REASON_CONNECTION_LOST);
  EXPECT_FALSE(ledger.may_send()) << "there is no stream";
  EXPECT_FALSE(ledger.begin(started(4, 1)));
  EXPECT_EQ(sent(ledger), (Numbers{5, 6})) << "numbers go on";
}

TEST(Ledger, ARecordingSendsAgainWhatTheServerHasNotAccountedFor) {
  Ledger ledger(8, WhenFull::kWait, true);
  fill(ledger, 1, 6);
  ledger.begin(started(4));
  sent(ledger);
  ledger.account(1);
  EXPECT_FALSE(ledger.break_off());
  const auto lost = ledger.begin(started(4, 3));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->first_sequence(), 2U);
  EXPECT_EQ(lost->last_sequence(), 3U);
  EXPECT_EQ(lost->frame_count(), 2U);
  EXPECT_EQ(sent(ledger), (Numbers{4, 5, 6}));
}

TEST(Ledger, AServerThatHasForgottenTheStreamGetsAllOfThem) {
  Ledger ledger(8, WhenFull::kWait, true);
  fill(ledger, 1, 3);
  ledger.begin(started(2));
  sent(ledger);
  ledger.break_off();
  EXPECT_FALSE(ledger.begin(started(4, 0)));
  EXPECT_EQ(sent(ledger), (Numbers{1, 2, 3}));
}

TEST(Ledger, AFrameSentAgainIsTheSameMessage) {
  Ledger ledger(2, WhenFull::kWait, true);
  ledger.put(jpeg("the picture"), 77);
  ledger.begin(started(1));
  const auto first = ledger.next();
  ledger.break_off();
  ledger.begin(started(1));
  EXPECT_EQ(ledger.next(), first);
  EXPECT_EQ(first->frame().image().data(), "the picture");
}

TEST(Ledger, OfAFrameThatIsTooLargeTheServerGetsEnoughToRefuseIt) {
  Ledger ledger(2, WhenFull::kDropOldest, false);
  ledger.put(jpeg(std::string(5000, 'x')), 1);
  ledger.begin(started(1, 0, 1000));
  EXPECT_EQ(ledger.next()->frame().image().data().size(), 1001U);
}

TEST(Ledger, ItIsDoneWhenAllFramesAreAccountedFor) {
  Ledger ledger(4, WhenFull::kWait, true);
  ledger.begin(started(4));
  fill(ledger, 1, 2);
  ledger.finish();
  EXPECT_EQ(sent(ledger), (Numbers{1, 2}));
  EXPECT_TRUE(ledger.may_send()) << "the end of the sending is sent, too";
  EXPECT_EQ(ledger.next(), nullptr);
  EXPECT_FALSE(ledger.is_done());
  ledger.account(2);
  EXPECT_TRUE(ledger.is_done());
}

TEST(Ledger, OverManyBreaksEachNumberIsAccountedForOnceAndInOrder) {
  for (const bool resends : {false, true}) {
    std::mt19937 dice(7);
    Ledger ledger(3, resends ? WhenFull::kWait : WhenFull::kDropOldest, resends);
    std::uint64_t answered = 0;  // by the server
    std::uint64_t accounted = 0;  // as reported
    const auto report = [&](const std::optional<v1::FramesSkipped>& lost) {
      if (!lost) return;
      ASSERT_EQ(lost->first_sequence(), accounted + 1);
      ASSERT_EQ(lost->frame_count(), lost->last_sequence() - lost->first_sequence() + 1);
      accounted = lost->last_sequence();
    };
    for (int stream = 0; stream < 500; ++stream) {
      report(ledger.begin(started(4, dice() % 3 == 0 ? 0 : answered)));
      std::uint64_t on_the_way = 0;
      for (int step = 0; step < 20; ++step) {
        if (ledger.has_room()) ledger.put(jpeg("x"), 1);
        if (dice() % 2 == 0) {
          for (const auto number : sent(ledger)) on_the_way = number;
        } else if (accounted < on_the_way) {  // a result comes
          ledger.account(++accounted);
          answered = accounted;
        }
      }
      if (on_the_way > answered && dice() % 2 == 0) answered += 1;  // a result that is lost on its way
      report(ledger.break_off());
    }
    EXPECT_GT(accounted, 1000U);
  }
}

}  // namespace
}  // namespace facewire
