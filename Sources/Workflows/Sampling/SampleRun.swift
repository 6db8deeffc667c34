import Artifacts
import Pipeline
import Primitives
import Sampling
import Storage
import Tokenization
import Tokens
import Training

/// Builds a mixture by one of the sampling methods, with what it samples from if that is not the clusters of a tree.
package struct SampleRun {
  struct Clusters {
    var stored: StoredTree
    var assignment: ClusterAssignment
    var general: GeneralHistogram
  }

  let configuration: SampleConfiguration
  let dataset: TokenDataset
  let clusters: Clusters?
  /// [windows] tokens.
  let lengths: [Int]
  let threads: Int
  let tool: String
  let progress: Progress

  /// Builds the mixture and writes it, unless there is no output.
  /// - Parameter tool: name and version of the program, for the mixture.
  package static func run(
    _ configuration: SampleConfiguration, threads: Int, tool: String, progress: Progress = .silent
  ) throws -> SampleResult {
    try configuration.validate()
    let result = try SampleRun(configuration, threads: threads, tool: tool, progress: progress).result()
    if let output = configuration.output { try result.mixture.write(to: output) }
    return result
  }

  private init(_ configuration: SampleConfiguration, threads: Int, tool: String, progress: Progress) throws {
    let dataset = try TokenDataset(configuration.dataset), lengths = dataset.windowLengths
    (self.configuration, self.dataset, self.lengths) = (configuration, dataset, lengths)
    (self.threads, self.tool, self.progress) = (threads, tool, progress)
    clusters = try configuration.tree.map { path in
      let stored = try StoredTree(path)
      let assignment = try dataset.assignment(to: stored)
      let general = try GeneralHistogram(leaves: assignment.leaves, lengths: lengths, leafCount: assignment.leafCount)
      return Clusters(stored: stored, assignment: assignment, general: general)
    }
  }

  private func result() throws -> SampleResult {
    var result = try made()
    guard let clusters else { return result }
    result.generalShares = clusters.general.shares
    if configuration.describesClusters {
      let report = try ClusterContents.report(dataset: dataset, tree: clusters.stored, progress: progress.phase("show"))
      for node in report.nodes where node.leaf >= 0 { result.terms[node.leaf] = node.terms.prefix(4).map(\.word) }
    }
    return result
  }

  private func made() throws -> SampleResult {
    var origin = MixtureOrigin(
      dataset: dataset.fingerprint, tree: clusters?.stored.fingerprint ?? "", assignment: clusters?.assignment.fingerprint ?? "")
    guard configuration.method != .uniform else {
      let clusters = try neededClusters()
      let mixture = try Sampler.uniform(
        tree: clusters.stored.tree, general: clusters.general, configuration: configuration.mixture, origin: origin)
      return SampleResult(mixture: signed(mixture))
    }
    let seeds = try SpecialistSeeds(
      configuration.specialist, weights: configuration.specialistWeights, tokenizer: try dataset.openTokenizer())
    let provenance = try seeds.provenance()
    origin.seedData = provenance.map { "\($0.name) \($0.fingerprint)" }.joined(separator: ", ")
    var made: SampleResult
    // `crisp` compares the seed with the clusters that it is assigned to.
    let coverage = configuration.method == .crisp ? [] : try coverage(of: seeds)
    switch configuration.method {
    case .crisp: made = try crisp(seeds, origin)
    case .specialist: made = SampleResult(mixture: try specialist(seeds, origin))
    case .doge: made = SampleResult(mixture: try doge(seeds, origin))
    default: made = try selection(seeds, origin)
    }
    if configuration.method != .crisp { made.coverage = coverage }
    made.mixture = signed(made.mixture)
    made.mixture.seeds = provenance
    return made
  }

  /// Compares the seeds with the corpus, which a method that samples from it cannot do without.
  private func coverage(of seeds: SpecialistSeeds) throws -> [SeedCoverage] {
    let tokenizer = try dataset.openTokenizer()
    return try seeds.seeds.map { seed in
      let coverage = try SeedCoverage(seed, dataset: dataset, tokenizer: tokenizer, progress: progress)
      if configuration.method != .specialist { try coverage.check() }
      if let warning = coverage.warning { progress.note("warning: \(warning)") }
      return coverage
    }
  }

  func neededClusters() throws -> Clusters {
    guard let clusters else { throw WeirError("tree", "is missing") }
    return clusters
  }

  private func crisp(_ seeds: SpecialistSeeds, _ origin: MixtureOrigin) throws -> SampleResult {
    let clusters = try neededClusters(), tree = clusters.stored.tree, general = clusters.general
    let routed = try seeds.leaves(of: clusters.stored, dataset: dataset, assignment: clusters.assignment, threads: threads)
    for seed in routed {
      try seed.windows.check(smoothing: configuration.mixture.smoothing)
      try seed.coverage.check()
      if let warning = seed.coverage.warning { progress.note("warning: \(warning)") }
    }
    let windows = routed.map { (weight: $0.weight, windows: $0.windows) }
    var mixtureConfiguration = configuration.mixture
    let depths =
      try !configuration.choosesDepth
      ? nil
      : DepthScore.scores(
        tree: tree, general: general, seeds: windows, smoothing: configuration.mixture.smoothing, randomSeed: configuration.randomSeed)
    if let depths { mixtureConfiguration.depth = DepthScore.best(depths) }
    let histograms = try windows.map { (weight: $0.weight, histogram: try $0.windows.histogram(leafCount: general.tokens.count)) }
    var mixture = try Sampler.crisp(tree: tree, general: general, seeds: histograms, configuration: mixtureConfiguration, origin: origin)
    if configuration.bootstrap > 0 {
      let intervals = try SpecialistIntervals(
        tree: tree, general: general, seeds: windows, configuration: mixtureConfiguration, replicates: configuration.bootstrap,
        randomSeed: configuration.randomSeed)
      for leaf in mixture.clusters.indices where intervals.high[leaf] > 0 {
        (mixture.clusters[leaf].seedLow, mixture.clusters[leaf].seedHigh) = (intervals.low[leaf], intervals.high[leaf])
      }
      mixture.resamples = configuration.bootstrap
    }
    return SampleResult(mixture: mixture, depths: depths, coverage: routed.map(\.coverage))
  }

  private func specialist(_ seeds: SpecialistSeeds, _ origin: MixtureOrigin) throws -> Mixture {
    var (windows, tokens, source) = (seeds.seeds.reduce(0) { $0 + $1.windows.count }, seeds.seeds.reduce(0) { $0 + $1.tokens }, "")
    if let output = configuration.output {
      let written = try seeds.write(to: dataset.folder.entry(.seeds, mixture: output), like: dataset, tool: tool)
      (windows, tokens, source) = (written.windowCount, written.tokenCount, written.fingerprint)
    }
    let own = MixtureOrigin(dataset: origin.dataset, seedData: origin.seedData)
    return try Sampler.specialist(windows: windows, tokens: tokens, configuration: configuration.mixture, origin: own, source: source)
  }

  private func selection(_ seeds: SpecialistSeeds, _ origin: MixtureOrigin) throws -> SampleResult {
    let method = configuration.method
    let (scored, folder, isReused) = try scores(seeds, origin)
    let scores = scored.values
    // By default, one epoch over what is kept.
    let wanted =
      configuration.keep.map { Int(($0 * Double(dataset.tokenCount)).rounded(.up)) } ?? configuration.mixture.runTokens
      ?? dataset.tokenCount
    let selection = try WindowSelection(
      scores: method == .dsir ? ImportanceResampling.perturbed(scores, randomSeed: configuration.randomSeed) : scores, lengths: lengths,
      tokens: wanted)
    var own = MixtureOrigin(dataset: origin.dataset, seedData: origin.seedData)
    // Before anything is written, because this may throw.
    var mixture = try Sampler.selection(
      selection, method: method.rawValue, lengths: lengths, configuration: configuration.mixture, origin: own)
    if let output = configuration.output {
      if !isReused { try scored.write(to: folder, tool: tool) }
      let name = "\(method) " + Checksum.hex(Checksum.xxh3(Array("\(origin.seedData) \(settings.sorted { $0.key < $1.key })".utf8)))
      own.assignment = try ClusterAssignment(
        dataset: dataset.fingerprint, tree: name, leafCount: WindowSelection.clusters, leaves: selection.leaves
      ).write(to: dataset.folder.entry(.selections, mixture: output), replacing: true, tool: tool).fingerprint
      mixture.assignment = own.assignment
    }
    return SampleResult(
      mixture: mixture, kept: SampleReport.Kept(windows: selection.windows, tokens: selection.tokens), scores: scores,
      reusedScores: isReused ? folder : nil, threshold: selection.threshold, keptByLeaf: clusters.map { keptByLeaf(selection, $0) })
  }

  /// The scores of all windows, and the folder to store them in. Stored scores are reused if they were made by the same method from the same
  /// seed, models and settings, however many windows were kept then.
  private func scores(_ seeds: SpecialistSeeds, _ origin: MixtureOrigin) throws -> (scores: WindowScores, folder: String, isReused: Bool) {
    let method = configuration.method
    let settings = settings.filter { $0.key != "--keep" }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let name = ([method.rawValue, tool, origin.seedData] + settings).joined(separator: "; ")
    let folder = dataset.folder.scores("\(method)-" + Checksum.hex(Checksum.xxh3(Array((dataset.fingerprint + name).utf8))))
    if Files.isFolder(folder) {
      let found = try WindowScores(folder: folder)
      if found.method == name, found.dataset == dataset.fingerprint, found.values.count == dataset.windowCount {
        return (found, folder, true)
      }
    }
    let scorer = WindowScorer(dataset: dataset, seeds: seeds, threads: threads, progress: progress)
    let values =
      switch method {
      case .dsir: try scorer.importance(minimumWords: configuration.minimumWords)
      case .classifier: try scorer.classifier(randomSeed: configuration.randomSeed)
      default:
        try scorer.crossEntropyDifference(
          general: configuration.proxyModel ?? "", specialist: configuration.specialistModel ?? "", tokens: configuration.scoreTokens)
      }
    return (WindowScores(dataset: dataset.fingerprint, method: name, values: values), folder, false)
  }

  private func signed(_ mixture: Mixture) -> Mixture {
    var mixture = mixture
    mixture.tool = tool
    let settings = settings
    mixture.settings = settings.isEmpty ? nil : settings
    return mixture
  }

  /// The settings of the method that no other member of the mixture contains. Their keys are part of the mixture format.
  private var settings: [String: String] {
    var settings: [String: String] = [:]
    let method = configuration.method
    if configuration.choosesDepth { settings["--depth"] = "auto" }
    if [.crisp, .dsir, .classifier, .doge].contains(method) { settings["--seed"] = "\(configuration.randomSeed)" }
    if method.scoresWindows { settings["--keep"] = configuration.keep.map { "\($0)" } ?? "--tokens" }
    if method == .dsir { settings["--minimum-words"] = "\(configuration.minimumWords)" }
    if method == .ced { settings["--score-tokens"] = "\(configuration.scoreTokens)" }
    if method == .doge {
      settings["--proxy-steps"] = "\(configuration.proxySteps)"
      settings["--weight-rate"] = "\(configuration.weightRate)"
    }
    if method.needsProxy {
      for (key, path) in [("--proxy", configuration.proxyModel), ("--specialist", configuration.specialistModel)] {
        if let path, let folder = try? ModelFolder.locate(path), let fingerprint = try? ModelFolder.fingerprint(folder) {
          settings[key] = "\(path) \(fingerprint)"
        }
      }
    }
    return settings
  }

  /// [leaves] tokens that a selection keeps.
  private func keptByLeaf(_ selection: WindowSelection, _ clusters: Clusters) -> [Int] {
    var tokens = [Int](repeating: 0, count: clusters.general.tokens.count)
    for (window, leaf) in clusters.assignment.leaves.enumerated() where selection.leaves[window] == 1 {
      tokens[Int(leaf)] += lengths[window]
    }
    return tokens
  }
}
