"""Questions of visits to the site or the app: whence, on what, how often, when first and last."""

from ..moment import Predicate
from ..reading import Reader
from .happened import Happened
from .person import Facts
from .times import read_times

VISIT = "visit"
ABOUT = ("device", "source", "origin", "medium", "campaign", "keyword", "ad", "landing")
"""What is known of a visit."""
MOST_VALUES = 50


def read_visited(reader: Reader) -> Happened:
    where = tuple(
        Predicate(name, "one_of", values) for name in ABOUT if (values := read_values(reader, name))
    )
    return Happened(Facts(VISIT), read_times(reader), where)


def read_values(reader: Reader, key: str) -> list[str]:
    """Texts of which one has to be met; none if it is not asked."""
    found = reader.value(key, required=False)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        reader.refuse(key, f"`{key}` must be a list of texts")
        return []
    if not 1 <= len(found) <= MOST_VALUES:
        reader.refuse(key, f"`{key}` may hold 1 to {MOST_VALUES} items, found {len(found)}", "out_of_range")
    return found
