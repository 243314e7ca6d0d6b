"""Who of a backup was deleted after it: also after merges, splits and restores, and never another person."""

from facewire_server.galleries.deletions import LoggedChange, deleted_after

MERGE = LoggedChange("merge_identities", 11, 1, 2)
SPLIT = LoggedChange("split_identity", 11, 7, 1)


def deleted(*changes: LoggedChange) -> tuple[set[int], set[int]]:
    """The records that are deleted, and that are unclear, of a backup at revision 10."""
    found = deleted_after(changes, 10)
    return set(found.records), set(found.unclear)


def test_who_was_deleted_after_the_backup_is_and_who_was_before_it_is_not_looked_for() -> None:
    changes = [
        LoggedChange("delete_identity", 10, 1),
        LoggedChange("delete_identity", 11, 2),
        LoggedChange("delete_template", 9, template=3),
        LoggedChange("delete_template", 12, template=4),
        LoggedChange("delete_negative_example", 12, template=6),
    ]
    assert deleted(*changes) == ({2}, set())
    assert deleted_after(changes, 10).templates == {4, 6}
    assert not deleted_after(changes, 10).is_gallery
    assert deleted_after([LoggedChange("delete_gallery", 11)], 10).is_gallery
    assert not deleted_after([LoggedChange("delete_gallery", 10)], 10).is_gallery


def test_a_merge_deletes_nobody_and_who_is_deleted_after_it_goes_as_both() -> None:
    assert deleted(MERGE) == (set(), set())
    assert deleted(MERGE, LoggedChange("delete_identity", 12, 1)) == ({1, 2}, set())
    # Lines of several workers may come in another order than the changes.
    assert deleted(LoggedChange("delete_identity", 12, 1), MERGE) == ({1, 2}, set())
    # Merged again, into a third one.
    again = LoggedChange("merge_identities", 12, 3, 1)
    assert deleted(MERGE, again, LoggedChange("delete_identity", 13, 3)) == ({1, 2, 3}, set())


def test_who_was_split_off_and_deleted_is_unclear_and_who_stayed_does_not_go() -> None:
    assert deleted(SPLIT, LoggedChange("delete_identity", 12, 7)) == ({7}, {1})
    # Merged into another person: this one goes, and the first is as unclear as before.
    merge = LoggedChange("merge_identities", 12, 3, 7)
    assert deleted(SPLIT, merge, LoggedChange("delete_identity", 13, 3)) == ({3, 7}, {1})
    # Both deleted: nothing is unclear any more.
    both = (LoggedChange("delete_identity", 12, 7), LoggedChange("delete_identity", 13, 1))
    assert deleted(SPLIT, *both) == ({1, 7}, set())


def test_after_a_restore_it_is_unclear_whether_the_merge_before_it_still_held() -> None:
    changes = (MERGE, LoggedChange("restore", 12), LoggedChange("delete_identity", 13, 1))
    assert deleted(*changes) == ({1}, {2})


def test_deletions_and_corrections_of_which_the_log_does_not_say_of_whom_are_counted() -> None:
    changes = [
        LoggedChange("delete_identity", 11),
        LoggedChange("delete_template", 12),
        LoggedChange("delete_template", 9),
        LoggedChange("merge_identities", 13, 1, None),
        LoggedChange("split_identity", 14, None, 1),
        LoggedChange("merge_identities", 9, 1, None),
    ]
    assert deleted_after(changes, 10).unknown_count == 4
    assert deleted(*changes) == (set(), set())
