import Embedding
import Foundation
import Kernels
import Primitives
import Storage
import TestSupport
import Testing
import Tokenization

/// An encoder of random weights on disk, and the same computation in float64 as the paper writes it (Devlin et al. 2019, §3).
private struct Reference {
  let width: Int
  let inner: Int
  let layers = 2
  let vocabulary = 23
  let positions: Int
  var tensors: [String: (shape: [Int], values: [Float])] = [:]

  init(width: Int, inner: Int, positions: Int = 40, seed: UInt64) {
    (self.width, self.inner, self.positions) = (width, inner, positions)
    var random = SequentialRandom(seed: seed, stream: 2)
    func put(_ name: String, _ shape: Int..., around mean: Float = 0) -> (String, ([Int], [Float])) {
      (name, (shape, (0..<shape.reduce(1, *)).map { _ in mean + Float.random(in: -0.3...0.3, using: &random) }))
    }
    var all = [
      put("embeddings.word_embeddings.weight", vocabulary, width), put("embeddings.position_embeddings.weight", positions, width),
      put("embeddings.token_type_embeddings.weight", 2, width), put("embeddings.LayerNorm.weight", width, around: 1),
      put("embeddings.LayerNorm.bias", width),
    ]
    for layer in 0..<layers {
      let p = "encoder.layer.\(layer)."
      for name in ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"] {
        all += [put(p + name + ".weight", width, width), put(p + name + ".bias", width)]
      }
      all += [put(p + "intermediate.dense.weight", inner, width), put(p + "intermediate.dense.bias", inner)]
      all += [put(p + "output.dense.weight", width, inner), put(p + "output.dense.bias", width)]
      for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
        all += [put(p + name + ".weight", width, around: 1), put(p + name + ".bias", width)]
      }
    }
    for (name, tensor) in all { tensors[name] = tensor }
  }

  func write(to folder: String) throws {
    try Files.createFolder(folder)
    let config =
      #"{"model_type":"bert","hidden_act":"gelu","hidden_size":\#(width),"intermediate_size":\#(inner),"num_hidden_layers":\#(layers),"#
      + #""num_attention_heads":\#(width / 32),"vocab_size":\#(vocabulary),"max_position_embeddings":\#(positions),"layer_norm_eps":1e-12}"#
    try Files.write(Array(config.utf8), to: folder + "/config.json")
    _ = try Safetensors.write(
      folder + "/model.safetensors", floats: tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value.shape, $0.value.values) })
  }

  private func values(_ name: String) -> [Double] { (tensors[name]?.values ?? []).map { Double($0) } }

  private func linear(_ x: [[Double]], _ name: String) -> [[Double]] {
    let (weight, bias) = (values(name + ".weight"), values(name + ".bias"))
    return x.map { row in bias.indices.map { n in row.indices.reduce(bias[n]) { $0 + row[$1] * weight[n * row.count + $1] } } }
  }

  private func norm(_ x: [[Double]], _ name: String) -> [[Double]] {
    let (gain, shift) = (values(name + ".weight"), values(name + ".bias"))
    return x.map { row in
      let mean = row.reduce(0, +) / Double(width)
      let deviation = (row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width) + 1e-12).squareRoot()
      return row.indices.map { (row[$0] - mean) / deviation * gain[$0] + shift[$0] }
    }
  }

  private func sum(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] { zip(a, b).map { zip($0, $1).map { $0 + $1 } } }

  func encode(_ window: [Int32]) -> [Double] {
    let (words, places, types) = (
      values("embeddings.word_embeddings.weight"), values("embeddings.position_embeddings.weight"),
      values("embeddings.token_type_embeddings.weight")
    )
    var x = window.enumerated().map { at, piece in
      (0..<width).map { words[Int(piece) * width + $0] + places[at * width + $0] + types[$0] }
    }
    x = norm(x, "embeddings.LayerNorm")
    for layer in 0..<layers {
      let p = "encoder.layer.\(layer)."
      let (q, k, v) = (
        linear(x, p + "attention.self.query"), linear(x, p + "attention.self.key"), linear(x, p + "attention.self.value")
      )
      var joined = x.map { _ in [Double](repeating: 0, count: width) }
      for head in stride(from: 0, to: width, by: 32) {
        for row in x.indices {
          let weights = x.indices.map { other in
            exp((head..<head + 32).reduce(0) { $0 + q[row][$1] * k[other][$1] } / 32.0.squareRoot())
          }
          for (other, weight) in weights.enumerated() {
            for j in head..<head + 32 { joined[row][j] += weight / weights.reduce(0, +) * v[other][j] }
          }
        }
      }
      x = norm(sum(x, linear(joined, p + "attention.output.dense")), p + "attention.output.LayerNorm")
      let up = linear(x, p + "intermediate.dense").map { $0.map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) } }
      x = norm(sum(x, linear(up, p + "output.dense")), p + "output.LayerNorm")
    }
    let mean = (0..<width).map { j in x.reduce(0) { $0 + $1[j] } }
    let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return mean.map { $0 / length }
  }
}

