import CKernels
import Kernels
import Primitives

import func Foundation.log

/// Latent semantic indexing: hashed unigrams (and bigrams) of token ids, sublinear term frequency, inverse document frequency, projection on the
/// leading singular vectors of a sample, length 1 (Deerwester et al. 1990; used in an ablation of CRISP). It needs no download.
package struct LSIEmbedder: Embedder {
  /// Stored in `embedder.json`.
  package struct Configuration: Sendable, Codable, Equatable {
    package var dimensions = 128
    /// Hash buckets of the features, a power of two.
    package var buckets = 65_536
    /// Whether bigrams are features too. They double the cost and do not help.
    package var bigrams = false
    /// Buckets that occur in fewer windows of the sample are left out.
    package var minimumWindows = 3
    /// Buckets that occur in more than this fraction of the sample's windows are left out.
    package var maximumShare = 1.0
    /// The most windows to fit on; if there are more, a random sample.
    package var sample = 50_000
    /// Only in embedders of an earlier version, which used subspace iteration.
    package var iterations: Int?
    /// Only in embedders of an earlier version, which used subspace iteration.
    package var oversampling: Int?
    /// The exponent of the singular values in the projection: 1 is classic LSI, 0 gives every direction equal variance. 0.5 separates small
    /// domains best.
    package var spectrum = 0.5
    package var randomSeed: UInt64 = 1

    enum CodingKeys: String, CodingKey {
      case dimensions, buckets, bigrams, minimumWindows, maximumShare, sample, iterations, oversampling, spectrum
      case randomSeed = "seed"
    }

    package init() {}

    /// Throws `WeirError` with the name of the first invalid property.
    package func validate() throws {
      guard (1...4_096).contains(dimensions) else { throw WeirError("dimensions", "must be in 1…4096, not \(dimensions)") }
      guard (16...1 << 24).contains(buckets), buckets & (buckets - 1) == 0 else {
        throw WeirError("buckets", "must be a power of two in 16…16777216, not \(buckets)")
      }
      guard sample > 0 else { throw WeirError("sample", "must be positive, not \(sample)") }
      guard minimumWindows >= 0, maximumShare > 0, spectrum.isFinite else {
        throw WeirError("lsi", "minimum windows, maximum share or spectrum out of range", remedy: "leave them out for the defaults")
      }
    }
  }

  package let configuration: Configuration
  package let tokenizer: String
  /// XXH3-64 over the configuration, the tokenizer and the weights.
  package let fingerprint: String
  /// [buckets] inverse document frequencies; 0 for buckets that are left out.
  package let idf: [Float]
  /// [kept, dimensions], row-major: one row per bucket with nonzero idf, in order.
  package var projection: [Float] { table.values }
  /// The projection in large pages, because its rows are accessed in random order.
  private let table: FloatBuffer
  /// [buckets] the row of each bucket that is kept.
  private let rows: [UInt32]
  /// [dimensions] singular values of the sample.
  package let singularValues: [Float]
  /// The features of the windows that it was fitted on, if those are a whole dataset, so that they need not be counted again.
  var counted: WindowFeatures?

  package var dimensions: Int { configuration.dimensions }

  package init(configuration: Configuration, tokenizer: String, idf: [Float], projection: [Float], singularValues: [Float]) throws {
    try configuration.validate()
    var rows = [UInt32](repeating: 0, count: idf.count)
    var kept = 0
    for bucket in idf.indices where idf[bucket] > 0 {
      rows[bucket] = UInt32(kept)
      kept += 1
    }
    guard idf.count == configuration.buckets, projection.count == kept * configuration.dimensions,
      singularValues.count == configuration.dimensions
    else {
      throw WeirError(
        "lsi", "idf, projection and singular values do not have the shapes of the configuration", remedy: "make the embedder again")
    }
    self.configuration = configuration
    self.tokenizer = tokenizer
    fingerprint = try Self.fingerprint(configuration: configuration, tokenizer: tokenizer, idf: idf, projection: projection)
    self.idf = idf
    self.rows = rows
    table = FloatBuffer(projection.count)
    table.write(projection)
    self.singularValues = singularValues
  }

  package func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float] {
    let features = TokenFeatures(buckets: configuration.buckets, bigrams: configuration.bigrams)
    return vectors(windows.count, pool: pool) { range, out in
      var counter = features.counter, room = Room()
      for window in range {
        let size = features.count(windows[window], counter: &counter)
        project(counter.buckets[..<size], counter.counts[..<size], room: &room, out: out + window * dimensions)
      }
    }
  }

  package func embed(_ range: Range<Int>, of windows: WindowReader, pool: ThreadPool) throws -> [Float] {
    guard let counted, counted.source == windows.source else { return try embed(windows.tokens(range, pool: pool), pool: pool) }
    return vectors(range.count, pool: pool) { part, out in
      var room = Room()
      for window in part {
        let (part, index) = (range.lowerBound + window).quotientAndRemainder(dividingBy: WindowFeatures.grain)
        let features = counted.parts[part].features(index)
        project(counted.parts[part].buckets[features], counted.parts[part].counts[features], room: &room, out: out + window * dimensions)
      }
    }
  }

  package func knownTokens(_ windows: [[Int32]]) -> Int? {
    let features = TokenFeatures(buckets: configuration.buckets, bigrams: false)
    var counter = features.counter, known = 0
    for window in windows {
      let size = features.count(window, counter: &counter)
      for place in 0..<size where idf[Int(counter.buckets[place])] > 0 { known += Int(counter.counts[place]) }
    }
    return known
  }

  /// [count, dimensions], computed by ranges of rows.
  private func vectors(_ count: Int, pool: ThreadPool, _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    let total = count * dimensions
    return [Float](unsafeUninitializedCapacity: total) { result, size in
      size = total
      guard let out = result.baseAddress else { return }
      nonisolated(unsafe) let rows = out
      pool.ranges(count, grain: 64) { body($0, rows) }
    }
  }

  /// Scratch memory of one thread: rows of the projection and their weights.
  private struct Room {
    var indices: [UInt32] = []
    var values: [Float] = []
  }

  /// The vector of a window: its features, weighted, projected and scaled to length 1. The length of the tf-idf vector cancels in the last step,
  /// because the projection is linear.
  private func project(_ buckets: ArraySlice<UInt32>, _ counts: ArraySlice<UInt32>, room: inout Room, out: UnsafeMutablePointer<Float>) {
    if room.indices.count < buckets.count {
      room.indices = [UInt32](repeating: 0, count: 2 * buckets.count)
      room.values = [Float](repeating: 0, count: 2 * buckets.count)
    }
    var kept = 0
    buckets.withUnsafeBufferPointer { buckets in
      counts.withUnsafeBufferPointer { counts in
        room.indices.withUnsafeMutableBufferPointer { indices in
          room.values.withUnsafeMutableBufferPointer { values in
            for place in 0..<buckets.count {
              let bucket = Int(buckets[place]), weight = idf[bucket]
              indices[kept] = rows[bucket]
              values[kept] = Self.sublinear(counts[place]) * weight
              kept += weight > 0 ? 1 : 0
            }
          }
        }
      }
    }
    weir_gather_rows(room.indices, room.values, kept, table.base, dimensions, out)
    _ = weir_normalize(out, dimensions)
  }

  /// 1 + ln(count).
  static func sublinear(_ count: UInt32) -> Float { count < 64 ? sublinearTable[Int(count)] : Float(1 + log(Double(count))) }

  private static let sublinearTable: [Float] = (0..<64).map { $0 == 0 ? 0 : Float(1 + log(Double($0))) }
}
