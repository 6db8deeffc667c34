import Artifacts
import Loading
import Pipeline
import Primitives
import Storage
import Tokens
import Training

/// What a run reads: packed rows of one dataset or several, and the mixture by which they are drawn.
package struct LoaderConfiguration: Codable, Sendable {
  package var dataset: String
  /// A mixture of `weir sample`, a schedule or a blend; nil for all tokens alike.
  package var mixture: String?
  /// A folder of packed rows; nil for those in the dataset's folder, which are made on first use.
  package var packedRows: String?
  package var packing = RowPacking.concat
  package var attention = AttentionSpan.documents
  /// Rows per batch.
  package var rows = 16
  /// Tokens per row.
  package var sequence = 256
  /// The most epochs over every group, beside the caps of the mixture.
  package var maxEpochs: Double?
  /// The first position of the run; nil for 0, or for what follows the parent's.
  package var fromPosition: Int?
  package var randomSeed: UInt64 = 1

  package init(dataset: String) { self.dataset = dataset }

  /// Opens the rows, packs them on first use, and compiles the order.
  /// - Parameters:
  ///   - tokens: the length of the run, for which weights are capped; nil if it has no end: then for the length that the mixture was planned for.
  ///   - parent: the run that this one continues.
  package func loader(tokens: Int?, continuing parent: ParentRun? = nil, progress: Progress = .silent) throws -> PackedLoader {
    // Before anything is written.
    try PackedLoader.check(rows: rows, sequence: sequence)
    guard tokens ?? 1 > 0 else { throw WeirError("tokens", "must be at least 1, not \(tokens ?? 0)") }
    let (sources, mixture, planned) = try RowSelection(self, packs: true, progress: progress).opened()
    return try loader(
      on: sources, drawing: mixture, tokens: tokens, planned: planned, continuing: parent, name: self.mixture ?? dataset, progress: progress
    )
  }

  /// The loader, where no rows have to be packed for it; otherwise nil.
  package func existingLoader(tokens: Int?, continuing parent: ParentRun?) throws -> PackedLoader? {
    do {
      let (sources, mixture, planned) = try RowSelection(self, packs: false, progress: .silent).opened()
      return try loader(on: sources, drawing: mixture, tokens: tokens, planned: planned, continuing: parent, name: self.mixture ?? dataset)
    } catch is RowSelection.NotPacked {
      return nil
    }
  }

  /// Compiles a mixture of some packed rows.
  func loader(
    on sources: [PackedRows], drawing mixture: RowMixture, tokens: Int?, planned: Int? = nil, continuing parent: ParentRun? = nil,
    name: String,
    progress: Progress = .silent
  ) throws -> PackedLoader {
    // Whole rows, not whole batches, so that the order does not depend on the batch size.
    let capped = (tokens ?? planned).map { ($0 + sequence - 1) / sequence }
    var order = try order(sources, mixture, rows: capped, parent: parent, name: name, progress)
    order.endPosition = capped.map { order.fromPosition + $0 }
    var loader = try PackedLoader(order, sources: sources, rows: self.rows)
    loader.attention = attention
    if let rows = tokens.map({ steps(for: $0) * self.rows }), order.draws.capacity - order.fromPosition < rows {
      let isCapped = order.draws.capacity < DrawOrder.unlimited
      throw WeirError(
        name,
        "has \(Format.count(order.draws.capacity)) rows\(isCapped ? " under its caps on epochs" : ""); positions \(order.fromPosition)…\(order.fromPosition + rows - 1) are asked for",
        remedy: isCapped
          ? "allow more epochs (--max-epochs here, and in `weir sample` if the mixture has a cap), or use fewer tokens"
          : "begin at a lower position")
    }
    return loader
  }

  private func order(
    _ sources: [PackedRows], _ mixture: RowMixture, rows: Int?, parent: ParentRun?, name: String, _ progress: Progress
  ) throws -> RowOrder {
    if let parent, fromPosition == nil {
      if parent.order.isOn(sources) {
        progress.note("continuing \(parent.path) at position \(Format.count(parent.position)): rows that it has read come later again")
        return try RowOrder(continuing: parent.order, at: parent.position, sources: sources, mixture: mixture, rows: rows, name: name)
      }
      progress.note(parent.overlap(with: sources))
    }
    // On other rows, the parent's own order would be repeated as far as the groups are alike.
    let isFresh = parent == nil || fromPosition != nil
    let seed =
      isFresh
      ? randomSeed : CounterRandom(seed: randomSeed, stream: parent.map { Checksum.xxh3(Array($0.order.fingerprint.utf8)) } ?? 0).bits(0)
    // So that a number of tokens fits an Int.
    let last = min(DrawOrder.unlimited, (1 << 60) / sequence)
    guard (0...last).contains(fromPosition ?? 0) else { throw WeirError("fromPosition", "must be in 0…\(last), not \(fromPosition ?? 0)") }
    var order = try RowOrder(
      sources: sources, mixture: mixture, rows: rows.map { $0 + (fromPosition ?? 0) }, randomSeed: seed, name: name)
    if let fromPosition {
      guard (0...order.draws.capacity).contains(fromPosition) else {
        throw WeirError("fromPosition", "must be in 0…\(order.draws.capacity), not \(fromPosition)")
      }
      order.fromPosition = fromPosition
    }
    return order
  }

  /// Whether a file is a schedule or a blend, and not a mixture of `weir sample`.
  static func isSchedule(_ file: String) throws -> Bool {
    guard let root = try? JSONDocument(Files.readWhole(file), place: file).root else { return true }
    return root["format"]?.string != Mixture.format && root["clusters"] == nil
  }

  /// A mixture, schedule or blend, and the files and folders that it names; empty without one.
  package static func inputs(of mixture: String?) -> [String] {
    guard let mixture else { return [] }
    guard (try? isSchedule(mixture)) == true, let schedule = try? MixtureSchedule.read(mixture) else { return [mixture] }
    let names = (schedule.datasets ?? []) + [schedule.tree].compactMap { $0 } + schedule.stages.compactMap(\.mixture)
    return [mixture] + names.map { RelativePath.resolve($0, in: mixture) }
  }

  /// The steps in which `tokens` tokens are read.
  private func steps(for tokens: Int) -> Int { max(1, (tokens + rows * sequence - 1) / (rows * sequence)) }
}

