import Corpus
import Foundation
import Kernels
import Primitives
import Storage
import Testing
import Training

@Suite struct EvaluationTests {
  static let shape = ModelConfiguration(vocabulary: 40, width: 16, layers: 2, heads: 4, kvHeads: 2, ffn: 32, sequence: 20)

  @Test(arguments: [1, 2, 3] as [UInt64]) func documentsScoreAsIfAlone(_ seed: UInt64) throws {
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
        let stretch = Array(document.tokens[first..<min(first + 20, document.tokens.count - 1)])
        var batch = Batch(rows: 1, sequence: stretch.count)
        batch.tokens = stretch
        batch.starts = stretch.map { _ in 0 }
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

  @Test func theCacheGivesTheSameTextAsRecomputation() throws {
    let c = Self.shape, model = randomModel(c, rows: 1, sequence: 20, training: false, seed: 4)
    var greedy = SamplingConfiguration()
    greedy.temperature = 0
    var found: [Int32] = []
    try Generator(c, parameters: model.parameters).generate(prompt: [3, 1, 4], count: 12, sampling: greedy) {
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

  @Test func samplingIsSeededAndBounded() throws {
    let c = Self.shape, model = randomModel(c, rows: 1, sequence: 20, training: false, seed: 4)
    func text(_ sampling: SamplingConfiguration, stops: Set<Int32> = []) throws -> [Int32] {
      var out: [Int32] = []
      try Generator(c, parameters: model.parameters).generate(prompt: [5], count: 60, sampling: sampling, stops: stops) {
        out.append($0)
        return true
      }
      return out
    }
    var sampling = SamplingConfiguration()
    sampling.temperature = 2
    let first = try text(sampling)
    #expect(first.count == 60)
    #expect(try text(sampling) == first)
    #expect(try text(sampling, stops: [first[9], 99]).count <= 9)
    sampling.seed = 1
    #expect(try text(sampling) != first)
    var greedy = sampling, one = sampling, narrow = sampling
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
    try withFolder { folder in
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
        #expect(throws: WeirError.self) { try Evaluator(folder: folder + "/true", threads: 1) }
      }
    }
  }
}
