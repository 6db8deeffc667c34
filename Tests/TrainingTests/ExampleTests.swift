import Foundation
import Kernels
import Primitives
import TestSupport
import Testing
import Tokens
import Training

@Suite struct ExampleTests {
  /// A prompt of `prompt` tokens and a completion of `completion`; each token says which example and position it is.
  private func example(_ index: Int, prompt: Int, completion: Int, lead: Int = 0) -> TrainingExample {
    TrainingExample(
      tokens: (0..<prompt + completion).map { Int32(index * 100 + $0) }, trained: [prompt..<prompt + completion], completion: prompt,
      lead: lead)
  }

  @Test func truncationKeepsTheCompletion() {
    let plain = example(1, prompt: 6, completion: 3)
    #expect(plain.truncated(to: 9) == plain && plain.truncated(to: 50) == plain)
    let shorter = plain.truncated(to: 7)
    #expect(shorter.tokens == [102, 103, 104, 105, 106, 107, 108] && shorter.trained == [4..<7] && shorter.completion == 4)
    // One token of the prompt stays, and the completion ends where the row does.
    let least = plain.truncated(to: 3)
    #expect(least.tokens == [105, 106, 107] && least.trained == [1..<3] && least.targets == 2)
    let led = example(1, prompt: 6, completion: 3, lead: 1)
    #expect(led.truncated(to: 7).tokens == [100, 103, 104, 105, 106, 107, 108] && led.truncated(to: 3).tokens == [100, 106, 107])
    // In a chat the last turn stays.
    let chat = TrainingExample(tokens: (0..<12).map { Int32($0) }, trained: [2..<4, 8..<12], completion: 8, lead: 1)
    let cut = chat.truncated(to: 8)
    #expect(cut.tokens == [0, 5, 6, 7, 8, 9, 10, 11] && cut.trained == [4..<8] && cut.completion == 4)
    let partly = chat.truncated(to: 10)
    #expect(partly.tokens == [0, 3, 4, 5, 6, 7, 8, 9, 10, 11] && partly.trained == [1..<2, 6..<10])
  }

