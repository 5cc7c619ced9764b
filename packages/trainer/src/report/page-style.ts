/** How the report looks: in one column on a phone, light or dark as the reader's system is. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #22201d; --paper: #fbfaf8; --card: #fff; --line: #e3e0da; --soft: #6d6a64;
  --first: #1f5fbf; --second: #c2410c; --right: 31 95 191; --wrong: 194 65 12 }
@media (prefers-color-scheme: dark) { :root { --ink: #ecebe8; --paper: #141517; --card: #1c1d20; --line: #33353a;
  --soft: #9b9892; --first: #7aaeff; --second: #ff9a5c; --right: 90 150 255; --wrong: 255 140 80 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1rem 4rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper) }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; overflow-wrap: anywhere } h2 { font-size: 1.15rem; margin: 0 0 .8rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .6rem } p { margin: .4rem 0; max-width: 48rem; color: var(--soft) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.2rem; margin-top: 1.2rem }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .8rem; margin: 1.2rem 0 0 }
.facts dt { color: var(--soft); font-size: .85rem } .facts dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.2rem }
figure { margin: 0 } figcaption span { margin-left: .8rem; color: var(--soft); font-size: .85rem }
figcaption span::before { content: '—'; margin-right: .3rem; font-weight: 700 }
figcaption .first::before { color: var(--first) } figcaption .second::before { color: var(--second) }
figcaption .raw::before { color: var(--first); opacity: .35 }
svg { width: 100%; height: auto; display: block } svg text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.grid { stroke: var(--line) } path { fill: none; stroke-width: 2; stroke-linejoin: round }
path.first { stroke: var(--first) } path.second { stroke: var(--second) } path.raw { stroke: var(--first); opacity: .25; stroke-width: 1 }
circle.first { fill: var(--first) } circle.second { fill: var(--second) }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); font-weight: 400; white-space: nowrap }
thead th { color: var(--soft); font-size: .85rem } tbody th, th:first-child { text-align: left }
.confusion td { padding: 1px; border: 0 } .confusion thead th { padding: .25rem .3rem; text-align: center }
.confusion span { display: block; min-width: 2.8rem; padding: .3rem .2rem; text-align: center; border-radius: 3px }
.right { background: rgb(var(--right) / calc(var(--share) * .75)) } .wrong { background: rgb(var(--wrong) / calc(var(--share) * 2)) }
.bar { display: inline-block; min-width: 6rem; padding: 0 .3rem; border-radius: 3px;
  background: linear-gradient(90deg, rgb(var(--right) / .25) calc(var(--share) * 100%), transparent 0) }
.plain thead { display: none } .plain td { text-align: left; white-space: normal; overflow-wrap: anywhere }
.calibration { max-width: 24rem } .bin { fill: var(--first) } .ideal { stroke: var(--soft); stroke-dasharray: 4 4 }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .8rem }
.pictures img { width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 6px;
  background: var(--line) } .pictures figcaption { font-size: .85rem; color: var(--soft); overflow-wrap: anywhere }
figure.pair { grid-column: span 2 } .pair img { width: calc(50% - 2px) } .pair img + img { margin-left: 4px }
.pictures code { font: 12px ui-monospace, monospace; color: var(--ink) }
pre { overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; margin: 0 } summary { cursor: pointer; color: var(--soft) }
`
