import Documents
import Pipeline
import Primitives
import Storage

/// Writes a token dataset; it appears under its name when `commit` has put the manifest, and not before.
///
/// With a `job` it is resumable: shards that an earlier run of the same job left whole are kept, `resumption` says where the input is to go on,
/// and what comes from there is passed over as far as it is in shards.
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
  /// Files of shards that are whole.
  private var written: [FileRecord] = []
  private var lengths: [Int32] = []
  /// What is not yet in the files.
  private var tokenBuffer: [UInt8] = []
  private var lineBuffer: [UInt8] = []
  private static let bufferBytes = 1 << 20
  private var inShard = 0
  /// What is in the shards, the one being written included.
  struct Totals: Codable, Sendable, Equatable {
    var documents = 0
    var tokens = 0
    var bytes = 0
    var shards = 0
  }
  private var totals = Totals()

  /// Where a run goes on that was stopped or killed.
  package struct Resumption: Sendable {
    /// Shards that are kept.
    package var shards: Int
    /// Where the input is to go on.
    package var position: DocumentSource.Position
    /// The accounts of the stages up to there.
    package var accounts: [Account]
  }
  /// Where the input is to go on; nil: at its beginning.
  package private(set) var resumption: Resumption?
  private let journal: DatasetJournal
  private let journals: Bool
  /// Documents to come that are in shards already.
  private var passing = 0
  /// The block that documents come from, and how many of it came.
  private var block = (position: DocumentSource.Position(file: 0, byte: 0, line: 1), accounts: [Account](), documents: 0)
  /// What the writer did: documents in and out, those without tokens dropped.
  package private(set) var account = Account(stage: "shard")

  /// Begins a dataset.
  /// - Parameters:
  ///   - path: where it is to be.
  ///   - tokenizer: the tokenizer's fingerprint.
  ///   - tokenizerFile: its tokenizer.json, copied into the dataset; empty where it is not known.
  ///   - vocabulary: ids are below it.
  ///   - endOfDocument: put after each document.
  ///   - shardTokens: tokens after which a new shard begins.
  ///   - job: all that the documents depend on, where a run that was stopped or killed is to be gone on with.
  package init(
    _ path: String, tokenizer: String, tokenizerFile: [UInt8], vocabulary: Int, endOfDocument: Int, shardTokens: Int = 1 << 28,
    job: JSONValue? = nil
  ) throws {
    guard vocabulary > 0, vocabulary <= Int(Int32.max), (0..<vocabulary).contains(endOfDocument) else {
      throw WeirError(path, "an end-of-document token \(endOfDocument) outside the vocabulary of \(vocabulary)")
    }
    guard shardTokens > 0 else { throw WeirError("--shard-tokens", "must be at least 1") }
    folder = try AtomicFolder(path, replacing: true, resuming: job != nil)
    journal = DatasetJournal(dataset: folder.path)
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

  /// Takes over the shards that are whole, and removes what else an earlier run left.
  private func resume(_ job: JSONValue) throws {
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

  /// Says where the documents that come next begin, before the first of them.
  /// - Parameters:
  ///   - position: of the block that they are from.
  ///   - accounts: of the stages, without the block.
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
        document.origin, "a document of \(document.tokens.count) tokens, more than Megatron's index can name", remedy: "split it")
    }
    if tokens == nil {
      let shard = paths.shard(totals.shards)
      tokens = try AtomicFile(shard.tokens)
      documents = try AtomicFile(shard.documents)
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
    let index = try AtomicFile(paths.shard(totals.shards).index)
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

  /// Makes the dataset appear.
  /// - Throws: where there is no document: an empty dataset is of no use to anyone.
  package func commit(tool: String) throws -> Manifest {
    guard passing == 0 else {
      throw WeirError(folder.path, "the input ends \(passing) documents before those of an earlier run", remedy: "remove \(folder.working)")
    }
    try finishShard()
    guard totals.documents > 0 else {
      discard()
      throw WeirError(folder.path, "no document has a token", remedy: "look at the account of the stages before it")
    }
    account.extra = ["tokens": Double(totals.tokens), "shards": Double(totals.shards)]
    let manifest = try folder.commit(
      format: TokenDataset.format, tool: tool, inputs: ["tokenizer": tokenizer],
      configuration: .object(["shard_tokens": .number(Double(shardTokens))]),
      counts: [
        "documents": totals.documents, "tokens": totals.tokens, "bytes": totals.bytes, "shards": totals.shards, "vocabulary": vocabulary,
        "end_of_document": endOfDocument,
      ], known: written)
    try journal.remove()
    return manifest
  }

  /// Removes what was written, but for whole shards that the next run of the same job can go on from.
  package func discard() {
    tokens?.discard()
    documents?.discard()
    folder.discard()
    if !folder.keepsPartial { try? journal.remove() }
  }
}
