import Primitives
import Storage

/// Random access to the tokens of a dataset. Opening reads the manifest and the header of every index, and a document costs one entry of an index,
/// whatever the size of the dataset. `TokenDataset` adds what needs all entries, such as windows.
package final class TokenReader: Sendable {
  /// A class, because a place that names it then counts one reference and not two.
  private final class Shard: Sendable {
    let tokens: CheckedFile
    let index: CheckedFile
    let tokenBytes: Int
    /// The number of documents.
    let count: Int
    /// The shard's first document.
    let first: Int

    init(tokens: CheckedFile, index: CheckedFile, tokenBytes: Int, count: Int, first: Int) {
      (self.tokens, self.index, self.tokenBytes, self.count, self.first) = (tokens, index, tokenBytes, count, first)
    }
  }

  /// A document's tokens within its shard.
  private struct Place {
    var shard: Shard
    var start: Int
    var length: Int
  }

  package let path: String
  package let manifest: Manifest
  package let fingerprint: String
  package let vocabulary: Int
  package let endOfDocument: Int
  package let documentCount: Int
  package let tokenCount: Int
  let blocks: BlockChecksums?
  private let shards: [Shard]

  /// - Throws: `WeirError` if the folder is not a token dataset, or the sizes of its files do not agree.
  package init(_ folder: String) throws {
    guard Files.isFolder(folder) else {
      throw WeirError(
        folder, Files.exists(folder) ? "is a file, not a token dataset" : "no such dataset", remedy: "make one with `weir shard`")
    }
    let manifest = try Manifest.read(folder: folder, format: TokenDataset.format)
    path = folder
    self.manifest = manifest
    fingerprint = manifest.fingerprint
    vocabulary = try manifest.count("vocabulary", in: folder, range: 1...Int(Int32.max))
    endOfDocument = try manifest.count("end_of_document", in: folder, range: 0...vocabulary - 1)
    tokenCount = try manifest.count("tokens", in: folder)
    let blocks = try BlockChecksums(manifest, in: folder)
    self.blocks = blocks
    let paths = DatasetFolder(folder)
    func open(_ path: String) throws -> CheckedFile {
      try CheckedFile(String(path.dropFirst(folder.count + 1)), of: manifest, in: folder, blocks: blocks)
    }
    var shards: [Shard] = []
    var documents = 0
    let named = DatasetFolder.shardCount(manifest.files.map(\.name))
    for number in 0..<(try manifest.count("shards", in: folder, range: named...named)) {
      let shard = paths.shard(number)
      let tokens = try open(shard.tokens), index = try open(shard.index)
      let header = try MegatronIndex.Header(index, dataBytes: tokens.file.count)
      guard header.tokenBytes == MegatronIndex.tokenBytes(vocabulary: vocabulary) else {
        throw WeirError(
          shard.index, "has tokens of \(header.tokenBytes) bytes for a vocabulary of \(vocabulary)", remedy: "make the dataset again")
      }
      shards.append(Shard(tokens: tokens, index: index, tokenBytes: header.tokenBytes, count: header.count, first: documents))
      documents += header.count
    }
    guard try manifest.count("documents", in: folder) == documents else {
      throw WeirError(
        folder, "the shards contain \(documents) documents, the manifest says \(manifest.counts["documents"] ?? 0)",
        remedy: "make the dataset again")
    }
    self.shards = shards
    documentCount = documents
  }

  /// The tokens of a document, including the end-of-document token.
  package func length(_ document: Int) throws -> Int { try place(document).length }

  /// Copies tokens of a document.
  /// - Parameter target: has room for `count` tokens.
  /// - Returns: the document's token after them, −1 at its end.
  /// - Throws: `WeirError` if the document does not have these tokens, or an id is outside the vocabulary.
  package func copy(document: Int, offset: Int, count: Int, to target: UnsafeMutablePointer<Int32>) throws -> Int32 {
    let place = try place(document), width = place.shard.tokenBytes, file = place.shard.tokens
    guard offset >= 0, count >= 0, offset <= place.length, count <= place.length - offset else {
      throw WeirError(
        path, "document \(document) has \(place.length) tokens, not \(offset)…\(offset + count)", remedy: "make the rows again")
    }
    let first = place.start + offset, hasNext = offset + count < place.length, limit = UInt32(vocabulary)
    return try file.withBytes(width * first..<width * (first + count + (hasNext ? 1 : 0))) { bytes in
      guard let base = bytes.baseAddress else { return -1 }
      var largest: UInt32 = 0
      if width == 2 {
        let source = (base + 2 * first).assumingMemoryBound(to: UInt16.self)
        var top: UInt16 = 0
        for index in 0..<count {
          top = max(top, source[index])
          target[index] = Int32(source[index])
        }
        largest = UInt32(top)
      } else {
        let source = (base + 4 * first).assumingMemoryBound(to: UInt32.self)
        for index in 0..<count {
          largest = max(largest, source[index])
          target[index] = Int32(bitPattern: source[index])
        }
      }
      let next = hasNext ? bytes.element(first + count, width: width) : 0
      guard max(largest, next) < limit else {
        let wrong = (first...first + count).first { bytes.element($0, width: width) >= limit } ?? first
        throw WeirError(
          "\(file.path)@\(width * wrong)", "token \(bytes.element(wrong, width: width)) is outside the vocabulary of \(vocabulary)",
          remedy: "the dataset is damaged; check it with `weir verify`")
      }
      return hasNext ? Int32(next) : -1
    }
  }

  /// Some tokens of a document.
  package func tokens(document: Int, range: Range<Int>) throws -> [Int32] {
    try [Int32](unsafeUninitializedCapacity: range.count) { buffer, count in
      if let base = buffer.baseAddress { _ = try copy(document: document, offset: range.lowerBound, count: range.count, to: base) }
      count = range.count
    }
  }

  private func place(_ document: Int) throws -> Place {
    guard (0..<documentCount).contains(document) else {
      throw WeirError(path, "has no document \(document)", remedy: "name one in 0…\(documentCount - 1)")
    }
    var (low, high) = (0, shards.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if shards[middle].first <= document { low = middle } else { high = middle - 1 }
    }
    let shard = shards[low], entry = try MegatronIndex.entry(document - shard.first, of: shard.count, in: shard.index)
    let start = entry.pointer / shard.tokenBytes
    guard entry.length > 0, entry.pointer >= 0, (start + entry.length) * shard.tokenBytes <= shard.tokens.file.count else {
      throw WeirError(shard.index.path, "document \(document - shard.first) is outside the tokens", remedy: "check it with `weir verify`")
    }
    return Place(shard: shard, start: start, length: entry.length)
  }
}
