"""Charts as SVG text, each with the number behind every mark under the pointer.

Each kind is a module of its own, and nothing is imported here: what draws one kind runs again when that is edited,
and not when another is.
"""
