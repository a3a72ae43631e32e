"""The table of faults: every case there is, as the suite plays it and as the docs show it."""

from tests.faults import bodies, fields, orders, pages, statuses, transport, trust
from tests.faults.case import Case

CASES: tuple[Case, ...] = (
    *transport.CASES,
    *statuses.CASES,
    *bodies.CASES,
    *fields.CASES,
    *orders.CASES,
    *pages.CASES,
    *trust.CASES,
)
