import Foundation
import Kernels
import Primitives
import Testing
import Tokens
import Training

@Suite struct GradientTests {
  static let shapes = [
    ModelConfiguration(
      vocabulary: 37, width: 12, layers: 2, heads: 4, kvHeads: 2, headWidth: 6, ffn: 20, sequence: 80, tiedEmbeddings: true),
    ModelConfiguration(vocabulary: 33, width: 16, layers: 1, heads: 1, headWidth: 16, ffn: 24, sequence: 80, tiedEmbeddings: false),
    ModelConfiguration(
      vocabulary: 25, width: 8, layers: 2, heads: 4, kvHeads: 2, headWidth: 18, ffn: 12, sequence: 80, tiedEmbeddings: true, qkNorm: true),
    // Biases and scaled positions.
    extended(.qkv, RotaryScaling(.linear, factor: 4, original: 20)), extended(.qkv, llama3), extended(.all, yarn),
    extended(.all, llama3, qkNorm: true),
  ]

  static let llama3: RotaryScaling = {
    var scaling = RotaryScaling(.llama3, factor: 8, original: 40)
    (scaling.lowFrequency, scaling.highFrequency) = (1, 5)
    return scaling
  }()
  static let yarn: RotaryScaling = {
    var scaling = RotaryScaling(.yarn, factor: 4, original: 20)
    (scaling.betaFast, scaling.betaSlow, scaling.attention) = (2, 0.5, 1.14)
    return scaling
  }()

  private static func extended(_ biases: ModelConfiguration.Biases, _ scaling: RotaryScaling, qkNorm: Bool = false) -> ModelConfiguration {
    var c = ModelConfiguration(
      vocabulary: 21, width: 8, layers: 2, heads: 4, kvHeads: 2, headWidth: 8, ffn: 12, sequence: 80, ropeTheta: 100, qkNorm: qkNorm)
    (c.biases, c.ropeScaling) = (biases, scaling)
    return c
  }

