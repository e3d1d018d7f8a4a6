"""Counted: things with their number, one or many."""


def counted(number: int, noun: str, many: str = "") -> str:
    """How many of something there are, in words.

    Args:
        many: of several, where an "s" behind the noun does not make it.

    Example:
        >>> counted(1, "photo"), counted(1696, "photo"), counted(2, "class", "classes")
        ('1 photo', '1,696 photos', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
