import Artifacts
import Clustering
import Embedding
import Kernels
import Loading
import Primitives
import Tokenization
import Tokens
import Training

/// The domains of a dataset: the nodes of one level of a cluster tree. New text belongs to the domain with the nearest centroid.
package struct TreeDomains: Sendable {
  package let dataset: TokenDataset
  package let tree: StoredTree
  package let level: Int
  package let tokenizer: Tokenizer
  /// [domains] the nodes of the level.
  package let nodes: [Int]
  private let embedder: any Embedder
  private let assignment: ClusterAssignment
  private let pool: ThreadPool

  package init(dataset: TokenDataset, tree: StoredTree, level: Int, threads: Int) throws {
    guard level >= 1 else { throw WeirError("level", "must be at least 1, not \(level)") }
    self.dataset = dataset
    self.tree = tree
    self.level = level
    nodes = tree.tree.nodes(atLevel: level)
    guard nodes.count > 1 else {
      throw WeirError(
        tree.path, "has one node at level \(level), so there are no domains",
        remedy: "fit a tree on more windows, or with smaller leaves")
    }
    tokenizer = try dataset.openTokenizer()
    embedder = try tree.openEmbedder()
    try embedder.check(tokenizer: tokenizer.fingerprint, place: tree.path)
    assignment = try dataset.assignment(to: tree)
    pool = ThreadPool(threads: threads)
  }

  package var count: Int { nodes.count }

  /// [domains] the windows of the dataset in each domain.
  package var windows: [[UInt32]] {
    var windows = [[UInt32]](repeating: [], count: count)
    let domain = tree.tree.domains(level: level)
    for (window, leaf) in assignment.leaves.enumerated() { windows[domain[Int(leaf)]].append(UInt32(window)) }
    return windows
  }

  /// [domains] the tokens of the dataset in each domain.
  package var tokens: [Int] { windows.map { $0.reduce(0) { $0 + dataset.window(Int($1)).count } } }

  package func name(_ domain: Int) -> String { "domain-\(domain)" }

  /// Batches of one domain, sampled uniformly over its tokens.
  package func batches(domain: Int, windows: [UInt32], randomSeed: UInt64, rows: Int, sequence: Int) throws -> PackedLoader {
    try PackedLoader(
      uniform: dataset, windows: windows, name: "domain \(domain) of \(tree.fingerprint)", randomSeed: randomSeed, rows: rows,
      sequence: sequence)
  }

  /// The windows of held-out documents, one set for each domain that has any.
  package func heldOutSets(_ files: [String]) throws -> [ValidationSet] {
    var position = [Int](repeating: 0, count: tree.tree.nodes.count)
    for (index, node) in nodes.enumerated() { position[node] = index }
    var encoder = DocumentEncoder(tokenizer)
    let router = TreeRouter(tree.tree)
    var sets = (0..<count).map { ValidationSet(name: name($0), documents: []) }
    for file in files {
      let windows = try encoder.encode(files: [file]).flatMap(\.windows).filter { $0.count > 1 }
      guard !windows.isEmpty else { throw WeirError(file, "no document has two tokens, the fewest to evaluate on") }
      let routed = try router.nodes(embedder.embed(windows, pool: pool), level: level, pool: pool)
      for (window, node) in zip(windows, routed) {
        let domain = position[Int(node)]
        sets[domain].documents.append(
          EvaluationDocument(tokens: window, bytes: tokenizer.text(of: window).count, domain: name(domain)))
      }
    }
    return sets.filter { !$0.documents.isEmpty }
  }
}
