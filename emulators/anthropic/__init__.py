"""Anthropic's organization API: usage and cost, the new pair and the legacy one."""
