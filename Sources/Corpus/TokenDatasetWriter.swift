import Primitives
import Storage

/// Writes a token dataset: Megatron shards with a sidecar each that says what the documents are, and the manifest.
///
///     shard-00000.bin        token ids, u16 below a vocabulary of 65,500, i32 from there; every document ends with its end token
///     shard-00000.idx        the Megatron index, one sequence a document
///     shard-00000.docs.zst   a JSON line a document: id, source, origin, bytes, members
///     manifest.json          written last
public final class TokenDatasetWriter {
  /// The format's name and version.
  public static let format = "weir.token-dataset.1"

  private let folder: AtomicFolder
  private let tokenizer: String
  private let vocabulary: Int
  private let endOfDocument: Int
  private let shardTokens: Int
  private let element: MegatronIndex.Element
  private var shard: OpenShard?
  private var shards = 0

  /// Documents written so far.
  public private(set) var documents = 0
  /// Tokens written so far, end-of-document tokens included.
  public private(set) var tokens = 0
  /// Bytes of text of the documents written so far.
  public private(set) var bytes = 0
  /// Documents without a token, which are left out.
  public private(set) var empty = 0

  private final class OpenShard {
    let bin: AtomicFile
    let index: AtomicFile
    let sidecar: StreamWriter
    var lengths: [Int32] = []
    var tokens = 0
    var pending: [UInt8] = []
    var lines: [UInt8] = []
    var lineCount = 0

    init(_ base: String) throws {
      bin = try AtomicFile(base + ".bin")
      index = try AtomicFile(base + ".idx")
      sidecar = try StreamWriter(base + ".docs.zst", kind: .documents, coding: .zstd(level: 3))
    }

    func flush() throws {
      try bin.write(pending)
      try sidecar.write(lines, records: lineCount)
      pending.removeAll(keepingCapacity: true)
      lines.removeAll(keepingCapacity: true)
      lineCount = 0
    }
  }

  /// Begins a dataset.
  /// - Parameters:
  ///   - folder: where it is to be.
  ///   - tokenizer: the tokenizer's fingerprint.
  ///   - vocabulary: the number of token ids.
  ///   - endOfDocument: the token that ends every document.
  ///   - shardTokens: a shard is closed when it has as many tokens.
  ///   - replacing: whether a dataset that is there may be replaced.
  public init(
    folder: String, tokenizer: String, vocabulary: Int, endOfDocument: Int, shardTokens: Int = 1 << 28, replacing: Bool = false
  ) throws {
    guard vocabulary > 0, vocabulary <= Int(Int32.max), endOfDocument >= 0, endOfDocument < vocabulary else {
      throw WeirError(folder, "the end-of-document token \(endOfDocument) is not in a vocabulary of \(vocabulary)", remedy: "check the tokenizer")
    }
    guard shardTokens > 0 else { throw WeirError("--shard-tokens", "must be positive") }
    self.folder = try AtomicFolder(folder, replacing: replacing)
    self.tokenizer = tokenizer
    self.vocabulary = vocabulary
    self.endOfDocument = endOfDocument
    self.shardTokens = shardTokens
    element = .of(vocabulary: vocabulary)
  }

  /// Appends a document and its end-of-document token; one without tokens is counted as `empty` and left out.
  /// - Throws: `WeirError` for a token outside of the vocabulary, and where the disk is full.
  public func append(_ document: TokenDocument) throws {
    guard !document.tokens.isEmpty else {
      empty += 1
      return
    }
    guard document.tokens.count < Int(Int32.max) else {
      throw WeirError(document.origin, "document \"\(document.id)\" has \(document.tokens.count) tokens, above 2^31 - 2", remedy: "split it")
    }
    if let token = document.tokens.first(where: { $0 >= UInt32(vocabulary) }) {
      throw WeirError(
        document.origin, "document \"\(document.id)\" has the token \(token), the vocabulary \(vocabulary)",
        remedy: "use the tokenizer that made the tokens")
    }
    let shard = try openShard()
    let length = document.tokens.count + 1
    if element == .uint16 {
      for token in document.tokens {
        shard.pending.append(UInt8(truncatingIfNeeded: token))
        shard.pending.append(UInt8(truncatingIfNeeded: token >> 8))
      }
      shard.pending.append(UInt8(truncatingIfNeeded: endOfDocument))
      shard.pending.append(UInt8(truncatingIfNeeded: endOfDocument >> 8))
    } else {
      document.tokens.withUnsafeBytes { shard.pending.append(contentsOf: $0) }
      withUnsafeBytes(of: UInt32(endOfDocument).littleEndian) { shard.pending.append(contentsOf: $0) }
    }
    shard.lengths.append(Int32(length))
    shard.tokens += length
    DocumentInfo(document).serialize(into: &shard.lines)
    shard.lineCount += 1
    documents += 1
    tokens += length
    bytes += document.bytes
    if shard.pending.count + shard.lines.count >= 1 << 20 { try shard.flush() }
    if shard.tokens >= shardTokens { try closeShard() }
  }

  private func openShard() throws -> OpenShard {
    if let shard { return shard }
    let opened = try OpenShard(folder.working + "/" + Self.shardName(shards))
    shards += 1
    shard = opened
    return opened
  }

  static func shardName(_ number: Int) -> String {
    let digits = String(number)
    return "shard-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  private func closeShard() throws {
    guard let shard else { return }
    try shard.flush()
    try shard.index.write(MegatronIndex(element: element, lengths: shard.lengths).encode())
    _ = try shard.bin.commit()
    _ = try shard.index.commit()
    try shard.sidecar.finish()
    self.shard = nil
  }

  /// Makes the dataset appear.
  /// - Parameters:
  ///   - tool: what wrote it, with its version.
  ///   - inputs: fingerprints of the inputs by role; the tokenizer's is added.
  ///   - configuration: what was asked for.
  /// - Returns: the manifest.
  /// - Throws: `WeirError` where there is not one document.
  public func commit(tool: String, inputs: [String: String] = [:], configuration: JSONValue = .object([:])) throws -> Manifest {
    try closeShard()
    guard documents > 0 else {
      discard()
      throw WeirError(folder.path, "no documents to write", remedy: "check the input and the filters before it")
    }
    var inputs = inputs
    inputs["tokenizer"] = tokenizer
    return try folder.commit(
      format: Self.format, tool: tool, inputs: inputs, configuration: configuration,
      counts: [
        "documents": documents, "tokens": tokens, "bytes": bytes, "empty": empty, "vocabulary": vocabulary,
        "end_of_document": endOfDocument, "shards": shards,
      ])
  }

  /// Removes what was written.
  public func discard() {
    shard = nil
    folder.discard()
  }
}
