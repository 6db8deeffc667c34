import CJSON

/// Whole lines of a file, or a whole plain text, to be parsed.
package struct LineBlock: Sendable {
  package enum Kind: Sendable, Equatable {
    /// JSON lines.
    case lines
    /// The text of one document.
    case text
    /// A line or text above the limit, of `length` bytes that were not kept.
    case leftOut(length: Int)
  }

  /// Bytes after the content, so that the parser may read ahead.
  package static let padding = Int(WEIR_JSON_PADDING)

  /// The file; `-` is standard input.
  package var path: String
  /// The number of the first line, counted from 1.
  package var firstLine: Int
  /// The content and `padding` bytes after it.
  package var bytes: [UInt8]
  /// The number of bytes without the padding.
  package var count: Int
  package var kind: Kind
  /// The most bytes of a line or text, without its newline; longer ones are quarantined.
  package var limit: Int
  /// Whether the lines are the rows of a table, in which null says that a row lacks the member.
  package var isTable = false

  /// Creates a block of `content` and adds the padding.
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
