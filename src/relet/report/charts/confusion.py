"""Which classes a model takes for which, as a square of counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relet.report.drawing import HEAD, drawing, name_text, nothing_to_draw, px, text, tip_of
from relet.report.markup import PageMarkup, element
from relet.report.wording import fit_text, number, share, text_width

SIDE, TALL = 58, 34
# More classes than these would be cells without room for a number.
MOST = 25


def confusion_chart(
    counts: Sequence[Sequence[int]], names: Sequence[str], *, title: str, most: int = MOST
) -> PageMarkup:
    """A row for each true class and a column for each predicted one; blue where they agree, orange where not.

    `counts[true][predicted]` are numbers of rows. A cell is the darker, the larger its share of its row is, which
    it shows under the pointer. Of more than `most` classes those with the most rows are shown.

    >>> drawn = confusion_chart([[8, 2], [0, 5]], ["no", "yes"], title="Confusion")
    >>> "no, predicted yes: 2 rows, 20.0% of no" in drawn
    True
    """
    if not names:
        return nothing_to_draw("no classes to show", title=title)
    shown = sorted(sorted(range(len(names)), key=lambda place: -sum(counts[place]))[:most])
    labels = min(190.0, max([text_width(names[place]) for place in shown] + [70.0]) + 18)
    top = HEAD + labels * 0.72 + 24
    drawn = [text(labels, HEAD + 14, "predicted →", kind="small"), text(10, top - 10, "true ↓", kind="small")]
    for row, true in enumerate(shown):
        y = top + TALL * row
        drawn.append(name_text(labels - 8, y + TALL / 2 + 4, names[true], labels - 8, anchor="end"))
        turned = f"translate({px(labels + SIDE * (row + 0.5))} {px(top - 8)}) rotate(-45)"
        drawn.append(element("text", fit_text(names[true], labels - 8), transform=turned))
        for column, predicted in enumerate(shown):
            drawn += _confusion_cell(labels + SIDE * column, y, counts[true], names, (true, predicted))
    left_out = f", the {len(shown)} largest of {len(names)} classes" if len(shown) < len(names) else ""
    style = (
        ".chart .right{fill:var(--s0,#0a6aa8)}.chart .wrong{fill:var(--s1,#d0650b)}"
        ".chart .in{font-size:12px;text-anchor:middle}"
    )
    width = max(labels + SIDE * len(shown) + labels * 0.72 + 10, 240, text_width(title + left_out) * 16 / 13 + 20)
    height = top + TALL * len(shown) + 10
    return drawing(drawn, title=title + left_out, width=width, height=height, style=style, kind="wide")


def _confusion_cell(
    x: float, y: float, counts: Sequence[int], names: Sequence[str], classes: tuple[int, int]
) -> Iterator[PageMarkup]:
    """The square of a true and a predicted class, with its number where it is not 0."""
    true, predicted = classes
    held, whole = counts[predicted], sum(counts)
    part = held / whole if whole else 0.0
    tip = f"{names[true]}, predicted {names[predicted]}: {number(held)} rows"
    tip += f", {share(part)} of {names[true]}" if whole else ""
    yield element(
        "rect",
        tip_of(tip),
        class_="right" if true == predicted else "wrong",
        fill_opacity=f"{0.04 + 0.66 * part:.2f}",
        x=px(x + 1),
        y=px(y + 1),
        width=SIDE - 2,
        height=TALL - 2,
    )
    if held:
        yield text(x + SIDE / 2, y + TALL / 2 + 4, number(held), kind="in")
