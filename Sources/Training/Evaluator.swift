import CKernels
import Foundation
import Kernels
import Pipeline
import Tokens

/// A tokenized held-out document.
package struct EvaluationDocument: Sendable {
  /// Token ids, optionally ended by an end-of-document token.
  package var tokens: [Int32]
  /// UTF-8 bytes of the text.
  package var bytes: Int
  /// The domain under which the document is also reported, such as its source; nil for none.
  package var domain: String?
  /// The tokens that are scored, in ascending order, without the first token of the document; others are context.
  package var scored: [Range<Int>]
  package var firstScored: Int { scored.first?.lowerBound ?? tokens.count }

  /// - Parameter firstScored: the first token that is scored, as are all that follow.
  package init(tokens: [Int32], bytes: Int, domain: String? = nil, firstScored: Int = 1) {
    self.init(tokens: tokens, bytes: bytes, domain: domain, scored: [firstScored..<max(firstScored, tokens.count)])
  }

  package init(tokens: [Int32], bytes: Int, domain: String? = nil, scored: [Range<Int>]) {
    self.tokens = tokens
    self.bytes = bytes
    self.domain = domain
    self.scored = scored.map { $0.clamped(to: 1..<max(1, tokens.count)) }.filter { !$0.isEmpty }
  }
}

/// A named set of held-out documents.
package struct ValidationSet: Sendable {
  /// What a set other than the target's is for.
  package enum Role: String, Codable, Sendable {
    /// Shows what the model forgets.
    case source
    /// Decides whether the model forgets too much, and is therefore not reported as a result.
    case judge
  }

  package var name: String
  /// Nil for held-out text of the target.
  package var role: Role?
  package var documents: [EvaluationDocument]
  /// Documents left out because they cannot be scored.
  package var skipped: Int

  package init(name: String, documents: [EvaluationDocument], skipped: Int = 0, role: Role? = nil) {
    (self.name, self.documents, self.skipped, self.role) = (name, documents, skipped, role)
  }
}

