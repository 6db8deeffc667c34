import Primitives
import Testing

@Suite struct FormatTests {
  @Test func controlCharactersAreEscaped() {
    #expect(Format.escaped("a\n\tb\u{1B}[31m\r\nc\u{85}\u{7F}\u{202E}é🙂") == #"a\n\tb\u{1B}[31m\u{D}\nc\u{85}\u{7F}\u{202E}é🙂"#)
    #expect(Format.escaped("a\nb\u{1B}", keepingLines: true) == "a\nb\\u{1B}")
    var table = TextTable(["h\u{1B}", "n"], right: [1])
    table.add("x\ny", "1")
    #expect(table.lines == [#"h\u{1B}  n"#, #"x\ny     1"#])
  }
}
