/** The style sheet of the trace pages: light and dark by the reader's preference, no images, no web fonts. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --bg: #f5f4f0; --card: #fffefb; --ink: #21201c; --soft: #5c5a52; --faint: #706e66; --line: #e3e0d7; --rule: #efede6;
  --hover: #f6f4ed; --code: #f7f5ef; --accent: #4b45c6;
  --workflow: #57606f; --chat: #5a52d5; --tool: #0b7a6d; --task: #2878b5; --agent: #9c5c0b; --embedding: #3d8b40; --other: #7c7a72;
  --ok: #2c7a4b; --ok-bg: #e3f2e8; --error: #c02b3b; --error-bg: #fcebec; --cancelled: #6b6961; --cancelled-bg: #eeece5;
  --key: #4b45c6; --string: #2f6f3e; --literal: #a4501a;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #141412; --card: #1c1c19; --ink: #ecebe4; --soft: #b0aea4; --faint: #8f8d84; --line: #32312c; --rule: #272622;
    --hover: #22221e; --code: #171715; --accent: #a5a0ff;
    --workflow: #97a1b3; --chat: #9088ff; --tool: #3fc2b1; --task: #62b0ea; --agent: #e0a04a; --embedding: #77c57a; --other: #9b998f;
    --ok: #74cf98; --ok-bg: #1c3326; --error: #ff7d88; --error-bg: #3a1d21; --cancelled: #a8a69c; --cancelled-bg: #2d2c28;
    --key: #b3afff; --string: #97d3a2; --literal: #eaa777;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--bg); color: var(--ink); font: 14px/1.5 var(--sans) }
a { color: inherit; text-decoration: none }
bdi, pre, .text, h1 { overflow-wrap: anywhere }
main, .top, footer { max-width: 1320px; margin: 0 auto; padding: 0 28px }
.top { display: flex; align-items: center; gap: 10px; height: 52px; color: var(--soft); font-size: 13px }
.top .brand { color: var(--ink); font-weight: 650; letter-spacing: -.01em }
.top .brand::before { content: ""; display: inline-block; width: 9px; height: 9px; margin-right: 8px; border-radius: 2px;
  background: linear-gradient(135deg, var(--chat), var(--tool)) }
.top .where { margin-left: auto; font: 12px var(--mono); color: var(--faint) }
.top a.up:hover, .top a.brand:hover { color: var(--accent) }
.top .sep { color: var(--faint) }
footer { padding-top: 28px; padding-bottom: 40px; color: var(--faint); font-size: 12px }
h1 { margin: 14px 0 0; font-size: 25px; line-height: 1.25; font-weight: 650; letter-spacing: -.018em }
h1 .pill { margin-left: 10px; vertical-align: 4px }
.id { margin-top: 4px; font: 12px/1.5 var(--mono); color: var(--faint); overflow-wrap: anywhere }
.pill { display: inline-block; padding: 1px 9px 2px; border-radius: 99px; font-size: 12px; line-height: 18px; font-weight: 600;
  letter-spacing: 0; white-space: nowrap }
.pill.ok { color: var(--ok); background: var(--ok-bg) }
.pill.error { color: var(--error); background: var(--error-bg) }
.pill.cancelled, .pill.incomplete { color: var(--cancelled); background: var(--cancelled-bg) }
.stats { display: flex; flex-wrap: wrap; gap: 16px 40px; margin: 20px 0 26px; padding: 0 }
.stats div { min-width: 0 }
.stats dt { color: var(--faint); font-size: 12px }
.stats dd { margin: 1px 0 0; font-size: 16px; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums }
.stats dd small { font-size: 12px; font-weight: 400; color: var(--soft); letter-spacing: 0 }
.stats dd small.bad, td small.bad { color: var(--error) }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px }
h2 { margin: 0 0 8px; font-size: 12px; font-weight: 600; color: var(--soft) }
.wait { margin: -10px 0 18px; color: var(--soft) }
.io { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 14px }
.io > section { min-width: 0 }
.ends { margin-bottom: 18px }
.ends .card { padding: 12px 16px 14px }
.ends .content { max-height: 210px; overflow: auto }

.fall { overflow: clip }
.axis, .span > summary { display: grid; grid-template-columns: minmax(230px, 33%) minmax(0, 1fr) 78px 112px; align-items: center;
  padding: 0 16px 0 8px; column-gap: 14px }
.axis { position: sticky; top: 0; z-index: 2; height: 34px; background: var(--card); border-bottom: 1px solid var(--line);
  color: var(--faint); font-size: 11.5px }
.axis > :first-child { padding-left: 20px }
.axis .num { color: var(--faint); font-weight: 400 }
.axis svg { overflow: visible }
.axis text { fill: var(--faint); font: 11px var(--sans); font-variant-numeric: tabular-nums }
.span + .span { border-top: 1px solid var(--rule) }
.span > summary { height: 38px; cursor: pointer; list-style: none }
.span > summary::-webkit-details-marker { display: none }
.span > summary:hover { background: var(--hover) }
.span > summary:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px }
.span[open] > summary { background: var(--hover) }
.name { display: flex; align-items: center; align-self: stretch; min-width: 0; white-space: nowrap }
.name i { align-self: stretch; flex: none; width: 17px; position: relative }
.name i::before { content: ""; position: absolute; left: 9px; top: -1px; bottom: 0; border-left: 1px solid var(--line) }
.caret { flex: none; width: 18px; height: 18px; position: relative }
.caret::before { content: ""; position: absolute; left: 5px; top: 6px; width: 5px; height: 5px; border: solid var(--faint);
  border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg); transition: transform .12s }
.span[open] > summary .caret::before { transform: rotate(45deg) translate(-1px, -1px) }
.dot { flex: none; width: 8px; height: 8px; margin: 0 8px 0 2px; border-radius: 2px; background: var(--type) }
.label { overflow: hidden; text-overflow: ellipsis; font-weight: 550; flex: 0 1 auto }
.kind { margin-left: 8px; color: var(--faint); font-size: 12px; overflow: hidden; text-overflow: ellipsis; flex: 0 100 auto }
.bad .label { color: var(--error) }
.num { text-align: right; color: var(--soft); font-size: 12.5px; font-variant-numeric: tabular-nums; white-space: nowrap }
.num .arrow { color: var(--faint); padding: 0 3px }
.lane svg, .axis svg { display: block; width: 100% }
.tick { stroke: var(--rule); stroke-width: 1 }
.bar { fill: var(--type) }
.bar.wait { opacity: .34 }
.bar.void { fill: var(--cancelled); opacity: .55 }
.mark { stroke: var(--ink); stroke-width: 1.5; opacity: .75 }
.t-workflow { --type: var(--workflow) } .t-chat { --type: var(--chat) } .t-tool { --type: var(--tool) } .t-task { --type: var(--task) }
.t-agent { --type: var(--agent) } .t-embedding { --type: var(--embedding) } .t-other { --type: var(--other) }
.bad { --type: var(--error) }
.more { padding: 12px 20px; color: var(--soft); border-top: 1px solid var(--rule) }

.body { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; padding: 14px 20px 20px 28px; border-top: 1px solid var(--rule); background: color-mix(in srgb, var(--card) 60%, var(--bg)) }
.facts { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0; font-size: 12.5px }
.facts div { display: flex; gap: 6px; min-width: 0 }
.facts dt { color: var(--faint); flex: none; max-width: 40vw; overflow-wrap: anywhere }
.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
.body .io section > .content { border: 1px solid var(--line); border-radius: 8px; background: var(--card); padding: 10px 13px;
  max-height: 460px; overflow: auto }
.fault { border-left: 3px solid var(--error); background: var(--error-bg); border-radius: 0 8px 8px 0; padding: 9px 14px }
.fault strong { color: var(--error); font-weight: 600; overflow-wrap: anywhere; white-space: pre-wrap }
.fault pre { margin-top: 6px; color: var(--soft); max-height: 260px; overflow: auto }
.warn { border-left: 3px solid var(--agent); padding: 4px 14px; color: var(--soft); overflow-wrap: anywhere }
pre { margin: 0; font: 12.5px/1.55 var(--mono); white-space: pre-wrap; tab-size: 2 }
.text { white-space: pre-wrap; font-size: 13.5px; line-height: 1.55 }
.none { color: var(--faint); font-style: italic; font-size: 13px }
.cut { margin-top: 6px; color: var(--faint); font-size: 12px }
.k { color: var(--key) } .s { color: var(--string) } .l { color: var(--literal) }
.field + .field { margin-top: 10px }
.field > h3, .msg > h3 { margin: 0 0 2px; font: 600 11.5px/1.6 var(--mono); color: var(--faint) }
.msg { padding-left: 11px; border-left: 2px solid var(--line) }
.msg + .msg { margin-top: 12px }
.msg > h3 { font-family: var(--sans) }
.msg.r-user { border-color: var(--task) } .msg.r-user > h3 { color: var(--task) }
.msg.r-assistant { border-color: var(--chat) } .msg.r-assistant > h3 { color: var(--chat) }
.msg.r-tool { border-color: var(--tool) } .msg.r-tool > h3 { color: var(--tool) }
.msg.r-system { border-color: var(--agent) } .msg.r-system > h3 { color: var(--agent) }
.thought { color: var(--soft); font-style: italic }
.call { margin-top: 6px; padding: 7px 10px; border-radius: 7px; background: var(--code) }
.call b { font: 600 12.5px var(--mono); overflow-wrap: anywhere }
.call small { margin-left: 8px; color: var(--faint); font: 11px var(--mono); overflow-wrap: anywhere }
.field + .raw, .msg + .raw { margin-top: 10px }
.raw > summary { color: var(--faint); font-size: 12px; cursor: pointer; width: fit-content }
.raw > summary:hover { color: var(--ink) }
.raw > pre { margin-top: 8px; padding: 10px 13px; border-radius: 8px; background: var(--code); max-height: 420px; overflow: auto }

table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th { padding: 9px 14px; text-align: left; font-size: 12px; font-weight: 500; color: var(--faint); border-bottom: 1px solid var(--line); white-space: nowrap }
td { padding: 0; border-top: 1px solid var(--rule); color: var(--soft); white-space: nowrap }
tr:first-child td { border-top: 0 }
td a { display: block; padding: 10px 14px }
td.title { width: 34%; max-width: 0 }
td.title a { overflow: hidden; text-overflow: ellipsis; color: var(--ink); font-weight: 550 }
td.title small { display: block; font: 11.5px/1.5 var(--mono); color: var(--faint); overflow: hidden; text-overflow: ellipsis }
th.r, td.r { text-align: right }
td.long { width: 20% }
td.long a { display: grid; grid-template-columns: 70px 1fr; gap: 10px; align-items: center }
td.long svg { display: block; width: 100% }
tbody tr:hover { background: var(--hover) }
.count { color: var(--faint); font-weight: 400; font-size: 15px; margin-left: 8px; letter-spacing: 0 }
.live { margin: 4px 0 0; color: var(--soft); font-size: 12px }
.live a, .wait a { text-decoration: underline }
.list { margin-top: 20px; overflow: auto }
.empty { margin-top: 20px; padding: 40px 44px }
.empty p { margin: 0 0 16px; color: var(--soft); max-width: 62ch }
.empty pre { padding: 14px 16px; border-radius: 8px; background: var(--code); width: fit-content; max-width: 100% }

@media (max-width: 820px) {
  main, .top, footer { padding-inline: 16px }
  .io { grid-template-columns: minmax(0, 1fr) }
  .axis { display: none }
  .span > summary { grid-template-columns: minmax(0, 1fr) auto; height: auto; padding-top: 7px; padding-bottom: 8px; row-gap: 3px }
  .span > summary .lane { grid-row: 2; grid-column: 1 / -1; padding-left: 20px }
  .span > summary .tokens { display: none }
  .name { min-height: 24px }
  .name i { width: 7px }
  .name i::before { left: 3px }
  .body { padding-left: 16px; padding-right: 16px }
  td.long a { display: block } td.long svg { display: none }
  td.title { width: auto; min-width: 200px }
}
@media print { .span > summary { break-inside: avoid } .fall { overflow: visible } }
`
