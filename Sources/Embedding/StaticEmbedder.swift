import CKernels
import Kernels
import Primitives
import Storage
import Synchronization
import Tokenization

import func Foundation.log

/// One vector per token, distilled from a sentence encoder (after model2vec, github.com/MinishLab/model2vec): the text of each token is
/// encoded alone, and the vectors are projected on their principal components and weighted by ln(1 + rank), following Zipf's law with the
/// token id as the rank. The vector of a window is the mean over its tokens, scaled to length 1. No encoder is needed at run time.
package struct StaticEmbedder: Embedder {
  package struct Configuration: Sendable, Codable, Equatable {
    package var dimensions: Int
    /// The fingerprint of the encoder.
    package var encoder: String
  }

  package let configuration: Configuration
  package let tokenizer: String
  /// XXH3-64 over configuration, tokenizer and table.
  package let fingerprint: String
  /// [tokens, dimensions], row-major, as it is saved.
  private let table: [Float]
  /// The table rounded to bfloat16: gathering rows is bound by memory, and this halves the traffic.
  private let pairs: MemoryBlock

  package var dimensions: Int { configuration.dimensions }

  /// Distills the encoder in a folder for the tokens of a tokenizer.
  package init(distilling folder: String, tokenizer: Tokenizer, dimensions: Int, pool: ThreadPool) throws {
    let teacher = try TextEmbedder(encoder: folder, configuration: TextEmbedder.Configuration(parts: .first), tokenizer: tokenizer)
    let vectors = try teacher.embed((0..<tokenizer.vocabularySize).map { [Int32($0)] }, pool: pool)
    try self.init(
      distilling: vectors, width: teacher.dimensions, dimensions: dimensions, encoder: teacher.fingerprint,
      tokenizer: tokenizer.fingerprint, pool: pool)
  }

  /// Distills vectors.
  /// - Parameters:
  ///   - vectors: [tokens, width], zero for a token without text.
  ///   - dimensions: the number of principal components to keep.
  ///   - encoder: the fingerprint of the encoder of the vectors.
  ///   - tokenizer: the fingerprint of the tokenizer.
  ///   - pool: the result does not depend on its number of threads.
  package init(distilling vectors: [Float], width: Int, dimensions: Int, encoder: String, tokenizer: String, pool: ThreadPool) throws {
    guard (1...width).contains(dimensions) else {
      throw WeirError("dimensions", "must be in 1…\(width), the width of the encoder, not \(dimensions)")
    }
    let tokens = vectors.count / width
    let filled = (0..<tokens).filter { token in vectors[token * width..<(token + 1) * width].contains { $0 != 0 } }
    guard !filled.isEmpty else {
      throw WeirError("static", "no token has text to distill from", remedy: "check the tokenizer of the dataset")
    }
    var mean = [Double](repeating: 0, count: width)
    for token in filled { for j in 0..<width { mean[j] += Double(vectors[token * width + j]) } }
    var centred = [Float](repeating: 0, count: filled.count * width)
    for (row, token) in filled.enumerated() {
      for j in 0..<width { centred[row * width + j] = vectors[token * width + j] - Float(mean[j] / Double(filled.count)) }
    }
    let gram = centred.withUnsafeBufferPointer {
      $0.baseAddress.map { Gram.matrix($0, rows: filled.count, columns: width, pool: pool) } ?? []
    }
    let axes = DenseMath.symmetricEigen(gram, n: width, pool: pool).vectors
    var table = [Float](repeating: 0, count: tokens * dimensions)
    for (row, token) in filled.enumerated() {
      let weight = log(Double(token) + 2)
      var sums = [Double](repeating: 0, count: dimensions)
      for j in 0..<width {
        let value = Double(centred[row * width + j])
        for column in 0..<dimensions { sums[column] += value * axes[j * width + column] }
      }
      for column in 0..<dimensions { table[token * dimensions + column] = Float(sums[column] * weight) }
    }
    try self.init(Configuration(dimensions: dimensions, encoder: encoder), tokenizer: tokenizer, table: table)
  }

  private init(_ configuration: Configuration, tokenizer: String, table: [Float]) throws {
    self.configuration = configuration
    self.tokenizer = tokenizer
    self.table = table
    pairs = Self.paired(table, width: configuration.dimensions)
    let stream = ChecksumStream()
    let head = try JSONFile.encode(configuration) + Array("\nstatic.1 \(tokenizer)\n".utf8)
    head.withUnsafeBytes { stream.update($0) }
    table.withUnsafeBytes { stream.update($0) }
    fingerprint = Checksum.hex(stream.value)
  }

  /// The rows as `weir_gather_pairs` reads them.
  private static func paired(_ table: [Float], width: Int) -> MemoryBlock {
    let stride = weir_pairs(width), rows = table.count / width
    let result = MemoryBlock(bytes: rows * stride * MemoryLayout<UInt32>.stride)
    let pairs = result.base.bindMemory(to: UInt32.self, capacity: rows * stride)
    table.withUnsafeBufferPointer { table in
      guard let values = table.baseAddress else { return }
      for row in 0..<rows { weir_pair_row(values + row * width, width, pairs + row * stride) }
    }
    return result
  }

  package func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float] {
    try embed(0..<windows.count, of: WindowReader(windows), pool: pool)
  }

  package func embed(_ range: Range<Int>, of windows: WindowReader, pool: ThreadPool) throws -> [Float] {
    let (width, tokens) = (dimensions, table.count / dimensions)
    nonisolated(unsafe) let rows = UnsafePointer(pairs.base.assumingMemoryBound(to: UInt32.self))
    let failure = Mutex<(part: Int, error: any Error)?>(nil)
    let vectors = [Float](unsafeUninitializedCapacity: range.count * width) { result, size in
      size = range.count * width
      guard let base = result.baseAddress else { return }
      nonisolated(unsafe) let out = base
      pool.ranges(range.count, grain: 64) { part in
        // At least half of the tokens of a window repeat others, so each row is fetched once with its count.
        var counter = BucketCounter(limit: tokens), weights: [Float] = []
        do {
          for window in part {
            let ids = try windows.tokens(range.lowerBound + window)
            let count = counter.take(most: ids.count) { add in
              for token in ids where token >= 0 && token < tokens { add(Int(token)) }
            }
            if weights.count < count { weights = [Float](repeating: 0, count: 2 * count) }
            weights.withUnsafeMutableBufferPointer { weights in
              counter.counts.withUnsafeBufferPointer { counts in
                for place in 0..<count { weights[place] = Float(counts[place]) }
              }
            }
            weir_gather_pairs(counter.buckets, weights, count, rows, width, out + window * width)
            _ = weir_normalize(out + window * width, width)
          }
        } catch {
          // Report the first window that fails, whichever thread finds it first.
          failure.withLock { if part.lowerBound < $0?.part ?? .max { $0 = (part.lowerBound, error) } }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
    return vectors
  }

  /// Saves `embedder.json` and `model.safetensors` (`table`).
  package func save(to folder: String) throws {
    try EmbedderFolder.describe(self, kind: "static", configuration, in: folder)
    _ = try Safetensors.write(
      folder + "/" + EmbedderFolder.modelFile, floats: [("table", [table.count / dimensions, dimensions], table)],
      metadata: ["format": EmbedderFolder.format, "kind": "static"])
  }

  /// Loads an embedder and checks its fingerprint.
  package init(folder: String) throws {
    let folder = EmbedderFolder.resolved(folder)
    let description = try EmbedderFolder.description(folder, kind: "static", as: Configuration.self)
    let file = try SafetensorsFile(folder + "/" + EmbedderFolder.modelFile)
    guard let shape = file.shape("table"), shape.count == 2, shape[0] > 0, shape[1] > 0, shape[1] == description.configuration.dimensions
    else { throw WeirError(file.path, "its table does not match embedder.json", remedy: "make the embedder again") }
    try self.init(description.configuration, tokenizer: description.tokenizer, table: file.floats("table"))
    try description.check(fingerprint, file: file.path)
  }
}
