import Documents
import Primitives
import Storage

/// The header of a stream of token documents.
package struct TokenStreamHeader: Sendable, Equatable {
  /// The tokenizer's fingerprint.
  package var tokenizer: String
  /// The number of token ids.
  package var vocabulary: Int
  /// The token that ends every document in a dataset.
  package var endOfDocument: Int
  /// The tokenizer.json, which is copied into datasets made from the stream; empty if unknown.
  package var tokenizerFile: [UInt8]

  package init(tokenizer: String, vocabulary: Int, endOfDocument: Int, tokenizerFile: [UInt8] = []) {
    self.tokenizer = tokenizer
    self.vocabulary = vocabulary
    self.endOfDocument = endOfDocument
    self.tokenizerFile = tokenizerFile
  }
}

/// The encoding of token documents, little-endian, in a Weir stream of kind `tokens`:
///
///     "WEIRTOKN", u32 version, u32 length of the tokenizer's fingerprint, fingerprint, u32 vocabulary, u32 end of document,
///                   u32 length of tokenizer.json, tokenizer.json
///     per document: u32 lengths of id, source (2³² − 1 = none), origin, members; u64 bytes of text; u32 tokens;
///                   id, source, origin, members; u32 tokens
package enum TokenRecords {
  static let magic = Array("WEIRTOKN".utf8)
  static let version: UInt32 = 1
  static let noSource = UInt32.max
  /// Maximum bytes of an id, a source or an origin.
  static let nameLimit = 1 << 24
  /// Maximum bytes of the other members.
  static let membersLimit = 1 << 30

  static func encode(_ header: TokenStreamHeader) -> [UInt8] {
    var bytes = magic
    let name = Array(header.tokenizer.utf8)
    bytes.append(integer: version)
    bytes.append(integer: UInt32(name.count))
    bytes += name
    bytes.append(integer: UInt32(header.vocabulary))
    bytes.append(integer: UInt32(header.endOfDocument))
    bytes.append(integer: UInt32(header.tokenizerFile.count))
    bytes += header.tokenizerFile
    return bytes
  }

  /// - Throws: `WeirError` if a document's id, source, origin, members or tokens are too long.
  package static func encode(_ documents: [TokenDocument]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(documents.reduce(0) { $0 + 4 * $1.tokens.count + $1.members.count + 256 })
    for document in documents {
      let (id, origin) = (document.id.utf8, document.origin.utf8)
      let source = document.source?.utf8
      guard max(id.count, origin.count, source?.count ?? 0) <= nameLimit, document.members.count <= membersLimit,
        document.tokens.count < Int(Int32.max)
      else {
        throw WeirError(document.origin, "id, source, origin, members or tokens are too long for a stream", remedy: "split the document")
      }
      bytes.append(integer: UInt32(id.count))
      bytes.append(integer: source.map { UInt32($0.count) } ?? noSource)
      bytes.append(integer: UInt32(origin.count))
      bytes.append(integer: UInt32(document.members.count))
      bytes.append(integer: UInt64(document.bytes))
      bytes.append(integer: UInt32(document.tokens.count))
      bytes.append(contentsOf: id)
      if let source { bytes.append(contentsOf: source) }
      bytes.append(contentsOf: origin)
      bytes.append(contentsOf: document.members)
      document.tokens.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// One JSON line per document with `id` and `tokens`.
  package static func plain(_ documents: [TokenDocument]) -> [UInt8] {
    var bytes: [UInt8] = []
    for document in documents {
      bytes.append(contentsOf: "{\"id\": ".utf8)
      JSONText.append(string: document.id, to: &bytes)
      bytes.append(contentsOf: ", \"tokens\": [".utf8)
      for (index, token) in document.tokens.enumerated() {
        if index > 0 { bytes.append(contentsOf: ", ".utf8) }
        bytes.append(contentsOf: String(token).utf8)
      }
      bytes.append(contentsOf: "]}\n".utf8)
    }
    return bytes
  }

}

/// Writes a stream of token documents.
package final class TokenStreamWriter {
  private let writer: StreamWriter
  private let plain: Bool

  /// - Parameters:
  ///   - path: a file, or `-` for standard output.
  ///   - plain: JSON lines with `id` and `tokens` instead of a stream, without the header.
  ///   - threads: compression threads.
  package init(path: String = "-", header: TokenStreamHeader, plain: Bool = false, threads: Int = 1) throws {
    guard header.vocabulary > 0, header.vocabulary <= Int(Int32.max), (0..<header.vocabulary).contains(header.endOfDocument),
      header.tokenizer.utf8.count <= TokenRecords.nameLimit, header.tokenizerFile.count <= TokenRecords.membersLimit
    else { throw WeirError("tokenizer", "has an invalid vocabulary or end-of-document token") }
    self.plain = plain
    writer = try StreamWriter(
      path, kind: .tokens,
      coding: !plain
        ? .stream(level: path == "-" ? DocumentSink.streamLevel : 1) : path == "-" ? .plain : try OutputCoding.of(path: path, lines: true),
      threads: threads)
    if !plain { try writer.write(TokenRecords.encode(header), records: 0) }
  }

  /// Appends documents, in order.
  package func append(_ documents: [TokenDocument]) throws {
    try writer.write(plain ? TokenRecords.plain(documents) : try TokenRecords.encode(documents), records: documents.count)
  }

  /// Completes the stream.
  @discardableResult package func finish() throws -> FileRecord? { try writer.finish() }

  /// Abandons the stream: a file does not appear, standard output has no end marker.
  package func discard() { writer.discard() }
}
