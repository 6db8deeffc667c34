import ArgumentParser
import Artifacts
import Tokens

/// `weir cluster`: domains of a corpus.
struct ClusterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Cluster windows into a tree of domains.",
    subcommands: [ClusterFitCommand.self, ClusterAssignCommand.self, ClusterShowCommand.self])
}

/// Vectors as `weir cluster` takes them: those of a dataset, or a `.npy` file without a dataset.
enum Vectors {
  static func isArray(_ path: String) -> Bool { path.hasSuffix(".npy") }

  /// Files and folders that are read.
  static func inputs(_ path: String, name: String?) -> [String] {
    isArray(path) ? [path] : [path, DatasetFolder(path).vectors(name ?? "lsi")]
  }

  /// Opens vectors by name, or those of the embedder with a fingerprint.
  static func open(_ path: String, embedder: String? = nil, name: String? = nil) throws -> WindowVectors {
    isArray(path) ? try WindowVectors(array: path, name: "external") : try TokenDataset(path).vectors(name: name, embedder: embedder)
  }
}
