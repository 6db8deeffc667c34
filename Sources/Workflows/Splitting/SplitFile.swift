import Primitives
import Storage

/// What a split consists of: `SPLIT/split.json`, beside the trunk and one run per branch.
package struct SplitFile: Codable, Sendable, Equatable, Artifact {
  package static let format = "weir.split.1"
  package static let form = ArtifactForm.folder
  package static let fileKinds = [fileName: "split"]
  private static let fileName = "split.json"

  package var format = Self.format
  package var dataset: String
  package var tree: String
  /// The fingerprint of the tree, whose centroids are the router.
  package var treeFingerprint: String
  package var level: Int
  package var trunkTokens: Int
  package var branchTokens: [Int]
  /// Model folders, relative to the split's folder.
  package var branches: [String]
  /// The single-model baseline of the same compute, if there is one.
  package var full: String?
  /// Terms that distinguish each domain from the others.
  package var terms: [[String]]
  /// The evaluation on the held-out documents of `weir split`; nil without any, and in files of earlier versions.
  package var evaluation: SplitReport?

  /// Where a split in a folder is described.
  package static func path(in folder: String) -> String { folder + "/" + fileName }

  func write(in folder: String) throws {
    try ChecksumList.remove([Self.fileName], in: folder)
    try JSONFile.write(self, to: Self.path(in: folder))
    try ChecksumList.add([Self.fileName], in: folder)
  }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    _ = try open(path)
    try ChecksumList.noteMissing([fileName], in: path, context)
  }

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.contains(fileName) }

  package static func open(_ folder: String) throws -> SplitFile {
    guard Files.exists(path(in: folder)) else {
      throw WeirError(folder, "is not a split folder (no \(fileName))", remedy: "make one with `weir split`")
    }
    return try JSONFile.read(SplitFile.self, from: path(in: folder))
  }
}
