import Loading
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens
import Training

extension FinetuneConfiguration {
  /// Text of the original domain that is mixed into the batches, so that the model forgets less.
  package struct Replay: Codable, Sendable, Equatable {
    /// A token dataset, or files of documents.
    package var data: [String] = []
    /// Instead of data, the number of context-free generations of the initial model; nil for none.
    package var generations: Int?
    /// The fraction of rows that are replayed, 0..<1.
    package var share = 0.01

    /// Whether anything is replayed.
    package var isUsed: Bool { !data.isEmpty || generations != nil }

    package init() {}

    func validate() throws {
      guard (0..<1).contains(share) else { throw WeirError("replayShare", "must be in 0..<1, not \(share)") }
      if let generations {
        guard data.isEmpty else { throw WeirError("replay", "cannot be combined with self-replay") }
        guard (1...10_000_000).contains(generations) else {
          throw WeirError("replay.generations", "must be in 1…10000000, not \(generations)")
        }
      }
    }
  }
}

/// The rows that finetuning replays, one per batch.
struct ReplayRows {
  let configuration: FinetuneConfiguration
  /// The initial model.
  let model: String
  let encoder: DocumentEncoder
  let ranks: RankGroup
  let threads: Int
  let progress: Progress

  /// Opens the source; nil if nothing is replayed.
  func open() throws -> (any BatchSource)? {
    let replay = configuration.replay
    if let count = replay.generations {
      let generations = try SelfReplay(
        model: model, count: count, sequence: configuration.settings.sequence, randomSeed: configuration.settings.randomSeed)
      let documents = try ranks.broadcast { try generations.documents(run: configuration.output, threads: threads, progress) }
      return try batches(documents, name: generations.name)
    }
    guard let first = replay.data.first else { return nil }
    if replay.data.count == 1, Files.isFolder(first), Files.exists(first + "/" + Manifest.fileName) { return try dataset(first) }
    var encoder = encoder, specials = PlainSpecials()
    let documents = try encoder.encode(files: replay.data)
    for document in documents { specials.add(document.plainSpecials) }
    specials.note(replay.data.joined(separator: " "), progress)
    let name = try replay.data.map { try Checksum.hex(file: $0) }.joined(separator: " ")
    guard documents.contains(where: { $0.tokens.count > 1 }) else {
      throw WeirError(replay.data.joined(separator: " "), "no document has two tokens, the fewest to train on")
    }
    return try batches(documents.map(\.ids), name: name)
  }

  private func dataset(_ path: String) throws -> PackedLoader {
    let dataset = try TokenDataset(path), settings = configuration.settings
    try ModelInitialization.folder(model).check(dataset: dataset, tokenizer: dataset.openTokenizer(), place: model)
    var loader = LoaderConfiguration(dataset: path)
    (loader.rows, loader.sequence, loader.randomSeed) = (1, settings.sequence, settings.randomSeed)
    // The first rank packs the rows, and the others find them.
    var first: PackedLoader?
    _ = try ranks.broadcast {
      first = try loader.loader(tokens: nil, progress: progress)
      return true
    }
    return try first ?? loader.loader(tokens: nil)
  }

  private func batches(_ documents: [[Int32]], name: String) throws -> DocumentBatches {
    let settings = configuration.settings
    return try DocumentBatches(
      documents: documents, name: name, rows: 1, sequence: settings.sequence, epochs: configuration.epochs,
      randomSeed: settings.randomSeed)
  }
}
