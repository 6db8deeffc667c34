import ArgumentParser
import Clustering
import Corpus
import Embedding
import Kernels
import Pipeline
import Primitives
import Sampling
import Storage
import Tokenization

/// `weir sample DATASET --seed-data FILE`: the mixture.
struct SampleCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Makes a mixture: how much of a run comes from each cluster.",
    discussion: """
      crisp draws clusters as the specialist seed does (clustered-importance sampling, Grangier et al. 2024): P(c|Ds), then uniformly
      within the cluster. --smoothing backs off along the tree where the seed is small, --max-epochs caps repeats and hands the overflow to
      siblings, then up the tree (both ours). uniform is the corpus as it is. The mixture is a small file; nothing is copied.

      Example: weir sample out/dataset --tree out/tree --seed-data seed.jsonl --tokens 400k --max-epochs 4 -o crisp.json
      """)

  /// How clusters are weighed.
  enum Method: String, ExpressibleByArgument, CaseIterable {
    case crisp, uniform
  }

  @Argument(help: ArgumentHelp("The token dataset, assigned to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("The tree's folder.", valueName: "tree"))
  var tree: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Where the mixture goes, JSON.", valueName: "file"))
  var output: String?

  @Option(help: "crisp or uniform.")
  var method = Method.crisp

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The specialist seed: documents. Several files are several tasks, weighed equally.", valueName: "file"))
  var seedData: [String] = []

  @Option(help: ArgumentHelp("Weights of the seeds, separated by commas.", valueName: "list"))
  var seedWeights: String?

  @Option(help: ArgumentHelp("Levels of the tree to use.", valueName: "n"))
  var depth: Int?

  @Option(help: ArgumentHelp("Pseudo-count of the back-off along the tree, in seed windows; 0 is the paper.", valueName: "m"))
  var smoothing = 0.0

  @Option(help: ArgumentHelp("Cap on the expected passes over a cluster.", valueName: "n"))
  var maxEpochs: Double?

  @Option(help: ArgumentHelp("Tokens of the run that the epochs are expected for.", valueName: "n"))
  var tokens: Amount?

  @Flag(help: "A line per cluster: P(c|Ds), P(c|Dg), weight, expected epochs.")
  var explain = false

  @Flag(help: "Say what would be drawn, and write nothing.")
  var dryRun = false

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [dataset, tree, Clusters.assignmentFolder(dataset, tree: tree)] + seedData }
  var outputs: [String] { output.map { [$0] } ?? [] }

  func validate() throws {
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <file>'") }
    guard method == .uniform || !seedData.isEmpty else { throw ValidationError("--method crisp needs --seed-data") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    let stored = try StoredTree(tree)
    let assignment = try Clusters.assignment(of: dataset) { $0.tree == stored.fingerprint }
    let general = try GeneralHistogram(leaves: assignment.leaves, lengths: Clusters.lengths(dataset), leafCount: assignment.leafCount)
    var configuration = SamplingConfiguration()
    configuration.depth = depth
    configuration.smoothing = smoothing
    configuration.maxEpochs = maxEpochs
    configuration.runTokens = tokens?.value
    var origin = MixtureOrigin(dataset: dataset.fingerprint, tree: stored.fingerprint, assignment: assignment.fingerprint)
    let mixture: Mixture
    switch method {
    case .uniform:
      mixture = try Sampler.uniform(tree: stored.tree, general: general, configuration: configuration, origin: origin)
    case .crisp:
      origin.seedData = try seedData.map { "\($0) \(Checksum.hex(try Checksum.xxh3(file: $0)))" }.joined(separator: ", ")
      let weights = try weights()
      let histograms = try session.with("sample") { _ in
        try zip(weights, seedData).map { (weight: $0, histogram: try histogram($1, dataset: dataset, stored: stored, session: session)) }
      }
      mixture = try Sampler.crisp(tree: stored.tree, general: general, seeds: histograms, configuration: configuration, origin: origin)
    }
    if let output, !dryRun { try mixture.write(to: output) }
    let report = SamplingReport(mixture)
    return Outcome(report: try JSONValue(encoding: report), lines: lines(report, mixture, stored))
  }

  private func weights() throws -> [Double] {
    guard let seedWeights else { return seedData.map { _ in 1 } }
    let weights = seedWeights.split(separator: ",").map { Double($0) }
    guard weights.count == seedData.count, !weights.contains(where: { $0 == nil }) else {
      throw WeirError("--seed-weights", "are not \(seedData.count) numbers separated by commas")
    }
    return weights.compactMap { $0 }
  }

  /// The seed's leaves: tokenized, cut into windows, embedded and routed as the dataset was.
  private func histogram(_ path: String, dataset: TokenDataset, stored: StoredTree, session: Session) throws -> SeedHistogram {
    let tokenizer = try Load.tokenizer(of: dataset)
    let embedder = try Clusters.embedder(of: stored)
    try embedder.check(tokenizer: tokenizer.fingerprint, place: tree)
    let documents = try Load.tokenize([path], tokenizer)
    // Blanks and punctuation are tokens too, and would draw the cluster that they happen to lie in.
    let isBlank = !documents.contains { String(decoding: $0.document.text, as: UTF8.self).contains { $0.isLetter || $0.isNumber } }
    let windows = isBlank ? [] : documents.flatMap { WindowReader.windows(of: $0.tokens.map { UInt32($0) }) }
    guard !windows.isEmpty else { throw WeirError(path, "is a seed without a word", remedy: "name a file with documents of the domain") }
    let pool = ThreadPool(threads: session.threads)
    let vectors = try embedder.embed(windows, pool: pool)
    let width = embedder.dimensions
    let hasFeatures = windows.indices.map { index in vectors[index * width..<(index + 1) * width].contains { $0 != 0 } }
    return try SeedHistogram(
      name: path, leaves: try TreeRouter(stored.tree).leaves(vectors, pool: pool), lengths: windows.map { $0.count },
      hasFeatures: hasFeatures, leafCount: stored.tree.leafCount)
  }

  private func lines(_ report: SamplingReport, _ mixture: Mixture, _ stored: StoredTree) -> [String] {
    var lines = [
      "  \(report.drawnClusters) of \(report.clusters) clusters drawn, effective sample size \(Format.count(Int(report.effectiveSampleSize))) windows, "
        + String(format: "largest expected epochs %.2f (leaf %d), ", report.largestEpochs, report.largestEpochsLeaf)
        + String(format: "moved by cap and smoothing %.1f %%", report.moved * 100)
    ]
    let rows = report.rows.sorted { ($1.weight, $0.leaf) < ($0.weight, $1.leaf) }.prefix(explain ? Int.max : 8).map { row in
      [
        "\(row.leaf)", String(format: "%.4f", row.seed), String(format: "%.4f", row.general), String(format: "%.4f", row.weight),
        String(format: "%.1f", row.importance), String(format: "%.2f", row.epochs),
      ]
    }
    lines.append(Format.table(["leaf", "P(c|Ds)", "P(c|Dg)", "weight", "weight/P(c|Dg)", "epochs"], rows))
    return lines
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    let size = try world.size(of: seedData)
    return Forecast.Row(documents: size.documents, tokens: size.bytes / 3.2, disk: 20_000)
  }
}
