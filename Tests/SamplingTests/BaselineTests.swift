import Foundation
import Kernels
import Primitives
import Sampling
import Testing

private let origin = MixtureOrigin(dataset: "d", tree: "t", assignment: "a", seedData: "s")

/// Words of one of two domains.
private func text(_ domain: Int, words: Int, _ random: inout SequentialRandom) -> [UInt8] {
  let own = [["star", "orbit", "comet", "Galaxy"], ["proof", "lemma", "axiom", "theorem"]][domain]
  let common = ["the", "of", "and", "is", "(a)", "!"]
  return Array(
    (0..<words).map { _ in (Bool.random(using: &random) ? own : common).randomElement(using: &random) ?? "" }.joined(separator: " ").utf8)
}

@Suite struct WordFeatureTests {
  /// Written apart from the scanner: split by hand, hashed by the definition.
  private func naive(_ text: String, buckets: Int) -> [UInt32] {
    let words = text.lowercased().matches(of: /[a-z0-9_]+|[^a-z0-9_\s]+/).map { String($0.output) }
    func bucket(_ gram: String) -> UInt32 {
      let hash = gram.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      return UInt32(CounterRandom.mix(hash).multipliedFullWidth(by: UInt64(buckets)).high)
    }
    return words.indices.flatMap { $0 == 0 ? [bucket(words[$0])] : [bucket(words[$0]), bucket(words[$0 - 1] + " " + words[$0])] }
  }

