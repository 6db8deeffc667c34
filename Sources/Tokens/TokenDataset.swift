import Foundation
import Primitives
import Storage

/// A token dataset: Megatron `.bin/.idx` shards with a provenance sidecar each, and a manifest.
///
/// `shard-00000.bin` and `.idx`: the tokens; every document ends with the end-of-document token. `shard-00000.docs.jsonl`: one line per document
/// (id, source, origin, bytes and the other members). `tokenizer/tokenizer.json`: the tokenizer, if it was known.
public final class TokenDataset: Sendable {
  /// The format's name in the manifest.
  package static let format = "weir.token-dataset.1"

  /// The metadata of a document.
  public struct DocumentInfo: Sendable, Equatable {
    /// The document's name.
    public var id: String
    /// The source according to the corpus.
    public var source: String?
    /// `path:line` of the file that the document was first read from.
    public var origin: String
    /// Bytes of the text.
    public var bytes: Int
    /// The other members, as in `Document`.
    public var members: [UInt8]
  }

  private struct Shard: Sendable {
    /// The lines that describe the documents.
    var documents: CheckedFile
    /// The shard's first document.
    var first: Int
  }

  /// The folder.
  public let path: String
  /// Access to the tokens.
  package let reader: TokenReader
  /// The manifest.
  package var manifest: Manifest { reader.manifest }
  /// The input fingerprint in the manifests of outputs made from the dataset.
  public var fingerprint: String { reader.fingerprint }
  /// The fingerprint of the tokenizer.
  public let tokenizer: String
  /// The size of the vocabulary.
  public var vocabulary: Int { reader.vocabulary }
  /// The end-of-document token.
  public var endOfDocument: Int { reader.endOfDocument }
  /// All tokens, including end-of-document tokens.
  public var tokenCount: Int { reader.tokenCount }
  /// Bytes of text.
  public let byteCount: Int

  private let shards: [Shard]
  private let lengths: [Int32]
  /// The number of the first window of each document, and the number of windows at the end.
  private let firstWindows: [Int]
  private let windowDocuments: [UInt32]

  /// Opens a dataset and checks its structure. Tokens and lines are checked when they are read.
  /// - Throws: `WeirError` if the folder is not a dataset, or is damaged.
  public init(_ folder: String) throws {
    let reader = try TokenReader(folder), manifest = reader.manifest
    self.reader = reader
    path = folder
    tokenizer = try manifest.input("tokenizer", in: folder)
    byteCount = try manifest.count("bytes", in: folder)
    let paths = DatasetFolder(folder)
    let tokenizerFolder = paths.tokenizer.dropFirst(folder.count + 1) + "/"
    try manifest.check(in: folder) { $0.hasPrefix(tokenizerFolder) }
    func name(_ path: String) -> String { String(path.dropFirst(folder.count + 1)) }
    var shards: [Shard] = []
    var lengths: [Int32] = []
    lengths.reserveCapacity(reader.documentCount)
    for index in 0..<(try manifest.count("shards", in: folder)) {
      let shard = paths.shard(index)
      let documents = try CheckedFile(name(shard.documents), of: manifest, in: folder, blocks: reader.blocks)
      shards.append(Shard(documents: documents, first: lengths.count))
      lengths += try MegatronIndex(try manifest.open(name(shard.index), in: folder), dataBytes: try Files.size(shard.tokens)).lengths
    }
    let sum = lengths.reduce(0) { $0 + Int($1) }
    _ = try manifest.count("tokens", in: folder, range: sum...sum)
    self.shards = shards
    self.lengths = lengths
    var firstWindows = [0]
    var windowDocuments: [UInt32] = []
    firstWindows.reserveCapacity(lengths.count + 1)
    for (document, length) in lengths.enumerated() {
      let windows = (Int(length) + Window.maximum - 1) / Window.maximum
      for _ in 0..<windows { windowDocuments.append(UInt32(document)) }
      firstWindows.append(windowDocuments.count)
    }
    self.firstWindows = firstWindows
    self.windowDocuments = windowDocuments
  }

