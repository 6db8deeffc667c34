import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training

@Suite struct LossGuardTests {
  private typealias Recipe = RecipeTests

  /// Losses near `level`, except for a share of batches of a rarer, harder kind.
  private func uneven(_ count: Int, share: Double, level: Double = 0.1, hard: Double = 8, seed: UInt64) -> [Double] {
    var random = SequentialRandom(seed: seed)
    return (0..<count).map { _ in
      (Double.random(in: 0..<1, using: &random) < share ? hard : level) + Double.random(in: 0..<0.3, using: &random)
    }
  }

  @Test func unevenDataIsNotDamage() {
    let settings = LossGuard.Settings()
    for share in [0.01, 0.04, 0.08, 0.12, 0.3, 0.6] {
      for seed in 1...5 as ClosedRange<UInt64> {
        var watch = LossGuard()
        for (step, loss) in uneven(2_000, share: share, seed: seed).enumerated() {
          #expect(watch.judge(step: step + 1, loss: loss, norm: 1, settings) == nil)
          watch.accept(loss)
          #expect(watch.damage(settings) == nil, "share \(share), seed \(seed), step \(step)")
        }
      }
    }
  }

  @Test func aLossThatStaysHighIsDamage() throws {
    for share in [0, 0.04] {
      var watch = LossGuard()
      for loss in uneven(200, share: share, level: 2, hard: 3, seed: 1) { watch.accept(loss) }
      for number in 1...16 {
        watch.accept(5)
        #expect((watch.damage(.init()) != nil) == (number >= 12))
        #expect(watch.damage(.off) == nil)
      }
    }
  }