@Suite struct SentenceEncoderTests {
  private let folder = temporaryPath()

  private func windows(_ lengths: [Int], seed: UInt64) -> [[Int32]] {
    var random = SequentialRandom(seed: seed, stream: 1)
    return lengths.map { length in (0..<length).map { _ in Int32.random(in: 0..<23, using: &random) } }
  }

  @Test(arguments: [(32, 64), (64, 96)]) func itFollowsTheDefinition(width: Int, inner: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let reference = Reference(width: width, inner: inner, seed: UInt64(width))
    try reference.write(to: folder)
    let encoder = try SentenceEncoder(folder: folder)
    #expect(encoder.dimensions == width && encoder.longest == 40)
    let windows = windows([1, 2, 12, 13, 33, 40], seed: 3)
    let found = try encoder.encode(windows, pool: ThreadPool(threads: 2))
    for (row, window) in windows.enumerated() {
      let expected = reference.encode(window)
      for j in 0..<width { #expect((Double(found[row * width + j]) - expected[j]).magnitude < 2e-6) }
      // A window's vector is its own, whatever the company and the threads.
      #expect(try encoder.encode([window], pool: ThreadPool(threads: 1)) == Array(found[row * width..<(row + 1) * width]))
    }
    if SentenceEncoder.hasHalf {
      let half = try SentenceEncoder(folder: folder, half: true).encode(windows, pool: ThreadPool(threads: 2))
      for row in windows.indices {
        #expect((0..<width).reduce(Float(0)) { $0 + half[row * width + $1] * found[row * width + $1] } > 0.999)
      }
    }
  }

  /// Rows of long windows are multiplied by halves, each window's alone.
  @Test func longWindowsFollowItToo() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let reference = Reference(width: 64, inner: 128, positions: 97, seed: 9)
    try reference.write(to: folder)
    let encoder = try SentenceEncoder(folder: folder)
    let windows = windows([95, 97, 7, 96], seed: 4)
    let found = try encoder.encode(windows, pool: ThreadPool(threads: 2))
    for (row, window) in windows.enumerated() {
      let expected = row < 2 ? reference.encode(window) : found[row * 64..<(row + 1) * 64].map { Double($0) }
      for j in 0..<64 { #expect((Double(found[row * 64 + j]) - expected[j]).magnitude < 2e-6) }
      #expect(try encoder.encode([window], pool: ThreadPool(threads: 1)) == Array(found[row * 64..<(row + 1) * 64]))
    }
  }

  @Test func damageIsAnError() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(throws: WeirError.self) { try SentenceEncoder(folder: folder) }
    let reference = Reference(width: 32, inner: 32, seed: 1)
    try reference.write(to: folder)
    let encoder = try SentenceEncoder(folder: folder)
    let pool = ThreadPool(threads: 1)
    for window in [[], [23], [-1], [Int32](repeating: 1, count: 41)] as [[Int32]] {
      #expect(throws: WeirError.self) { try encoder.encode([window], pool: pool) }
    }
    var broken = reference
    broken.tensors["encoder.layer.1.output.dense.bias"]?.values[3] = .nan
    try broken.write(to: folder)
    #expect(throws: WeirError.self) { try SentenceEncoder(folder: folder) }
    broken.tensors["encoder.layer.1.output.dense.bias"] = nil
    try broken.write(to: folder)
    #expect(throws: WeirError.self) { try SentenceEncoder(folder: folder) }
    try Files.write(Array(#"{"model_type":"gpt2"}"#.utf8), to: folder + "/config.json")
    #expect(throws: WeirError.self) { try SentenceEncoder(folder: folder) }
  }

  /// A tokenizer of windows, and the encoder's word pieces.
  private func writeTokenizers() throws -> Tokenizer {
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + (0..<19).map { String(UnicodeScalar(UInt8(97 + $0))) }
    try Files.write(Array((words.joined(separator: "\n") + "\n").utf8), to: folder + "/vocab.txt")
    var configuration = BytePairTrainer.Configuration()
    configuration.vocabulary = 260
    var trainer = try BytePairTrainer(configuration)
    trainer.add(Array("a b ab abc c b a".utf8))
    return try trainer.finish()
  }

  @Test func aTextEmbedderSurvivesTheDisk() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Reference(width: 32, inner: 32, seed: 2).write(to: folder)
    let tokenizer = try writeTokenizers(), pool = ThreadPool(threads: 2)
    let embedder = try TextEmbedder(encoder: folder, configuration: TextEmbedder.Configuration(), tokenizer: tokenizer)
    let end = try #require(tokenizer.endOfDocument)
    let windows = ["a b c", "", String(repeating: "a c ", count: 40)].map { tokenizer.encode($0).map { Int32($0) } }
    let found = try embedder.embed(windows, pool: pool)
    #expect(try embedder.embed([windows[0] + [Int32(end)]], pool: pool) == Array(found[..<32]), "an end of document is no text")
    #expect(found[32..<64].allSatisfy { $0 == 0 })
    let saved = folder + "/saved"
    try embedder.save(to: saved)
    let loaded = try EmbedderFolder.open(saved)
    #expect(loaded.fingerprint == embedder.fingerprint && loaded.tokenizer == tokenizer.fingerprint)
    #expect(try loaded.embed(windows, pool: pool) == found)
    let distilled = try StaticEmbedder(distilling: folder, tokenizer: tokenizer, dimensions: 4, pool: pool)
    #expect(distilled.dimensions == 4 && distilled.tokenizer == tokenizer.fingerprint)
    for (name, kind) in [("lsi", "lsi"), ("minilm:x", "minilm"), ("static:x", "static"), (saved, "minilm")] {
      #expect(EmbedderModel(name).kind == kind)
    }
    try Files.remove(folder + "/vocab.txt")
    #expect(throws: WeirError.self) {
      try TextEmbedder(encoder: folder, configuration: TextEmbedder.Configuration(), tokenizer: tokenizer)
    }
  }

