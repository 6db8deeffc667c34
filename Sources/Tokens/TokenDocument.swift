/// A document as token ids, without an end-of-document token: the dataset's writer puts that.
package struct TokenDocument: Sendable, Equatable {
  /// The document's name.
  package var id: String
  /// Where the corpus says it comes from.
  package var source: String?
  /// `path:line` of the file it was first read from.
  package var origin: String
  /// The other members, as in `Document`.
  package var members: [UInt8]
  /// The number of bytes of the text.
  package var bytes: Int
  /// Token ids.
  package var tokens: [UInt32]

  /// Creates a token document.
  package init(id: String, source: String? = nil, origin: String = "", members: [UInt8] = [], bytes: Int, tokens: [UInt32]) {
    self.id = id
    self.source = source
    self.origin = origin
    self.members = members
    self.bytes = bytes
    self.tokens = tokens
  }
}
