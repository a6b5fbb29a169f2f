"""The commands of the command line, a module for what belongs together: parsing and printing, work elsewhere.

    ingest     ingest                              explain    explain
    review     review
    publish    publish
    releases   diff, verify, restore, withdraw     learning   evaluate, profile propose, model train
    common     what they share

Only these and `cli` may import flows, and everything heavy is imported late: `copydesk --help` takes no time.
"""
