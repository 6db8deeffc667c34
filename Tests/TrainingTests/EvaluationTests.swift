import Foundation
import Kernels
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training

@Suite struct EvaluationTests {
  static let shape = ModelConfiguration(vocabulary: 40, width: 16, layers: 2, heads: 4, kvHeads: 2, ffn: 32, sequence: 20)

  @Test(arguments: [1, 2, 3] as [UInt64]) func packedDocumentsScoreAsIfAlone(_ seed: UInt64) throws {
    let c = Self.shape, model = randomModel(c, rows: 1, sequence: 20, training: false, seed: seed)
    var random = SequentialRandom(seed: seed, stream: 5)
    let documents = (0..<9).map { index -> EvaluationDocument in
      let count = Int.random(in: 0...55, using: &random)
      return EvaluationDocument(
        tokens: (0..<count).map { _ in Int32.random(in: 0..<40, using: &random) }, bytes: count * 3,
        domain: index % 2 == 0 ? "even" : "odd",
        firstScored: index == 3 ? 5 : 1)
    }
    let evaluator = Evaluator(c, parameters: model.parameters, tokens: 60, pool: ThreadPool(threads: 2))
    let scores = try evaluator.score(documents), reference = Reference(model)
    var nats = 0.0, tokens = 0
    for (document, score) in zip(documents, scores) {
      var expected = 0.0, count = 0
      for first in stride(from: 0, to: max(0, document.tokens.count - 1), by: 20) {
        let segment = Array(document.tokens[first..<min(first + 20, document.tokens.count - 1)])
        var batch = Batch(rows: 1, sequence: segment.count)
        batch.tokens = segment
        batch.starts = segment.map { _ in 0 }
        for (i, z) in reference.logits(batch).enumerated() where first + i + 1 >= document.firstScored {
          expected -= Reference.logSoftmax(z)[Int(document.tokens[first + i + 1])]
          count += 1
        }
      }
      #expect(abs(score.nats - expected) < 1e-3)
      #expect(score.tokens == count)
      nats += score.nats
      tokens += count
    }
    let result = try evaluator.evaluate(documents)
    #expect(result.tokens == tokens)
    #expect(abs(result.loss - nats / Double(tokens)) < 1e-12)
    #expect(abs(result.bitsPerByte - nats / log(2) / Double(result.bytes)) < 1e-12)
    #expect(result.byDomain?.values.reduce(0) { $0 + $1.tokens } == tokens)
  }

