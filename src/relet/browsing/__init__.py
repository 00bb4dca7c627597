"""Looks at what the store holds, for a table, a page or a notebook; runs nothing."""
