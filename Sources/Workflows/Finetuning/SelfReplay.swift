import Pipeline
import Primitives
import Storage
import Tokenization
import Training

/// Context-free generations of a model: texts that it samples at temperature 1 after the token that starts a text (2505.13811). Replayed while
/// the model is finetuned, they stand for the data that it was trained on.
///
/// They are sampled once per run and stored in its folder, with their tokens: encoding a text again may give others. A text ends with a token
/// that ends a text, or where it fills a row. The texts depend on the model, its random seed and their number alone.
struct SelfReplay {
  /// Identifies the texts.
  let name: String
  private let model: String
  private let count: Int
  private let sequence: Int
  private let randomSeed: UInt64

  /// A line of the file.
  private struct Line: Codable {
    var id: String
    var text: String
    /// Identifies the texts of one run.
    var source: String
    var tokens: [Int32]
  }

  /// - Parameters:
  ///   - model: the initial model's folder.
  ///   - count: the number of texts.
  ///   - sequence: the most tokens of a text.
  init(model: String, count: Int, sequence: Int, randomSeed: UInt64) throws {
    (self.model, self.count, self.sequence, self.randomSeed) = (model, count, sequence, randomSeed)
    name = "self-replay \(count) of \(try ModelFolder.fingerprint(model)) sequence \(sequence) seed \(randomSeed)"
  }

  /// The tokens of the texts: those in the run's folder, or new ones that are stored there.
  func documents(run: String, threads: Int, _ progress: Progress) throws -> [[Int32]] {
    let path = RunFolder(run).selfReplay
    if Files.exists(path) {
      let documents = try read(path)
      // Again, in case that the process was killed before it did so.
      try RunFolder(run).sealSelfReplay()
      return documents
    }
    guard try !RunFolder(run).exists || TrainingRun.batches(run: run).data.contains(name) else {
      throw WeirError(run, "contains a different run", remedy: "choose another folder or remove this one")
    }
    let tokenizer = try Models.tokenizer(model), documents = try sample(tokenizer, threads: threads, progress.phase("self-replay"))
    var lines: [UInt8] = []
    for (index, tokens) in documents.enumerated() {
      let text = String(decoding: tokenizer.text(of: Array(tokens.dropFirst())), as: UTF8.self)
      lines += try JSONFile.encode(Line(id: "self-\(index)", text: text, source: name, tokens: tokens)) + [0x0A]
    }
    try Files.createFolder(run)
    try Files.writeOutput(lines, to: path)
    try RunFolder(run).sealSelfReplay()
    return documents
  }

  private func read(_ path: String) throws -> [[Int32]] {
    try ChecksumList.check(path)
    let vocabulary = try ModelFolder.configuration(model).vocabulary
    let lines = try Files.readWhole(path).split(separator: 0x0A).enumerated().map {
      try JSONFile.decode(Line.self, from: Array($1), place: "\(path):\($0 + 1)")
    }
    guard lines.count == count, lines.allSatisfy({ $0.source == name }) else {
      throw WeirError(path, "contains the generations of another run", remedy: "choose another folder or remove this one")
    }
    guard lines.allSatisfy({ $0.tokens.allSatisfy { (0..<vocabulary).contains(Int($0)) } }) else {
      throw WeirError(
        path, "contains a token outside the model's vocabulary", remedy: "remove it; the same command then generates it again")
    }
    return lines.map(\.tokens)
  }

  private func sample(_ tokenizer: Tokenizer, threads: Int, _ progress: Progress) throws -> [[Int32]] {
    guard let start = try Models.startToken(model, tokenizer) else {
      throw WeirError(model, "the model has no token that starts a text, so nothing can be generated without context")
    }
    let generation = try ParallelGeneration(folder: model, threads: threads), stops = Models.stops(model, tokenizer)
    let length = min(sequence, generation.configuration.longestSequence), random = CounterRandom(seed: randomSeed, stream: 1)
    return try generation.map(count, positions: length, progress) { index, generator in
      var decoding = DecodingConfiguration(), tokens = [start]
      (decoding.temperature, decoding.randomSeed) = (1, random.bits(UInt64(index)))
      try generator.generate(prompt: [start], lead: 1, count: length - 1, decoding: decoding) { id in
        tokens.append(id)
        return !stops.contains(id)
      }
      return tokens
    }
  }
}
