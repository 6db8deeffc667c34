import Documents
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens

/// Turns documents of a dataset back into text, with their metadata and with what a tree and a mixture say about them.
///
/// The text is decoded from the tokens: where the tokenizer normalizes text, it is the normalized one. Tokens that the tokenizer's template adds
/// around a text are removed.
package struct DecodeDocuments: Stage {
  package let name: String? = "export"

  /// In the account, the number of documents whose text has not as many bytes as the original: the tokenizer has changed it.
  package static let changed = "texts changed by the tokenizer"

  private let infos: DocumentInfoReader
  private let annotations: DocumentAnnotations
  private let workers: WorkerPool<DetokenizeWorker>

  /// - Throws: `WeirError` where the dataset has no tokenizer, or another one than its tokens were made with.
  package init(_ infos: DocumentInfoReader, annotations: DocumentAnnotations) throws {
    self.infos = infos
    self.annotations = annotations
    let dataset = infos.dataset
    guard Files.exists(dataset.folder.tokenizerFile) else {
      throw WeirError(
        dataset.path, "contains no tokenizer, so its tokens cannot be turned into text",
        remedy: "tokenize again with `weir tokenize --shards`, or export tokens")
    }
    let tokenizer = try Tokenizer(folder: dataset.folder.tokenizer)
    guard tokenizer.fingerprint == dataset.tokenizer else {
      throw WeirError(dataset.folder.tokenizer, "is not the tokenizer of the dataset's tokens", remedy: "tokenize again")
    }
    workers = DetokenizeDocuments(tokenizer, removesTemplate: true).workers
  }

  package func apply(_ batch: [Int], tally: inout Tally) throws -> [Document] {
    var worker = try workers.take()
    var documents: [Document] = []
    documents.reserveCapacity(batch.count)
    for number in batch {
      let info = try infos.info(number), length = infos.dataset.length(number)
      let tokens = try infos.dataset.tokens(document: number, range: 0..<length - 1)
      let decision = worker.decide(
        TokenDocument(
          id: info.id, source: info.source, origin: info.origin, members: info.members, bytes: info.bytes,
          tokens: tokens.map { UInt32(bitPattern: $0) }))
      guard case .keep(var document) = decision else {
        throw WeirError(
          "\(infos.dataset.path), document \(number)", "its tokens are not text", remedy: "check the dataset with `weir verify`")
      }
      if document.text.count != info.bytes { tally.account.extra[Self.changed, default: 0] += 1 }
      annotations.add(to: &document, number: number)
      documents.append(document)
    }
    tally.account.extra.merge(worker.takeCounts(), uniquingKeysWith: +)
    workers.giveBack(worker, after: 0)
    tally.keep(documents)
    return documents
  }

  /// The columns that the documents of a queue need in Parquet.
  package func schema(_ queue: DocumentQueue, progress: Progress) throws -> ParquetSchema {
    var schema = ParquetSchema()
    for place in 0..<queue.count {
      if place % 1_024 == 0 { try progress.checkStop() }
      let info = try infos.info(queue[place])
      var document = Document(id: info.id, text: [], source: info.source, members: info.members, origin: info.origin)
      annotations.add(to: &document, number: queue[place])
      try schema.add(document, bytes: info.bytes)
    }
    return schema
  }
}
