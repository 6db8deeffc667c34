import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training
import Workflows

/// Finetuning of a model that knows two domains on one of them, so that it forgets the other.
@Suite struct RetentionTests {
  private static func lines(_ documents: [Document]) -> [UInt8] {
    Array((documents.map { #"{"text":"\#(String(decoding: $0.text, as: UTF8.self))"}"# }.joined(separator: "\n") + "\n").utf8)
  }

  /// The configuration of a run on stars; food is what the model knew.
  private static func configuration(_ world: World, _ output: String) throws -> FinetuneConfiguration {
    let base = world.folder + "/known"
    var pretraining = world.pretraining
    (pretraining.output, pretraining.settings.training.tokens, pretraining.settings.heldOut) = (base, 24_000, [])
    _ = try PretrainRun.run(pretraining, threads: 2)
    for (name, seed, domain) in [("data", 11, 0), ("target", 12, 0), ("source", 13, 1)] as [(String, UInt64, Int)] {
      let documents = World.documents(name == "data" ? 24 : 8, words: 40, randomSeed: seed, domains: domain...domain)
      try Files.write(lines(documents), to: "\(world.folder)/\(name).jsonl")
    }
    var configuration = FinetuneConfiguration(model: base, data: [world.folder + "/data.jsonl"], output: world.folder + "/" + output)
    (configuration.settings, configuration.epochs, configuration.strategy.methods) = (world.settings, 2, [.direct])
    configuration.settings.heldOut = [world.folder + "/target.jsonl"]
    configuration.retention.sources = [world.folder + "/source.jsonl"]
    (configuration.settings.training.learningRate, configuration.settings.training.checkpointEvery) = (6e-3, 5)
    return configuration
  }

  private static func change(_ report: RunReport, _ role: ValidationSet.Role?) throws -> LossChange {
    try #require(report.training.changes?.first { $0.role == role })
  }

  @Test func forgettingIsMeasuredAndLimited() throws {
    try withWorld { world in
      let configuration = try Self.configuration(world, "free")
      let free = try FinetuneRun.run(configuration, threads: 2)
      #expect(free.training.changes?.map(\.name) == ["target", "source"] && free.training.selection == nil)
      let gain = try Self.change(free, nil), rise = try Self.change(free, .source)
      #expect(gain.rise < -0.01 && rise.rise > 0.05, "\(gain), \(rise)")
      #expect(free.training.evaluations.map(\.step) == [0, 0, free.training.steps, free.training.steps])
      #expect(try JSONFile.decode(RunReport.self, from: JSONFile.encode(free), place: "report") == free)
      // With a budget, the two halves of the source are disjoint and whole.
      var limited = configuration
      (limited.output, limited.retention.budget, limited.retention.interval) = (world.folder + "/limited", rise.rise / 3, .steps(2))
      let report = try FinetuneRun.run(limited, threads: 1), judged = try Self.change(report, .judge)
      let documents = report.training.final.filter { $0.role != nil }.compactMap(\.result.documents)
      #expect(documents.count == 2 && documents.reduce(0, +) == 8 && !documents.contains(0))
      #expect(judged.rise <= rise.rise / 3 && report.training.selection?.rise == judged.rise)
      #expect(report.training.selection?.stop == .budget && report.training.modelStep < free.training.steps)
      #expect(Set(report.training.evaluations.map(\.step)).count > 2)
      // The first evaluation is beyond a budget of nothing: the result is the initial model.
      (limited.output, limited.retention.budget, limited.retention.interval) = (world.folder + "/none", 0, .steps(20))
      let none = try FinetuneRun.run(limited, threads: 2)
      #expect(none.training.selection?.step == 0 && none.training.selectionSummary?.hasPrefix("kept the initial model") == true)
      #expect(try Self.change(none, nil).rise == 0)
      let (_, kept) = try ModelFolder.load(world.folder + "/none/model"), (_, first) = try ModelFolder.load(world.folder + "/known/model")
      #expect(kept.values == first.values)
      // A finished run is what it was, and takes other held-out files of the target.
      #expect(try FinetuneRun.run(limited, threads: 1) == none)
      limited.settings.heldOut = [world.heldOut]
      #expect(try FinetuneRun.run(limited, threads: 1).training.changes?.map(\.name).contains("held") == true)
      // But not another source, which would have kept another model.
      limited.retention.sources = [world.seed]
      #expect(throws: WeirError.self) { try FinetuneRun.run(limited, threads: 1) }
    }
  }

  @Test func aSearchFindsTheSmallestLambda() throws {
    try withWorld { world in
      var configuration = try Self.configuration(world, "searched")
      (configuration.strategy.methods, configuration.retention.searchesLambda) = ([.anneal], true)
      let free = try FinetuneRun.run(Self.configuration(world, "free"), threads: 2)
      configuration.retention.budget = try Self.change(free, .source).rise / 2
      // Stopped in the middle, and resumed.
      let steps = Mutexed(0)
      #expect(throws: Stopped.self) {
        try FinetuneRun.run(
          configuration, threads: 2,
          progress: Progress(report: { _ in steps.set(steps.get() + 1) }, stopping: { steps.get() > Double(free.training.steps) * 1.5 }))
      }
      let report = try FinetuneRun.run(configuration, threads: 1)
      let search = try #require(report.finetuning?.search), chosen = try #require(report.finetuning?.lambda)
      #expect((2...8).contains(search.count))
      #expect(search.filter(\.isWithin).map(\.lambda).min() == chosen && search.allSatisfy { $0.isWithin == ($0.lambda >= chosen) })
      #expect(try Self.change(report, .judge).rise <= configuration.retention.budget ?? 0)
      let model = "/model/model.safetensors", one = RunFolder(configuration.output).tries + "/lambda-\(Format.significant(chosen))"
      #expect(try Files.read(configuration.output + model) == Files.read(one + model))
      #expect(report.training.model == configuration.output + "/model")
      #expect(try FinetuneRun.run(configuration, threads: 2) == report)
      // Where no λ is within the budget, the last model within it is kept.
      (configuration.output, configuration.retention.budget, configuration.strategy.lambda) = (world.folder + "/impossible", 0, 1e-6)
      let notes = Notes(),
        none = try FinetuneRun.run(configuration, threads: 2, progress: Progress(report: { _ in }, notice: { notes.add($0) }))
      #expect(none.training.selection?.step == 0 && none.finetuning?.search?.allSatisfy { !$0.isWithin } == true)
      #expect(notes.all.contains { $0.contains("no λ up to") })
      #expect(try FinetuneRun.run(configuration, threads: 2) == none)
    }
  }

  @Test func bisection() {
    for truth in [0.0004, 0.02, 0.5, 1, 7, 900, 5_000] {
      var tried: [Double] = []
      let found = LambdaSearch.bisect(from: 1) { lambda in
        tried.append(lambda)
        return lambda >= truth
      }
      #expect(tried.count <= LambdaSearch.tries && Set(tried).count == tried.count)
      if truth > 1_000 {
        #expect(found == nil)
      } else {
        let found = found ?? .nan
        #expect(found >= truth && tried.contains(found) && found <= max(truth * 1.4, 1e-3 * 1.01), "\(truth): \(found) of \(tried)")
      }
    }
  }

  @Test func aSweepThatIsRepeatedIsTheSame() throws {
    try withWorld { world in
      var base = try Self.configuration(world, "sweep")
      (base.settings.heldOut, base.retention.validFraction, base.epochs) = ([], 0.25, 1)
      var sweep = FinetuneSweepConfiguration(base, methods: ["direct", "anneal"])
      (sweep.strengths, sweep.learningRates, sweep.randomSeeds) = ([0.3, 3], [1e-3, 6e-3], [1, 2])
      let whole = try FinetuneSweepRun.run(sweep, threads: 2)
      #expect(whole.runs.count == 12 && whole.settings.count == 6 && whole.target == "valid" && whole.sources == ["source"])
      #expect(Set(whole.runs.map(\.run)).count == 12)
      let path = FinetuneSweep.path(in: base.output)
      #expect(try FinetuneSweep.open(path) == whole)
      #expect(whole.settings.allSatisfy { $0.runs == 2 && $0.gain.error != nil })
      for method in ["direct", "anneal"] {
        let own = whole.settings.filter { $0.method == method && $0.gain.value > 0 }
        #expect(
          whole.settings.filter { $0.method == method && $0.isChosen }
            == Array(own.min { $0.rise.value < $1.rise.value }.map { [$0] } ?? []))
      }
      #expect(whole.settings.contains { $0.isOnFrontier })
      // Killed twice, and repeated.
      var parts = sweep
      parts.base.output = world.folder + "/parts"
      for limit in [30.0, 50] {
        let steps = Mutexed(0)
        #expect(throws: Stopped.self) {
          try FinetuneSweepRun.run(
            parts, threads: 1,
            progress: Progress(report: { _ in steps.set(steps.get() + 1) }, stopping: { steps.get() > limit }))
        }
      }
      #expect(try FinetuneSweepRun.run(parts, threads: 1) == whole)
      #expect(try Files.read(path) == Files.read(FinetuneSweep.path(in: parts.base.output)))
      // What was edited is a problem.
      let text = String(decoding: try Files.read(path), as: UTF8.self)
      try Files.write(Array(text.replacing("\"method\" : \"direct\"", with: "\"method\" : \"l2\"").utf8), to: path)
      #expect(throws: WeirError.self) { try FinetuneSweep.open(path) }
    }
  }

