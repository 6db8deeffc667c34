import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training

/// Random documents, a different batch in every step.
struct RandomBatches: BatchSource {
  var rows = 2
  var sequence = 24
  var vocabulary = 40
  var seed: UInt64 = 1
  var fingerprint: String { "random \(rows) \(sequence) \(vocabulary) \(seed)" }

  func batch(step: Int) -> Batch {
    randomBatch(rows: rows, sequence: sequence, vocabulary: vocabulary, seed: seed &* 1_000 &+ UInt64(step), longest: 12)
  }
}

@Suite struct RunTests {
  static let shape = ModelConfiguration(vocabulary: 40, width: 16, layers: 2, heads: 2, kvHeads: 1, ffn: 32, sequence: 24)

  static func plan(_ steps: Int) -> TrainingConfiguration {
    var plan = TrainingConfiguration(steps: steps)
    plan.learningRate = 0.01
    plan.checkpointEvery = 4
    plan.evaluateEvery = 5
    plan.randomSeed = 7
    return plan
  }

  static let validation: [ValidationSet] = {
    let documents = (0..<5).map { (index: Int) -> EvaluationDocument in
      let tokens = (0..<(10 + 17 * index)).map { (t: Int) -> Int32 in Int32(t * (index + 3) % 40) }
      return EvaluationDocument(tokens: tokens, bytes: 100, domain: index < 2 ? "a" : "b")
    }
    return [ValidationSet(name: "held-out", documents: documents)]
  }()

  @discardableResult
  static func run(
    _ folder: String, _ plan: TrainingConfiguration, threads: Int = 2, initial: ModelInitialization = .scratch(shape),
    source: RandomBatches = RandomBatches(), stopAfter: Double? = nil
  ) throws -> TrainingReport {
    let seen = Mutexed(0.0)
    let progress = Pipeline.Progress(
      report: { event in seen.set(event.done) }, stopping: { stopAfter.map { seen.get() >= $0 } ?? false })
    return try TrainingRun.run(
      configuration: plan, initial: initial, source: source, validation: validation, folder: folder, threads: threads, progress: progress)
  }

  /// The lines of a log without their timings.
  static func lines(_ folder: String) throws -> [String] {
    String(decoding: try Files.read(RunFolder(folder).log), as: UTF8.self).split(separator: "\n").map { line in
      String(line[..<(line.range(of: ", \"seconds\"")?.lowerBound ?? line.endIndex)])
    }
  }

  @Test func anInterruptedRunEndsWithTheSameBits() throws {
    try withTemporaryFolder { folder in
      let whole = folder + "/whole", parts = folder + "/parts"
      let report = try Self.run(whole, Self.plan(14), threads: 1)
      for stop in [3, 9, 11] {
        #expect(throws: Stopped.self) { try Self.run(parts, Self.plan(14), threads: stop % 3 + 1, stopAfter: Double(stop * 48)) }
      }
      let resumed = try Self.run(parts, Self.plan(14))
      #expect(try Files.read(whole + "/model/model.safetensors") == Files.read(parts + "/model/model.safetensors"))
      #expect(try Self.lines(whole) == Self.lines(parts))
      #expect(try Self.lines(whole).count == 14)
      #expect(try Files.read(whole + "/evaluations.jsonl") == Files.read(parts + "/evaluations.jsonl"))
      #expect(resumed.evaluations == report.evaluations)
      #expect(report.evaluations.map(\.step) == [5, 10, 14])
      #expect(resumed.loss == report.loss)
      #expect(try Self.run(whole, Self.plan(14)) == report)
    }
  }

  @Test func damagedCheckpointsAreIgnored() throws {
    try withTemporaryFolder { folder in
      let whole = folder + "/whole", parts = folder + "/parts"
      try Self.run(whole, Self.plan(14))
      #expect(throws: Stopped.self) { try Self.run(parts, Self.plan(14), stopAfter: 9 * 48) }
      let newest = try #require(try FileManager.default.contentsOfDirectory(atPath: parts + "/checkpoints").max())
      let path = parts + "/checkpoints/" + newest + "/optimizer.safetensors"
      var bytes = try Files.read(path)
      bytes[bytes.count - 5] ^= 1
      try Files.write(bytes, to: path)
      try Self.run(parts, Self.plan(14))
      #expect(try Files.read(whole + "/model/model.safetensors") == Files.read(parts + "/model/model.safetensors"))
      #expect(try Self.lines(whole) == Self.lines(parts))
    }
  }

