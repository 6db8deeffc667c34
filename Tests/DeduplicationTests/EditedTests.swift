import Deduplication
import Foundation
import Pipeline
import Testing

/// Near-duplicates as they come about: a text and another in which words were replaced.
@Suite struct EditedTests {
  private struct Corpus {
    var texts: [String] = []
    /// The similarity of each pair; its members are `texts[i]` and `texts[similarity.count + i]`.
    var similarity: [Double] = []
  }

  /// Texts of words as rare and as frequent as in a language (Zipf), and edited copies of similarities from 0.45 to 1.
  private func corpus(_ seed: UInt64, pairs: Int) -> Corpus {
    var maker = TextMaker(seed: seed)
    let vocabulary = maker.words(3_000, vocabulary: 1 << 30)
    func word() -> String { vocabulary[Int(pow(3_000, Double.random(in: 0..<1, using: &maker.dice))) - 1] }
    let originals = (0..<pairs).map { _ in (0..<Int.random(in: 80...200, using: &maker.dice)).map { _ in word() } }
    var corpus = Corpus(texts: originals.map { $0.joined(separator: " ") })
    for original in originals {
      let aim = Double.random(in: 0.45...1, using: &maker.dice)
      let rate = 1 - pow(2 * aim / (1 + aim), 0.2)
      let copy = original.map { Double.random(in: 0..<1, using: &maker.dice) < rate ? word() : $0 }
      corpus.texts.append(copy.joined(separator: " "))
      corpus.similarity.append(NaiveShingles.similarity(original.joined(separator: " "), corpus.texts[corpus.texts.count - 1]))
    }
    return corpus
  }

  @Test(arguments: [(14, 8, 1), (20, 5, 2), (9, 12, 3)] as [(Int, Int, UInt64)])
  func foundAsTheFormulaSaysAndNothingBelowTheThreshold(bands: Int, rows: Int, seed: UInt64) throws {
    let corpus = corpus(seed, pairs: 500)
    let pairs = corpus.similarity.count
    var configuration = DeduplicationConfiguration()
    (configuration.bands, configuration.rows, configuration.randomSeed) = (bands, rows, seed)
    configuration.verify = false
    let banded = try fuzzy(corpus.texts, configuration)
    configuration.verify = true
    let verified = try fuzzy(corpus.texts, configuration)
    func isFound(_ pair: Int, _ decision: FuzzyDecision) -> Bool { decision.duplicateOf[pairs + pair] == Int32(pair) }

    for tenth in 4..<10 {
      let bin = (0..<pairs).filter { Int(corpus.similarity[$0] * 10) == tenth || tenth == 9 && corpus.similarity[$0] == 1 }
      let expected = bin.map { configuration.recall(corpus.similarity[$0]) }
      let deviation = expected.reduce(0) { $0 + $1 * (1 - $1) }.squareRoot()
      let found = bin.count { isFound($0, banded) }
      let mean = expected.reduce(0, +)
      #expect(abs(Double(found) - mean) <= 4 * deviation + 0.5, "0.\(tenth)…: \(found) of \(bin.count), expected \(mean) ± \(deviation)")
    }
    for pair in 0..<pairs {
      #expect(verified.kept[pair])
      // Found by a band and alike enough, or kept.
      let isAlike = corpus.similarity[pair] >= configuration.threshold
      #expect(isFound(pair, verified) == (isAlike && isFound(pair, banded)), "\(corpus.similarity[pair])")
      #expect(verified.kept[pairs + pair] == !isFound(pair, verified))
    }
    #expect(corpus.similarity.contains { $0 < 0.5 } && corpus.similarity.contains { $0 > 0.97 })
  }
}
