"""Labels are read from folders and tables, and what is wrong with them is said by file, line and next step."""

from pathlib import Path

import pytest

from facewire_server.evaluation.labels import LabelError, read_labels


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_folder_with_one_folder_a_person(tmp_path: Path) -> None:
    for name in (
        "ann/1.jpg",
        "ann/deeper/2.PNG",
        "bob/1.webp",
        "bob/notes.txt",
        ".trash/1.jpg",
        "loose.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    labels = read_labels(tmp_path)
    assert [(each.name, each.person) for each in labels.pictures] == [
        ("ann/1.jpg", "ann"),
        ("ann/deeper/2.PNG", "ann"),
        ("bob/1.webp", "bob"),
    ]
    assert labels.pairs is None
    assert labels.people_are_known


def test_a_table_of_pictures(tmp_path: Path) -> None:
    path = table(
        tmp_path, "\ufeffpath, person,group,faces\na.jpg,ann,x,\nb.jpg,bob,y,2\n\nno.jpg,,,0\n"
    )
    pictures = read_labels(path).pictures
    assert [(each.person, each.group, each.face_count) for each in pictures] == [
        ("ann", "x", None),
        ("bob", "y", 2),
        ("", "", 0),
    ]
    assert pictures[0].path == tmp_path / "a.jpg"


def test_pairs_whose_folders_are_people(tmp_path: Path) -> None:
    path = table(tmp_path, "path_a,path_b,same\nann/1.jpg,ann/2.jpg,1\nann/1.jpg,bob/1.jpg,0\n")
    labels = read_labels(path)
    assert [each.person for each in labels.pictures] == ["ann", "ann", "bob"]
    assert labels.people_are_known
    assert "folder" in labels.remark


def test_pairs_in_one_folder_join_people_by_mated_pairs(tmp_path: Path) -> None:
    rows = "1.jpg,2.jpg,1\n2.jpg,3.jpg,true\n4.jpg,1.jpg,0\n"
    labels = read_labels(table(tmp_path, "path_a,path_b,same\n" + rows))
    first, second, third, fourth = (each.person for each in labels.pictures)
    assert first == second == third != fourth
    assert not labels.people_are_known
    assert "person_a" in labels.remark


def test_pairs_with_people_and_groups(tmp_path: Path) -> None:
    rows = "1.jpg,2.jpg,1,x,ann,ann\n1.jpg,3.jpg,0,x,ann,bob\n"
    labels = read_labels(table(tmp_path, "path_a,path_b,same,group,person_a,person_b\n" + rows))
    assert [each.person for each in labels.pictures] == ["ann", "ann", "bob"]
    assert labels.pairs is not None
    assert [each.group for each in labels.pairs] == ["x", "x"]
    assert labels.people_are_known
    assert not labels.remark


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a,b\n1,2\n", "line 1", "path_a,path_b,same"),
        ("path_a,path_b,same\n1.jpg,2.jpg,1\n1.jpg,2.jpg,maybe\n", "line 3", "write 1 or 0"),
        ("path_a,path_b,same\n1.jpg,1.jpg,1\n", "line 2", "name two pictures"),
        (
            "path_a,path_b,same,person_a,person_b\n1.jpg,2.jpg,1,ann,bob\n",
            "line 2",
            "correct the one",
        ),
        (
            "path_a,path_b,same,person_a,person_b\n1.jpg,2.jpg,1,ann,\n",
            "line 2",
            "write the one person",
        ),
        ("path_a,path_b,same\n", "no row", "write one a pair"),
        ("path,person\n1.jpg,ann\n,bob\n", "line 3", "name a picture"),
        ("path,person\n1.jpg,\n", "line 2", "write who it is"),
        ("path,person\n1.jpg,ann\n1.jpg,bob\n", "line 3", "keep the line that is right"),
        ("path,person,group\n1.jpg,ann,x\n2.jpg,ann,y\n", "line 3", "one group"),
        ("path,person,faces\n1.jpg,ann,two\n", "line 2", "write a number"),
        ("path,person\n", "no row", "write one a picture"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, line: str, said: str
) -> None:
    path = table(tmp_path, text)
    with pytest.raises(LabelError) as raised:
        read_labels(path)
    assert str(path) in str(raised.value)
    assert line in str(raised.value)
    assert said in str(raised.value)


def test_what_is_not_there_and_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="does not exist"):
        read_labels(tmp_path / "nothing")
    with pytest.raises(LabelError, match="no folder with pictures"):
        read_labels(tmp_path)
    path = tmp_path / "labels.csv"
    path.write_bytes(b"path,person\n\xff\xfe.jpg,ann\n")
    with pytest.raises(LabelError, match="UTF-8"):
        read_labels(path)
