"""Entries: beancount's directives as text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.moment import aware, text
from ledger.money import quantity

DECIMALS = 9
"""Every dollar amount has all nine: beancount takes its tolerance from the digits it sees."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg: an account and its amount as beancount writes it."""

    account: str
    amount: str


def transaction(
    time: int, narration: str, postings: Iterable[Posting], about: Mapping[str, str] | None = None
) -> str:
    """Return a transaction of the UTC day of an instant, which is kept in its metadata."""
    lines = [f"{day(time)} * {quoted(narration)}", f"  time: {quoted(text(time))}"]
    lines += [f"  {name}: {quoted(value)}" for name, value in (about or {}).items()]
    lines += [f"  {posting.account}  {posting.amount}" for posting in postings]
    return "\n".join(lines) + "\n\n"


def opened(time: int, account: str, booking: str = "") -> str:
    """Return the directive that opens an account."""
    return f"{day(time)} open {account}{f' {quoted(booking)}' if booking else ''}\n\n"


def named(time: int, commodity: str, ticker: str) -> str:
    """Return the directive that says which market a commodity is."""
    return f"{day(time)} commodity {commodity}\n  ticker: {quoted(ticker)}\n\n"


def balanced(day: date, account: str, amount: str) -> str:
    """Return the directive by which beancount compares its own inventory at a day's beginning."""
    return f"{day} balance {account}  {amount}\n\n"


def priced(day: date, commodity: str, price: str) -> str:
    """Return the directive of a price."""
    return f"{day} price {commodity}  {price}\n\n"


def dollars(nano: int) -> str:
    """Return nano-dollars with all nine decimals."""
    return f"{Decimal(nano).scaleb(-DECIMALS):.{DECIMALS}f} USD"


def units(count: int, commodity: str) -> str:
    """Return 1/100 contracts of a market."""
    return f"{format(quantity(count), 'f')} {commodity}"


def day(time: int) -> date:
    """Return the UTC day of an instant."""
    return aware(time).date()


def quoted(value: str) -> str:
    """Return a text as a string of beancount, on one line."""
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + " ".join(plain.splitlines()) + '"'