  @Test func frontierAndChoice() {
    func run(_ method: String, _ strength: Double?, _ gain: Double, _ rise: Double, seed: UInt64 = 1) -> FinetuneSweep.Run {
      FinetuneSweep.Run(
        run: "\(method)\(seed)", method: method, strength: strength, learningRate: 1e-3, randomSeed: seed, gain: gain, rise: rise,
        riseBySource: [:], step: 1)
    }
    let sweep = FinetuneSweep(
      model: "m", target: "t", sources: ["s"], minimumGain: 0,
      runs: [
        run("direct", nil, 1, 0.9), run("direct", nil, 3, 1.1, seed: 2), run("anneal", 1, 1, 0.2), run("anneal", 2, -0.1, 0.01),
        run("anneal", 3, 0.9, 0.3), run("l2", 1, -1, 0),
      ])
    #expect(sweep.settings.map(\.isOnFrontier) == [true, true, true, false, true])
    #expect(sweep.settings.map(\.isChosen) == [true, true, false, false, false])
    // Two values: t with one degree of freedom, times the standard error.
    #expect(sweep.settings[0].gain.value == 2 && abs((sweep.settings[0].gain.error ?? 0) - 12.7062) < 1e-3)
    #expect(sweep.settings[1].gain.error == nil)
  }

