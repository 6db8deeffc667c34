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
struct TreeDomains: Sendable {
  let dataset: TokenDataset
  let tree: StoredTree
  let level: Int
  let tokenizer: Tokenizer
  /// [domains] the nodes of the level.
  let nodes: [Int]
  private let embedder: any Embedder
  private let pool: ThreadPool

  init(dataset: String, tree: String, level: Int, threads: Int) throws {
    guard level >= 1 else { throw WeirError("level", "must be at least 1, not \(level)") }
    let (dataset, tree) = try (TokenDataset(dataset), StoredTree(tree))
    (self.dataset, self.tree, self.level) = (dataset, tree, level)
    nodes = tree.tree.nodes(atLevel: level)
    guard nodes.count > 1 else {
      throw WeirError(
        tree.path, "has one node at level \(level), so there are no domains", remedy: "fit a tree on more windows, or with smaller leaves")
    }
    tokenizer = try dataset.openTokenizer()
    embedder = try tree.openEmbedder()
    try embedder.check(tokenizer: tokenizer.fingerprint, place: tree.path)
    _ = try RowStore(dataset.path).groups(of: tree)
    pool = ThreadPool(threads: threads)
  }

  var count: Int { nodes.count }

  func name(_ domain: Int) -> String { "domain-\(domain)" }

  /// The windows of held-out documents, one set for each domain that has any.
  func heldOutSets(_ files: [String]) throws -> [ValidationSet] {
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
        sets[domain].documents.append(EvaluationDocument(tokens: window, bytes: tokenizer.text(of: window).count, domain: name(domain)))
      }
    }
    return sets.filter { !$0.documents.isEmpty }
  }
}