  @Test func onlyRareSpikesAreSkipped() {
    var settings = LossGuard.Settings()
    settings.deviations = 6
    func skipped(_ losses: [Double], _ settings: LossGuard.Settings) -> [Int] {
      var watch = LossGuard()
      return losses.enumerated().compactMap { index, loss in
        guard watch.judge(step: index + 1, loss: loss, norm: 1, settings) == nil else { return index + 1 }
        watch.accept(loss)
        return nil
      }
    }
    for share in [0.005, 0.02, 0.05, 0.2] {
      for seed in 1...5 as ClosedRange<UInt64> {
        let losses = uneven(2_000, share: share, seed: seed)
        #expect(skipped(losses, settings).count <= 20)
        #expect(skipped(losses, LossGuard.Settings()).isEmpty)
        // Many of them are data.
        if share >= 0.05 { #expect(skipped(losses, settings).count <= 3) }
      }
    }
    var losses = uneven(1_000, share: 0, seed: 1)
    for step in [50, 400, 700] { losses[step - 1] = 9 }
    #expect(skipped(losses, settings) == [400, 700])
    losses[449] = .nan
    #expect(skipped(losses, LossGuard.Settings()) == [450])
  }

  @Test func singleSpikesAreSkippedOnRequest() throws {
    try withTemporaryFolder { folder in
      let source = MostlySame(others: 105...106)
      var settings = LossGuard.Settings()
      settings.deviations = 6
      let report = try Recipe.run(
        folder + "/on",
        Recipe.plan(120) {
          $0.lossGuard = settings
          $0.keepEvery = 1
        }, source)
      let skipped = try Recipe.log(folder + "/on").filter { $0.skipped != nil }
      #expect(skipped.map(\.step) == [106])
      #expect(skipped.first?.skipped == .spike)
      #expect(report.skipped == ["spike": 1] && report.guardSummary?.contains("skipped 1 of 120 steps") == true)
      // A skipped step does not change the weights.
      func at(_ step: Int) throws -> [Float] { try Recipe.weights(folder + "/on/checkpoints/step-00000\(step)") }
      #expect(try at(105) == at(106))
      #expect(try at(106) != at(107))
      let plain = try Recipe.run(folder + "/default", Recipe.plan(120), source)
      #expect(plain.skipped == nil && plain.rollbacks == nil && plain.guardSummary == nil)
      try Recipe.run(folder + "/off", Recipe.plan(120) { $0.lossGuard = .off }, source)
      #expect(try Recipe.weights(folder + "/default/model") == Recipe.weights(folder + "/off/model"))
    }
  }

  @Test(arguments: [12, 16, 20]) func aBurstOfCorruptBatchesIsSkipped(_ length: Int) throws {
    try withTemporaryFolder { folder in
      let source = MostlySame(others: 154...153 + length)
      let plan = Recipe.plan(180) {
        $0.checkpointEvery = 10
        $0.keepLast = 1
        $0.schedule = .constant
      }
      let report = try Recipe.run(folder + "/run", plan, source)
      // Twelve high losses, at steps 155…166, are damage. The last checkpoint before the window is that of step 150.
      let rollback = try #require(report.rollbacks?.first)
      #expect(report.rollbacks?.count == 1)
      #expect(rollback.from == 166 && rollback.to == 150)
      let log = try Recipe.log(folder + "/run")
      #expect(log.map(\.step) == Array(1...180))
      let entries = try LogEntry.read(RunFolder(folder + "/run").log)
      let line = #"{"event": "rollback", "step": 150, "from": 166, "to": 150, "reason": "\#(rollback.reason)"}"#
      let record = try JSONFile.decode(RollbackRecord.self, from: Array(line.utf8), place: "line")
      #expect(entries.dropFirst(150).first == .rollback(record))
      let off = try Recipe.run(folder + "/off", plan.withoutGuard, source)
      #expect(report.loss < off.loss, "\(report.loss) with the guard, \(off.loss) without")
    }
  }

  @Test func harderDataIsAccepted() throws {
    try withTemporaryFolder { folder in
      let plan = Recipe.plan(300) {
        $0.checkpointEvery = 20
        $0.schedule = .constant
      }
      let report = try Recipe.run(folder + "/run", plan, MostlySame(others: 100...1_000))
      #expect(report.rollbacks?.count == 1)
      #expect(try Recipe.log(folder + "/run").map(\.step) == Array(1...300))
      // Without a rollback left, the run continues as well.
      var settings = LossGuard.Settings()
      settings.rollbacks = 1
      let once = try Recipe.run(folder + "/once", plan.with { $0.lossGuard = settings }, AlternatingData())
      #expect(once.rollbacks?.count == 1)
    }
  }

  /// Every 150 steps, the data become different from what they were.
  private struct AlternatingData: BatchSource {
    let rows = 2, sequence = 24, fingerprint = "alternating"
    func batch(step: Int) -> Batch { RandomBatches().batch(step: step / 150 * 7) }
  }

  @Test func plantedNaNIsSkipped() throws {
    try withTemporaryFolder { folder in
      // The residual of a token whose embedding is huge overflows.
      let shape = ModelConfiguration(
        vocabulary: 40, width: 16, layers: 2, heads: 2, kvHeads: 1, ffn: 32, sequence: 24, tiedEmbeddings: false)
      let model = randomModel(shape, rows: 1, sequence: 24, training: false)
      let embedding = try #require(model.layout.tensors.first { $0.name.contains("embed_tokens") })
      for i in 0..<16 { model.parameters.base[embedding.range.lowerBound + 39 * 16 + i] = i % 2 == 0 ? 3.4e38 : -3.4e38 }
      let projection = try #require(model.layout.tensors.first { $0.name.contains("o_proj") })
      for i in projection.range { model.parameters.base[i] *= 1e37 }
      try ModelFolder.write(folder + "/initial", configuration: shape, parameters: model.parameters, tokenizer: nil)
      struct Planted: BatchSource {
        let rows = 2, sequence = 24
        var bad: ClosedRange<Int>
        var fingerprint: String { "planted \(bad)" }
        func batch(step: Int) -> Batch {
          var batch = RandomBatches(vocabulary: 39).batch(step: 0)
          if bad.contains(step) { batch.tokens[3] = 39 }
          return batch
        }
      }
      let plan = Recipe.plan(60) { $0.checkpointEvery = 10 }
      func run(_ name: String, _ bad: ClosedRange<Int>) throws -> TrainingReport {
        try Recipe.run(folder + "/" + name, plan, Planted(bad: bad), initial: .folder(folder + "/initial"))
      }
      let few = try run("few", 30...31)
      #expect(few.skipped == ["nan": 2] && few.rollbacks == nil)
      // Four in a row are more than the patience. Two of the six remain after the rollback.
      let many = try run("many", 35...40)
      #expect(many.skipped == ["nan": 2] && many.rollbacks?.map(\.to) == [30])
    }
  }

  @Test func stateOfEarlierVersionsIsRead() throws {
    let state = #"{"count":40,"first":8.5,"mean":3.25,"variance":0.5}"#
    var watch = try JSONFile.decode(LossGuard.self, from: Array(state.utf8), place: "state")
    #expect(watch.damage(.init()) == nil)
    watch.accept(3)
    #expect(try JSONFile.decode(LossGuard.self, from: JSONFile.encode(watch), place: "state") == watch)
  }
}

extension TrainingConfiguration {
  fileprivate func with(_ change: (inout TrainingConfiguration) -> Void) -> TrainingConfiguration {
    var configuration = self
    change(&configuration)
    return configuration
  }

  fileprivate var withoutGuard: TrainingConfiguration { with { $0.lossGuard = .off } }
}
