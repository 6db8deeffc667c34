import Artifacts
import Kernels
import Pipeline
import Primitives
import Storage

/// Fits a tree on the vectors of a dataset, and assigns the dataset's windows to its leaves.
package enum ClusterDataset {
  /// Fits a tree and writes its folder, the embedder in it.
  /// - Parameters:
  ///   - vectors: the windows' vectors.
  ///   - folder: where; one of ours that is there is replaced when `replacing`.
  ///   - replacing: whether one of ours that is there is replaced.
  ///   - configuration: the settings.
  ///   - tool: what writes it, with its version.
  ///   - pool: where the work runs; the result does not depend on its number of threads.
  ///   - progress: is told how far it is, and may stop it.
  package static func fit(
    _ vectors: WindowVectors, to folder: String, replacing: Bool = false, configuration: TreeFit.Configuration = TreeFit.Configuration(),
    tool: String, pool: ThreadPool, progress: Progress = .silent
  ) throws -> StoredTree {
    try configuration.validate()
    if !replacing && Files.exists(folder + "/" + Manifest.fileName) {
      throw WeirError(folder, "exists", remedy: "remove it or choose another name")
    }
    try vectors.checkFinite()
    let tree = try vectors.withVectors { buffer -> ClusterTree in
      guard let base = buffer.baseAddress, vectors.count > 0 else {
        throw WeirError(vectors.path, "holds no vectors", remedy: "embed a dataset with text")
      }
      return try TreeFit.run(
        vectors: base, count: vectors.count, dimensions: vectors.dimensions, embedder: vectors.embedder, configuration: configuration,
        pool: pool, progress: progress)
    }
    let embedder = vectors.path + "/" + StoredTree.embedderFolder
    return try StoredTree.write(
      tree, to: folder, replacing: replacing, embedder: Files.isFolder(embedder) ? embedder : nil,
      inputs: ["dataset": vectors.dataset, "tokenizer": vectors.tokenizer, "vectors": vectors.fingerprint],
      configuration: JSONValue(encoding: configuration), tool: tool)
  }

  /// Assigns every window to its leaf, without writing.
  /// - Throws: `WeirError` where the vectors are those of another embedder.
  package static func assign(_ vectors: WindowVectors, tree: StoredTree, pool: ThreadPool, progress: Progress = .silent) throws
    -> ClusterAssignment
  {
    guard tree.tree.embedder != vectors.embedder || tree.tree.dimensions == vectors.dimensions else {
      throw WeirError(
        vectors.path, "has vectors of \(vectors.dimensions) dimensions, the tree \(tree.path) was fitted on \(tree.tree.dimensions)",
        remedy: "name the vectors that the tree was fitted on")
    }
    guard tree.tree.embedder == vectors.embedder else {
      throw WeirError(
        vectors.path, "the vectors come from another embedder than the tree \(tree.path)",
        remedy: "embed with the tree's embedder (weir embed --model \(tree.path)) or fit the tree again")
    }
    guard vectors.count <= Int(UInt32.max) else { throw WeirError(vectors.path, "more than 4,294,967,295 windows") }
    try vectors.checkFinite()
    let router = TreeRouter(tree.tree)
    var leaves: [UInt32] = []
    leaves.reserveCapacity(vectors.count)
    try vectors.withVectors { buffer in
      guard let base = buffer.baseAddress else { return }
      for start in stride(from: 0, to: vectors.count, by: 65_536) {
        try progress.checkStop()
        progress.update(Double(start), of: Double(vectors.count), unit: "windows")
        leaves += router.leaves(base + start * vectors.dimensions, count: min(65_536, vectors.count - start), pool: pool)
      }
    }
    return ClusterAssignment(dataset: vectors.dataset, tree: tree.fingerprint, leafCount: tree.tree.leafCount, leaves: leaves)
  }
}
