"""The taxonomy: from raw texts to the kinds that the field speaks of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PageRule:
    """A URL whose path matches ``pattern`` shows a page of this kind; the first match wins.

    Attributes
    ----------
    kind : str
        ``pricing``, ``product``, ``case_study``, ...
    pattern : str
        Regular expression (RE2 syntax) searched in the lower-case path of the URL.
    """

    kind: str
    pattern: str
