import CKernels
import Foundation
import Kernels
import Pipeline
import Primitives
import Tokens

/// A held-out document as tokens.
package struct EvaluationDocument: Sendable {
  /// Token ids, with or without an end-of-document token.
  package var tokens: [Int32]
  /// UTF-8 bytes of its text.
  package var bytes: Int
  /// What to sum it under, such as its source; nil for no domain.
  package var domain: String?
  /// The first token whose probability counts, at least 1.
  package var firstScored: Int

  /// Creates a document.
  package init(tokens: [Int32], bytes: Int, domain: String? = nil, firstScored: Int = 1) {
    self.tokens = tokens
    self.bytes = bytes
    self.domain = domain
    self.firstScored = max(1, firstScored)
  }
}

/// Held-out documents under a name.
package struct ValidationSet: Sendable {
  /// The name.
  package var name: String
  /// The documents.
  package var documents: [EvaluationDocument]

  /// Creates a set.
  package init(name: String, documents: [EvaluationDocument]) {
    self.name = name
    self.documents = documents
  }
}

/// Scores documents under a model.
///
/// A document is read from its start in stretches of the model's positions, each token but the first predicted once, with at most
/// `sequence` tokens before it; stretches of many documents share a row, none seeing another. A document's first token has nothing before
/// it and is not scored.
package final class Evaluator {
  /// The model.
  package let model: Transformer
  private let rows: Int
  /// Positions of a stretch.
  let sequence: Int

  /// Creates an evaluator for parameters that may go on changing.
  /// - Parameters:
  ///   - configuration: the shape.
  ///   - parameters: the weights, shared.
  ///   - sequence: positions of a stretch, by default the model's.
  ///   - tokens: tokens of a batch, about.
  ///   - pool: the threads.
  package init(_ configuration: ModelConfiguration, parameters: FloatBuffer, sequence: Int? = nil, tokens: Int = 4_096, pool: ThreadPool) {
    self.sequence = min(sequence ?? configuration.sequence, configuration.sequence)
    rows = max(1, tokens / self.sequence)
    model = Transformer(configuration, rows: rows, sequence: self.sequence, training: false, pool: pool, parameters: parameters)
  }

  /// Opens a model folder for evaluation.
  /// - Parameters:
  ///   - folder: the model folder.
  ///   - sequence: positions of a stretch, at most the model's.
  ///   - threads: threads; no result depends on them.
  package convenience init(folder: String, sequence: Int = 2_048, threads: Int) throws {
    let (configuration, parameters) = try ModelFolder.load(folder)
    self.init(
      configuration, parameters: parameters, sequence: max(1, min(configuration.sequence, sequence)), pool: ThreadPool(threads: threads))
  }

  /// Scores each document.
  /// - Parameters:
  ///   - documents: the documents.
  ///   - progress: told every few documents.
  ///   - each: gets every scored token's document, place in it, and −log p in nats; documents and places ascend.
  package func score(
    _ documents: [EvaluationDocument], progress: Pipeline.Progress = .silent, each: ((Int, Int, Double) -> Void)? = nil
  ) throws -> [EvaluationScore] {
    struct Piece {
      var document: Int, offset: Int, count: Int, row: Int, start: Int
    }
    var results = documents.map { EvaluationScore(bytes: $0.bytes) }
    var pieces: [Piece] = [], row = 0, used = 0
    var batch = Batch(rows: rows, sequence: sequence)

    func flush() throws {
      guard !pieces.isEmpty else { return }
      try progress.checkStop()
      try model.check(batch, place: "evaluation")
      model.forward(tokens: batch.tokens, starts: batch.starts)
      _ = model.loss(targets: batch.targets, gradient: false)
      for piece in pieces {
        let first = piece.row * sequence + piece.start
        for t in first..<first + piece.count where batch.targets[t] >= 0 {
          let loss = Double(model.workspace.losses[t])
          results[piece.document].nats += loss
          results[piece.document].tokens += 1
          each?(piece.document, piece.offset + t - first + 1, loss)
        }
      }
      pieces.removeAll(keepingCapacity: true)
      batch = Batch(rows: rows, sequence: sequence)
      (row, used) = (0, 0)
    }

    for (index, document) in documents.enumerated() {
      var offset = 0
      while offset + 1 < document.tokens.count {
        let count = min(sequence, document.tokens.count - 1 - offset)
        if used + count > sequence { (row, used) = (row + 1, 0) }
        if row == rows { try flush() }
        let first = row * sequence + used
        for i in 0..<count {
          batch.tokens[first + i] = document.tokens[offset + i]
          batch.starts[first + i] = Int32(used)
          if offset + i + 1 >= document.firstScored { batch.targets[first + i] = document.tokens[offset + i + 1] }
        }
        pieces.append(Piece(document: index, offset: offset, count: count, row: row, start: used))
        used += count
        offset += count
      }
      if index % 256 == 0 { progress.update(Double(index), of: Double(documents.count), unit: "documents") }
    }
    try flush()
    return results
  }

  /// The loss over a set, all and by domain; `each` as in `score`.
  package func evaluate(
    _ documents: [EvaluationDocument], progress: Pipeline.Progress = .silent, each: ((Int, Int, Double) -> Void)? = nil
  ) throws -> Evaluation {
    evaluation(documents, try score(documents, progress: progress, each: each))
  }

  /// The loss over a set of which each rank scores a part.
  func evaluate(_ documents: [EvaluationDocument], crew: Crew) throws -> Evaluation {
    evaluation(documents, try crew.divide(documents) { try score($0) })
  }

  private func evaluation(_ documents: [EvaluationDocument], _ scores: [EvaluationScore]) -> Evaluation {
    var result = Evaluation(scores)
    let domains = Dictionary(grouping: documents.indices.filter { documents[$0].domain != nil }) { documents[$0].domain ?? "" }
    result.byDomain = domains.mapValues { Evaluation($0.map { scores[$0] }) }
    return result
  }

  /// The logits after every token of a document, [tokens, vocabulary], read as `score` reads it.
  package func logits(_ tokens: [Int32]) throws -> [Float] {
    let vocabulary = model.configuration.vocabulary
    var result: [Float] = []
    result.reserveCapacity(tokens.count * vocabulary)
    for start in stride(from: 0, to: tokens.count, by: rows * sequence) {
      var batch = Batch(rows: rows, sequence: sequence)
      let count = min(rows * sequence, tokens.count - start)
      for i in 0..<count { (batch.tokens[i], batch.starts[i]) = (tokens[start + i], 0) }
      try model.check(batch, place: "evaluation")
      model.forward(tokens: batch.tokens, starts: batch.starts)
      for i in 0..<count { result += model.logits(at: i) }
    }
    return result
  }
}