  @Test func aStaticEmbedderSurvivesTheDisk() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var random = SequentialRandom(seed: 5, stream: 1)
    // The last token has no text.
    let vectors = (0..<30 * 8).map { _ in Float.random(in: -1...1, using: &random) } + [Float](repeating: 0, count: 8)
    let embedders = try [1, 2].map { threads in
      try StaticEmbedder(
        distilling: vectors, width: 8, dimensions: 5, encoder: "e", tokenizer: "t", pool: ThreadPool(threads: threads))
    }
    #expect(embedders[0].fingerprint == embedders[1].fingerprint)
    try embedders[0].save(to: folder)
    let loaded = try StaticEmbedder(folder: folder)
    let windows: [[Int32]] = [[1, 2, 3], [3, 2, 1, 1], [30], [], [29]]
    let pool = ThreadPool(threads: 2)
    let found = try loaded.embed(windows, pool: pool)
    #expect(try embedders[1].embed(windows, pool: pool) == found)
    for row in windows.indices {
      let length = (0..<5).reduce(Float(0)) { $0 + found[row * 5 + $1] * found[row * 5 + $1] }
      #expect((length - (row == 2 || row == 3 ? 0 : 1)).magnitude < 1e-5)
    }
    // Of several windows that cannot be read the first is told of.
    let broken = WindowReader(count: 1_000) { index in
      if index % 100 == 70 { throw WeirError("window", "\(index)") }
      return [Int32(index % 30)]
    }
    for _ in 0..<20 {
      let error = #expect(throws: WeirError.self) { try loaded.embed(0..<1_000, of: broken, pool: pool) }
      #expect(error?.reason == "70")
    }
    #expect(throws: WeirError.self) {
      try StaticEmbedder(distilling: vectors, width: 8, dimensions: 9, encoder: "e", tokenizer: "t", pool: pool)
    }
    var bytes = try Files.read(folder + "/model.safetensors")
    bytes[bytes.count - 1] ^= 1
    try Files.write(bytes, to: folder + "/model.safetensors")
    #expect(throws: WeirError.self) { try StaticEmbedder(folder: folder) }
  }
}
