"""The look of a report: the system's own fonts, light or dark as the reader has it, readable on paper."""

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c2127; --soft: #55606b; --rule: #d9dee3; --card: #f5f7f9;
  --warn: #fff4d6; --warn-ink: #5c4300; --bad: #b3261e; --good: #1b6e3c;
  --line0: #0b5cad; --line1: #b4530a; --line2: #1b6e3c; --line3: #8a2c8a; --line4: #5d5d00; --line5: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --page: #14181c; --ink: #e8ecf0; --soft: #a9b4bf; --rule: #38424c;
  --card: #1d2329; --warn: #3a2f10; --warn-ink: #ffe2a0; --bad: #ff9d94; --good: #7fd6a0;
  --line0: #79b8ff; --line1: #ffb27a; --line2: #7fd6a0; --line3: #e3a0e3; --line4: #d8d86a; --line5: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 5rem; max-width: 68rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; } h2 { font-size: 1.35rem; margin: 3rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; } p { max-width: 46rem; margin: .5rem 0; overflow-wrap: break-word; } a { color: var(--line0); }
.soft, figcaption, caption, .note { color: var(--soft); }
.warning { background: var(--warn); color: var(--warn-ink); border-left: .3rem solid; padding: .8rem 1rem; margin: 1.25rem 0;
  border-radius: .25rem; } .warning p { max-width: none; } code { font-size: .92em; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 1rem; padding: 0; margin: 1.5rem 0; list-style: none; }
.facts li { background: var(--card); border-radius: .5rem; padding: 1rem 1.1rem; }
.facts strong { display: block; font-size: 1.7rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.facts small { color: var(--soft); display: block; font-size: .875rem; }
.scroll { overflow-x: auto; margin: .75rem 0; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; max-width: calc(100vw - 2.5rem); } th, td { padding: .35rem .9rem .35rem 0; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--rule); white-space: nowrap; } th:first-child, td:first-child { text-align: left; white-space: normal; }
td small { color: var(--soft); } thead th { font-weight: 600; white-space: normal; vertical-align: bottom; } tbody th { font-weight: 400; }
#beside tbody th { overflow-wrap: anywhere; min-width: 11rem; }
.words td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; margin: 1rem 0; }
figure { margin: 0; } figure svg[role=img] { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } figcaption { font-size: .9rem; }
.legend { list-style: none; padding: 0; margin: .25rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; overflow-wrap: anywhere; } .legend svg { vertical-align: middle; }
.findings { background: var(--card); border-left: .3rem solid var(--line0); border-radius: .25rem; padding: .8rem 1rem .8rem 2.2rem; }
.exceeded { color: var(--bad); font-weight: 600; } .held { color: var(--good); font-weight: 600; }
.pairs { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
.pairs li { background: var(--card); border-radius: .5rem; padding: .75rem; font-size: .875rem; overflow-wrap: anywhere; }
.faces { display: flex; gap: .5rem; margin-bottom: .4rem; } .faces img, .faces span { width: 7.25rem; height: 7.25rem; object-fit: cover;
  border-radius: .3rem; background: var(--rule); } .faces span { display: grid; place-items: center; padding: .4rem; text-align: center; }
details summary { cursor: pointer; padding: .3rem 0; } nav ul { padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
:focus-visible { outline: 3px solid var(--line0); outline-offset: 2px; }
@media print { body { max-width: none; } .pairs li, .facts li { break-inside: avoid; } }
"""