  /// Any truncation has at most the wanted length, tokens of the original in order, and trains on tokens that the original trains on.
  @Test(arguments: [1, 2, 3] as [UInt64]) func truncationNeverTrainsOnOtherTokens(_ seed: UInt64) {
    var random = SequentialRandom(seed: seed)
    for _ in 0..<300 {
      let count = Int.random(in: 2...30, using: &random), completion = Int.random(in: 0..<count, using: &random)
      let first = Int.random(in: 0...completion, using: &random), middle = Int.random(in: first...completion, using: &random)
      let whole = TrainingExample(
        tokens: (0..<count).map { Int32($0) }, trained: [first..<middle, completion..<count].filter { !$0.isEmpty }, completion: completion,
        lead: min(completion, Int.random(in: 0...1, using: &random)))
      let length = Int.random(in: 2...30, using: &random), cut = whole.truncated(to: length)
      let trained = Set(whole.trained.flatMap { $0 }.map { Int32($0) })
      #expect(cut.tokens.count == min(length, count) && zip(cut.tokens, cut.tokens.dropFirst()).allSatisfy { $0 < $1 })
      for (index, token) in cut.tokens.enumerated() { #expect(cut.trained.contains { $0.contains(index) } == trained.contains(token)) }
      #expect(cut.targets > 0 && cut.tokens.first == (whole.lead > 0 ? 0 : cut.tokens.first))
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func everyEpochTrainsOnEveryCompletionOnce(_ seed: UInt64) throws {
    var random = SequentialRandom(seed: seed)
    var examples = (0..<20).map { index in
      example(index, prompt: Int.random(in: 0...6, using: &random), completion: Int.random(in: 1...8, using: &random))
    }
    examples.append(TrainingExample(document: (0..<40).map { Int32(9_000 + $0) }))
    let batches = try DocumentBatches(examples: examples, name: "e", rows: 3, sequence: 16, epochs: 2, randomSeed: seed)
    var seen: [Int32: Int] = [:], tokens = 0
    for step in 0..<batches.steps {
      let batch = try batches.batch(step: step)
      for segment in batch.segments {
        tokens += segment.count
        // An example with a prompt is never divided.
        if segment.document < 20 { #expect(segment.count == examples[segment.document].tokens.count && segment.offset == 0) }
      }
      for t in 0..<batch.tokens.count where batch.targets[t] >= 0 {
        seen[batch.targets[t], default: 0] += 1
        #expect(batch.targets[t] == batch.tokens[t] + 1)
      }
    }
    let wanted = examples.flatMap { example in example.trained.flatMap { $0 }.filter { $0 > 0 }.map { example.tokens[$0] } }
    #expect(seen == Dictionary(uniqueKeysWithValues: wanted.map { ($0, 2) }))
    #expect(batches.targets == 2 * wanted.count && batches.tokens == tokens)
    #expect(batches.padding % 16 == (-tokens % 16 + 16) % 16)
  }

  @Test func dataWithoutATargetAreRefused() {
    let silent = TrainingExample(tokens: [1, 2, 3], trained: [0..<1], completion: 0)
    let error = #expect(throws: WeirError.self) {
      _ = try DocumentBatches(examples: [silent], name: "silent", rows: 1, sequence: 8, epochs: 1, randomSeed: 1)
    }
    #expect(error?.reason.contains("no token to train on") == true)
  }

  /// The mean is over the trained tokens of the whole batch, however unequally micro-batches share them.
  @Test func accumulationWeighsTokensNotMicroBatches() throws {
    let c = ModelConfiguration(vocabulary: 40, width: 16, layers: 1, heads: 2, ffn: 32, sequence: 16), pool = ThreadPool(threads: 2)
    let examples = [(15, 1), (1, 15), (8, 8), (12, 4)].enumerated().map { index, lengths in
      TrainingExample(
        tokens: (0..<16).map { Int32(($0 * 7 + index * 3) % 40) }, trained: [lengths.0..<16], completion: lengths.0)
    }
    let batch = try DocumentBatches(examples: examples, name: "e", rows: 4, sequence: 16, epochs: 1, randomSeed: 1).batch(step: 0)
    #expect(batch.targetCount == 1 + 15 + 8 + 4)
    func gradient(_ count: Int) throws -> (loss: Double, gradient: [Float]) {
      let model = randomModel(c, rows: 4 / count, sequence: 16, training: true)
      let sums = try BatchGradient(
        model, frozen: nil, TrainingConfiguration(steps: 1), microBatches: MicroBatches(rows: 4, requested: count, ranks: 1),
        ranks: RankGroup(nil), pool: pool
      ).compute(batch, place: "batch")
      return (sums.mean, model.gradients.values)
    }
    let whole = try gradient(1), parts = try gradient(4)
    #expect(abs(whole.loss - parts.loss) < 1e-6)
    let scale = whole.gradient.map(abs).max() ?? 0
    #expect(scale > 0 && zip(whole.gradient, parts.gradient).allSatisfy { abs($0 - $1) < 1e-5 * scale })
  }

  /// Only the scored ranges count, also where a document is divided.
  @Test func evaluationScoresRanges() throws {
    let c = ModelConfiguration(vocabulary: 40, width: 16, layers: 1, heads: 2, ffn: 32, sequence: 16)
    let model = randomModel(c, rows: 1, sequence: 16, training: false)
    let evaluator = Evaluator(c, parameters: model.parameters, pool: ThreadPool(threads: 2)), tokens = (0..<30).map { Int32($0 * 11 % 40) }
    var losses: [Int: Double] = [:]
    _ = try evaluator.score([EvaluationDocument(tokens: tokens, bytes: 30)]) { losses[$1] = $2 }
    let ranges = [0..<3, 14..<19, 29..<30], document = EvaluationDocument(tokens: tokens, bytes: 9, scored: ranges)
    let score = try evaluator.score([document])[0]
    let wanted = ranges.flatMap { $0 }.filter { $0 > 0 }
    #expect(score.tokens == wanted.count && abs(score.nats - wanted.reduce(0) { $0 + (losses[$1] ?? .nan) }) < 1e-9)
    func fingerprint(_ scored: [Range<Int>]) -> String {
      ValidationSet(name: "v", documents: [EvaluationDocument(tokens: tokens, bytes: 9, scored: scored)]).fingerprint
    }
    #expect(Set([fingerprint(ranges), fingerprint([1..<30]), fingerprint([1..<3, 14..<30]), fingerprint([1..<3, 14..<19])]).count == 4)
    #expect(
      fingerprint([5..<30])
        == ValidationSet(name: "v", documents: [EvaluationDocument(tokens: tokens, bytes: 9, firstScored: 5)]).fingerprint)
  }
}
