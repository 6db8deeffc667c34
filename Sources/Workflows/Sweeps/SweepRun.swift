import Pipeline
import Planning
import Primitives
import Storage
import Tokens
import Training

package struct SweepReport: Codable, Sendable, Equatable {
  /// Measured losses.
  package var runs: Int
  package var domains: Int
}

/// Measures the losses that scaling laws are fitted to. For each size, one trunk is trained with a constant learning rate and leaves a
/// checkpoint at every D. From each, one branch per domain continues with the optimizer's moments and is evaluated at every D′.
package enum SweepRun {
  package static func run(_ configuration: SweepConfiguration, threads: Int, progress: Progress = .silent) throws -> SweepReport {
    try configuration.validate()
    let lock = try OutputLock(filling: configuration.runs)
    defer { lock.release() }
    let domains = try TreeDomains(
      dataset: configuration.dataset, tree: configuration.tree, level: configuration.level, threads: threads)
    let rows = try DomainRows(
      dataset: configuration.dataset, tree: domains.tree, level: configuration.level, sequence: configuration.settings.sequence,
      progress: progress)
    let sets = try domains.heldOutSets(configuration.settings.heldOut)
    let unique = rows.tokens
    let measured = (0..<domains.count).filter { domain in sets.contains { $0.name == domains.name(domain) } && unique[domain] > 0 }
    let chosen = Array(measured.sorted { (unique[$1], $0) < (unique[$0], $1) }.prefix(configuration.domains ?? Int.max)).sorted()
    guard !chosen.isEmpty else {
      throw WeirError(
        configuration.settings.heldOut.joined(separator: " "), "no window falls into a domain that has windows in the dataset",
        remedy: "give held-out documents of the dataset's domains")
    }
    var runs: [MeasuredRun] = []
    for size in configuration.sizes {
      let grid = try Grid(configuration: configuration, domains: domains, rows: rows, size: size, threads: threads, progress: progress)
      for point in try grid.trunk(sets: sets) {
        for domain in chosen {
          guard let record = point.evaluations.first(where: { $0.name == domains.name(domain) }) else {
            throw grid.isOutdated("trunk")
          }
          func measured(dPrime: Int, loss: Double) -> MeasuredRun {
            grid.run(d: record.tokens, dPrime: dPrime, domain: domains.name(domain), unique: unique[domain], loss: loss)
          }
          runs.append(measured(dPrime: 0, loss: record.result.loss))
          let set = sets.filter { $0.name == domains.name(domain) }
          runs += try grid.branch(at: point, domain: domain, sets: set).map {
            measured(dPrime: $0.tokens, loss: $0.result.loss)
          }
        }
      }
    }
    try Files.writeOutput(MeasuredRuns.serialize(runs), to: configuration.output)
    return SweepReport(runs: runs.count, domains: chosen.count)
  }

  /// The runs of one size.
  private struct Grid {
    /// A checkpoint of the trunk.
    struct Point {
      /// The tokens that were asked for; the trunk has seen whole batches.
      var tokens: Int
      var step: Int
      var evaluations: [EvaluationRecord]
    }

    let configuration: SweepConfiguration
    let domains: TreeDomains
    let rows: DomainRows
    let size: SweepConfiguration.Size
    let model: ModelConfiguration
    let threads: Int
    let progress: Progress

    init(
      configuration: SweepConfiguration, domains: TreeDomains, rows: DomainRows, size: SweepConfiguration.Size, threads: Int, progress: Progress
    ) throws {
      (self.configuration, self.domains, self.rows, self.size) = (configuration, domains, rows, size)
      (self.threads, self.progress) = (threads, progress)
      model = try size.shape.configuration(vocabulary: domains.dataset.vocabulary, sequence: configuration.settings.sequence)
    }

    /// Trains the trunk to the largest D, with a checkpoint and evaluations at each D.
    func trunk(sets: [ValidationSet]) throws -> [Point] {
      let points = configuration.trunkTokens.sorted()
      var training = configuration.training(tokens: points.last ?? 0)
      (training.checkpointAt, training.evaluateAt) = (points, points)
      let report = try train("trunk", training, .scratch(model), rows.batches(tokens: points.last ?? 0, configuration.settings), sets)
      return points.map { tokens in
        let step = step(tokens: tokens)
        return Point(tokens: tokens, step: step, evaluations: report.evaluations.filter { $0.step == step })
      }
    }

    /// Trains the branch of a domain to the largest D′.
    /// - Returns: its evaluation at each D′.
    func branch(at point: Point, domain: Int, sets: [ValidationSet]) throws -> [EvaluationRecord] {
      let points = configuration.branchTokens.sorted()
      var training = configuration.training(tokens: points.last ?? 0)
      (training.warmup, training.evaluateAt) = (0, points)
      let checkpoint = RunFolder(folder("trunk")).checkpoint(step: point.step)
      let source = try rows.batches(
        domain: domain, tokens: points.last ?? 0, continuing: ParentRun(of: checkpoint), configuration.settings)
      let name = "D\(point.tokens)-\(domains.name(domain))"
      let report = try train(name, training, .checkpoint(checkpoint, optimizer: true), source, sets)
      return try points.map { tokens in
        guard let record = report.evaluations.first(where: { $0.step == step(tokens: tokens) }) else { throw isOutdated(name) }
        return record
      }
    }

    /// The error for a run that was evaluated on other held-out text: the models in between are gone, so that it cannot be evaluated again.
    func isOutdated(_ name: String) -> WeirError {
      WeirError(folder(name), "was evaluated on other held-out documents", remedy: "remove it, and the same command measures it again")
    }

    func run(d: Int, dPrime: Int, domain: String, unique: Int, loss: Double) -> MeasuredRun {
      MeasuredRun(
        model: size.name, n: Double(model.nonEmbeddingParameters), d: Double(d), dPrime: Double(dPrime), domain: domain,
        unique: Double(unique), loss: loss, flops: Double(d + dPrime) * model.flopsPerToken(context: configuration.settings.sequence),
        seed: configuration.settings.randomSeed)
    }

    /// The step after which `tokens` tokens have been seen.
    private func step(tokens: Int) -> Int {
      let batch = configuration.settings.rows * configuration.settings.sequence
      return max(1, (tokens + batch - 1) / batch)
    }

    private func folder(_ name: String) -> String { "\(configuration.runs)/\(size.name)/\(name)" }

    private func train(
      _ name: String, _ training: TrainingConfiguration, _ initial: ModelInitialization, _ source: any BatchSource, _ sets: [ValidationSet]
    ) throws -> TrainingReport {
      try TrainingRun.run(
        configuration: training, initial: initial, source: source, validation: sets, folder: folder(name),
        endOfDocument: domains.dataset.endOfDocument, threads: threads, progress: progress.phase("\(size.name)/\(name)"))
    }
  }
}
