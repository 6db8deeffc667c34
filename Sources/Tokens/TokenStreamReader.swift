import Primitives
import Storage

/// Reads a stream of token documents. Every length is validated before it is used.
package final class TokenStreamReader {
  package let header: TokenStreamHeader
  /// Documents read so far.
  package private(set) var documents = 0

  private var cursor: Cursor

  /// Bytes read so far.
  package var bytesRead: Int { cursor.reader.position }

  /// - Parameter path: a file, or `-` for standard input.
  /// - Throws: `WeirError` if it is not a stream of token documents.
  package init(path: String = "-") throws {
    let reader = try ByteReader(path)
    var cursor = Cursor(reader: reader)
    guard reader.kind == .tokens else {
      throw WeirError(displayName(path), "contains no token documents", remedy: "pipe it through `weir tokenize` first")
    }
    guard try cursor.bytes(8, "header") == TokenRecords.magic else { throw cursor.damaged("it does not start with WEIRTOKN") }
    let version = try cursor.integer(UInt32.self, "header")
    guard version == TokenRecords.version else { throw cursor.damaged("version \(version), expected \(TokenRecords.version)") }
    let tokenizer = try cursor.string(try cursor.length("header", limit: TokenRecords.nameLimit), "tokenizer")
    let vocabulary = try cursor.integer(UInt32.self, "header")
    let end = try cursor.integer(UInt32.self, "header")
    guard vocabulary > 0, vocabulary <= UInt32(Int32.max), end < vocabulary else { throw cursor.damaged("invalid vocabulary") }
    let file = try cursor.bytes(try cursor.length("header", limit: TokenRecords.membersLimit), "tokenizer.json")
    header = TokenStreamHeader(tokenizer: tokenizer, vocabulary: Int(vocabulary), endOfDocument: Int(end), tokenizerFile: file)
    self.cursor = cursor
  }

  /// The next documents, with about `tokens` tokens; nil at the end. `finish` then checks the stream's end marker.
  /// - Throws: `WeirError` with the byte offset of damaged content, or if the upstream process died.
  package func next(tokens: Int = 1 << 18) throws -> [TokenDocument]? {
    var batch: [TokenDocument] = []
    var count = 0
    while count < tokens, batch.count < 4_096 {
      guard try !cursor.isAtEnd() else { break }
      let document = try record()
      count += document.tokens.count
      batch.append(document)
    }
    documents += batch.count
    return batch.isEmpty ? nil : batch
  }

  /// Checks that everything was read and that the number of documents agrees with the end marker.
  package func finish() throws {
    guard try cursor.isAtEnd() else { throw cursor.damaged("unread documents follow") }
    try cursor.reader.finish(records: documents)
  }

  private func record() throws -> TokenDocument {
    let id = try cursor.length("id", limit: TokenRecords.nameLimit)
    let source = try cursor.integer(UInt32.self, "source")
    let sourceLength = source == TokenRecords.noSource ? 0 : Int(source)
    guard sourceLength <= TokenRecords.nameLimit else { throw cursor.damaged("a source of \(source) bytes") }
    let origin = try cursor.length("origin", limit: TokenRecords.nameLimit)
    let members = try cursor.length("members", limit: TokenRecords.membersLimit)
    let bytes = try cursor.integer(UInt64.self, "bytes")
    guard bytes <= 1 << 48 else { throw cursor.damaged("a text of \(bytes) bytes") }
    let count = try cursor.length("tokens", limit: Int(Int32.max) - 1)
    let name = try cursor.string(id, "id")
    let sourceName = try cursor.string(sourceLength, "source")
    let originName = try cursor.string(origin, "origin")
    let memberBytes = try cursor.bytes(members, "members")
    let tokens = try cursor.tokens(count)
    if let token = tokens.first(where: { $0 >= UInt32(header.vocabulary) }) {
      throw cursor.damaged("the token \(token) in a vocabulary of \(header.vocabulary)")
    }
    return TokenDocument(
      id: name, source: source == TokenRecords.noSource ? nil : sourceName, origin: originName, members: memberBytes,
      bytes: Int(bytes), tokens: tokens)
  }
}

/// A position in the content of a stream.
private struct Cursor {
  let reader: ByteReader
  private var buffer = [UInt8](repeating: 0, count: Files.pieceBytes)
  private var start = 0
  private var end = 0
  private var offset = 0

  init(reader: ByteReader) { self.reader = reader }

  func damaged(_ reason: String) -> WeirError {
    WeirError("\(displayName(reader.path))@\(offset)", "is damaged (\(reason))", remedy: "run the pipe again; nothing was committed")
  }

  mutating func isAtEnd() throws -> Bool {
    if start < end { return false }
    start = 0
    let reader = reader
    end = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
    return end == 0
  }

  /// Reserves little memory up front, because a damaged length may be huge.
  mutating func bytes(_ count: Int, _ what: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(count, 1 << 20))
    while bytes.count < count {
      if try isAtEnd() { throw damaged("it ends within the \(what)") }
      let step = min(end - start, count - bytes.count)
      bytes.append(contentsOf: buffer[start..<start + step])
      start += step
      offset += step
    }
    return bytes
  }

  mutating func integer<T: FixedWidthInteger>(_: T.Type, _ what: String) throws -> T {
    let bytes = try bytes(MemoryLayout<T>.size, what)
    return T(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: T.self) })
  }

  mutating func length(_ what: String, limit: Int) throws -> Int {
    let length = try integer(UInt32.self, what)
    guard Int(length) <= limit else { throw damaged("\(length) bytes or tokens of \(what)") }
    return Int(length)
  }

  mutating func string(_ count: Int, _ what: String) throws -> String {
    guard let string = String(validating: try bytes(count, what), as: UTF8.self) else { throw damaged("the \(what) is not UTF-8") }
    return string
  }

  mutating func tokens(_ count: Int) throws -> [UInt32] {
    let bytes = try bytes(4 * count, "tokens")
    return [UInt32](unsafeUninitializedCapacity: count) { buffer, done in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      done = count
    }
  }
}
