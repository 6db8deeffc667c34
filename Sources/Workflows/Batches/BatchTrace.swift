import Loading
import Primitives
import Storage
import Tokens
import Training

/// A segment of a training batch with the document that it comes from.
package struct TracedSegment: Codable, Sendable, Equatable {
  package var step: Int
  package var row: Int
  /// The row's position in the run.
  package var position: Int
  /// The first position in the row.
  package var start: Int
  /// Positions in the row.
  package var count: Int
  /// The dataset, where there are several.
  package var dataset: String?
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
  /// The datasets that the loader reads.
  private let datasets: [TokenDataset]
  /// Steps of the run; nil if it is not known.
  package let steps: Int?

  package init(loader: PackedLoader, steps: Int? = nil) throws {
    self.loader = loader
    self.steps = steps
    datasets = try loader.sources.map { try TokenDataset($0.tokens.path) }
  }

  /// The batches of a run.
  /// - Throws: `WeirError` if the run was not trained on this dataset.
  package init(run folder: String, dataset: String) throws {
    let run = RunFolder(folder), batches = try TrainingRun.batches(run: folder)
    guard Files.exists(run.order) else {
      throw WeirError(
        run.path, "has no order.json: it was trained on documents, or by an earlier version whose order of rows this one does not have",
        remedy: "trace it with the version that trained it")
    }
    let loader = try PackedLoader(order: run.order, rows: batches.rows)
    let fingerprint = try TokenReader(dataset).fingerprint
    guard loader.sources.contains(where: { $0.tokens.fingerprint == fingerprint || $0.tokens.path.hasPrefix(dataset + "/") }) else {
      throw WeirError(
        folder, "was trained on other data than \(dataset)",
        remedy: "give the dataset of the run: \(loader.sources.map(\.tokens.path).joined(separator: ", "))")
    }
    try self.init(loader: loader, steps: TrainingRun.rowsRead(of: folder, checkpoint: nil) / loader.rows)
  }

  /// The segments of a step, by row and position.
  /// - Throws: `WeirError` if the run has fewer steps.
  package func segments(step: Int) throws -> [TracedSegment] {
    guard step < steps ?? .max else { throw WeirError("step", "must be in 0..<\(steps ?? 0), the steps of the run, not \(step)") }
    return try traced(loader.batch(step: step).segments, step: step)
  }

  private func traced(_ segments: [Batch.Segment], step: Int) throws -> [TracedSegment] {
    let infos = try datasets.enumerated().map { number, dataset in
      try dataset.infos(Set(segments.filter { $0.dataset == number }.map(\.document)))
    }
    return segments.sorted { ($0.row, $0.start) < ($1.row, $1.start) }.compactMap { segment in
      infos[segment.dataset][segment.document].map { info in
        TracedSegment(
          step: step, row: segment.row, position: loader.position(step: step) + segment.row, start: segment.start, count: segment.count,
          dataset: datasets.count > 1 ? datasets[segment.dataset].path : nil, document: segment.document, offset: segment.offset,
          id: info.id, origin: info.origin, source: info.source)
      }
    }
  }

  /// The segments of the documents with an id, wherever they occur in some steps, by position. O(segments of the packed rows).
  /// - Throws: `WeirError` if there is no such document.
  package func segments(id: String, steps range: Range<Int>) throws -> [TracedSegment] {
    var rows: [(position: Int, documents: Set<Int>, dataset: Int)] = []
    var isKnown = false
    let end = loader.position(step: range.upperBound)
    for (number, dataset) in datasets.enumerated() {
      var documents: Set<Int> = []
      try dataset.forEachInfo { document, info in
        if info.id == id { documents.insert(document) }
        return true
      }
      isKnown = isKnown || !documents.isEmpty
      for document in documents.sorted() {
        for row in try loader.sources[number].rows(of: document) {
          for position in loader.order.positions(source: number, number: row, before: end) { rows.append((position, documents, number)) }
        }
      }
    }
    guard isKnown else {
      throw WeirError(datasets.map(\.path).joined(separator: ", "), "no document has the id \(Format.clip(id, 100))")
    }
    let first = loader.position(step: 0)
    var result: [TracedSegment] = []
    for position in Set(rows.map(\.position)).sorted() where position >= loader.position(step: range.lowerBound) {
      let step = (position - first) / loader.rows, row = (position - first) % loader.rows
      let wanted = rows.filter { $0.position == position }
      let segments = try loader.batch(positions: CollectionOfOne(position)).segments.filter { segment in
        wanted.contains { $0.dataset == segment.dataset && $0.documents.contains(segment.document) }
      }
      result += try traced(
        segments.map { segment in
          var segment = segment
          segment.row = row
          return segment
        }, step: step)
    }
    return result
  }
}
