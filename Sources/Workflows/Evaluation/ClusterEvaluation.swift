import Artifacts
import Clustering
import Embedding
import Kernels
import Pipeline
import Tokenization
import Tokens
import Training

/// The loss on held-out documents by cluster.
///
/// Documents are scored whole, as without a tree. Each token then counts toward the cluster of its window of the document.
struct ClusterEvaluation {
  private let tree: ClusterTree
  private let level: Int
  private let embedder: any Embedder
  private let tokenizer: Tokenizer
  /// Special tokens before each text, which belong to no window.
  private let lead: Int
  private let pool: ThreadPool

  init(tree path: String, level: Int, encoder: DocumentEncoder, threads: Int) throws {
    let stored = try StoredTree(path)
    tree = stored.tree
    self.level = level
    embedder = try stored.openEmbedder()
    (tokenizer, lead) = (encoder.tokenizer, encoder.template.prefix.count)
    try embedder.check(tokenizer: tokenizer.fingerprint, place: path)
    pool = ThreadPool(threads: threads)
  }

  /// The name of the cluster of every window of the documents.
  private func clusters(_ documents: [EvaluationDocument]) throws -> [[String]] {
    var windows: [[Int32]] = []
    let counts = documents.map { document -> Int in
      let own = Window.split(document.tokens.dropFirst(lead).map { UInt32(bitPattern: $0) })
      for window in own {
        let ends = tokenizer.endOfDocument.map { Int32(bitPattern: $0) == window.last } ?? false
        windows.append(ends ? Array(window.dropLast()) : window)
      }
      return own.count
    }
    let nodes = try TreeRouter(tree).nodes(embedder.embed(windows, pool: pool), level: level, pool: pool)
    var next = 0
    return counts.map { count in
      defer { next += count }
      return nodes[next..<next + count].map { tree.name(of: Int($0)) }
    }
  }

  /// Evaluates overall, by domain and by cluster.
  func evaluate(_ documents: [EvaluationDocument], evaluator: Evaluator, progress: Progress) throws -> Evaluation {
    let names = try clusters(documents)
    // One score per cluster and document: standard errors are over documents.
    var parts: [String: [Int: EvaluationScore]] = [:]
    for (document, clusters) in names.enumerated() {
      for (window, name) in clusters.enumerated() {
        let first = window * Window.maximum, tokens = documents[document].tokens.dropFirst(lead)
        let own = Array(tokens.dropFirst(first).prefix(Window.maximum))
        parts[name, default: [:]][document, default: EvaluationScore()].bytes += tokenizer.text(of: own).count
      }
    }
    var result = try evaluator.evaluate(documents, progress: progress) { document, token, nats in
      let name = names[document][max(0, token - lead) / Window.maximum]
      parts[name]?[document]?.nats += nats
      parts[name]?[document]?.tokens += 1
    }
    result.byCluster = parts.mapValues { scores in Evaluation(scores.sorted { $0.key < $1.key }.map(\.value)) }
    return result
  }
}
