"""A client's next stream starts behind what its ended ones have had, and few clients are remembered."""

from facewire_server.work.debts import Debts


def test_a_debt_is_kept_while_it_is_ahead_of_all() -> None:
    debts = Debts()
    debts.leave("a", 5.0, now_s=1.0)
    debts.leave("a", 3.0, now_s=2.0)
    debts.leave("b", 2.0, now_s=2.0)
    assert (debts.of("a"), debts.of("b")) == (5.0, 0.0)
    debts.leave("a", 4.0, now_s=6.0)
    assert debts.of("a") == 0.0


def test_of_too_many_clients_the_earliest_is_forgotten() -> None:
    debts = Debts()
    for number in range(1025):
        debts.leave(f"client {number}", 5.0, now_s=1.0)
    assert [debts.of(f"client {number}") for number in (0, 1, 1024)] == [0.0, 5.0, 5.0]
