import Artifacts
import Clustering
import Embedding
import Foundation
import Kernels
import Primitives
import Storage
import Tokenization
import Tokens
import Training

/// The domains of a tree's level: what of the dataset is in each, and where new text goes (nearest centroid).
struct Domains {
  let dataset: TokenDataset
  let stored: StoredTree
  let level: Int
  /// The nodes of the level, one a domain.
  let nodes: [Int]
  let tokenizer: Tokenizer
  private let embedder: any Embedder
  private let assignment: ClusterAssignment
  private let pool: ThreadPool

  init(dataset path: String, tree: String, level: Int, threads: Int) throws {
    dataset = try TokenDataset(path)
    stored = try StoredTree(tree)
    self.level = level
    nodes = stored.tree.nodes(atLevel: level)
    guard nodes.count > 1 else {
      throw WeirError(
        tree, "has one node at level \(level): nothing to split", remedy: "fit a tree with more windows or a smaller --minimum-leaf")
    }
    tokenizer = try Load.tokenizer(of: dataset)
    embedder = try Clusters.embedder(of: stored)
    try embedder.check(tokenizer: tokenizer.fingerprint, place: tree)
    let fingerprint = stored.fingerprint
    assignment = try Clusters.assignment(of: dataset) { $0.tree == fingerprint }
    pool = ThreadPool(threads: threads)
  }

  var count: Int { nodes.count }

  /// Windows of the dataset by domain.
  var windows: [[UInt32]] {
    var windows = [[UInt32]](repeating: [], count: count)
    let domain = stored.tree.domains(level: level)
    for (window, leaf) in assignment.leaves.enumerated() { windows[domain[Int(leaf)]].append(UInt32(window)) }
    return windows
  }

  /// Tokens of the dataset by domain.
  var tokens: [Int] { windows.map { $0.reduce(0) { $0 + dataset.window(Int($1)).count } } }

  /// What a domain is called: its place in the tree.
  func name(_ domain: Int) -> String { "domain-\(domain)" }

  /// Held-out documents cut into windows, each with its domain.
  func heldOut(_ paths: [String]) throws -> [(domain: Int, document: EvaluationDocument)] {
    var position = [Int](repeating: 0, count: stored.tree.nodes.count)
    for (index, node) in nodes.enumerated() { position[node] = index }
    var result: [(domain: Int, document: EvaluationDocument)] = []
    for path in paths {
      let windows = try Load.tokenize([path], tokenizer).flatMap { WindowReader.windows(of: $0.tokens.map { UInt32($0) }) }
        .filter { $0.count > 1 }
      guard !windows.isEmpty else { throw WeirError(path, "no document with two tokens to evaluate on") }
      let vectors = try embedder.embed(windows, pool: pool)
      let router = TreeRouter(stored.tree)
      let routed = vectors.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.map { router.nodes($0, count: windows.count, level: level, pool: pool) } ?? []
      }
      for (window, node) in zip(windows, routed) {
        let domain = position[Int(node)]
        let bytes = tokenizer.decode(window.map { UInt32($0) }.filter { $0 != UInt32(dataset.endOfDocument) }).count
        result.append((domain, EvaluationDocument(tokens: window, bytes: bytes, domain: name(domain))))
      }
    }
    return result
  }

  /// Held-out sets, one a domain that has any text.
  func heldOutSets(_ paths: [String]) throws -> [ValidationSet] {
    let all = try heldOut(paths)
    return (0..<count).compactMap { domain in
      let documents = all.filter { $0.domain == domain }.map { $0.document }
      return documents.isEmpty ? nil : ValidationSet(name: name(domain), documents: documents)
    }
  }
}

/// What a split is: `SPLIT/split.json`.
struct SplitFile: Codable, Equatable {
  var format = "weir.split.1"
  var dataset: String
  var tree: String
  /// The fingerprint of the tree: the router's centroids.
  var treeFingerprint: String
  var level: Int
  var trunkTokens: Int
  var branchTokens: [Int]
  /// Model folders, relative to the split's folder.
  var branches: [String]
  /// The general model of the same compute, where there is one.
  var full: String?
  /// Terms that tell each domain from the rest.
  var terms: [[String]]
}
