"""What lies between the bytes of a picture and its pixels.

A file is walked before a decoder sees it, one module a format: what it announces is held against what it has,
and the decoder gets a file of the checked parts only. So nothing in a file but what was checked here reaches an allocator
or a loop of a library (docs/decisions/0018-files-are-walked.md).
"""
