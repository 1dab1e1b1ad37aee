"""Reading a page strictly, for several tests."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = "<script>alert(1)</script><u onclick='x'>\"&amp;"
"""A text that does harm where it is taken for markup."""

VOID = {"meta", "img", "br", "hr", "input", "link"}


class Reader(HTMLParser):
    """Reads a page strictly: every element closed in order; collects ids, attributes and texts."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.attributes, self.tags, self.texts = [], [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
