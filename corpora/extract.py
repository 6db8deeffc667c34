"""Extract body text from HTML, Mallard XML, roff, SWORD modules, R data and Metamath databases, with the standard library only."""

import html.parser
import re
import struct
import xml.etree.ElementTree
import zlib

VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
ALWAYS_DROPPED = frozenset("script style head nav header footer svg form button select iframe noscript template aside".split())
BLOCKS = frozenset(
    "p h1 h2 h3 h4 h5 h6 pre table ul ol dl blockquote section article hr title screen list steps terms note example".split())
LINES = frozenset("div li dt dd tr br caption figcaption summary details item".split())
CELLS = frozenset(("td", "th"))
VERBATIM = frozenset(("pre", "screen"))


class TextBuilder:
    """Collects words and breaks: white space is collapsed outside verbatim blocks, with at most one blank line."""

    def __init__(self):
        self.parts = []
        self.pending = ""  # white space to insert before the next word

    def space(self):
        self.pending = self.pending or " "

    def line(self):
        if "\n" not in self.pending:
            self.pending = "\n"

    def blank(self):
        self.pending = "\n\n"

    def words(self, text):
        found = text.split()
        if not found:
            if text:
                self.space()
            return
        if text[0].isspace():
            self.space()
        self.verbatim(" ".join(found))
        if text[-1].isspace():
            self.space()

    def verbatim(self, text):
        if not text:
            return
        if self.parts:
            self.parts.append(self.pending)
        self.pending = ""
        self.parts.append(text)

    def text(self):
        lines = [line.rstrip() for line in "".join(self.parts).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class Rules:
    """Which part of a page is its body: selectors are `tag`, `.class`, `#id` and `@role`."""

    def __init__(self, root, drop=""):
        self.root = frozenset(root.split())
        self.drop = frozenset(drop.split())

    @staticmethod
    def names(tag, attributes):
        found = [tag]
        for key, value in attributes:
            if key == "class" and value:
                found += ["." + name for name in value.split()]
            elif key == "id" and value:
                found.append("#" + value)
            elif key == "role" and value:
                found.append("@" + value)
        return found


class BodyParser(html.parser.HTMLParser):
    """Keeps the text inside the root element and outside dropped elements; tolerates missing end tags."""

    def __init__(self, rules):
        super().__init__(convert_charrefs=True)
        self.rules = rules
        self.builder = TextBuilder()
        self.open = []         # open tags
        self.root_at = None    # depth of the body's element
        self.drop_at = None    # depth of the outermost dropped element
        self.verbatim_at = None
        self.language = ""

    def handle_starttag(self, tag, attributes):
        if tag == "html":
            self.language = next((value or "" for key, value in attributes if key == "lang"), "")
        names = Rules.names(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)
            depth = len(self.open)
            if self.drop_at is None and (tag in ALWAYS_DROPPED or not self.rules.drop.isdisjoint(names)):
                self.drop_at = depth
            if self.root_at is None and self.drop_at is None and not self.rules.root.isdisjoint(names):
                self.root_at = depth
            if ".classifier" in names and self.kept():
                self.builder.verbatim(" : ")  # a parameter's type; style sheets add the colon
            if self.verbatim_at is None and tag in VERBATIM:
                self.verbatim_at = depth
                if self.kept():
                    self.builder.blank()
        if self.kept() and not (self.verbatim_at and self.verbatim_at < len(self.open)):
            self.break_for(tag)
        elif self.kept() and tag == "br":
            self.builder.verbatim("\n")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in self.open:
            return
        while True:
            closed = self.open.pop()
            depth = len(self.open)
            if self.kept() and (self.verbatim_at is None or self.verbatim_at > depth):
                self.break_for(closed)
            if self.verbatim_at is not None and self.verbatim_at > depth:
                self.verbatim_at = None
            if self.drop_at is not None and self.drop_at > depth:
                self.drop_at = None
            if self.root_at is not None and self.root_at > depth:
                self.root_at = None
            if closed == tag:
                return

    def handle_data(self, data):
        if not self.kept():
            return
        if self.verbatim_at is not None:
            self.builder.verbatim(data)
        else:
            self.builder.words(data)

    def kept(self):
        return self.root_at is not None and self.drop_at is None

    def break_for(self, tag):
        if tag in BLOCKS:
            self.builder.blank()
        elif tag in LINES:
            self.builder.line()
        elif tag in CELLS:
            self.builder.space()


def from_html(source, rules):
    """The body's text and the page's language."""
    parser = BodyParser(rules)
    parser.feed(source)
    parser.close()
    return parser.builder.text(), parser.language


SPHINX = Rules(
    "@main",
    ".headerlink .viewcode-link .viewcode-back .sphinxsidebar .related .toctree-wrapper .contents .topic .linenos .eqno "
    ".sphx-glr-footer .sphx-glr-download-link-note .sphx-glr-signature .sphx-glr-timing .sphx-glr-thumbcontainer .copybutton "
    ".visually-hidden .page-toc .toc-drawer .content-icon-container .backtotop .navigation .footnote-reference .clearer")
RUSTDOC = Rules(
    "#main-content main",
    ".src .out-of-band .anchor .hideme .tooltip .rustdoc-breadcrumbs .src-line-numbers .test-arrow .doc-anchor .since .rightside .sub-heading "
    "#synthetic-implementations #synthetic-implementations-list #blanket-implementations #blanket-implementations-list "
    "#implementors-list #synthetic-implementors-list rustdoc-toolbar rustdoc-topbar .boring .buttons")
DOCBOOK = Rules("body", ".navheader .navfooter .toc .docnav #banner #title .id_link .legalnotice .list-of-examples")
ERLANG = Rules("#content", ".title-anchors #leftnav .footer .topbar .doc-footer")
APACHE = Rules("#page-content", "#quickview .top .toplang .bottomlang #comments_section .outofdate .up #footer .permalink")
JAVADOC = Rules("main", ".sub-nav .nav-list .external-link-toc .summary-list .toc .skip-nav .copy")
CPPREFERENCE = Rules("#mw-content-text", ".t-navbar .printfooter #toc .toc .editsection .noprint .t-page-template .ambox")
DRUPAL = Rules(".content", ".book-navigation .page-links .links")
NODE = Rules("#apicontent", ".mark .picker .toc .api_metadata .js-flavor-selector .srclink")


def from_mallard(source):
    """The text of a Mallard page without its header and link lists."""
    builder = TextBuilder()

    def walk(element):
        tag = element.tag.split("}")[-1] if isinstance(element.tag, str) else "comment"
        if tag in ("info", "links", "comment", "media", "thumbnail"):
            return
        around = builder.blank if tag in BLOCKS else builder.line if tag in LINES else builder.space if tag in CELLS else None
        if around:
            around()
        if tag == "screen":
            builder.verbatim("".join(element.itertext()))
        else:
            builder.words(element.text or "")
            for number, child in enumerate(element):
                if tag == "keyseq" and number:
                    builder.words("+")
                walk(child)
                if tag != "keyseq":
                    builder.words(child.tail or "")
        if around:
            around()

    walk(xml.etree.ElementTree.fromstring(source))
    return builder.text()


ROFF_ESCAPES = (
    (re.compile(r'\\".*'), ""), (re.compile(r"\\f(?:\[[^\]]*\]|\(..|.)"), ""), (re.compile(r"\\s[+-]?\d+"), ""),
    (re.compile(r"\\\((?:aq|cq|oq)"), "'"), (re.compile(r"\\\((?:lq|rq|dq)"), '"'), (re.compile(r"\\\((?:em|en|hy|mi)"), "-"),
    (re.compile(r"\\\(bu"), "*"), (re.compile(r"\\\(co"), "(c)"), (re.compile(r"\\\(ha"), "^"), (re.compile(r"\\\(ti"), "~"),
    (re.compile(r"\\(?:\(..|\[[^\]]*\]|\*\(..|\*.)"), ""), (re.compile(r"\\[&/,|^%:c]"), ""), (re.compile(r"\\[ ~0]"), " "),
    (re.compile(r"\\-"), "-"), (re.compile(r"\\e"), "\\\\"), (re.compile(r"\\(.)"), r"\1"))
ROFF_SKIPPED = frozenset(("TH", "ad", "nh", "hy", "de", "so", "ie", "el", "if", "ds", "nr", "ft", "na", "ne", "in", "ta", "TS", "TE", "ti"))


def from_roff(source):
    """The text of a manual page in man macros; None for a page that only refers to another."""
    if source.startswith(".so "):
        return None
    lines, words, verbatim, inside_table = [], [], False, False

    def flush():
        if words:
            lines.append(" ".join(words))
            words.clear()

    for line in source.split("\n"):
        macro = re.match(r"[.']\s*([A-Za-z]+|\\\")\s*(.*)", line)
        text = line
        if macro:
            name, text = macro.groups()
            if name in ("nf", "EX"):
                flush()
                verbatim = True
            elif name in ("fi", "EE"):
                verbatim = False
            elif name in ("PP", "P", "LP", "IP", "sp", "RS", "RE", "TP", "TQ", "HP", "br"):
                flush()
                if name not in ("TQ", "br"):
                    lines.append("")
            inside_table = name == "TS" or (inside_table and name != "TE")
            if name in ("SH", "SS"):
                flush()
                lines += ["", ""]
            if name in ("nf", "EX", "fi", "EE", "PP", "P", "LP", "sp", "RS", "RE", "TP", "TQ", "HP", "br", '\\"') or name in ROFF_SKIPPED:
                continue
            if name in ("BR", "RB", "IR", "RI", "BI", "IB"):
                text = "".join(quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', text))
            else:
                text = text.replace('"', "")
                if name == "IP":
                    text = re.sub(r"\s+\S+$", "", text)
        for pattern, replacement in ROFF_ESCAPES:
            text = pattern.sub(replacement, text)
        if inside_table and (line.endswith((".", ";")) and re.fullmatch(r"[lcrnbaLCRN0-9\s|().;:]+[.;]", line)):
            continue
        if macro and macro.group(1) in ("SH", "SS"):
            lines[-1] = text.strip()
        elif verbatim or inside_table:
            lines.append(text.rstrip())
        elif text.strip():
            words.append(text.strip())
    flush()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def from_sword(folder, testament):
    """Chapters of a SWORD zText module: (name such as Gen.1, text with one verse a line)."""
    def read(extension):
        with open(f"{folder}/{testament}.{extension}", "rb") as file:
            return file.read()

    blocks, verses, packed = read("bzs"), read("bzv"), read("bzz")
    texts = []
    for at in range(0, len(blocks) - 11, 12):
        start, size, _ = struct.unpack_from("<III", blocks, at)
        texts.append(zlib.decompress(packed[start:start + size]))
    chapter, lines, number = None, [], 0
    for at in range(0, len(verses) - 9, 10):
        block, start, size = struct.unpack_from("<IIH", verses, at)
        source = texts[block][start:start + size].decode("utf-8", "replace") if block < len(texts) else ""
        opened = re.search(r'<chapter [^>]*osisID="([^"]+)"[^>]*sID=', source)
        if opened:
            if chapter and lines:
                yield chapter, "\n".join(lines)
            chapter, lines, number = opened.group(1), [], 0
            continue
        source = re.sub(r"<note\b.*?</note>|<title\b.*?</title>", "", source, flags=re.DOTALL)
        plain = " ".join(re.sub(r"<[^>]*>", "", source).split())
        if chapter and plain and not re.search(r'<div [^>]*type="book"', source):
            number += 1
            lines.append(f"{number} {plain}")
    if chapter and lines:
        yield chapter, "\n".join(lines)


def from_r_strings(data):
    """The character vectors of an R lazy-load database, each a list of lines."""
    at = 0
    while at + 4 < len(data):
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(data[at + 4:])
        at = len(data) - len(unpacker.unused_data)
        if raw[:2] != b"X\n":
            continue
        version, = struct.unpack_from(">i", raw, 2)
        start = 14
        if version == 3:
            start += 4 + struct.unpack_from(">i", raw, start)[0]
        kind, count = struct.unpack_from(">ii", raw, start)
        start += 8
        if kind & 0xFF != 16:
            continue
        lines = []
        for _ in range(count):
            _, size = struct.unpack_from(">ii", raw, start)
            lines.append(raw[start + 8:start + 8 + max(size, 0)].decode("utf-8", "replace"))
            start += 8 + max(size, 0)
        yield lines


def from_metamath(source):
    """Commented axioms and theorems without their proofs: (label, text)."""
    statement = re.compile(r"\s*(\S+)\s+\$([ap])\s+(.*?)\s*(?:\$=|\$\.)", re.DOTALL)
    for comment in re.finditer(r"\$\((.*?)\$\)", source, re.DOTALL):
        found = statement.match(source, comment.end())
        if found:
            label, kind, formula = found.groups()
            yield label, " ".join(comment.group(1).split()) + f"\n{label} ${kind} {' '.join(formula.split())}"


def kernel_domain(path):
    """The domain of a file of the kernel's sources; None if it is left out."""
    if re.search(r"(asic_reg|/include/asic|_regs?\.h$|_d\.h$|_sh_mask\.h$)", path):
        return None  # generated register tables
    if path.startswith("Documentation/translations/zh_"):
        return "kernel-docs-zh"
    if path.startswith("Documentation/"):
        return "kernel-docs" if path.endswith((".rst", ".txt", ".yaml")) and "translations" not in path else None
    if path.endswith((".dts", ".dtsi")):
        return "devicetree"
    if not path.endswith((".c", ".h", ".S", ".rs", ".py", ".sh")):
        return None
    parts = path.split("/")
    if parts[0] == "drivers":
        known = ("gpu", "net", "media", "staging", "usb", "scsi", "infiniband", "iio", "clk")
        return "code-kernel-drivers-" + (parts[1] if parts[1] in known else "other")
    if parts[0] in ("arch", "fs", "include", "net", "sound", "tools"):
        return "code-kernel-" + parts[0]
    return "code-kernel-core"
