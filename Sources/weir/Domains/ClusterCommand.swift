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

  var inputs: [String] { Vectors.inputs(dataset, name: vectors) }
  var outputs: [String] { [output] }

  func validate() throws {
    guard leaves ?? 2 >= 2, iterations >= 0 else { throw ValidationError("--leaves counts from 2, --iterations from 0") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let vectors = try Vectors.open(dataset, name: vectors)
    var configuration = TreeFit.Configuration()
    configuration.arity = arity
    if let leaves {
      // The least arity with enough leaves.
      while configuration.arity > 2, power(configuration.arity - 1, depth) >= leaves { configuration.arity -= 1 }
      while power(configuration.arity, depth) < leaves { configuration.arity += 1 }
    }
    configuration.kMeans.balanced = balanced
    configuration.kMeans.spherical = !euclidean
    configuration.kMeans.iterations = iterations
    configuration.depth = depth
    configuration.minimumLeaf = minimumLeaf
    configuration.sample = sample
    configuration.kMeans.seed = seed.seed
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
      lines: ["  \(stored.tree.leafCount) leaves; nodes a level: \(levels.map(String.init).joined(separator: ", "))"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    let windows = max(size.documents, size.tokens / 1024)
    return Forecast.Row(documents: size.documents, memory: windows * 128 * 8, disk: 35e6)
  }

  private func power(_ base: Int, _ exponent: Int) -> Int { (0..<exponent).reduce(1) { product, _ in min(product * base, 1 << 40) } }
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
  var outputs: [String] { [output ?? Clusters.assignmentFolder(dataset, tree: tree)] }

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
        "  \(Format.count(assignment.leaves.count)) windows on \(assignment.leafCount) leaves, \(sizes.first ?? 0) to \(sizes.last ?? 0) each"
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

  var inputs: [String] { [tree, dataset, Clusters.assignmentFolder(dataset, tree: tree)] }

  func perform(_ session: Session) throws -> Outcome {
    let report = try Self.report(dataset: dataset, tree: tree, depth: depth, samples: samples, session: session)
    let stored = try StoredTree(tree)
    var lines = [
      "  \(Format.count(report.windows)) windows, \(Format.short(Double(report.tokens))) tokens, \(report.leaves) leaves (\(report.emptyLeaves) empty)"
        + (report.purity.map { String(format: "; purity %.2f", $0) } ?? "")
        + (report.mutualInformation.map { String(format: ", mutual information with the label %.2f", $0) } ?? "")
    ]
    let rows = report.nodes.filter { $0.level > 0 }.map { node -> [String] in
      let path = Clusters.path(of: node.node, in: stored.tree).map(String.init).joined(separator: ".")
      return [
        String(repeating: " ", count: node.level - 1) + path, Format.count(node.windows), String(format: "%.1f %%", node.share * 100),
        node.purity.map { String(format: "%.2f", $0) } ?? "–", node.labels.first?.label ?? "–",
        node.terms.map { $0.word }.joined(separator: " "),
      ]
    }
    lines.append(TextTable(["cluster", "windows", "tokens", "purity", "label", "terms"], rows: rows).text())
    if samples > 0, depth != nil {
      for node in report.nodes where node.level > 0 {
        for sample in node.samples {
          lines.append("  \(Clusters.path(of: node.node, in: stored.tree).map(String.init).joined(separator: "."))  \(sample.text)")
        }
      }
    }
    return Outcome(report: try JSONValue(encoding: report), lines: lines)
  }

  /// Terms that tell each node of a level from its parent.
  static func terms(dataset: String, tree: String, level: Int, session: Session) throws -> [[String]] {
    let nodes = try StoredTree(tree).tree.nodes(atLevel: level)
    let report = try report(dataset: dataset, tree: tree, depth: level, samples: 0, session: session)
    return nodes.map { node in report.nodes.first { $0.node == node }?.terms.prefix(4).map { $0.word } ?? [] }
  }

  /// The report.
  static func report(dataset: String, tree: String, depth: Int?, samples: Int, session: Session) throws -> ClusterReport {
    let dataset = try TokenDataset(dataset)
    let stored = try StoredTree(tree)
    let assignment = try Clusters.assignment(of: dataset) { $0.tree == stored.fingerprint }
    let tokenizer = try Load.tokenizer(of: dataset)
    var labels: [String?] = []
    try dataset.forEachInfo { _, info in
      labels.append(Load.label(members: info.members, source: info.source))
      return true
    }
    var configuration = ClusterShow.Configuration()
    configuration.depth = depth
    configuration.samples = samples
    return try session.with("show") { progress in
      try ClusterShow.report(
        tree: stored.tree, assignment: assignment, lengths: Clusters.lengths(dataset),
        vectors: Clusters.vectors(of: dataset, embedder: stored.tree.embedder), configuration: configuration,
        text: { tokenizer.decode(try dataset.tokens(window: $0).map { UInt32($0) }.filter { $0 != UInt32(dataset.endOfDocument) }) },
        label: { labels[dataset.window($0).document] }, progress: progress)
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 100e6) }
}
