import Storage

/// What a split consists of: `SPLIT/split.json`.
package struct SplitFile: Codable, Sendable, Equatable {
  package var format = SplitFolder.format
  package var dataset: String
  package var tree: String
  /// The fingerprint of the tree, whose centroids are the router.
  package var treeFingerprint: String
  package var level: Int
  package var trunkTokens: Int
  package var branchTokens: [Int]
  /// Model folders, relative to the split's folder.
  package var branches: [String]
  /// The general model of the same compute, if there is one.
  package var full: String?
  /// Terms that distinguish each domain from the others.
  package var terms: [[String]]

  package static func read(folder: String) throws -> SplitFile {
    try JSONFile.read(SplitFile.self, from: SplitFolder.open(folder).description)
  }
}
