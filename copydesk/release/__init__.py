"""Releases on disk: written once, verified and restored at any time, never changed.

commit      write_release: rows to a new release      draft, tables, shards   rows to files, as functions of the set
keys, rows  who and where each document is            order                   how they stand, where shards end
manifest    what a release consists of                versions, changes       its number, and how it differs
card, head  README.md                                 tally, facts            the numbers and words in both
verify      the chain of hashes                       audit, problems         what the rows mean; what is wrong
restore     the raw files back from the ledger        reading                 documents with their ledger, in order
withdraw    a document out of every release           quarantine              the documents left out
folder      safe writing
"""