  /// The number of documents.
  public var documentCount: Int { lengths.count }

  /// The tokens of a document, including the end-of-document token.
  public func length(_ document: Int) -> Int { Int(lengths[document]) }

  /// The number of windows: at most `Window.maximum` consecutive tokens of one document each.
  public var windowCount: Int { windowDocuments.count }

  /// A window by its number, in document order.
  public func window(_ index: Int) -> Window {
    let document = Int(windowDocuments[index])
    let offset = (index - firstWindows[document]) * Window.maximum
    return Window(document: document, offset: offset, count: min(Window.maximum, Int(lengths[document]) - offset))
  }

  /// The windows of a document.
  public func windows(of document: Int) -> Range<Int> { firstWindows[document]..<firstWindows[document + 1] }

  /// Some tokens of a document.
  /// - Throws: `WeirError` if an id is outside the vocabulary.
  public func tokens(document: Int, range: Range<Int>) throws -> [Int32] {
    precondition(range.lowerBound >= 0 && range.upperBound <= length(document), "tokens outside the document")
    return try reader.tokens(document: document, range: range)
  }

  /// The tokens of a window.
  public func tokens(window index: Int) throws -> [Int32] {
    let window = window(index)
    return try tokens(document: window.document, range: window.offset..<window.offset + window.count)
  }

  private func shardIndex(of document: Int) -> Int {
    var low = 0
    var high = shards.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if shards[middle].first <= document { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Calls `body` with the number and the metadata of each document from `first` on, until it returns false. O(bytes before `first` in its
  /// shard).
  package func forEachInfo(from first: Int = 0, _ body: (Int, DocumentInfo) throws -> Bool) throws {
    try forEachLine(from: first) { document, start in try body(document, info(document, at: start)) }
  }

  /// Calls `body` with the number of each document from `first` on and the start of its line in the shard's file, until it returns false.
  func forEachLine(from first: Int = 0, _ body: (Int, Int) throws -> Bool) throws {
    guard !shards.isEmpty else { return }
    for index in shardIndex(of: first)..<shards.count {
      let shard = shards[index]
      let end = index + 1 < shards.count ? shards[index + 1].first : documentCount
      var document = shard.first
      let goesOn = try shard.documents.file.withBytes { bytes -> Bool in
        var start = 0
        while document < end {
          guard let base = bytes.baseAddress, let found = memchr(base + start, 10, bytes.count - start) else {
            throw WeirError(
              shard.documents.path, "has fewer lines than the shard has documents", remedy: "check the dataset with `weir verify`")
          }
          try shard.documents.check(start..<UnsafeRawPointer(found) - base + 1)
          if document >= first {
            guard try body(document, start) else { return false }
          }
          start = UnsafeRawPointer(found) - base + 1
          document += 1
        }
        return true
      }
      if !goesOn { return }
    }
  }

  /// Parses the line of a document that starts at a byte of the shard's file.
  func info(_ document: Int, at start: Int) throws -> DocumentInfo {
    let shard = shards[shardIndex(of: document)]
    let line = shard.documents.file.withBytes { bytes in Array(bytes[start...].prefix { $0 != 10 }) }
    try shard.documents.check(start..<start + line.count)
    return try Self.parse(line, place: "\(shard.documents.path):\(document - shard.first + 1)")
  }

  /// The metadata of some documents, in one pass over the lines from the first of them to the last.
  package func infos(_ documents: Set<Int>) throws -> [Int: DocumentInfo] {
    var found: [Int: DocumentInfo] = [:]
    guard let first = documents.min() else { return found }
    try forEachLine(from: first) { document, start in
      if documents.contains(document) { found[document] = try info(document, at: start) }
      return found.count < documents.count
    }
    return found
  }

  /// The metadata of one document.
  public func info(_ document: Int) throws -> DocumentInfo {
    var found: DocumentInfo?
    try forEachInfo(from: document) { _, info in
      found = info
      return false
    }
    guard let found else { throw WeirError(path, "has no document \(document)", remedy: "name one in 0…\(documentCount - 1)") }
    return found
  }
}
