import threading

from facewire_server.backends.lmdb_storage.read_write_lock import ReadWriteLock


def test_readers_hold_it_at_once():
    lock = ReadWriteLock()
    both_hold_it = threading.Barrier(2)

    def read() -> None:
        with lock.read():
            both_hold_it.wait(10)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_a_writer_comes_after_earlier_readers_and_before_later_ones():
    lock = ReadWriteLock()
    order: list[str] = []
    lock.acquire_read()

    def write() -> None:
        with lock.write():
            order.append("writer")

    def late_read() -> None:
        with lock.read():
            order.append("late")

    first = threading.Thread(target=write)
    first.start()
    while not lock.writer_waiting:  # the thread is about to wait
        pass
    second = threading.Thread(target=late_read)
    second.start()
    order.append("early")
    lock.release_read()
    first.join(10)
    second.join(10)
    assert order == ["early", "writer", "late"]


def test_a_writer_is_alone():
    lock = ReadWriteLock()
    inside = 0
    seen: list[int] = []

    def work(number: int) -> None:
        nonlocal inside
        for turn in range(200):
            if (turn + number) % 10:
                with lock.read():
                    pass
            else:
                with lock.write():
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
