import Loading
import Primitives
import Tokens
import Training

/// A segment of a training batch with the document that it comes from.
package struct TracedSegment: Codable, Sendable, Equatable {
  package var step: Int
  package var row: Int
  /// The first position in the row.
  package var start: Int
  /// Positions in the row.
  package var count: Int
  /// The number of the document in the dataset.
  package var document: Int
  /// The first token in the document.
  package var offset: Int
  package var id: String
  package var origin: String
  package var source: String?
}

/// The batches of a run, or of a mixture with a random seed and a batch shape.
package struct BatchTrace: Sendable {
  private let loader: PackedLoader

  package init(loader: PackedLoader) { self.loader = loader }

  /// - Throws: `WeirError` if the run was not trained on this dataset and mixture.
  package init(run folder: String, dataset: TokenDataset, mixture: String?) throws {
    let run = try TrainingRun.batches(run: folder)
    loader = try PackedLoader(dataset: dataset, mixture: mixture, randomSeed: run.randomSeed, rows: run.rows, sequence: run.sequence)
    guard loader.fingerprint == run.data else {
      throw WeirError(
        folder, "was trained on other data (\(run.data)) than these (\(loader.fingerprint))",
        remedy: "give the dataset and the mixture of the run")
    }
  }

  /// The segments of a step, by row and position.
  package func segments(step: Int) throws -> [TracedSegment] {
    let segments = try loader.batch(step: step).segments
    let infos = try loader.dataset.infos(Set(segments.map(\.document)))
    return segments.sorted { ($0.row, $0.start) < ($1.row, $1.start) }.compactMap { segment in
      infos[segment.document].map { info in
        TracedSegment(
          step: step, row: segment.row, start: segment.start, count: segment.count, document: segment.document, offset: segment.offset,
          id: info.id, origin: info.origin, source: info.source)
      }
    }
  }
}
