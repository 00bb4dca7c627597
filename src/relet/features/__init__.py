"""The building blocks of inference pipelines: each turns columns of raw rows into numbers, row by row."""