/// The run whose model another run starts from.
package struct ParentRun: Sendable {
  package let path: String
  package let order: RowOrder
  /// The first position that it has not read.
  package let position: Int

  /// The run that a model folder or a checkpoint belongs to; nil if it belongs to none, or to one without packed rows.
  package init?(of path: String) throws {
    var folder = path
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    guard let run = [folder, folder + "/..", folder + "/../.."].first(where: { RunFolder($0).exists }), Files.exists(RunFolder(run).order)
    else {
      return nil
    }
    self.path = path
    order = try RowOrder.read(from: RunFolder(run).order)
    position = order.fromPosition + (try TrainingRun.rowsRead(of: run, checkpoint: run == folder ? nil : folder))
  }

  /// What part of other rows the run has read, in words.
  func overlap(with sources: [PackedRows]) -> String {
    let read = position * order.sequence, datasets = Set(order.sources.map(\.datasetFingerprint))
    let total = sources.reduce(0) { $0 + $1.tokens.tokenCount }
    guard !datasets.isDisjoint(with: sources.map(\.tokens.fingerprint)) else {
      return "\(path) was trained on other data: the run begins at position 0"
    }
    let share = min(1, Double(read) / Double(max(1, total)))
    return
      "\(path) was trained on other rows of this dataset: the run begins at position 0, and about \(Format.percent(share, 1)) of its tokens have been read before"
  }
}

/// Finds the packed rows of a configuration, and the weights of their groups.
private struct RowSelection {
  struct NotPacked: Error {}

  let configuration: LoaderConfiguration
  /// Whether rows that do not exist are packed.
  let packs: Bool
  let progress: Progress

