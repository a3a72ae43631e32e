"""What is true: money, time, facts, positions and P&L; standard library only, no I/O."""