  @Test(arguments: shapes) func forwardEqualsTheReference(_ c: ModelConfiguration) throws {
    let model = randomModel(c, rows: 2, sequence: 61), batch = randomBatch(rows: 2, sequence: 61, vocabulary: c.vocabulary, seed: 3)
    try model.check(batch, place: "batch")
    model.forward(tokens: batch.tokens, starts: batch.starts)
    let expected = Reference(model).logits(batch)
    for t in 0..<expected.count {
      for (a, b) in zip(model.logits(at: t), expected[t]) { #expect(abs(Double(a) - b) < 2e-5) }
    }
    let sums = model.loss(targets: batch.targets, gradient: false)
    #expect(sums.targets == batch.targetCount)
    #expect(abs(sums.mean - Reference(model).loss(batch)) < 1e-5)
  }

  @Test(arguments: shapes) func gradientsEqualFiniteDifferences(_ c: ModelConfiguration) {
    check(c, annealing: nil, sequence: c.qkNorm || c.biases != nil ? 16 : 50)
  }

  static let annealings = AnnealingDirection.allCases.flatMap { direction in
    AnnealingSide.allCases.flatMap { side in
      [0.5, 1, 2].map { Annealing(lambda: 0.7, temperature: $0, direction: direction, side: side) }
    }
  }

  @Test(arguments: annealings) func annealedGradientsEqualFiniteDifferences(_ annealing: Annealing) {
    let c = ModelConfiguration(vocabulary: 37, width: 8, layers: 1, heads: 2, ffn: 16, sequence: 16)
    check(c, annealing: annealing, sequence: 16, samples: 2)
  }

  /// DFT, and ASFT in both forms of the kernel: the tokens' weights are constants for the gradient.
  @Test(arguments: [nil, Annealing(lambda: 0.7), Annealing(lambda: 0.7, temperature: 2)])
  func weightedGradientsEqualFiniteDifferences(_ annealing: Annealing?) {
    let c = ModelConfiguration(vocabulary: 37, width: 8, layers: 1, heads: 2, ffn: 16, sequence: 16)
    check(c, annealing: annealing, sequence: 16, weighted: true)
  }

  /// With λ = 0, every form of annealing has the bits of plain cross-entropy.
  @Test(arguments: annealings, [false, true]) func withoutWeightTheDivergenceChangesNoBit(_ annealing: Annealing, _ weighted: Bool) {
    let c = ModelConfiguration(vocabulary: 41, width: 8, layers: 1, heads: 2, ffn: 16, sequence: 16)
    let batch = randomBatch(rows: 2, sequence: 16, vocabulary: 41, seed: 5), frozen = randomModel(c, rows: 2, sequence: 16, seed: 8)
    frozen.forward(tokens: batch.tokens, starts: batch.starts)
    func gradients(_ annealing: Annealing?) -> (LossSums, [UInt32]) {
      let model = randomModel(c, rows: 2, sequence: 16)
      model.forward(tokens: batch.tokens, starts: batch.starts)
      let sums = model.loss(
        targets: batch.targets, gradient: true, annealing: annealing, frozen: annealing == nil ? nil : frozen, weighted: weighted)
      model.backward()
      return (sums, model.gradients.values.map(\.bitPattern))
    }
    var off = annealing
    off.lambda = 0
    let (plain, expected) = gradients(nil), (sums, found) = gradients(off)
    #expect(expected == found && sums.crossEntropy == plain.crossEntropy && sums.divergence > 0)
  }

  @Test func gradientsWithZLossEqualFiniteDifferences() {
    let c = ModelConfiguration(vocabulary: 37, width: 8, layers: 1, heads: 2, ffn: 16, sequence: 16)
    check(c, annealing: nil, sequence: 16, zLoss: 0.3)
  }

  private func check(
    _ c: ModelConfiguration, annealing: Annealing?, sequence: Int = 50, samples: Int = 2, zLoss: Double = 0,
    weighted: Bool = false
  ) {
    let model = randomModel(c, rows: 2, sequence: sequence)
    let batch = randomBatch(rows: 2, sequence: sequence, vocabulary: c.vocabulary, seed: 5)
    var frozen: Transformer?
    var frozenLogits: [[Double]] = []
    if annealing != nil {
      let other = randomModel(c, rows: 2, sequence: sequence, training: false, seed: 8)
      other.forward(tokens: batch.tokens, starts: batch.starts)
      frozen = other
      frozenLogits = Reference(other).logits(batch)
    }
    model.forward(tokens: batch.tokens, starts: batch.starts)
    let sums = model.loss(targets: batch.targets, gradient: true, annealing: annealing, frozen: frozen, zLoss: zLoss, weighted: weighted)
    model.backward()
    var reference = Reference(model)
    let extra = (annealing?.lambda ?? 0) * sums.divergence + zLoss * sums.squares
    let total = sums.mean + extra / Double(sums.targets)
    #expect(abs(total - reference.loss(batch, annealing: annealing, frozen: frozenLogits, zLoss: zLoss)) < 1e-5)
    let weights =
      weighted ? reference.logits(batch).enumerated().map { exp(Reference.logSoftmax($1)[max(0, Int(batch.targets[$0]))]) } : nil
    var random = SequentialRandom(seed: 11)
    for tensor in model.layout.tensors {
      for _ in 0..<samples {
        let index = Int.random(in: tensor.range, using: &random), step = 1e-4, value = reference.parameters[index]
        reference.parameters[index] = value + step
        let above = reference.loss(batch, annealing: annealing, frozen: frozenLogits, zLoss: zLoss, weights: weights)
        reference.parameters[index] = value - step
        let below = reference.loss(batch, annealing: annealing, frozen: frozenLogits, zLoss: zLoss, weights: weights)
        reference.parameters[index] = value
        let expected = (above - below) / (2 * step), found = Double(model.gradients.base[index])
        #expect(abs(expected - found) < 1e-5 + 1e-3 * abs(expected), "\(tensor.name)[\(index - tensor.range.lowerBound)]")
      }
    }
  }

  @Test func gradientsDoNotDependOnThreads() {
    let c = ModelConfiguration(vocabulary: 700, width: 32, layers: 2, heads: 2, ffn: 48, sequence: 96)
    let batch = randomBatch(rows: 8, sequence: 96, vocabulary: 700, seed: 6)
    let results = [1, 2, 3].map { threads -> [Float] in
      let model = randomModel(c, rows: 8, sequence: 96, threads: threads)
      model.forward(tokens: batch.tokens, starts: batch.starts)
      _ = model.loss(targets: batch.targets, gradient: true)
      model.backward()
      return model.gradients.values
    }
    #expect(results[0].map(\.bitPattern) == results[1].map(\.bitPattern))
    #expect(results[0].map(\.bitPattern) == results[2].map(\.bitPattern))
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func documentsDoNotAttendToEachOther(_ seed: UInt64) {
    let c = ModelConfiguration(vocabulary: 50, width: 16, layers: 2, heads: 2, ffn: 32, sequence: 128)
    let model = randomModel(c, rows: 1, sequence: 128, training: false)
    var batch = randomBatch(rows: 1, sequence: 128, vocabulary: 50, seed: seed)
    let second = Int(batch.starts[127]), checked = Array(second..<128)
    model.forward(tokens: batch.tokens, starts: batch.starts)
    let before = checked.map { model.logits(at: $0) }
    for t in 0..<second { batch.tokens[t] = (batch.tokens[t] + 7) % 50 }
    model.forward(tokens: batch.tokens, starts: batch.starts)
    #expect(before == checked.map { model.logits(at: $0) })
    batch.tokens[127] = (batch.tokens[127] + 1) % 50
    model.forward(tokens: batch.tokens, starts: batch.starts)
    #expect(checked.count < 2 || before[0] == model.logits(at: second), "a later token must not be seen")
    #expect(before.last != model.logits(at: 127))
  }

  @Test func invalidBatchesAreRejected() {
    let c = ModelConfiguration(vocabulary: 50, width: 16, layers: 1, heads: 2, ffn: 32, sequence: 16)
    let model = randomModel(c, rows: 1, sequence: 16, training: false)
    var batch = randomBatch(rows: 1, sequence: 16, vocabulary: 50, seed: 1)
    batch.tokens[3] = 50
    #expect(throws: WeirError.self) { try model.check(batch, place: "batch") }
    batch.tokens[3] = 5
    batch.starts[3] = 4
    #expect(throws: WeirError.self) { try model.check(batch, place: "batch") }
    #expect(throws: WeirError.self) { try model.check(Batch(rows: 2, sequence: 16), place: "batch") }
  }
}
