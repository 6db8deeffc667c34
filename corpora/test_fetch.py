"""Tests of the extractors: python3 corpora/test_fetch.py"""

import importlib.machinery
import importlib.util
import os
import struct
import sys
import tempfile
import unittest
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import extract  # noqa: E402

LOADER = importlib.machinery.SourceFileLoader("fetch_wordnet", os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch-wordnet"))
WORDNET = importlib.util.module_from_spec(importlib.util.spec_from_loader(LOADER.name, LOADER))
LOADER.exec_module(WORDNET)


class HTML(unittest.TestCase):
    rules = extract.Rules("@main #body", ".toc .headerlink #side")

    def text(self, source):
        return extract.from_html(source, self.rules)[0]

    def test_keeps_the_body_alone(self):
        self.assertEqual(self.text("<nav>x</nav><p>out</p><div role=main><p>in</p></div><p>out</p>"), "in")

    def test_nothing_without_a_body(self):
        self.assertEqual(self.text("<p>text</p>"), "")

    def test_drops_navigation_inside_the_body(self):
        page = "<div id=body><div class='toc x'><ul><li>a<li>b</ul></div><h1>T<a class=headerlink>#</a></h1><script>1<2</script></div>"
        self.assertEqual(self.text(page), "T")

    def test_white_space_collapses_and_blocks_are_paragraphs(self):
        self.assertEqual(self.text("<div id=body><p>a\n  b <b>c</b>d</p>\n<p>e</p></div>"), "a b cd\n\ne")

    def test_verbatim_blocks_keep_their_lines(self):
        self.assertEqual(self.text("<div id=body><p>x</p><pre>if a:\n    <b>b</b>\n\n  c</pre>y</div>"), "x\n\nif a:\n    b\n\n  c\n\ny")

    def test_entities(self):
        self.assertEqual(self.text("<div id=body>a &lt;b&gt; &amp; &eacute;&#233;</div>"), "a <b> & éé")

    def test_missing_end_tags(self):
        self.assertEqual(self.text("<div id=body><ul><li>a<li>b</ul><p>c</div><p>out"), "a\nb\n\nc")

    def test_stray_end_tags(self):
        self.assertEqual(self.text("</p></div><div id=body>a</b></i> b</div>c"), "a b")

    def test_dropping_ends_with_its_element(self):
        self.assertEqual(self.text("<div id=body><div id=side><p>x<img><br></div>kept</div>"), "kept")

    def test_rows_of_tables(self):
        self.assertEqual(self.text("<div id=body><table><tr><th>a<th>b<tr><td>1</td><td>2</td></tr></table></div>"), "a b\n1 2")

    def test_cut_off_page(self):
        self.assertEqual(self.text("<div id=body><p>a</p><p>b <i>c"), "a\n\nb c")

    def test_language(self):
        self.assertEqual(extract.from_html('<html lang="fr"><body></body></html>', self.rules)[1], "fr")


class Others(unittest.TestCase):
    def test_mallard(self):
        page = ("<page xmlns='http://projectmallard.org/1.0/'><info><desc>no</desc></info><title>T</title>"
                "<p>Press <keyseq><key>Ctrl</key><key>P</key></keyseq> <em>now</em>.</p><screen>a\n  b</screen></page>")
        self.assertEqual(extract.from_mallard(page), "T\n\nPress Ctrl+P now.\n\na\n  b")

    def test_roff(self):
        page = '.TH X 1\n.SH NAME\nx \\- do \\fBit\\fR\n.PP\n.BR open (2)\nmore\n.nf\na  b\n.fi\n'
        self.assertEqual(extract.from_roff(page), "NAME\nx - do it\n\nopen(2) more\na  b")

    def test_roff_reference_page(self):
        self.assertIsNone(extract.from_roff(".so man2/open.2\n"))

    def test_metamath(self):
        source = "$( note $) $c x $. $( First\n law. $) a1 $a |- x $. ${ $( Second. $)\n t1 $p |- y $= abc $. $}"
        self.assertEqual(list(extract.from_metamath(source)), [("a1", "First law.\na1 $a |- x"), ("t1", "Second.\nt1 $p |- y")])

    def test_sword(self):
        texts = ['<chapter n="1" osisID="Gen.1" sID="Gen.1"/>', "<w>In the</w> <w>beginning</w><note>n</note>.", "And",
                 '<chapter n="2" osisID="Gen.2" sID="Gen.2"/>', "Thus"]
        packed = zlib.compress("".join(texts).encode())
        verses, at = b"", 0
        for text in texts:
            verses += struct.pack("<IIH", 0, at, len(text))
            at += len(text)
        with tempfile.TemporaryDirectory() as folder:
            for name, data in (("bzs", struct.pack("<III", 0, len(packed), at)), ("bzv", verses), ("bzz", packed)):
                with open(f"{folder}/ot.{name}", "wb") as file:
                    file.write(data)
            found = list(extract.from_sword(folder, "ot"))
        self.assertEqual(found, [("Gen.1", "1 In the beginning.\n2 And"), ("Gen.2", "1 Thus")])

    def test_r_strings(self):
        head = b"X\n" + struct.pack(">iii", 2, 0x30400, 0x20300)
        body = struct.pack(">ii", 16, 2) + b"".join(struct.pack(">ii", 0x40009, len(s)) + s for s in (b"one", b""))
        raw = head + body
        data = struct.pack(">I", len(raw)) + zlib.compress(raw)
        self.assertEqual(list(extract.from_r_strings(data + data)), [["one", ""]] * 2)


class WordNet(unittest.TestCase):
    line = ('02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 002 @ 02083346 n 0000 ~ 01322604 n 0000 | '
            'a member of the genus Canis; has barked for long; "the dog barked all night"')

    def test_a_synset(self):
        found = list(WORDNET.parse(["  1 licence text", self.line], "n"))
        self.assertEqual(found, [WORDNET.Synset("02084071", ["dog", "domestic dog", "Canis familiaris"],
                                                "a member of the genus Canis; has barked for long", {"02083346", "01322604"})])

    def test_words_and_definitions(self):
        self.assertTrue(WORDNET.is_plain("domestic dog") and not WORDNET.is_plain("Canis") and not WORDNET.is_plain("a b c"))
        self.assertTrue(WORDNET.gives_away("one who bakes bread", "baker"))
        self.assertFalse(WORDNET.gives_away("one who makes bread", "baker"))

    def test_questions_are_drawn_alike_and_well_formed(self):
        letters = "bcdfghjklm"
        synsets = [WORDNET.Synset(f"{n:08}", [f"{letters[n % 10]}{letters[n // 10]}ord"], f"a definition of some length, number {n}", {f"{n + 1:08}"})
                   for n in range(60)]
        made = WORDNET.questions(synsets, "noun", 20, 1)
        self.assertEqual(made, WORDNET.questions(synsets[::-1], "noun", 20, 1))
        self.assertNotEqual(made, WORDNET.questions(synsets, "noun", 20, 2))
        self.assertEqual(len(made), 20)
        for question in made:
            number = int(question["id"].split("-")[-1])
            self.assertEqual(question["choices"][question["answer"]], synsets[number].words[0])
            self.assertEqual(len(set(question["choices"])), 4)
            if number + 1 < 60:
                self.assertNotIn(synsets[number + 1].words[0], question["choices"])


if __name__ == "__main__":
    unittest.main()
