import ArgumentParser
import Artifacts
import Pipeline
import Primitives
import Sampling
import Storage
import Training

/// `weir sample DATASET --seed-data FILE`: the mixture.
struct SampleCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Makes a mixture: what a run draws from a corpus, and how often.",
    discussion: """
      crisp draws clusters as the specialist seed does (clustered-importance sampling, Grangier et al. 2024): P(c|Ds), then uniformly
      within the cluster. --smoothing backs off along the tree where the seed is small, --max-epochs caps repeats and hands the overflow to
      siblings, then up the tree, --depth auto takes the level that foretells one half of the seed best from the other (all ours).
      The others are there to compare with: uniform is the corpus as it is, specialist the seed itself, over and over; dsir resamples
      windows by hashed n-grams, classifier keeps those that look most like the seed, ced those that --specialist finds much likelier than
      --proxy does (two small models, the second continued on the seed); doge weighs the nodes at --depth by their gradients in --proxy.
      The mixture is a small file; nothing is copied but a specialist's seed. What a method keeps is listed beside the dataset.

      Example: weir sample out/dataset --tree out/tree --seed-data seed.jsonl --tokens 400k --max-epochs 4 -o crisp.json
      """)

  /// How a run's tokens are chosen.
  enum Method: String, ExpressibleByArgument, CaseIterable {
    case crisp, uniform, specialist, dsir, classifier, ced, doge

    /// Whether it weighs the clusters of a tree, or chooses windows.
    var needsTree: Bool { [.crisp, .uniform, .doge].contains(self) }
    var scoresWindows: Bool { [.dsir, .classifier, .ced].contains(self) }
  }

  /// Levels of the tree.
  enum Depth: ExpressibleByArgument, Equatable {
    case auto, levels(Int)

    init?(argument: String) {
      guard argument != "auto" else {
        self = .auto
        return
      }
      guard let levels = Int(argument) else { return nil }
      self = .levels(levels)
    }
  }

  @Argument(help: ArgumentHelp("The token dataset, assigned to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(
    help: ArgumentHelp("The tree's folder: what crisp, uniform and doge weigh, what --explain tells of the others.", valueName: "tree"))
  var tree: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Where the mixture goes, JSON.", valueName: "file"))
  var output: String?

  @Option(help: "How the run's tokens are chosen.")
  var method = Method.crisp

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The specialist seed: documents. Several files are several tasks, weighed equally.", valueName: "file"))
  var seedData: [String] = []

  @Option(help: ArgumentHelp("Weights of the seeds, separated by commas (crisp).", valueName: "list"))
  var seedWeights: String?

  @Option(help: ArgumentHelp("Levels of the tree to use, or auto (all for crisp, at most 64 nodes for doge).", valueName: "n"))
  var depth: Depth?

  @Option(help: ArgumentHelp("Pseudo-count of the back-off along the tree, in seed windows; 0 is the paper.", valueName: "m"))
  var smoothing = 0.0

  @Option(help: ArgumentHelp("Cap on the expected passes over a cluster, or over what is kept.", valueName: "n"))
  var maxEpochs: Double?

  @Option(help: ArgumentHelp("Tokens of the run that the epochs are expected for.", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("Resamples of the seed's documents for the 90 % intervals of P(c|Ds); 0 for none.", valueName: "n"))
  var bootstrap = 200

  @Option(
    help: ArgumentHelp("Share of the corpus's tokens to keep (dsir, classifier, ced; default: as many as --tokens).", valueName: "share"))
  var keep: Double?

  @Option(help: ArgumentHelp("Words below which a window is never kept (dsir).", valueName: "n"))
  var minimumWords = 100

  @Option(help: ArgumentHelp("A small model of the corpus, a run or model folder (ced, doge).", valueName: "model"))
  var proxy: String?

  @Option(help: ArgumentHelp("The same model after it has seen the seed (ced).", valueName: "model"))
  var specialist: String?

  @Option(help: ArgumentHelp("Tokens of each window that ced scores.", valueName: "n"))
  var scoreTokens = 1_024

  @Option(help: ArgumentHelp("Steps of the proxy (doge).", valueName: "n"))
  var proxySteps = 100

  @Option(
    help: ArgumentHelp(
      "Rate of the weights: a domain as good as the seed gains e^x a step over one that says nothing (doge).", valueName: "x"))
  var weightRate = 0.1

  @Option(help: ArgumentHelp("Write every window's score as a numpy array (dsir, classifier, ced).", valueName: "file"))
  var scores: String?

  @Flag(help: "A line per cluster: P(c|Ds) with its interval, P(c|Dg), weight, expected epochs, telling words.")
  var explain = false

  @Flag(help: "Say what would be drawn, and write nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var inputs: [String] {
    [dataset, tree, tree.map { Clusters.assignmentFolder(dataset, tree: $0) }, proxy, specialist].compactMap { $0 } + seedData
  }
  var outputs: [String] {
    guard let output, !dryRun else { return [] }
    switch method {
    case .crisp, .uniform, .doge: return [output]
    case .specialist: return [Clusters.folder(dataset, Clusters.seeds, mixture: output), output]
    case .dsir, .classifier, .ced:
      return [Clusters.folder(dataset, Clusters.selections, mixture: output), output] + (scores.map { [$0] } ?? [])
    }
  }

  func validate() throws {
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <file>'") }
    guard method == .uniform || !seedData.isEmpty else { throw ValidationError("--method \(method) needs --seed-data") }
    guard tree != nil || !method.needsTree else { throw ValidationError("--method \(method) needs --tree") }
    guard proxy != nil || ![.ced, .doge].contains(method) else { throw ValidationError("--method \(method) needs --proxy") }
    guard specialist != nil || method != .ced else { throw ValidationError("--method ced needs --specialist") }
    guard scores == nil || method.scoresWindows else { throw ValidationError("--scores goes with dsir, classifier and ced") }
    guard keep == nil || method.scoresWindows else { throw ValidationError("--keep goes with dsir, classifier and ced") }
    // The others know one target: documents of all seeds together, each counted once.
    guard seedWeights == nil || method == .crisp else {
      throw ValidationError("--seed-weights goes with crisp; repeat a seed's documents to weigh them with \(method)")
    }
    guard depth != .auto || method == .crisp else { throw ValidationError("--depth auto goes with crisp") }
    guard keep.map({ $0 > 0 && $0 <= 1 }) ?? true else { throw ValidationError("--keep must be a share, above 0 and at most 1") }
    guard (0...100_000).contains(bootstrap) else { throw ValidationError("--bootstrap must be in 0…100,000") }
    guard (1...1_000_000).contains(proxySteps) else { throw ValidationError("--proxy-steps must be in 1…1,000,000") }
    guard weightRate > 0, weightRate <= 1_000 else { throw ValidationError("--weight-rate must be above 0 and at most 1,000") }
    guard scoreTokens > 1 else { throw ValidationError("--score-tokens must be at least 2") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let work = try SampleWork(command: self, session: session)
    let made = try work.mixture()
    if let scores, !dryRun { try NumPyArray.write(made.scores ?? [], to: scores) }
    if let output, !dryRun { try made.mixture.write(to: output) }
    return try work.outcome(made)
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    let size = try world.size(of: seedData)
    return Forecast.Row(documents: size.documents, tokens: size.bytes / 3.2, disk: 20_000)
  }
}
