import Primitives
import Storage

/// The leaf of every window of a dataset: a folder (`DATASET/clusters/NAME`) with `leaves.safetensors` and a manifest.
package struct ClusterAssignment: Sendable, Equatable {
  package static let format = "weir.cluster-assignment.1"
  package static let fileName = "leaves.safetensors"

  /// The maximum number of leaves: four times those of a tree of arity 64 and depth 4.
  package static let mostLeaves = 1 << 26

  /// The fingerprint of the dataset.
  package var dataset: String
  /// The fingerprint of the cluster tree.
  package var tree: String
  /// The number of leaves of the tree.
  package var leafCount: Int
  /// [windows] the leaf of each window.
  package var leaves: [UInt32]
  /// The fingerprint of the assignment; empty before it is written.
  package var fingerprint: String

  package init(dataset: String, tree: String, leafCount: Int, leaves: [UInt32], fingerprint: String = "") {
    self.dataset = dataset
    self.tree = tree
    self.leafCount = leafCount
    self.leaves = leaves
    self.fingerprint = fingerprint
  }

  /// Reads an assignment and checks every leaf.
  package init(folder: String) throws {
    guard Files.isFolder(folder) else {
      throw WeirError(folder, "is not a cluster assignment", remedy: "make one with `weir cluster assign`")
    }
    let manifest = try Manifest.read(folder: folder, format: Self.format)
    let leafCount = try manifest.count("leaves", in: folder, range: 1...Self.mostLeaves)
    let windows = try manifest.count("windows", in: folder)
    let file = try SafetensorsFile(manifest.open(Self.fileName, in: folder))
    guard file.dtype("leaf") == .U32, file.shape("leaf") == [windows] else {
      throw WeirError(file.path, "has no U32 tensor \"leaf\" of \(windows) windows", remedy: "assign the dataset again")
    }
    let leaves = try file.withBytes("leaf") { bytes in
      try (0..<windows).map { window in
        let leaf: UInt32 = bytes.integer(at: 4 * window)
        guard leaf < leafCount else {
          throw WeirError(file.path, "window \(window) is in leaf \(leaf) of \(leafCount)", remedy: "assign the dataset again")
        }
        return leaf
      }
    }
    self.init(
      dataset: try manifest.input("dataset", in: folder), tree: try manifest.input("tree", in: folder), leafCount: leafCount,
      leaves: leaves, fingerprint: manifest.fingerprint)
  }

  /// Writes the assignment atomically.
  /// - Parameters:
  ///   - replacing: whether an existing Weir folder may be replaced.
  ///   - tool: tool and version for the manifest.
  /// - Returns: the assignment with its fingerprint.
  package func write(to folder: String, replacing: Bool = false, tool: String) throws -> ClusterAssignment {
    let output = try AtomicFolder(folder, replacing: replacing)
    let bytes = leaves.reduce(into: []) { $0.append(integer: $1) }
    _ = try Safetensors.write(
      output.working + "/" + Self.fileName, tensors: [("leaf", .U32, [leaves.count], bytes)], metadata: ["format": Self.format])
    let manifest = try output.commit(
      format: Self.format, tool: tool, inputs: ["dataset": dataset, "tree": tree], configuration: .object([:]),
      counts: ["leaves": leafCount, "windows": leaves.count])
    var result = self
    result.fingerprint = manifest.fingerprint
    return result
  }

  /// Throws if the assignment belongs to another dataset.
  package func check(dataset: String, windows: Int) throws {
    guard self.dataset == dataset, leaves.count == windows else {
      throw WeirError(
        "cluster assignment", "belongs to another dataset, or the dataset has changed", remedy: "run `weir cluster assign` again")
    }
  }

  /// The windows of each leaf.
  package var index: LeafIndex { LeafIndex(leaves: leaves, leafCount: leafCount) }
}
