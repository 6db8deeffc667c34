import Primitives
import Storage
import Synchronization

/// A token dataset, mapped: the tokens of any stretch of any document, what each document is, and the windows.
public final class TokenDataset: Sendable {
  /// The folder.
  public let folder: String
  /// The manifest.
  public let manifest: Manifest
  /// The manifest's fingerprint: two datasets with it equal have the same content.
  public let fingerprint: String
  /// The tokenizer's fingerprint.
  public let tokenizer: String
  /// The number of token ids.
  public let vocabulary: Int
  /// The token that ends every document.
  public let endOfDocument: Int

  private struct Shard: Sendable {
    var bin: MappedFile
    var firstDocument: Int
    var firstToken: Int
    var sidecar: String
  }

  private let shards: [Shard]
  private let isWide: Bool
  /// The first token of each document, and the number of tokens.
  private let starts: [Int]
  /// The first window of each document, and the number of windows.
  private let windowStarts: [Int]
  private let sidecars = Mutex<[Int: Sidecar]>([:])

  /// Opens a dataset and validates every index; token values are checked when they are read, checksums by `verify`.
  /// - Throws: `WeirError` where it is no dataset, incomplete or damaged.
  public init(_ folder: String) throws {
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    self.folder = folder
    let manifest = try Manifest.read(folder: folder, format: TokenDatasetWriter.format)
    let place = folder + "/" + Manifest.fileName
    func count(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
      guard let value = manifest.counts[name], range.contains(value) else {
        throw WeirError(place, "has no usable count \"\(name)\"", remedy: "write the dataset again")
      }
      return value
    }
    vocabulary = try count("vocabulary", 1...Int(Int32.max))
    endOfDocument = try count("end_of_document", 0...vocabulary - 1)
    let documents = try count("documents", 0...Int.max)
    let tokens = try count("tokens", 0...Int.max)
    let shardCount = try count("shards", 0...manifest.files.count)
    if let problem = manifest.verifySizes(in: folder).first {
      throw WeirError(folder, "is damaged (\(problem))", remedy: "write the dataset again")
    }
    let element = MegatronIndex.Element.of(vocabulary: vocabulary)
    var shards: [Shard] = []
    var starts = [0]
    var windows = [0]
    for number in 0..<shardCount {
      let base = folder + "/" + TokenDatasetWriter.shardName(number)
      let bin = try MappedFile(base + ".bin")
      let file = try MappedFile(base + ".idx")
      let index = try file.withBytes { try MegatronIndex($0, path: file.path, binSize: bin.count) }
      guard index.element == element, index.documents.count == index.lengths.count + 1,
        index.pointers.last.map({ Int($0) + Int(index.lengths[index.lengths.count - 1]) * element.size }) ?? 0 == bin.count
      else { throw WeirError(file.path, "does not fit its manifest or its .bin", remedy: "write the dataset again") }
      shards.append(Shard(bin: bin, firstDocument: starts.count - 1, firstToken: starts[starts.count - 1], sidecar: base + ".docs.zst"))
      var token = starts[starts.count - 1]
      var window = windows[windows.count - 1]
      for (number, length) in index.lengths.enumerated() {
        guard Int(index.pointers[number]) == (token - shards[shards.count - 1].firstToken) * element.size, length > 0,
          index.documents[number] == number
        else { throw WeirError(file.path, "sequence \(number) leaves a gap in the .bin", remedy: "write the dataset again") }
        token += Int(length)
        window += (Int(length) + Window.maximum - 1) / Window.maximum
        starts.append(token)
        windows.append(window)
      }
    }
    guard starts.count - 1 == documents, starts[documents] == tokens else {
      throw WeirError(
        place, "says \(documents) documents and \(tokens) tokens, the shards have \(starts.count - 1) and \(starts[starts.count - 1])",
        remedy: "write the dataset again")
    }
    self.manifest = manifest
    fingerprint = manifest.fingerprint
    tokenizer = manifest.inputs["tokenizer"] ?? ""
    isWide = element == .int32
    self.shards = shards
    self.starts = starts
    windowStarts = windows
  }

  /// The number of documents.
  public var documentCount: Int { starts.count - 1 }
  /// The number of tokens, end-of-document tokens included.
  public var tokenCount: Int { starts[starts.count - 1] }
  /// Bytes of text.
  public var byteCount: Int { manifest.counts["bytes"] ?? 0 }

  /// Tokens of a document, its end-of-document token included.
  public func length(_ document: Int) -> Int { starts[document + 1] - starts[document] }

  /// Tokens before a document, in the whole dataset.
  public func firstToken(of document: Int) -> Int { starts[document] }

  // MARK: tokens

