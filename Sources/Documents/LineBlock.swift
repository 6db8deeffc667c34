import CJSON

/// Whole lines of a file, or a whole plain text, on their way to be parsed.
package struct LineBlock: Sendable {
  /// What the bytes are.
  package enum Kind: Sendable, Equatable {
    /// JSON lines.
    case lines
    /// One document's text.
    case text
    /// A line or a text of that many bytes, above the limit, left out.
    case leftOut(length: Int)
  }

  /// Bytes past the content, so that the parser may read ahead.
  package static let padding = Int(WEIR_JSON_PADDING)

  /// The file; `-` is standard input.
  package var path: String
  /// The number of the first line, from 1.
  package var firstLine: Int
  /// Whole lines, and `padding` bytes after them.
  package var bytes: [UInt8]
  /// The number of bytes without the padding.
  package var count: Int
  /// What the bytes are.
  package var kind: Kind
  /// Bytes of a line or a text, its newline not counted, above which it is quarantined.
  package var limit: Int

  /// Creates a block of content, to which the padding is added.
  package init(path: String, firstLine: Int, content: consuming [UInt8], kind: Kind = .lines, limit: Int = .max) {
    self.path = path
    self.firstLine = firstLine
    count = content.count
    bytes = consume content
    bytes.append(contentsOf: repeatElement(0, count: Self.padding))
    self.kind = kind
    self.limit = limit
  }
}
