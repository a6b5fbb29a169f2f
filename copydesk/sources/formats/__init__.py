"""One module for each format: `read_FORMAT(stream, reading)` gives its records.

text        one text or page a file, or many stories with a separator
jsonl       JSON lines                        json_list   a list of objects, or one
csv_rows    comma- and tab-separated values   parquet     Parquet, by row groups
arrow       Arrow, as `datasets` saves it     warc        web archives
zipped      ZIP                               tarred      TAR
html        a page to its article lines and its metadata (no reader: done when the batch is read)
members     what both archives share: names, kinds, members within members
"""
