import Documents
import Pipeline
import Primitives
import Storage

/// Writes a token dataset, which appears under its name when `commit` has written the manifest.
///
/// With a `job`, the writer resumes: it keeps the shards that an earlier run of the same job completed, `resumption` says where the input has to
/// continue, and documents from there that are in shards already are skipped.
package final class TokenDatasetWriter {
  private let folder: AtomicFolder
  /// Paths in the folder while it is being written.
  private var paths: DatasetFolder { DatasetFolder(folder.working) }
  private let vocabulary: Int
  private let endOfDocument: Int
  private let tokenizer: String
  private let tokenBytes: Int
  private let shardTokens: Int
  private var tokens: AtomicFile?
  private var documents: AtomicFile?
  /// Files of complete shards.
  private var written: [FileRecord] = []
  private var lengths: [Int32] = []
  /// Bytes that are not in the files yet.
  private var tokenBuffer: [UInt8] = []
  private var lineBuffer: [UInt8] = []
  private static let bufferBytes = 1 << 20
  private var inShard = 0
  /// Sums over all shards, including the one being written.
  struct Totals: Codable, Sendable, Equatable {
    var documents = 0
    var tokens = 0
    var bytes = 0
    var shards = 0
  }
  private var totals = Totals()

  /// Where an interrupted run resumes.
  package struct Resumption: Sendable {
    /// Shards that are kept.
    package var shards: Int
    /// Where the input has to continue.
    package var position: DocumentSource.Position
    /// The accounts of the stages before that position.
    package var accounts: [Account]
  }
  /// Nil if the input starts at its beginning.
  package private(set) var resumption: Resumption?
  private let journal: DatasetJournal
  private let journals: Bool
  /// Documents still to come that are in shards already.
  private var passing = 0
  /// The input block of the next document, and the documents seen in it.
  private var block = (position: DocumentSource.Position(file: 0, byte: 0, line: 1), accounts: [Account](), documents: 0)
  /// Documents in and out; documents without tokens are dropped.
  package private(set) var account = Account(stage: "shard")

  /// - Parameters:
  ///   - tokenizer: the tokenizer's fingerprint.
  ///   - tokenizerFile: the tokenizer.json, which is copied into the dataset; empty if unknown.
  ///   - vocabulary: ids are below it.
  ///   - endOfDocument: the token added to each document.
  ///   - shardTokens: the number of tokens after which a new shard starts.
  ///   - job: everything that the documents depend on, to resume an interrupted run; nil to start over.
  package init(
    _ path: String, tokenizer: String, tokenizerFile: [UInt8], vocabulary: Int, endOfDocument: Int, shardTokens: Int = 1 << 28,
    job: JSONValue? = nil
  ) throws {
    guard vocabulary > 0, vocabulary <= Int(Int32.max), (0..<vocabulary).contains(endOfDocument) else {
      throw WeirError(path, "the end-of-document token \(endOfDocument) is outside the vocabulary of \(vocabulary)")
    }
    guard shardTokens > 0 else { throw WeirError("--shard-tokens", "must be at least 1") }
    journal = try DatasetJournal(dataset: path)
    folder = try AtomicFolder(path, replacing: true, resuming: job != nil)
    journals = job != nil
    self.tokenizer = tokenizer
    self.vocabulary = vocabulary
    self.endOfDocument = endOfDocument
    self.shardTokens = shardTokens
    tokenBytes = MegatronIndex.tokenBytes(vocabulary: vocabulary)
    if let job {
      let whole: JSONValue = [
        "job": job, "tokenizer": .string(tokenizer), "tokenizer_file": .string(Checksum.hex(Checksum.xxh3(tokenizerFile))),
        "vocabulary": .number(Double(vocabulary)), "end_of_document": .number(Double(endOfDocument)),
        "shard_tokens": .number(Double(shardTokens)),
      ]
      try resume(whole)
    } else {
      try journal.remove()
    }
    if !tokenizerFile.isEmpty {
      try Files.createFolder(paths.tokenizer)
      try Files.write(tokenizerFile, to: paths.tokenizerFile)
    }
  }

  /// Keeps the complete shards of an earlier run, and removes its other files.
  private func resume(_ job: JSONValue) throws {
    if folder.isResumed { try Files.removeLinks(below: folder.working) }
    let shards = folder.isResumed ? try journal.shards(of: job, in: folder.working) ?? [] : []
    let kept = Set(shards.flatMap { $0.files.map(\.name) })
    for name in try Files.walk(folder.working) where !kept.contains(name) { try Files.remove(folder.working + "/" + name) }
    try journal.begin(job, shards: shards)
    guard let last = shards.last else { return }
    written = shards.flatMap(\.files)
    folder.keepsPartial = true
    (totals, account, passing) = (last.totals, last.account, last.documents)
    resumption = Resumption(shards: shards.count, position: last.position, accounts: last.accounts)
  }

  /// Sets the input block of the documents that follow.
  /// - Parameters:
  ///   - position: the start of the block.
  ///   - accounts: the accounts of the stages before the block.
  package func beginBlock(_ position: DocumentSource.Position, accounts: [Account]) { block = (position, accounts, 0) }

  /// Appends documents, in order.
  package func append(_ batch: [TokenDocument]) throws {
    for document in batch {
      if passing > 0 { passing -= 1 } else { try append(document) }
      block.documents += 1
    }
  }

  private func append(_ document: TokenDocument) throws {
    if inShard >= shardTokens { try finishShard() }
    account.input += 1
    account.bytesIn += document.bytes
    guard !document.tokens.isEmpty else {
      account.drop("no_tokens")
      return
    }
    guard document.tokens.count < Int(Int32.max) else {
      throw WeirError(
        document.origin, "has \(document.tokens.count) tokens, more than a Megatron index can count", remedy: "split the document")
    }
    if tokens == nil {
      let shard = paths.shard(totals.shards)
      tokens = try AtomicFile(shard.tokens, hashesBlocks: true)
      documents = try AtomicFile(shard.documents, hashesBlocks: true)
    }
    // The maximum needs no branch per token; the first wrong id is searched for only if there is one.
    if document.tokens.reduce(0, { max($0, $1) }) >= UInt32(vocabulary), let id = document.tokens.first(where: { $0 >= UInt32(vocabulary) })
    {
      throw WeirError(
        document.origin, "token \(id) is outside the vocabulary of \(vocabulary)", remedy: "tokenize and shard with the same tokenizer")
    }
    let count = document.tokens.count + 1
    if tokenBytes == 2 { put(document.tokens, as: UInt16.self) } else { put(document.tokens, as: UInt32.self) }
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

  /// Appends a document's tokens and the end-of-document token to the buffer, little-endian.
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
    let index = try AtomicFile(paths.shard(totals.shards).index, hashesBlocks: true)
    try index.write(MegatronIndex.encode(lengths: lengths, tokenBytes: tokenBytes))
    let files = [try tokens.commit(), try documents.commit(), try index.commit()]
    written += files
    self.tokens = nil
    self.documents = nil
    lengths = []
    inShard = 0
    totals.shards += 1
    guard journals else { return }
    try journal.append(
      DatasetJournal.Shard(
        files: files, position: block.position, documents: block.documents, accounts: block.accounts, totals: totals, account: account))
    folder.keepsPartial = true
  }

  /// Completes the dataset.
  /// - Throws: `WeirError` if there is no document; an empty dataset would be useless.
  package func commit(tool: String) throws -> Manifest {
    guard passing == 0 else {
      throw WeirError(folder.path, "the input ends \(passing) documents before those of an earlier run", remedy: "remove \(folder.working)")
    }
    try finishShard()
    guard totals.documents > 0 else {
      discard()
      throw WeirError(folder.path, "no document has a token", remedy: "check the accounts of the stages before it")
    }
    account.extra = ["tokens": Double(totals.tokens), "shards": Double(totals.shards)]
    let manifest = try folder.commit(
      format: TokenDataset.format, tool: tool, inputs: ["tokenizer": tokenizer],
      configuration: .object(["shard_tokens": .number(Double(shardTokens))]),
      counts: [
        "documents": totals.documents, "tokens": totals.tokens, "bytes": totals.bytes, "shards": totals.shards, "vocabulary": vocabulary,
        "end_of_document": endOfDocument,
      ], known: written, blocks: true)
    try journal.remove()
    return manifest
  }

  /// Removes what was written, except complete shards from which the next run of the same job can resume.
  package func discard() {
    tokens?.discard()
    documents?.discard()
    folder.discard()
    if !folder.keepsPartial { try? journal.remove() }
  }
}
