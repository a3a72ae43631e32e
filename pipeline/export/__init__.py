"""The book as others read it: every fill, settlement, cost and deal as plain text."""
