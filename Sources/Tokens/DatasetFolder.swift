import Foundation
import Storage

/// The paths inside a token dataset's folder of what was made from the dataset.
package struct DatasetFolder: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Window vectors.
    case vectors
    /// Cluster assignments.
    case clusters
    /// The windows that scoring methods keep.
    case selections
    /// Window scores.
    case scores
    /// The specialist seeds that mixtures sample from, as token datasets.
    case seeds
    /// Packed rows.
    case rows
  }

  package let path: String

  package init(_ path: String) { self.path = path }

  /// The folder of the dataset's tokenizer.
  package var tokenizer: String { path + "/tokenizer" }
  package var tokenizerFile: String { tokenizer + "/tokenizer.json" }

  package func vectors(_ name: String) -> String { entry(.vectors, name) }

  /// The assignment to a tree: it is called like the tree's folder.
  package func assignment(tree: String) -> String { entry(.clusters, tree.split(separator: "/").last.map(String.init) ?? "tree") }

  package func rows(_ name: String) -> String { entry(.rows, name) }

  package func scores(_ name: String) -> String { entry(.scores, name) }

  /// What belongs to a mixture file. Its name is the mixture's path from the folder that the dataset and the mixture share, so that mixtures
  /// with the same name in two folders do not collide.
  package func entry(_ kind: Kind, mixture file: String) -> String {
    func parts(_ path: String) -> [String] { URL(fileURLWithPath: path).standardizedFileURL.pathComponents }
    let home = parts(path), own = parts(file.hasSuffix(".json") ? String(file.dropLast(5)) : file)
    let shared = zip(home, own).prefix { $0 == $1 }.count
    let name = own.dropFirst(shared).joined(separator: "+")
    // A file name has at most 255 bytes.
    return entry(kind, name.utf8.count <= 200 ? name : "mixture-" + Checksum.hex(Checksum.xxh3(Array(name.utf8))))
  }

  /// The folders of a kind that are complete.
  package func folders(_ kind: Kind) throws -> [String] {
    let folder = "\(path)/\(kind.rawValue)"
    guard Files.isFolder(folder) else { return [] }
    return try Files.entries(of: folder).map { "\(folder)/\($0)" }.filter { Files.exists("\($0)/\(Manifest.fileName)") }
  }

  private func entry(_ kind: Kind, _ name: String) -> String { "\(path)/\(kind.rawValue)/\(name)" }
}

extension TokenDataset {
  package var folder: DatasetFolder { DatasetFolder(path) }

  /// [windows] tokens of each window.
  package var windowLengths: [Int] { (0..<windowCount).map { window($0).count } }
}
