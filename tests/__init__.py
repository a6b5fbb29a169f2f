"""The tests: what copydesk promises, as tables of cases and properties."""
