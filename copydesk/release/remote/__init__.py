"""Datasets on a store, `s3://bucket/prefix/NAME` or another fsspec URL, by way of a working copy on this disk.

    tries    a request that failed is made again, a few times, with growing pauses
    store    a folder on a store: list, read, put, and replace one file only if it is still the one last seen
    copy     a store's release into a local folder, and a local folder's releases to the store
    through  an ingest, a withdrawal or a reading command, carried out on a store

All files of a release but README.md, its manifest and what is written after it are named by their content. So what lies
in a working copy is never wrong, and what a store has is never sent again.
"""
