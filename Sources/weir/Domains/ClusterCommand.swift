import ArgumentParser
import Artifacts
import Clustering
import Embedding
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens
import Workflows

/// `weir cluster`: domains of a corpus.
struct ClusterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Cluster windows into a tree of domains.",
    subcommands: [ClusterFitCommand.self, ClusterAssignCommand.self, ClusterShowCommand.self])
}

/// `weir cluster fit DATASET -o TREE`.
struct ClusterFitCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit a cluster tree by hierarchical k-means.",
    discussion: """
      A node with n windows has at most n / --min-leaf-size children. The embedder is stored with the tree, so the tree \
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

  @Option(name: .customLong("min-leaf-size"), help: ArgumentHelp("Minimum windows per leaf to aim for.", valueName: "n"))
  var minimumLeaf = 32

  @Option(help: ArgumentHelp("Maximum windows to fit the tree on. (default: all)", valueName: "n"))
  var sample: Int?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var randomSeed: UInt64? { seed.seed }

  var propertyFlags: PropertyFlags {
    [
      "arity": "--branching-factor", "depth": "--depth", "minimumLeaf": "--min-leaf-size", "sample": "--sample",
      "iterations": "--iterations",
    ]
  }
  var inputs: [String] { Vectors.inputs(dataset, name: vectors) }
  var outputs: [String] { [output] }

  func validate() throws {
    guard leaves ?? 2 >= 2, iterations >= 0 else { throw ValidationError("--leaves counts from 2, --iterations from 0") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let vectors = try Vectors.open(dataset, name: vectors)
    var configuration = TreeFit.Configuration()
    configuration.arity = arity
    configuration.depth = depth
    if let leaves { configuration.setArity(leaves: leaves) }
    configuration.kMeans.balanced = balanced
    configuration.kMeans.spherical = !euclidean
    configuration.kMeans.iterations = iterations
    configuration.minimumLeaf = minimumLeaf
    configuration.sample = sample
    configuration.kMeans.randomSeed = seed.seed
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
        "seconds": .number((ContinuousClock.now - start) / .seconds(1)),
      ]),
      lines: ["  \(stored.tree.leafCount) leaves; nodes per level: \(levels.map(String.init).joined(separator: ", "))"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    let windows = max(size.documents, size.tokens / 1024)
    return Forecast.Row(documents: size.documents, memory: windows * 128 * 8, disk: 35e6)
  }
}

/// `weir cluster assign DATASET --tree TREE`.
struct ClusterAssignCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract: "Assign every window of a dataset to a leaf cluster.",
    discussion: """
      Descends the tree to the nearest centroid at each level. The assignment is written to DATASET/clusters/NAME, where \
      NAME is the tree's, or to --output.

      EXAMPLES:
        weir cluster assign out/dataset --tree out/tree
      """)

  @Argument(help: ArgumentHelp("Token dataset with vectors, or a .npy of float32 vectors.", valueName: "dataset"))
  var dataset: String

  @Option(
    name: [.customShort("o"), .long], help: ArgumentHelp("Output folder; required for a .npy.", valueName: "folder"))
  var output: String?

  @Option(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @OptionGroup var common: CommonOptions

  var inputs: [String] { Vectors.inputs(dataset, name: nil) + [tree] }
  var outputs: [String] { [output ?? DatasetFolder(dataset).assignment(tree: tree)] }

  func validate() throws {
    guard output != nil || !Vectors.isArray(dataset) else {
      throw ValidationError("name a folder for the assignment of a .npy with --output")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    let stored = try StoredTree(tree)
    let vectors = try Vectors.open(dataset, embedder: stored.tree.embedder)
    let pool = ThreadPool(threads: session.threads)
    let start = ContinuousClock.now
    var assignment = try session.with("assign") { try ClusterDataset.assign(vectors, tree: stored, pool: pool, progress: $0) }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    assignment = try assignment.write(to: outputs[0], replacing: true, tool: Weir.tool)
    let index = assignment.index
    let sizes = (0..<assignment.leafCount).map { index.count(of: $0) }.sorted()
    return Outcome(
      report: .object([
        "windows": .number(Double(assignment.leaves.count)), "leaves": .number(Double(assignment.leafCount)), "seconds": .number(seconds),
      ]),
      lines: [
        "  \(Format.count(assignment.leaves.count)) windows in \(assignment.leafCount) leaves of \(sizes.first ?? 0) to \(sizes.last ?? 0) windows"
      ])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    return Forecast.Row(documents: size.documents, disk: max(size.documents, size.tokens / 1024) * 4)
  }
}

/// `weir cluster show TREE --dataset DATASET`.
struct ClusterShowCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the size, characteristic terms and purity of each cluster.",
    discussion: """
      Purity and mutual information are measured against metadata.domain of the documents (else their source); no stage uses \
      these labels.

      EXAMPLES:
        weir cluster show out/tree --dataset out/dataset --depth 1
      """)

  @Argument(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @Option(help: ArgumentHelp("Token dataset with an assignment to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Number of levels to show. (default: all)", valueName: "n"))
  var depth: Int?

  @Option(help: ArgumentHelp("Sample texts per cluster, shown with --depth.", valueName: "n"))
  var samples = 1

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard samples >= 0, depth ?? 1 >= 1 else { throw ValidationError("--samples and --depth count from 0 and 1") }
  }

  var inputs: [String] { [tree, dataset, DatasetFolder(dataset).assignment(tree: tree)] }

  func perform(_ session: Session) throws -> Outcome {
    let stored = try StoredTree(tree)
    let report = try session.with("show") { progress in
      try ClusterContents.report(
        dataset: TokenDataset(dataset), tree: stored, depth: depth, samples: samples, progress: progress)
    }
    var lines = [
      "  \(Format.count(report.windows)) windows, \(Format.short(Double(report.tokens))) tokens, \(report.leaves) leaves (\(report.emptyLeaves) empty)"
        + (report.purity.map { String(format: "; purity %.2f", $0) } ?? "")
        + (report.mutualInformation.map { String(format: ", mutual information with the label %.2f", $0) } ?? "")
    ]
    let rows = report.nodes.filter { $0.level > 0 }.map { node in
      [
        String(repeating: " ", count: node.level - 1) + stored.tree.name(of: node.node), Format.count(node.windows),
        String(format: "%.1f %%", node.share * 100),
        node.purity.map { String(format: "%.2f", $0) } ?? "–", node.labels.first?.label ?? "–",
        node.terms.map { $0.word }.joined(separator: " "),
      ]
    }
    lines.append(TextTable(["cluster", "windows", "tokens", "purity", "label", "terms"], rows: rows).text())
    if samples > 0, depth != nil {
      for node in report.nodes where node.level > 0 {
        for sample in node.samples {
          lines.append("  \(stored.tree.name(of: node.node))  \(sample.text)")
        }
      }
    }
    return Outcome(report: try JSONValue(encoding: report), lines: lines)
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 100e6) }
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
    isArray(path)
      ? try WindowVectors(array: path, name: "external") : try TokenDataset(path).vectors(name: name, embedder: embedder)
  }
}
