"""Names of a container's records: two of one name are told apart by a number.

    Names   what was given so far, in the records' order

A record keeps its name unless one before it has it; then it is `name~2`, or the next that is free. So a name hangs on
what stands before it alone, and more records behind change none.
"""

from __future__ import annotations

from copydesk.sources.tables import document_id

__all__ = ["Names"]


class Names:
    """The names that were given, by their ids as numbers."""

    def __init__(self) -> None:
        self._given: set[int] = set()
        self._last: dict[int, int] = {}

    def new(self, number: int) -> bool:
        """Whether the name with this id was free; it is given now."""
        if number in self._given:
            return False
        self._given.add(number)
        return True

    def another(self, source: str, uri: str) -> str:
        """The uri for one more record of a name that is given."""
        number = as_number(document_id(source, uri))
        nth = self._last.get(number, 1) + 1
        while not self.new(as_number(document_id(source, f"{uri}~{nth}"))):
            nth += 1
        self._last[number] = nth
        return f"{uri}~{nth}"


def as_number(hexadecimal: str) -> int:
    """An id as a number, as tables of keys hold it."""
    return int(hexadecimal, 16)
