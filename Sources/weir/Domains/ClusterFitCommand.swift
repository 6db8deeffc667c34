import ArgumentParser
import Artifacts
import Clustering
import Kernels
import Primitives
import Workflows

/// `weir cluster fit DATASET -o TREE`.
struct ClusterFitCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit a cluster tree by hierarchical k-means.",
    discussion: """
      Clusters the windows of a dataset: at most 1,024 consecutive tokens of one document each. A node with n windows has at most n / --min-leaf-size children. The embedder is stored with the tree, so the tree \
      alone is enough to assign new documents.

      EXAMPLES:
        weir cluster fit out/dataset --branching-factor 4 --depth 3 -o out/tree
      """)

  @Argument(help: ArgumentHelp("Token dataset with vectors, or a .npy of float32 vectors.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Name of the vectors to use. (default: the first)", valueName: "name"))
  var vectors: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var output: String

  @Option(name: .customLong("branching-factor"), help: ArgumentHelp("Branching factor: children per node.", valueName: "n"))
  var arity = 64

  @Option(help: ArgumentHelp("Number of levels.", valueName: "n"))
  var depth = 1

  @Option(help: ArgumentHelp("Minimum number of leaves at --depth, instead of --branching-factor.", valueName: "n"))
  var leaves: Int?

  @Flag(help: "Balance cluster sizes during fitting (assignment still uses the nearest centroid).")
  var balanced = false

  @Flag(help: "Use Euclidean instead of spherical (cosine) k-means.")
  var euclidean = false

  @Option(help: ArgumentHelp("Maximum k-means iterations.", valueName: "n"))
  var iterations = 30

  @Option(
    name: .customLong("min-leaf-size"), help: ArgumentHelp("Minimum number of windows per child of a node, on average.", valueName: "n"))
  var minimumLeaf = 32

  @Option(help: ArgumentHelp("Maximum windows to fit the tree on. (default: all)", valueName: "n"))
  var sample: Int?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    [
      "arity": "--branching-factor", "depth": "--depth", "minimumLeaf": "--min-leaf-size", "sample": "--sample",
      "iterations": "--iterations",
    ]
  }
  var inputs: [String] { Vectors.inputs(dataset, name: vectors) }
  var outputs: [String] { [output] }

  func validate() throws {
    guard (2...ClusterAssignment.mostLeaves).contains(leaves ?? 2), iterations >= 0 else {
      throw ValidationError("--leaves must be in 2…\(ClusterAssignment.mostLeaves), and --iterations at least 0")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    let vectors = try Vectors.open(dataset, name: vectors)
    var configuration = TreeFit.Configuration()
    (configuration.arity, configuration.depth, configuration.minimumLeaf, configuration.sample) = (arity, depth, minimumLeaf, sample)
    if let leaves {
      configuration.setArity(leaves: leaves)
      guard configuration.arity <= TreeFit.Configuration.mostArity else {
        throw WeirError(
          "--leaves", "\(leaves) leaves at --depth \(depth) need more than \(TreeFit.Configuration.mostArity) children per node",
          remedy: "raise --depth, or ask for fewer leaves")
      }
    }
    (configuration.kMeans.balanced, configuration.kMeans.spherical) = (balanced, !euclidean)
    (configuration.kMeans.iterations, configuration.kMeans.randomSeed) = (iterations, seed.seed)
    let start = ContinuousClock.now
    let stored = try session.with("cluster") { progress in
      try ClusterDataset.fit(
        vectors, to: output, replacing: true, configuration: configuration, tool: Weir.tool, pool: ThreadPool(threads: session.threads),
        progress: progress)
    }
    let levels = (1...max(1, stored.tree.depth)).map { stored.tree.nodes(atLevel: $0).count }
    return Outcome(
      report: .object([
        "leaves": .number(Double(stored.tree.leafCount)), "depth": .number(Double(stored.tree.depth)),
        "seconds": .number((ContinuousClock.now - start).seconds),
      ]),
      lines: ["  \(stored.tree.leafCount) leaves; nodes per level: \(levels.map(String.init).joined(separator: ", "))"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    let windows = max(size.documents, size.tokens / 1024)
    return Forecast.Row(documents: size.documents, memory: windows * 128 * 8, disk: 35e6)
  }
}
