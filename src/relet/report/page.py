"""A page: one standalone HTML file that opens without a network, at any width, in light and in dark."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, count

from relet.report.markup import LINE_END, NOTHING, PageMarkup, element

# With fewer sections than this a table of contents says nothing.
CONTENTS_FROM = 4
# A browser fetches nothing and runs nothing but our own script, whatever the data hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_PAGE = PageMarkup(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
    '<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    '<link rel="icon" href="data:,"><title>{title}</title>\n<style>{style}</style></head>\n'
    "<body><header><h1>{title}</h1>{below}</header>\n{nav}<main>\n{parts}\n</main>\n{script}</body></html>\n"
)

# The only script that a page may have: a click on a heading sorts the table. A page can be read without it.
_SORTING = """
for(const t of document.querySelectorAll('table.sortable'))[...t.tHead.rows[0].cells].forEach((h,i)=>{
const b=document.createElement('button');b.type='button';b.append(...h.childNodes);h.append(b);
b.addEventListener('click',()=>{const up=h.getAttribute('aria-sort')!=='ascending';
for(const e of t.tHead.rows[0].cells)e.removeAttribute('aria-sort');
h.setAttribute('aria-sort',up?'ascending':'descending');
const v=r=>r.cells[i].dataset.v??r.cells[i].textContent;
const rows=[...t.tBodies[0].rows].sort((x,y)=>{const p=v(x),q=v(y);
if(p==='–'||q==='–')return (p==='–')-(q==='–');
const d=isNaN(p)||isNaN(q)?p.localeCompare(q,undefined,{numeric:true}):p-q;return up?d:-d});
t.tBodies[0].append(...rows)})})
"""

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ground:#f3f5f8;--ink:#1c2733;--faint:#566472;--line:#d5dce3;
--s0:#0a6aa8;--s1:#d0650b;--s2:#0b8a64;--s3:#a8557f;--hover:#1c273314;--link:#0a5a94;
--good:#0b6b4b;--good-back:#e3f4ec;--bad:#a3281c;--bad-back:#fdeae7;--odd:#7a4a00;--odd-back:#fdf1db}
@media (prefers-color-scheme:dark){:root{--paper:#1a2129;--ground:#11161c;--ink:#e4e9ee;--faint:#a3b0bd;
--line:#35414d;--s0:#5aaee6;--s1:#f0943c;--s2:#3fc195;--s3:#d98bb3;--hover:#e4e9ee1f;--link:#7cc0f0;
--good:#7ed9b3;--good-back:#12322a;--bad:#ff9d90;--bad-back:#3d1c1a;--odd:#f3c46d;--odd-back:#382a10}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
body>*{max-width:1120px;margin-inline:auto;padding-inline:20px}
header{padding-block:28px 8px}
h1{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
header p{margin:6px 0 0;color:var(--faint);overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:0 0 12px;overflow-wrap:anywhere}
h3{font-size:1rem;margin:20px 0 8px;overflow-wrap:anywhere}
p{margin:8px 0;overflow-wrap:anywhere}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0;padding:0;list-style:none}
nav a{display:inline-block;padding:4px 0}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:20px;margin:16px 0;
scroll-margin-top:12px}
main{padding-bottom:40px}
.scroll{overflow-x:auto;max-width:100%;margin:10px 0}
table{border-collapse:collapse;font-size:.9375rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th,td{white-space:nowrap}
th{font-weight:600;color:var(--faint)}
td.w{white-space:normal;overflow-wrap:anywhere;min-width:min(34ch,60vw);max-width:64ch}
th.n,td.n{text-align:right}
dl{display:grid;grid-template-columns:fit-content(40%) minmax(0,1fr);gap:4px 18px;margin:8px 0}
dt,dd,summary{overflow-wrap:anywhere}dt{color:var(--faint)}dd{margin:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:14px 28px;
align-items:start}
.chart{display:block;width:100%;max-width:520px;height:auto}
.chart.wide{width:auto;max-width:none}
figure{margin:10px 0}
figcaption{font-size:.9375rem;color:var(--faint)}
.verdict{border-radius:8px;padding:12px 16px;margin:8px 0 14px;font-size:1.0625rem}
.mark{border-radius:5px;padding:1px 7px;font-weight:600;white-space:nowrap}
.good{background:var(--good-back);color:var(--good)}
.bad{background:var(--bad-back);color:var(--bad)}
.odd{background:var(--odd-back);color:var(--odd)}
.faint{color:var(--faint)}
pre,code{font:.875rem/1.5 ui-monospace,monospace}
pre{overflow-x:auto;margin:8px 0}
pre .good,pre .bad,pre .odd{display:block;padding:0 8px}
.sortable button{all:unset;cursor:pointer}.sortable button:hover{color:var(--ink)}
.sortable button:focus-visible{outline:2px solid var(--link)}
[aria-sort=ascending] button::after{content:" ▲"}[aria-sort=descending] button::after{content:" ▼"}
.tall{max-height:75vh;overflow:auto;border-bottom:1px solid var(--line)}
.tall th{position:sticky;top:0;background:var(--paper)}
tr.best td{font-weight:600;background:var(--good-back)}
img.figure{display:block;max-width:100%;height:auto;background:#fff;border-radius:6px}
details{margin:10px 0}summary{cursor:pointer;color:var(--link);padding:4px 0}
@media (max-width:600px){body>*{padding-inline:12px}section{padding:14px 12px}h1{font-size:1.4rem}
dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:8px}
.stack,.stack tbody,.stack tr{display:block}.stack thead{display:none}
.stack tr{padding:7px 0;border-bottom:1px solid var(--line)}
.stack td{display:inline-block;border:0;padding:0 12px 0 0}.stack td:first-child{font-weight:600}
.stack td:last-child{display:block;padding:0;min-width:0;max-width:none;white-space:normal}}
@media print{:root{--ground:#fff}body{font-size:11pt}nav{display:none}section{border:0;padding:0}
figure,.chart,tr{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible;max-height:none}}
"""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page. `html` comes from `relet.report` or is `PageMarkup`; a plain `str` is escaped."""

    title: str
    html: PageMarkup


def page(title: str, *, subtitle: str = "", sections: Iterable[Section], sortable: bool = False) -> PageMarkup:
    """One HTML file with everything in it. The same content gives the same bytes.

    With `sortable` a click on a heading sorts a sortable table, and no other script may run.

    `relet.report.elements` makes tables, facts and rows of charts in the page's style, and drawings of
    `relet.report.charts` take the page's colours. Titles may hold any text.

    >>> rows = Section(title="Rows", html=element("p", 43136))
    >>> page("Listings", sections=[rows]).count("<section")
    1
    """
    held = list(sections)
    anchors = _anchors([section.title for section in held])
    policy, script = _POLICY, NOTHING
    if sortable:
        digest = b64encode(sha256(_SORTING.encode()).digest()).decode()
        policy = f"{_POLICY}; script-src 'sha256-{digest}'"
        script = element("script", PageMarkup(_SORTING)) + LINE_END
    return _PAGE.format(
        policy=PageMarkup(policy),
        title=title,
        style=PageMarkup(_STYLE),
        below=element("p", subtitle) if subtitle else NOTHING,
        nav=_contents(anchors, held) if len(held) >= CONTENTS_FROM else NOTHING,
        parts=LINE_END.join(
            element("section", element("h2", section.title), LINE_END, section.html, id=anchor)
            for anchor, section in zip(anchors, held, strict=True)
        ),
        script=script,
    )


def _contents(anchors: Sequence[str], sections: Sequence[Section]) -> PageMarkup:
    links = (
        element("li", element("a", section.title, href=f"#{anchor}"))
        for anchor, section in zip(anchors, sections, strict=True)
    )
    return element("nav", element("ul", *links), aria_label="Contents") + LINE_END


def _anchors(titles: Iterable[str]) -> list[str]:
    """An anchor for each title: its letters and digits, with a number where two titles give the same anchor."""
    anchors: list[str] = []
    for title in titles:
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        numbered = (f"{name}-{number}" for number in count(2))
        anchors.append(next(each for each in chain([name], numbered) if each not in anchors))
    return anchors
