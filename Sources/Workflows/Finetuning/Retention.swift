import Primitives
import Training

/// How a finetuning run is evaluated, and which of its models it ends with.
package struct Retention: Codable, Sendable, Equatable {
  /// When the model is evaluated between the first and the last step.
  package enum Interval: Codable, Sendable, Equatable {
    case steps(Int)
    case epoch
  }

  /// Files of held-out documents of what the initial model knew.
  package var sources: [String] = []
  /// Nil for `evaluations` per run if they decide anything, else for none.
  package var interval: Interval?
  /// The most that the loss on a source may rise, in nats/token: one half of each file's documents is judged, the other half reported.
  package var budget: Double?
  /// Which model to keep; nil for the last within a budget, else for the best with patience, else for the last.
  package var keep: CheckpointSelection.Rule?
  /// Evaluations without a lower loss on the first held-out file of the target, after which the run stops.
  package var patience: Int?
  /// The fraction of the training documents that are held out as a file of the target, if there is no other.
  package var validFraction: Double?
  /// Whether to search the smallest λ whose last model is within the budget.
  package var searchesLambda = false

  package init() {}

  /// Evaluations per run, where they decide and no interval is given.
  package static let evaluations = 10
  /// Half of a file's documents judges.
  static let judgedFraction = 0.5

  /// The rule for the model to keep.
  package var rule: CheckpointSelection.Rule { keep ?? (budget != nil ? .budget : patience != nil ? .best : .last) }

  /// Whether evaluations decide anything.
  private var decides: Bool { rule != .last || patience != nil }

  func validate(heldOut: [String]) throws {
    func require(_ condition: Bool, _ property: String, _ reason: @autoclosure () -> String) throws {
      if !condition { throw WeirError(property, reason()) }
    }
    if let budget {
      try require(budget >= 0 && budget.isFinite, "retention.budget", "must be a finite number of nats ≥ 0, not \(budget)")
      try require(
        !sources.isEmpty, "retention.budget", "needs held-out documents of what the model knew")
    }
    if case .steps(let steps) = interval { try require(steps > 0, "retention.interval", "must be at least 1 step, not \(steps)") }
    if let patience { try require(patience > 0, "retention.patience", "must be at least 1 evaluation, not \(patience)") }
    if let validFraction {
      try require(
        validFraction > 0 && validFraction < 1, "retention.validFraction", "must be more than 0 and less than 1, not \(validFraction)")
      try require(heldOut.isEmpty, "retention.validFraction", "cannot be combined with held-out files of the target")
    }
    try require(keep != .budget || budget != nil, "retention.keep", "budget needs a budget for the rise of the source loss")
    try require(
      keep != .last || budget == nil, "retention.keep", "last may be beyond the budget; use budget, or best for the best within it")
    let hasTarget = !heldOut.isEmpty || validFraction != nil
    try require(
      hasTarget || rule != .best && patience == nil, keep == .best ? "retention.keep" : "retention.patience",
      "needs held-out documents of the target")
    try require(!searchesLambda || budget != nil, "lambda", "auto needs a budget for the rise of the source loss")
    try require(
      !searchesLambda || keep == nil && patience == nil, "lambda", "auto trains to the last step, so that nothing is to keep or stop")
  }

  /// Sets when to evaluate and what the evaluations decide.
  /// - Parameters:
  ///   - sets: the held-out sets, those of the target first.
  ///   - epochs: of the data.
  func apply(to training: inout TrainingConfiguration, sets: [ValidationSet], epochs: Int, batchTokens: Int) {
    let steps = training.steps ?? 1
    func spread(_ count: Int) { training.evaluateAt = (1..<max(1, count)).map { ($0 * steps + count - 1) / count * batchTokens } }
    switch interval {
    case .steps(let count): training.evaluateEvery = count
    case .epoch: spread(epochs)
    case nil: if decides, !searchesLambda { spread(Self.evaluations) }
    }
    guard decides, !searchesLambda else { return }
    training.selection = CheckpointSelection(
      rule, target: rule == .best || patience != nil ? sets.first { $0.role == nil }.map(CheckpointSelection.Judge.init) : nil,
      budget: budget, sources: budget == nil ? [] : sets.filter { $0.role == .judge }.map(CheckpointSelection.Judge.init),
      patience: patience)
  }

  /// The source files as held-out sets. With a budget, half of each file's documents is a set of its own, which judges.
  func divide(_ sources: [ValidationSet], files: [String]) throws -> [ValidationSet] {
    try zip(sources, files).flatMap { set, file -> [ValidationSet] in
      var reported = set
      reported.role = .source
      guard budget != nil else { return [reported] }
      let isJudging = ContentHoldout.choose(Self.judgedFraction, of: set.documents.map(\.tokens))
      func half(_ wanted: Bool) -> [EvaluationDocument] { zip(set.documents, isJudging).filter { $0.1 == wanted }.map(\.0) }
      guard isJudging.contains(true) else {
        throw WeirError(file, "needs two different documents: one half judges the budget, and the other is reported")
      }
      reported.documents = half(false)
      return [reported, ValidationSet(name: set.name + " (judge)", documents: half(true), role: .judge)]
    }
  }
}
