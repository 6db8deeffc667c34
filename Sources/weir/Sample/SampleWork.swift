import Artifacts
import Pipeline
import Primitives
import Sampling
import Storage
import Tokens
import Training

/// One call of `weir sample`: from its flags to the mixture and what a person reads.
struct SampleWork {
  /// What a method made.
  struct Made {
    var mixture: Mixture
    /// [windows] scores of a method that scores windows.
    var scores: [Double]?
    /// Where the scores lay, if an earlier call made them.
    var keptScores: String?
    /// What a method that scores windows keeps.
    var selection: WindowSelection?
    /// The score of each depth, with `--depth auto`.
    var depths: [DepthScore]?
  }

  let command: SampleCommand
  let session: Session
  let dataset: TokenDataset
  /// The tree and the dataset's leaves, where a tree is given.
  let clusters: (stored: StoredTree, assignment: ClusterAssignment, general: GeneralHistogram)?
  private let lengths: [Int]

  init(command: SampleCommand, session: Session) throws {
    self.command = command
    self.session = session
    let dataset = try TokenDataset(command.dataset)
    let lengths = Clusters.lengths(dataset)
    self.dataset = dataset
    self.lengths = lengths
    clusters = try command.tree.map { path in
      let stored = try StoredTree(path)
      let assignment = try Clusters.assignment(of: dataset) { $0.tree == stored.fingerprint }
      return (stored, assignment, try GeneralHistogram(leaves: assignment.leaves, lengths: lengths, leafCount: assignment.leafCount))
    }
  }

  private var configuration: SamplingConfiguration {
    var configuration = SamplingConfiguration()
    if case .levels(let levels) = command.depth { configuration.depth = levels }
    configuration.smoothing = command.smoothing
    configuration.maxEpochs = command.maxEpochs
    configuration.runTokens = command.tokens?.value
    return configuration
  }

  /// Makes the mixture, and what it draws from where that is not a tree's clusters.
  func mixture() throws -> Made {
    try configuration.validate()
    var origin = MixtureOrigin(
      dataset: dataset.fingerprint, tree: clusters?.stored.fingerprint ?? "", assignment: clusters?.assignment.fingerprint ?? "")
    guard command.method != .uniform else {
      let (stored, _, general) = try needed()
      return Made(mixture: signed(try Sampler.uniform(tree: stored.tree, general: general, configuration: configuration, origin: origin)))
    }
    let seeds = try SampleSeeds(command.seedData, weights: command.seedWeights, tokenizer: try Load.tokenizer(of: dataset))
    let provenance = try seeds.provenance()
    origin.seedData = provenance.map { "\($0.name) \($0.fingerprint)" }.joined(separator: ", ")
    var made: Made
    switch command.method {
    case .crisp: made = try crisp(seeds, origin)
    case .specialist: made = Made(mixture: try specialist(seeds, origin))
    case .doge: made = Made(mixture: try doge(seeds, origin))
    default: made = try selection(seeds, origin)
    }
    made.mixture = signed(made.mixture)
    made.mixture.seeds = provenance
    return made
  }

  private func needed() throws -> (stored: StoredTree, assignment: ClusterAssignment, general: GeneralHistogram) {
    guard let clusters else { throw WeirError("--tree", "is missing") }
    return clusters
  }

  private func crisp(_ seeds: SampleSeeds, _ origin: MixtureOrigin) throws -> Made {
    let (stored, _, general) = try needed()
    let samples = try session.with("sample") { _ in try seeds.samples(tree: stored, threads: session.threads) }
    for (_, sample) in samples { try sample.check(smoothing: command.smoothing) }
    var configuration = configuration
    var depths: [DepthScore]?
    if command.depth == .auto {
      let scores = try DepthScore.scores(
        tree: stored.tree, general: general, seeds: samples, smoothing: command.smoothing, seed: command.seed.seed)
      configuration.depth = DepthScore.best(scores)
      depths = scores
    }
    let histograms = try samples.map { (weight: $0.weight, histogram: try $0.sample.histogram(leafCount: general.tokens.count)) }
    var mixture = try Sampler.crisp(
      tree: stored.tree, general: general, seeds: histograms, configuration: configuration, origin: origin)
    if command.bootstrap > 0 {
      let intervals = try SeedIntervals(
        tree: stored.tree, general: general, seeds: samples, configuration: configuration, replicates: command.bootstrap,
        seed: command.seed.seed)
      for leaf in mixture.clusters.indices where intervals.high[leaf] > 0 {
        (mixture.clusters[leaf].seedLow, mixture.clusters[leaf].seedHigh) = (intervals.low[leaf], intervals.high[leaf])
      }
      mixture.resamples = command.bootstrap
    }
    return Made(mixture: mixture, depths: depths)
  }

  private func specialist(_ seeds: SampleSeeds, _ origin: MixtureOrigin) throws -> Mixture {
    var (windows, tokens, source) = (seeds.seeds.reduce(0) { $0 + $1.windows.count }, seeds.seeds.reduce(0) { $0 + $1.tokens }, "")
    if let output = command.output, !command.dryRun {
      let written = try seeds.write(to: Clusters.folder(dataset.path, Clusters.seeds, mixture: output), like: dataset)
      (windows, tokens, source) = (written.windowCount, written.tokenCount, written.fingerprint)
    }
    let own = MixtureOrigin(dataset: origin.dataset, seedData: origin.seedData)
    return try Sampler.specialist(windows: windows, tokens: tokens, configuration: configuration, origin: own, source: source)
  }

