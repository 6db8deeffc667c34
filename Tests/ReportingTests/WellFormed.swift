import Foundation
import Testing

#if canImport(FoundationXML)
import FoundationXML
#endif

/// Parses a page as XML; the page is written so that it is both.
func expectWellFormed(_ page: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let parser = XMLParser(data: Data(page.utf8))
  let parsed = parser.parse()
  let problem = parser.parserError.map { "\($0) at line \(parser.lineNumber)" } ?? ""
  #expect(parsed, "not well-formed: \(problem)", sourceLocation: sourceLocation)
}
