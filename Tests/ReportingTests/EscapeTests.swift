import Reporting
import Testing

@Suite struct EscapeTests {
  @Test func markupBecomesEntities() {
    #expect(Escape.text("<a href=\"x\">&'</a>") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;")
  }

  @Test func whatXMLForbidsIsLeftOut() {
    #expect(Escape.text("a\u{0}b\u{8}c\u{FFFE}d\u{85}e\n\tλ🙂") == "abcde\n\tλ🙂")
  }

  @Test func exponentsAreRaised() {
    #expect(
      Formula.markup("A/N^α + B·D^(−β)·(1 + D/s)^(−(γ+1)) < x^") == "A/N<sup>α</sup> + B·D<sup>−β</sup>·(1 + D/s)<sup>−(γ+1)</sup> &lt; x^")
    #expect(Formula.markup("x^(unclosed & <b>") == "x^(unclosed &amp; &lt;b&gt;")
  }

  @Test func columnsWithoutDataAreLeftOut() {
    var table = Table("T", [.text("A"), .number("B"), .number("C")])
    table.add(["<a>", Number.unknown, "1", "too many"])
    table.add(["b"])
    #expect(table.markup.contains("<tr><th scope=\"row\">&lt;a&gt;</th><td class=\"n\">1</td></tr>"))
    #expect(!table.markup.contains(">B<") && table.rowCount == 2)
  }
}