  /// The tokens `range` of a document.
  public func tokens(document: Int, range: Range<Int>) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: range.count) { buffer, count in
      copy(document: document, range: range, into: buffer)
      count = range.count
    }
  }

  /// Appends the tokens `range` of a document.
  public func append(document: Int, range: Range<Int>, to tokens: inout [Int32]) {
    let start = tokens.count
    tokens.append(contentsOf: repeatElement(0, count: range.count))
    tokens.withUnsafeMutableBufferPointer { copy(document: document, range: range, into: UnsafeMutableBufferPointer(rebasing: $0[start...])) }
  }

  /// Copies the tokens `range` of a document to the beginning of `target`, without an allocation. A value outside of the
  /// vocabulary (a damaged file, which `weir verify` finds) comes out as the end-of-document token.
  public func copy(document: Int, range: Range<Int>, into target: UnsafeMutableBufferPointer<Int32>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= length(document) && range.count <= target.count, "no such tokens")
    let shard = shards[shardIndex(of: document)]
    let first = starts[document] - shard.firstToken + range.lowerBound
    let (count, limit, end) = (range.count, UInt32(vocabulary), Int32(endOfDocument))
    shard.bin.withBytes { bytes in
      if isWide {
        for index in 0..<count {
          let token = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * (first + index), as: UInt32.self))
          target[index] = token < limit ? Int32(bitPattern: token) : end
        }
      } else {
        for index in 0..<count {
          let token = UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * (first + index), as: UInt16.self)))
          target[index] = token < limit ? Int32(bitPattern: token) : end
        }
      }
    }
  }

  private func shardIndex(of document: Int) -> Int {
    precondition(document >= 0 && document < documentCount, "no such document")
    return Self.lastIndex(in: shards.count) { shards[$0].firstDocument <= document }
  }

  /// The last index of `0..<count` where `holds` is true, which it is on a beginning that is not empty.
  private static func lastIndex(in count: Int, where holds: (Int) -> Bool) -> Int {
    var (low, high) = (0, count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if holds(middle) { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// The document that the dataset's token `token` is in. O(log documents).
  public func document(ofToken token: Int) -> Int {
    precondition(token >= 0 && token < tokenCount, "no such token")
    return Self.lastIndex(in: documentCount) { starts[$0] <= token }
  }

  // MARK: windows

  /// The number of windows: each document is cut every 1,024 tokens, its end-of-document token counted.
  public var windowCount: Int { windowStarts[windowStarts.count - 1] }

  /// The window `index`, in document order. O(log documents).
  public func window(_ index: Int) -> Window {
    precondition(index >= 0 && index < windowCount, "no such window")
    let document = Self.lastIndex(in: documentCount) { windowStarts[$0] <= index }
    let offset = (index - windowStarts[document]) * Window.maximum
    return Window(document: document, offset: offset, count: min(Window.maximum, length(document) - offset))
  }

  /// All windows.
  public var windows: [Window] {
    var windows: [Window] = []
    windows.reserveCapacity(windowCount)
    for document in 0..<documentCount {
      let length = length(document)
      for offset in stride(from: 0, to: length, by: Window.maximum) {
        windows.append(Window(document: document, offset: offset, count: min(Window.maximum, length - offset)))
      }
    }
    return windows
  }

  /// The first window of a document.
  public func firstWindow(of document: Int) -> Int { windowStarts[document] }

  /// The windows of a document.
  public func windows(of document: Int) -> Range<Int> { windowStarts[document]..<windowStarts[document + 1] }

  /// The tokens of a window.
  public func tokens(_ window: Window) -> [Int32] {
    tokens(document: window.document, range: window.offset..<window.offset + window.count)
  }

  // MARK: documents

  /// What a document is. The first call for a shard unpacks its sidecar; eight are kept.
  public func info(_ document: Int) throws -> DocumentInfo {
    let number = shardIndex(of: document)
    let shard = shards[number]
    let sidecar = try sidecars.withLock { cache in
      if let known = cache[number] { return known }
      let read = try Sidecar(shard.sidecar)
      if cache.count >= 8 { cache.removeAll() }
      cache[number] = read
      return read
    }
    return try sidecar.info(document - shard.firstDocument)
  }
}

/// The unpacked sidecar of a shard.
private final class Sidecar: Sendable {
  private let path: String
  private let bytes: [UInt8]
  private let ends: [Int]

  init(_ path: String) throws {
    self.path = path
    let reader = try ByteReader(path)
    let bytes = try reader.readAll()
    self.bytes = bytes
    ends = bytes.indices.filter { bytes[$0] == 0x0A }
    try reader.finish(records: ends.count)
  }

  func info(_ index: Int) throws -> DocumentInfo {
    guard index < ends.count else { throw WeirError(path, "has \(ends.count) lines, not one for document \(index)", remedy: "write the dataset again") }
    let start = index == 0 ? 0 : ends[index - 1] + 1
    return try DocumentInfo(line: Array(bytes[start..<ends[index]]), place: "\(path):\(index + 1)")
  }
}
