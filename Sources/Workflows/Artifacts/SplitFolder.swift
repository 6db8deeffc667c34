import Primitives
import Storage

/// The folder of a split: `split.json`, the trunk, and one run per branch.
package struct SplitFolder: Artifact {
  package static let format = "weir.split.1"
  package static let form = ArtifactForm.folder
  package static let fileKinds = [fileName: "split"]
  private static let fileName = "split.json"

  package let path: String

  package init(_ path: String) { self.path = path }

  /// Dataset, tree, branches and token counts of the split.
  package var description: String { path + "/" + Self.fileName }

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.contains(fileName) }

  package static func open(_ path: String) throws -> SplitFolder {
    let split = SplitFolder(path)
    guard Files.exists(split.description) else {
      throw WeirError(path, "is not a split folder (no \(fileName))", remedy: "make one with `weir split`")
    }
    return split
  }
}
