import threading

from facewire_server.backends.lmdb_gallery.gate import Gate


def test_many_are_inside_at_once():
    gate = Gate()
    both_inside = threading.Barrier(2)

    def enter() -> None:
        with gate.shared():
            both_inside.wait(10)

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_who_is_alone_came_after_the_earlier_and_before_the_later():
    gate = Gate()
    order: list[str] = []
    gate.enter()

    def alone() -> None:
        with gate.alone():
            order.append("alone")

    def late() -> None:
        with gate.shared():
            order.append("late")

    first = threading.Thread(target=alone)
    first.start()
    while not gate._wanted_alone:  # the thread is about to say so
        pass
    second = threading.Thread(target=late)
    second.start()
    order.append("early")
    gate.leave()
    first.join(10)
    second.join(10)
    assert order == ["early", "alone", "late"]


def test_alone_means_alone():
    gate = Gate()
    inside = 0
    seen: list[int] = []

    def work(number: int) -> None:
        nonlocal inside
        for turn in range(200):
            if (turn + number) % 10:
                with gate.shared():
                    pass
            else:
                with gate.alone():
                    inside += 1
                    seen.append(inside)
                    inside -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert set(seen) == {1}
    assert len(seen) == 80
