import ArgumentParser
import Artifacts
import Tokens
import Workflows

/// `weir sample DATASET --seed-data FILE`: the mixture.
struct SampleCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Turn a specialist seed into a data mixture.",
    discussion: """
      crisp (default) is clustered-importance sampling (Grangier et al. 2024): each cluster c is weighted by P(c|Ds), its \
      share of the specialist seed's tokens, and sampled uniformly within. P(c|Dg) is its share of the general corpus. \
      --smoothing backs off along the tree where the specialist seed is small; --max-epochs caps repetition and moves the \
      overflow to siblings, then up the tree; --depth auto chooses the depth by held-out likelihood on a split of the \
      specialist seed. These three are extensions of Weir.

      Baselines: uniform (the corpus as it is), specialist (the specialist seed alone), dsir (resamples windows by hashed \
      n-grams), classifier (keeps the windows most similar to the specialist seed), ced (keeps the windows whose loss falls \
      most from --proxy to --specialist), doge (weights the nodes at --depth by gradient alignment in --proxy).

      The mixture is a small file; only the specialist method copies data (the specialist seed). Selections of windows are stored in \
      the dataset folder.

      EXAMPLES:
        weir sample out/dataset --tree out/tree --seed-data seed.jsonl \\
          --tokens 400k --max-epochs 4 -o crisp.json
        weir sample out/dataset --tree out/tree --seed-data seed.jsonl --dry-run
      """)

  @Argument(help: ArgumentHelp("Token dataset with an assignment to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(
    help: ArgumentHelp("Tree folder; required by crisp, uniform and doge. Others show the tokens kept per cluster.", valueName: "tree"))
  var tree: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the mixture (JSON).", valueName: "file"))
  var output: String?

  @Option(help: "Sampling method.")
  var method = SampleConfiguration.Method.crisp

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Specialist seed: files of documents. Several files are several tasks with equal weight.", valueName: "file"))
  var seedData: [String] = []

  @Option(help: ArgumentHelp("Weights of the --seed-data files, separated by commas (crisp).", valueName: "list"))
  var seedWeights: String?

  @Option(help: ArgumentHelp("Tree depth to use, or auto. (default: all levels; doge: at most 64 nodes)", valueName: "n"))
  var depth: TreeDepth?

  @Option(help: ArgumentHelp("Pseudo-count of the back-off along the tree, in windows; 0 is the paper's method.", valueName: "m"))
  var smoothing = 0.0

  @Option(help: ArgumentHelp("Cap on expected epochs over a cluster, or over the selected windows.", valueName: "n"))
  var maxEpochs: Double?

  @Option(help: ArgumentHelp("Length of the run in tokens, for expected epochs.", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("Bootstrap samples of the seed documents for 90 % intervals of P(c|Ds); 0 disables them.", valueName: "n"))
  var bootstrap = 200

  @Option(
    help: ArgumentHelp(
      "Fraction of the corpus's tokens to keep (dsir, classifier, ced). (default: as many tokens as --tokens)", valueName: "share"))
  var keep: Double?

  @Option(help: ArgumentHelp("Minimum words of a window (dsir).", valueName: "n"))
  var minimumWords = 100

  @Option(help: ArgumentHelp("Small general model, a run or model folder (ced, doge).", valueName: "model"))
  var proxy: String?

  @Option(help: ArgumentHelp("The --proxy model continued on the specialist seed (ced).", valueName: "model"))
  var specialist: String?

  @Option(help: ArgumentHelp("Tokens per window to score (ced).", valueName: "n"))
  var scoreTokens = 1_024

  @Option(help: ArgumentHelp("Training steps of the proxy (doge).", valueName: "n"))
  var proxySteps = 100

  @Option(
    help: ArgumentHelp(
      "Step size of the domain weights (doge).", valueName: "x"))
  var weightRate = 0.1

  @Option(help: ArgumentHelp("Write every window's score to a .npy (dsir, classifier, ced).", valueName: "file"))
  var scores: String?

  @Flag(help: "Print one line per cluster: P(c|Ds) with its interval, P(c|Dg), weight, expected epochs, characteristic terms.")
  var explain = false

  @Flag(help: "Show the mixture with each cluster's tokens, epochs and repeats, and write nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    [
      "specialist": "--seed-data", "specialistWeights": "--seed-weights", "tree": "--tree", "depth": "--depth", "smoothing": "--smoothing",
      "maxEpochs": "--max-epochs", "runTokens": "--tokens", "bootstrap": "--bootstrap", "keep": "--keep",
      "minimumWords": "--minimum-words", "proxyModel": "--proxy", "specialistModel": "--specialist", "scoreTokens": "--score-tokens",
      "proxySteps": "--proxy-steps", "weightRate": "--weight-rate", "method": "--method", "target": "--seed-data", "model": "--proxy",
    ]
  }
  var inputs: [String] {
    [dataset, tree, tree.map { DatasetFolder(dataset).assignment(tree: $0) }, proxy, specialist].compactMap { $0 } + seedData
  }
  var outputs: [String] {
    guard let output, !dryRun else { return [] }
    switch method {
    case .crisp, .uniform, .doge: return [output]
    case .specialist: return [DatasetFolder(dataset).entry(.seeds, mixture: output), output]
    case .dsir, .classifier, .ced:
      return [DatasetFolder(dataset).entry(.selections, mixture: output), output] + (scores.map { [$0] } ?? [])
    }
  }

  func validate() throws {
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <file>'") }
    guard scores == nil || method.scoresWindows else { throw ValidationError("--scores applies to dsir, classifier and ced") }
    try usage { try sample.validateUse() }
  }

  private var sample: SampleConfiguration {
    var sample = SampleConfiguration(dataset: dataset, method: method)
    (sample.tree, sample.output, sample.describesClusters) = (tree, dryRun ? nil : output, explain)
    sample.specialist = seedData
    // What is not a number is left out, so that there are too few.
    sample.specialistWeights = seedWeights.map { $0.split(separator: ",").compactMap { Double($0) } }
    (sample.mixture.depth, sample.choosesDepth) = (depth?.levels, depth == .auto)
    (sample.mixture.smoothing, sample.mixture.maxEpochs, sample.mixture.runTokens) = (smoothing, maxEpochs, tokens?.value)
    (sample.bootstrap, sample.keep, sample.minimumWords, sample.randomSeed) = (bootstrap, keep, minimumWords, seed.seed)
    (sample.proxyModel, sample.specialistModel, sample.scoreTokens) = (proxy, specialist, scoreTokens)
    (sample.proxySteps, sample.weightRate) = (proxySteps, weightRate)
    return sample
  }

  func perform(_ session: Session) throws -> Outcome {
    let result = try session.with("sample") { progress in
      try SampleRun.run(sample, threads: session.threads, tool: Weir.tool, progress: progress)
    }
    if let scores, !dryRun { try NumPyArray.write(result.scores ?? [], to: scores) }
    return try outcome(result)
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: seedData)
    return Forecast.Row(documents: size.documents, tokens: size.bytes / Forecast.bytesPerToken, disk: 20_000)
  }
}

extension SampleConfiguration.Method: ExpressibleByArgument {}

/// A number of levels, or `auto`.
struct TreeDepth: ExpressibleByArgument, Equatable {
  static let auto = TreeDepth(levels: nil)
  /// Nil for `auto`.
  var levels: Int?

  private init(levels: Int?) { self.levels = levels }

  init?(argument: String) {
    levels = Int(argument)
    guard levels != nil || argument == "auto" else { return nil }
  }
}
