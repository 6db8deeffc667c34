import Artifacts
import Primitives
import Storage
import Tokens

/// What a run draws from: weights of groups, in stages.
package struct RowMixture: Sendable {
  /// A part of the run with constant weights.
  package struct Stage: Sendable, Equatable {
    /// Tokens of the run before the stage, padding counted.
    package var at: Int
    /// [groups] shares of real tokens, not negative; they are normalized.
    package var weights: [Double]

    package init(at: Int, weights: [Double]) { (self.at, self.weights) = (at, weights) }
  }

  package var stages: [Stage]
  /// [groups] the most epochs over each group in the whole run; nil for no limit.
  package var maxEpochs: [Double?]

  package init(stages: [Stage], maxEpochs: [Double?]) { (self.stages, self.maxEpochs) = (stages, maxEpochs) }

  /// Uniform over the tokens of all groups.
  package init(uniform groups: [RowOrder.Group], maxEpochs: Double? = nil) {
    self.init(
      stages: [Stage(at: 0, weights: groups.map { Double($0.tokens) })], maxEpochs: [Double?](repeating: maxEpochs, count: groups.count))
  }
}

extension RowOrder {
  /// The groups of several packed rows, one after another.
  package static func groups(of sources: [PackedRows]) -> [Group] {
    sources.enumerated().flatMap { number, rows in
      rows.groups.enumerated().map { index, group in
        // Groups of several datasets are named by these, too.
        let name = sources.count > 1 ? "\(rows.tokens.path.split(separator: "/").last ?? ""):\(group.name)" : group.name
        return Group(name: name, source: number, firstRow: rows.firstRows[index], rows: group.rows, tokens: group.tokens)
      }
    }
  }

  /// Compiles a mixture to integers.
  /// - Parameters:
  ///   - sources: packed rows of one sequence length.
  ///   - mixture: weights of `groups(of:)`.
  ///   - rows: the length of the run, for which weights are capped; nil if it is not known.
  ///   - name: the mixture's, for errors.
  /// - Throws: `WeirError` if a group with a weight is empty, or the run needs more epochs than the caps allow.
  package init(sources: [PackedRows], mixture: RowMixture, rows: Int?, randomSeed: UInt64, name: String) throws {
    let compiled = try Compiled(sources: sources, mixture: mixture, rows: rows, drawn: nil, name: name)
    let draws = try DrawOrder(stages: compiled.stages, capacities: compiled.capacities, randomSeed: randomSeed)
    try self.init(sequence: compiled.sequence, sources: Self.places(sources), groups: compiled.groups, draws: draws)
  }

  /// The order of a run that continues another one on the same rows: it draws what the parent has not drawn, from the parent's last position on.
  /// - Parameter position: the parent's last position.
  package init(continuing parent: RowOrder, at position: Int, sources: [PackedRows], mixture: RowMixture, rows: Int?, name: String) throws {
    let drawn = parent.draws.counts(before: position)
    let compiled = try Compiled(sources: sources, mixture: mixture, rows: rows, drawn: drawn, name: name)
    // The same mixture goes on as it is.
    let fresh = try DrawOrder(stages: compiled.stages, capacities: compiled.capacities, randomSeed: parent.draws.randomSeed)
    let isSame = fresh == parent.draws || fresh.continues(parent.draws, at: position)
    let draws =
      isSame
      ? parent.draws
      : try DrawOrder(continuing: parent.draws, at: position, stages: compiled.stages, capacities: compiled.capacities)
    try self.init(
      sequence: compiled.sequence, sources: Self.places(sources), groups: compiled.groups, draws: draws, fromPosition: position)
  }

  /// Whether the rows are those of this order.
  package func isOn(_ sources: [PackedRows]) -> Bool {
    self.sources.map(\.rowsFingerprint) == sources.map(\.fingerprint) && groups == Self.groups(of: sources)
  }

  private static func places(_ sources: [PackedRows]) -> [Source] {
    sources.map {
      Source(rows: $0.path, dataset: $0.tokens.path, rowsFingerprint: $0.fingerprint, datasetFingerprint: $0.tokens.fingerprint)
    }
  }

  /// Stages and limits in rows.
  private struct Compiled {
    let sequence: Int
    let groups: [Group]
    var stages: [(start: Int, weights: [Double])] = []
    let capacities: [Int?]

    /// - Parameter drawn: [groups] the rows of each group that an earlier run has drawn.
    init(sources: [PackedRows], mixture: RowMixture, rows: Int?, drawn: [Int]?, name: String) throws {
      groups = RowOrder.groups(of: sources)
      guard let sequence = sources.first?.sequence, sources.allSatisfy({ $0.sequence == sequence }) else {
        throw WeirError(name, "combines packed rows of several sequence lengths", remedy: "pack all datasets with one --sequence")
      }
      self.sequence = sequence
      let tokenizers = Set(sources.map { "\($0.tokens.manifest.inputs["tokenizer"] ?? "") \($0.tokens.vocabulary)" })
      guard tokenizers.count == 1 else {
        throw WeirError(name, "combines datasets of several tokenizers", remedy: "tokenize all of them with one tokenizer")
      }
      capacities = zip(groups, mixture.maxEpochs).map { group, epochs in
        epochs.map { Int(min((Double(group.rows) * $0).rounded(.up), Double(DrawOrder.unlimited))) }
      }
      for stage in mixture.stages {
        let start = (stage.at + sequence - 1) / sequence
        if stages.last?.start == start { stages.removeLast() }
        stages.append((start, try RowOrder.rowShares(stage.weights, groups: groups, name: name)))
      }
      guard stages.first?.start == 0 else { throw WeirError(name, "its first stage does not begin at 0 tokens") }
      if let rows { try cap(rows: rows, drawn: drawn ?? groups.map { _ in 0 }, name: name) }
    }

