import Pipeline
import Primitives
import Storage

/// Writes a token dataset; it appears under its name when `commit` has put the manifest, and not before.
public final class TokenDatasetWriter {
  private let folder: AtomicFolder
  private let vocabulary: Int
  private let endOfDocument: Int
  private let tokenizer: String
  private let tokenBytes: Int
  private let shardTokens: Int
  private var tokens: AtomicFile?
  private var documents: AtomicFile?
  private var lengths: [Int32] = []
  /// What is not yet in the files.
  private var tokenBuffer: [UInt8] = []
  private var lineBuffer: [UInt8] = []
  private static let bufferBytes = 1 << 20
  private var inShard = 0
  private var shards = 0
  private var totals = (documents: 0, tokens: 0, bytes: 0)
  /// What the writer did: documents in and out, those without tokens dropped.
  public private(set) var account = Account(stage: "shard")

  /// Begins a dataset.
  /// - Parameters:
  ///   - path: where it is to be.
  ///   - tokenizer: the tokenizer's fingerprint.
  ///   - tokenizerFile: its tokenizer.json, copied into the dataset; empty where it is not known.
  ///   - vocabulary: ids are below it.
  ///   - endOfDocument: put after each document.
  ///   - shardTokens: tokens after which a new shard begins.
  public init(
    _ path: String, tokenizer: String, tokenizerFile: [UInt8], vocabulary: Int, endOfDocument: Int, shardTokens: Int = 1 << 28
  ) throws {
    guard vocabulary > 0, vocabulary <= Int(Int32.max), (0..<vocabulary).contains(endOfDocument) else {
      throw WeirError(path, "an end-of-document token \(endOfDocument) outside the vocabulary of \(vocabulary)")
    }
    guard shardTokens > 0 else { throw WeirError("--shard-tokens", "must be at least 1") }
    folder = try AtomicFolder(path, replacing: true)
    self.tokenizer = tokenizer
    self.vocabulary = vocabulary
    self.endOfDocument = endOfDocument
    self.shardTokens = shardTokens
    tokenBytes = MegatronIndex.tokenBytes(vocabulary: vocabulary)
    if !tokenizerFile.isEmpty {
      try Files.createFolder(folder.working + "/tokenizer")
      try Files.write(tokenizerFile, to: folder.working + "/tokenizer/tokenizer.json")
    }
  }

  /// Appends documents, in order.
  public func append(_ batch: [TokenDocument]) throws {
    for document in batch { try append(document) }
  }

  private func append(_ document: TokenDocument) throws {
    account.input += 1
    account.bytesIn += document.bytes
    guard !document.tokens.isEmpty else {
      account.drop("no_tokens")
      return
    }
    guard document.tokens.count < Int(Int32.max) else {
      throw WeirError(
        document.origin, "a document of \(document.tokens.count) tokens, more than Megatron's index can name", remedy: "split it")
    }
    if inShard >= shardTokens { try finishShard() }
    if tokens == nil {
      let base = folder.working + "/" + TokenDataset.shardName(shards)
      tokens = try AtomicFile(base + ".bin")
      documents = try AtomicFile(base + ".docs.jsonl")
    }
    // One look at all ids, which needs no branch a token; the first wrong one is looked for only where there is one.
    if document.tokens.reduce(0, { max($0, $1) }) >= UInt32(vocabulary), let id = document.tokens.first(where: { $0 >= UInt32(vocabulary) })
    {
      throw WeirError(
        document.origin, "token \(id) is outside the vocabulary of \(vocabulary)", remedy: "tokenize and shard with the same tokenizer")
    }
    let count = document.tokens.count + 1
    if tokenBytes == 2 {
      put(document.tokens, as: UInt16.self)
    } else {
      put(document.tokens, as: UInt32.self)
    }
    TokenDataset.append(line: document, to: &lineBuffer)
    if tokenBuffer.count >= Self.bufferBytes || lineBuffer.count >= Self.bufferBytes { try flush() }
    lengths.append(Int32(count))
    inShard += count
    totals.documents += 1
    totals.tokens += count
    totals.bytes += document.bytes
    account.output += 1
    account.bytesOut += count * tokenBytes
  }

  /// Puts a document's tokens and the end of document into the buffer, little-endian.
  private func put<T: FixedWidthInteger>(_ ids: [UInt32], as _: T.Type) {
    let end = T(truncatingIfNeeded: endOfDocument).littleEndian
    withUnsafeTemporaryAllocation(of: T.self, capacity: ids.count + 1) { narrow in
      ids.withUnsafeBufferPointer { ids in
        for index in 0..<ids.count { narrow[index] = T(truncatingIfNeeded: ids[index]).littleEndian }
      }
      narrow[ids.count] = end
      tokenBuffer.append(contentsOf: UnsafeRawBufferPointer(narrow))
    }
  }

  private func flush() throws {
    try tokens?.write(tokenBuffer)
    try documents?.write(lineBuffer)
    tokenBuffer.removeAll(keepingCapacity: true)
    lineBuffer.removeAll(keepingCapacity: true)
  }

  private func finishShard() throws {
    guard let tokens, let documents else { return }
    try flush()
    _ = try tokens.commit()
    _ = try documents.commit()
    let index = MegatronIndex.encode(lengths: lengths, tokenBytes: tokenBytes)
    try Files.write(index, to: folder.working + "/" + TokenDataset.shardName(shards) + ".idx")
    self.tokens = nil
    self.documents = nil
    lengths = []
    inShard = 0
    shards += 1
  }

  /// Makes the dataset appear.
  /// - Throws: where there is no document: an empty dataset is of no use to anyone.
  public func commit(tool: String) throws -> Manifest {
    try finishShard()
    guard totals.documents > 0 else {
      discard()
      throw WeirError(folder.path, "no document has a token", remedy: "look at the account of the stages before it")
    }
    account.extra = ["tokens": Double(totals.tokens), "shards": Double(shards)]
    return try folder.commit(
      format: TokenDataset.format, tool: tool, inputs: ["tokenizer": tokenizer],
      configuration: .object(["shard_tokens": .number(Double(shardTokens))]),
      counts: [
        "documents": totals.documents, "tokens": totals.tokens, "bytes": totals.bytes, "shards": shards, "vocabulary": vocabulary,
        "end_of_document": endOfDocument,
      ])
  }

  /// Removes what was written.
  public func discard() {
    tokens?.discard()
    documents?.discard()
    folder.discard()
  }
}
