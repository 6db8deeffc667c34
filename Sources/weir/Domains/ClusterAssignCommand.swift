import ArgumentParser
import Artifacts
import Clustering
import Kernels
import Primitives
import Tokens
import Workflows

/// `weir cluster assign DATASET --tree TREE`.
struct ClusterAssignCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract: "Assign every window of a dataset to a leaf cluster.",
    discussion: """
      Descends the tree to the nearest centroid at each level. The assignment is written to DATASET/clusters/NAME, where \
      NAME is the tree's, or to --output. With --unit document, all windows of a document get the leaf of the mean of their \
      vectors: rows that are packed by the tree then hold whole documents, for training on long contexts.

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

  @Option(help: "What is assigned as a whole: window, document.")
  var unit = ClusterUnit.window

  @OptionGroup var common: CommonOptions

  var inputs: [String] { Vectors.inputs(dataset, name: nil) + [tree] }
  var outputs: [String] { [output ?? DatasetFolder(dataset).assignment(tree: tree)] }

  func validate() throws {
    guard output != nil || !Vectors.isArray(dataset) else {
      throw ValidationError("name a folder for the assignment of a .npy with --output")
    }
    guard unit == .window || !Vectors.isArray(dataset) else { throw ValidationError("--unit document needs a dataset, not a .npy") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let stored = try StoredTree(tree)
    let vectors = try Vectors.open(dataset, embedder: stored.tree.embedder)
    let pool = ThreadPool(threads: session.threads)
    let start = ContinuousClock.now
    var assignment = try session.with("assign") { try ClusterDataset.assign(vectors, tree: stored, documents: documents(), pool: pool, progress: $0) }
    let seconds = (ContinuousClock.now - start).seconds
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

  /// The windows of each document, if documents are assigned.
  private func documents() throws -> [Range<Int>]? {
    guard unit == .document else { return nil }
    let dataset = try TokenDataset(dataset)
    return (0..<dataset.documentCount).map { dataset.windows(of: $0) }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    return Forecast.Row(documents: size.documents, disk: max(size.documents, size.tokens / 1024) * 4)
  }
}

/// What is assigned to a cluster as a whole.
enum ClusterUnit: String, ExpressibleByArgument, CaseIterable {
  case window, document
}
