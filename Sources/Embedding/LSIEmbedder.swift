import CKernels
import Kernels
import Primitives

/// Latent semantic indexing: hashed unigrams (and bigrams) of token ids, sublinear term frequency, inverse document frequency,
/// projection on the leading singular vectors of the sample, length 1 (CRISP's ablation embeds so; Deerwester et al. 1990).
/// It needs no download and embeds some ten thousand windows a second.
package struct LSIEmbedder: Embedder {
  /// How an embedder is fitted; written into its manifest.
  package struct Configuration: Sendable, Codable, Equatable {
    /// Dimensions of a vector.
    package var dimensions = 128
    /// Hash buckets of features, a power of two.
    package var buckets = 65_536
    /// Whether pairs of neighbouring tokens count, beside single ones. Off: they double the cost and do not help (docs/LOG).
    package var bigrams = false
    /// A bucket that fewer windows of the sample have is left out.
    package var minimumWindows = 3
    /// A bucket that more than this share of the sample's windows have is left out.
    package var maximumShare = 1.0
    /// The most windows that are fitted on; a seeded sample where there are more.
    package var sample = 50_000
    /// Of an embedder that an earlier version fitted by subspace iteration; now by a Krylov space, which follows from the dimensions.
    package var iterations: Int?
    /// Of the same.
    package var oversampling: Int?
    /// The exponent of the singular values in the projection: 1 = classic LSI, 0 = every direction alike. Half the exponent tells
    /// small domains apart better (docs/LOG).
    package var spectrum = 0.5
    /// The seed of sampling and start.
    package var seed: UInt64 = 1

    /// Creates the defaults.
    package init() {}

    /// Throws on values that make no sense.
    package func validate() throws {
      guard (1...4_096).contains(dimensions) else { throw WeirError("--dimensions", "\(dimensions) is not in 1…4096") }
      guard (16...1 << 24).contains(buckets), buckets & (buckets - 1) == 0 else {
        throw WeirError("--buckets", "\(buckets) is not a power of two in 16…16777216")
      }
      guard sample > 0 else { throw WeirError("--sample", "the sample is empty", remedy: "give a positive number of windows") }
      guard minimumWindows >= 0, maximumShare > 0, spectrum.isFinite else {
        throw WeirError("lsi", "minimum windows, maximum share or spectrum out of range")
      }
    }
  }

  /// How it was fitted.
  package let configuration: Configuration
  /// The fingerprint of the tokenizer whose ids it understands.
  package let tokenizer: String
  /// XXH3 over configuration, tokenizer and every number of the model.
  package let fingerprint: String
  /// [buckets] inverse document frequencies, 0 where a bucket is left out.
  package let idf: [Float]
  /// [kept, dimensions] row-major: a row for each bucket whose frequency is not 0, in their order.
  package var projection: [Float] { table.values }
  /// The same in large pages, as its rows are gathered from all over.
  private let table: FloatBuffer
  /// [buckets] the row of each kept bucket.
  private let rows: [UInt32]
  /// [dimensions] singular values of the sample.
  package let singularValues: [Float]
  /// The features of the windows that it was fitted on, where those are all of a dataset: they are not counted again to embed them.
  private let counted: WindowFeatures?

  /// Dimensions of a vector.
  package var dimensions: Int { configuration.dimensions }

  /// Creates an embedder of its parts.
  package init(
    configuration: Configuration, tokenizer: String, idf: [Float], projection: [Float], singularValues: [Float]
  ) throws {
    try self.init(
      configuration: configuration, tokenizer: tokenizer, idf: idf, projection: projection, singularValues: singularValues, counted: nil)
  }

  init(
    configuration: Configuration, tokenizer: String, idf: [Float], projection: [Float], singularValues: [Float], counted: WindowFeatures?
  ) throws {
    try configuration.validate()
    var rows = [UInt32](repeating: 0, count: idf.count)
    var kept = 0
    for bucket in idf.indices where idf[bucket] > 0 {
      rows[bucket] = UInt32(kept)
      kept += 1
    }
    guard idf.count == configuration.buckets, projection.count == kept * configuration.dimensions,
      singularValues.count == configuration.dimensions
    else { throw WeirError("lsi", "idf, projection and singular values do not have the shapes of the configuration") }
    self.configuration = configuration
    self.tokenizer = tokenizer
    fingerprint = try Self.fingerprint(configuration: configuration, tokenizer: tokenizer, idf: idf, projection: projection)
    self.idf = idf
    self.rows = rows
    table = FloatBuffer(projection.count)
    table.write(projection)
    self.singularValues = singularValues
    self.counted = counted
  }

  /// Embeds windows, see `Embedder`.
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

  /// Embeds windows of a source, see `Embedder`.
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

  /// [count, dimensions], made by ranges of rows.
  private func vectors(_ count: Int, pool: ThreadPool, _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    let total = count * dimensions
    return [Float](unsafeUninitializedCapacity: total) { result, size in
      size = total
      guard let out = result.baseAddress else { return }
      nonisolated(unsafe) let rows = out
      pool.ranges(count, grain: 64) { body($0, rows) }
    }
  }

  /// Reusable space of one thread: rows of the projection and their weights.
  private struct Room {
    var indices: [UInt32] = []
    var values: [Float] = []
  }

  /// The vector of a window: its features, weighted and projected, of length 1. The projection is linear, so the length of the tf-idf vector
  /// cancels in the last normalisation.
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
  static func sublinear(_ count: UInt32) -> Float {
    count < 64 ? sublinearTable[Int(count)] : Float(1 + Elementary.natural(Double(count)))
  }

  private static let sublinearTable: [Float] = (0..<64).map { $0 == 0 ? 0 : Float(1 + Elementary.natural(Double($0))) }
}
