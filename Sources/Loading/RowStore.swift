import Artifacts
import Foundation
import Primitives
import Storage
import Tokens

/// Finds the packed rows of a dataset in its folder, or packs it on first use.
package struct RowStore {
  package let path: String
  package let tokens: TokenReader
  private var folder: DatasetFolder { DatasetFolder(path) }

  package init(_ dataset: String) throws {
    path = dataset
    tokens = try TokenReader(dataset)
  }

  /// Opens the rows of `packing`, or makes them.
  /// - Parameters:
  ///   - other: a folder outside the dataset's.
  ///   - repairs: whether damaged rows are packed again.
  ///   - note: told the folder if it is made, again and again while another process makes it; may throw to stop waiting.
  package func rows(
    _ packing: PackDataset, in other: String? = nil, repairs: Bool = false, note: (String) throws -> Void = { _ in }
  ) throws -> PackedRows {
    let place = other ?? packing.folder(in: folder)
    while true {
      do {
        if let rows = try packing.existing(place, of: tokens) { return rows }
      } catch  where repairs {}
      try note(place)
      // Of several processes that need the rows, one makes them and the others wait for it.
      guard !OutputLock.isHeldElsewhere(place) else {
        Thread.sleep(forTimeInterval: 0.1)
        continue
      }
      guard other != nil || Files.isWritable(path) else {
        throw WeirError(
          path, "cannot be written, and does not have these rows yet",
          remedy: "pack them elsewhere with `weir pack \(path) -o FOLDER`, and give --rows FOLDER")
      }
      do {
        try packing.write(TokenDataset(path), to: place)
        return try PackedRows(place, dataset: tokens)
      } catch {
        guard OutputLock.isHeldElsewhere(place) else { throw error }
      }
    }
  }

  /// The groups that a mixture weights: the leaves of the assignment that it was made from.
  /// - Parameter file: the mixture's file, for errors.
  package func groups(of mixture: Mixture, file: String) throws -> RowGroups {
    for kind in [DatasetFolder.Kind.clusters, .selections] {
      for place in try folder.folders(kind) {
        let clusters = try RowGroups.Clusters(folder: place)
        guard clusters.fingerprint == mixture.assignment else { continue }
        let counts = try Manifest.read(folder: place).counts
        guard counts["leaves"] == mixture.clusters.count, counts["windows"] == mixture.clusters.reduce(0, { $0 + $1.windows }) else {
          throw WeirError(
            file, "its \(mixture.clusters.count) clusters do not match the \(counts["leaves"] ?? 0) that \(path) is assigned to",
            remedy: "rebuild it with `weir sample`")
        }
        return .clusters(clusters)
      }
    }
    throw WeirError(
      file, "samples from clusters that \(path) is not assigned to, or no longer",
      remedy: "assign it again with `weir cluster assign`, then rebuild the mixture with `weir sample`")
  }

  /// The groups of a tree's leaves, or of the nodes of a level.
  package func groups(of tree: StoredTree, level: Int? = nil) throws -> RowGroups {
    for place in try folder.folders(.clusters) {
      let clusters = try RowGroups.Clusters(folder: place, tree: level == nil ? nil : tree.tree, level: level)
      if clusters.treeFingerprint == tree.fingerprint { return .clusters(clusters) }
    }
    throw WeirError(path, "is not assigned to the tree \(tree.path)", remedy: "run `weir cluster assign \(path) --tree \(tree.path)`")
  }
}
