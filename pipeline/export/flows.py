"""Flows: AI cost by the UTC day, and what deals have earned, as transactions."""

from collections.abc import Iterable, Iterator

from ledger.cost import counted
from ledger.facts import Cost, Deal
from ledger.moment import DAY, floor
from ledger.revenue import earnings
from pipeline.export.entry import Posting, dollars, opened, transaction

BILLED = "Expenses:Anthropic:Billed"
ESTIMATED = "Expenses:Anthropic:Estimated"
OWED = "Liabilities:Anthropic"
RECEIVABLE = "Assets:Receivable"


def costs(lines: Iterable[Cost], until: int) -> Iterator[str]:
    """Yield one transaction a UTC day of what counts by `until`, billed and estimated apart."""
    days: dict[int, dict[str, int]] = {}
    for hour, line, amount in counted(lines, until):
        sums = days.setdefault(floor(hour, DAY), {})
        account = ESTIMATED if line.estimated else BILLED
        sums[account] = sums.get(account, 0) + amount
    known = {day: sums for day, sums in days.items() if any(sums.values())}
    for account in (BILLED, ESTIMATED, OWED) if known else ():
        yield opened(min(known), account)
    for day, sums in sorted(known.items()):
        postings = [Posting(account, dollars(amount)) for account, amount in sorted(sums.items())]
        postings.append(Posting(OWED, dollars(-sum(sums.values()))))
        yield transaction(day, "AI cost", postings)


def revenue(deals: Iterable[Deal], until: int) -> Iterator[str]:
    """Yield one transaction for each recognition that took effect by `until`."""
    earned = sorted(
        (instant, deal.source, deal.id, amount, deal.name)
        for deal in deals
        for instant, amount in earnings(deal)
        if instant <= until and amount
    )
    known: set[str] = set()
    for instant, source, name, amount, title in earned:
        account = income(source)
        for each in {RECEIVABLE, account} - known:
            known.add(each)
            yield opened(instant, each)
        postings = (Posting(RECEIVABLE, dollars(amount)), Posting(account, dollars(-amount)))
        about = {"deal": name, "source": source}
        yield transaction(instant, f"recognized {title}", postings, about)


def income(source: str) -> str:
    """Return the account of a source's revenue."""
    word = "".join(letter for letter in source.title() if letter.isalnum() and letter.isascii())
    return f"Income:Revenue:{word if word[:1].isupper() else f'Source{word}'}"
