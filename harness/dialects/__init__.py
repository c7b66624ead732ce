"""The client systems under test: their vectors, their checks, their pages, and the commands' other half."""