  @Test func smallDataWarns() throws {
    try withWorld { world in
      var configuration = try Self.configuration(world, "small")
      try Files.write(Self.lines(World.documents(3, words: 5, randomSeed: 4, domains: 0...0)), to: world.folder + "/data.jsonl")
      (configuration.epochs, configuration.settings.rows, configuration.settings.sequence) = (5, 16, 32)
      let notes = Notes()
      let report = try FinetuneRun.run(configuration, threads: 1, progress: Progress(report: { _ in }, notice: { notes.add($0) }))
      #expect(
        report.training.steps == 1
          && notes.all.contains { $0.contains("5 epochs are only 1 step of 16 sequences") && $0.contains("batch size of at most") })
      #expect(report.training.tokens < 16 * 32 && report.training.tokens == (report.curve.last?.first).map { Int($0) })
      let steps = try StepRecord.read(RunFolder(configuration.output).log)
      #expect(steps.last?.tokens == report.training.tokens)
      (configuration.settings.rows, configuration.output) = (1, world.folder + "/one")
      #expect(try FinetuneRun.run(configuration, threads: 1).training.steps >= 5)
    }
  }

  @Test func settingsThatDoNotFitAreRefused() throws {
    try withWorld { world in
      let good = try Self.configuration(world, "bad")
      let changes: [(String, (inout FinetuneConfiguration) -> Void)] = [
        ("retention.budget", { $0.retention.budget = -1 }), ("retention.budget", { ($0.retention.budget, $0.retention.sources) = (1, []) }),
        ("retention.interval", { $0.retention.interval = .steps(0) }), ("retention.patience", { $0.retention.patience = 0 }),
        ("retention.patience", { ($0.retention.patience, $0.settings.heldOut) = (1, []) }),
        ("retention.keep", { $0.retention.keep = .budget }),
        ("retention.keep", { ($0.retention.keep, $0.retention.budget) = (.last, 1) }),
        ("retention.keep", { ($0.retention.keep, $0.settings.heldOut) = (.best, []) }),
        ("retention.validFraction", { $0.retention.validFraction = 0.5 }),
        ("retention.validFraction", { ($0.retention.validFraction, $0.settings.heldOut) = (1, []) }),
        ("lambda", { $0.retention.searchesLambda = true }),
        ("lambda", { ($0.retention.searchesLambda, $0.retention.budget) = (true, 1) }),
      ]
      for (place, change) in changes {
        var bad = good
        change(&bad)
        let error = #expect(throws: WeirError.self) { try FinetuneRun.run(bad, threads: 1) }
        #expect(error?.place == place, "\(error.map { "\($0)" } ?? "")")
      }
      try Files.write(Self.lines(World.documents(1, words: 9, randomSeed: 1)), to: world.folder + "/source.jsonl")
      var one = good
      one.retention.budget = 1
      #expect(throws: WeirError.self) { try FinetuneRun.run(one, threads: 1) }
    }
  }
}

private final class Notes: Sendable {
  private let lock = NSLock()
  private nonisolated(unsafe) var lines: [String] = []
  func add(_ line: String) { lock.withLock { lines.append(line) } }
  var all: [String] { lock.withLock { lines } }
}

private final class Mutexed: Sendable {
  private let lock = NSLock()
  private nonisolated(unsafe) var value: Double
  init(_ value: Double) { self.value = value }
  func set(_ new: Double) { lock.withLock { value = new } }
  func get() -> Double { lock.withLock { value } }
}
