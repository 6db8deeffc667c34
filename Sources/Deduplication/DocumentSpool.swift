import Documents
import Pipeline
import Primitives
import Storage

/// Documents in a temporary file until a decision about all of them is made. `encode` and `SpooledDocuments.decode` may run on any thread;
/// `append` and `next` are called in order.
package final class DocumentSpool {
  private struct Entry {
    var first: Int
    var offset: Int
    var bytes: Int
    var checksum: UInt64
  }

  private let file: SpillFile
  private var entries: [Entry] = []
  private var taken = 0

  /// Documents in the file.
  package private(set) var count = 0

  /// - Parameter temporaryFolder: where the file goes; nil for the system's folder.
  /// - Throws: `WeirError` where the file cannot be created.
  package init(temporaryFolder: String? = nil) throws { file = try SpillFile(folder: temporaryFolder) }

  /// Bytes on disk.
  package var bytes: Int { file.count }

  /// Documents as bytes: five lengths, then id, text, source, members and origin; a missing source has the length −1.
  package static func encode(_ documents: [Document]) -> [UInt8] {
    let size = documents.reduce(0) {
      $0 + 40 + $1.id.utf8.count + $1.text.count + ($1.source?.utf8.count ?? 0) + $1.members.count + $1.origin.utf8.count
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    for document in documents {
      let lengths = [
        document.id.utf8.count, document.text.count, document.source?.utf8.count ?? -1, document.members.count, document.origin.utf8.count,
      ]
      for length in lengths { bytes.append(integer: Int64(length)) }
      bytes.append(contentsOf: document.id.utf8)
      bytes.append(contentsOf: document.text)
      if let source = document.source { bytes.append(contentsOf: source.utf8) }
      bytes.append(contentsOf: document.members)
      bytes.append(contentsOf: document.origin.utf8)
    }
    return bytes
  }

  /// Appends `count` encoded documents.
  /// - Throws: `WeirError` when the disk is full.
  package func append(_ encoded: [UInt8], count documents: Int) throws {
    guard documents > 0 else { return }
    try encoded.withUnsafeBytes { bytes in
      entries.append(Entry(first: count, offset: file.count, bytes: bytes.count, checksum: Checksum.xxh3(bytes)))
      try file.append(bytes)
    }
    count += documents
  }

  /// The next documents, in order; nil at the end.
  /// - Throws: `WeirError` where the file cannot be read back.
  package func next() throws -> SpooledDocuments? {
    guard taken < entries.count else { return nil }
    defer { taken += 1 }
    return try block(taken)
  }

  /// The documents with the given numbers.
  /// - Throws: `WeirError` where the file cannot be read back.
  package func documents(_ numbers: Set<Int>) throws -> [Int: Document] {
    var found: [Int: Document] = [:]
    for index in entries.indices where numbers.contains(where: range(index).contains) {
      try block(index).decode { number, document in if numbers.contains(number) { found[number] = document } }
    }
    return found
  }

  private func range(_ index: Int) -> Range<Int> { entries[index].first..<(index + 1 < entries.count ? entries[index + 1].first : count) }

  private func block(_ index: Int) throws -> SpooledDocuments {
    let entry = entries[index]
    let bytes = try [UInt8](unsafeUninitializedCapacity: entry.bytes) { buffer, length in
      try file.read(at: entry.offset, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<entry.bytes]))
      length = entry.bytes
    }
    return SpooledDocuments(range: range(index), bytes: bytes, checksum: entry.checksum)
  }
}

/// Encoded documents of a spool.
package struct SpooledDocuments: Sendable {
  /// The numbers of the documents, in the order in which they were appended.
  package var range: Range<Int>
  var bytes: [UInt8]
  var checksum: UInt64

  /// Calls `body` with each document and its number.
  /// - Throws: `WeirError` where the bytes are not those that were appended.
  package func decode(_ body: (Int, Document) throws -> Void) throws {
    try bytes.withUnsafeBytes { bytes in
      guard Checksum.xxh3(bytes) == checksum else {
        throw WeirError("temporary file", "damaged documents", remedy: "check the disk and run again")
      }
      var at = 0
      func take(_ count: Int) -> UnsafeRawBufferPointer {
        defer { at += count }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
      }
      for number in range {
        let lengths = (0..<5).map { Int(bytes.integer(at: at + 8 * $0, as: Int64.self)) }
        at += 40
        let id = String(decoding: take(lengths[0]), as: UTF8.self)
        let text = Array(take(lengths[1]))
        let source = lengths[2] < 0 ? nil : String(decoding: take(lengths[2]), as: UTF8.self)
        let members = Array(take(lengths[3]))
        let origin = String(decoding: take(lengths[4]), as: UTF8.self)
        try body(number, Document(id: id, text: text, source: source, members: members, origin: origin))
      }
    }
  }
}

/// A document of a spool with its number.
package struct SpooledDocument: Record {
  package var number: Int
  package var document: Document
  package var origin: String { document.origin }
  package var byteCount: Int { document.byteCount }
  package func rejectedForm() -> [UInt8] { document.rejectedForm() }
}

/// Decodes the documents of a spool.
package struct DecodeSpool: Stage {
  package init() {}

  /// - Throws: `WeirError` where the spool is damaged.
  package func apply(_ block: SpooledDocuments, tally: inout Tally) throws -> [SpooledDocument] {
    var documents: [SpooledDocument] = []
    documents.reserveCapacity(block.range.count)
    try block.decode { documents.append(SpooledDocument(number: $0, document: $1)) }
    return documents
  }
}
