import Artifacts
import Documents
import Embedding
import Foundation
import Kernels
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

@Suite struct EmbedDatasetTests {
  /// A dataset of documents of up to 2,500 tokens of two topics; one fills a window, so that its end has one of its own.
  private func dataset(_ path: String, tokenizer: String) throws -> TokenDataset {
    var random = SequentialRandom(seed: 11, stream: 5)
    let writer = try TokenDatasetWriter(path, tokenizer: tokenizer, tokenizerFile: [], vocabulary: 4_000, endOfDocument: 0)
    let documents = (0..<60).map { index in
      let count = index == 7 ? Window.maximum : Int.random(in: 30...2_500, using: &random)
      let tokens = (0..<count).map { _ in UInt32(1 + 1_500 * (index % 2)) + UInt32.random(in: 0..<90, using: &random) }
      return TokenDocument(id: "\(index)", bytes: count, tokens: tokens)
    }
    try writer.append(documents)
    _ = try writer.commit(tool: "test")
    return try TokenDataset(path)
  }

  @Test func vectorsOfADataset() throws {
    let base = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let data = try dataset(base + "/set", tokenizer: "t")
    var configuration = LSIEmbedder.Configuration()
    configuration.dimensions = 4
    configuration.buckets = 1_024
    let pool = ThreadPool(threads: 2)
    let embedder = try LSIEmbedder.fit(WindowReader(data), tokenizer: data.tokenizer, configuration: configuration, pool: pool)
    let report = try EmbedDataset.run(data, embedder: embedder, to: base + "/set/vectors/lsi", tool: "test", pool: pool)
    #expect(report.windows == data.windowCount && report.dimensions == 4 && report.empty >= 1)
    let vectors = try WindowVectors(base + "/set/vectors/lsi")
    try vectors.check(dataset: data.fingerprint, windows: data.windowCount)
    #expect(vectors.embedder == embedder.fingerprint && vectors.tokenizer == data.tokenizer && vectors.fingerprint == report.fingerprint)
    #expect(try vectors.manifest.verifyFiles(in: vectors.path).isEmpty)
    // New text is embedded as the dataset's own, by the embedder that lies with the vectors.
    let loaded = try LSIEmbedder(folder: vectors.path)
    for document in [0, 1, 7, 59] {
      let tokens = try data.tokens(document: document, range: 0..<data.length(document) - 1).map { UInt32($0) }
      let windows = Window.split(tokens)
      let expected = try vectors.vectors(data.windows(of: document))
      let found = try loaded.embed(windows, pool: pool)
      #expect(found == Array(expected.prefix(found.count)))
      #expect(expected.dropFirst(found.count).allSatisfy { $0 == 0 })
    }
    // The same bytes again, on another number of threads; in a place that is taken only when asked to.
    #expect(throws: WeirError.self) {
      try EmbedDataset.run(data, embedder: embedder, to: base + "/set/vectors/lsi", tool: "test", pool: pool)
    }
    let again = try EmbedDataset.run(
      data, embedder: embedder, to: base + "/set/vectors/lsi", replacing: true, tool: "test", pool: ThreadPool(threads: 3))
    #expect(again == report)
  }

  @Test func vectorsFromElsewhere() throws {
    let base = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let data = try dataset(base + "/set", tokenizer: "t")
    func write(_ rows: Int, _ values: [Float]) throws -> WindowVectors {
      var header = Array("{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), 3), }".utf8)
      header += [UInt8](repeating: 0x20, count: 63 - (10 + header.count) % 64) + [0x0A]
      let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + values.withUnsafeBytes { Array($0) }
      try Files.write(bytes, to: base + "/a.npy")
      return try WindowVectors(array: base + "/a.npy", name: "mine")
    }
    let (windows, target) = (data.windowCount, base + "/set/vectors/mine")
    var values = (0..<windows * 3).map { Float($0) }
    let short = try write(windows - 1, Array(values.dropLast(3)))
    #expect(throws: WeirError.self) { try ImportVectors.run(short, of: data, to: target, tool: "test") }
    values[4] = .nan
    let odd = try write(windows, values)
    #expect(throws: WeirError.self) { try ImportVectors.run(odd, of: data, to: target, tool: "test") }
    #expect(!Files.exists(target))
    values.replaceSubrange(3..<6, with: [0, 0, 0])
    let report = try ImportVectors.run(write(windows, values), of: data, to: target, tool: "test")
    #expect(report.windows == windows && report.dimensions == 3 && report.empty == 1)
    let vectors = try WindowVectors(target)
    try vectors.check(dataset: data.fingerprint, windows: windows)
    #expect(try vectors.vectors(0..<windows) == values && vectors.tokenizer == "t")
  }

  @Test func anotherTokenizerIsRefused() throws {
    let base = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let data = try dataset(base + "/set", tokenizer: "t")
    var configuration = LSIEmbedder.Configuration()
    configuration.dimensions = 4
    configuration.buckets = 1_024
    let pool = ThreadPool(threads: 1)
    let embedder = try LSIEmbedder.fit(WindowReader(data), tokenizer: "u", configuration: configuration, pool: pool)
    #expect(throws: WeirError.self) { try EmbedDataset.run(data, embedder: embedder, to: base + "/out", tool: "test", pool: pool) }
    #expect(!Files.exists(base + "/out") && !Files.exists(base + "/out.partial"))
  }
}
