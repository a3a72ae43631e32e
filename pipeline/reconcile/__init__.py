"""Reconciliation: our figures held against each source's own, every cent of difference named."""
