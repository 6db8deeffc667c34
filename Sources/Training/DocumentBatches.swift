import Primitives
import Tokens

/// Batches of a small set of examples in memory, for a number of epochs, each in a new random order; optionally mixed with a fixed
/// fraction of rows from another source (replay).
///
/// Documents are divided into segments of at most `sequence` tokens, while an example with a prompt is one segment. Segments are packed into
/// rows in the order of the epoch. No row spans two epochs.
package struct DocumentBatches: BatchSource {
  private struct Segment: Sendable { var document: Int32, offset: Int32, count: Int32 }

  /// Rows per batch.
  package let rows: Int
  /// Tokens per row.
  package let sequence: Int
  /// Identifies the documents, the packing and the replay source.
  package let fingerprint: String
  /// Steps in all epochs together.
  package let steps: Int
  /// The rows of the examples in all epochs together.
  package var rowCount: Int { packed.count }
  /// Tokens of all epochs together, without padding.
  package let tokens: Int
  /// Positions of all epochs together that have a target.
  package let targets: Int
  /// Padding of all epochs together, in tokens.
  package var padding: Int { packed.count * sequence - tokens }
  private let examples: [TrainingExample]
  private let packed: [[Segment]]
  private let replay: (any BatchSource)?
  private let replayShare: Double

  /// Batches of documents, all of whose tokens are trained on.
  package init(
    documents: [[Int32]], name: String, rows: Int, sequence: Int, epochs: Int, randomSeed: UInt64,
    replay: (any BatchSource)? = nil, replayShare: Double = 0
  ) throws {
    try self.init(
      examples: documents.map { TrainingExample(document: $0) }, name: name, rows: rows, sequence: sequence, epochs: epochs,
      randomSeed: randomSeed, replay: replay, replayShare: replayShare)
  }

  /// - Parameters:
  ///   - examples: those without a target are ignored. None with a prompt may be longer than `sequence`.
  ///   - name: identifies the examples in the fingerprint and in errors.
  ///   - rows: rows per batch.
  ///   - sequence: tokens per row.
  ///   - epochs: passes over the documents.
  ///   - randomSeed: determines the order of every epoch.
  ///   - replay: a source of single rows, which are taken in order.
  ///   - replayShare: the fraction of rows that come from `replay`, 0..<1.
  package init(
    examples: [TrainingExample], name: String, rows: Int, sequence: Int, epochs: Int, randomSeed: UInt64,
    replay: (any BatchSource)? = nil, replayShare: Double = 0
  ) throws {
    guard rows > 0 else { throw WeirError("rows", "must be at least 1, not \(rows)") }
    guard sequence > 1 else { throw WeirError("sequence", "must be at least 2, not \(sequence)") }
    guard (1...100_000).contains(epochs) else { throw WeirError("epochs", "must be in 1…100000, not \(epochs)") }
    guard (0..<1).contains(replayShare) else { throw WeirError("replayShare", "must be in 0..<1, not \(replayShare)") }
    guard replay == nil || Double(rows) * replayShare <= Double(rows - 1) else {
      throw WeirError(
        "replayShare", "is \(replayShare), but batches of \(rows) rows can replay at most \(rows - 1) of them",
        remedy: "use more rows per batch")
    }
    if let replay, replay.rows != 1 || replay.sequence != sequence {
      throw WeirError("replay", "its batches are \(replay.rows)×\(replay.sequence), expected 1×\(sequence)")
    }
    self.rows = rows
    self.sequence = sequence
    self.examples = examples
    self.replay = replay
    self.replayShare = replay == nil ? 0 : replayShare
    var packed: [[Segment]] = [], tokens = 0
    let targets = examples.map(\.targets)
    for epoch in 0..<epochs {
      let order = Permutation(count: max(1, examples.count), seed: randomSeed, stream: UInt64(epoch))
      var room = 0
      for index in examples.indices where targets[order[index]] > 0 {
        let document = order[index], example = examples[document], length = example.tokens.count
        precondition(example.completion == nil || length <= sequence, "an example with a prompt is longer than a row")
        var offset = 0
        while offset + 1 < length {
          let count = min(sequence, length - offset)
          if room < count || packed.isEmpty {
            packed.append([])
            room = sequence
          }
          packed[packed.count - 1].append(Segment(document: Int32(document), offset: Int32(offset), count: Int32(count)))
          room -= count
          tokens += count
          // The next segment begins with the last token of this one, which has no target here.
          offset += offset + count < length ? count - 1 : count
        }
      }
    }
    guard !packed.isEmpty else { throw WeirError(name, "contains no token to train on") }
    self.packed = packed
    (self.tokens, self.targets) = (tokens, epochs * targets.reduce(0, +))
    // Replayed rows are rounded down, so that the rows of the examples may end a step earlier.
    var steps = Int((Double(packed.count) / (Double(rows) * (1 - self.replayShare))).rounded(.up))
    while steps > 1, (steps - 1) * rows - Self.replayedRows(before: steps - 1, rows: rows, share: self.replayShare) >= packed.count {
      steps -= 1
    }
    self.steps = steps
    fingerprint =
      "documents \(name) order 2 rows \(rows) sequence \(sequence) epochs \(epochs) seed \(randomSeed)"
      + (replay.map { " replay \(replayShare) of \($0.fingerprint)" } ?? "")
  }

  package func tokenCount(of batch: Batch) -> Int { batch.tokenCount }

  /// The batch of a step: first the rows of the documents, then those of the replay source. After the last epoch, the documents repeat.
  package func batch(step: Int) throws -> Batch {
    let replayed = replayedRows(before: step), other = replayedRows(before: step + 1) - replayed, own = rows - other
    let first = step * rows - replayed
    var batch = Batch(rows: rows, sequence: sequence)
    for row in 0..<own where step >= steps || first + row < packed.count {
      var used = 0
      for segment in packed[(first + row) % packed.count] {
        let example = examples[Int(segment.document)], offset = Int(segment.offset), count = Int(segment.count)
        let first = row * sequence + used
        for i in 0..<count {
          batch.tokens[first + i] = example.tokens[offset + i]
          batch.starts[first + i] = Int32(used)
        }
        for range in example.trained {
          for token in range.clamped(to: offset + 1..<offset + count) { batch.targets[first + token - offset - 1] = example.tokens[token] }
        }
        batch.segments.append(Batch.Segment(row: row, start: used, count: count, document: Int(segment.document), offset: offset))
        used += count
      }
    }
    if let replay {
      for row in 0..<other { batch.copy(rows: 0..<1, of: try replay.batch(step: replayed + row), to: own + row) }
    }
    return batch
  }

  /// The rows of the replay source in the first `steps` batches.
  package func replayedRows(before steps: Int) -> Int { Self.replayedRows(before: steps, rows: rows, share: replayShare) }

  private static func replayedRows(before steps: Int, rows: Int, share: Double) -> Int {
    Int((Double(steps * rows) * share).rounded(.down))
  }

  /// The replayed tokens in all epochs together.
  package func replayedTokens() throws -> Int {
    guard let replay else { return 0 }
    return try (0..<replayedRows(before: steps)).reduce(0) { sum, row in
      try sum + replay.batch(step: row).segments.reduce(0) { $0 + $1.count }
    }
  }
}