  init(_ configuration: LoaderConfiguration, packs: Bool, progress: Progress) {
    (self.configuration, self.packs, self.progress) = (configuration, packs, progress)
  }

  /// - Returns: also the tokens of the run that the mixture was made for, if it has a cap.
  func opened() throws -> (sources: [PackedRows], mixture: RowMixture, planned: Int?) {
    func unplanned(_ found: (sources: [PackedRows], mixture: RowMixture)) -> (sources: [PackedRows], mixture: RowMixture, planned: Int?) {
      (found.sources, found.mixture, nil)
    }
    guard let file = configuration.mixture else { return try unplanned(uniform(configuration.dataset)) }
    guard try !LoaderConfiguration.isSchedule(file) else { return try unplanned(scheduled(MixtureSchedule.read(file), file: file)) }
    let mixture = try Mixture.read(from: file), found = try weighted(mixture, file: file)
    return (found.sources, found.mixture, mixture.maxEpochs == nil || configuration.maxEpochs != nil ? nil : mixture.runTokens)
  }

  private func uniform(_ dataset: String, _ groups: RowGroups = .none) throws -> (sources: [PackedRows], mixture: RowMixture) {
    let rows = try rows(of: dataset, groups)
    return ([rows], RowMixture(uniform: RowOrder.groups(of: [rows]), maxEpochs: configuration.maxEpochs))
  }

  /// The rows that the configuration names, or those in the dataset's folder.
  private func rows(of dataset: String, _ groups: RowGroups) throws -> PackedRows {
    let store = try RowStore(dataset)
    if let folder = configuration.packedRows { return try PackedRows(folder, dataset: store.tokens) }
    var packing = PackDataset()
    (packing.groups, packing.sequence, packing.packing) = (groups, configuration.sequence, configuration.packing)
    return try store.rows(packing) {
      guard packs else { throw NotPacked() }
      try progress.checkStop()
      progress.phase("pack").update(0, unit: "documents", detail: $0)
    }
  }

  private func weighted(_ mixture: Mixture, file: String) throws -> (sources: [PackedRows], mixture: RowMixture) {
    let dataset = try TokenReader(configuration.dataset)
    guard mixture.dataset == dataset.fingerprint else {
      throw WeirError(
        file, "mixture was built for dataset \(mixture.dataset), not for \(dataset.path) (\(dataset.fingerprint))",
        remedy: "rebuild it with `weir sample \(dataset.path) …`")
    }
    let caps = [mixture.maxEpochs, configuration.maxEpochs].compactMap { $0 }.min()
    if let source = mixture.source {
      let seed = try TokenDataset(configuration.dataset).specialistSeed(fingerprint: source, file: file)
      let (sources, uniform) = try uniform(seed.path)
      return (sources, RowMixture(stages: uniform.stages, maxEpochs: uniform.maxEpochs.map { _ in caps }))
    }
    let rows = try rows(of: configuration.dataset, RowStore(configuration.dataset).groups(of: mixture, file: file))
    let weights = try RowOrder.weights(of: mixture, in: rows, file: file)
    return ([rows], RowMixture(stages: [.init(at: 0, weights: weights)], maxEpochs: weights.map { _ in caps }))
  }

