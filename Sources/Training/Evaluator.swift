import CKernels
import Corpus
import Foundation
import Kernels
import Pipeline
import Primitives

/// A held-out document as tokens.
public struct EvaluationDocument: Sendable {
  /// Token ids, with or without an end-of-document token.
  public var tokens: [Int32]
  /// UTF-8 bytes of its text.
  public var bytes: Int
  /// What to sum it under, such as its source; nil for no domain.
  public var domain: String?
  /// The first token whose probability counts, at least 1.
  public var firstScored: Int

  /// Creates a document.
  public init(tokens: [Int32], bytes: Int, domain: String? = nil, firstScored: Int = 1) {
    self.tokens = tokens
    self.bytes = bytes
    self.domain = domain
    self.firstScored = max(1, firstScored)
  }
}

/// Held-out documents under a name.
public struct ValidationSet: Sendable {
  /// The name.
  public var name: String
  /// The documents.
  public var documents: [EvaluationDocument]

  /// Creates a set.
  public init(name: String, documents: [EvaluationDocument]) {
    self.name = name
    self.documents = documents
  }
}

/// The loss over a set of documents.
public struct Evaluation: Codable, Sendable, Equatable {
  /// Mean −log p of a scored token, in nats.
  public var loss = 0.0
  /// e^loss.
  public var perplexity = 0.0
  /// −Σ log p / (bytes · ln 2).
  public var bitsPerByte = 0.0
  /// Scored tokens.
  public var tokens = 0
  /// UTF-8 bytes of the documents.
  public var bytes = 0
  /// The same by domain.
  public var byDomain: [String: Evaluation]?

  enum CodingKeys: String, CodingKey {
    case loss, perplexity, tokens, bytes
    case bitsPerByte = "bits_per_byte"
    case byDomain = "by_domain"
  }

  init(nats: Double, tokens: Int, bytes: Int) {
    self.tokens = tokens
    self.bytes = bytes
    loss = tokens == 0 ? 0 : nats / Double(tokens)
    perplexity = min(exp(loss), Double.greatestFiniteMagnitude)
    bitsPerByte = bytes == 0 ? 0 : nats / (Double(bytes) * log(2))
  }
}

/// Scores documents under a model.
///
/// A document is read from its start in stretches of the model's positions, each token but the first predicted once, with at most
/// `sequence` tokens before it; stretches of many documents share a row, none seeing another. A document's first token has nothing before
/// it and is not scored.
public final class Evaluator {
  /// The model.
  public let model: Transformer
  private let rows: Int
  private let sequence: Int

  /// Creates an evaluator for parameters that may go on changing.
  /// - Parameters:
  ///   - configuration: the shape.
  ///   - parameters: the weights, shared.
  ///   - sequence: positions of a stretch, by default the model's.
  ///   - tokens: tokens of a batch, about.
  ///   - pool: the threads.
  public init(_ configuration: ModelConfiguration, parameters: FloatBuffer, sequence: Int? = nil, tokens: Int = 4_096, pool: ThreadPool) {
    self.sequence = min(sequence ?? configuration.sequence, configuration.sequence)
    rows = max(1, tokens / self.sequence)
    model = Transformer(configuration, rows: rows, sequence: self.sequence, training: false, pool: pool, parameters: parameters)
  }

  /// Opens a model folder for evaluation.
  public convenience init(folder: String, threads: Int) throws {
    let (configuration, parameters) = try ModelFolder.load(folder)
    self.init(configuration, parameters: parameters, sequence: min(configuration.sequence, 2_048), pool: ThreadPool(threads: threads))
  }

  /// −Σ log p in nats and the number of scored tokens of each document.
  public func score(_ documents: [EvaluationDocument], progress: Pipeline.Progress = .silent) throws -> [(nats: Double, tokens: Int)] {
    struct Piece {
      var document: Int, offset: Int, count: Int, row: Int, start: Int
    }
    var results = [(nats: Double, tokens: Int)](repeating: (0, 0), count: documents.count)
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
          results[piece.document].nats += Double(model.workspace.losses[t])
          results[piece.document].tokens += 1
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

  /// The loss over a set, all and by domain.
  public func evaluate(_ documents: [EvaluationDocument], progress: Pipeline.Progress = .silent) throws -> Evaluation {
    try evaluate(documents, crew: Crew(), progress: progress)
  }

  /// The loss over a set of which each rank scores a part.
  func evaluate(_ documents: [EvaluationDocument], crew: Crew, progress: Pipeline.Progress = .silent) throws -> Evaluation {
    let scores = try crew.divide(documents) { try score($0, progress: progress) }
    func sum(_ indices: [Int]) -> Evaluation {
      let nats = indices.reduce(0.0) { $0 + scores[$1].nats }
      return Evaluation(
        nats: nats, tokens: indices.reduce(0) { $0 + scores[$1].tokens }, bytes: indices.reduce(0) { $0 + documents[$1].bytes })
    }
    var result = sum(Array(documents.indices))
    let domains = Dictionary(grouping: documents.indices.filter { documents[$0].domain != nil }) { documents[$0].domain ?? "" }
    result.byDomain = domains.mapValues(sum)
    return result
  }
}
