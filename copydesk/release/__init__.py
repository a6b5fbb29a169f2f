"""Releases on disk: written once, verified and restored at any time, never changed.

commit      write_release: rows to a new release      order, tables, shards   rows to files, as functions of the set
manifest    what a release consists of                versions                what its number is
card, head  README.md                                 tally, facts            the numbers and words in both
verify      recompute every hash, count and number    restore                 the raw files back from the ledger
folder      safe writing                              quarantine              the documents left out
"""
