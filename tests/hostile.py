"""Fifty names that would be code, markup or a terminal's command if anybody let them."""

NAMES = (
    *('"""', "'''", '"', "'", "\\", "\\\\", '\\"""', "'''\nimport os", '"""\nimport os\n"""'),
    *("\\N", "\\n", "\\x41", "\\u202e", "%s", "{name}", "{{ 7 * 7 }}", "{% raw %}", "${HOME}"),
    *("$(id)", "`id`", "; rm -rf x", "| cat", "&& id", "--option", "-o", "~", "*", "../x", "a/b"),
    *("<script>window.ran = 1</script>", "</script><script>window.ran = 1</script>"),
    *('"><img src=x onerror="window.ran = 1">', "<svg onload='window.ran = 1'>", "<b>bold</b>"),
    *("&lt;b&gt;", "&amp;", "]]>", "<!--", "-->", "<![CDATA[", "javascript:window.ran=1"),
    *("\x1b[31mred", "\u202egnp.b", "z\u200bz", "tab\tname", "line\nname", "cr\rname"),
    *("日本", "\U0001f600", "x" * 300, "=1+1", "@x"),
)
"""Each differs from all others and is no part of a text that is ours."""
