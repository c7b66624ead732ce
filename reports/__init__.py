"""What we say: a pure function of results. Nothing here talks, replays or judges."""
