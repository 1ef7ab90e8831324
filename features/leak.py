"""A leak: a column or kind of event that knows what the snapshot could not."""

import json
import re
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["certain", "suspect"]
KnownWhen = Literal["before", "after"]


@dataclass(frozen=True)
class Leak:
    """What the audit says of a column or a kind of event.

    Attributes
    ----------
    table, column : str
        Of events, the kind; of an order or an id, its name.
    verdict : {"certain", "suspect"}
        Certain: time shows, or the configuration says, that it was not known at the snapshot.
    reason : str
        The end of a sentence that begins with the column.
    evidence : str
        The counts that show it.
    excluded : bool
        Whether training does without it.
    kept_as : str
        How ``features.include`` and ``features.exclude`` speak of it; empty where it is no
        feature anyway.
    """

    table: str
    column: str
    verdict: Verdict
    reason: str
    evidence: str
    excluded: bool
    kept_as: str

    @property
    def told(self) -> str:
        """Where it is, for messages: ``leads.country``."""
        return f"{self.table}.{self.column}"

    @property
    def config(self) -> str:
        """The line of ``leadlight.yaml`` that excludes it, or that keeps it all the same."""
        if not self.kept_as:
            return ""
        setting = "include" if self.excluded else "exclude"
        return f"features: {{{setting}: [{_yaml(self.kept_as)}]}}"

    @property
    def sentence(self) -> str:
        """The verdict with its evidence, and what to do about it."""
        if self.excluded:
            done = " It is left out"
            done += f"; to keep it: {self.config}" if self.config else ""
        elif self.verdict == "certain":
            done = f" It is kept, as features.include says; to leave it out: {self.config}"
        else:
            done = f" It is kept; to leave it out: {self.config}" if self.config else ""
        kind = "LEAK" if self.verdict == "certain" else "Suspected leak"
        end = "." if done else ""
        return f"{kind}: {self.told}: {self.reason} ({self.evidence}).{done}{end}"


def _yaml(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][\w. -]*[\w]", name)
    words = {"true", "false", "yes", "no", "on", "off", "null"}
    return name if plain and name.lower() not in words else json.dumps(name, ensure_ascii=False)
