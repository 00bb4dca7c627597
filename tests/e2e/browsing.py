"""A page in a real browser: what it is like at a width, what it asks for, and whether it is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selenium import webdriver

WIDTHS = (1280, 400)
# In the page: what the sizes of its text are, what asks for anything, what sticks out.
LOOK = """
const shown = e => e.getClientRects().length > 0;
const fill = e => e && getComputedStyle(e).fill;
const size = e => {
  const font = parseFloat(getComputedStyle(e).fontSize), svg = e.ownerSVGElement;
  return svg ? font * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : font;
};
const words = [...document.querySelectorAll('text,p,td,th,dt,dd,a,h1,h2,summary')].filter(shown);
return {
  outside: [...document.querySelectorAll('[src],[href]')]
    .map(e => e.getAttribute('src') || e.getAttribute('href'))
    .filter(link => !link.startsWith('#') && !link.startsWith('data:')),
  scripts: document.querySelectorAll('script').length,
  wide: document.documentElement.scrollWidth,
  window: window.innerWidth,
  title: document.title,
  headings: [...document.querySelectorAll('h1,h2')].filter(shown).map(e => e.textContent),
  drawings: [...document.querySelectorAll('svg')].filter(shown).map(e => e.getBoundingClientRect().height),
  sticking: [...document.querySelectorAll('section,section>*,figure,svg:not(.wide)')].filter(shown)
    .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1).map(e => e.outerHTML.slice(0, 80)),
  smallest: Math.min(...words.map(size)),
  paper: getComputedStyle(document.querySelector('section')).backgroundColor,
  ink: fill(document.querySelector('svg text')),
  bar: fill(document.querySelector('svg .s0')),
};
"""


def looked_at(browser: webdriver.Chrome, path: Path, width: int, scheme: str = "light") -> dict[str, Any]:
    """What a page is like at a width, with everything that folds open."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(path.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(e => { e.open = true })")
    found: dict[str, Any] = browser.execute_script(LOOK)
    return found


def asked_for(browser: webdriver.Chrome) -> list[str]:
    """Everything that the browser has asked for, by whatever means, but for what a page carries with it."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith("data:")]


def whole(browser: webdriver.Chrome, path: Path, width: int, *, heading: str, drawings: int) -> dict[str, Any]:
    """What a page is like at a width, once it is sure that it is readable and asks for nothing.

    `heading` is one that it has, `drawings` how many it has at least.
    """
    found = looked_at(browser, path, width)
    assert path.stat().st_size < 3 * 1024**2
    assert asked_for(browser) == [path.as_uri()]
    assert browser.get_log("browser") == []
    assert found["window"] == width
    assert found["wide"] <= width
    assert found["sticking"] == []
    assert heading in found["headings"]
    assert len(found["drawings"]) >= drawings
    assert found["smallest"] >= 9
    return found
