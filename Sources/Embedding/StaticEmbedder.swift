import CKernels
import Kernels
import Primitives
import Storage
import Synchronization

import func Foundation.log

/// A vector a token, distilled once from an encoder (after model2vec, github.com/MinishLab/model2vec): each token's text is encoded alone, the vectors
/// are projected on their principal components and weighted by ln(1 + rank), the rank taken from the token's id, as Zipf's law would have it.
/// A window is the mean of its tokens' vectors, scaled to length 1. No encoder at run time.
package struct StaticEmbedder: Embedder {
  /// How it was distilled.
  package struct Configuration: Sendable, Codable, Equatable {
    /// Dimensions of a vector.
    package var dimensions: Int
    /// The fingerprint of the encoder.
    package var encoder: String
  }

  /// How it was distilled.
  package let configuration: Configuration
  /// The fingerprint of the tokenizer whose ids it understands.
  package let tokenizer: String
  /// XXH3-64 over configuration, tokenizer and table.
  package let fingerprint: String
  /// [tokens, dimensions] row-major, as it is saved.
  private let table: [Float]
  /// The table rounded to bfloat16: gathering its rows waits for the cache, and moves half as much.
  private let pairs: MemoryBlock

  /// Dimensions of a vector.
  package var dimensions: Int { configuration.dimensions }

  /// Distils.
  /// - Parameters:
  ///   - vectors: [tokens, width] each token's vector; zero where it has no text.
  ///   - width: of a vector.
  ///   - dimensions: how many principal components are kept.
  ///   - encoder: the fingerprint of what made the vectors.
  ///   - tokenizer: the fingerprint of the tokens' tokenizer.
  ///   - pool: where the products run; the result does not depend on its number of threads.
  package init(distilling vectors: [Float], width: Int, dimensions: Int, encoder: String, tokenizer: String, pool: ThreadPool) throws {
    guard (1...width).contains(dimensions) else {
      throw WeirError("--dimensions", "\(dimensions) is not in 1…\(width), the encoder's width")
    }
    let tokens = vectors.count / width
    let filled = (0..<tokens).filter { token in vectors[token * width..<(token + 1) * width].contains { $0 != 0 } }
    guard !filled.isEmpty else { throw WeirError("static", "no token has a text to distil from") }
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

  /// Embeds windows, see `Embedder`.
  package func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float] {
    try embed(0..<windows.count, of: WindowReader(windows), pool: pool)
  }

  /// Embeds windows of a source, see `Embedder`; each is read where it is embedded.
  package func embed(_ range: Range<Int>, of windows: WindowReader, pool: ThreadPool) throws -> [Float] {
    let (width, tokens) = (dimensions, table.count / dimensions)
    nonisolated(unsafe) let rows = UnsafePointer(pairs.base.assumingMemoryBound(to: UInt32.self))
    let failure = Mutex<(part: Int, error: any Error)?>(nil)
    let vectors = [Float](unsafeUninitializedCapacity: range.count * width) { result, size in
      size = range.count * width
      guard let base = result.baseAddress else { return }
      nonisolated(unsafe) let out = base
      pool.ranges(range.count, grain: 64) { part in
        // Half of a window's tokens, or more, repeat others: a row is fetched once.
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
          // The first of the windows', whichever thread meets it when.
          failure.withLock { if part.lowerBound < $0?.part ?? .max { $0 = (part.lowerBound, error) } }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
    return vectors
  }

  /// Saves `embedder.json` and `model.safetensors` (`table`).
  package func save(to folder: String) throws {
    try Files.createFolder(folder)
    _ = try Safetensors.write(
      folder + "/model.safetensors", floats: [("table", [table.count / dimensions, dimensions], table)],
      metadata: ["format": EmbedderFolder.format, "kind": "static"])
    try JSONFile.write(
      EmbedderDescription(kind: "static", fingerprint: fingerprint, tokenizer: tokenizer, configuration: configuration),
      to: folder + "/embedder.json")
  }

  /// Loads an embedder and checks that it is the one it says.
  package init(folder: String) throws {
    let folder = EmbedderFolder.resolved(folder)
    let description = try EmbedderFolder.description(folder, kind: "static", as: Configuration.self)
    let file = try SafetensorsFile(folder + "/model.safetensors")
    guard let shape = file.shape("table"), shape.count == 2, shape[0] > 0, shape[1] > 0, shape[1] == description.configuration.dimensions
    else {
      throw WeirError(file.path, "does not have the table that embedder.json describes", remedy: "make the embedder again")
    }
    try self.init(description.configuration, tokenizer: description.tokenizer, table: file.floats("table"))
    guard fingerprint == description.fingerprint else {
      throw WeirError(
        file.path, "its content is not what embedder.json says (\(description.fingerprint))", remedy: "make the embedder again")
    }
  }
}
