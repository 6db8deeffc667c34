/// A text with its id and metadata: a JSON line on disk, with `id`, `text` and `source` parsed and all other members unchanged.
public struct Document: Sendable, Equatable {
  /// A checksum of the text where the input has none.
  public var id: String
  /// Valid UTF-8.
  public var text: [UInt8] { didSet { escapedText = nil } }
  /// The text escaped as `JSONText` would, copied from the input line; nil where there is no copy, and once the text is changed.
  private(set) var escapedText: [UInt8]?
  /// Where the corpus says that the text comes from.
  public var source: String?
  /// The other members as they were, `"key": value` separated by commas, without braces; empty where there are none.
  public var members: [UInt8]
  /// `path:line` of the file it was first read from.
  public var origin: String

  /// Creates a document; `text` must be valid UTF-8.
  public init(id: String, text: [UInt8], source: String? = nil, members: [UInt8] = [], origin: String = "") {
    self.id = id
    self.text = text
    self.source = source
    self.members = members
    self.origin = origin
  }

  /// Creates a document whose escaped text is known.
  init(id: String, text: [UInt8], escapedText: [UInt8]?, source: String?, members: [UInt8], origin: String) {
    self.init(id: id, text: text, source: source, members: members, origin: origin)
    self.escapedText = escapedText
  }

  /// Whether both would be written as the same line.
  public static func == (one: Document, other: Document) -> Bool {
    one.id == other.id && one.text == other.text && one.source == other.source && one.members == other.members
      && one.origin == other.origin
  }

  /// Creates a document from a string.
  public init(id: String, text: String, source: String? = nil) { self.init(id: id, text: Array(text.utf8), source: source) }
}
