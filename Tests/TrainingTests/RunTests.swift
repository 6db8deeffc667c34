import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Synchronization
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
    source: RandomBatches = RandomBatches(), validation: [ValidationSet] = validation, stopAfter: Double? = nil, notes: Notes = Notes()
  ) throws -> TrainingReport {
    let seen = Mutexed(0.0)
    let progress = Pipeline.Progress(
      report: { event in seen.set(event.done) }, stopping: { stopAfter.map { seen.get() >= $0 } ?? false }, notice: { notes.add($0) })
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

  @Test func aRunWithoutAnIntactCheckpointDoesNotStartOver() throws {
    try withTemporaryFolder { folder in
      for damage in ["truncate", "remove", "state"] {
        let run = folder + "/" + damage
        let notes = Notes()
        #expect(throws: Stopped.self) { try Self.run(run, Self.plan(14), stopAfter: 9 * 48) }
        let log = try Files.read(run + "/log.jsonl")
        func damageCheckpoint(_ checkpoint: String) throws {
          let file = run + "/checkpoints/" + checkpoint + (damage == "state" ? "/state.json" : "/optimizer.safetensors")
          damage == "remove" ? try Files.remove(file) : try Files.write(Array(try Files.read(file).dropLast(9)), to: file)
        }
        let names = try Files.entries(of: run + "/checkpoints")
        #expect(names == ["step-00000004", "step-00000008", "step-00000009"])
        for name in names { try damageCheckpoint(name) }
        let error = #expect(throws: WeirError.self) { try Self.run(run, Self.plan(14)) }
        #expect(error?.reason.contains("none of 3 checkpoints is intact; the newest: \(run)/checkpoints/step-00000009") == true)
        #expect(try Files.read(run + "/log.jsonl") == log)
        try Files.remove(run + "/checkpoints")
        // Without any, the run starts over. Then only the newest is damaged.
        #expect(throws: Stopped.self) { try Self.run(run, Self.plan(14), stopAfter: 9 * 48) }
        try damageCheckpoint("step-00000009")
        try Self.run(run, Self.plan(14), notes: notes)
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains("step-00000009") == true)
        #expect(notes.all.first?.contains("; resuming from the checkpoint of step 8 instead; the damaged one is now ") == true)
        #expect(!Files.exists(run + "/checkpoints/step-00000009"))
      }
    }
  }

  /// A checkpoint that cannot be read does not stand in the way of the one that training writes again.
  @Test func damagedCheckpointsAreSetAside() throws {
    try withTemporaryFolder { folder in
      let whole = folder + "/whole", run = folder + "/run", notes = Notes()
      try Self.run(whole, Self.plan(14))
      #expect(throws: Stopped.self) { try Self.run(run, Self.plan(14), stopAfter: 9 * 48) }
      for step in ["8", "9"] { try Files.remove(run + "/checkpoints/step-0000000\(step)/manifest.json") }
      #expect(throws: Stopped.self) { try Self.run(run, Self.plan(14), stopAfter: 9 * 48, notes: notes) }
      #expect(notes.all.count == 2 && notes.all.allSatisfy { $0.contains("resuming from the checkpoint of step 4 instead") })
      #expect(try RunFolder(run).allCheckpoints().map(\.step) == [4, 8, 9])
      #expect(try Files.entries(of: run + "/checkpoints").count { $0.hasSuffix(".damaged") } == 2)
      try Self.run(run, Self.plan(14))
      #expect(try Files.read(whole + "/model/model.safetensors") == Files.read(run + "/model/model.safetensors"))
      #expect(try Self.lines(whole) == Self.lines(run) && Files.entries(of: run + "/checkpoints") == [])
    }
  }

  @Test func whatARunHasLostIsTold() throws {
    try withTemporaryFolder { folder in
      for content in [nil, [], Array("{\"step\": 1".utf8)] as [[UInt8]?] {
        let run = folder + "/\(content?.count ?? -1)", notes = Notes()
        #expect(throws: Stopped.self) { try Self.run(run, Self.plan(14), stopAfter: 9 * 48) }
        try Files.remove(run + "/log.jsonl")
        if let content { try Files.write(content, to: run + "/log.jsonl") }
        try Self.run(run, Self.plan(14), notes: notes)
        #expect(notes.all.contains { $0.contains("log.jsonl: has 0 of the first 9 steps") }, "\(notes.all)")
      }
      let run = folder + "/file"
      #expect(throws: Stopped.self) { try Self.run(run, Self.plan(14), stopAfter: 9 * 48) }
      let log = try Files.read(run + "/log.jsonl")
      try Files.remove(run + "/checkpoints")
      try Files.write([], to: run + "/checkpoints")
      #expect(errorMessage { try Self.run(run, Self.plan(14)) }.contains("checkpoints: is a file"))
      #expect(try Files.read(run + "/log.jsonl") == log)
    }
  }

  @Test func halfRemovedCheckpointsAreSwept() throws {
    try withTemporaryFolder { folder in
      let run = folder + "/run"
      #expect(throws: Stopped.self) { try Self.run(run, Self.plan(14), stopAfter: 9 * 48) }
      // A checkpoint loses its name before its files.
      try Files.createFolder(run + "/checkpoints/step-00000001.partial")
      try Files.write([1], to: run + "/checkpoints/step-00000001.partial/state.json")
      #expect(try RunFolder(run).allCheckpoints().map(\.step) == [4, 8, 9])
      try Self.run(run, Self.plan(14))
      #expect(try Files.entries(of: run + "/checkpoints") == [])
      #expect(
        try Files.entries(of: run) == [
          "checkpoints", "checksums.json", "evaluations.jsonl", "log.jsonl", "model", "report.json", "run.json",
        ])
    }
  }

  @Test func aFinishedRunRebuildsItsModelOrFails() throws {
    try withTemporaryFolder { folder in
      for (name, keeps) in [("kept", true), ("gone", false)] {
        let run = folder + "/" + name
        var plan = Self.plan(14)
        if keeps { plan.checkpointAt = [8 * 48] }
        let report = try Self.run(run, plan), model = try Files.read(run + "/model/model.safetensors")
        for damage in [
          { try Files.remove(run + "/model") }, { try Files.remove(run + "/model/model.safetensors") },
          { try Files.write(model.dropLast() + [model[model.count - 1] ^ 1], to: run + "/model/model.safetensors") },
          { try Files.remove(run + "/model/config.json") },
        ] as [() throws -> Void] {
          try damage()
          if keeps {
            let again = try Self.run(run, plan)
            #expect(again.loss == report.loss && again.evaluations == report.evaluations)
            #expect(try Files.read(run + "/model/model.safetensors") == model)
          } else {
            let error = #expect(throws: WeirError.self) { try Self.run(run, plan) }
            #expect(error?.reason.contains("lost this folder") == true)
            #expect(Files.exists(run + "/report.json"))
            break
          }
        }
        // A folder that Weir did not write is not replaced.
        try Files.remove(run + "/model")
        try Files.createFolder(run + "/model")
        try Files.write([1], to: run + "/model/mine")
        let error = #expect(throws: WeirError.self) { try Self.run(run, plan) }
        #expect(error?.reason.hasPrefix("has no manifest.json") == true && error?.remedy.contains("move it away") == keeps)
        #expect(try Files.entries(of: run + "/model") == ["mine"])
      }
    }
  }

  @Test func heldOutSetsAreIdentifiedByTheirContent() throws {
    try withTemporaryFolder { folder in
      let run = folder + "/run"
      // Other tokens, but as many of them.
      var edited = Self.validation
      edited[0].documents[0].tokens[3] += 1
      let first = try Self.run(run, Self.plan(14))
      let second = try Self.run(run, Self.plan(14), validation: edited)
      #expect(second.final.count == 1 && first.final.count == 1)
      #expect(second.final[0].result.loss != first.final[0].result.loss)
      #expect(try JSONFile.read(TrainingReport.self, from: run + "/report.json") == second)
      #expect(try Self.run(folder + "/new", Self.plan(14), validation: edited).final == second.final)
      #expect(try Self.run(run, Self.plan(14)) == first)
      // More sets, or none, are the same run.
      let more = Self.validation + [ValidationSet(name: "other", documents: edited[0].documents)]
      let both = try Self.run(run, Self.plan(14), validation: more)
      #expect(both.final.map(\.name) == ["held-out", "other"])
      #expect(both.final[1].result == second.final[0].result)
      #expect(try Self.run(run, Self.plan(14), validation: []).final == both.final)
      // An unfinished run continues with the sets that it is given.
      #expect(throws: Stopped.self) { try Self.run(folder + "/parts", Self.plan(14), stopAfter: 9 * 48) }
      let parts = try Self.run(folder + "/parts", Self.plan(14), validation: edited)
      #expect(parts.evaluations.map(\.step) == [10, 14])
      #expect(parts.final == second.final)
      #expect(throws: WeirError.self) { try Self.run(folder + "/twice", Self.plan(2), validation: Self.validation + edited) }
    }
  }

  @Test func warmupAndDecayDoNotOverlap() throws {
    var plan = Self.plan(10)
    for (warmup, decay, schedule, isValid) in [
      (0.5, 0.8, LearningRateSchedule.wsd, false), (1, 0.2, .wsd, false), (0.9, 0.2, .wsd, false), (0.9, 0.1, .wsd, true),
      (0.7, 0.3, .wsd, true), (0, 1, .wsd, true), (0.5, 0.8, .cosine, true), (0.5, 0.8, .constant, true),
    ] {
      (plan.warmup, plan.decay, plan.schedule) = (warmup, decay, schedule)
      #expect((errorMessage { try plan.validate() } == "") == isValid, "\(warmup) \(decay) \(schedule)")
    }
    // Rounding does not make them overlap.
    (plan.warmup, plan.decay, plan.schedule) = (0.5, 0.5, .wsd)
    for total in 1...9 {
      let rates = (0..<total).map { plan.rate(step: $0, total: total) }, peak = rates.indices.max { rates[$0] < rates[$1] } ?? 0
      #expect(zip(rates[...peak], rates[...peak].dropFirst()).allSatisfy { $0 < $1 }, "\(rates)")
      #expect(rates[peak] == plan.learningRate)
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

/// The lines that a run sends to the user.
final class Notes: Sendable {
  private let lines = Mutex<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

/// A value protected by a lock.
final class Mutexed: Sendable {
  private let lock = NSLock()
  private nonisolated(unsafe) var value: Double
  init(_ value: Double) { self.value = value }
  func set(_ new: Double) { lock.withLock { value = new } }
  func get() -> Double { lock.withLock { value } }
}
