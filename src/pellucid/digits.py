"""Digits: numbers beside each other in as few as tell them apart."""


def apart(*numbers: float, least: int = 3) -> list[str]:
    """Each number as text: with so many digits that different ones look different.

    Args:
        least: digits where that is enough.

    Example:
        >>> apart(0.27314, 0.27318)
        ['0.2731', '0.2732']
    """
    texts: list[str] = []
    for digits in range(least, 18):  # 17 tell any two numbers apart
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) >= len(set(numbers)):
            break
    return texts
