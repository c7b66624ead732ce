"""Commands of the command line, one module a topic; arguments and printing only."""