  private func doge(_ seeds: SampleSeeds, _ origin: MixtureOrigin) throws -> Mixture {
    let (stored, assignment, general) = try needed()
    // As many domains as a step can give a batch each to.
    let level = configuration.depth ?? (1...max(1, stored.tree.depth)).last { stored.tree.nodes(atLevel: $0).count <= 64 } ?? 1
    let domains = SampleDomains(
      dataset: dataset, stored: stored, assignment: assignment, general: general, seeds: seeds, session: session)
    let demand = try domains.demand(
      proxy: command.proxy ?? "", level: level, steps: command.proxySteps, weightRate: command.weightRate, seed: command.seed.seed)
    var mixture = try Sampler.weighted(
      method: "doge", tree: stored.tree, general: general, demand: demand, configuration: configuration, origin: origin)
    mixture.depth = min(level, stored.tree.depth)
    return mixture
  }

  private func selection(_ seeds: SampleSeeds, _ origin: MixtureOrigin) throws -> Made {
    let method = command.method, seed = command.seed.seed
    let (scored, folder, isKept) = try scores(seeds, origin)
    let scores = scored.values
    // One pass over what is kept, unless told otherwise.
    let wanted = command.keep.map { Int(($0 * Double(dataset.tokenCount)).rounded(.up)) } ?? command.tokens?.value ?? dataset.tokenCount
    let selection = try WindowSelection(
      scores: method == .dsir ? ImportanceResampling.perturbed(scores, seed: seed) : scores, lengths: lengths, tokens: wanted)
    var own = MixtureOrigin(dataset: origin.dataset, seedData: origin.seedData)
    // Before anything is written: the mixture may be refused.
    var mixture = try Sampler.selection(selection, method: method.rawValue, lengths: lengths, configuration: configuration, origin: own)
    if let output = command.output, !command.dryRun {
      if !isKept { try scored.write(to: folder, tool: Weir.tool) }
      let name = "\(method) " + Checksum.hex(Checksum.xxh3(Array("\(origin.seedData) \(settings.sorted { $0.key < $1.key })".utf8)))
      own.assignment = try ClusterAssignment(
        dataset: dataset.fingerprint, tree: name, leafCount: WindowSelection.clusters, leaves: selection.leaves
      )
      .write(to: Clusters.folder(dataset.path, Clusters.selections, mixture: output), replacing: true, tool: Weir.tool).fingerprint
      mixture.assignment = own.assignment
    }
    return Made(mixture: mixture, scores: scores, keptScores: isKept ? folder : nil, selection: selection)
  }

  /// The windows' scores: those that the dataset keeps of the same method, seed, models and settings, whatever was kept by them then; else
  /// new ones, and where it is to keep them.
  private func scores(_ seeds: SampleSeeds, _ origin: MixtureOrigin) throws -> (scores: WindowScores, folder: String, isKept: Bool) {
    let method = command.method
    let settings = settings.filter { $0.key != "--keep" }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let name = ([method.rawValue, Weir.tool, origin.seedData] + settings).joined(separator: "; ")
    let folder = "\(dataset.path)/\(Clusters.scores)/\(method)-" + Checksum.hex(Checksum.xxh3(Array((dataset.fingerprint + name).utf8)))
    if Files.isFolder(folder) {
      let found = try WindowScores(folder: folder)
      if found.method == name, found.dataset == dataset.fingerprint, found.values.count == dataset.windowCount {
        return (found, folder, true)
      }
    }
    let scorer = SampleScores(dataset: dataset, tokenizer: seeds.tokenizer, seeds: seeds, session: session)
    let values =
      switch method {
      case .dsir: try scorer.importance(minimumWords: command.minimumWords)
      case .classifier: try scorer.classifier(seed: command.seed.seed)
      default:
        try scorer.crossEntropyDifference(general: command.proxy ?? "", specialist: command.specialist ?? "", tokens: command.scoreTokens)
      }
    return (WindowScores(dataset: dataset.fingerprint, method: name, values: values), folder, false)
  }

  private func signed(_ mixture: Mixture) -> Mixture {
    var mixture = mixture
    mixture.tool = Weir.tool
    let settings = settings
    mixture.settings = settings.isEmpty ? nil : settings
    return mixture
  }

  /// What the method was told that no other member of the mixture says.
  private var settings: [String: String] {
    var settings: [String: String] = [:]
    let method = command.method
    if command.depth == .auto { settings["--depth"] = "auto" }
    if [.crisp, .dsir, .classifier, .doge].contains(method) { settings["--seed"] = "\(command.seed.seed)" }
    if method.scoresWindows { settings["--keep"] = command.keep.map { "\($0)" } ?? "--tokens" }
    if method == .dsir { settings["--minimum-words"] = "\(command.minimumWords)" }
    if method == .ced { settings["--score-tokens"] = "\(command.scoreTokens)" }
    if method == .doge {
      settings["--proxy-steps"] = "\(command.proxySteps)"
      settings["--weight-rate"] = "\(command.weightRate)"
    }
    for (flag, path) in [("--proxy", command.proxy), ("--specialist", command.specialist)] where [.ced, .doge].contains(method) {
      if let path, let folder = try? ModelFolder.locate(path), let fingerprint = try? ModelFolder.fingerprint(folder) {
        settings[flag] = "\(path) \(fingerprint)"
      }
    }
    return settings
  }

  /// Tokens kept of each leaf of the tree, for `--explain`; nil where there is no tree.
  func keptByLeaf(_ selection: WindowSelection) -> [Int]? {
    clusters.map { clusters in
      var tokens = [Int](repeating: 0, count: clusters.general.tokens.count)
      for (window, leaf) in clusters.assignment.leaves.enumerated() where selection.leaves[window] == 1 {
        tokens[Int(leaf)] += lengths[window]
      }
      return tokens
    }
  }
}
