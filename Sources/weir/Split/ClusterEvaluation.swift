import Artifacts
import Clustering
import Embedding
import Kernels
import Primitives
import Storage
import Tokenization
import Tokens
import Training

/// The loss on held-out documents by the clusters that their windows fall in.
///
/// Documents are scored whole, as without a tree; every token then counts for the cluster nearest to its window of the document.
struct ClusterEvaluation {
  private let stored: StoredTree
  private let level: Int
  private let embedder: any Embedder
  private let tokenizer: Tokenizer
  private let pool: ThreadPool

  init(tree: String, level: Int, tokenizer: Tokenizer, threads: Int) throws {
    stored = try StoredTree(tree)
    self.level = level
    embedder = try Clusters.embedder(of: stored)
    try embedder.check(tokenizer: tokenizer.fingerprint, place: tree)
    self.tokenizer = tokenizer
    pool = ThreadPool(threads: threads)
  }

  /// The cluster of every window of the documents, by its name in `weir cluster show`.
  private func clusters(_ documents: [EvaluationDocument]) throws -> [[String]] {
    var windows: [[Int32]] = []
    let counts = documents.map { document -> Int in
      let own = WindowReader.windows(of: document.tokens.map { UInt32(bitPattern: $0) })
      for window in own {
        let ends = tokenizer.endOfDocument.map { Int32(bitPattern: $0) == window.last } ?? false
        windows.append(ends ? Array(window.dropLast()) : window)
      }
      return own.count
    }
    let vectors = try embedder.embed(windows, pool: pool), router = TreeRouter(stored.tree)
    let nodes = vectors.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { router.nodes($0, count: windows.count, level: level, pool: pool) } ?? []
    }
    var next = 0
    return counts.map { count in
      defer { next += count }
      return nodes[next..<next + count].map { node in
        let path = Clusters.path(of: Int(node), in: stored.tree)
        return path.isEmpty ? "all" : path.map(String.init).joined(separator: ".")
      }
    }
  }

  /// Evaluates: all, by domain, by cluster.
  func evaluate(_ documents: [EvaluationDocument], evaluator: Evaluator, progress: Progress) throws -> Evaluation {
    let names = try clusters(documents)
    // A document's part in a cluster: one score for each of the two.
    var parts: [String: [Int: EvaluationScore]] = [:]
    for (document, clusters) in names.enumerated() {
      for (window, name) in clusters.enumerated() {
        let first = window * Window.maximum, tokens = documents[document].tokens
        let own = tokens[first..<min(tokens.count, first + Window.maximum)].map { UInt32(bitPattern: $0) }
        parts[name, default: [:]][document, default: EvaluationScore()].bytes +=
          tokenizer.decode(own.filter { $0 != tokenizer.endOfDocument }).count
      }
    }
    var result = try evaluator.evaluate(documents, progress: progress) { document, token, nats in
      let name = names[document][token / Window.maximum]
      parts[name]?[document]?.nats += nats
      parts[name]?[document]?.tokens += 1
    }
    result.byCluster = parts.mapValues { scores in Evaluation(scores.sorted { $0.key < $1.key }.map(\.value)) }
    return result
  }
}
