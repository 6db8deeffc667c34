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
    var bytes: [UInt8] = []
    bytes.reserveCapacity((document.tokens.count + 1) * tokenBytes)
    for id in document.tokens + [UInt32(endOfDocument)] {
      guard id < UInt32(vocabulary) else {
        throw WeirError(
          document.origin, "token \(id) is outside the vocabulary of \(vocabulary)", remedy: "tokenize and shard with the same tokenizer")
      }
      bytes.append(UInt8(truncatingIfNeeded: id))
      bytes.append(UInt8(truncatingIfNeeded: id >> 8))
      if tokenBytes == 4 {
        bytes.append(UInt8(truncatingIfNeeded: id >> 16))
        bytes.append(UInt8(truncatingIfNeeded: id >> 24))
      }
    }
    try tokens?.write(bytes)
    try documents?.write(TokenDataset.line(document))
    lengths.append(Int32(document.tokens.count + 1))
    inShard += document.tokens.count + 1
    totals.documents += 1
    totals.tokens += document.tokens.count + 1
    totals.bytes += document.bytes
    account.output += 1
    account.bytesOut += bytes.count
  }

  private func finishShard() throws {
    guard let tokens, let documents else { return }
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
