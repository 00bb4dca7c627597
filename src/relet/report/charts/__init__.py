"""Charts as SVG text. The number behind each mark is shown under the pointer.

Each kind of chart is a module of its own, and nothing is imported here: a component that draws one kind need not
run again when another kind is edited.
"""