  @Test(arguments: 0..<40) func bucketsAreThoseOfTheDefinition(seed: Int) {
    var random = SequentialRandom(seed: UInt64(seed))
    let alphabet = Array("abzABZ019_ \t\n.,;()-+")
    let text = String((0..<Int.random(in: 0...200, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
    let found = WordFeatures(buckets: 97).features(of: Array(text.utf8))
    #expect(found.buckets == naive(text, buckets: 97))
    #expect(found.buckets.count == max(0, 2 * found.words - 1))
  }

  @Test func bytesBeyondASCIIBelongToWords() {
    #expect(WordFeatures().features(of: Array("naïve Größe".utf8)).words == 2)
    #expect(WordFeatures().features(of: [0xC3, 0x20, 0xBC]).words == 2)
    #expect(WordFeatures().features(of: []).buckets.isEmpty)
  }
}

@Suite struct ImportanceResamplingTests {
  @Test func logWeightsAreSumsOfLogRatios() throws {
    var configuration = ImportanceResampling.Configuration()
    configuration.minimumWords = 2
    let general = WindowTexts([Array("a b a".utf8), Array("c".utf8), Array("b c".utf8)])
    let pool = ThreadPool(threads: 2)
    let resampling = try ImportanceResampling(general: general, target: [Array("a b".utf8)], configuration: configuration, pool: pool)
    let scores = try resampling.scores(of: general, pool: pool)
    // Features of the corpus: a 2, b 2, c 2, "a b" 1, "b a" 1, "b c" 1; of the seed: a 1, b 1, "a b" 1.
    func ratio(_ target: Double, _ raw: Double) -> Double { log(target / 3 + 1e-8) - log(raw / 9 + 1e-8) }
    let expected = 2 * ratio(1, 2) + ratio(1, 2) + ratio(1, 1) + ratio(0, 1)
    #expect((scores[0] - expected).magnitude < 1e-9)
    #expect(scores[1] == -.infinity)
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>) func theDomainOfTheSeedIsChosen(seed: UInt64) throws {
    var random = SequentialRandom(seed: seed)
    let texts = (0..<300).map { text($0 % 2, words: 110, &random) }
    let target = (0..<10).map { _ in text(0, words: 110, &random) }
    let windows = WindowTexts(texts)
    let one = ThreadPool(threads: 1), three = ThreadPool(threads: 3)
    let resampling = try ImportanceResampling(general: windows, target: target, pool: three)
    let scores = try resampling.scores(of: windows, pool: three)
    #expect(try ImportanceResampling(general: windows, target: target, pool: one).scores(of: windows, pool: one) == scores)
    let lengths = [Int](repeating: 100, count: texts.count)
    let kept = try WindowSelection(scores: ImportanceResampling.perturbed(scores, randomSeed: seed), lengths: lengths, tokens: 5_000)
    #expect(kept.windows == 50 && kept.leaves.enumerated().allSatisfy { $1 == 0 || $0 % 2 == 0 })
    let classifier = try NgramClassifier(general: windows, target: target, pool: three)
    let odds = try classifier.scores(of: windows, pool: three)
    #expect(try NgramClassifier(general: windows, target: target, pool: one).scores(of: windows, pool: one) == odds)
    let best = try WindowSelection(scores: odds, lengths: lengths, tokens: 5_000)
    #expect(best.leaves.enumerated().allSatisfy { $1 == 0 || $0 % 2 == 0 })
  }

  /// Of two windows whose weights are as 3 to 1, the first is drawn first three times in four.
  @Test func theNoiseDrawsInProportion() {
    let scores = (0..<20_000).map { $0 % 2 == 0 ? log(3.0) : 0 }
    let noisy = ImportanceResampling.perturbed(scores, randomSeed: 5)
    let first = stride(from: 0, to: noisy.count, by: 2).count { noisy[$0] > noisy[$0 + 1] }
    #expect((Double(first) / 10_000 - 0.75).magnitude < 0.02)
  }

  @Test func withoutAWordThereIsNothingToFit() {
    let pool = ThreadPool(threads: 1)
    #expect(throws: WeirError.self) { try ImportanceResampling(general: WindowTexts([Array("a".utf8)]), target: [[]], pool: pool) }
    #expect(throws: WeirError.self) { try NgramClassifier(general: WindowTexts([[]]), target: [Array("a".utf8)], pool: pool) }
  }
}

@Suite struct SelectionTests {
  @Test func theHighestAreKeptUntilThereAreEnoughTokens() throws {
    let selection = try WindowSelection(scores: [1, 5, -.infinity, 3, 3, .nan], lengths: [10, 10, 10, 10, 10, 10], tokens: 25)
    #expect(selection.leaves == [0, 1, 0, 1, 1, 0])
    #expect(selection.windows == 3 && selection.tokens == 30 && selection.threshold == 3)
    #expect(throws: WeirError.self) { try WindowSelection(scores: [-.infinity], lengths: [1], tokens: 1) }
    var configuration = MixtureConfiguration()
    configuration.runTokens = 60
    let lengths = [Int](repeating: 10, count: 6)
    let mixture = try Sampler.selection(selection, method: "dsir", lengths: lengths, configuration: configuration, origin: origin)
    #expect(mixture.clusters.map(\.weight) == [0, 1] && mixture.clusters[1].epochs == 2)
    configuration.maxEpochs = 1.5
    #expect(throws: WeirError.self) {
      try Sampler.selection(selection, method: "dsir", lengths: lengths, configuration: configuration, origin: origin)
    }
  }

  @Test func weightsFollowTheGradients() {
    var domains = DomainReweighting(shares: [0.5, 0.3, 0.2, 0], rate: 0.5)
    for _ in 0..<20 { domains.update(products: [0.1, 2, -1, 5], square: 2) }
    #expect((domains.weights.reduce(0, +) - 1).magnitude < 1e-12 && (domains.mean.reduce(0, +) - 1).magnitude < 1e-12)
    #expect(domains.weights[1] > 0.9 && domains.weights[3] == 0 && domains.mean[1] < domains.weights[1])
    // By hand: one step from halves.
    var two = DomainReweighting(shares: [1, 1], rate: 1)
    two.update(products: [4, 0], square: 4)
    #expect((two.weights[0] - M_E / (M_E + 1)).magnitude < 1e-12)
    two.update(products: [1e9, -1e9], square: 1e-3)
    #expect(two.weights.allSatisfy { $0.isFinite })
  }
}

@Suite struct SpecialistWindowsTests {
  private func sample(_ leaves: [UInt32], documents: [Int], tokens: Int = 500) -> SpecialistWindows {
    SpecialistWindows(
      name: "s", leaves: leaves, lengths: [Int](repeating: tokens, count: leaves.count), documents: documents,
      hasFeatures: [Bool](repeating: true, count: leaves.count))
  }

  @Test func intervalsHoldTheHistogramAndKnowDocuments() throws {
    let tree = makeTree([3])
    let general = try GeneralHistogram(windows: [9, 9, 9], tokens: [900, 900, 900])
    let many = sample((0..<90).map { UInt32($0 % 3 == 0 ? 1 : 0) }, documents: Array(0..<90))
    // The same counts, but each document has thirty windows of one leaf.
    let few = sample((0..<90).map { $0 < 60 ? 0 : 1 }, documents: (0..<90).map { $0 / 30 })
    func intervals(_ sample: SpecialistWindows) throws -> SpecialistIntervals {
      try SpecialistIntervals(
        tree: tree, general: general, seeds: [(1, sample)], configuration: MixtureConfiguration(), replicates: 200, randomSeed: 4)
    }
    let (narrow, wide) = (try intervals(many), try intervals(few))
    #expect(narrow.low[0] < 2 / 3.0 && narrow.high[0] > 2 / 3.0 && narrow.high[2] == 0)
    #expect(wide.high[0] - wide.low[0] > 2 * (narrow.high[0] - narrow.low[0]))
    #expect(try intervals(many) == narrow)
  }

  @Test func aSeedShorterThanAWindowWantsSmoothing() throws {
    let short = sample([0, 1], documents: [0, 1])
    #expect(throws: WeirError.self) { try short.check(smoothing: 0) }
    try short.check(smoothing: 1)
    try sample([0, 1, 1], documents: [0, 1, 2]).check(smoothing: 0)
  }

  @Test func aSeedWhoseClustersAreEmptyIsRefused() throws {
    let tree = makeTree([2, 2])
    let general = try GeneralHistogram(windows: [0, 2, 1, 1], tokens: [0, 20, 10, 10])
    let seed = try SpecialistHistogram(name: "nowhere.jsonl", windows: [3, 0, 0, 0], tokens: [30, 0, 0, 0])
    #expect(throws: WeirError.self) { try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], origin: origin) }
    var configuration = MixtureConfiguration()
    configuration.smoothing = 1
    let mixture = try Sampler.crisp(tree: tree, general: general, seeds: [(1, seed)], configuration: configuration, origin: origin)
    #expect(mixture.clusters[0].weight == 0 && mixture.clusters[1].weight > 0.5)
  }
}