  private func scheduled(_ schedule: MixtureSchedule, file: String) throws -> (sources: [PackedRows], mixture: RowMixture) {
    let sources = try sources(schedule, file: file)
    let groups = RowOrder.groups(of: sources)
    // Weights name groups, or datasets where there are several.
    let paths = schedule.datasets ?? []
    let names = schedule.datasets == nil ? groups.map(\.name) : groups.map { paths[$0.source] }
    let known = Set(names)
    func check(_ named: [String: Double], _ what: String) throws {
      for (name, value) in named.sorted(by: { $0.key < $1.key }) {
        guard known.contains(name) else {
          let list = known.sorted().prefix(12).joined(separator: ", ")
          throw WeirError(file, "its \(what) name \"\(Format.clip(name, 60))\", which is not a group", remedy: "groups are \(list)")
        }
        guard value >= 0, value.isFinite else {
          throw WeirError(file, "its \(what) of \(Format.clip(name, 60)) are \(value), expected at least 0")
        }
      }
    }
    var sums: [String: Int] = [:]
    for (name, group) in zip(names, groups) { sums[name, default: 0] += group.tokens }
    for name in schedule.stages.flatMap({ ($0.weights ?? [:]).filter { $0.value > 0 }.keys }).sorted() where sums[name] == 0 {
      throw WeirError(file, "gives \(Format.clip(name, 60)) a weight, which has no text in the dataset", remedy: "leave it out")
    }
    let stages = try schedule.stages.map { stage in
      let at = MixtureSchedule.tokens(stage.at) ?? 0
      if let path = stage.mixture {
        let path = RelativePath.resolve(path, in: file)
        return RowMixture.Stage(at: at, weights: try RowOrder.weights(of: Mixture.read(from: path), in: sources[0], file: path))
      }
      let weights = stage.weights ?? [:]
      try check(weights, "weights")
      // Groups of one name share its weight by their tokens.
      return RowMixture.Stage(
        at: at, weights: zip(names, groups).map { (weights[$0] ?? 0) * Double($1.tokens) / Double(max(1, sums[$0] ?? 0)) })
    }
    guard zip(stages, stages.dropFirst()).allSatisfy({ $0.at < $1.at }) else {
      throw WeirError(file, "its stages are not in ascending order")
    }
    let rows = stages.map { ($0.at + sources[0].sequence - 1) / sources[0].sequence }
    if let number = rows.indices.dropFirst().first(where: { rows[$0] == rows[$0 - 1] }) {
      throw WeirError(
        file, "stages \(number) and \(number + 1) begin in the same row of \(sources[0].sequence) tokens",
        remedy: "let each stage have at least one row")
    }
    var caps = names.map { _ in configuration.maxEpochs }
    switch schedule.maxEpochs {
    case nil: break
    case .all(let value): caps = names.map { _ in min(value, configuration.maxEpochs ?? value) }
    case .named(let values):
      try check(values, "max_epochs")
      caps = names.map { name in [values[name], configuration.maxEpochs].compactMap { $0 }.min() }
    }
    return (sources, RowMixture(stages: schedule.constant(stages), maxEpochs: caps))
  }

  private func sources(_ schedule: MixtureSchedule, file: String) throws -> [PackedRows] {
    if let datasets = schedule.datasets {
      guard schedule.by == nil, schedule.tree == nil, !datasets.isEmpty, !schedule.stages.contains(where: { $0.mixture != nil }) else {
        throw WeirError(file, "combines datasets, so its groups are the datasets", remedy: "leave out by, tree and mixture")
      }
      let sources = try datasets.map { try rows(of: RelativePath.resolve($0, in: file), .none) }
      let named = try TokenReader(configuration.dataset)
      guard sources.contains(where: { $0.tokens.fingerprint == named.fingerprint }) else {
        throw WeirError(file, "does not draw from \(named.path)", remedy: "name one of its datasets")
      }
      return sources
    }
    let store = try RowStore(configuration.dataset)
    let mixtures = schedule.stages.compactMap(\.mixture).map { RelativePath.resolve($0, in: file) }
    if let by = schedule.by {
      guard schedule.tree == nil, mixtures.isEmpty else {
        throw WeirError(file, "has by as well as a tree or mixtures", remedy: "leave one out")
      }
      return [try rows(of: configuration.dataset, .field(by))]
    }
    if let tree = schedule.tree {
      let tree = try StoredTree(RelativePath.resolve(tree, in: file))
      return [try rows(of: configuration.dataset, store.groups(of: tree, level: schedule.level))]
    }
    guard let first = mixtures.first else {
      throw WeirError(file, "does not say what its weights are of", remedy: "add by, tree or datasets")
    }
    return [try rows(of: configuration.dataset, store.groups(of: Mixture.read(from: first), file: first))]
  }
}