/// Scores documents under a model.
///
/// A document is divided into consecutive segments of at most `sequence` tokens. Every token except the first is predicted once, from the
/// preceding tokens of its segment. Segments of many documents are packed into one row, without attending to each other.
///
/// A score has the same bits wherever the segment lies: every product and norm treats rows alike, positions count from the start of the
/// segment, and that start is a multiple of the 16 lanes in which the softmax adds.
package final class Evaluator {
  package let model: Transformer
  private let rows: Int
  /// Positions per segment.
  let sequence: Int
  private static let lanes = 16
  /// Whether the model's frequencies depend on the length of a segment, so that each needs a forward pass of its own.
  private var isDynamic: Bool { model.configuration.ropeScaling?.kind == .dynamic && sequence > model.configuration.sequence }

  /// Creates an evaluator for a model that may be in training.
  /// - Parameters:
  ///   - parameters: the weights; shared, not copied.
  ///   - adapter: a low-rank adapter to apply.
  ///   - sequence: positions per segment, by default the model's.
  ///   - tokens: the approximate number of tokens per batch.
  package init(
    _ configuration: ModelConfiguration, parameters: FloatBuffer, adapter: LowRankAdapter? = nil, sequence: Int? = nil,
    tokens: Int = 4_096, pool: ThreadPool
  ) {
    self.sequence = min(sequence ?? configuration.sequence, configuration.longestSequence)
    rows = self.sequence > configuration.sequence ? 1 : max(1, tokens / self.sequence)
    model = Transformer(
      configuration, rows: rows, sequence: self.sequence, training: false, restarts: true, pool: pool, parameters: parameters,
      adapter: adapter)
  }

  /// Loads a model folder for evaluation.
  /// - Parameters:
  ///   - sequence: positions per segment, by default the model's.
  ///   - longest: the tokens of the longest text. Beyond 2,048 positions, which pack well, there is room for no more.
  ///   - threads: does not affect the results.
  package convenience init(folder: String, sequence: Int? = nil, longest: Int, threads: Int) throws {
    let (configuration, parameters) = try ModelFolder.load(folder)
    self.init(
      configuration, parameters: parameters, sequence: max(1, min(sequence ?? configuration.sequence, max(longest, 2_048))),
      pool: ThreadPool(threads: threads))
  }

  /// Scores each document.
  /// - Parameter each: called for every scored token with the number of the document, the position of the token in it, and −ln p; in
  ///   ascending order of document and position.
  package func score(
    _ documents: [EvaluationDocument], progress: Pipeline.Progress = .silent, each: ((Int, Int, Double) -> Void)? = nil
  ) throws -> [EvaluationScore] {
    struct Segment {
      var document: Int, offset: Int, count: Int, row: Int, start: Int
    }
    var results = documents.map { EvaluationScore(bytes: $0.bytes) }
    var segments: [Segment] = [], row = 0, used = 0
    var batch = Batch(rows: rows, sequence: sequence)

    func flush() throws {
      guard !segments.isEmpty else { return }
      try progress.checkStop()
      try model.check(batch, place: "evaluation")
      model.forward(tokens: batch.tokens, starts: batch.starts)
      _ = model.loss(targets: batch.targets, gradient: false)
      for segment in segments {
        let first = segment.row * sequence + segment.start
        for t in first..<first + segment.count where batch.targets[t] >= 0 {
          let loss = Double(model.workspace.losses[t])
          results[segment.document].nats += loss
          results[segment.document].tokens += 1
          each?(segment.document, segment.offset + t - first + 1, loss)
        }
      }
      segments.removeAll(keepingCapacity: true)
      batch = Batch(rows: rows, sequence: sequence)
      (row, used) = (0, 0)
    }

    for (index, document) in documents.enumerated() {
      var offset = 0
      while offset + 1 < document.tokens.count {
        let count = min(sequence, document.tokens.count - 1 - offset)
        if used + count > sequence { (row, used) = (row + 1, 0) }
        if row == rows || isDynamic { try flush() }
        model.rotations.adapt(0..<sequence, length: count)
        let first = row * sequence + used
        for i in 0..<count {
          batch.tokens[first + i] = document.tokens[offset + i]
          batch.starts[first + i] = Int32(used)
        }
        for range in document.scored {
          for token in range.clamped(to: offset + 1..<offset + count + 1) {
            batch.targets[first + token - offset - 1] = document.tokens[token]
          }
        }
        segments.append(Segment(document: index, offset: offset, count: count, row: row, start: used))
        used = (used + count + Self.lanes - 1) / Self.lanes * Self.lanes
        offset += count
      }
      if index % 256 == 0 { progress.update(Double(index), of: Double(documents.count), unit: "documents") }
    }
    try flush()
    return results
  }

  /// The loss over a set of documents and each of its domains; `each` as in `score`.
  package func evaluate(
    _ documents: [EvaluationDocument], progress: Pipeline.Progress = .silent, each: ((Int, Int, Double) -> Void)? = nil
  ) throws -> Evaluation {
    evaluation(documents, try score(documents, progress: progress, each: each))
  }

  /// The loss over a set of documents, divided among ranks.
  func evaluate(_ documents: [EvaluationDocument], ranks: RankGroup) throws -> Evaluation {
    evaluation(documents, try ranks.distribute(documents) { try score($0) })
  }

  private func evaluation(_ documents: [EvaluationDocument], _ scores: [EvaluationScore]) -> Evaluation {
    var result = Evaluation(scores)
    let domains = Dictionary(grouping: documents.indices.filter { documents[$0].domain != nil }) { documents[$0].domain ?? "" }
    result.byDomain = domains.mapValues { Evaluation($0.map { scores[$0] }) }
    return result
  }

  /// The logits after every token of a document, [tokens, vocabulary], with the context that `score` uses.
  package func logits(_ tokens: [Int32]) throws -> [Float] {
    let vocabulary = model.configuration.vocabulary
    var result: [Float] = []
    result.reserveCapacity(tokens.count * vocabulary)
    for start in stride(from: 0, to: tokens.count, by: rows * sequence) {
      var batch = Batch(rows: rows, sequence: sequence)
      let count = min(rows * sequence, tokens.count - start)
      for i in 0..<count { (batch.tokens[i], batch.starts[i]) = (tokens[start + i], 0) }
      model.rotations.adapt(0..<sequence, length: count)
      try model.check(batch, place: "evaluation")
      model.forward(tokens: batch.tokens, starts: batch.starts)
      for i in 0..<count { result += model.logits(at: i) }
    }
    return result
  }
}
