"""The commands of the command line, a module for what belongs together: parsing and printing, work elsewhere.

    init        init                                 ingest      ingest
    schedule    schedule                             status      status
    quarantine  quarantine list, show, retry, waive  explain     explain
    releases    diff, verify, restore, withdraw      learning    evaluate, profile propose, model train
    review      review                               running     how an ingest is run
    publish     publish                              common      what all share

Only these and `cli` may import flows, and everything heavy is imported late: `copydesk --help` takes no time.
"""
