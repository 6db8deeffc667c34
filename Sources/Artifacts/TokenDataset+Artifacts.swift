import Primitives
import Storage
import Tokens

extension TokenDataset {
  /// Opens the vectors with a name, or the first ones.
  /// - Parameter embedder: only accept vectors of the embedder with this fingerprint.
  package func vectors(name: String? = nil, embedder: String? = nil) throws -> WindowVectors {
    let folders = try folder.folders(.vectors)
    guard !folders.isEmpty else { throw WeirError(path, "has no vectors", remedy: "make them with `weir embed \(path)`") }
    let named = folders.filter { folder in name.map { folder.hasSuffix("/\($0)") } ?? true }
    if let name, named.isEmpty {
      let names = folders.map { $0.split(separator: "/").last.map(String.init) ?? $0 }.joined(separator: ", ")
      throw WeirError(path, "has no vectors named \(name), only \(names)", remedy: "make them with `weir embed \(path)`")
    }
    for folder in named {
      let vectors = try WindowVectors(folder)
      if embedder.map({ $0 == vectors.embedder }) ?? true {
        try vectors.check(dataset: fingerprint, windows: windowCount)
        return vectors
      }
    }
    throw WeirError(
      path, "has no vectors of the tree's embedder", remedy: "make them with `weir embed \(path) --model TREE`, or fit the tree again")
  }

  /// Opens the assignment to a tree.
  package func assignment(to tree: StoredTree) throws -> ClusterAssignment {
    if let found = try assignment(in: .clusters, where: { $0.tree == tree.fingerprint }) { return found }
    throw WeirError(path, "is not assigned to the tree \(tree.path)", remedy: "run `weir cluster assign \(path) --tree \(tree.path)`")
  }

  /// Opens the assignment that a mixture was made from: to the leaves of a tree, or to the windows that a scoring method keeps and the rest.
  /// - Parameter file: the mixture's file, for errors.
  package func assignment(of mixture: Mixture, file: String) throws -> ClusterAssignment {
    let isWanted = { (assignment: ClusterAssignment) in assignment.fingerprint == mixture.assignment }
    guard let found = try assignment(in: .clusters, where: isWanted) ?? assignment(in: .selections, where: isWanted) else {
      throw WeirError(
        file, "samples from clusters that \(path) is not assigned to, or no longer",
        remedy: "assign it again with `weir cluster assign`, then rebuild the mixture with `weir sample`")
    }
    let windows = found.index
    guard found.leafCount == mixture.clusters.count, mixture.clusters.allSatisfy({ $0.windows == windows.count(of: $0.leaf) }) else {
      throw WeirError(
        file, "its \(mixture.clusters.count) clusters do not match the \(found.leafCount) that \(path) is assigned to",
        remedy: "rebuild it with `weir sample`")
    }
    return found
  }

  /// Opens the dataset of the specialist seed that a mixture samples from instead of the corpus.
  /// - Parameter file: the mixture's file, for errors.
  package func specialistSeed(fingerprint: String, file: String) throws -> TokenDataset {
    for folder in try folder.folders(.seeds) {
      let seed = try TokenDataset(folder)
      if seed.fingerprint == fingerprint { return seed }
    }
    throw WeirError(
      file, "samples from a specialist seed that is missing in \(path)/\(DatasetFolder.Kind.seeds.rawValue)",
      remedy: "rebuild the mixture with `weir sample`")
  }

  private func assignment(in kind: DatasetFolder.Kind, where isWanted: (ClusterAssignment) -> Bool) throws -> ClusterAssignment? {
    for folder in try folder.folders(kind) {
      let assignment = try ClusterAssignment(folder: folder)
      if isWanted(assignment) {
        try assignment.check(dataset: fingerprint, windows: windowCount)
        return assignment
      }
    }
    return nil
  }
}