  @Test func aFolderHoldsOneRun() throws {
    try withTemporaryFolder { folder in
      try Self.run(folder + "/run", Self.plan(2))
      #expect(throws: WeirError.self) { try Self.run(folder + "/run", Self.plan(3)) }
      #expect(throws: WeirError.self) { try Self.run(folder + "/run", Self.plan(2), source: RandomBatches(seed: 2)) }
      try Files.write([1], to: folder + "/other")
      #expect(throws: WeirError.self) { try Self.run(folder, Self.plan(2)) }
    }
  }

  @Test func aBranchContinuesLikeItsTrunk() throws {
    try withTemporaryFolder { folder in
      var trunk = Self.plan(8)
      trunk.schedule = .constant
      trunk.warmup = 0
      trunk.checkpointAt = [4 * 48 - 10]
      try Self.run(folder + "/trunk", trunk)
      let kept = folder + "/trunk/checkpoints/step-00000004"
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/trunk/checkpoints") == ["step-00000004"])
      struct Shifted: BatchSource {
        let base = RandomBatches()
        var rows: Int { base.rows }
        var sequence: Int { base.sequence }
        var fingerprint: String { "shifted" }
        func batch(step: Int) -> Batch { base.batch(step: step + 4) }
      }
      var branch = trunk
      branch.steps = 4
      branch.checkpointAt = []
      _ = try TrainingRun.run(
        configuration: branch, initial: .checkpoint(kept, optimizer: true), source: Shifted(), folder: folder + "/branch")
      #expect(
        try Files.read(folder + "/trunk/model/model.safetensors") == Files.read(folder + "/branch/model/model.safetensors"))
      _ = try TrainingRun.run(
        configuration: branch, initial: .checkpoint(kept, optimizer: false), source: Shifted(), folder: folder + "/cold")
      #expect(try Files.read(folder + "/trunk/model/model.safetensors") != Files.read(folder + "/cold/model/model.safetensors"))
    }
  }

  @Test func lossFallsAndDivergenceIsAnError() throws {
    try withTemporaryFolder { folder in
      struct Same: BatchSource {
        let rows = 2, sequence = 24, fingerprint = "same"
        func batch(step: Int) -> Batch { RandomBatches().batch(step: 0) }
      }
      var plan = TrainingConfiguration(tokens: 40 * 48 - 5)
      plan.learningRate = 0.01
      let report = try TrainingRun.run(configuration: plan, initial: .scratch(Self.shape), source: Same(), folder: folder + "/a")
      #expect(report.steps == 40)
      #expect(report.loss < 1.5)
      plan.learningRate = 1e30
      plan.clip = 0
      #expect(throws: WeirError.self) {
        try TrainingRun.run(configuration: plan, initial: .scratch(Self.shape), source: Same(), folder: folder + "/b")
      }
    }
  }

  @Test func schedulesHaveTheirShapes() {
    var plan = TrainingConfiguration(steps: 100)
    plan.learningRate = 1
    plan.warmup = 0.1
    #expect(plan.rate(step: 0, total: 100) == 0.1)
    #expect(plan.rate(step: 9, total: 100) == 1)
    #expect(plan.rate(step: 79, total: 100) == 1)
    #expect(plan.rate(step: 99, total: 100) < 0.06)
    let falling = (80..<100).map { plan.rate(step: $0, total: 100) }
    #expect(zip(falling, falling.dropFirst()).allSatisfy { $0 > $1 })
    plan.schedule = .cosine
    #expect(abs(plan.rate(step: 55, total: 100) - 0.5) < 1e-9)
    plan.schedule = .constant
    #expect(plan.rate(step: 99, total: 100) == 1)
  }
}

/// A value protected by a lock.
final class Mutexed: Sendable {
  private let lock = NSLock()
  private nonisolated(unsafe) var value: Double
  init(_ value: Double) { self.value = value }
  func set(_ new: Double) { lock.withLock { value = new } }
  func get() -> Double { lock.withLock { value } }
}
