"""The blocks that inference pipelines are built of: each turns columns of raw rows into numbers, row by row."""