  /// Equal texts have equal bits wherever they lie in a batch, whatever their neighbors and the shape of the batch.
  @Test(arguments: [1, 2, 3] as [UInt64]) func scoresDoNotDependOnThePlace(_ seed: UInt64) throws {
    var c = Self.shape
    (c.sequence, c.qkNorm) = (200, seed == 2)
    let model = randomModel(c, rows: 1, sequence: 20, training: false, seed: seed)
    var random = SequentialRandom(seed: seed, stream: 12)
    func document(_ count: Int) -> EvaluationDocument {
      EvaluationDocument(tokens: (0..<count).map { _ in Int32.random(in: 0..<40, using: &random) }, bytes: count)
    }
    let texts = [3, 17, 33, 64, 131].map(document)
    var documents: [EvaluationDocument] = [], places: [(text: Int, index: Int)] = []
    for _ in 0..<40 {
      if Bool.random(using: &random) { documents.append(document(Int.random(in: 2...90, using: &random))) }
      let text = Int.random(in: texts.indices, using: &random)
      places.append((text, documents.count))
      documents.append(texts[text])
    }
    for (sequence, tokens, threads) in [(200, 4_096, 2), (200, 400, 1), (140, 1_000, 3)] {
      let evaluator = Evaluator(c, parameters: model.parameters, sequence: sequence, tokens: tokens, pool: ThreadPool(threads: threads))
      let alone = try texts.map { try evaluator.score([$0])[0] }, all = try evaluator.score(documents)
      for (text, index) in places { #expect(all[index].nats.bitPattern == alone[text].nats.bitPattern, "text \(text) at \(index)") }
    }
  }

  @Test func dynamicScalingFollowsTheLengthOfTheText() throws {
    var c = Self.shape
    c.ropeScaling = RotaryScaling(.dynamic, factor: 3, original: 20)
    #expect(c.longestSequence == 60)
    #expect(c.frequencies(length: 20) == Self.shape.frequencies(length: 20))
    // θ · (3 · 40 / 20 − 2)^(4 / 2)
    var grown = Self.shape
    grown.ropeTheta *= 16
    #expect(zip(c.frequencies(length: 40), grown.frequencies(length: 40)).allSatisfy { abs($0 - $1) < 1e-6 * $1 })
    let model = randomModel(c, rows: 1, sequence: 20, training: false, seed: 6), pool = ThreadPool(threads: 1)
    var random = SequentialRandom(seed: 6, stream: 3)
    let documents = [12, 41, 30].map { count in
      EvaluationDocument(tokens: (0..<count).map { _ in Int32.random(in: 0..<40, using: &random) }, bytes: count)
    }
    let scores = try Evaluator(c, parameters: model.parameters, sequence: 60, pool: pool).score(documents)
    // The text of 40 predicting tokens is scored as by a model with the grown θ.
    grown.sequence = 60
    let expected = try Evaluator(grown, parameters: model.parameters, pool: pool).score(documents)
    #expect(abs(scores[1].nats - expected[1].nats) < 1e-4 && abs(scores[0].nats - expected[0].nats) > 1e-4)
    #expect(throws: WeirError.self) { try c.checkTrainable(place: "model") }
  }

  @Test func cachedGenerationEqualsRecomputation() throws {
    let c = Self.shape, model = randomModel(c, rows: 1, sequence: 20, training: false, seed: 4)
    var greedy = DecodingConfiguration()
    greedy.temperature = 0
    var found: [Int32] = []
    try Generator(c, parameters: model.parameters).generate(prompt: [3, 1, 4], count: 12, decoding: greedy) {
      found.append($0)
      return true
    }
    var text: [Int32] = [3, 1, 4]
    for _ in 0..<12 {
      let padded = text + [Int32](repeating: 0, count: 20 - text.count)
      model.forward(tokens: padded, starts: [Int32](repeating: 0, count: 20))
      let logits = model.logits(at: text.count - 1)
      text.append(Int32(logits.firstIndex(of: logits.max()!)!))
    }
    #expect(found == Array(text.dropFirst(3)))
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func cachedLogitsEqualRecomputation(_ seed: UInt64) throws {
    var c = Self.shape
    c.sequence = 150
    c.tiedEmbeddings = seed % 2 == 0
    if seed > 1 { (c.biases, c.ropeScaling) = (seed == 2 ? .qkv : .all, seed == 2 ? GradientTests.llama3 : GradientTests.yarn) }
    let model = randomModel(c, rows: 1, sequence: 150, training: false, seed: seed)
    var random = SequentialRandom(seed: seed, stream: 6)
    let text = (0..<150).map { _ in Int32.random(in: 0..<40, using: &random) }
    var greedy = DecodingConfiguration()
    greedy.temperature = 0
    // Prompts of one token, of about one chunk, and of several chunks.
    for prompt in [1, 2, 63, 64, 65, 130] {
      let generator = Generator(c, parameters: model.parameters, pool: ThreadPool(threads: Int(seed)))
      var text = Array(text.prefix(prompt))
      let logits = try generator.logits(after: text)
      try generator.generate(prompt: text, count: 150 - prompt, decoding: greedy) {
        text.append($0)
        return true
      }
      model.forward(tokens: text, starts: [Int32](repeating: 0, count: 150))
      #expect(zip(logits, model.logits(at: prompt - 1)).allSatisfy { abs($0 - $1) < 1e-4 }, "prompt \(prompt)")
      for count in prompt..<150 {
        let logits = model.logits(at: count - 1)
        #expect(logits[Int(text[count])] > (logits.max() ?? .infinity) - 1e-4, "prompt \(prompt), position \(count)")
      }
    }
  }

  @Test func chosenTokensFollowTheDistribution() {
    let logits: [Float] = [0.2, 0.5, 0, 0.3].map { $0 == 0 ? -.infinity : Float(log($0)) }
    func shares(_ decoding: DecodingConfiguration) -> [Double] {
      var counts = [Double](repeating: 0, count: 4)
      for draw in 0..<1_000 { counts[Int(decoding.choose(logits, uniform: (Double(draw) + 0.5) / 1_000) ?? 3)] += 0.001 }
      return counts
    }
    func expect(_ shares: [Double], _ wanted: [Double]) { #expect(zip(shares, wanted).allSatisfy { abs($0 - $1) < 2e-3 }, "\(shares)") }
    var decoding = DecodingConfiguration()
    decoding.temperature = 1
    expect(shares(decoding), [0.2, 0.5, 0, 0.3])
    decoding.topK = 2
    expect(shares(decoding), [0, 0.625, 0, 0.375])
    (decoding.topK, decoding.topP) = (0, 0.7)
    expect(shares(decoding), [0, 0.625, 0, 0.375])
    decoding.topP = 0.49
    expect(shares(decoding), [0, 1, 0, 0])
    (decoding.topP, decoding.temperature) = (1, 0.5)
    expect(shares(decoding), [0.04 / 0.38, 0.25 / 0.38, 0, 0.09 / 0.38])
    #expect(decoding.choose([0, .nan], uniform: 0.5) == nil)
    #expect(decoding.choose([-.infinity], uniform: 0.5) == nil)
    decoding.temperature = 0
    #expect(decoding.choose([1, 2, 2, 1], uniform: 0.9) == 1)
  }

  @Test(arguments: [1, 2] as [UInt64]) func scoresEqualTheSumOfTokenLosses(_ seed: UInt64) throws {
    let c = Self.shape, model = randomModel(c, rows: 1, sequence: 20, training: false, seed: seed)
    var random = SequentialRandom(seed: seed, stream: 8)
    let documents = [5, 20, 21, 47, 133].map { count in
      EvaluationDocument(tokens: (0..<count).map { _ in Int32.random(in: 0..<40, using: &random) }, bytes: count)
    }
    let evaluator = Evaluator(c, parameters: model.parameters, tokens: 60, pool: ThreadPool(threads: 2))
    var sums = [Double](repeating: 0, count: documents.count), places = [Int](repeating: 0, count: documents.count)
    let scores = try evaluator.score(documents) { document, token, nats in
      #expect(token == places[document] + 1)
      places[document] = token
      sums[document] += nats
    }
    for (index, document) in documents.enumerated() {
      #expect(places[index] == document.tokens.count - 1)
      #expect(abs(sums[index] - scores[index].nats) < 1e-9)
      let logits = try evaluator.logits(document.tokens)
      #expect(logits.count == document.tokens.count * 40)
      var nats = 0.0
      for t in 1..<document.tokens.count {
        nats -= Reference.logSoftmax(logits[(t - 1) * 40..<t * 40].map { Double($0) })[Int(document.tokens[t])]
      }
      #expect(abs(nats - scores[index].nats) < 1e-3)
    }
  }

  @Test func standardErrorsAreOverDocuments() {
    // With documents of equal length, it is the standard error of a mean.
    let nats = [10.0, 14, 9, 17, 12], mean = nats.reduce(0, +) / 5
    let deviation = (nats.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4).squareRoot()
    let result = Evaluation(nats.map { EvaluationScore(nats: $0, tokens: 5, bytes: 20) })
    #expect(abs((result.lossError ?? 0) - deviation / 5.0.squareRoot() / 5) < 1e-12)
    #expect(abs((result.bitsPerByteError ?? 0) - deviation / 5.0.squareRoot() / 20 / log(2)) < 1e-12)
    #expect(abs((result.perplexityError ?? 0) - (result.lossError ?? 0) * result.perplexity) < 1e-12)
    // With the same loss per token in every document, it is 0.
    #expect((Evaluation([3, 8, 20].map { EvaluationScore(nats: 2 * Double($0), tokens: $0, bytes: $0) }).lossError ?? 1) < 1e-12)
    #expect(Evaluation([EvaluationScore(nats: 1, tokens: 1, bytes: 1)]).lossError == nil)
    #expect(Evaluation([]).loss == 0)
  }

  @Test func onlyTheAnswerIsScored() throws {
    let c = Self.shape, model = randomModel(c, rows: 1, sequence: 20, training: false, seed: 3)
    let evaluator = Evaluator(c, parameters: model.parameters, tokens: 60, pool: ThreadPool(threads: 2)), reference = Reference(model)
    func choice(_ tokens: [Int32], _ scored: Int, bytes: Int = 1) -> ChoiceQuestion.Choice {
      ChoiceQuestion.Choice(tokens: tokens, scored: scored, characters: scored, bytes: bytes)
    }
    func expected(_ tokens: [Int32], _ scored: Int) -> Double {
      var batch = Batch(rows: 1, sequence: tokens.count - 1)
      batch.tokens = Array(tokens.dropLast())
      batch.starts = batch.tokens.map { _ in 0 }
      let rows = reference.logits(batch)
      return (tokens.count - scored..<tokens.count).reduce(0) { $0 + Reference.logSoftmax(rows[$1 - 1])[Int(tokens[$1])] }
    }
    let long = (0..<30).map { Int32($0) }
    let questions = [
      ChoiceQuestion(choices: [choice([1, 2, 3, 4], 1), choice([1, 2, 3, 5, 6], 2)], answer: 0),
      ChoiceQuestion(choices: [choice([7, 8], 1), choice([7, 8], 1), choice(long + [3], 2)], answer: 1),
    ]
    let scores = try evaluator.score(questions)
    #expect(abs(scores[0].scores[0] - expected([1, 2, 3, 4], 1)) < 1e-4)
    #expect(abs(scores[0].scores[1] - expected([1, 2, 3, 5, 6], 2)) < 1e-4)
    #expect(abs(scores[1].scores[2] - expected(Array((long + [3]).suffix(21)), 2)) < 1e-4)
    #expect(scores[1].scores[0] == scores[1].scores[1] && scores[1].best != 1)
    let rows = (0..<8).map { #"{"answer": 0, "scores": [], "acc": \#($0 % 2), "acc_norm": 0, "acc_bytes": 1}"# }.joined(separator: ",")
    let half = ChoiceEvaluation(name: "x", scores: try JSONDecoder().decode([ChoiceScore].self, from: Data("[\(rows)]".utf8)))
    #expect(half.accuracy == 0.5 && half.byCharacter == 1 && half.byByte == 0)
    #expect(abs((half.accuracyError ?? 0) - (8 * 0.25 / 7 / 8).squareRoot()) < 1e-12)
  }

  @Test func samplingIsSeededAndBounded() throws {
    let c = Self.shape, model = randomModel(c, rows: 1, sequence: 20, training: false, seed: 4)
    func text(_ decoding: DecodingConfiguration, stops: Set<Int32> = []) throws -> [Int32] {
      var out: [Int32] = []
      try Generator(c, parameters: model.parameters).generate(prompt: [5], count: 60, decoding: decoding, stops: stops) {
        out.append($0)
        return true
      }
      return out
    }
    var decoding = DecodingConfiguration()
    decoding.temperature = 2
    let first = try text(decoding)
    #expect(first.count == 60)
    #expect(try text(decoding) == first)
    #expect(try text(decoding, stops: [first[9], 99]).count <= 9)
    decoding.randomSeed = 1
    #expect(try text(decoding) != first)
    var greedy = decoding, one = decoding, narrow = decoding
    greedy.temperature = 0
    one.topK = 1
    narrow.topP = 1e-9
    #expect(try text(one) == text(greedy))
    #expect(try text(narrow) == text(greedy))
    #expect(throws: WeirError.self) {
      try Generator(c, parameters: model.parameters).generate(prompt: [], count: 1) { _ in true }
    }
  }

  @Test func modelFoldersReadBackAndRefuseOthers() throws {
    try withTemporaryFolder { folder in
      for tied in [true, false] {
        var c = Self.shape
        c.tiedEmbeddings = tied
        let model = randomModel(c, rows: 1, sequence: 20, training: false)
        let path = folder + "/\(tied)"
        try ModelFolder.write(path, configuration: c, parameters: model.parameters, tokenizer: nil, endOfDocument: 3)
        #expect(try ModelFolder.configuration(path) == c)
        #expect(ModelFolder.endOfDocument(path) == 3)
        let read = FloatBuffer(model.parameters.count)
        try ModelFolder.readWeights(path, configuration: c, into: read)
        #expect(read.values == model.parameters.values)
      }
      let config = folder + "/true/config.json"
      let text = String(decoding: try Files.read(config), as: UTF8.self)
      for (old, new) in [("\"llama\"", "\"gpt2\""), ("\"hidden_size\" : 16", "\"hidden_size\" : 18"), ("\"silu\"", "\"gelu\"")] {
        let changed = text.replacingOccurrences(of: old, with: new)
        try #require(changed != text)
        try Files.write(Array(changed.utf8), to: config)
        #expect(throws: WeirError.self) { try Evaluator(folder: folder + "/true", longest: 20, threads: 1) }
      }
    }
  }
}
