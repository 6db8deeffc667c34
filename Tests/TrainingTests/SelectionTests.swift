import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training

/// Which model a run keeps, and when evaluations stop it.
@Suite struct SelectionTests {
  private static let sets: (target: ValidationSet, judge: ValidationSet) = (
    ValidationSet(name: "target", documents: documents(1, count: 4, seed: 9)),
    ValidationSet(name: "source", documents: documents(0, count: 4, seed: 9), role: .judge)
  )

  /// Counting sequences with a step of their own per kind, which a small model learns quickly.
  private static func tokens(_ kind: Int, count: Int, seed: UInt64) -> [[Int32]] {
    let random = CounterRandom(seed: seed, stream: UInt64(kind))
    return (0..<count).map { index in
      let start = random.integer(UInt64(index), below: 40)
      return (0..<20).map { Int32((start + $0 * (kind == 0 ? 3 : 7)) % 40) }
    }
  }

  private static func documents(_ kind: Int, count: Int, seed: UInt64) -> [EvaluationDocument] {
    tokens(kind, count: count, seed: seed).map { EvaluationDocument(tokens: $0, bytes: $0.count) }
  }

  private static func batches(_ kind: Int, epochs: Int, seed: UInt64 = 3) throws -> DocumentBatches {
    try DocumentBatches(
      documents: tokens(kind, count: 12, seed: 1), name: "\(kind)", rows: 2, sequence: 24, epochs: epochs, randomSeed: seed)
  }

  /// A model that knows kind 0.
  private static func initial(_ folder: String) throws -> ModelInitialization {
    let source = try batches(0, epochs: 12)
    var plan = TrainingConfiguration(steps: source.steps)
    plan.learningRate = 0.02
    _ = try TrainingRun.run(configuration: plan, initial: .scratch(RunTests.shape), source: source, folder: folder + "/initial")
    return .folder(folder + "/initial/model")
  }

  private static func plan(_ selection: CheckpointSelection?, steps: Int, seed: UInt64 = 1) -> TrainingConfiguration {
    var plan = TrainingConfiguration(steps: steps)
    (plan.learningRate, plan.schedule, plan.warmup, plan.randomSeed) = (0.01, .constant, 0, seed)
    (plan.evaluateEvery, plan.checkpointEvery) = (3, 4)
    plan.selection = selection
    return plan
  }

  private struct Failure: Error {}

  @discardableResult
  private static func run(
    _ folder: String, _ selection: CheckpointSelection?, initial: ModelInitialization, epochs: Int = 6, threads: Int = 1,
    stopAfter: Double = .infinity, failAfter: Double = .infinity
  ) throws -> TrainingReport {
    let source = try batches(1, epochs: epochs), steps = Mutexed(0)
    return try TrainingRun.run(
      configuration: plan(selection, steps: source.steps), initial: initial,
      source: InterruptionTests.Failing(base: source, left: Mutexed(failAfter)), validation: [sets.target, sets.judge], folder: folder,
      evaluatesInitial: true, threads: threads,
      progress: Pipeline.Progress(report: { _ in steps.set(steps.get() + 1) }, stopping: { steps.get() >= stopAfter }))
  }

  private static func budget(_ nats: Double, _ rule: CheckpointSelection.Rule = .budget) -> CheckpointSelection {
    CheckpointSelection(
      rule, target: rule == .best ? .init(sets.target) : nil, budget: nats, sources: [.init(sets.judge)])
  }

