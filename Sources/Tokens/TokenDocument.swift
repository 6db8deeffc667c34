/// A document as token ids, without the end-of-document token, which the dataset's writer adds.
package struct TokenDocument: Sendable, Equatable {
  package var id: String
  /// The source according to the corpus.
  package var source: String?
  /// `path:line` of the file that the document was first read from.
  package var origin: String
  /// The other members, as in `Document`.
  package var members: [UInt8]
  /// Bytes of the text.
  package var bytes: Int
  package var tokens: [UInt32]

  package init(id: String, source: String? = nil, origin: String = "", members: [UInt8] = [], bytes: Int, tokens: [UInt32]) {
    self.id = id
    self.source = source
    self.origin = origin
    self.members = members
    self.bytes = bytes
    self.tokens = tokens
  }
}
