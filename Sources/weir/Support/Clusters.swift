import Corpus
import Embedding
import Kernels
import Primitives
import Storage

/// Trees, assignments and vectors by the dataset that they belong to.
enum Clusters {
  /// Where the vectors of a dataset lie: `DATASET/vectors/NAME`.
  static func vectorsFolder(_ dataset: String, _ name: String) -> String { "\(dataset)/vectors/\(name)" }

  /// Where an assignment lies: `DATASET/clusters/NAME`, the tree folder's name.
  static func assignmentFolder(_ dataset: String, tree: String) -> String {
    "\(dataset)/clusters/\(tree.split(separator: "/").last.map(String.init) ?? "tree")"
  }

  /// The vectors of a dataset: those of a name, or those that a tree understands.
  static func vectors(of dataset: TokenDataset, embedder: String? = nil, name: String? = nil) throws -> WindowVectors {
    let folder = dataset.path + "/vectors"
    let names = Files.isFolder(folder) ? try Files.entries(of: folder).filter { Files.exists("\(folder)/\($0)/manifest.json") } : []
    guard !names.isEmpty else { throw WeirError(dataset.path, "has no vectors", remedy: "make them with weir embed \(dataset.path)") }
    if let name, !names.contains(name) {
      throw WeirError(
        dataset.path, "has no vectors \(name), but \(names.joined(separator: ", "))", remedy: "make them with weir embed \(dataset.path)")
    }
    for name in name.map({ [$0] }) ?? names {
      let vectors = try WindowVectors("\(folder)/\(name)")
      if embedder.map({ $0 == vectors.embedder }) ?? true {
        try vectors.check(dataset: dataset.fingerprint, windows: dataset.windowCount)
        return vectors
      }
    }
    throw WeirError(
      dataset.path, "has vectors of another embedder than the tree's",
      remedy: "make them with weir embed \(dataset.path) --model TREE, or fit the tree again")
  }

  /// The assignment of a dataset that satisfies `isWanted`.
  static func assignment(of dataset: TokenDataset, where isWanted: (ClusterAssignment) -> Bool) throws -> ClusterAssignment {
    let folder = dataset.path + "/clusters"
    let names = Files.isFolder(folder) ? try Files.entries(of: folder).filter { Files.exists("\(folder)/\($0)/manifest.json") } : []
    for name in names {
      let assignment = try ClusterAssignment(folder: "\(folder)/\(name)")
      if isWanted(assignment) {
        try assignment.check(dataset: dataset.fingerprint, windows: dataset.windowCount)
        return assignment
      }
    }
    throw WeirError(dataset.path, "is not assigned to this tree", remedy: "run weir cluster assign \(dataset.path) --tree TREE")
  }

  /// Windows by leaf.
  static func windows(_ assignment: ClusterAssignment) -> [[UInt32]] {
    let index = assignment.index
    return (0..<assignment.leafCount).map { Array(index.windows(of: $0)) }
  }

  /// Tokens of every window.
  static func lengths(_ dataset: TokenDataset) -> [Int] { (0..<dataset.windowCount).map { dataset.window($0).count } }

  /// The embedder that a tree carries with it.
  static func embedder(of tree: StoredTree) throws -> any Embedder {
    let embedder = try Embedders.load(tree.path)
    try tree.check(embedder: embedder.fingerprint)
    return embedder
  }

  /// A node's child numbers from the root down.
  static func path(of node: Int, in tree: ClusterTree) -> [Int] {
    var path: [Int] = []
    var node = node
    while tree.nodes[node].parent >= 0 {
      let parent = tree.nodes[node].parent
      path.insert(node - tree.nodes[parent].firstChild, at: 0)
      node = parent
    }
    return path
  }
}

/// Vectors as `weir cluster` takes them: a dataset's, or a `.npy` of no dataset.
enum Vectors {
  /// Whether a path names an array.
  static func isArray(_ path: String) -> Bool { path.hasSuffix(".npy") }

  /// Files and folders that are read.
  static func inputs(_ path: String, name: String?) -> [String] {
    isArray(path) ? [path] : [path, Clusters.vectorsFolder(path, name ?? "lsi")]
  }

  /// Opens vectors by name or by the embedder that a tree understands.
  static func open(_ path: String, embedder: String? = nil, name: String? = nil) throws -> WindowVectors {
    isArray(path)
      ? try WindowVectors(array: path, name: "external")
      : try Clusters.vectors(of: TokenDataset(path), embedder: embedder, name: name)
  }
}