  /// The judged rise of the run's model, by evaluating the model.
  private static func judgedRise(_ run: String, initial: ModelInitialization) throws -> Double {
    func loss(_ folder: String) throws -> Double {
      try Evaluator(folder: folder, sequence: 24, longest: 24, threads: 1).evaluate(sets.judge.documents).loss
    }
    return try loss(run + "/model") - loss(try #require(initial.folder))
  }

  @Test func theBudgetIsNeverExceeded() throws {
    try withTemporaryFolder { folder in
      let initial = try Self.initial(folder)
      let free = try Self.run(folder + "/free", nil, initial: initial)
      let rise = try #require(free.changes?.first { $0.role == .judge }).rise
      #expect(rise > 0.5, "the test's data must be forgotten")
      #expect(free.changes?.first { $0.role == nil }.map { $0.rise < -0.5 } == true)
      for (index, share) in [0, 0.01, 0.1, 0.5, 0.9, 2].enumerated() {
        for rule in [CheckpointSelection.Rule.budget, .best] {
          let run = "\(folder)/\(index)-\(rule)", limit = share * rise
          let report = try Self.run(run, Self.budget(limit, rule), initial: initial)
          let decision = try #require(report.selection), measured = try Self.judgedRise(run, initial: initial)
          #expect(measured <= limit + 1e-6)
          #expect(abs(measured - (decision.rise ?? .nan)) < 1e-6)
          #expect(report.final.count == 2 && report.final.allSatisfy { $0.step == decision.step })
          #expect(report.changes?.first { $0.role == .judge }?.rise == decision.rise)
          #expect(decision.stop == (share < 1 ? .budget : nil) && decision.step <= report.steps)
          if share == 0 { #expect(decision.step == 0 && measured == 0) }
          #expect(try Files.entries(of: run).contains("checkpoints") == false || Files.entries(of: run + "/checkpoints").isEmpty)
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func interruptedRunsKeepTheSameModel(_ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      let initial = try Self.initial(folder)
      let selections: [CheckpointSelection] = [
        Self.budget(0.3), Self.budget(0.3, .best), CheckpointSelection(.best, target: .init(Self.sets.target), patience: 2),
        CheckpointSelection(.last, target: .init(Self.sets.target), patience: 3), Self.budget(1e-9),
      ]
      var interruptions = 0
      for (index, selection) in selections.enumerated() {
        let whole = "\(folder)/whole-\(index)", parts = "\(folder)/parts-\(index)"
        let expected = try Self.run(whole, selection, initial: initial, epochs: 10)
        var random = SequentialRandom(seed: seed, stream: UInt64(index)), report: TrainingReport?
        while report == nil {
          let steps = Double(Int.random(in: 1...6, using: &random)), fails = Bool.random(using: &random)
          do {
            report = try Self.run(
              parts, selection, initial: initial, epochs: 10, threads: Int.random(in: 1...2, using: &random),
              stopAfter: fails ? .infinity : steps, failAfter: fails ? steps : .infinity)
          } catch is InterruptionTests.Failing.Failure { interruptions += 1 } catch is Stopped { interruptions += 1 }
          try #require(interruptions < 500)
        }
        for file in ["model/model.safetensors", "evaluations.jsonl"] {
          #expect(try Files.read(whole + "/" + file) == Files.read(parts + "/" + file), "\(index): \(file)")
        }
        #expect(report?.selection == expected.selection && report?.steps == expected.steps && report?.changes == expected.changes)
        #expect(try RunTests.lines(whole) == RunTests.lines(parts))
      }
      #expect(interruptions > 5)
    }
  }

  /// The decision against a naive one, on random losses.
  @Test func decisions() throws {
    var random = SequentialRandom(seed: 5, stream: 1)
    for _ in 0..<300 {
      let count = Int.random(in: 1...12, using: &random)
      let losses = (0..<count).map { _ in
        (target: Double.random(in: 1...2, using: &random), source: Double.random(in: 1...2, using: &random))
      }
      let limit: Double? = Bool.random(using: &random) ? Double.random(in: 0...0.6, using: &random) : nil
      let patience: Int? = Bool.random(using: &random) ? Int.random(in: 1...3, using: &random) : nil
      let rule: CheckpointSelection.Rule = limit == nil ? (patience == nil ? .best : .last) : Bool.random(using: &random) ? .budget : .best
      let (target, judge) = (CheckpointSelection.Judge(Self.sets.target), CheckpointSelection.Judge(Self.sets.judge))
      let selection = CheckpointSelection(rule, target: target, budget: limit, sources: limit == nil ? [] : [judge], patience: patience)
      let records = losses.enumerated().flatMap { index, loss in
        [(Self.sets.target, loss.target), (Self.sets.judge, loss.source)].map { set, loss in
          var result = Evaluation([])
          result.loss = loss
          return EvaluationRecord(step: index * 7, tokens: 0, set, result)
        }
      }
      // Naive: cut off where the run stops, then look at all that is left.
      func rise(_ index: Int) -> Double { losses[index].source - losses[0].source }
      func isWithin(_ index: Int) -> Bool { limit.map { rise(index) <= $0 } ?? true }
      var end = count - 1
      for index in 0..<count {
        let lowest = (0...index).min { losses[$0].target < losses[$1].target } ?? 0
        if !isWithin(index) || patience.map({ index - lowest >= $0 }) ?? false {
          end = index
          break
        }
      }
      let candidates = (0...end).filter(isWithin)
      let kept = rule == .best ? candidates.min { losses[$0].target < losses[$1].target } : candidates.last
      let decision = try #require(try selection.decide(records, place: "evaluations"))
      #expect(decision.step == (kept ?? 0) * 7)
      let stops = !isWithin(end) || patience.map { p in end - ((0...end).min { losses[$0].target < losses[$1].target } ?? 0) >= p } ?? false
      #expect((decision.stop != nil) == stops && (!stops || decision.stopStep == end * 7))
    }
    // Without the losses of the initial model, nothing can be decided.
    let late = EvaluationRecord(step: 3, tokens: 1, Self.sets.target, Evaluation([]))
    #expect(throws: WeirError.self) {
      try CheckpointSelection(.best, target: .init(Self.sets.target)).decide([late], place: "evaluations")
    }
    #expect(try CheckpointSelection(.best, target: .init(Self.sets.target)).decide([], place: "evaluations") == nil)
  }

  @Test func paddingIsNotCounted() throws {
    try withTemporaryFolder { folder in
      let documents = Self.tokens(1, count: 3, seed: 2)
      let source = try DocumentBatches(documents: documents, name: "d", rows: 4, sequence: 24, epochs: 2, randomSeed: 1)
      #expect(source.rowCount == 6 && source.steps == 2)
      let report = try TrainingRun.run(
        configuration: TrainingConfiguration(steps: source.steps), initial: .scratch(RunTests.shape), source: source,
        folder: folder + "/run")
      #expect(report.tokens == 120)
      #expect(try StepRecord.read(folder + "/run/log.jsonl").map(\.tokens) == [80, 120])
    }
  }

  @Test func aRollbackLeavesNoKeptModelOfTheAbandonedSteps() throws {
    try withTemporaryFolder { folder in
      // The loss guard rolls back in the middle, after models were kept; an interrupted run must still agree.
      let target = CheckpointSelection.Judge(RunTests.validation[0])
      var plan = RecipeTests.plan(120) {
        ($0.checkpointEvery, $0.evaluateEvery, $0.keepLast) = (4, 5, 1)
        $0.zLoss = 1e-3
      }
      plan.selection = CheckpointSelection(.best, target: target)
      func run(_ path: String, failAfter: Double = .infinity) throws -> TrainingReport {
        try TrainingRun.run(
          configuration: plan, initial: .scratch(RunTests.shape),
          source: InterruptionTests.Failing(base: MostlySame(others: 104...118), left: Mutexed(failAfter)), validation: RunTests.validation,
          folder: path, threads: 1)
      }
      let whole = try run(folder + "/whole")
      #expect(whole.rollbacks != nil)
      var report: TrainingReport?
      while report == nil {
        do { report = try run(folder + "/parts", failAfter: 31) } catch is InterruptionTests.Failing.Failure {}
      }
      #expect(report?.selection == whole.selection)
      #expect(try Files.read(folder + "/whole/model/model.safetensors") == Files.read(folder + "/parts/model/model.safetensors"))
    }
  }
}
