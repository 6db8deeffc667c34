import Artifacts
import Embedding
import Foundation
import Kernels
import Primitives
import Storage
import Tokens

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
    let folders = try folders(dataset.path, "vectors")
    guard !folders.isEmpty else { throw WeirError(dataset.path, "has no vectors", remedy: "make them with weir embed \(dataset.path)") }
    let named = folders.filter { folder in name.map { folder.hasSuffix("/\($0)") } ?? true }
    if let name, named.isEmpty {
      let names = folders.map { $0.split(separator: "/").last.map(String.init) ?? $0 }.joined(separator: ", ")
      throw WeirError(dataset.path, "has no vectors \(name), but \(names)", remedy: "make them with weir embed \(dataset.path)")
    }
    for folder in named {
      let vectors = try WindowVectors(folder)
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
    if let found = try assignment(of: dataset, in: "clusters", where: isWanted) { return found }
    throw WeirError(dataset.path, "is not assigned to this tree", remedy: "run weir cluster assign \(dataset.path) --tree TREE")
  }

  /// The assignment that a mixture was made from: to a tree's leaves, or to what a method kept and what not.
  static func assignment(of dataset: TokenDataset, mixture: Mixture, path: String) throws -> ClusterAssignment {
    let isWanted = { (assignment: ClusterAssignment) in assignment.fingerprint == mixture.assignment }
    let found =
      try assignment(of: dataset, in: "clusters", where: isWanted) ?? assignment(of: dataset, in: selections, where: isWanted)
    guard let found else {
      throw WeirError(
        path, "draws from clusters that \(dataset.path) is not assigned to (any more)",
        remedy: "assign it again with weir cluster assign, then make the mixture again with weir sample")
    }
    let windows = found.index
    guard found.leafCount == mixture.clusters.count,
      mixture.clusters.allSatisfy({ $0.windows == windows.count(of: $0.leaf) })
    else {
      throw WeirError(
        path, "its \(mixture.clusters.count) clusters are not the \(found.leafCount) that \(dataset.path) is assigned to",
        remedy: "make it again with weir sample")
    }
    return found
  }

  /// Where a dataset keeps what scoring methods chose: `DATASET/selections/MIXTURE`.
  static let selections = "selections"
  /// Where a dataset keeps the windows' scores, by method and all that they depend on: `DATASET/scores/METHOD-HASH`.
  static let scores = "scores"
  /// Where a dataset keeps the seeds that mixtures draw from: `DATASET/seeds/MIXTURE`.
  static let seeds = "seeds"

  /// A folder of a mixture's own in its dataset, by where the mixture lies beside the dataset: mixtures of one name in two folders have two.
  static func folder(_ dataset: String, _ kind: String, mixture path: String) -> String {
    func parts(_ path: String) -> [String] { URL(fileURLWithPath: path).standardizedFileURL.pathComponents }
    let home = parts(dataset), own = parts(path.hasSuffix(".json") ? String(path.dropLast(5)) : path)
    let shared = zip(home, own).prefix { $0 == $1 }.count
    let name = own.dropFirst(shared).joined(separator: "+")
    // A file's name has at most 255 bytes.
    return "\(dataset)/\(kind)/" + (name.utf8.count <= 200 ? name : "mixture-" + Checksum.hex(Checksum.xxh3(Array(name.utf8))))
  }

  private static func assignment(
    of dataset: TokenDataset, in kind: String, where isWanted: (ClusterAssignment) -> Bool
  ) throws -> ClusterAssignment? {
    for folder in try folders(dataset.path, kind) {
      let assignment = try ClusterAssignment(folder: folder)
      if isWanted(assignment) {
        try assignment.check(dataset: dataset.fingerprint, windows: dataset.windowCount)
        return assignment
      }
    }
    return nil
  }

  /// The folders with a manifest of one kind in a dataset.
  static func folders(_ dataset: String, _ kind: String) throws -> [String] {
    let folder = "\(dataset)/\(kind)"
    guard Files.isFolder(folder) else { return [] }
    return try Files.entries(of: folder).map { "\(folder)/\($0)" }.filter { Files.exists("\($0)/manifest.json") }
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
