"""Sizes of companies: read from texts, and put into ordered bands."""

from .sql import literal

EMPLOYEE_BANDS = (1, 11, 51, 201, 501, 1_001, 5_001, 10_001)
"""Least number of people in each band, as on LinkedIn and in most CRMs."""

REVENUE_BANDS = (
    *(0, 1_000_000, 10_000_000, 50_000_000, 100_000_000, 500_000_000, 1_000_000_000),
    10_000_000_000,
)
"""Least yearly revenue in each band, in the company's currency."""

_UNITS = "k|tsd|thousand|mille|mil|mio|mn|m|million|millionen|millions|bn|mrd|b|billion"
# A unit ends where its letters do, or "10 Mitarbeiter" were ten million.
_NUMBER = rf"([0-9][0-9.,']*)(?:({_UNITS})\b)?"
_RANGE = rf"{_NUMBER}(-|to|bis|a|until){_NUMBER}"


def size_sql(text: str) -> str:
    """Return SQL for the number that a text says of a size; NULL for none.

    "51-200" is the geometric middle of the two, "1,000+" and "> 1000" the number itself, "< 10"
    half of it. "k", "M" and "B" multiply, in several languages, and count for both ends of a range
    if only the last has one ("$10-50M").

    Examples
    --------
    ``'51-200'`` -> 101, ``'1,000+'`` -> 1000, ``'$10M-$50M'`` -> 22,360,680,
    ``'10.000 Mitarbeiter'`` -> 10,000, ``'<10'`` -> 5
    """
    plain = (
        f"regexp_replace(regexp_replace(lower(strip_accents({text})), '[–—−]', '-', 'g'),"
        " '[$€£¥\\s]|usd|eur|gbp|chf', '', 'g')"
    )

    def part(pattern: str, group: int) -> str:
        return f"regexp_extract({plain}, {literal(pattern)}, {group})"

    low = f"{_number(part(_RANGE, 1))} * coalesce(nullif({_times(part(_RANGE, 2))}, 1),"
    low += f" {_times(part(_RANGE, 5))})"
    high = f"{_number(part(_RANGE, 4))} * {_times(part(_RANGE, 5))}"
    one = f"{_number(part(_NUMBER, 1))} * {_times(part(_NUMBER, 2))}"
    below = f"regexp_matches({plain}, '^(<|upto|unter|under|below|moinsde|lessthan|fewerthan)')"
    return (
        f"CASE WHEN regexp_matches({plain}, {literal(_RANGE)})"
        f" THEN round(sqrt(greatest({low}, 1) * ({high})))"
        f" WHEN {below} THEN ({one}) / 2 ELSE {one} END"
    )


def band_sql(number: str, bands: tuple[int, ...]) -> str:
    """Return SQL for the least number of the band that a number lies in; NULL for none."""
    cases = " ".join(f"WHEN {number} >= {least} THEN {least}.0" for least in reversed(bands))
    return f"CASE {cases} END"


def band_of(number: float, bands: tuple[int, ...]) -> tuple[int, int | None]:
    """Return the ends of the band that a number lies in, the lowest for less than any has.

    None for the upper end of the highest.
    """
    at = bands.index(max(each for each in bands if each <= max(number, bands[0])))
    following = bands[at + 1 : at + 2]
    return bands[at], following[0] if following else None


def _number(text: str) -> str:
    """Write SQL for digits in groups of three, or with a decimal point or comma."""
    grouped = f"regexp_matches({text}, '^[0-9]{{1,3}}([.,''][0-9]{{3}})+$')"
    whole = f"regexp_replace({text}, '[.,'']', '', 'g')"
    decimal = f"replace(rtrim({text}, '.,'), ',', '.')"
    return f"TRY_CAST(CASE WHEN {grouped} THEN {whole} ELSE {decimal} END AS DOUBLE)"


def _times(unit: str) -> str:
    return (
        f"CASE WHEN {unit} IN ('k', 'tsd', 'thousand', 'mille', 'mil') THEN 1e3"
        f" WHEN {unit} IN ('bn', 'mrd', 'b', 'billion') THEN 1e9"
        f" WHEN {unit} = '' THEN 1 ELSE 1e6 END"
    )
