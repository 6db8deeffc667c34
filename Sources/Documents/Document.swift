/// One document: a JSON line on disk, `id`, `text` and `source` apart and every other member untouched.
package struct Document: Sendable, Equatable {
  /// The document's name; made from the content where the input has none.
  package var id: String
  /// The text, valid UTF-8.
  package var text: [UInt8] { didSet { escapedText = nil } }
  /// The text escaped as `JSONText` would, taken from the line it came in; nil where it is not at hand, and once the text is changed.
  private(set) var escapedText: [UInt8]?
  /// Where the corpus says it comes from.
  package var source: String?
  /// The other members as they stood, `"key": value` separated by commas, without braces; empty where there are none.
  package var members: [UInt8]
  /// `path:line` of the file it was first read from.
  package var origin: String

  /// Creates a document.
  package init(id: String, text: [UInt8], source: String? = nil, members: [UInt8] = [], origin: String = "") {
    self.id = id
    self.text = text
    self.source = source
    self.members = members
    self.origin = origin
  }

  /// Creates a document of a line that holds its text as it is written again.
  init(id: String, text: [UInt8], escapedText: [UInt8]?, source: String?, members: [UInt8], origin: String) {
    self.init(id: id, text: text, source: source, members: members, origin: origin)
    self.escapedText = escapedText
  }

  /// Whether all that is written of them is equal.
  package static func == (one: Document, other: Document) -> Bool {
    one.id == other.id && one.text == other.text && one.source == other.source && one.members == other.members
      && one.origin == other.origin
  }

  /// Creates a document of a string.
  package init(id: String, text: String, source: String? = nil) {
    self.init(id: id, text: Array(text.utf8), source: source)
  }
}
