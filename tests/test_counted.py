"""One of a thing is not several."""

from pellucid.counted import counted


def test_one_and_many() -> None:
    assert [counted(number, "photo") for number in (0, 1, 1696)] == [
        "0 photos",
        "1 photo",
        "1,696 photos",
    ]
    assert counted(2, "class", "classes") == "2 classes"
