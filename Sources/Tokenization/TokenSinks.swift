import Documents
import Pipeline
import Primitives
import Storage
import Tokens

/// Where tokens go.
package enum TokenDestination: Sendable {
  /// A token dataset.
  case dataset(_ path: String, shardTokens: Int)
  /// A stream of token documents: to a file, or to standard output for `-`.
  case stream(_ path: String, plain: Bool)
}

/// How documents become tokens on their way to a `TokenDestination`: the one place where tokenizing and writing meet.
package struct TokenizingSink {
  private let tokenizer: Tokenizer
  private let tokenizerFile: [UInt8]
  private let endOfDocument: Int
  private let allowsSpecials: Bool
  private let addsTemplate: Bool

  /// - Parameters:
  ///   - path: the tokenizer's folder, or its tokenizer.json.
  ///   - allowsSpecials: whether special tokens in a text become their ids.
  ///   - addsTemplate: whether to add the tokenizer's template to each text.
  /// - Throws: `WeirError` where the tokenizer cannot do that.
  package init(tokenizer path: String, allowsSpecials: Bool = false, addsTemplate: Bool = false) throws {
    tokenizerFile = try Files.readWhole(Files.isFolder(path) ? path + "/" + StoredTokenizer.fileName : path)
    tokenizer = try Tokenizer(folder: path)
    if addsTemplate, tokenizer.template.isEmpty {
      throw WeirError("--add-special", "tokenizer.json has no post_processor that adds a token", remedy: "leave --add-special out")
    }
    guard let end = tokenizer.endOfDocument else {
      throw WeirError(
        "--tokenizer", "has no \(Tokenizer.endOfDocumentName) token", remedy: "train it with --special '\(Tokenizer.endOfDocumentName)'")
    }
    endOfDocument = Int(end)
    self.allowsSpecials = allowsSpecials
    self.addsTemplate = addsTemplate
  }

  /// Opens the destination. A dataset resumes after the last complete shard of an interrupted run of the same job, and then `source` starts
  /// where that run stopped.
  /// - Parameters:
  ///   - job: everything that the documents depend on; nil where a run cannot be resumed.
  ///   - threads: threads that compress.
  ///   - tool: the program and its version, for the manifest.
  package func open(
    _ destination: TokenDestination, source: DocumentSource, job: JSONValue?, threads: Int, tool: String, progress: Progress
  ) throws -> any Sink<[Document]> {
    let tokenize = TokenizeDocuments(tokenizer, allowsSpecials: allowsSpecials, addsTemplate: addsTemplate)
    switch destination {
    case .dataset(let path, let shardTokens):
      let job = job.map { job -> JSONValue in
        ["chain": job, "allow_special": .bool(allowsSpecials), "add_special": .bool(addsTemplate)]
      }
      let writer = try TokenDatasetWriter(
        path, tokenizer: tokenizer.fingerprint, tokenizerFile: tokenizerFile, vocabulary: tokenizer.vocabularySize,
        endOfDocument: endOfDocument, shardTokens: shardTokens, job: job)
      if let resumption = writer.resumption {
        do { try source.start(at: resumption.position) } catch {
          writer.discard()
          throw error
        }
        progress.note("resuming after \(resumption.shards) complete shard\(resumption.shards == 1 ? "" : "s") of an interrupted run")
      }
      return TokenDatasetSink(writer, positions: job == nil ? nil : source.trackBlocks(), tool: tool).after(tokenize)
    case .stream(let path, let plain):
      let header = TokenStreamHeader(
        tokenizer: tokenizer.fingerprint, vocabulary: tokenizer.vocabularySize, endOfDocument: endOfDocument,
        tokenizerFile: tokenizerFile)
      return try TokenStreamWriter(path: path, header: header, plain: plain, threads: threads).after(tokenize)
    }
  }
}

/// Writes token documents into a dataset.
package struct TokenDatasetSink: Sink {
  package typealias Input = [TokenDocument]
  package typealias Output = [TokenDocument]
  private let writer: TokenDatasetWriter
  private let positions: BlockPositions?
  private let tool: String

  /// - Parameters:
  ///   - positions: where the blocks begin that the documents come from, for a run that can be resumed.
  ///   - tool: the program and its version, for the manifest.
  package init(_ writer: TokenDatasetWriter, positions: BlockPositions? = nil, tool: String) {
    self.writer = writer
    self.positions = positions
    self.tool = tool
  }

  package var resumedAccounts: [Account] { writer.resumption?.accounts ?? [] }

  package func write(_ batch: [TokenDocument], accounts: [Account]) throws {
    if let positions { writer.beginBlock(positions.pop(), accounts: accounts) }
    try writer.append(batch)
  }

  package func commit() throws -> [Account] {
    _ = try writer.commit(tool: tool)
    return [writer.account]
  }

  package func discard() { writer.discard() }
}

extension TokenStreamWriter: Sink {
  package typealias Input = [TokenDocument]
  package typealias Output = [TokenDocument]

  package func write(_ batch: [TokenDocument], accounts: [Account]) throws { try append(batch) }

  package func commit() throws -> [Account] {
    try finish()
    return []
  }
}

extension TokenStreamReader: Source {
  package typealias Input = [TokenDocument]
  package typealias Output = [TokenDocument]

  package func next() throws -> [TokenDocument]? { try next(tokens: 1 << 18) }
}
