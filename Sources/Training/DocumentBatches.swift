import Primitives
import Tokens

/// A document to fine-tune on.
package struct TuningDocument: Sendable {
  /// Token ids.
  package var tokens: [Int32]
  /// The first token that counts in the loss, at least 1; what is before it is only context.
  package var firstTarget: Int

  /// Creates a document.
  package init(tokens: [Int32], firstTarget: Int = 1) {
    self.tokens = tokens
    self.firstTarget = max(1, firstTarget)
  }
}

/// Batches over a small set of documents held in memory, several epochs in an order drawn anew for each, optionally with rows of another
/// source (replay) in a fixed share.
///
/// Documents are cut into stretches of at most `sequence` tokens and packed into rows in the epoch's order; a row holds one epoch only.
package struct DocumentBatches: BatchSource {
  private struct Piece: Sendable {
    var document: Int32, offset: Int32, count: Int32
  }

  /// Sequences of a batch.
  package let rows: Int
  /// Tokens of a sequence.
  package let sequence: Int
  /// Names the documents, the packing and the replay.
  package let fingerprint: String
  /// Steps in which every row of every epoch is seen once.
  package let steps: Int
  private let documents: [TuningDocument]
  private let packed: [[Piece]]
  private let replay: (any BatchSource)?
  private let share: Double

  /// Creates the batches.
  /// - Parameters:
  ///   - documents: the documents; those of a single token are skipped.
  ///   - name: their fingerprint.
  ///   - rows: sequences of a batch.
  ///   - sequence: tokens of a sequence.
  ///   - epochs: passes over the documents.
  ///   - seed: draws the orders.
  ///   - replay: another source of the same batch shape.
  ///   - share: the share of rows that come from it, 0..<1.
  package init(
    documents: [TuningDocument], name: String, rows: Int, sequence: Int, epochs: Int, seed: UInt64, replay: (any BatchSource)? = nil,
    share: Double = 0
  ) throws {
    guard rows > 0, sequence > 1, epochs > 0 else { throw WeirError("--epochs", "rows, sequence and epochs must be positive") }
    guard epochs <= 100_000 else { throw WeirError("--epochs", "\(epochs) passes are more than 100,000") }
    guard (0..<1).contains(share) else { throw WeirError("--replay", "\(share) is not in 0..<1") }
    if let replay, replay.rows != rows || replay.sequence != sequence {
      throw WeirError("--replay", "its batches are \(replay.rows)×\(replay.sequence), not \(rows)×\(sequence)")
    }
    self.rows = rows
    self.sequence = sequence
    self.documents = documents
    self.replay = replay
    self.share = replay == nil ? 0 : share
    var packed: [[Piece]] = []
    for epoch in 0..<epochs {
      var order = Array(documents.indices), random = SequentialRandom(seed: seed, stream: UInt64(epoch)), room = 0
      order.shuffle(using: &random)
      for document in order {
        var offset = 0
        while offset + 1 < documents[document].tokens.count {
          let count = min(sequence, documents[document].tokens.count - offset)
          if room < count || packed.isEmpty {
            packed.append([])
            room = sequence
          }
          packed[packed.count - 1].append(Piece(document: Int32(document), offset: Int32(offset), count: Int32(count)))
          room -= count
          // The next stretch begins with the last token of this one, which has no target here.
          offset += offset + count < documents[document].tokens.count ? count - 1 : count
        }
      }
    }
    guard !packed.isEmpty else { throw WeirError(name, "holds no document of two tokens or more") }
    self.packed = packed
    steps = Int((Double(packed.count) / (Double(rows) * (1 - self.share))).rounded(.up))
    fingerprint =
      "documents \(name) rows \(rows) sequence \(sequence) epochs \(epochs) seed \(seed)"
      + (replay.map { " replay \(share) of \($0.fingerprint)" } ?? "")
  }

  /// The batch of a step: first the rows of the documents, then those of the replay; steps past the last epoch begin again.
  package func batch(step: Int) throws -> Batch {
    func replayed(_ step: Int) -> Int { Int((Double(step * rows) * share).rounded(.down)) }
    let other = min(rows - 1, replayed(step + 1) - replayed(step)), own = rows - other
    let first = step * rows - replayed(step)
    var batch = Batch(rows: rows, sequence: sequence)
    for row in 0..<own where step >= steps || first + row < packed.count {
      var used = 0
      for piece in packed[(first + row) % packed.count] {
        let document = documents[Int(piece.document)], offset = Int(piece.offset), count = Int(piece.count)
        for i in 0..<count {
          let at = row * sequence + used + i
          batch.tokens[at] = document.tokens[offset + i]
          batch.starts[at] = Int32(used)
          if i + 1 < count, offset + i + 1 >= document.firstTarget { batch.targets[at] = document.tokens[offset + i + 1] }
        }
        batch.stretches.append(Batch.Stretch(row: row, start: used, count: count, document: Int(piece.document), offset: offset))
        used += count
      }
    }
    guard other > 0, let replay else { return batch }
    let source = try replay.batch(step: step)
    for row in own..<rows {
      let range = row * sequence..<(row + 1) * sequence
      batch.tokens.replaceSubrange(range, with: source.tokens[range])
      batch.targets.replaceSubrange(range, with: source.targets[range])
      batch.starts.replaceSubrange(range, with: source.starts[range])
    }
    return batch
  }
}
