import Artifacts
import Kernels
import Pipeline
import Primitives
import Storage

/// Fits a tree on the vectors of a dataset, and assigns the windows to its leaves.
package enum ClusterDataset {
  /// Fits a tree and writes its folder, with the embedder in it.
  /// - Parameters:
  ///   - folder: the output.
  ///   - replacing: whether to replace a Weir folder that exists there.
  ///   - tool: name and version of the program, for the manifest.
  ///   - pool: the result does not depend on its number of threads.
  package static func fit(
    _ vectors: WindowVectors, to folder: String, replacing: Bool = false, configuration: TreeFit.Configuration = TreeFit.Configuration(),
    tool: String, pool: ThreadPool, progress: Progress = .silent
  ) throws -> StoredTree {
    try configuration.validate()
    if !replacing && Files.exists(folder + "/" + Manifest.fileName) {
      throw WeirError(folder, "exists", remedy: "remove it or choose another name")
    }
    // The copy of the embedder gets checksums of its own, which would hide a damage.
    try vectors.manifest.check(in: vectors.path) { $0.hasPrefix(StoredTree.embedderFolder + "/") }
    try vectors.checkFinite()
    let tree = try vectors.withVectors { buffer -> ClusterTree in
      guard let base = buffer.baseAddress, vectors.count > 0 else {
        throw WeirError(vectors.path, "contains no vectors", remedy: "embed a dataset with text")
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
  /// - Parameter documents: the windows of each document, in order: all of them get the leaf of the mean of their vectors. Nil to assign each window.
  /// - Throws: `WeirError` if the vectors come from another embedder than those of the tree.
  package static func assign(
    _ vectors: WindowVectors, tree: StoredTree, documents: [Range<Int>]? = nil, pool: ThreadPool, progress: Progress = .silent
  ) throws -> ClusterAssignment {
    guard tree.tree.embedder != vectors.embedder || tree.tree.dimensions == vectors.dimensions else {
      throw WeirError(
        vectors.path, "has vectors of \(vectors.dimensions) dimensions, the tree \(tree.path) was fitted on \(tree.tree.dimensions)",
        remedy: "use the vectors that the tree was fitted on")
    }
    guard tree.tree.embedder == vectors.embedder else {
      throw WeirError(
        vectors.path, "the vectors come from another embedder than the tree \(tree.path)",
        remedy: "embed with `weir embed --model \(tree.path)`, or fit the tree again")
    }
    guard vectors.count <= Int(UInt32.max) else { throw WeirError(vectors.path, "contains more than 4,294,967,295 vectors") }
    try vectors.checkFinite()
    let router = TreeRouter(tree.tree)
    var leaves: [UInt32] = []
    leaves.reserveCapacity(vectors.count)
    try vectors.withVectors { buffer in
      guard let base = buffer.baseAddress else { return }
      if let documents { return leaves = try self.leaves(of: documents, base, tree: router, vectors, pool, progress) }
      for start in stride(from: 0, to: vectors.count, by: 65_536) {
        try progress.checkStop()
        progress.update(Double(start), of: Double(vectors.count), unit: "windows")
        leaves += router.leaves(base + start * vectors.dimensions, count: min(65_536, vectors.count - start), pool: pool)
      }
    }
    return ClusterAssignment(dataset: vectors.dataset, tree: tree.fingerprint, leafCount: tree.tree.leafCount, leaves: leaves)
  }

  /// [windows] the leaf of the mean vector of each window's document.
  private static func leaves(
    of documents: [Range<Int>], _ base: UnsafePointer<Float>, tree: TreeRouter, _ vectors: WindowVectors, _ pool: ThreadPool,
    _ progress: Progress
  ) throws -> [UInt32] {
    let dimensions = vectors.dimensions
    var leaves: [UInt32] = []
    leaves.reserveCapacity(vectors.count)
    for start in stride(from: 0, to: documents.count, by: 16_384) {
      try progress.checkStop()
      progress.update(Double(start), of: Double(documents.count), unit: "documents")
      let some = documents[start..<min(documents.count, start + 16_384)]
      var means = [Float](repeating: 0, count: some.count * dimensions)
      for (number, windows) in some.enumerated() {
        for window in windows {
          for dimension in 0..<dimensions { means[number * dimensions + dimension] += base[window * dimensions + dimension] }
        }
        let scale = 1 / Float(max(1, windows.count))
        for dimension in 0..<dimensions { means[number * dimensions + dimension] *= scale }
      }
      let found = try tree.leaves(means, pool: pool)
      for (windows, leaf) in zip(some, found) { leaves += [UInt32](repeating: leaf, count: windows.count) }
    }
    return leaves
  }
}