    /// Lowers the weights of groups that the run would draw too often.
    private mutating func cap(rows: Int, drawn: [Int], name: String) throws {
      let left = zip(capacities, drawn).map { capacity, drawn in capacity.map { max(0, $0 - drawn) } }
      let asked = groups.indices.filter { group in stages.contains { $0.weights[group] > 0 } }
      if asked.allSatisfy({ left[$0] != nil }) {
        let capacity = asked.reduce(0) { $0 + (left[$1] ?? 0) }, once = asked.reduce(0) { $0 + groups[$1].rows }
        let before = asked.reduce(0) { $0 + drawn[$1] }
        guard rows <= capacity else {
          let needed = (Double(rows + before) / Double(max(1, once)) * 1_000).rounded(.up) / 1_000
          throw WeirError(
            name,
            "a run of \(Format.count(rows * sequence)) tokens needs \(Format.significant(needed)) epochs over what it draws from; its cap leaves \(Format.count(capacity * sequence)) tokens",
            remedy: "allow more epochs (--max-epochs here, and in `weir sample` if the mixture has a cap), or use fewer tokens")
        }
      }
      // Stages that the run does not reach stay as they are.
      let ends = stages.dropFirst().map(\.start) + [max(rows, stages[stages.count - 1].start)]
      let lengths = zip(stages, ends).map { max(0, min(rows, $1) - $0.start) }
      let capped = EpochCaps.shares(stages.map(\.weights), rows: lengths, capacities: left)
      for index in stages.indices where lengths[index] > 0 { stages[index].weights = capped[index] }
      // Rounding to whole rows is settled by the order; more would be taken from groups that no stage asks for.
      let planned = groups.indices.map { group in zip(capped, lengths).reduce(0) { $0 + $1.0[group] * Double($1.1) } }
      for group in asked {
        guard let capacity = left[group], planned[group] > Double(capacity) * (1 + 1e-9) + 1 else { continue }
        throw WeirError(
          name,
          "its stages draw \(Format.count(Int(planned[group].rounded(.up)))) rows of \(Format.clip(groups[group].name, 60)), whose cap leaves \(Format.count(capacity))",
          remedy: "allow more epochs, make the stage shorter, or give other groups a weight in it")
      }
      // Where a cap is used up soon after the run, the last block ends with the run: what comes later has fewer rows of that group.
      let last = stages[stages.count - 1]
      let isNearCap = groups.indices.contains { group in
        guard let capacity = left[group], last.weights[group] > 0 else { return false }
        return planned[group] + last.weights[group] * Double(DrawOrder.block) > Double(capacity)
      }
      if isNearCap, last.start < rows, stages.count < DrawOrder.mostStages { stages.append((rows, last.weights)) }
    }
  }

  /// Shares of rows for shares of real tokens: a group whose rows have more padding needs more of them.
  fileprivate static func rowShares(_ weights: [Double], groups: [Group], name: String) throws -> [Double] {
    guard weights.count == groups.count, weights.allSatisfy({ $0.isFinite && $0 >= 0 }), weights.contains(where: { $0 > 0 }) else {
      throw WeirError(name, "expected one finite weight ≥ 0 per group, not all 0", remedy: "rebuild it with `weir sample`")
    }
    let shares = try zip(weights, groups).map { weight, group in
      guard weight > 0 else { return 0.0 }
      guard group.rows > 0, group.tokens > 0 else {
        throw WeirError(name, "group \(group.name) has weight \(weight) but no text in the dataset", remedy: "rebuild it from this dataset")
      }
      return weight * Double(group.rows) / Double(group.tokens)
    }
    let sum = shares.reduce(0, +)
    return shares.map { $0 / sum }
  }

  /// [groups] the weights of a mixture for the groups of packed rows.
  /// - Parameter file: the mixture's file, for errors.
  /// - Throws: `WeirError` if the groups are not those of the mixture and do not refine them.
  package static func weights(of mixture: Mixture, in rows: PackedRows, file: String) throws -> [Double] {
    let dataset = rows.tokens
    guard mixture.dataset == dataset.fingerprint else {
      throw WeirError(
        file, "mixture was built for dataset \(mixture.dataset), not for \(dataset.path) (\(dataset.fingerprint))",
        remedy: "rebuild it with `weir sample \(dataset.path) …`")
    }
    let remedy = "pack it by the tree: `weir pack \(dataset.path) --tree TREE --sequence \(rows.sequence)`"
    guard rows.manifest.inputs["assignment"] == mixture.assignment else {
      throw WeirError(rows.path, "is not grouped by the clusters of \(file)", remedy: remedy)
    }
    return try rows.groups.map { group in
      let clusters = (group.leaves ?? []).filter(mixture.clusters.indices.contains).map { mixture.clusters[$0] }
      let tokens = clusters.reduce(0) { $0 + $1.tokens }, weight = clusters.reduce(0) { $0 + $1.weight }
      guard tokens == group.tokens else {
        throw WeirError(
          file, "counts \(Format.count(tokens)) tokens in the clusters of group \(group.name), which has \(Format.count(group.tokens))",
          remedy: "rebuild it with `weir sample`")
      }
      // Within a group, rows are drawn in proportion to their tokens.
      let density = weight / Double(max(1, tokens))
      for cluster in clusters where (cluster.weight - density * Double(cluster.tokens)).magnitude > 1e-9 {
        throw WeirError(
          rows.path, "group \(group.name) contains leaves that \(file) weights differently", remedy: "pack it by a deeper level of the tree"
        )
      }
      return weight
    }
  }
}
