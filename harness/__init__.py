"""Who tests: asking, listening, judging. It renders nothing and knows no provider by name."""

__version__ = "0.1.0"
